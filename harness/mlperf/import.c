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
    LOG_MAX = 16 << 20,
    DEPTH_MAX = 4,       /* stack, system, benchmark, variant */
    FOLDERS_MAX = 100000 /* of the tree: it may have links to itself, and those no end */
};

struct importer {
    struct arena *arena;
    struct event_sink *sink;
    const char *round;
    uint64_t at_ns;
    struct mlperf_imported *counts;
    size_t folders; /* seen so far */
    struct err *err;
};

/* One system: what the walk found, before its plan is known. */
struct system {
    const char *division, *submitter;
    const char *name;  /* its folder, the stack's before it */
    const char *board; /* its folder alone */
    const char *engine;
    struct suite suite;
    struct board board_spec;
    struct suite_model *models; /* [count], as the others */
    struct plan_case *cases;
    struct case_parameter *variants;
    struct mlperf_results *results; /* of all modes of a benchmark together */
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

    while (d != NULL && m->folders <= FOLDERS_MAX && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || !is_folder(arena_printf(m->arena, "%s/%s", path, e->d_name)))
            continue;
        *ARENA_PUSH(m->arena, names, count, capacity) = arena_strdup(m->arena, e->d_name);
        m->folders++;
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

static int send_number(struct emitting *x, const char *key, double value)
{
    return isfinite(value) ? send_fact(x, key, arena_printf(x->m->arena, "%g", value)) : 0;
}

/* What only the streaming benchmark has: facts, for they are not per inference. */
static int send_stream(struct emitting *x, const struct mlperf_results *r)
{
    if (!isfinite(r->hits))
        return 0;
    if (send_number(x, "mlperf.true_positives", r->hits) < 0 ||
        send_number(x, "mlperf.false_negatives", r->misses) < 0 ||
        send_number(x, "mlperf.false_positives", r->false_alarms) < 0 ||
        send_number(x, "mlperf.duty_cycle", r->duty_cycle) < 0)
        return (int)x->m->err->code;
    return send_number(x, "mlperf.power_mw", r->power_mw);
}

static int send_case(struct importer *m, struct system *s, size_t i)
{
    struct emitting x = {.m = m,
                         .event = {.run_id = s->run_id, .case_ = &s->cases[i], .at_ns = m->at_ns}};
    const struct mlperf_results *r = &s->results[i];

    if (send(&x, EVENT_CASE_BEGIN) < 0 || send_fact(&x, "board.name", s->board) < 0 ||
        send_fact(&x, "mlperf.round", m->round) < 0 ||
        send_fact(&x, "mlperf.division", s->division) < 0 ||
        send_fact(&x, "mlperf.submitter", s->submitter) < 0 ||
        send_fact(&x, "method.version", "MLPerf Tiny") < 0 || send_stream(&x, r) < 0 ||
        send_windows(&x, r) < 0 ||
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
    const struct board *boards[] = {&s->board_spec};
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

/* ---- one benchmark ---- */

/* Folders as they were spelt in one round or another. */
static const struct mode {
    const char *folder;
    enum {
        MODE_PERFORMANCE,
        MODE_ENERGY,
        MODE_ACCURACY
    } kind;
} modes[] = {
    {"performance", MODE_PERFORMANCE},
    {"energy", MODE_ENERGY},
    {"power", MODE_ENERGY},
    {"enegy", MODE_ENERGY},
    {"accuracy", MODE_ACCURACY},
};

static bool is_mode(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (strcmp(name, modes[i].folder) == 0)
            return true;
    }
    return false;
}

static const struct {
    const char *folder, *name;
} benchmarks[] = {
    {"ad", "ad"},
    {"ic", "ic"},
    {"ic2", "ic2"},
    {"kws", "kws"},
    {"vww", "vww"},
    {"sww", "sww"},
    {"strww", "sww"},
    {"anomaly_detection", "ad"},
    {"image_classification", "ic"},
    {"keyword_spotting", "kws"},
    {"person_detection", "vww"},
    {"visual_wake_words", "vww"},
    {"streaming_wakeword", "sww"},
};

/* Its short name, or NULL. */
static const char *benchmark_name(const char *folder)
{
    for (size_t i = 0; i < ARRAY_SIZE(benchmarks); i++) {
        if (strcmp(folder, benchmarks[i].folder) == 0)
            return benchmarks[i].name;
    }
    return NULL;
}

/* What a mode says that is known by it: another mode's file repeats some figures. */
static void join(struct mlperf_results *all, const struct mlperf_results *one, int kind)
{
    if (kind == MODE_PERFORMANCE) {
        all->throughput = one->throughput;
        memcpy(all->windows, one->windows, sizeof(all->windows));
        all->window_count = one->window_count;
    } else if (kind == MODE_ENERGY) {
        all->energy_uj = one->energy_uj;
        all->power_mw = one->power_mw;
    } else {
        all->accuracy = one->accuracy;
        all->auc = one->auc;
    }
    if (isfinite(one->hits)) {
        all->hits = one->hits;
        all->misses = one->misses;
        all->false_alarms = one->false_alarms;
        all->duty_cycle = one->duty_cycle;
    }
}

/* 0, or 1 when there is no file that says anything. */
static int read_mode(struct importer *m, const char *folder, const char *mode,
                     struct mlperf_results *ret)
{
    const struct {
        const char *name;
        size_t most;
    } files[] = {
        {"results.txt", RESULTS_MAX},
        {"postproc.txt", RESULTS_MAX},
        {arena_printf(m->arena, "%s_log.txt", mode), LOG_MAX},
        {"log.txt", LOG_MAX},
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        const char *path = arena_printf(m->arena, "%s/%s/%s", folder, mode, files[i].name);
        struct err ignored = ERR_INIT; /* many submissions lack a mode */
        AUTO_BUF text = BUF_INIT;

        if (file_read(path, files[i].most, &text, &ignored) < 0)
            continue;
        mlperf_parse(buf_text(&text), text.len, ret);
        if (isfinite(ret->throughput) || isfinite(ret->energy_uj) || isfinite(ret->accuracy) ||
            isfinite(ret->auc))
            return 0;
    }
    return 1;
}

static void read_benchmark(struct importer *m, const char *folder, const char *benchmark,
                           struct mlperf_results *ret)
{
    struct mlperf_results one;

    mlperf_results_init(ret);
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (read_mode(m, folder, modes[i].folder, &one) == 0)
            join(ret, &one, modes[i].kind);
    }
    /* Runners print every score for every benchmark; only one means something. */
    if (strcmp(benchmark, "ad") == 0)
        ret->accuracy = NAN;
    else
        ret->auc = NAN;
    if (isfinite(ret->hits) && ret->hits + ret->misses > 0) {
        ret->accuracy = ret->hits / (ret->hits + ret->misses);
        ret->energy_uj = NAN; /* of the whole stream, waiting included */
    }
}

/* ---- the walk ---- */

/* What of a path below "results" is what. */
struct place {
    const char *folder;
    const char *stack; /* or NULL */
    const char *system;
    const char *benchmark;
    const char *variant; /* or NULL */
};

struct places {
    struct place *list;
    size_t count, capacity;
};

/* names: system and benchmark, with a stack before or a variant after them. */
static void add_place(struct importer *m, struct places *p, const char *folder,
                      const char *const *names, size_t depth)
{
    size_t at = depth - 1;

    for (size_t i = 1; i < depth; i++) {
        if (benchmark_name(names[i]) != NULL) {
            at = i;
            break;
        }
    }
    *ARENA_PUSH(m->arena, p->list, p->count, p->capacity) = (struct place){
        .folder = folder,
        .stack = at >= 2 ? names[at - 2] : NULL,
        .system = names[at - 1],
        .benchmark = benchmark_name(names[at]) != NULL ? benchmark_name(names[at]) : names[at],
        .variant = at + 1 < depth ? names[at + 1] : NULL,
    };
}

static void walk(struct importer *m, struct places *p, const char *folder, const char **names,
                 size_t depth)
{
    const char **below;
    const size_t count = list_folders(m, folder, &below);

    for (size_t i = 0; i < count; i++) {
        if (is_mode(below[i])) {
            if (depth >= 2)
                add_place(m, p, folder, names, depth);
            return;
        }
    }
    for (size_t i = 0; i < count && depth < DEPTH_MAX; i++) {
        names[depth] = below[i];
        walk(m, p, arena_printf(m->arena, "%s/%s", folder, below[i]), names, depth + 1);
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void add_case(struct importer *m, struct system *s, const struct place *p,
                     const struct mlperf_results *r)
{
    struct suite_model *model = &s->models[s->count];
    struct plan_case *c = &s->cases[s->count];

    model->name = arena_strdup(m->arena, p->benchmark);
    c->model = model;
    c->board = &s->board_spec;
    c->engine = s->engine;
    c->key =
        arena_printf(m->arena, "%s/%s/%s%s%s", p->benchmark, s->board, s->engine,
                     p->variant != NULL ? "/variant=" : "", p->variant != NULL ? p->variant : "");
    if (p->variant != NULL) {
        s->variants[s->count] = (struct case_parameter){.name = "variant", .value = p->variant};
        c->parameters = &s->variants[s->count];
        c->parameter_count = 1;
    }
    s->results[s->count++] = *r;
}

/* The places of one system: all from `first` with the same names. Returns how many. */
static size_t count_places(const struct places *p, size_t first)
{
    size_t n = 1;

    while (first + n < p->count && same_text(p->list[first].stack, p->list[first + n].stack) &&
           strcmp(p->list[first].system, p->list[first + n].system) == 0)
        n++;
    return n;
}

static int import_system(struct importer *m, const char *division, const char *submitter,
                         const struct place *places, size_t count)
{
    const struct place *first = &places[0];
    struct system *s = arena_alloc(m->arena, sizeof(*s));

    s->models = arena_alloc(m->arena, count * sizeof(*s->models));
    s->cases = arena_alloc(m->arena, count * sizeof(*s->cases));
    s->variants = arena_alloc(m->arena, count * sizeof(*s->variants));
    s->results = arena_alloc(m->arena, count * sizeof(*s->results));
    s->division = division;
    s->submitter = submitter;
    s->board = first->system;
    s->name = first->stack != NULL ? arena_printf(m->arena, "%s/%s", first->stack, first->system)
                                   : first->system;
    s->engine =
        first->stack != NULL ? arena_printf(m->arena, "%s/%s", submitter, first->stack) : submitter;
    s->suite.name = arena_printf(m->arena, "mlperf-tiny %s", m->round);
    s->board_spec = (struct board){.name = s->board, .type = s->board, .realm = REALM_SILICON};
    s->board_spec.timebase_unit = UNIT_NS;
    for (size_t i = 0; i < count; i++) {
        struct mlperf_results r;

        read_benchmark(m, places[i].folder, places[i].benchmark, &r);
        if (isfinite(r.throughput) && r.throughput > 0)
            add_case(m, s, &places[i], &r);
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
    const char *names[DEPTH_MAX + 1];
    struct places p = {.list = NULL};

    walk(m, &p, folder, names, 0);
    if (m->folders > FOLDERS_MAX)
        return err_set(m->err, ERR_CONFIG, "'%s': more than %d folders", root, FOLDERS_MAX);
    for (size_t i = 0, n; i < p.count; i += n) {
        n = count_places(&p, i);
        if (import_system(m, division, submitter, &p.list[i], n) < 0)
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
