#include "harness/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/text.h"

static const char *const words[] = {
#define X(name, word, text) word,
    LOG_LIST(X)
#undef X
        NULL,
};

const char *const *log_words(void)
{
    return words;
}

static unsigned enabled; /* bit per category; set once at start-up */

int log_enable(const char *list, struct err *err)
{
    while (*list != '\0') {
        const size_t n = strcspn(list, ",");
        bool found = n == 0;

        if (n == 3 && strncmp(list, "all", 3) == 0) {
            enabled = (1u << LOG_COUNT) - 1;
            found = true;
        }
        for (size_t i = 0; words[i] != NULL; i++) {
            if (strlen(words[i]) == n && strncmp(words[i], list, n) == 0) {
                enabled |= 1u << i;
                found = true;
            }
        }
        if (!found) {
            AUTO_BUF all = BUF_INIT;

            for (size_t i = 0; words[i] != NULL; i++)
                buf_printf(&all, "%s, ", words[i]);
            (void)err_set(err, ERR_USAGE, "unknown log category '%.*s'", (int)n, list);
            return err_hint(err, "categories, with commas between: %sor all", buf_text(&all));
        }
        list += n + (list[n] == ',');
    }
    return 0;
}

bool log_on(enum log_category c)
{
    return (enabled >> c & 1) != 0;
}

void log_line(enum log_category c, const char *fmt, ...)
{
    AUTO_BUF line = BUF_INIT;
    AUTO_BUF text = BUF_INIT; /* it may hold bytes of a board */
    const uint64_t ms = clock_monotonic_ns() / 1000000u;
    va_list ap;

    if (!log_on(c))
        return;
    buf_printf(&line, "[%6llu.%03u %s] ", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000),
               words[c]);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    text_escape(&line, buf_text(&text), text.len);
    buf_putc(&line, '\n');
    (void)fwrite(line.data, 1, line.len,
                 stderr); /* one call, so that lines of threads stay whole */
}

void log_bytes(enum log_category c, const char *prefix, const void *data, size_t n)
{
    AUTO_BUF hex = BUF_INIT;
    const unsigned char *p = data;

    if (!log_on(c))
        return;
    for (size_t i = 0; i < n && i < 64; i++)
        buf_printf(&hex, " %02x", p[i]);
    log_line(c, "%s %zu:%s%s", prefix, n, buf_text(&hex), n > 64 ? " ..." : "");
}
