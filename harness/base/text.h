/* Text that people write and read: numbers with units, nearest words, escaping. */
#ifndef HARNESS_BASE_TEXT_H
#define HARNESS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"

/* Whole string as an unsigned number, decimal or 0x; '_' may separate digits. False if not. */
bool text_to_u64(const char *s, uint64_t *ret);
bool text_to_double(const char *s, double *ret);

/* A size: "64KiB", "1MiB", "512B", "512". SI prefixes too: "64kB" = 64000. */
bool text_to_bytes(const char *s, uint64_t *ret);

/*
 * A duration: "500ms", "2s", "30us", "5min", "8h", "7d", "5y" (365.25 d); into nanoseconds.
 * A bare number is refused.
 */
bool text_to_ns(const char *s, uint64_t *ret);

/*
 * A number with an SI unit and one of the prefixes n u m k M G: "168MHz" with unit "Hz" is 168e6,
 * "400uJ" with unit "J" is 4e-4. The unit is required.
 */
bool text_to_si(const char *s, const char *unit, double *ret);

/*
 * The candidate nearest to word in edit distance, or NULL when none is near enough to suggest
 * (more than a third of the letters differ, or all). candidates is NULL-terminated.
 */
const char *text_nearest(const char *word, const char *const *candidates);

/* Shell-style match with * and ?; used for board and case selection. */
bool text_matches(const char *pattern, const char *s);

/* "1.2 KiB", "37 B"; "12.3 M", "456"; into text[32]. */
void text_format_bytes(uint64_t n, char text[static 32]);
void text_format_count(double n, char text[static 32]);
void text_format_duration(uint64_t ns, char text[static 32]);

/* Length of the valid UTF-8 sequence (RFC 3629) that a NUL-terminated s begins with, 0 if none. */
size_t text_utf8_length(const char *s);

/* Append s with control characters made visible (\n, \x1b): safe for a terminal and for logs. */
void text_escape(struct buf *b, const char *s, size_t n);
void text_json_string(struct buf *b, const char *s); /* with its quotes; invalid UTF-8 replaced */

#endif
