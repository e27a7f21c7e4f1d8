#include "harness/plan/choose.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"

static bool has_tag(const struct board *b, const char *pattern)
{
    for (size_t i = 0; b->tags != NULL && b->tags[i] != NULL; i++) {
        if (text_matches(pattern, b->tags[i]))
            return true;
    }
    return false;
}

bool plan_board_matches(const struct board *board, const char *pattern)
{
    if (strncmp(pattern, "tag:", 4) == 0)
        return has_tag(board, pattern + 4);
    return text_matches(pattern, board->name) || text_matches(pattern, board->type);
}

static const char *parameter(const struct plan_case *c, const char *name)
{
    for (size_t i = 0; i < c->parameter_count; i++) {
        if (strcmp(c->parameters[i].name, name) == 0)
            return c->parameters[i].value;
    }
    return NULL;
}

static bool axis_matches(const struct suite_axis *axis, const struct plan_case *c)
{
    const char *value = parameter(c, axis->name);

    for (size_t i = 0; value != NULL && i < axis->value_count; i++) {
        if (text_matches(axis->values[i], value))
            return true;
    }
    return false;
}

bool choose_matches(const struct suite_filter *f, const struct plan_case *c)
{
    bool all = (f->model == NULL || text_matches(f->model, c->model->name)) &&
               (f->board == NULL || plan_board_matches(c->board, f->board)) &&
               (f->engine == NULL || text_matches(f->engine, c->engine));

    for (size_t i = 0; i < f->parameter_count && all; i++)
        all = axis_matches(&f->parameters[i], c);
    return all;
}

/* One term of a --filter, taken apart. */
struct term {
    char field[64]; /* "" for a bare word */
    char pattern[128];
};

/* The term at the front of *text, which then stands at the next one. False: too long. */
static bool take_term(const char **text, struct term *ret)
{
    const size_t n = strcspn(*text, ",");
    const char *colon = memchr(*text, ':', n);
    const size_t field = colon == NULL ? 0 : (size_t)(colon - *text);
    const size_t skip = colon == NULL ? 0 : field + 1;

    if (field >= sizeof(ret->field) || n - skip >= sizeof(ret->pattern))
        return false;
    (void)snprintf(ret->field, sizeof(ret->field), "%.*s", (int)field, *text);
    (void)snprintf(ret->pattern, sizeof(ret->pattern), "%.*s", (int)(n - skip), *text + skip);
    *text += n;
    *text += **text == ',';
    return true;
}

static bool term_matches(const struct term *t, const struct plan_case *c)
{
    const char *value;

    if (*t->field == '\0')
        return strpbrk(t->pattern, "*?[") != NULL ? text_matches(t->pattern, c->key)
                                                  : strstr(c->key, t->pattern) != NULL;
    if (strcmp(t->field, "model") == 0)
        return text_matches(t->pattern, c->model->name);
    if (strcmp(t->field, "board") == 0)
        return plan_board_matches(c->board, t->pattern);
    if (strcmp(t->field, "tag") == 0)
        return has_tag(c->board, t->pattern);
    if (strcmp(t->field, "engine") == 0)
        return text_matches(t->pattern, c->engine);
    value = parameter(c, t->field);
    return value != NULL && text_matches(t->pattern, value);
}

static bool filter_matches(const char *filter, const struct plan_case *c)
{
    bool all = true;

    while (all && *filter != '\0') {
        struct term t;

        all = take_term(&filter, &t) && term_matches(&t, c);
    }
    return all;
}

bool choose_filtered(const char *const *filters, const struct plan_case *c)
{
    for (size_t i = 0; filters != NULL && filters[i] != NULL; i++) {
        if (filter_matches(filters[i], c))
            return true;
    }
    return filters == NULL || filters[0] == NULL;
}

static const struct suite_budget *converted(const struct suite_budget *budget, enum unit unit,
                                            double factor, struct arena *arena)
{
    struct suite_budget *copy = arena_dup(arena, budget, sizeof(*copy));

    copy->unit = unit;
    copy->value = budget->value * factor;
    return copy;
}

static const struct suite_budget *time_budget(const struct suite_budget *budget,
                                              const struct board *board, struct arena *arena)
{
    const double cycles_per_ns = board->clock_hz / 1e9;
    const enum unit has = board->timebase_unit;

    if (budget->unit == has)
        return budget;
    if (board->realm != REALM_SILICON || board->clock_hz == 0)
        return NULL;
    if (budget->unit == UNIT_NS && has == UNIT_CYCLES)
        return converted(budget, UNIT_CYCLES, cycles_per_ns, arena);
    if (budget->unit == UNIT_CYCLES && has == UNIT_NS)
        return converted(budget, UNIT_NS, 1 / cycles_per_ns, arena);
    return NULL;
}

static bool by_meter(enum metric_kind kind)
{
    return kind == METRIC_KIND_ENERGY || kind == METRIC_KIND_CHARGE ||
           kind == METRIC_KIND_CURRENT || kind == METRIC_KIND_VOLTAGE || kind == METRIC_KIND_LIFE;
}

const struct suite_budget *choose_budget(const struct suite_budget *budget,
                                         const struct plan_case *c, struct arena *arena)
{
    const struct metric_info *metric = metric_info_find(budget->metric);

    if (metric != NULL && metric->kind == METRIC_KIND_TIME)
        return time_budget(budget, c->board, arena);
    if (metric != NULL && by_meter(metric->kind) && c->energy == NULL)
        return NULL;
    return budget;
}

const char *choose_suggest(const char *word, const char *const *candidates, struct arena *arena)
{
    const char *near = text_nearest(word, candidates);

    return near == NULL ? "" : arena_printf(arena, " (did you mean '%s'?)", near);
}

const char *choose_suggest_board(const struct lab *lab, const char *pattern, struct arena *arena)
{
    const bool tag = strncmp(pattern, "tag:", 4) == 0;
    const char **names = NULL;
    size_t count = 0;
    size_t capacity = 0;

    for (size_t i = 0; i < lab->known_count + lab->board_count; i++) {
        const struct board *b =
            i < lab->known_count ? lab->known[i] : lab->boards[i - lab->known_count];

        if (!tag)
            *ARENA_PUSH(arena, names, count, capacity) = b->name;
        for (size_t t = 0; tag && b->tags != NULL && b->tags[t] != NULL; t++)
            *ARENA_PUSH(arena, names, count, capacity) = arena_printf(arena, "tag:%s", b->tags[t]);
    }
    *ARENA_PUSH(arena, names, count, capacity) = NULL;
    return choose_suggest(pattern, names, arena);
}

static int check_field(const struct suite *suite, const char *field, struct arena *arena,
                       struct err *err)
{
    static const char *const fixed[] = {"model", "board", "tag", "engine"};
    const char **names =
        arena_alloc(arena, (ARRAY_SIZE(fixed) + suite->axis_count + 1) * sizeof(char *));
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        names[count++] = fixed[i];
    for (size_t i = 0; i < suite->axis_count; i++)
        names[count++] = suite->axes[i].name;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], field) == 0)
            return 0;
    }
    err_set(err, ERR_USAGE, "a filter cannot look at '%s'%s", field,
            choose_suggest(field, names, arena));
    return err_hint(err, "model, board, tag, engine and the suite's parameters can be filtered by");
}

static int check_filter(const struct suite *suite, const char *filter, struct arena *arena,
                        struct err *err)
{
    const char *rest = filter;
    int r = 0;

    do {
        struct term t;

        if (!take_term(&rest, &t))
            return err_set(err, ERR_USAGE, "filter '%.64s...' is too long", filter);
        if (*t.pattern == '\0')
            return err_set(err, ERR_USAGE, "filter '%.128s' has an empty term", filter);
        if (*t.field != '\0')
            r = check_field(suite, t.field, arena, err);
    } while (r == 0 && *rest != '\0');
    return r;
}

static int check_board(const struct lab *lab, const char *pattern, struct arena *arena,
                       struct err *err)
{
    bool known = false;

    for (size_t i = 0; i < lab->board_count; i++) {
        if (plan_board_matches(lab->boards[i], pattern))
            return 0;
    }
    for (size_t i = 0; i < lab->known_count; i++)
        known |= plan_board_matches(lab->known[i], pattern);
    if (known) {
        err_set(err, ERR_USAGE, "lab '%s' has no board '%s'", lab->name, pattern);
        return err_hint(err, "list it in the lab file: see config/lab.example.yaml");
    }
    err_set(err, ERR_USAGE, "no board matches '%s'%s", pattern,
            choose_suggest_board(lab, pattern, arena));
    return err_hint(err, "`tinyrig boards` lists what lab '%s' has", lab->name);
}

int choose_check(const struct suite *suite, const struct lab *lab,
                 const struct plan_options *options, struct arena *arena, struct err *err)
{
    int r = 0;

    for (size_t i = 0; options->boards != NULL && options->boards[i] != NULL && r == 0; i++)
        r = check_board(lab, options->boards[i], arena, err);
    for (size_t i = 0; options->filters != NULL && options->filters[i] != NULL && r == 0; i++)
        r = check_filter(suite, options->filters[i], arena, err);
    return r;
}

static bool begins_inside(const struct memory_region *outer, const struct memory_region *inner)
{
    return inner->base >= outer->base && inner->base - outer->base < outer->size;
}

/* One kind of memory and what wants to be in it. */
struct demand {
    const char *memory; /* "RAM" */
    uint64_t has;
    struct {
        const char *what;
        uint64_t size;
    } parts[3];
};

/* NULL when it fits. */
static const char *too_much(const struct board *b, const struct demand *d, struct arena *arena)
{
    AUTO_BUF text = BUF_INIT;
    const char *before = " (";
    char size[32];
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(d->parts); i++)
        sum += d->parts[i].size;
    if (d->has == 0 || sum <= d->has)
        return NULL;
    text_format_bytes(sum, size);
    buf_printf(&text, "needs %s of %s", size, d->memory);
    for (size_t i = 0; i < ARRAY_SIZE(d->parts); i++) {
        if (d->parts[i].size == 0)
            continue;
        text_format_bytes(d->parts[i].size, size);
        buf_printf(&text, "%s%s %s", before, d->parts[i].what, size);
        before = ", ";
    }
    text_format_bytes(d->has, size);
    buf_printf(&text, "), %s has %s: ", b->name, size);
    text_format_bytes(sum - d->has, size);
    buf_printf(&text, "%s too much", size);
    return arena_strdup(arena, buf_text(&text));
}

const char *choose_fit(const struct board *b, const struct plan_need *need, struct arena *arena)
{
    /* Without a slot of its own, a model lies in flash; a slot may also be in neither. */
    const bool in_ram = b->slot.region.size != 0 && begins_inside(&b->ram, &b->slot.region);
    /* What a model leaves of its slot serves nobody else, unless the slot is all of RAM. */
    const bool roomy = !board_shares_ram(b) && b->slot.region.size > need->image;
    const uint64_t slot = roomy ? b->slot.region.size : need->image;
    const bool in_flash = b->slot.region.size == 0 || begins_inside(&b->flash, &b->slot.region);
    const struct demand demands[] = {
        {"RAM",
         b->ram.size,
         {{"arena", need->arena},
          {"agent", need->agent_ram},
          {roomy ? "model slot" : "model", in_ram ? slot : 0}}},
        {"flash",
         b->flash.size,
         {{"model", in_flash ? need->image : 0}, {"agent", need->agent_flash}}},
        {"model slot", b->slot.region.size, {{"model", need->image}}},
    };
    const char *reason = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(demands) && reason == NULL; i++)
        reason = too_much(b, &demands[i], arena);
    return reason;
}
