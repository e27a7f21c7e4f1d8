/* The page around the sections, and the small pieces that all sections are made of. */
#include <stdio.h>
#include <string.h>

#include "harness/base/embed.h"
#include "harness/judge/compare.h"
#include "harness/judge/gate.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/html/html.h"
#include "harness/report/registry.h"
#include "harness/report/trouble.h"
#include "harness/report/value.h"

enum {
    MANY_CASES = 150,
    PAGE_MAX = 64 * 1024 * 1024
};

extern const struct embedded_file report_style[];

/* ---- pieces ---- */

void put(struct page *p, const char *markup)
{
    buf_puts(p->out, markup);
}

void putf(struct page *p, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    buf_vprintf(p->out, format, ap);
    va_end(ap);
}

void put_text(struct page *p, const char *text)
{
    report_xml(p->out, glyph_safe(p->arena, text != NULL ? text : ""));
}

void put_cell(struct page *p, const char *class, const char *text)
{
    if (class != NULL && class[0] != '\0')
        putf(p, "<td class=\"%s\">", class);
    else
        put(p, "<td>");
    put_text(p, text);
    put(p, "</td>");
}

void put_number(struct page *p, const char *text, bool over)
{
    put_cell(p, over ? "n over" : "n", text);
}

void open_section(struct page *p, const char *id, const char *title)
{
    putf(p, "<section id=\"%s\" aria-labelledby=\"%s-h\"><h2 id=\"%s-h\">", id, id, id);
    put_text(p, title);
    put(p, "</h2>\n");
}

static void open_any_table(struct page *p, const char *class, const char *label,
                           const char *caption, const char *const *titles)
{
    putf(p, "<div class=\"%s\" role=\"group\" tabindex=\"0\" aria-label=\"", class);
    put_text(p, label);
    put(p, "\"><table>");
    if (caption != NULL) {
        put(p, "<caption>");
        put_text(p, caption);
        put(p, "</caption>");
    }
    put(p, "<thead><tr>");
    for (size_t i = 0; titles[i] != NULL; i++) {
        const bool number = titles[i][0] == '>';

        put(p, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        put_text(p, titles[i] + number);
        put(p, "</th>");
    }
    put(p, "</tr></thead>\n<tbody>\n");
}

void open_table(struct page *p, const char *label, const char *caption, const char *const *titles)
{
    open_any_table(p, "scroll", label, caption, titles);
}

void open_small_table(struct page *p, const char *label, const char *caption,
                      const char *const *titles)
{
    open_any_table(p, "scroll small", label, caption, titles);
}

void close_table(struct page *p)
{
    put(p, "</tbody></table></div>\n");
}

void open_group(struct page *p, size_t columns, bool first, const char *name)
{
    putf(p, "%s<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"%zu\"><div>",
         first ? "" : "</tbody>\n<tbody>", columns);
    put_text(p, name);
}

void close_group(struct page *p)
{
    put(p, "</div></th></tr>\n");
}

const char *page_section_name(const struct page *p, const struct data_case *c)
{
    if (p->options->group == REPORT_BY_MODEL)
        return c->model != NULL ? c->model : c->key;
    return c->board;
}

const char *tone_class(int tone)
{
    static const char *const words[] = {[TONE_PLAIN] = "",
                                        [TONE_GOOD] = "good",
                                        [TONE_WARNING] = "warning",
                                        [TONE_BAD] = "bad",
                                        [TONE_FAINT] = "faint"};

    return words[tone];
}

void put_status(struct page *p, const struct data_case *c)
{
    const struct cell s = document_status(c);

    putf(p, "<span class=\"tag %s\">%s</span>", tone_class(s.tone), s.text);
}

const char *case_label(struct page *p, const struct data_case *c)
{
    const bool by_model = p->options->group == REPORT_BY_MODEL;
    const char *first = by_model ? c->board : c->model != NULL ? c->model : c->key;

    return arena_printf(p->arena, "%s, %s%s%s", first, c->engine,
                        c->parameters[0] != '\0' ? ", " : "", c->parameters);
}

/* ---- the top ---- */

static void put_run_line(struct page *p, const struct data_run *r)
{
    put(p, "<p class=\"sub\">run <code>");
    put_text(p, r->run_id);
    put(p, "</code>, ");
    put_text(p, value_stamp(p->arena, r->started_ns));
    if (r->host != NULL) {
        put(p, " on ");
        put_text(p, r->host);
    }
    if (r->ended_ns > r->started_ns)
        putf(p, ", took %s", value_duration(p->arena, r->ended_ns - r->started_ns));
    else if (r->ended_ns == 0)
        put(p, ", not finished");
    for (size_t i = 0; i < r->tag_count; i++) {
        put(p, " <span class=\"tag\">");
        put_text(p, r->tags[i]);
        put(p, "</span>");
    }
    put(p, "</p>\n");
}

static const struct tile {
    const char *word, *fill;
    enum case_status status;
    enum tone tone;
} tiles[] = {
    {"failed", "fb", CASE_FAILED, TONE_BAD},
    {"lab errors", "fb", CASE_ERROR, TONE_BAD},
    {"over budget", "fw", CASE_OVER, TONE_WARNING},
    {"unfinished", "fw", CASE_CANCELLED, TONE_WARNING},
    {"passed", "fg", CASE_PASSED, TONE_GOOD},
    {"skipped", "f6", CASE_SKIPPED, TONE_FAINT},
};

static size_t count_status(const struct page *p, enum case_status status)
{
    size_t n = 0;

    for (size_t i = 0; i < p->data->case_count; i++)
        n += p->data->cases[i].status == status;
    return n;
}

/* One bar of all cases; the tiles below say the same in figures. */
static void put_strip(struct page *p)
{
    double at = 0;

    if (p->data->case_count == 0)
        return;
    put(p, "<svg class=\"strip\" viewBox=\"0 0 1000 8\" preserveAspectRatio=\"none\" "
           "aria-hidden=\"true\">");
    for (size_t i = 0; i < ARRAY_SIZE(tiles); i++) {
        const double w =
            1000.0 * (double)count_status(p, tiles[i].status) / (double)p->data->case_count;

        if (w > 0)
            putf(p, "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"8\"/>", tiles[i].fill,
                 at, w);
        at += w;
    }
    put(p, "</svg>\n");
}

static void put_tiles(struct page *p)
{
    put(p, "<ul class=\"tiles\">");
    putf(p, "<li><b>%zu</b><span>case%s</span></li>", p->data->case_count,
         p->data->case_count == 1 ? "" : "s");
    for (size_t i = 0; i < ARRAY_SIZE(tiles); i++) {
        const size_t n = count_status(p, tiles[i].status);

        if (n > 0)
            putf(p, "<li><b class=\"%s\">%zu</b><span>%s</span></li>", tone_class(tiles[i].tone), n,
                 tiles[i].word);
    }
    put(p, "</ul>\n");
}

static const char *page_title(const struct page *p)
{
    if (p->options->title != NULL)
        return p->options->title;
    return p->data->run_count > 0 ? p->data->runs[0].suite : "no runs";
}

static void put_headline(struct page *p)
{
    const size_t bad = count_status(p, CASE_FAILED) + count_status(p, CASE_ERROR);
    const size_t over = count_status(p, CASE_OVER) + count_status(p, CASE_CANCELLED);
    const size_t measured = count_status(p, CASE_PASSED);
    const enum tone tone = bad > 0 ? TONE_BAD : over > 0 ? TONE_WARNING : TONE_GOOD;

    if (p->options->gate != NULL)
        putf(p, "<p class=\"headline\">Gate: %s</p>\n",
             gate_outcome_name(p->options->gate->outcome));
    if (measured == 0 && bad + over == 0)
        put(p, "<p class=\"headline\">Nothing was measured.</p>\n");
    else
        putf(p, "<p class=\"headline %s\">%s</p>\n", tone_class(tone),
             bad > 0    ? "Some cases failed."
             : over > 0 ? "Every output is right, but not everything is within its limits."
                        : "Every output is right and every budget is kept.");
}

/* What the comparison found, in one sentence, before any table. */
static void put_comparison_line(struct page *p, const struct comparison *c)
{
    const size_t worse = c->verdicts[VERDICT_REGRESSED], better = c->verdicts[VERDICT_IMPROVED];
    const size_t open = c->verdicts[VERDICT_INCONCLUSIVE] + c->verdicts[VERDICT_INCOMPARABLE] +
                        c->verdicts[VERDICT_INVALID] + c->verdicts[VERDICT_NO_BASELINE];

    putf(p, "<p class=\"headline %s\">",
         tone_class(worse > 0  ? TONE_BAD
                    : open > 0 ? TONE_WARNING
                               : TONE_GOOD));
    if (worse > 0)
        putf(p, "%zu metric%s got worse", worse, worse == 1 ? "" : "s");
    else
        put(p, "Nothing got worse");
    if (better > 0)
        putf(p, ", %zu got better", better);
    if (open > 0)
        putf(p, ", %zu could not be judged", open);
    put(p, ".");
    if (p->options->base != NULL) {
        put(p, " <a href=\"#verdicts\">Compared with ");
        put_text(p, p->options->base);
        put(p, "</a>");
    }
    put(p, "</p>\n");
}

static void put_header(struct page *p)
{
    enum {
        RUNS_SHOWN = 5
    };

    put(p, "<header>\n<h1>");
    put_text(p, page_title(p));
    put(p, "</h1>\n");
    for (size_t i = 0; i < p->data->run_count && i < RUNS_SHOWN; i++)
        put_run_line(p, &p->data->runs[i]);
    if (p->data->run_count > RUNS_SHOWN)
        putf(p, "<p class=\"sub\">and %zu earlier runs</p>\n", p->data->run_count - RUNS_SHOWN);
    put_headline(p);
    if (p->options->comparison != NULL)
        put_comparison_line(p, p->options->comparison);
    put_tiles(p);
    put_strip(p);
    put(p, "</header>\n");
}

/* ---- the whole ---- */

static bool has_cases(const struct page *p)
{
    return p->data->case_count > 0;
}

static bool has_failures(const struct page *p)
{
    return trouble_any(p->data) || count_status(p, CASE_OVER) > 0;
}

static bool has_skips(const struct page *p)
{
    return count_status(p, CASE_SKIPPED) > 0 && !has_failures(p);
}

static bool has_comparison(const struct page *p)
{
    return p->options->comparison != NULL;
}

static bool has_trends(const struct page *p)
{
    return p->options->trend_count > 0;
}

static bool has_traces(const struct page *p)
{
    return p->options->trace_count > 0;
}

/* The sections, each shown when it has something to say. */
static const struct part {
    const char *id, *title;
    bool (*has)(const struct page *p);
    void (*write)(struct page *p);
} parts[] = {
    {"verdicts", "Verdicts", has_comparison, page_verdicts},
    {"failures", "What went wrong", has_failures, page_failures},
    {"results", "Results", has_cases, page_results},
    {"rankings", "Across boards", has_cases, page_rankings},
    {"memory", "Memory", page_has_memory, page_memory},
    {"profiles", "Operators", page_has_profiles, page_profiles},
    {"trends", "Trends", has_trends, page_trends},
    {"traces", "Current", has_traces, page_traces},
    {"skipped", "Skipped", has_skips, page_failures},
    {"statistics", "Statistics", has_cases, page_statistics},
    {"provenance", "Provenance", has_cases, page_provenance},
};

static void put_nav(struct page *p)
{
    put(p, "<nav aria-label=\"Sections\"><ul>");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i].has(p))
            putf(p, "<li><a href=\"#%s\">%s</a></li>", parts[i].id, parts[i].title);
    }
    put(p, "</ul></nav>\n");
}

static void put_head(struct page *p)
{
    put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
           "'unsafe-inline'\">\n"
           "<meta name=\"generator\" content=\"tinyrig " TINYRIG_VERSION "\">\n<title>");
    put_text(p, page_title(p));
    putf(p, ": %s</title>\n<style>\n%s</style>\n</head>\n<body>\n",
         document_tally(p->arena, p->data), report_style[0].text);
}

static int html_render(const struct report_options *options, struct buf *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct page p = {.options = options,
                     .data = options->data,
                     .arena = &arena,
                     .out = out,
                     .many = options->data->case_count > MANY_CASES};

    if (out->limit == 0)
        out->limit = PAGE_MAX;
    put_head(&p);
    put(&p, "<a class=\"skip\" href=\"#main\">Skip to the results</a>\n");
    put_header(&p);
    put_nav(&p);
    put(&p, "<main id=\"main\">\n");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (!parts[i].has(&p))
            continue;
        open_section(&p, parts[i].id, parts[i].title);
        parts[i].write(&p);
        put(&p, "</section>\n");
    }
    put(&p, "</main>\n<footer>Made by tinyrig " TINYRIG_VERSION
            ". Counts of the virtual realm are counts of an emulator and never times; they are not "
            "compared with silicon.</footer>\n</body>\n</html>\n");
    arena_release(&arena);
    return out->full ? err_set(err, ERR_UNSUPPORTED, "the report is too large; select less") : 0;
}

const struct report_format report_html = {
    .name = "html",
    .extension = ".html",
    .summary = "one self-contained page with plots, for people",
    .parts = DATA_ALL & ~(unsigned)DATA_OUTPUTS,
    .render = html_render,
};
