/*
 * Files become plain structs here, once; nothing above knows YAML.
 *
 * Called by harness/cli. Every function reports all mistakes of a file in one error, one line each
 * (`suites/x.yaml:12:5: key 'windwos' is not known in 'measure' (did you mean 'windows'?)`), with
 * code ERR_CONFIG. What is returned lives in the arena. Files are untrusted: size, depth, number of
 * values and expansion are bounded (node.h), and nothing in them can run a program that the lab
 * file does not allow.
 */
#ifndef HARNESS_LOAD_LOAD_H
#define HARNESS_LOAD_LOAD_H

#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/spec/lab.h"
#include "harness/spec/suite.h"

int suite_load(const char *path, struct arena *arena, const struct suite **ret,
               struct err *err) MUST_CHECK;

/* One kind of board. Whether its flashing command may run is for the lab to say (lab_load). */
int board_load(const char *path, struct arena *arena, const struct board **ret,
               struct err *err) MUST_CHECK;

/*
 * The lab of a file and of the board files in board_dirs (NULL-terminated; the first folder that
 * has a name wins; missing folders are skipped). path NULL: every virtual board of board_dirs.
 */
int lab_load(const char *path, const char *const *board_dirs, struct arena *arena,
             const struct lab **ret, struct err *err) MUST_CHECK;

/*
 * Which lab file to use: `given` (from --lab), $TINYRIG_LAB, $XDG_CONFIG_HOME/tinyrig/lab.yaml,
 * /etc/tinyrig/lab.yaml, config/lab.yaml; the first that is there. NULL when none is. A file that
 * is asked for by name is returned even if it is missing, so that loading says so.
 */
const char *lab_find(const char *given, struct arena *arena);

/*
 * The same from memory; the file system is left alone (no models, no vectors looked up). n bytes of
 * data, followed by a NUL. `path` is what messages call it. For tests and fuzzing.
 */
int suite_parse(const char *data, size_t n, const char *path, struct arena *arena,
                const struct suite **ret, struct err *err) MUST_CHECK;
int board_parse(const char *data, size_t n, const char *path, struct arena *arena,
                const struct board **ret, struct err *err) MUST_CHECK;
int lab_parse(const char *data, size_t n, const char *path, struct arena *arena,
              const struct lab **ret, struct err *err) MUST_CHECK;

#endif
