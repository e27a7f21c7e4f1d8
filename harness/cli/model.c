/* `tinyrig model`: what the compiler makes of a model, before any board is touched. */
#include <stdio.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/cli/context.h"
#include "harness/cli/suite.h"
#include "harness/cli/verb.h"
#include "harness/nn/explain.h"
#include "harness/plan/plan.h"

enum {
    MODEL_FILE_MAX = 64 * 1024 * 1024,
    CORES_MAX = 32,
    PROBLEMS_MAX = 8 /* operators that are named when a model cannot run */
};

struct model_arguments {
    struct common_options common;
    struct option_strings boards;
    const char *svg;
    const char *image;
    bool registrations;
};

static const struct option options[] = {
    {"board", 'b', OPTION_STRINGS, "NAME",
     "only these boards; the plan shown is for the first (name, pattern or tag:x)",
     offsetof(struct model_arguments, boards)},
    {"svg", 0, OPTION_STRING, "FILE", "draw the memory plan",
     offsetof(struct model_arguments, svg)},
    {"image", 0, OPTION_STRING, "FILE", "write the model image",
     offsetof(struct model_arguments, image)},
    {"registrations", 0, OPTION_FLAG, NULL,
     "print only the kernels it needs, as the build option one_model takes them",
     offsetof(struct model_arguments, registrations)},
    OPTION_LAB,
    {.name = NULL},
};

/* What the compiler makes of the model for one kind of core: the boards with the same kernels. */
struct core_plan {
    struct nn_target target;
    struct nn_report report;
    struct buf image;
    struct err refused; /* .code is not 0: it cannot run there */
};

struct plans {
    struct core_plan items[CORES_MAX];
    size_t count;
    uint32_t *of_board; /* [board of the lab]: plan + 1; 0: not asked for, or no engine */
};

static void plans_release(struct plans *p)
{
    for (size_t i = 0; i < p->count; i++) {
        nn_report_release(&p->items[i].report);
        buf_release(&p->items[i].image);
    }
}

static bool has_engine(const struct board *b, const char *name)
{
    for (size_t i = 0; b->engines != NULL && b->engines[i] != NULL; i++) {
        if (strcmp(b->engines[i], name) == 0)
            return true;
    }
    return b->engines == NULL;
}

static bool is_asked_for(const struct board *b, const struct option_strings *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (plan_board_matches(b, names->values[i]))
            return true;
    }
    return names->count == 0;
}

/* ret_plan: its place plus 1. */
static int compile_for(struct plans *p, const struct buf *file, uint32_t variants,
                       uint32_t *ret_plan, struct err *err)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i].target.variants == variants) {
            *ret_plan = (uint32_t)i + 1;
            return 0;
        }
    }
    if (p->count == CORES_MAX)
        return err_set(err, ERR_CONFIG, "the lab has more than %d kinds of core", CORES_MAX);
    struct core_plan *c = &p->items[p->count++];
    *c = (struct core_plan){.target = {.variants = variants},
                            .report = {.arena = ARENA_INIT},
                            .image = BUF_INIT,
                            .refused = ERR_INIT};
    *ret_plan = (uint32_t)p->count;
    if (nn_compile(buf_text(file), file->len, &c->target, &c->image, &c->report, &c->refused) < 0 &&
        c->refused.code != ERR_UNSUPPORTED) {
        *err = c->refused; /* a damaged file: the same on every core */
        return (int)err->code;
    }
    return 0;
}

static int make_plans(const struct model_arguments *a, const struct context *c,
                      const struct buf *file, struct arena *arena, struct plans *p, struct err *err)
{
    size_t matched = 0;

    p->of_board = arena_alloc(arena, (c->lab->board_count + 1) * sizeof(*p->of_board));
    for (size_t i = 0; i < c->lab->board_count; i++) {
        const struct board *b = c->lab->boards[i];

        if (!is_asked_for(b, &a->boards))
            continue;
        matched++;
        if (has_engine(b, "tiny") &&
            compile_for(p, file, suite_variants(b), &p->of_board[i], err) < 0)
            return (int)err->code;
    }
    if (matched == 0 && a->boards.count != 0) {
        (void)err_set(err, ERR_USAGE, "the lab has no board '%s'", a->boards.values[0]);
        return err_hint(err, "'tinyrig boards' lists them");
    }
    /* Without a board that runs it there is still a plan: for a core with every kernel. */
    uint32_t any = 0;
    return p->count != 0 ? 0 : compile_for(p, file, NN_ALL_VARIANTS, &any, err);
}

static void put_room(const struct board *b, const struct nn_report *r, const struct paths *paths,
                     struct buf *out)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *misfit = suite_misfit(b, r->image_bytes, r->arena_bytes, paths, &arena);
    const uint64_t slot = b->slot.region.size;
    const uint64_t agent = suite_agent_ram(b, paths);
    const double room = b->ram.size > agent ? (double)(b->ram.size - agent) : 0;
    const bool shared = board_shares_ram(b);
    const uint64_t in_ram = r->arena_bytes + (shared ? r->image_bytes : 0);

    if (misfit != NULL) {
        buf_printf(out, "no: %s", misfit);
        return;
    }
    buf_printf(out, "fits: %2.0f %% of RAM for %stensors",
               room > 0 ? 100.0 * (double)in_ram / room : 0, shared ? "model and " : "");
    if (slot != 0 && !shared)
        buf_printf(out, ", %2.0f %% of the slot", 100.0 * r->image_bytes / (double)slot);
}

static void put_boards(const struct model_arguments *a, const struct context *c,
                       const struct plans *p, struct buf *out)
{
    buf_puts(out, "\nboards:\n");
    for (size_t i = 0; i < c->lab->board_count; i++) {
        const struct board *b = c->lab->boards[i];
        const uint32_t place = p->of_board[i];
        const struct core_plan *plan = place != 0 ? &p->items[place - 1] : NULL;

        if (!is_asked_for(b, &a->boards))
            continue;
        buf_printf(out, "  %-14s %c  ", b->name, place != 0 ? (int)('A' + place - 1) : '-');
        if (plan == NULL)
            buf_puts(out, "no: its agent has no engine 'tiny'");
        else if (plan->refused.code != 0)
            buf_printf(out, "no: %s", plan->refused.text);
        else
            put_room(b, &plan->report, &c->paths, out);
        buf_putc(out, '\n');
    }
}

/* The variant of an operator's first step: "armv7em", "-" when it costs nothing. */
static const char *variant_of(const struct nn_report *r, size_t op)
{
    return r->ops[op].steps == 0 ? "-" : r->steps[r->ops[op].first_step].variant_name;
}

/* One line for each kind of core, then the kernel that each operator gets there. */
static void put_cores(const struct plans *p, const struct core_plan *shown, struct buf *out)
{
    buf_puts(out, "\nplan per core:\n");
    for (size_t k = 0; k < p->count; k++) {
        const struct core_plan *c = &p->items[k];
        AUTO_BUF words = BUF_INIT;

        nn_variant_words(c->target.variants, &words);
        buf_printf(out, "  %c  ", (int)('A' + k));
        if (c->refused.code != 0)
            buf_printf(out, "cannot run it");
        else
            buf_printf(out, "image %7u B  arena %7u B", c->report.image_bytes,
                       c->report.arena_bytes);
        buf_printf(out, "  kernels %s\n", buf_text(&words));
    }
    buf_printf(out, "\n%4s  %-24s", "#", "operator");
    for (size_t k = 0; k < p->count; k++)
        buf_printf(out, "  %-8c", (int)('A' + k));
    buf_putc(out, '\n');
    for (size_t i = 0; i < shown->report.op_count; i++) {
        const char *name = shown->report.ops[i].name;

        buf_printf(out, "%4zu  %-24.24s", i, name != NULL ? name : "?");
        for (size_t k = 0; k < p->count; k++)
            buf_printf(out, "  %-8s",
                       p->items[k].refused.code != 0 ? "no" : variant_of(&p->items[k].report, i));
        buf_putc(out, '\n');
    }
}

/* "CONV_S8/armv7em,SOFTMAX_S8/ref": each kernel once, in the order of their numbers. */
static void put_registrations(const struct nn_report *r, struct buf *out)
{
    const char *separator = "";

    for (unsigned kind = 0; kind < KERNEL_KIND_COUNT; kind++) {
        uint32_t seen = 0;

        for (size_t i = 0; i < r->step_count; i++) {
            const struct nn_report_step *s = &r->steps[i];

            if (s->kind != kind || (seen >> s->variant & 1) != 0)
                continue;
            seen |= 1u << s->variant;
            buf_printf(out, "%s%s/%s", separator, s->kind_name, s->variant_name);
            separator = ",";
        }
    }
    buf_putc(out, '\n');
}

static struct core_plan *first_plan(struct plans *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i].refused.code == 0)
            return &p->items[i];
    }
    return NULL;
}

/* All operators that stand in the way, not only the first: who converts a model wants to know. */
static int refuse(const struct core_plan *p, const struct buf *file, const char *path,
                  struct err *err)
{
    AUTO_BUF problems = BUF_INIT;
    const int count = nn_check(buf_text(file), file->len, &p->target, &problems, err);
    const char *end = buf_text(&problems);

    if (count < 0)
        return err_in(err, "%s", path);
    if (count <= 1) { /* or what is wrong is no operator's */
        *err = p->refused;
        return err_in(err, "%s", path);
    }
    for (int i = 0; i < PROBLEMS_MAX && i < count; i++)
        end = strchr(end, '\n') + 1;
    (void)err_set(err, ERR_UNSUPPORTED, "%s: %d operators cannot run:\n%.*s", path, count,
                  (int)(end - buf_text(&problems)) - 1, buf_text(&problems));
    return count > PROBLEMS_MAX ? err_hint(err, "these are the first %d", PROBLEMS_MAX)
                                : (int)err->code;
}

static int explain(const struct model_arguments *a, const char *path, struct context *c,
                   struct buf *out, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_BUF svg = BUF_INIT;
    AUTO(plans_release) struct plans p = {.count = 0};

    if (file_read(path, MODEL_FILE_MAX, &file, err) < 0)
        return (int)err->code;
    if (make_plans(a, c, &file, &c->arena, &p, err) < 0)
        return err_in(err, "%s", path);
    const struct core_plan *shown = first_plan(&p);
    if (shown == NULL)
        return refuse(&p.items[0], &file, path, err);
    if (a->registrations) {
        put_registrations(&shown->report, out);
    } else {
        nn_explain_text(&shown->report, path, out);
        put_cores(&p, shown, out);
        put_boards(a, c, &p, out);
    }
    if (a->image != NULL &&
        file_write_named(a->image, shown->image.data, shown->image.len, err) < 0)
        return (int)err->code;
    if (a->svg == NULL)
        return 0;
    nn_explain_svg(&shown->report, path, &svg);
    return file_write_named(a->svg, buf_text(&svg), svg.len, err);
}

static int model_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct model_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO_BUF out = BUF_INIT;

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0 ||
        explain(a, argv[0], &c, &out, err) < 0)
        return (int)err->code;
    (void)fputs(buf_text(&out), stdout);
    return 0;
}

const struct verb verb_model = {
    .name = "model",
    .arguments = "FILE.tflite",
    .summary = "explain a model: operators, memory plan, the plan per core, which boards it fits",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = model_run,
};
