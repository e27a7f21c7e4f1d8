/*
 * The words of the control protocol: one command per line on stdin, one reply line on stdout.
 *
 * This file only takes a line apart and checks its shape; control.c carries it out. Lines come
 * from programs and from people, so every mistake gets a sentence back.
 */
#ifndef TARGETS_VIRTUAL_COMMAND_H
#define TARGETS_VIRTUAL_COMMAND_H

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

#define COMMAND_LINE_MAX 4096
#define COMMAND_WORDS    16

/* name, word, least and most arguments, arguments, what it does */
/* clang-format off */
#define COMMAND_LIST(X) \
    X(HELP,        "help",        0, 0,  "",              "list the commands") \
    X(POWER,       "power",       1, 1,  "on|off",        "switch the supply; off loses RAM, not flash") \
    X(POWER_CYCLE, "power-cycle", 0, 1,  "[MS]",          "off, wait (100 ms), on") \
    X(RESET,       "reset",       0, 0,  "",              "pulse the reset line; revives a hung or dead board") \
    X(LOAD,        "load",        2, 2,  "FILE ADDR",     "put a copy of FILE at ADDR of the flash, seen from the next power on") \
    X(UNLOAD,      "unload",      0, 0,  "",              "forget every loaded file") \
    X(UNPLUG,      "unplug",      0, 0,  "",              "pull the serial cable") \
    X(REPLUG,      "replug",      0, 1,  "[NAME]",        "plug it in again, under another name if given") \
    X(FAULT,       "fault",       1, 12, "KIND ARGS",     "arm a fault (see `fault help`)") \
    X(FAULTS,      "faults",      0, 1,  "[clear]",       "list the armed faults, or disarm them all") \
    X(EDGES,       "edges",       2, 2,  "FILE|fd:N on|off", "append marker edges to FILE or descriptor N") \
    X(STATUS,      "status",      0, 0,  "",              "what the board is doing") \
    X(QUIT,        "quit",        0, 0,  "",              "power off, remove the link, end")
/* clang-format on */

enum command_kind {
#define X(name, word, least, most, args, text) COMMAND_##name,
    COMMAND_LIST(X)
#undef X
};

/* Words point into the line that was parsed. words[0] is the command itself. */
struct command {
    enum command_kind kind;
    int count;
    char *words[COMMAND_WORDS];
};

/*
 * Take `line` apart in place. Words are separated by blanks; "double quotes" keep blanks inside,
 * with \" and \\ as the only escapes. ERR_USAGE when it is not a command.
 * Returns 1 (and no command) for an empty line or one that starts with '#'.
 */
int command_parse(char *line, struct command *ret, struct err *err) MUST_CHECK;

void command_help(struct buf *out); /* one line per command */

#endif
