/* Where flash and RAM go, against what the chip has; and which operators the work goes to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/report/document.h"
#include "harness/report/html/html.h"
#include "harness/report/value.h"

/* ---- memory ---- */

struct memory {
    const char *title, *heading, *total, *harness, *limit_fact;
    const char *parts[6];
    const char *words[6];
    size_t count;
};

static const struct memory memories[] = {
    {"flash",
     "Flash",
     "flash",
     "flash.harness",
     "board_type.flash_bytes",
     {"flash.code", "flash.kernels", "flash.constants", "flash.model"},
     {"code", "kernels", "constants", "model"},
     4},
    {"RAM",
     "RAM",
     "ram",
     "ram.harness",
     "board_type.ram_bytes",
     {"ram.arena", "ram.bss", "ram.data", "ram.stack", "ram.heap"},
     {"arena", "bss", "data", "stack", "heap"},
     5},
};

bool page_has_memory(const struct page *p)
{
    for (size_t i = 0; i < p->data->case_count; i++) {
        if (document_is_result(&p->data->cases[i]) &&
            (data_case_metric(&p->data->cases[i], "flash") != NULL ||
             data_case_metric(&p->data->cases[i], "ram") != NULL))
            return true;
    }
    return false;
}

static double figure(const struct data_case *c, const char *name)
{
    const struct event_metric *m = data_case_metric(c, name);

    return m != NULL ? m->value : NAN;
}

static double limit_of(const struct data_case *c, const struct memory *m)
{
    const char *text = data_case_fact(c, m->limit_fact);
    uint64_t bytes;

    return text != NULL && text_to_u64(text, &bytes) ? (double)bytes : NAN;
}

static void put_key(struct page *p, const struct memory *m, const bool *shown)
{
    put(p, "<ul class=\"key\">");
    for (size_t i = 0; i < m->count; i++) {
        if (!shown[i])
            continue;
        putf(p,
             "<li><svg width=\"11\" height=\"11\" aria-hidden=\"true\"><rect class=\"f%zu\" "
             "width=\"11\" height=\"11\" rx=\"2\"/></svg>%s</li>",
             i + 1, m->words[i]);
    }
    put(p, "</ul>\n");
}

/* The bar is as long as the chip's memory; when little of it is used, as long as the most used. */
static double bar_length(const struct data_case *const *cases, size_t count, const struct memory *m)
{
    double most = 0, limit = NAN;

    for (size_t i = 0; i < count; i++) {
        most = fmax(most, figure(cases[i], m->total));
        limit = limit_of(cases[i], m);
    }
    return isfinite(limit) && most > limit / 6 ? fmax(limit, most) : most * 1.1;
}

/* Does any case know this part? */
static bool is_known(const struct data_case *const *cases, size_t count, const char *metric)
{
    for (size_t i = 0; i < count; i++) {
        if (isfinite(figure(cases[i], metric)))
            return true;
    }
    return false;
}

static void put_part(struct page *p, bool shown, double value)
{
    if (shown)
        put_number(p, isfinite(value) ? value_bare(p->arena, value, UNIT_BYTES) : "", false);
}

static void put_memory_row(struct page *p, const struct data_case *c, const struct memory *m,
                           const bool *shown, double full)
{
    const double total = figure(c, m->total);
    const double limit = limit_of(c, m);
    double parts[6];

    put(p, "<tr><th scope=\"row\">");
    put_text(p, case_label(p, c));
    put(p, "</th><td>");
    for (size_t i = 0; i < m->count; i++) {
        parts[i] = figure(c, m->parts[i]);
        parts[i] = isfinite(parts[i]) ? parts[i] : 0;
    }
    plot_bar(p, parts, m->count, full, isfinite(limit) ? limit : -1);
    put(p, "</td>");
    put_number(p, value_bare(p->arena, total, UNIT_BYTES), isfinite(limit) && total > limit);
    put_number(p, isfinite(limit) ? arena_printf(p->arena, "%.1f %%", 100 * total / limit) : "",
               isfinite(limit) && total > limit);
    for (size_t i = 0; i < m->count; i++)
        put_part(p, shown[i], figure(c, m->parts[i]));
    put_part(p, shown[m->count], figure(c, m->harness));
    put(p, "</tr>\n");
}

/* What the length of a bar means. */
static const char *scale_text(struct page *p, double limit, double full)
{
    const char *has = isfinite(limit) ? value_text(p->arena, limit, UNIT_BYTES) : NULL;

    if (has == NULL)
        return arena_printf(p->arena, "bars up to %s", value_text(p->arena, full, UNIT_BYTES));
    if (full < limit)
        return arena_printf(p->arena, "the chip has %s; bars up to %s", has,
                            value_text(p->arena, full, UNIT_BYTES));
    return arena_printf(
        p->arena, full > limit ? "the chip has %s: the red line" : "the chip has %s: a full bar",
        has);
}

/* Cases of a section that know this memory. */
static size_t known_cases(struct page *p, size_t first, const struct memory *m,
                          const struct data_case ***ret)
{
    const struct data_case *const *cases;
    size_t count, n = 0;

    cases = document_section_cases(p->options, p->arena, first, &count);
    *ret = arena_alloc(p->arena, (count + 1) * sizeof(void *));
    for (size_t i = 0; i < count; i++) {
        if (document_is_result(cases[i]) && isfinite(figure(cases[i], m->total)))
            (*ret)[n++] = cases[i];
    }
    return n;
}

static bool find_shown(struct page *p, const struct memory *m, bool *shown)
{
    bool any = false;

    for (size_t i = 0; i < p->data->case_count; i++) {
        const struct data_case *c = &p->data->cases[i];

        if (!document_is_result(c) || !isfinite(figure(c, m->total)))
            continue;
        any = true;
        for (size_t k = 0; k <= m->count; k++)
            shown[k] |= is_known(&c, 1, k < m->count ? m->parts[k] : m->harness);
    }
    return any;
}

static void put_memory(struct page *p, const size_t *first, size_t sections, const struct memory *m)
{
    const char *titles[12] = {p->options->group == REPORT_BY_MODEL ? "board" : "model", "share",
                              arena_printf(p->arena, ">%s", m->title), ">of the chip"};
    bool shown[7] = {false};
    bool begun = false;
    size_t t = 4;

    if (!find_shown(p, m, shown))
        return;
    for (size_t i = 0; i <= m->count; i++) {
        if (shown[i])
            titles[t++] = arena_printf(p->arena, ">%s", i < m->count ? m->words[i] : "harness");
    }
    putf(p, "<div class=\"card\"><h3>%s</h3>\n", m->heading);
    put_key(p, m, shown);
    open_table(p, m->heading, NULL, titles);
    for (size_t s = 0; s < sections; s++) {
        const struct data_case **cases;
        const size_t n = known_cases(p, first[s], m, &cases);
        const double full = n > 0 ? bar_length(cases, n, m) : 0;

        if (n == 0)
            continue;
        open_group(p, t, !begun, page_section_name(p, cases[0]));
        putf(p, " <span class=\"about\">%s</span>", scale_text(p, limit_of(cases[0], m), full));
        close_group(p);
        begun = true;
        for (size_t i = 0; i < n; i++)
            put_memory_row(p, cases[i], m, shown, full);
    }
    close_table(p);
    put(p, "</div>\n");
}

void page_memory(struct page *p)
{
    const size_t *first;
    const size_t sections = document_sections(p->options, p->arena, &first);

    put(p, "<p class=\"sub\">Bytes. The harness's share, included in the totals, is what the same "
           "agent takes with an empty engine.</p>\n");
    for (size_t m = 0; m < ARRAY_SIZE(memories); m++)
        put_memory(p, first, sections, &memories[m]);
}

/* ---- operators ---- */

bool page_has_profiles(const struct page *p)
{
    for (size_t i = 0; i < p->data->case_count; i++) {
        if (p->data->cases[i].profile_count > 0)
            return true;
    }
    return false;
}

static double profile_total(const struct data_case *c)
{
    double total = 0;

    for (size_t i = 0; i < c->profile_count; i++)
        total += c->profile[i].value;
    return total;
}

/* The same operator of the case it was compared with; NULL when there is none. */
static const struct event_profile *profile_match(const struct data_case *base,
                                                 const struct event_profile *o)
{
    for (size_t i = 0; base != NULL && i < base->profile_count; i++) {
        if (base->profile[i].index == o->index && base->profile[i].unit == o->unit &&
            strcmp(base->profile[i].op, o->op) == 0)
            return &base->profile[i];
    }
    return NULL;
}

static void put_operator(struct page *p, const struct data_case *c, const struct event_profile *o,
                         const struct data_case *base, double total)
{
    const struct event_profile *b = profile_match(base, o);
    double most = 0;

    for (size_t i = 0; i < c->profile_count; i++)
        most = fmax(most, c->profile[i].value);
    putf(p, "<tr><td class=\"n\">%u</td><th scope=\"row\">", o->index);
    put_text(p, o->op);
    put(p, "</th>");
    put_cell(p, NULL, o->kernel);
    put_number(p, value_bare(p->arena, o->value, o->unit), false);
    put(p, "<td>");
    plot_length(p, o->value, most, 1);
    put(p, "</td>");
    putf(p, "<td class=\"n\">%.1f %%</td>", total > 0 ? 100 * o->value / total : 0);
    put_number(p, o->macs > 0 ? value_grouped(p->arena, (double)o->macs) : "", false);
    if (base != NULL)
        put_number(p,
                   b != NULL && b->value > 0
                       ? arena_printf(p->arena, "%+.2f %%", 100 * (o->value / b->value - 1))
                       : "new",
                   b != NULL && o->value > b->value);
    put(p, "</tr>\n");
}

static void put_profile(struct page *p, const struct data_case *c, const struct data_case *base)
{
    const char *titles[] = {
        ">no.",  "operator", "kernel", arena_printf(p->arena, ">%s", unit_name(c->profile[0].unit)),
        "share", ">of all",  ">MACs",  base != NULL ? ">change" : NULL,
        NULL};
    const double total = profile_total(c);

    put(p, "<details><summary>");
    put_text(p, c->key);
    putf(p, " (%zu operators)</summary>\n", c->profile_count);
    open_table(p, arena_printf(p->arena, "Operators of %s", c->key), NULL, titles);
    for (size_t i = 0; i < c->profile_count; i++)
        put_operator(p, c, &c->profile[i], base, total);
    close_table(p);
    put(p, "</details>\n");
}

/* ---- operators of many cases: one line each ---- */

struct kind {
    const char *op;
    double value;
};

static int by_value(const void *a, const void *b)
{
    const double x = ((const struct kind *)a)->value, y = ((const struct kind *)b)->value;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* Operators of one kind added up, the costliest kind first. */
static size_t kinds_of(struct page *p, const struct data_case *c, struct kind **ret)
{
    struct kind *kinds = arena_alloc(p->arena, c->profile_count * sizeof(*kinds));
    size_t count = 0;

    for (size_t i = 0; i < c->profile_count; i++) {
        size_t k = 0;

        while (k < count && strcmp(kinds[k].op, c->profile[i].op) != 0)
            k++;
        if (k == count)
            kinds[count++] = (struct kind){.op = c->profile[i].op};
        kinds[k].value += c->profile[i].value;
    }
    qsort(kinds, count, sizeof(*kinds), by_value);
    *ret = kinds;
    return count;
}

static void put_kinds(struct page *p, const struct data_case *c)
{
    enum {
        SHOWN = 4
    };
    const double total = profile_total(c);
    double parts[SHOWN];
    struct kind *kinds;
    const size_t count = kinds_of(p, c, &kinds);
    size_t n;

    put(p, "<tr><th scope=\"row\">");
    put_text(p, c->key);
    put(p, "</th><td>");
    for (n = 0; n < count && n < SHOWN; n++)
        parts[n] = kinds[n].value;
    plot_bar(p, parts, n, total, -1);
    put(p, "</td><td>");
    for (size_t i = 0; i < n && total > 0; i++) {
        putf(p, "%s%.0f %% ", i > 0 ? ", " : "", 100 * kinds[i].value / total);
        put_text(p, kinds[i].op);
    }
    put(p, "</td></tr>\n");
}

void page_profiles(struct page *p)
{
    static const char *const titles[] = {"case", "share", "costliest kinds of operators", NULL};

    put(p, "<p class=\"sub\">From an extra pass that is not part of the measured windows.</p>\n");
    open_table(p, "Operators", NULL, titles);
    for (size_t i = 0; i < p->data->case_count; i++) {
        if (p->data->cases[i].profile_count > 0)
            put_kinds(p, &p->data->cases[i]);
    }
    close_table(p);
    if (p->many)
        return;
    put(p, "<h3>One by one</h3>\n");
    for (size_t i = 0; i < p->data->case_count; i++) {
        const struct data_case *c = &p->data->cases[i];

        if (c->profile_count > 0)
            put_profile(p, c, page_base_of(p, c));
    }
}
