#include "harness/cli/suite.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/elf/footprint.h"
#include "harness/load/load.h"
#include "harness/measure/customs.h"
#include "harness/nn/nn.h"
#include "harness/plan/choose.h"

enum {
    MODEL_FILE_MAX = 64 * 1024 * 1024,
    COMPILED_MAX = 256
};

/* Sizes of a model once compiled for agents with these kernels: once for each kind of core. */
struct compiled {
    const struct suite_model *model;
    uint32_t variants;
    struct plan_need need;
    struct custom_use *customs;
    size_t custom_count;
};

struct compile_cache {
    struct arena *arena;
    const struct paths *paths;
    struct compiled items[COMPILED_MAX];
    size_t count;
};

uint64_t suite_agent_ram(const struct board *b, const struct paths *paths)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *path = b->flashing.firmware;
    struct err err = ERR_INIT;
    struct footprint f;

    if (path == NULL && b->agent != NULL)
        path = arena_printf(&arena, "%s/%s.elf", paths->firmware, b->agent);
    if (path == NULL || access(path, R_OK) != 0 || footprint_read(path, &arena, &f, &err) < 0)
        return 0;
    return footprint_ram(&f.total) + f.total.reserved;
}

static bool tagged(const struct board *b, const char *tag)
{
    for (const char *const *t = b->tags; t != NULL && *t != NULL; t++) {
        if (strcmp(*t, tag) == 0)
            return true;
    }
    return false;
}

uint32_t suite_variants(const struct board *b)
{
    const bool avr = strncmp(b->cpu, "avr", 3) == 0;
    const bool small = avr || strcmp(b->cpu, "host") == 0;

    return 1u << KERNEL_REF | (small ? 0 : 1u << KERNEL_TUNED) | (avr ? 1u << KERNEL_AVR : 0) |
           (tagged(b, "dsp") ? 1u << KERNEL_ARMV7EM : 0) |
           (tagged(b, "mve") ? 1u << KERNEL_MVE : 0) |
           (tagged(b, "fpu") || strcmp(b->cpu, "host") == 0 ? KERNEL_CAP_FLOAT : 0);
}

static int compile(struct compile_cache *cache, struct compiled *c, struct err *err)
{
    const struct suite_model *model = c->model;
    struct plan_need *ret = &c->need;
    AUTO_BUF file = BUF_INIT;
    AUTO_BUF image = BUF_INIT;
    const struct nn_target target = {.variants = c->variants};
    struct nn_report report;

    if (file_read(model->path, MODEL_FILE_MAX, &file, err) < 0)
        return model->where.file == NULL ? (int)err->code
                                         : err_in(err, "%s:%u:%u", model->where.file,
                                                  model->where.line, model->where.column);
    if (nn_compile(buf_text(&file), file.len, &target, &image, &report, err) < 0) {
        if (err->code != ERR_UNSUPPORTED)
            return err_in(err, "%s", model->path);
        /* One model that the engine cannot run must not stop the others. */
        ret->skip = arena_printf(cache->arena, "engine tiny cannot run it: %s", err->text);
        err_clear(err);
        return 0;
    }
    ret->image = report.image_bytes;
    ret->arena = report.arena_bytes;
    c->custom_count = customs_of(&report, cache->arena, &c->customs);
    nn_report_release(&report);
    return 0;
}

/* What a compiled model needs on this very board: its firmware counts. */
static struct plan_need need_on(const struct compile_cache *cache, const struct compiled *c,
                                const struct board *board)
{
    struct plan_need n = c->need;
    const char *missing;

    n.agent_ram = suite_agent_ram(board, cache->paths);
    if (n.skip != NULL)
        return n;
    missing = customs_missing(c->customs, c->custom_count,
                              customs_firmware(board, cache->paths->firmware, cache->arena),
                              cache->arena);
    if (missing != NULL)
        n.skip = arena_printf(cache->arena, "engine tiny cannot run it: %s", missing);
    return n;
}

static int need(void *context, const struct suite_model *model, const struct board *board,
                const char *engine, struct plan_need *ret, struct err *err)
{
    struct compile_cache *cache = context;
    struct compiled c = {.model = model, .variants = suite_variants(board)};

    if (strcmp(engine, "tiny") != 0)
        return 1;
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->items[i].model == model && cache->items[i].variants == c.variants) {
            *ret = need_on(cache, &cache->items[i], board);
            return 0;
        }
    }
    if (compile(cache, &c, err) < 0)
        return (int)err->code;
    if (cache->count < COMPILED_MAX)
        cache->items[cache->count++] = c;
    *ret = need_on(cache, &c, board);
    return 0;
}

const char *suite_misfit(const struct board *b, uint64_t image, uint64_t arena_bytes,
                         const struct paths *paths, struct arena *arena)
{
    const struct plan_need n = {
        .image = image, .arena = arena_bytes, .agent_ram = suite_agent_ram(b, paths)};

    return choose_fit(b, &n, arena);
}

int suite_check_model(struct context *c, const char *path, const struct board *b,
                      const char *engine, struct err *err)
{
    struct compile_cache *cache = arena_alloc(&c->arena, sizeof(*cache));
    const struct suite_model model = {.path = path};
    struct plan_need n = {0};
    const char *reason;
    int r;

    cache->arena = &c->arena;
    cache->paths = &c->paths;
    r = need(cache, &model, b, engine, &n, err);
    if (r < 0)
        return r;
    if (r > 0)
        return access(path, R_OK) == 0
                   ? 0
                   : err_set(err, ERR_CONFIG, "model '%s': %s", path, strerror(errno));
    reason = n.skip != NULL ? n.skip : choose_fit(b, &n, &c->arena);
    return reason == NULL ? 0 : err_set(err, ERR_UNSUPPORTED, "board '%s': %s", b->name, reason);
}

static const char *const *terminated(struct arena *arena, const struct option_strings *list)
{
    const char **copy;

    if (list->count == 0)
        return NULL;
    copy = arena_alloc(arena, (list->count + 1) * sizeof(*copy));
    memcpy(copy, list->values, list->count * sizeof(*copy));
    return copy;
}

const char *suite_of_run(const struct data_run *run)
{
    char typed[PATH_MAX];

    if (run->suite_file == NULL || access(run->suite_file, R_OK) != 0)
        return run->suite_path;
    return run->suite_path != NULL && realpath(run->suite_path, typed) != NULL &&
                   strcmp(typed, run->suite_file) == 0
               ? run->suite_path
               : run->suite_file;
}

/* `kernels` is an axis like any other, but one whose words have a meaning. */
static int check_kernels(const struct suite *suite, struct err *err)
{
    AUTO_BUF words = BUF_INIT;

    nn_variant_words(NN_ALL_VARIANTS, &words);
    for (size_t i = 0; i < suite->axis_count; i++) {
        const struct suite_axis *a = &suite->axes[i];
        for (size_t k = 0; k < a->value_count && strcmp(a->name, "kernels") == 0; k++) {
            if (nn_variants(a->values[k]) == 0)
                return err_set(err, ERR_CONFIG, "%s:%u:%u: kernels: '%s' is none of %s",
                               a->where.file, a->where.line, a->where.column, a->values[k],
                               buf_text(&words));
        }
    }
    return 0;
}

/* What an agent of ours holds; board files name what others hold. */
static const char *const common_engines[] = {"null", "tiny", "workload", NULL};

static const char *const *known_engines(const struct lab *lab, struct arena *arena)
{
    const char **known = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; common_engines[i] != NULL; i++)
        *ARENA_PUSH(arena, known, count, capacity) = common_engines[i];
    for (size_t i = 0; i < lab->board_count; i++) {
        const char *const *e = lab->boards[i]->engines;

        for (; e != NULL && *e != NULL; e++)
            *ARENA_PUSH(arena, known, count, capacity) = *e;
    }
    *ARENA_PUSH(arena, known, count, capacity) = NULL;
    return known;
}

int suite_plan(struct context *c, const struct suite_options *options, const char *path,
               const struct plan **ret, struct err *err)
{
    struct compile_cache *cache = arena_alloc(&c->arena, sizeof(*cache));
    const struct suite *suite = NULL;
    struct plan_options plan = {
        .boards = terminated(&c->arena, &options->boards),
        .filters = terminated(&c->arena, &options->filters),
        .common_engines = common_engines,
        .repeat = (uint32_t)options->repeat,
        .interleave = options->interleave,
        .need = need,
        .need_context = cache,
    };

    cache->arena = &c->arena;
    cache->paths = &c->paths;
    if (access(path, R_OK) != 0) /* a slip of the user's, not of the lab's */
        return err_set(err, ERR_USAGE, "suite '%s': %s", path, strerror(errno));
    if (suite_load(path, &c->arena, &suite, err) < 0 || check_kernels(suite, err) < 0 ||
        context_load_lab(c, &options->common, err) < 0)
        return (int)err->code;
    plan.engines = known_engines(c->lab, &c->arena);
    return plan_make(suite, c->lab, &plan, &c->arena, ret, err);
}
