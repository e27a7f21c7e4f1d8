/* The formats, each in the file of its name, and what they share. */
#ifndef HARNESS_REPORT_REGISTRY_H
#define HARNESS_REPORT_REGISTRY_H

#include "harness/report/report.h"

enum {
    REPORT_STAMP_SIZE = 31
};
/* RFC 3339 with all nine digits: "2025-11-23T18:49:37.000001000Z". */
void report_stamp(uint64_t realtime_ns, char text[static REPORT_STAMP_SIZE]);

/* Append safe text with the five characters that mean something to XML and HTML escaped. */
void report_xml(struct buf *out, const char *s);

extern const struct report_format report_text;
extern const struct report_format report_markdown;
extern const struct report_format report_csv;
extern const struct report_format report_json;
extern const struct report_format report_junit;
extern const struct report_format report_github;
extern const struct report_format report_html;

#endif
