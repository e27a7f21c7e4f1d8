/*
 * What can be written in suite, board and lab files, for people and for editors. All of it comes
 * from the key tables that the parser uses, so it cannot be wrong about them.
 *
 * Called by `tinyrig help keys`, by the man page and by the test that keeps config/schema fresh.
 */
#ifndef HARNESS_LOAD_DOC_KEYS_H
#define HARNESS_LOAD_DOC_KEYS_H

#include "harness/base/buf.h"
#include "harness/base/err.h"

enum keys_file {
    KEYS_SUITE,
    KEYS_BOARD,
    KEYS_LAB,
    KEYS_FILES
};

extern const char *const keys_file_names[KEYS_FILES + 1]; /* "suite", ...; ends with NULL */

/*
 * topic: a file ("suite": all its keys), a map ("measure"), a key ("window_time": wherever it is
 * one), or NULL for everything. ERR_USAGE when it is none of these.
 */
int keys_help(const char *topic, struct buf *out, struct err *err) MUST_CHECK;

/* JSON Schema (draft 07) of one kind of file: completion and checks in editors. */
void keys_schema(enum keys_file file, struct buf *out);

/* The FILE FORMATS of the man page: man(7) source from .SH to .SH. */
void keys_man(struct buf *out);

#endif
