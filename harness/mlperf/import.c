/* Trees of published results as runs. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/mlperf/results.h"
#include "harness/spec/metric.h"

enum {
    RESULTS_MAX = 1 << 20,
    NAMES_MAX = 1000 /* entries of one folder */
};

struct importer {
    struct arena *arena;
    struct event_sink *sink;
    const char *round;
    uint64_t at_ns;
    struct mlperf_imported *counts;
    struct err *err;
};

/* One system: what the walk found, before its plan is known. */
struct system {
    const char *division, *submitter, *name;
    struct suite suite;
    struct board board;
    struct suite_model models[8];
    struct plan_case cases[8];
    struct mlperf_results results[8]; /* of all modes of a benchmark together */
    bool short_windows[8];
    size_t count;
    char run_id[37];
};

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Folders in a folder, by name; none when it is not there. */
static size_t list_folders(struct importer *m, const char *path, const char ***ret)
{
    DIR *d = opendir(path);
    const struct dirent *e;
    size_t count = 0, capacity = 0;
    const char **names = NULL;

    while (d != NULL && count < NAMES_MAX && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.' && is_folder(arena_printf(m->arena, "%s/%s", path, e->d_name)))
            *ARENA_PUSH(m->arena, names, count, capacity) = arena_strdup(m->arena, e->d_name);
    }
    if (d != NULL)
        (void)closedir(d);
    if (count > 0)
        qsort(names, count, sizeof(*names), by_name);
    *ret = names;
    return count;
}

/* ---- events ---- */

struct emitting {
    struct importer *m;
    struct event event;
};

static int send(struct emitting *x, enum event_kind kind)
{
    x->event.kind = kind;
    return x->m->sink->emit(x->m->sink, &x->event, x->m->err) < 0 ? (int)x->m->err->code : 0;
}

static int send_fact(struct emitting *x, const char *key, const char *value)
{
    x->event.fact = (struct event_fact){.key = key, .value = value};
    return send(x, EVENT_FACT);
}

static int send_metric(struct emitting *x, const char *name, enum unit unit, double value,
                       uint32_t n)
{
    const struct metric_info *info = metric_info_find(name);

    if (!isfinite(value))
        return 0;
    x->event.metric = (struct event_metric){.name = name,
                                            .class_ = info->class_,
                                            .unit = unit,
                                            .lower_is_better = info->lower_is_better,
                                            .value = value,
                                            .low = NAN,
                                            .high = NAN,
                                            .n = n};
    return send(x, EVENT_METRIC);
}

static int send_windows(struct emitting *x, const struct mlperf_results *r)
{
    for (size_t i = 0; i < r->window_count; i++) {
        const struct mlperf_window *w = &r->windows[i];
        const bool is_short = w->seconds < MLPERF_SECONDS || w->inferences < MLPERF_INFERENCES;

        if (!(w->seconds > 0) || w->inferences == 0 || w->seconds > 1e9)
            continue;
        x->event.window = (struct event_window){.index = (uint32_t)i,
                                                .inferences = w->inferences,
                                                .ticks = (uint64_t)(w->seconds * 1e9),
                                                .value = w->seconds * 1e9,
                                                .unit = UNIT_NS,
                                                .invalid = is_short ? INVALID(INVALID_SHORT) : 0};
        if (send(x, EVENT_WINDOW) < 0)
            return (int)x->m->err->code;
    }
    return 0;
}

static int send_case(struct importer *m, struct system *s, size_t i)
{
    struct emitting x = {.m = m,
                         .event = {.run_id = s->run_id, .case_ = &s->cases[i], .at_ns = m->at_ns}};
    const struct mlperf_results *r = &s->results[i];

    if (send(&x, EVENT_CASE_BEGIN) < 0 || send_fact(&x, "board.name", s->name) < 0 ||
        send_fact(&x, "mlperf.round", m->round) < 0 ||
        send_fact(&x, "mlperf.division", s->division) < 0 ||
        send_fact(&x, "mlperf.submitter", s->submitter) < 0 ||
        send_fact(&x, "method.version", "MLPerf Tiny") < 0 || send_windows(&x, r) < 0 ||
        send_metric(&x, "latency", UNIT_NS, 1e9 / r->throughput, (uint32_t)r->window_count) < 0 ||
        send_metric(&x, "energy", UNIT_NJ, 1000 * r->energy_uj, MLPERF_WINDOWS) < 0 ||
        send_metric(&x, "accuracy", UNIT_RATIO, r->accuracy, 1) < 0 ||
        send_metric(&x, "auc", UNIT_RATIO, r->auc, 1) < 0)
        return (int)m->err->code;
    x.event.end = (struct event_case_end){.status = CASE_PASSED};
    return send(&x, EVENT_CASE_END);
}

static void name_run(const struct importer *m, struct system *s)
{
    const char *name = arena_printf(m->arena, "mlperf-tiny\n%s\n%s\n%s\n%s", m->round, s->division,
                                    s->submitter, s->name);
    char hex[65];

    sha256_hex(name, strlen(name), hex);
    (void)snprintf(s->run_id, sizeof(s->run_id), "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8,
                   hex + 13, hex + 17, hex + 20);
    memcpy(s->suite.digest, hex, 64);
}

static int send_system(struct importer *m, struct system *s)
{
    const struct board *boards[] = {&s->board};
    const struct plan plan = {.suite = &s->suite,
                              .cases = s->cases,
                              .case_count = s->count,
                              .boards = boards,
                              .board_count = 1};
    struct emitting x = {.m = m, .event = {.run_id = s->run_id, .at_ns = m->at_ns}};

    x.event.run =
        (struct event_run){.plan = &plan, .command_line = "tinyrig import", .started_ns = m->at_ns};
    if (send(&x, EVENT_RUN_BEGIN) < 0)
        return (int)m->err->code;
    for (size_t i = 0; i < s->count; i++) {
        if (send_case(m, s, i) < 0)
            return (int)m->err->code;
    }
    m->counts->runs++;
    m->counts->cases += (unsigned)s->count;
    return send(&x, EVENT_RUN_END);
}

/* ---- the walk ---- */

/* What a mode says that is known by it: another mode's file repeats some figures. */
static void join(struct mlperf_results *all, const struct mlperf_results *one, const char *mode)
{
    if (strcmp(mode, "performance") == 0) {
        all->throughput = one->throughput;
        memcpy(all->windows, one->windows, sizeof(all->windows));
        all->window_count = one->window_count;
    } else if (strcmp(mode, "energy") == 0) {
        all->energy_uj = one->energy_uj;
    } else {
        all->accuracy = one->accuracy;
        all->auc = one->auc;
    }
}

static void read_benchmark(struct importer *m, const char *folder, struct mlperf_results *ret)
{
    static const char *const modes[] = {"performance", "energy", "accuracy"};

    *ret =
        (struct mlperf_results){.throughput = NAN, .energy_uj = NAN, .accuracy = NAN, .auc = NAN};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        const char *path = arena_printf(m->arena, "%s/%s/results.txt", folder, modes[i]);
        AUTO_BUF text = BUF_INIT;
        struct err ignored = ERR_INIT; /* many submissions lack a mode */
        struct mlperf_results one;

        if (file_read(path, RESULTS_MAX, &text, &ignored) < 0)
            continue;
        mlperf_parse(buf_text(&text), text.len, &one);
        join(ret, &one, modes[i]);
    }
}

static void add_case(struct importer *m, struct system *s, const char *benchmark,
                     const struct mlperf_results *r)
{
    struct suite_model *model = &s->models[s->count];
    struct plan_case *c = &s->cases[s->count];

    model->name = arena_strdup(m->arena, benchmark);
    c->model = model;
    c->board = &s->board;
    c->engine = s->submitter;
    c->key = arena_printf(m->arena, "%s/%s/%s", benchmark, s->name, s->submitter);
    s->results[s->count++] = *r;
}

static int import_system(struct importer *m, const char *folder, struct system *s)
{
    const char **names;
    const size_t count = list_folders(m, folder, &names);

    s->suite.name = arena_printf(m->arena, "mlperf-tiny %s", m->round);
    s->board = (struct board){.name = s->name, .type = s->name, .realm = REALM_SILICON};
    s->board.timebase_unit = UNIT_NS;
    for (size_t i = 0; i < count && s->count < ARRAY_SIZE(s->cases); i++) {
        struct mlperf_results r;

        read_benchmark(m, arena_printf(m->arena, "%s/%s", folder, names[i]), &r);
        if (isfinite(r.throughput) && r.throughput > 0)
            add_case(m, s, names[i], &r);
    }
    s->suite.models = s->models;
    s->suite.model_count = s->count;
    name_run(m, s);
    return s->count > 0 ? send_system(m, s) : 0;
}

static int import_submitter(struct importer *m, const char *root, const char *division,
                            const char *submitter)
{
    const char *folder = arena_printf(m->arena, "%s/%s/%s/results", root, division, submitter);
    const char **names;
    const size_t count = list_folders(m, folder, &names);

    for (size_t i = 0; i < count; i++) {
        struct system *s = arena_alloc(m->arena, sizeof(*s));

        s->division = division;
        s->submitter = submitter;
        s->name = names[i];
        if (import_system(m, arena_printf(m->arena, "%s/%s", folder, names[i]), s) < 0)
            return (int)m->err->code;
    }
    return 0;
}

int mlperf_import(const char *tree, const char *round, uint64_t at_ns, struct event_sink *sink,
                  struct mlperf_imported *ret, struct err *err)
{
    static const char *const divisions[] = {"closed", "open"};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct importer m = {
        .arena = &arena, .sink = sink, .round = round, .at_ns = at_ns, .counts = ret, .err = err};

    *ret = (struct mlperf_imported){.runs = 0};
    for (size_t d = 0; d < ARRAY_SIZE(divisions); d++) {
        const char **names;
        const size_t count =
            list_folders(&m, arena_printf(&arena, "%s/%s", tree, divisions[d]), &names);

        for (size_t i = 0; i < count; i++) {
            if (import_submitter(&m, tree, divisions[d], names[i]) < 0)
                return (int)err->code;
        }
    }
    if (ret->cases > 0)
        return 0;
    (void)err_set(err, ERR_CONFIG, "'%s': no results to import", tree);
    return err_hint(err, "expected closed/SUBMITTER/results/SYSTEM/BENCHMARK/performance/"
                         "results.txt below it");
}
