#include "tests/support/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/spec/metric.h"
#include "harness/spec/samples.h"

#define SECOND 1000000000ull

static const struct kind {
    const char *name, *cpu, *part, *description;
    enum realm realm;
    enum unit unit;
    uint32_t clock_hz, flash_kib, ram_kib;
    double cost; /* ticks per MAC */
} kinds[SYNTHETIC_BOARDS_MAX] = {
    {"virt-m4", "cortex-m4", "STM32F405RG", "QEMU netduinoplus2", REALM_VIRTUAL, UNIT_INSTRUCTIONS,
     168000000, 1024, 192, 1.9},
    {"virt-m0", "cortex-m0", "nRF51822", "QEMU microbit", REALM_VIRTUAL, UNIT_INSTRUCTIONS,
     16000000, 256, 32, 6.1},
    {"virt-m55", "cortex-m55", "AN547", "QEMU mps3-an547", REALM_VIRTUAL, UNIT_INSTRUCTIONS,
     32000000, 2048, 2048, 0.4},
    {"virt-rv32", "rv32imac", "virt", "QEMU virt", REALM_VIRTUAL, UNIT_INSTRUCTIONS, 10000000, 4096,
     1024, 4.2},
    {"virt-mega", "avr6", "ATmega2560", "simavr", REALM_VIRTUAL, UNIT_CYCLES, 16000000, 256, 8,
     31.0},
    {"nucleo-l4r5zi", "cortex-m4", "STM32L4R5ZI", "ST NUCLEO-L4R5ZI", REALM_SILICON, UNIT_CYCLES,
     120000000, 2048, 640, 2.6},
    {"nrf52840-dk", "cortex-m4", "nRF52840", "Nordic nRF52840-DK", REALM_SILICON, UNIT_CYCLES,
     64000000, 1024, 256, 2.7},
    {"pico", "cortex-m0plus", "RP2040", "Raspberry Pi Pico", REALM_SILICON, UNIT_NS, 125000000,
     2048, 264, 48.0},
};

static const struct net {
    const char *name;
    double macs;
    uint32_t model_bytes, arena_bytes;
} nets[] = {
    {"kws", 2.66e6, 53936, 21504}, {"ad", 0.264e6, 270560, 1024},  {"sine", 320, 3164, 320},
    {"ic", 12.5e6, 96064, 51200},  {"vww", 7.49e6, 325120, 98304},
};

static double random_unit(struct synthetic *s)
{
    s->random = s->random * 6364136223846793005ull + 1442695040888963407ull;
    return (double)(s->random >> 11) / 9007199254740992.0;
}

/* Sum of 12 uniforms: near enough to normal, and the same on every machine. */
static double random_normal(struct synthetic *s)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += random_unit(s);
    return sum;
}

static const struct net *net_of(const struct plan_case *c)
{
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(nets) && strncmp(nets[i].name, c->model->name, 2) != 0)
        i++;
    return &nets[i];
}

static const struct kind *kind_of(const struct plan_case *c)
{
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(kinds) && strcmp(kinds[i].name, c->board->name) != 0)
        i++;
    return &kinds[i];
}

static const struct board *make_board(struct synthetic *s, const struct kind *k)
{
    struct board *b = arena_alloc(&s->arena, sizeof(*b));

    b->name = k->name;
    b->type = k->name;
    b->description = k->description;
    b->cpu = k->cpu;
    b->part = k->part;
    b->agent = k->name;
    b->realm = k->realm;
    b->clock_hz = k->clock_hz;
    b->timebase_unit = k->unit;
    b->flash.size = k->flash_kib * 1024ull;
    b->ram.size = k->ram_kib * 1024ull;
    return b;
}

void synthetic_init(struct synthetic *s, unsigned models, unsigned boards, uint64_t seed)
{
    struct suite *suite;
    struct suite_model *m;
    struct plan_case *cases;
    const struct board **list;
    size_t n = 0;

    memset(s, 0, sizeof(*s));
    s->random = seed;
    s->now_ns = 1763923777ull * SECOND; /* 2025-11-23T18:49:37Z */
    s->scale = 1;
    s->noise = 0.001;
    s->windows = 6;
    s->vectors = 2;
    s->build = "7f3a91c4";
    suite = arena_alloc(&s->arena, sizeof(*suite));
    suite->name = "quickstart";
    suite->path = "suites/quickstart.yaml";
    memset(suite->digest, 'a', 64);
    m = arena_alloc(&s->arena, models * sizeof(*m));
    cases = arena_alloc(&s->arena, (size_t)models * boards * sizeof(*cases));
    list = arena_alloc(&s->arena, boards * sizeof(const struct board *));
    for (unsigned i = 0; i < models; i++)
        m[i].name = i < ARRAY_SIZE(nets)
                        ? nets[i].name
                        : arena_printf(&s->arena, "%s-%u", nets[i % ARRAY_SIZE(nets)].name, i);
    for (unsigned b = 0; b < boards; b++) {
        list[b] = make_board(s, &kinds[b]);
        for (unsigned i = 0; i < models; i++) {
            struct plan_case *c = &cases[n++];

            c->model = &m[i];
            c->board = list[b];
            c->engine = "tiny";
            c->key = arena_printf(&s->arena, "%s/%s/tiny", m[i].name, kinds[b].name);
        }
    }
    suite->models = m;
    suite->model_count = models;
    s->plan = (struct plan){
        .suite = suite, .cases = cases, .case_count = n, .boards = list, .board_count = boards};
}

void synthetic_release(struct synthetic *s)
{
    arena_release(&s->arena);
}

void synthetic_run_id(unsigned n, char text[static 37])
{
    (void)snprintf(text, 37, "%08x-0000-4000-8000-%012u", n * 2654435761u, n % 1000000u);
}

/* ---- events of one case ---- */

struct emitter {
    struct synthetic *s;
    struct event_sink *sink;
    struct event event;
    struct err *err;
    int status;
};

static void emit(struct emitter *m, enum event_kind kind)
{
    m->event.kind = kind;
    m->event.at_ns = m->s->now_ns += 1000000; /* also after a failure: stamps name attempts */
    if (m->status >= 0)
        m->status = m->sink->emit(m->sink, &m->event, m->err);
}

static void emit_fact(struct emitter *m, const char *key, const char *value)
{
    m->event.fact = (struct event_fact){.key = key, .value = value};
    emit(m, EVENT_FACT);
}

static void emit_facts(struct emitter *m, const struct kind *k, const struct net *net)
{
    char text[80];

    (void)snprintf(text, sizeof(text), "%s-%s", k->cpu, m->s->build);
    emit_fact(m, "firmware.build_id", text);
    emit_fact(m, "firmware.git", m->s->build);
    emit_fact(m, "compiler.version", "arm-none-eabi-gcc 12.2.1");
    emit_fact(m, "compiler.flags", "-Os -mcpu");
    emit_fact(m, "engine.version", "tiny 0.1.0");
    (void)snprintf(text, sizeof(text), "%064x", (unsigned)net->model_bytes);
    emit_fact(m, "model.sha256", text);
    emit_fact(m, "board.uid", k->part);
    (void)snprintf(text, sizeof(text), "%u", k->clock_hz);
    emit_fact(m, "clock.hz", text);
    emit_fact(m, "timebase.kind", k->unit == UNIT_INSTRUCTIONS ? "icount" : "dwt");
    emit_fact(m, "host.os", "Linux 6.1");
}

static void emit_outputs(struct emitter *m, bool equal)
{
    static const int8_t scores[12] = {-128, -128, -100, 90, -128, -128, 3, -128, -128, -128, 0, -5};

    for (unsigned i = 0; i < m->s->vectors; i++) {
        m->event.output = (struct event_output){.vector = i,
                                                .compared = true,
                                                .equal = equal || i != 0,
                                                .first_difference = equal || i != 0 ? 0 : 3,
                                                .differences = equal || i != 0 ? 0 : 2,
                                                .data = scores,
                                                .size = sizeof(scores)};
        emit(m, EVENT_OUTPUT);
    }
}

static double noisy(struct emitter *m, const struct kind *k, double value)
{
    if (k->realm == REALM_VIRTUAL)
        return floor(value);
    return floor(value * (1 + m->s->noise * random_normal(m->s)));
}

static void pack_samples(struct emitter *m, const struct kind *k, double ticks, struct buf *out)
{
    uint64_t samples[256];
    const unsigned n = m->s->samples < 256 ? m->s->samples : 256;

    for (unsigned i = 0; i < n; i++)
        samples[i] = (uint64_t)noisy(m, k, ticks);
    if (n > 0)
        samples_pack(samples, n, out);
}

static double emit_windows(struct emitter *m, const struct kind *k, double ticks)
{
    AUTO_BUF packed = BUF_INIT;
    double sum = 0;

    for (unsigned i = 0; i < m->s->windows; i++) {
        const uint32_t n = 10 * (i % 3 + 1);
        const double total = noisy(m, k, ticks * n) + 120;

        buf_clear(&packed);
        pack_samples(m, k, ticks, &packed);
        m->event.window = (struct event_window){.repeat = i / 3,
                                                .index = i % 3,
                                                .inferences = n,
                                                .ticks = (uint64_t)total + 14,
                                                .overhead = 14,
                                                .value = total,
                                                .unit = k->unit,
                                                .host_ns = (uint64_t)(total * 12),
                                                .samples = packed.data,
                                                .samples_size = packed.len};
        emit(m, EVENT_WINDOW);
        sum += (total - 120) / n;
    }
    return m->s->windows > 0 ? sum / m->s->windows : ticks;
}

/* One window of a meter, with what it may leave open. */
static void emit_energy_window(struct emitter *m, double ticks)
{
    const uint64_t before_ns = m->s->now_ns;

    m->event.energy = (struct event_energy){.index = m->s->windows,
                                            .inferences = 10,
                                            .full = true,
                                            .duration_s = ticks * 1e-7,
                                            .gross_nj = ticks,
                                            .net_nj = ticks * 0.8,
                                            .idle_nj = ticks * 0.2,
                                            .marker_nj = ticks * 0.99,
                                            .mean_na = 9e6,
                                            .peak_na = NAN,
                                            .samples = 1000,
                                            .lost = 2};
    emit(m, EVENT_ENERGY);
    m->s->now_ns = before_ns; /* stamps of all others are as they were without it */
}

static void emit_metric(struct emitter *m, const char *name, enum unit unit, double value)
{
    const struct metric_info *info = metric_info_find(name);

    m->event.metric = (struct event_metric){.name = name,
                                            .class_ = info->class_,
                                            .unit = unit,
                                            .lower_is_better = info->lower_is_better,
                                            .value = value,
                                            .low = NAN,
                                            .high = NAN,
                                            .n = 1};
    emit(m, EVENT_METRIC);
}

static void emit_latency(struct emitter *m, const struct kind *k, double latency, bool over)
{
    const double spread = k->realm == REALM_VIRTUAL ? 0 : m->s->noise;

    m->event.metric = (struct event_metric){.name = "latency",
                                            .class_ = k->unit == UNIT_INSTRUCTIONS ? METRIC_EXACT
                                                      : k->unit == UNIT_CYCLES     ? METRIC_CYCLE
                                                                                   : METRIC_TIME,
                                            .unit = k->unit,
                                            .lower_is_better = true,
                                            .value = latency,
                                            .low = latency * (1 - spread),
                                            .high = latency * (1 + spread),
                                            .n = m->s->windows,
                                            .budget = over ? "latency <= 33ms" : NULL,
                                            .over_budget = over};
    emit(m, EVENT_METRIC);
    emit_metric(m, "latency.cold", k->unit, floor(latency * 1.03));
    emit_metric(m, "latency.overhead", k->unit, 120);
    emit_metric(m, "latency.spread", UNIT_RATIO, spread);
}

static void emit_footprint(struct emitter *m, const struct net *net)
{
    emit_metric(m, "flash", UNIT_BYTES, 18112 + net->model_bytes);
    emit_metric(m, "flash.code", UNIT_BYTES, 7412);
    emit_metric(m, "flash.kernels", UNIT_BYTES, 9876);
    emit_metric(m, "flash.constants", UNIT_BYTES, 824);
    emit_metric(m, "flash.model", UNIT_BYTES, net->model_bytes);
    emit_metric(m, "flash.harness", UNIT_BYTES, 5308);
    emit_metric(m, "ram", UNIT_BYTES, 1268 + net->arena_bytes);
    emit_metric(m, "ram.data", UNIT_BYTES, 36);
    emit_metric(m, "ram.bss", UNIT_BYTES, 812);
    emit_metric(m, "ram.arena", UNIT_BYTES, net->arena_bytes);
    emit_metric(m, "ram.stack", UNIT_BYTES, 420);
    emit_metric(m, "ram.harness", UNIT_BYTES, 704);
    emit_metric(m, "macs", UNIT_COUNT, net->macs);
}

static void emit_energy(struct emitter *m, const struct kind *k, double latency)
{
    const double seconds = k->unit == UNIT_NS ? latency / 1e9 : latency / k->clock_hz;

    if (k->realm != REALM_SILICON)
        return;
    emit_metric(m, "energy", UNIT_NJ, seconds * 3.3 * 0.012 * 1e9);
    emit_metric(m, "energy.net", UNIT_NJ, seconds * 3.3 * 0.009 * 1e9);
    emit_metric(m, "current", UNIT_NA, 12e6);
    emit_metric(m, "voltage", UNIT_UV, 3300000);
}

static void emit_profile(struct emitter *m, const struct kind *k, double latency)
{
    static const char *const ops[] = {"CONV_2D",         "DEPTHWISE_CONV_2D", "CONV_2D",
                                      "AVERAGE_POOL_2D", "FULLY_CONNECTED",   "SOFTMAX"};
    static const double share[] = {0.30, 0.22, 0.41, 0.02, 0.03, 0.02};

    for (unsigned i = 0; i < ARRAY_SIZE(ops) && m->s->profile; i++) {
        m->event.profile = (struct event_profile){.index = i,
                                                  .op = ops[i],
                                                  .kernel = i % 2 == 0 ? "armv7em" : "ref",
                                                  .value = floor(latency * share[i]),
                                                  .unit = k->unit,
                                                  .macs = (uint64_t)(1e6 * share[i])};
        emit(m, EVENT_PROFILE);
    }
}

static void emit_failure(struct emitter *m, size_t index)
{
    m->event.recovery =
        (struct event_recovery){.rung = "probe reset", .reason = "no answer", .worked = index % 2};
    emit(m, EVENT_RECOVERY);
    m->event.end = (struct event_case_end){
        .status = index % 2 != 0 ? CASE_FAILED : CASE_ERROR,
        .code = index % 2 != 0 ? ERR_OUTPUT : ERR_TIMEOUT,
        .failure_class = index % 2 != 0 ? "wrong-output" : "timeout",
        .stage = index % 2 != 0 ? "check" : "hello",
        .text = index % 2 != 0 ? "vector 0: 2 of 12 bytes differ, first at element 3"
                               : "no answer in 500 ms",
        .hint = index % 2 != 0 ? NULL : "is the agent flashed? `tinyrig doctor BOARD`",
        .log = "boot\nhello\n",
        .host_ns = 500000000};
    emit(m, EVENT_CASE_END);
}

static void emit_measured(struct emitter *m, const struct plan_case *c, bool over)
{
    const struct kind *k = kind_of(c);
    const struct net *net = net_of(c);
    const double latency = emit_windows(m, k, net->macs * k->cost * m->s->scale);

    emit_latency(m, k, latency, over);
    emit_footprint(m, net);
    emit_energy(m, k, latency);
    if (m->s->windows > 0)
        emit_energy_window(m, latency);
    emit_profile(m, k, latency);
    m->event.end = (struct event_case_end){.status = over ? CASE_OVER : CASE_PASSED,
                                           .text = over ? "latency over its budget of 33ms" : NULL,
                                           .host_ns = (uint64_t)(latency * 1200)};
    emit(m, EVENT_CASE_END);
}

int synthetic_case(struct synthetic *s, const char *run_id, size_t index, uint32_t attempt,
                   struct event_sink *sink, struct err *err)
{
    const struct plan_case *c = &s->plan.cases[index];
    const bool fails = s->failures && index % 7 == 3;
    struct emitter m = {.s = s,
                        .sink = sink,
                        .err = err,
                        .event = {.run_id = run_id, .case_ = c, .attempt = attempt}};

    emit(&m, EVENT_CASE_BEGIN);
    emit_facts(&m, kind_of(c), net_of(c));
    if (fails && index % 2 == 0)
        emit_failure(&m, index);
    else
        emit_outputs(&m, !fails);
    if (fails && index % 2 != 0)
        emit_failure(&m, index);
    if (!fails)
        emit_measured(&m, c, s->failures && index % 5 == 4);
    return m.status < 0 ? m.status : 0;
}

int synthetic_begin(struct synthetic *s, const char *run_id, struct event_sink *sink,
                    struct err *err)
{
    struct emitter m = {.s = s, .sink = sink, .err = err, .event = {.run_id = run_id}};

    m.event.run = (struct event_run){.plan = &s->plan,
                                     .command_line = "tinyrig run suites/quickstart.yaml",
                                     .host = "lab-1",
                                     .started_ns = s->now_ns};
    emit(&m, EVENT_RUN_BEGIN);
    return m.status < 0 ? m.status : 0;
}

int synthetic_end(struct synthetic *s, const char *run_id, struct event_sink *sink, struct err *err)
{
    struct emitter m = {.s = s, .sink = sink, .err = err, .event = {.run_id = run_id}};

    emit(&m, EVENT_RUN_END);
    return m.status < 0 ? m.status : 0;
}

int synthetic_run(struct synthetic *s, const char *run_id, struct event_sink *sink, struct err *err)
{
    int r = synthetic_begin(s, run_id, sink, err);

    for (size_t i = 0; i < s->plan.case_count && r == 0; i++) {
        if (s->plan.cases[i].skip == NULL)
            r = synthetic_case(s, run_id, i, 0, sink, err);
    }
    return r == 0 ? synthetic_end(s, run_id, sink, err) : r;
}
