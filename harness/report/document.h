/*
 * A report as headings, paragraphs and tables: what the terminal and Markdown formats have in
 * common. Texts in it are safe (see glyph.h) but not yet escaped for a format.
 */
#ifndef HARNESS_REPORT_DOCUMENT_H
#define HARNESS_REPORT_DOCUMENT_H

#include "harness/base/arena.h"
#include "harness/judge/decide.h"
#include "harness/report/report.h"

enum tone {
    TONE_PLAIN,
    TONE_GOOD,
    TONE_WARNING,
    TONE_BAD,
    TONE_FAINT,
};

struct cell {
    const char *text; /* never NULL */
    enum tone tone;
};

struct column {
    const char *title;
    bool number;   /* aligned right */
    unsigned drop; /* 0: always shown; of the others the highest goes first when width is short */
};

struct table {
    const struct column *columns;
    size_t column_count;
    struct cell *cells; /* row by row */
    size_t row_count;
};

enum block_kind {
    BLOCK_HEADING,
    BLOCK_TEXT,
    BLOCK_ITEM, /* of a list */
    BLOCK_TABLE,
};

struct block {
    enum block_kind kind;
    unsigned level; /* of a heading: 1, 2 */
    struct cell text;
    struct table table;
};

struct document {
    struct block *blocks;
    size_t block_count;
};

void document_build(const struct report_options *options, struct arena *arena,
                    struct document *ret);

/* A document of whatever made it, as text (colour and width of the options) or Markdown. */
void document_text(const struct document *d, const struct report_options *options, struct buf *out);
void document_markdown(const struct document *d, struct buf *out);

/* Good, bad, plain, or a warning where nobody can say. */
enum tone verdict_tone(enum verdict v);

/* "passed", toned. */
struct cell document_status(const struct data_case *c);

/* "12 cases: 10 passed, 1 failed, 1 skipped" */
const char *document_tally(struct arena *arena, const struct dataset *d);

/* Cases of the section that begins with the case at this index, skipped ones left out. */
const struct data_case *const *document_section_cases(const struct report_options *options,
                                                      struct arena *arena, size_t first,
                                                      size_t *ret_count);
/* The main table of a section: a row per case, no column without content. */
void document_results(const struct report_options *options, struct arena *arena,
                      const struct data_case *const *cases, size_t count, struct table *ret);
/* Where flash and RAM of these cases go; false when nothing is known. */
bool document_memory(const struct report_options *options, struct arena *arena,
                     const struct data_case *const *cases, size_t count, struct table *ret_flash,
                     struct table *ret_ram);
/* Class, stage, text, hint and recoveries of a case that did not pass, in one line. */
const char *document_failure(struct arena *arena, const struct data_case *c);
/* Nothing that was measured with wrong outputs, or not to the end, is a result. */
bool document_is_result(const struct data_case *c);

/* Index of the first case of each section, in dataset order: same board (or model), realm, unit. */
size_t document_sections(const struct report_options *options, struct arena *arena,
                         const size_t **ret_first);
bool document_same_section(const struct report_options *options, const struct data_case *a,
                           const struct data_case *b);
/* What the numbers of a section are: "instructions, counted in an emulator: not time". */
const char *document_timebase(const struct data_case *c);
/* Heading of the latency's column: only silicon's nanoseconds are called a latency. */
const char *document_latency_title(const struct data_case *c);

/* "energy by PPK2, 3.000 V setpoint", and whether it is emulated; NULL without energy. */
const char *document_meter(struct arena *arena, const struct data_case *const *cases, size_t count);
/* "cortex-m4 STM32F405RG, 168 MHz, 1.00 MiB flash, 192.0 KiB RAM" from the facts, or "". */
const char *document_board(struct arena *arena, const struct data_case *c);

#endif
