#include "harness/base/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool text_to_u64(const char *s, uint64_t *ret)
{
    const bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    const unsigned base = hex ? 16 : 10;
    uint64_t value = 0;
    bool any = false;

    for (s += hex ? 2 : 0; *s != '\0'; s++) {
        unsigned digit;

        if (*s == '_' && any)
            continue;
        if (*s >= '0' && *s <= '9')
            digit = (unsigned)(*s - '0');
        else if (hex && (*s | 32) >= 'a' && (*s | 32) <= 'f')
            digit = (unsigned)((*s | 32) - 'a' + 10);
        else
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
        any = true;
    }
    if (any)
        *ret = value;
    return any;
}

bool text_to_double(const char *s, double *ret)
{
    char *end;
    double value;

    if (*s == '\0' || strchr("0123456789.-+", *s) == NULL)
        return false;
    value = strtod(s, &end);
    if (end == s || *end != '\0' || !isfinite(value))
        return false;
    *ret = value;
    return true;
}

struct unit {
    const char *name;
    double factor;
};

/* The number s begins with; *s then stands at what follows, one space skipped. */
static bool take_number(const char **s, double *ret)
{
    char number[40];
    const size_t n = strspn(*s, "0123456789.");

    if (n == 0 || n >= sizeof(number))
        return false;
    memcpy(number, *s, n);
    number[n] = '\0';
    *s += n;
    *s += **s == ' ';
    return text_to_double(number, ret);
}

/* A number followed by one of the units, optionally with a space between. */
static bool text_with_unit(const char *s, const struct unit *units, size_t count, uint64_t *ret)
{
    double value;

    if (!take_number(&s, &value))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(s, units[i].name) == 0) {
            value *= units[i].factor;
            if (value > 9.2e18)
                return false;
            *ret = (uint64_t)llround(value);
            return true;
        }
    }
    return false;
}

bool text_to_bytes(const char *s, uint64_t *ret)
{
    static const struct unit units[] = {
        {"", 1},      {"B", 1},        {"KiB", 1024},         {"MiB", 1048576}, {"kB", 1000},
        {"KB", 1000}, {"MB", 1000000}, {"GiB", 1073741824.0}, {"GB", 1.0e9},
    };

    return text_to_u64(s, ret) || text_with_unit(s, units, ARRAY_SIZE(units), ret);
}

bool text_to_ns(const char *s, uint64_t *ret)
{
    static const struct unit units[] = {
        {"ns", 1},     {"us", 1.0e3}, {"\u00b5s", 1.0e3}, {"ms", 1.0e6},     {"s", 1.0e9},
        {"min", 6e10}, {"h", 3.6e12}, {"d", 8.64e13},     {"y", 3.15576e16},
    };

    return text_with_unit(s, units, ARRAY_SIZE(units), ret);
}

bool text_to_si(const char *s, const char *unit, double *ret)
{
    static const struct unit prefixes[] = {
        {"", 1},     {"n", 1.0e-9}, {"u", 1.0e-6}, {"\u00b5", 1.0e-6}, {"\u03bc", 1.0e-6},
        {"m", 1e-3}, {"k", 1e3},    {"M", 1e6},    {"G", 1e9},
    };
    double value;

    if (!take_number(&s, &value))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        const size_t n = strlen(prefixes[i].name);

        if (strncmp(s, prefixes[i].name, n) == 0 && strcmp(s + n, unit) == 0) {
            *ret = value * prefixes[i].factor;
            return true;
        }
    }
    return false;
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[64];
    const size_t na = strlen(a);
    const size_t nb = strlen(b);

    if (na >= ARRAY_SIZE(row) || nb >= ARRAY_SIZE(row))
        return ARRAY_SIZE(row);
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            const size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[nb];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;

    for (; *candidates != NULL; candidates++) {
        const size_t d = edit_distance(word, *candidates);

        if (d < best_distance && d < strlen(word)) { /* some letter of it must be left */
            best_distance = d;
            best = *candidates;
        }
    }
    return best;
}

bool text_matches(const char *pattern, const char *s)
{
    return fnmatch(pattern, s, 0) == 0;
}

void text_format_bytes(uint64_t n, char text[static 32])
{
    if (n < 1024)
        (void)snprintf(text, 32, "%u B", (unsigned)n);
    else if (n < 1048576)
        (void)snprintf(text, 32, "%.1f KiB", (double)n / 1024);
    else
        (void)snprintf(text, 32, "%.2f MiB", (double)n / 1048576);
}

void text_format_count(double n, char text[static 32])
{
    if (n < 1e4)
        (void)snprintf(text, 32, "%.4g", n);
    else if (n < 1e6)
        (void)snprintf(text, 32, "%.1f k", n / 1e3);
    else if (n < 1e9)
        (void)snprintf(text, 32, "%.3f M", n / 1e6);
    else
        (void)snprintf(text, 32, "%.3f G", n / 1e9);
}

#define HOUR_NS 3600000000000ull
#define YEAR_NS 31557600000000000ull /* 365.25 days */

void text_format_duration(uint64_t ns, char text[static 32])
{
    if (ns < 1000)
        (void)snprintf(text, 32, "%u ns", (unsigned)ns);
    else if (ns < 1000000)
        (void)snprintf(text, 32, "%.1f us", (double)ns / 1e3);
    else if (ns < 1000000000)
        (void)snprintf(text, 32, "%.1f ms", (double)ns / 1e6);
    else if (ns < 120000000000)
        (void)snprintf(text, 32, "%.1f s", (double)ns / 1e9);
    else if (ns < 2 * HOUR_NS)
        (void)snprintf(text, 32, "%.0f min", (double)ns / 6e10);
    else if (ns < 48 * HOUR_NS)
        (void)snprintf(text, 32, "%.1f h", (double)ns / HOUR_NS);
    else if (ns < YEAR_NS)
        (void)snprintf(text, 32, "%.1f days", (double)ns / (24 * HOUR_NS));
    else
        (void)snprintf(text, 32, "%.1f years", (double)ns / YEAR_NS);
}

/* What a terminal obeys: the control characters of ASCII, and those behind it (U+0080 to U+009F). */
static bool is_control(const unsigned char *c, size_t length)
{
    return c[0] < 32 || c[0] == 127 || (length == 2 && c[0] == 0xc2 && c[1] < 0xa0);
}

/* Of the character that s begins with, all of it within n bytes; 0: it is none. */
static size_t whole_length(const char *s, size_t n)
{
    char first[5] = "";

    memcpy(first, s, n < 4 ? n : 4);
    return text_utf8_length(first);
}

void text_escape(struct buf *b, const char *s, size_t n)
{
    for (size_t i = 0, step; i < n; i += step) {
        const unsigned char *c = (const unsigned char *)s + i;
        const size_t length = whole_length(s + i, n - i);

        step = length > 0 ? length : 1;
        if (*c == '\n') {
            buf_puts(b, "\\n");
        } else if (length > 0 && !is_control(c, length)) {
            buf_append(b, s + i, step);
        } else {
            for (size_t k = 0; k < step; k++)
                buf_printf(b, "\\x%02x", c[k]);
        }
    }
}

size_t text_utf8_length(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t n;

    if (u[0] < 0x80)
        return 1;
    n = u[0] >= 0xc2 && u[0] < 0xe0   ? 2
        : u[0] >= 0xe0 && u[0] < 0xf0 ? 3
        : u[0] >= 0xf0 && u[0] < 0xf5 ? 4
                                      : 0;
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
        (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return n;
}

void text_json_string(struct buf *b, const char *s)
{
    const char *p = s;

    buf_putc(b, '"');
    while (*p != '\0') {
        const size_t n = text_utf8_length(p);

        if (*p == '"' || *p == '\\')
            buf_printf(b, "\\%c", *p);
        else if ((unsigned char)*p < 32 || *p == 127)
            buf_printf(b, "\\u%04x", (unsigned)*p);
        else if (n == 0)
            buf_puts(b, "\xef\xbf\xbd");
        else
            buf_append(b, p, n);
        p += n > 0 ? n : 1;
    }
    buf_putc(b, '"');
}
