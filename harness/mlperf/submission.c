#include "harness/mlperf/submission.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/mlperf/rules.h"

struct writer {
    const struct mlperf_submission *s;
    struct arena *arena;
    const char *root; /* "<folder>/closed/<submitter>" */
    struct err *err;
};

/* One component of a path out of any name: what may not stand in one becomes '_'. */
static const char *component(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);

    for (char *c = copy; *c != '\0'; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                           (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' ||
                           (*c == '.' && c != copy);

        *c = plain ? *c : '_';
    }
    return copy[0] != '\0' ? copy : "_";
}

static int put_file(struct writer *w, const char *folder, const char *name, const struct buf *text)
{
    const char *path = arena_printf(w->arena, "%s/%s", folder, name);

    if (file_make_dirs(folder, w->err) < 0)
        return (int)w->err->code;
    return file_write_atomic(path, buf_text(text), text->len, w->err);
}

/* ---- systems/<board>.json ---- */

static void put_key(struct buf *out, const char *key, const char *value, const char *after)
{
    buf_puts(out, "    ");
    text_json_string(out, key);
    buf_puts(out, ": ");
    text_json_string(out, value != NULL ? value : "");
    buf_puts(out, after);
}

static const char *fact_or(const struct data_case *c, const char *key, const char *other)
{
    const char *value = data_case_fact(c, key);

    return value != NULL ? value : other;
}

/* What is not known stays empty: the submitter fills it in. */
static int put_system(struct writer *w, const struct data_case *c)
{
    const char *volts = data_case_fact(c, "voltage.uv");
    AUTO_BUF out = BUF_INIT;

    buf_puts(&out, "{\n");
    put_key(&out, "Submitter", w->s->submitter, ",\n");
    put_key(&out, "Division", w->s->closed ? "closed" : "open", ",\n");
    put_key(&out, "Status", w->s->status, ",\n");
    put_key(&out, "Board Name", fact_or(c, "board_type.description", c->board), ",\n");
    put_key(&out, "SoC Name", fact_or(c, "board.part", fact_or(c, "board_type.part", NULL)), ",\n");
    put_key(&out, "Processor(s) Name", fact_or(c, "board.cpu", fact_or(c, "board_type.cpu", NULL)),
            ",\n");
    put_key(&out, "Processor(s) Frequencies", data_case_fact(c, "clock.hz"), ",\n");
    put_key(&out, "Hardware Notes",
            volts != NULL ? arena_printf(w->arena, "supply %s uV", volts) : NULL, ",\n");
    put_key(&out, "Inference Framework",
            arena_printf(w->arena, "%s %s", c->engine, fact_or(c, "engine.version", "")), ",\n");
    put_key(&out, "Software Libraries", NULL, ",\n");
    put_key(&out, "Operating System", "none", ",\n");
    put_key(&out, "Quantization Method", NULL, ",\n");
    put_key(&out, "Training framework", NULL, ",\n");
    put_key(&out, "ML Model Compiler(s)",
            arena_printf(w->arena, "tinyrig %s", fact_or(c, "harness.version", "")), ",\n");
    put_key(&out, "General Compiler(s)", data_case_fact(c, "compiler.version"), ",\n");
    put_key(&out, "notes", NULL, "\n");
    buf_puts(&out, "}\n");
    return put_file(w, arena_printf(w->arena, "%s/systems", w->root),
                    arena_printf(w->arena, "%s.json", component(w->arena, c->board)), &out);
}

/* ---- results/<board>/<benchmark>/<mode> ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_throughput(const struct mlperf_window *windows, size_t count)
{
    double rates[MLPERF_WINDOWS];

    for (size_t i = 0; i < count; i++)
        rates[i] = windows[i].inferences / windows[i].seconds;
    if (count == 0)
        return 0;
    qsort(rates, count, sizeof(rates[0]), ascending);
    return count % 2 != 0 ? rates[count / 2] : (rates[count / 2 - 1] + rates[count / 2]) / 2;
}

static void put_performance(const struct data_case *c, struct buf *out)
{
    struct mlperf_window windows[MLPERF_WINDOWS];
    size_t count;

    (void)mlperf_windows(c, windows, &count);
    for (size_t i = 0; i < count; i++)
        buf_printf(out,
                   "Performance results for window %zu:\n    # Inferences :    %u\n"
                   "    Runtime      :    %.3f sec.\n    Throughput   :    %.3f inf./sec.\n",
                   i + 1, windows[i].inferences, windows[i].seconds,
                   windows[i].inferences / windows[i].seconds);
    buf_printf(out, "Median throughput is %.3f inf./sec.\n", median_throughput(windows, count));
}

static void put_energy(const struct data_case *c, struct buf *out)
{
    buf_printf(out, "Median energy cost is %.3f uJ/inf.\n",
               data_case_metric(c, "energy")->value / 1000);
}

static void put_accuracy(const struct data_case *c, struct buf *out)
{
    const struct mlperf_benchmark *b = mlperf_benchmark_of(c->model);
    const double value = data_case_metric(c, b->metric)->value;

    if (strcmp(b->metric, "auc") == 0)
        buf_printf(out, "AUC: %.3f\n", value);
    else
        buf_printf(out, "Top-1: %.1f%%\n", 100 * value);
}

/* Where the numbers come from: what the log of a hand-driven session would tell. */
static void put_log(const struct data_case *c, struct buf *out)
{
    buf_printf(out, "run %s\ncase ", c->run_id);
    text_escape(out, c->key, strlen(c->key));
    buf_putc(out, '\n');
    for (size_t i = 0; i < c->fact_count; i++) {
        buf_printf(out, "%s = ", c->facts[i].key);
        text_escape(out, c->facts[i].value, strlen(c->facts[i].value));
        buf_putc(out, '\n');
    }
}

static void put_json(const struct data_case *c, struct buf *out)
{
    bool first = true;

    buf_puts(out, "{\"run\": ");
    text_json_string(out, c->run_id);
    buf_puts(out, ", \"case\": ");
    text_json_string(out, c->key);
    buf_puts(out, ", \"metrics\": {");
    for (size_t i = 0; i < c->metric_count; i++) {
        if (!isfinite(c->metrics[i].value))
            continue;
        buf_puts(out, first ? "" : ", ");
        first = false;
        text_json_string(out, c->metrics[i].name);
        buf_printf(out, ": {\"value\": %.17g, \"unit\": \"%s\"}", c->metrics[i].value,
                   unit_name(c->metrics[i].unit));
    }
    buf_puts(out, "}}\n");
}

static int put_mode(struct writer *w, const struct data_case *c, const char *mode,
                    void (*put_results)(const struct data_case *c, struct buf *out))
{
    const char *folder =
        arena_printf(w->arena, "%s/results/%s/%s/%s", w->root, component(w->arena, c->board),
                     mlperf_benchmark_of(c->model)->name, mode);
    AUTO_BUF results = BUF_INIT;
    AUTO_BUF log = BUF_INIT;
    AUTO_BUF json = BUF_INIT;

    put_results(c, &results);
    put_log(c, &log);
    put_json(c, &json);
    if (put_file(w, folder, "results.txt", &results) < 0 ||
        put_file(w, folder, "log.txt", &log) < 0)
        return (int)w->err->code;
    return put_file(w, folder, "results.json", &json);
}

static int put_case(struct writer *w, const struct data_case *c)
{
    const struct event_metric *score = data_case_metric(c, mlperf_benchmark_of(c->model)->metric);
    const struct event_metric *energy = data_case_metric(c, "energy");

    if (put_system(w, c) < 0 || put_mode(w, c, "performance", put_performance) < 0)
        return (int)w->err->code;
    if (score != NULL && isfinite(score->value) && put_mode(w, c, "accuracy", put_accuracy) < 0)
        return (int)w->err->code;
    if (energy != NULL && isfinite(energy->value) && put_mode(w, c, "energy", put_energy) < 0)
        return (int)w->err->code;
    return 0;
}

static void name_broken_rules(const struct writer *w, const struct data_case *c,
                              struct buf *findings)
{
    const char *const *rules;
    const size_t count = mlperf_check(c, w->s->closed, w->arena, &rules);

    for (size_t i = 0; i < count; i++) {
        text_escape(findings, c->key, strlen(c->key));
        buf_printf(findings, ": %s\n", rules[i]);
    }
}

static int check_options(const struct mlperf_submission *s, struct err *err)
{
    if (strcmp(s->status, "available") != 0 && strcmp(s->status, "preview") != 0 &&
        strcmp(s->status, "rdi") != 0)
        return err_set(err, ERR_USAGE, "status: expected available, preview or rdi, got '%s'",
                       s->status);
    return 0;
}

int mlperf_export(const struct mlperf_submission *s, const struct dataset *data,
                  struct buf *findings, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct writer w = {.s = s, .arena = &arena, .err = err};
    size_t exported = 0;

    if (check_options(s, err) < 0)
        return (int)err->code;
    w.root = arena_printf(&arena, "%s/%s/%s", s->folder, s->closed ? "closed" : "open",
                          component(&arena, s->submitter));
    for (size_t i = 0; i < data->case_count; i++) {
        const struct data_case *c = &data->cases[i];

        if (mlperf_benchmark_of(c->model) == NULL || c->status == CASE_SKIPPED)
            continue;
        name_broken_rules(&w, c, findings);
        exported++;
        if (put_case(&w, c) < 0)
            return (int)err->code;
    }
    if (exported == 0) {
        (void)err_set(err, ERR_USAGE, "none of the cases is an MLPerf Tiny benchmark");
        return err_hint(err, "models are known by their names: kws, vww, ic, ad");
    }
    return findings->len > 0;
}
