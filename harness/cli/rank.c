/* `tinyrig rank`: one model over many boards and engines. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"
#include "harness/judge/choose.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/value.h"

struct rank_arguments {
    struct common_options common;
    const char *model;
    const char *by;
    const char *format;
    uint64_t rate;
};

static const struct option options[] = {
    {"model", 'm', OPTION_STRING, "NAME", "the model (required)",
     offsetof(struct rank_arguments, model)},
    {"by", 0, OPTION_STRING, "WHAT",
     "speed (default), cycles, macs-per-cycle, energy, flash, ram or battery",
     offsetof(struct rank_arguments, by)},
    {"rate", 0, OPTION_NUMBER, "N", "show the margin against N inferences per second",
     offsetof(struct rank_arguments, rate)},
    {"format", 'f', OPTION_STRING, "NAME", "text (default), markdown or json",
     offsetof(struct rank_arguments, format)},
    OPTION_DB,
    {.name = NULL},
};

static const char *const orders[] = {
    [ORDER_BY_SPEED] = "speed",
    [ORDER_BY_CYCLES] = "cycles",
    [ORDER_BY_MACS_PER_CYCLE] = "macs-per-cycle",
    [ORDER_BY_ENERGY] = "energy",
    [ORDER_BY_FLASH] = "flash",
    [ORDER_BY_RAM] = "ram",
    [ORDER_BY_BATTERY] = "battery",
};

static int take_order(const char *name, enum standing_order *ret, struct err *err)
{
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(orders); i++) {
        if (strcmp(orders[i], name) == 0) {
            *ret = (enum standing_order)i;
            return 0;
        }
    }
    if (name == NULL)
        return 0;
    return err_set(err, ERR_USAGE,
                   "--by: expected speed, cycles, macs-per-cycle, energy, flash, ram or battery, "
                   "got '%s'",
                   name);
}

/* ---- the table ---- */

/* A figure of a standing, with the unit it is shown in. */
static const struct figure {
    const char *title;
    const char *key; /* in JSON */
    size_t offset;
    enum unit unit;
    unsigned drop; /* when the terminal is narrow: see struct column */
} figures[] = {
    {"time", "time_ns", offsetof(struct standing, time_ns), UNIT_NS, 0},
    {"cycles", "cycles", offsetof(struct standing, cycles), UNIT_CYCLES, 2},
    {"instructions", "instructions", offsetof(struct standing, instructions), UNIT_INSTRUCTIONS, 0},
    {"MACs/cycle", "macs_per_cycle", offsetof(struct standing, macs_per_cycle), UNIT_COUNT, 5},
    {"energy", "energy_nj", offsetof(struct standing, energy_nj), UNIT_NJ, 0},
    {"flash", "flash_bytes", offsetof(struct standing, flash), UNIT_BYTES, 4},
    {"RAM", "ram_bytes", offsetof(struct standing, ram), UNIT_BYTES, 3},
    {"battery", "battery_ns", offsetof(struct standing, battery_ns), UNIT_NS, 2},
    {"margin", "rate_margin", offsetof(struct standing, rate_margin), UNIT_RATIO, 1},
};

static double figure_of(const struct standing *s, const struct figure *f)
{
    return *(const double *)((const char *)s + f->offset);
}

/* Of the figures only energy and battery are a meter's. */
static bool is_emulated(const struct standing *s, const struct figure *f)
{
    return (f->offset == offsetof(struct standing, energy_nj) ||
            f->offset == offsetof(struct standing, battery_ns)) &&
           isfinite(figure_of(s, f)) && data_case_emulated(s->c, "energy");
}

static const char *figure_text(struct arena *arena, const struct standing *s,
                               const struct figure *f)
{
    const double v = figure_of(s, f);

    if (!isfinite(v))
        return "";
    if (f->offset == offsetof(struct standing, macs_per_cycle))
        return arena_printf(arena, "%.3f", v);
    if (f->offset == offsetof(struct standing, rate_margin))
        return arena_printf(arena, "%.2f x", v);
    if (f->offset == offsetof(struct standing, battery_ns))
        return value_duration(arena, (uint64_t)v);
    return f->unit == UNIT_BYTES ? value_text(arena, v, f->unit) : value_bare(arena, v, f->unit);
}

/* Columns that nobody has a figure for are left out. */
static bool anybody_has(const struct standing *list, size_t count, const struct figure *f)
{
    for (size_t i = 0; i < count; i++) {
        if (isfinite(figure_of(&list[i], f)))
            return true;
    }
    return false;
}

static void build_table(const struct standing *list, size_t count, struct arena *arena,
                        struct table *ret)
{
    enum {
        FIXED = 4
    };
    struct column *columns = arena_alloc(arena, (FIXED + ARRAY_SIZE(figures)) * sizeof(*columns));
    const struct figure *shown[ARRAY_SIZE(figures)];
    size_t n = 0;

    columns[0] = (struct column){"board", false, 0};
    columns[1] = (struct column){"engine", false, 6};
    columns[2] = (struct column){"realm", false, 7};
    columns[3] = (struct column){"front", false, 0};
    for (size_t f = 0; f < ARRAY_SIZE(figures); f++) {
        if (!anybody_has(list, count, &figures[f]))
            continue;
        columns[FIXED + n] = (struct column){figures[f].title, true, figures[f].drop};
        shown[n++] = &figures[f];
    }
    *ret = (struct table){.columns = columns, .column_count = FIXED + n, .row_count = count};
    ret->cells = arena_alloc(arena, (count + 1) * ret->column_count * sizeof(*ret->cells));
    for (size_t i = 0; i < count; i++) {
        struct cell *row = &ret->cells[i * ret->column_count];

        row[0] = (struct cell){glyph_safe(arena, list[i].c->board), TONE_PLAIN};
        row[1] = (struct cell){
            glyph_safe(arena, arena_printf(arena, "%s%s%s", list[i].c->engine,
                                           list[i].c->parameters[0] != '\0' ? " " : "",
                                           list[i].c->parameters)),
            TONE_FAINT};
        row[2] = (struct cell){realm_name(list[i].c->realm), TONE_FAINT};
        row[3] = (struct cell){list[i].front ? "Pareto" : "", TONE_GOOD};
        for (size_t f = 0; f < n; f++)
            row[FIXED + f] =
                (struct cell){arena_printf(arena, "%s%s", figure_text(arena, &list[i], shown[f]),
                                           is_emulated(&list[i], shown[f]) ? " (emulated)" : ""),
                              TONE_PLAIN};
    }
}

static void put_table(const struct standing *list, size_t count, bool markdown, struct arena *arena,
                      struct buf *out)
{
    struct block block = {.kind = BLOCK_TABLE};
    const struct document d = {.blocks = &block, .block_count = 1};
    struct report_options look = {.data = NULL};

    build_table(list, count, arena, &block.table);
    if (markdown) {
        document_markdown(&d, out);
        return;
    }
    report_fit_terminal(&look, STDOUT_FILENO);
    document_text(&d, &look, out);
}

static void put_json(const struct standing *list, size_t count, struct buf *out)
{
    buf_puts(out, "[");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ",\n {\"case\": " : "\n {\"case\": ");
        text_json_string(out, list[i].c->key);
        buf_puts(out, ", \"board\": ");
        text_json_string(out, list[i].c->board);
        buf_puts(out, ", \"engine\": ");
        text_json_string(out, list[i].c->engine);
        buf_printf(out, ", \"realm\": \"%s\", \"pareto\": %s, \"emulated_meter\": %s",
                   realm_name(list[i].c->realm), list[i].front ? "true" : "false",
                   data_case_emulated(list[i].c, "energy") ? "true" : "false");
        for (size_t f = 0; f < ARRAY_SIZE(figures); f++) {
            const double v = figure_of(&list[i], &figures[f]);

            if (isfinite(v))
                buf_printf(out, ", \"%s\": %.17g", figures[f].key, v);
            else
                buf_printf(out, ", \"%s\": null", figures[f].key);
        }
        buf_puts(out, "}");
    }
    buf_puts(out, "]\n");
}

static int rank_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct rank_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;
    struct store_selection what = {.parts = DATA_FACTS, .model = a->model};
    struct choose_options how = {.model = a->model, .frames_per_second = (double)a->rate};
    enum comparison_format format;
    const struct standing *list;
    struct dataset data;
    AUTO_BUF out = BUF_INIT;
    size_t count;

    if (a->model == NULL)
        return err_set(err, ERR_USAGE, "rank: --model is needed");
    if (take_order(a->by, &how.order, err) < 0 || select_format(a->format, &format, err) < 0 ||
        context_init(&c, &a->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0 ||
        (argc > 0 && select_parse(s, argv[0], &c.arena, &what, err) < 0))
        return (int)err->code;
    what.newest = what.run == NULL && what.tag == NULL && what.git == NULL;
    if (store_query(s, &what, &c.arena, &data, err) < 0)
        return (int)err->code;
    count = choose_rank(&data, &how, &c.arena, &list);
    if (count == 0)
        return err_set(err, ERR_USAGE, "%s: no results of model '%s'", c.database, a->model);
    if (format == COMPARISON_JSON)
        put_json(list, count, &out);
    else
        put_table(list, count, format == COMPARISON_MARKDOWN, &c.arena, &out);
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    return 0;
}

const struct verb verb_rank = {
    .name = "rank",
    .arguments = "[SELECTION]",
    .summary = "one model over boards and engines, best first",
    .details = "SELECTION is terms as of 'compare'; without it the newest result of each case "
               "counts. Silicon comes\nfirst, and counts of emulators are never ordered among "
               "times. 'Pareto': nobody of its kind is\nbetter in one of speed, energy, flash and "
               "RAM and not worse in the others. 'margin': how many\ntimes faster than --rate asks "
               "for.",
    .options = options,
    .arguments_max = 1,
    .run = rank_run,
};
