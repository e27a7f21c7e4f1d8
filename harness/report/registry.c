#include "harness/report/registry.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"

const struct report_format *const report_formats[] = {
    &report_text,  &report_markdown, &report_csv,    &report_json,
    &report_junit, &report_html,     &report_github, NULL,
};

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; report_formats[i] != NULL; i++) {
        if (strcmp(report_formats[i]->name, name) == 0)
            return report_formats[i];
    }
    return NULL;
}

const struct report_format *report_format_of_path(const char *path)
{
    const size_t n = strlen(path);

    for (size_t i = 0; report_formats[i] != NULL; i++) {
        const char *e = report_formats[i]->extension;

        if (e != NULL && n > strlen(e) && strcmp(path + n - strlen(e), e) == 0)
            return report_formats[i];
    }
    return NULL;
}

void report_stamp(uint64_t realtime_ns, char text[static REPORT_STAMP_SIZE])
{
    char seconds[21];

    clock_format_utc(realtime_ns, seconds);
    (void)snprintf(text, REPORT_STAMP_SIZE, "%.19s.%09uZ", seconds,
                   (unsigned)(realtime_ns % 1000000000));
}

void report_xml(struct buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *entity = *s == '&'    ? "&amp;"
                             : *s == '<'  ? "&lt;"
                             : *s == '>'  ? "&gt;"
                             : *s == '"'  ? "&quot;"
                             : *s == '\'' ? "&#39;"
                                          : NULL;

        if (entity != NULL)
            buf_puts(out, entity);
        else
            buf_putc(out, *s);
    }
}
