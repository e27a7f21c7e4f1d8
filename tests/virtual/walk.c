/*
 * The walk of tests/unit/test_kernels.c on a board: random models, compiled for every kernel variant
 * that its agent reports, uploaded, run, and compared bit for bit with `ref` on the host. One
 * session for all of them. With -b the cost of each variant is printed instead, as a ratio to that of
 * `ref` in the same run.
 *
 * usage: walk -d FOLDER [-ab] [-n COUNT] [-s SEED] [-o NAME] [-c CASES] BOARD.yaml   (by walk.py)
 *   -a  fail if a kernel of the agent's variants has not run
 *   -d  to work in                        -n  models of each operator (3)
 *   -s  the first seed (1)                -o  this operator only
 *   -c  also what suites/models/single_op.py has written there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/lab/session.h"
#include "harness/load/load.h"
#include "harness/measure/tensors.h"
#include "harness/measure/timebase.h"
#include "tests/support/host_run.h"
#include "tests/support/opgen.h"

enum {
    ROUNDS = 2, /* with the state of the one before */
    INFERENCE_MS = 60000,
    FILE_MAX = 16 * 1024 * 1024
};

static const char *const words[] = {
#define X(name, word) word,
    KERNEL_VARIANTS(X)
#undef X
};

struct options {
    const char *board, *folder, *only, *cases;
    unsigned long count, seed;
    bool all, bench;
};

/* Of one operator: what `ref` and a variant take for the same models. */
struct cost {
    double all; /* ref, every model */
    unsigned models[KERNEL_VARIANT_COUNT];
    double ref[KERNEL_VARIANT_COUNT], own[KERNEL_VARIANT_COUNT];
};

struct walk {
    const struct options *options;
    const struct board *board;
    struct session *session;
    struct client_engine about;
    struct timebase timebase;
    unsigned engine;
    unsigned models, runs, refused, too_large, wrong;
    unsigned steps[KERNEL_VARIANT_COUNT][KERNEL_KIND_COUNT]; /* that ran */
};

/* A model, what goes in and what `ref` makes of it on the host. */
struct sample {
    char name[128];
    struct buf model, in, expected;
    size_t round; /* bytes of one inference's inputs */
    bool reuse_inputs;
};

static void sample_release(struct sample *s)
{
    buf_release(&s->model);
    buf_release(&s->in);
    buf_release(&s->expected);
}

/* ---- on the host ---- */

/* Float or not is the board's affair; variants are not. */
static struct nn_target target_of(const struct walk *w, const struct sample *s, unsigned variant)
{
    return (struct nn_target){.variants = 1u << variant | (w->about.caps & KERNEL_CAP_FLOAT),
                              .reuse_inputs = s->reuse_inputs};
}

/* 1: this board cannot run it (real numbers without an FPU). */
static int expect(struct walk *w, struct sample *s, uint32_t seed, struct err *err)
{
    const struct nn_target target = target_of(w, s, KERNEL_REF);
    struct host_run r;
    int opened = host_run_open(&r, s->model.data, s->model.len, &target, err);

    if (opened == ERR_UNSUPPORTED) {
        host_run_close(&r);
        return 1;
    }
    if (opened == 0) {
        s->round = host_run_input_size(&r);
        for (unsigned i = 0; i < ROUNDS && s->in.len < ROUNDS * s->round; i++)
            host_run_random_input(&r.report, seed + i, &s->in);
        for (size_t at = 0; at + s->round <= s->in.len && s->round > 0; at += s->round)
            (void)host_run_infer(&r, s->in.data + at, s->round, &s->expected);
    }
    host_run_close(&r);
    return opened;
}

/* ---- on the board ---- */

static int infer_rounds(struct walk *w, const struct sample *s, const struct wire_loaded *loaded,
                        struct buf *out, struct err *err)
{
    const struct client_run run = {.inferences = 1, .windows = 1, .window_ms = INFERENCE_MS};
    struct client *client = session_client(w->session);

    for (size_t at = 0; at + s->round <= s->in.len; at += s->round) {
        struct buf in = {.data = s->in.data + at, .len = s->round};
        struct wire_record_info record;
        if (tensors_write(client, loaded->inputs, &in, s->name, err) < 0 ||
            client_run(client, &run, &record, err) < 0 ||
            tensors_read(client, loaded->outputs, out, err) < 0)
            return (int)err->code;
    }
    return 0;
}

/* One inference, without what a window costs by itself. */
static int measure(struct walk *w, double *ret, struct err *err)
{
    struct client *client = session_client(w->session);
    double values[2];

    for (uint32_t n = 1; n <= 2; n++) {
        const struct client_run run = {.inferences = n, .windows = 1, .window_ms = INFERENCE_MS};
        struct wire_record_info record;
        if (client_run(client, &run, &record, err) < 0)
            return (int)err->code;
        values[n - 1] = timebase_value(&w->timebase, record.ticks, 0);
    }
    *ret = values[1] - values[0];
    return 0;
}

/* A variant that takes no step of the model has nothing to show. */
static bool takes_part(const struct nn_report *r, unsigned variant)
{
    for (size_t i = 0; i < r->step_count; i++) {
        if (r->steps[i].variant == variant)
            return true;
    }
    return false;
}

static bool fits(const struct walk *w, const struct buf *image, const struct nn_report *r)
{
    const struct wire_hello *hello = client_hello(session_client(w->session));

    /* Where both are one region, the arena begins behind the image. */
    const uint64_t before =
        hello->slot_base == hello->arena_base ? (uint64_t)(image->len + 15) / 16 * 16 : 0;

    return image->len <= hello->slot_size && before + r->arena_bytes <= hello->arena_size;
}

static void compare(struct walk *w, const struct sample *s, unsigned variant, const struct buf *out)
{
    size_t at = 0;

    w->runs++;
    while (at < out->len && at < s->expected.len && out->data[at] == s->expected.data[at])
        at++;
    if (out->len == s->expected.len && at == out->len)
        return;
    w->wrong++;
    printf("%s: %s: %s differs at byte %zu of %zu\n", w->board->name, s->name, words[variant], at,
           s->expected.len);
}

/* 1: not run, for it would show nothing or does not fit. */
static int run_image(struct walk *w, const struct sample *s, unsigned variant,
                     const struct buf *image, const struct nn_report *report, double *ret_cost,
                     struct err *err)
{
    AUTO_BUF out = BUF_INIT;
    struct wire_loaded loaded;

    if (variant != KERNEL_REF && !takes_part(report, variant))
        return 1;
    if (!fits(w, image, report)) {
        w->too_large++;
        return 1;
    }
    if (session_place_model(w->session, image->data, image->len, err) < 0 ||
        client_load(session_client(w->session), w->engine, image->len, 0, &loaded, err) < 0 ||
        infer_rounds(w, s, &loaded, &out, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < report->step_count; i++)
        w->steps[report->steps[i].variant][report->steps[i].kind]++;
    compare(w, s, variant, &out);
    return w->options->bench ? measure(w, ret_cost, err) : 0;
}

static int run_variant(struct walk *w, const struct sample *s, unsigned variant, double *ret_cost,
                       struct err *err)
{
    const struct nn_target target = target_of(w, s, variant);
    AUTO_BUF image = BUF_INIT;
    struct nn_report report;
    int r;

    if (nn_compile(s->model.data, s->model.len, &target, &image, &report, err) < 0)
        return (int)err->code;
    r = run_image(w, s, variant, &image, &report, ret_cost, err);
    nn_report_release(&report);
    return r < 0 ? err_in(err, "%s", s->name) : r;
}

static int run_sample(struct walk *w, struct sample *s, uint32_t seed, struct cost *cost,
                      struct err *err)
{
    double ref = 0, own = 0;
    int r = expect(w, s, seed, err);

    if (r != 0) {
        if (r < 0)
            return err_in(err, "%s", s->name);
        w->refused++;
        *err = (struct err)ERR_INIT;
        return 0;
    }
    w->models++;
    r = run_variant(w, s, KERNEL_REF, &ref, err);
    cost->all += ref;
    for (unsigned v = KERNEL_REF + 1; r == 0 && v < KERNEL_VARIANT_COUNT; v++) {
        if (!(w->about.caps & 1u << v))
            continue;
        r = run_variant(w, s, v, &own, err);
        if (r == 0) {
            cost->ref[v] += ref;
            cost->own[v] += own;
            cost->models[v]++;
        }
        r = r < 0 ? r : 0;
    }
    return r < 0 ? r : 0;
}

/* ---- all of them ---- */

static void print_cost(const char *name, const struct walk *w, const struct cost *c)
{
    printf("  %-16s %12.0f", name, c->all);
    for (unsigned v = KERNEL_REF + 1; v < KERNEL_VARIANT_COUNT; v++) {
        if (c->ref[v] > 0)
            printf("  %6.2f of %3u", c->own[v] / c->ref[v], c->models[v]);
        else if (w->about.caps & 1u << v)
            printf("  %6s       ", "-");
    }
    putchar('\n');
}

static void print_costs_head(const struct walk *w)
{
    printf("  %-16s %12s", "operator", "ref");
    for (unsigned v = KERNEL_REF + 1; v < KERNEL_VARIANT_COUNT; v++) {
        if (w->about.caps & 1u << v)
            printf("  %13s", words[v]);
    }
    printf("   (%s; share of ref's in the models that hold such a step)\n",
           unit_name(w->timebase.unit));
}

static int walk_generators(struct walk *w, struct err *err)
{
    const struct options *o = w->options;

    if (o->bench)
        print_costs_head(w);
    for (size_t i = 0; opgen_names[i]; i++) {
        struct cost cost = {.all = 0};
        for (unsigned long n = 0; n < o->count; n++) {
            AUTO(sample_release) struct sample s = {.model = BUF_INIT};
            const uint32_t seed = (uint32_t)(o->seed + n);
            if (o->only && strcmp(o->only, opgen_names[i]) != 0)
                continue;
            snprintf(s.name, sizeof s.name, "%s, seed %u", opgen_names[i], seed);
            s.reuse_inputs = seed % 2 && !o->bench; /* a window has many inferences */
            opgen_make(opgen_names[i], seed, &s.model);
            if (run_sample(w, &s, seed, &cost, err) < 0)
                return (int)err->code;
        }
        if (o->bench && (!o->only || strcmp(o->only, opgen_names[i]) == 0))
            print_cost(opgen_names[i], w, &cost);
    }
    return 0;
}

static int read_case(const char *folder, const char *name, const char *suffix, struct buf *ret,
                     struct err *err)
{
    char path[1200];

    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    return file_read(path, FILE_MAX, ret, err);
}

/* Every operator there is; inputs are those of the case. */
static int walk_cases(struct walk *w, struct err *err)
{
    const char *folder = w->options->cases;
    AUTO_BUF index = BUF_INIT;
    struct cost cost = {.all = 0};
    char *rest = NULL;

    if (folder == NULL)
        return 0;
    if (read_case(folder, "INDEX", "", &index, err) < 0)
        return (int)err->code;
    for (char *line = strtok_r(index.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        AUTO(sample_release) struct sample s = {.model = BUF_INIT};
        snprintf(s.name, sizeof s.name, "%.*s", (int)strcspn(line, " "), line);
        if (read_case(folder, s.name, ".tflite", &s.model, err) < 0 ||
            read_case(folder, s.name, ".in.bin", &s.in, err) < 0 ||
            run_sample(w, &s, 1, &cost, err) < 0)
            return (int)err->code;
    }
    return 0;
}

/* Every kernel that the agent holds has run. */
static void check_coverage(struct walk *w)
{
    for (unsigned v = KERNEL_REF + 1; v < KERNEL_VARIANT_COUNT; v++) {
        for (unsigned k = 0; k < KERNEL_KIND_COUNT && (w->about.caps & 1u << v); k++) {
            if (kernel_find(v, k) && w->steps[v][k] == 0) {
                printf("%s: kernel %u of %s has never run\n", w->board->name, k, words[v]);
                w->wrong++;
            }
        }
    }
}

static int open_board(struct walk *w, struct arena *arena, struct err *err)
{
    const char *programs = getenv("TINYRIG_PROGRAMS"), *posix = getenv("TINYRIG_POSIX_AGENT");
    struct session_options session = {.firmware_dir = getenv("TINYRIG_FIRMWARE"),
                                      .agent_posix = posix,
                                      .run_dir = w->options->folder,
                                      .lock_dir = w->options->folder,
                                      .purpose = "walk"};
    struct client *client;
    int found;

    if (!programs || !posix || !session.firmware_dir)
        return err_set(err, ERR_USAGE, "TINYRIG_PROGRAMS, _FIRMWARE or _POSIX_AGENT is not set");
    session.vboard = arena_printf(arena, "%s/tinyrig-vboard", programs);
    if (session_open(w->board, &session, NULL, &w->session, err) < 0)
        return (int)err->code;
    client = session_client(w->session);
    found = client_find_engine(client, "tiny", &w->engine, err);
    if (found > 0)
        return err_set(err, ERR_UNSUPPORTED, "the agent holds no engine 'tiny'");
    if (found < 0 || client_engine(client, w->engine, &w->about, err) < 0)
        return (int)err->code;
    return timebase_make(w->board, client_hello(client)->tick_hz, &w->timebase, err);
}

static int walk_board(struct walk *w, struct arena *arena, struct err *err)
{
    AUTO_BUF held = BUF_INIT;

    if (open_board(w, arena, err) < 0)
        return (int)err->code;
    nn_variant_words(w->about.caps & ~KERNEL_CAP_FLOAT, &held);
    printf("%s: seeds from %lu, %lu of each; kernels: %s\n", w->board->name, w->options->seed,
           w->options->count, buf_text(&held));
    if (walk_generators(w, err) < 0 || walk_cases(w, err) < 0)
        return (int)err->code;
    if (w->options->all)
        check_coverage(w);
    printf("%s: %u models, %u comparisons, %u wrong; %u need an FPU, %u images too large\n",
           w->board->name, w->models, w->runs, w->wrong, w->refused, w->too_large);
    return w->wrong || !w->runs ? 1 : 0;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    int c;

    while ((c = getopt(argc, argv, "abc:d:n:o:s:")) != -1) {
        switch (c) {
        case 'a':
            o->all = true;
            break;
        case 'b':
            o->bench = true;
            break;
        case 'c':
            o->cases = optarg;
            break;
        case 'd':
            o->folder = optarg;
            break;
        case 'n':
            o->count = strtoul(optarg, NULL, 10);
            break;
        case 'o':
            o->only = optarg;
            break;
        case 's':
            o->seed = strtoul(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    o->board = argv[optind];
    return o->board && o->folder;
}

int main(int argc, char **argv)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct options options = {.count = 3, .seed = 1};
    struct walk w = {.options = &options};
    struct err err = ERR_INIT;
    int r;

    if (!read_options(argc, argv, &options)) {
        fprintf(stderr,
                "usage: walk -d FOLDER [-ab] [-n COUNT] [-s SEED] [-o NAME] [-c CASES] BOARD\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    r = board_load(options.board, &arena, &w.board, &err);
    if (r == 0 && w.board)
        r = walk_board(&w, &arena, &err);
    session_close(w.session);
    if (r < 0)
        printf("%s: %s\n", options.board, err.text);
    return r == 0 ? 0 : 1;
}
