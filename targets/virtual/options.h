/*
 * The command line of tinyrig-vboard.
 */
#ifndef TARGETS_VIRTUAL_OPTIONS_H
#define TARGETS_VIRTUAL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

#define OPTIONS_LOADS_MAX 16

struct image_file {
    const char *path;
    uint64_t address;
};

struct options {
    const char *kind;     /* qemu, simavr, posix */
    const char *name;     /* of the board; the pty is DIR/NAME */
    const char *dir;      /* exists */
    const char *firmware; /* ELF; may be NULL (blank) with a probe */
    const char *machine;  /* QEMU -M, or the mcu of simavr */
    const char *emulator; /* program to run instead of the usual one */
    uint64_t clock_hz;    /* simavr; 0: 16 MHz */
    int icount_shift;     /* -1: no icount */
    bool idle_skips;      /* virtual time jumps over idle waits instead of passing in real time */
    bool marker;          /* marker addresses were given */
    uint64_t marker_set;
    uint64_t marker_clear;
    const char *marker_pin;   /* simavr: "PB5" */
    const char *plugin;       /* NULL: the one beside the program, if it is there */
    const char *probe;        /* adapters of the emulated debug probe; NULL: none */
    const char *chip;         /* what is behind it; NULL: by the machine */
    const char *flash;        /* file that keeps the flash, with a probe; NULL: none */
    const char *edges_socket; /* serve the edge stream here; NULL: nowhere */
    uint64_t seed;
    bool start_off; /* do not power on by itself */
    struct image_file loads[OPTIONS_LOADS_MAX];
    int load_count;
    const char *const *extra; /* NULL-terminated: handed to the emulator as they are */
    bool help;
    bool version;
};

/*
 * Everything points into argv.
 * ERR_USAGE says what is wrong.
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *err) MUST_CHECK;

void options_help(struct buf *out);

/* "FILE@ADDR" in place. */
int options_parse_load(char *text, struct image_file *ret, struct err *err) MUST_CHECK;

#endif
