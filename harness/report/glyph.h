/*
 * Text from outside, made safe to show, and how many terminal columns it takes.
 *
 * Safe: valid UTF-8 without control characters and without the marks that reorder text; what is not
 * becomes visible (\x1b, \u202e) or U+FFFD.
 */
#ifndef HARNESS_REPORT_GLYPH_H
#define HARNESS_REPORT_GLYPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"

/* One code point of valid UTF-8, its length in *ret_length; invalid bytes give U+FFFD, length 1. */
uint32_t glyph_decode(const char *s, size_t *ret_length);

/* True for what must not reach a terminal or page as it is (newline included). */
bool glyph_is_unsafe(uint32_t code_point);

/* A safe copy in the arena; NULL stays NULL. */
const char *glyph_safe(struct arena *arena, const char *s);

/* Columns of safe text on a terminal (wide East Asian and emoji: 2; combining: 0). */
size_t glyph_width(const char *s);
size_t glyph_width_n(const char *s, size_t bytes); /* of its beginning */

/* The longest beginning of at most `width` columns; cut text ends in "...". */
const char *glyph_fit(struct arena *arena, const char *s, size_t width);

#endif
