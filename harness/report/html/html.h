/*
 * The self-contained HTML report, in parts: page.c lays out the page, each other file writes some
 * sections of it. Plain HTML and inline SVG: no script, nothing fetched; a plot inside a table row
 * repeats the row's numbers and is hidden from screen readers, any other one carries its own text.
 */
#ifndef HARNESS_REPORT_HTML_HTML_H
#define HARNESS_REPORT_HTML_HTML_H

#include "harness/base/arena.h"
#include "harness/report/report.h"

struct page {
    const struct report_options *options;
    const struct dataset *data;
    struct arena *arena;
    struct buf *out;
    bool many; /* so many cases that details are kept short */
};

/* Markup as it is; formatted markup (no text from outside); text from outside, made inert. */
void put(struct page *p, const char *markup);
void putf(struct page *p, const char *format, ...) PRINTF_LIKE(2, 3);
void put_text(struct page *p, const char *text);

/* "<td class=...>text</td>"; class may be NULL. An empty text leaves the cell empty. */
void put_cell(struct page *p, const char *class, const char *text);
void put_number(struct page *p, const char *text, bool over);

/* "<section id=id>" with its h2; close with put(p, "</section>\n"). */
void open_section(struct page *p, const char *id, const char *title);
/* A table that can be scrolled sideways by keyboard too, and its head. Titles end with NULL; one
 * that begins with '>' is of a column of numbers. */
void open_table(struct page *p, const char *label, const char *caption, const char *const *titles);
/* The same, no wider than what is in it. */
void open_small_table(struct page *p, const char *label, const char *caption,
                      const char *const *titles);
void close_table(struct page *p);
/* A row across the table that names what the next rows belong to; what is put before close_group()
 * stands beside the name. */
void open_group(struct page *p, size_t columns, bool first, const char *name);
void close_group(struct page *p);
/* Name of the section that a case is in: its board, or its model. */
const char *page_section_name(const struct page *p, const struct data_case *c);

/* Words for a tone, as the style sheet has them: "good", ... or "". */
const char *tone_class(int tone);
void put_status(struct page *p, const struct data_case *c);
/* "kws, tiny, kernels=best": what a case is beside its board (or its model). */
const char *case_label(struct page *p, const struct data_case *c);

/* results.c */
void page_results(struct page *p);
void page_rankings(struct page *p);

/* trouble.c */
void page_failures(struct page *p);

/* memory.c */
bool page_has_memory(const struct page *p);
void page_memory(struct page *p);
bool page_has_profiles(const struct page *p);
void page_profiles(struct page *p);

/* judge.c */
/* The case that c was compared with, or NULL. */
const struct data_case *page_base_of(const struct page *p, const struct data_case *c);
void page_verdicts(struct page *p);
void page_statistics(struct page *p);

/* provenance.c */
void page_provenance(struct page *p);

/* trend.c */
void page_trends(struct page *p);

/* trace.c */
void page_traces(struct page *p);

/* plot.c: figures of their own */
/* About `wanted` round numbers from low to high: how many, the first, and the step between them. */
size_t plot_ticks(double low, double high, unsigned wanted, double *ret_first, double *ret_step);

struct plot_point {
    double x, y;
    const char *label;
    unsigned colour; /* 1 to 6 */
    bool front;
};
struct plot_axis {
    const char *title;
    enum unit unit;
};
/* Both axes logarithmic, values above 0. Points on the front are joined. text: what it shows. */
void plot_scatter(struct page *p, const struct plot_point *points, size_t count,
                  const struct plot_axis *x, const struct plot_axis *y, const char *text);
/* Dots of one case's windows around their centre, for a table cell. */
void plot_windows(struct page *p, const double *values, size_t count);
/* Segments from the left, each with its colour; limit < 0: none. Lengths in the unit of `full`. */
void plot_bar(struct page *p, const double *parts, size_t count, double full, double limit);
/* One length of a full one, for a table cell. */
void plot_length(struct page *p, double value, double full, unsigned colour);

#endif
