/* OpenOCD's texts: answers, log lines, and Tcl words. Fuzzed. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/openocd/openocd.h"

enum {
    LAST_ERRORS = 3
};

int openocd_quote(struct buf *out, const char *text, struct err *err)
{
    const unsigned char *p = (const unsigned char *)text;

    for (; *p != '\0'; p++) {
        if (*p < 32 || *p == 127)
            return err_set(err, ERR_CONFIG, "control character in a name for OpenOCD");
    }
    /* Backslash before every byte Tcl could give a meaning; inside quotes blanks need none. */
    buf_putc(out, '"');
    for (; *text != '\0'; text++) {
        if (strchr("\"\\$[]{};", *text) != NULL)
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
    return 0;
}

int openocd_quote_file(struct buf *out, const char *path, struct err *err)
{
    char real[PATH_MAX];

    if (realpath(path, real) == NULL)
        return err_sys(err, errno, "%s", path);
    return openocd_quote(out, real, err);
}

/* One backslash escape at s (n bytes left, s[0] is the backslash); returns bytes consumed. */
static size_t unescape(const char *s, size_t n, struct buf *out)
{
    const char *found;

    if (n < 2) {
        buf_putc(out, '\\');
        return 1;
    }
    found = s[1] >= 'a' ? strchr("a\ab\bf\fn\nr\rt\tv\v", s[1]) : NULL; /* letter, meaning */
    buf_append(out, found != NULL ? found + 1 : s + 1, 1);
    return 2;
}

/* A braced list element: everything up to the matching brace, taken literally. */
static bool take_braced(const char *s, size_t n, struct buf *out)
{
    size_t depth = 1;
    size_t i = 1;

    for (; i < n; i++) {
        if (s[i] == '\\' && i + 1 < n)
            i++;
        else if (s[i] == '{')
            depth++;
        else if (s[i] == '}' && --depth == 0)
            break;
    }
    if (depth != 0 || i + 1 != n)
        return false;
    buf_append(out, s + 1, i - 1);
    return true;
}

static void take_bare(const char *s, size_t n, struct buf *out)
{
    const bool quoted = n >= 2 && s[0] == '"' && s[n - 1] == '"';

    if (quoted) {
        s++;
        n -= 2;
    }
    while (n > 0) {
        size_t used = 1;

        if (*s == '\\')
            used = unescape(s, n, out);
        else
            buf_putc(out, *s);
        s += used;
        n -= used;
    }
}

int openocd_parse_answer(const char *answer, size_t n, struct buf *ret, struct err *err)
{
    size_t digits = 0;

    while (digits < n && (strchr("-0123456789", answer[digits]) != NULL) && answer[digits] != '\0')
        digits++;
    if (digits == 0 || digits > 11 || digits >= n || answer[digits] != ' ')
        return err_set(err, ERR_PROTOCOL, "OpenOCD's answer is no status and result");
    buf_clear(ret);
    if (answer[digits + 1] != '{' || !take_braced(answer + digits + 1, n - digits - 1, ret)) {
        buf_clear(ret);
        take_bare(answer + digits + 1, n - digits - 1, ret);
    }
    return digits == 1 && answer[0] == '0' ? 0 : 1;
}

unsigned openocd_parse_port(const char *log)
{
    static const char before[] = "Listening on port ";
    const char *p = log;

    while ((p = strstr(p, before)) != NULL) {
        char *end;
        unsigned long port;

        p += sizeof(before) - 1;
        port = strtoul(p, &end, 10);
        if (strncmp(end, " for tcl connections", 20) == 0 && port > 0 && port < 65536)
            return (unsigned)port;
    }
    return 0;
}

void openocd_parse_errors(const char *log, char *text, size_t size)
{
    const char *found[LAST_ERRORS] = {NULL};
    unsigned count = 0;
    size_t used = 0;

    text[0] = '\0';
    for (const char *p = log; (p = strstr(p, "Error")) != NULL; p += 5) {
        if ((p == log || p[-1] == '\n') && (p[5] == ':' || p[5] == ' '))
            found[count++ % LAST_ERRORS] = p + 5;
    }
    for (unsigned i = count > LAST_ERRORS ? count - LAST_ERRORS : 0; i < count; i++) {
        const char *p = found[i % LAST_ERRORS];
        int n;

        p += strspn(p, ": ");
        n = snprintf(text + used, size - used, "%s%.*s", used > 0 ? "; " : "",
                     (int)strcspn(p, "\n"), p);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}
