#include "harness/report/glyph.h"

#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/text.h"

struct range {
    uint32_t first, last;
};

/* Unicode 15: general categories Mn and Me of the scripts in use, and the zero-width marks. */
static const struct range zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf},   {0x05c1, 0x05c2},
    {0x05c4, 0x05c5}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670},   {0x06d6, 0x06dc},
    {0x06df, 0x06e4}, {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948},   {0x094d, 0x094d},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},
    {0x200b, 0x200d}, {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0x302a, 0x302d},   {0x3099, 0x309a},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

/* UAX #11 East Asian Width: W and F. */
static const struct range double_width[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},
    {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335},
    {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3},
    {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440},
    {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567},
    {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7},
    {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb},
    {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff},
    {0x20000, 0x3fffd},
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

uint32_t glyph_decode(const char *s, size_t *ret_length)
{
    const unsigned char *p = (const unsigned char *)s;
    const size_t n = text_utf8_length(s);
    uint32_t c;

    *ret_length = n > 0 ? n : 1;
    if (n == 0)
        return 0xfffd;
    if (n == 1)
        return p[0];
    c = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

bool glyph_is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x61c ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
           (c & 0xfffe) == 0xfffe;
}

static void append_visible(struct buf *b, uint32_t c)
{
    if (c == '\n')
        buf_puts(b, "\\n");
    else if (c == '\t')
        buf_putc(b, ' ');
    else
        buf_printf(b, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

const char *glyph_safe(struct arena *arena, const char *s)
{
    AUTO_BUF b = BUF_INIT;

    if (s == NULL)
        return NULL;
    while (*s != '\0') {
        size_t n;
        const uint32_t c = glyph_decode(s, &n);

        if (glyph_is_unsafe(c))
            append_visible(&b, c);
        else if (c == 0xfffd)
            buf_puts(&b, "\xef\xbf\xbd");
        else
            buf_append(&b, s, n);
        s += n;
    }
    return arena_strndup(arena, buf_text(&b), b.len);
}

static size_t width_of(uint32_t c)
{
    if (c < 0x300)
        return 1;
    if (in_ranges(c, zero_width, ARRAY_SIZE(zero_width)))
        return 0;
    return in_ranges(c, double_width, ARRAY_SIZE(double_width)) ? 2 : 1;
}

size_t glyph_width_n(const char *s, size_t bytes)
{
    size_t width = 0, n;

    for (size_t at = 0; at < bytes; at += n)
        width += width_of(glyph_decode(s + at, &n));
    return width;
}

size_t glyph_width(const char *s)
{
    return glyph_width_n(s, strlen(s));
}

const char *glyph_fit(struct arena *arena, const char *s, size_t width)
{
    const char *end = s;
    size_t used = 0, n;

    if (glyph_width(s) <= width)
        return s;
    if (width <= 3)
        return arena_strndup(arena, "...", width);
    for (; *end != '\0'; end += n) {
        const size_t w = width_of(glyph_decode(end, &n));

        if (used + w > width - 3)
            break;
        used += w;
    }
    return arena_printf(arena, "%.*s...", (int)(end - s), s);
}
