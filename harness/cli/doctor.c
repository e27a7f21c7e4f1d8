/*
 * `tinyrig doctor BOARD`: the way from the supply to the meter, one step at a time. It stops at the
 * first that is broken and says what to try next.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/boards.h"
#include "harness/cli/context.h"
#include "harness/cli/scratch.h"
#include "harness/cli/verb.h"
#include "harness/flash/flash.h"
#include "harness/lab/instrument.h"
#include "harness/lab/lease.h"
#include "harness/lab/power_switch.h"
#include "harness/lab/resources.h"
#include "harness/lab/session.h"
#include "harness/openocd/probe.h"
#include "harness/virtual/vboard.h"

enum {
    LOOK_MS = 10000,
    LINK_BYTES = 16384,
    METER_MS = 3000,
    METER_SAMPLES = 1000,
};

struct doctor_arguments {
    struct common_options common;
};

static const struct option options[] = {
    OPTION_LAB,
    {.name = NULL},
};

struct visit {
    const struct board *board;
    const struct lab *lab;
    struct session_options session_options;
    struct vboard *vboard; /* for the steps before the session */
    struct openocd *openocd;
    struct session *session;
    struct lease *lease; /* until the session takes its own */
    struct power_line line;
    char finding[256]; /* of a step that is well */
};

static void visit_release(struct visit *v)
{
    session_close(v->session);
    openocd_close(v->openocd);
    vboard_close(v->vboard);
    power_line_release(&v->line);
    lease_release(v->lease);
}

#define FIND(v, ...) (void)snprintf((v)->finding, sizeof((v)->finding), __VA_ARGS__)

static bool has_probe(const struct board *b)
{
    const struct flash_ops *ops =
        b->flashing.method != NULL ? flash_find(b->flashing.method) : NULL;

    return (ops != NULL && ops->needs_probe) || strcmp(b->transport.kind, "swd") == 0;
}

/* ---- the steps: 0 well, 1 not there on this board, negative broken ---- */

/* Switched on, which harms nobody; whether the board has it then, the next steps tell. */
static int see_switch(struct visit *v, struct err *err)
{
    const char *name = v->board->power;
    const struct lab_power *p = lab_find_power(v->lab, name);

    if (name == NULL) {
        FIND(v, "nobody switches it");
        return 0;
    }
    if (p == NULL)
        return err_set(err, ERR_LAB, "the lab file has no power switch '%s'", name);
    if (!power_switch_can(p)) {
        FIND(v, "'%s', a meter's own switch: on while it is open", name);
        return 0;
    }
    if (power_switch_set(p, true, &v->line, err) < 0)
        return err_hint(err, "does it work by hand? See 'power' in the lab file");
    FIND(v, "'%s', a %s, is on", name, p->kind);
    return 0;
}

static int see_power(struct visit *v, struct err *err)
{
    const struct board *b = v->board;
    struct resources r;

    resources_of(b, v->lab, NULL, &r);
    if (lease_take(v->session_options.lock_dir, r.list, r.count, "doctor", 0, &v->lease, err) < 0)
        return (int)err->code;
    if (b->maintenance != NULL)
        FIND(v, "in maintenance: %s", b->maintenance);
    if (b->virt.kind == NULL)
        return see_switch(v, err);
    if (has_probe(b) && vboard_open(&(struct vboard_options){.board = b,
                                                             .program = v->session_options.vboard,
                                                             .run_dir = v->session_options.run_dir},
                                    &v->vboard, err) < 0)
        return (int)err->code;
    FIND(v, "virtual, %s", b->virt.kind);
    return 0;
}

static int see_adapter(struct visit *v, struct err *err)
{
    struct probe_options o = {.board = v->board};
    struct probe_facts facts;
    char address[32];
    unsigned port = 0;

    if (!has_probe(v->board))
        return 1;
    if (v->vboard != NULL) {
        if (vboard_probe_port(v->vboard, "stlink", &port, err) < 0)
            return (int)err->code;
        (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
        o.address = address;
    }
    if (probe_start(&o, &v->openocd, err) < 0)
        return (int)err->code;
    /* OpenOCD opens the adapter and looks for the chip in one go: its log tells how far it came. */
    if (probe_connect(v->openocd, v->board, err) < 0) {
        probe_facts(v->openocd, &facts);
        if (!facts.connected)
            return (int)err->code;
    }
    probe_facts(v->openocd, &facts);
    FIND(v, "%s", facts.adapter[0] != '\0' ? facts.adapter : v->board->openocd.interface);
    return 0;
}

static int see_chip(struct visit *v, struct err *err)
{
    struct probe_facts facts;

    if (v->openocd == NULL)
        return 1;
    /* The step before leaves its failure here when the adapter was not to blame. */
    if (err->code != ERR_OK)
        return (int)err->code;
    probe_facts(v->openocd, &facts);
    if (facts.volts > 0)
        FIND(v, "DPIDR 0x%08x, target at %.2f V", facts.dpidr, facts.volts);
    else
        FIND(v, "DPIDR 0x%08x", facts.dpidr);
    return 0;
}

static int see_core(struct visit *v, struct err *err)
{
    struct probe_facts facts;

    if (v->openocd == NULL)
        return 1;
    probe_facts(v->openocd, &facts);
    if (probe_check_core(v->openocd, v->board, err) < 0)
        return (int)err->code;
    if (probe_reset_halt(v->openocd, err) < 0)
        return (int)err->code;
    FIND(v, "%s, halts after reset", facts.core);
    return 0;
}

static int see_flash(struct visit *v, struct err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (v->openocd == NULL || strcmp(v->board->flashing.method, "openocd") != 0)
        return 1;
    if (openocd_capture(v->openocd, LOOK_MS, &text, err, "flash probe 0") < 0)
        return err->hint[0] != '\0'
                   ? (int)err->code
                   : err_hint(err, "is 'target' under openocd the right script for this chip?");
    FIND(v, "%.*s", (int)strcspn(buf_text(&text), "\r\n"), buf_text(&text));
    return 0;
}

static int see_agent(struct visit *v, struct err *err)
{
    const struct wire_hello *hello;

    openocd_close(v->openocd);
    v->openocd = NULL;
    vboard_close(v->vboard);
    v->vboard = NULL;
    lease_release(v->lease);
    v->lease = NULL;
    if (session_open(v->board, &v->session_options, NULL, &v->session, err) < 0)
        return (int)err->code;
    hello = client_hello(session_client(v->session));
    FIND(v, "flashed by %s, answers over %s; slot of %u bytes, arena of %u",
         v->board->flashing.method, v->board->transport.kind, hello->slot_size, hello->arena_size);
    return 0;
}

static int see_clock(struct visit *v, struct err *err)
{
    struct client *c = session_client(v->session);
    const uint32_t hz = client_hello(c)->tick_hz;
    struct client_time first;
    struct client_time last;
    double ns;
    double slow;
    double fast;

    if (hz == 0) {
        (void)err_set(err, ERR_LAB, "the agent found no counter that counts");
        return err_hint(err, "the part needs a timer in its board file (agents/core/PORTING.md)");
    }
    if (client_time(c, &first, err) < 0)
        return (int)err->code;
    clock_sleep_ms(300);
    if (client_time(c, &last, err) < 0)
        return (int)err->code;
    ns = (double)(last.ticks - first.ticks) / hz * 1e9;
    /* The counter was read at some time between question and answer. */
    slow = ns / (double)(last.after_ns - first.before_ns);
    fast = ns / (double)(last.before_ns - first.after_ns);
    FIND(v, "%u Hz", hz);
    if (v->board->realm == REALM_VIRTUAL || (fast > 0.98 && slow < 1.02))
        return 0;
    (void)err_set(err, ERR_LAB, "the board's clock runs at %.3f to %.3f of what the agent says",
                  slow, fast);
    return err_hint(err, "check 'clock' in %s", v->board->path);
}

static int see_link(struct visit *v, struct err *err)
{
    struct client *c = session_client(v->session);
    static uint8_t bytes[LINK_BYTES];
    const struct client_write write = {
        .object = WIRE_OBJECT_SINK, .data = bytes, .size = sizeof(bytes), .verify = true};
    const uint64_t start = clock_monotonic_ns();
    struct client_counts counts;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    if (client_write(c, &write, err) < 0)
        return (int)err->code;
    counts = client_counts(c);
    FIND(v, "%.1f KiB/s, %llu retries, %llu stretches of garbage",
         LINK_BYTES / 1024.0 / ((double)(clock_monotonic_ns() - start) / 1e9),
         (unsigned long long)counts.retries, (unsigned long long)counts.garbage);
    return 0;
}

/* Samples of a moment; their mean, and how many were lost. */
static int listen_to(struct visit *v, struct meter *m, struct err *err)
{
    const struct deadline end = deadline_in_ms(METER_MS);
    double sum = 0;
    size_t count = 0;
    int r = 0;

    while (count < METER_SAMPLES && r == 0 && !deadline_passed(end)) {
        struct meter_block block = {.count = 0};

        r = meter_read(m, METER_MS / 10, &block, err);
        for (size_t i = 0; r == 0 && i < block.count; i++) {
            if (!isnan(block.current_a[i])) {
                sum += (double)block.current_a[i];
                count++;
            }
        }
    }
    if (r < 0)
        return r;
    if (count == 0) {
        (void)err_set(err, ERR_METER, "it is open, and sends no sample");
        return err_hint(err, "unplug it and plug it in again; is another program reading it?");
    }
    FIND(v, "%s%s%s, %.3f mA over %zu samples", m->info.model, m->info.serial[0] != '\0' ? " " : "",
         m->info.serial, sum / (double)count * 1e3, count);
    return 0;
}

static int see_meter(struct visit *v, struct err *err)
{
    static const struct suite_energy energy = {.windows = 1};
    struct instrument *i = NULL;
    struct meter *m;
    char path[1024];

    if (v->board->meter == NULL &&
        !instrument_edges(v->board, v->session_options.run_dir, path, sizeof(path)))
        return 1;
    if (session_instrument(v->session, &energy, &i, err) < 0)
        return err->hint[0] != '\0' ? (int)err->code
                                    : err_hint(err, "see 'meters' in the lab file: is it plugged "
                                                    "in, and is 'where' its port?");
    m = instrument_meter(i);
    if (!m->info.samples) {
        FIND(v, "%s, an integrator, is open", m->info.model);
        return 0;
    }
    if (meter_start(m, err) < 0)
        return (int)err->code;
    return listen_to(v, m, err) < 0 ? (int)err->code : meter_stop(m, err);
}

static const struct {
    const char *name;
    int (*see)(struct visit *v, struct err *err);
} steps[] = {
    {"power", see_power}, {"adapter", see_adapter}, {"chip", see_chip},
    {"core", see_core},   {"flash", see_flash},     {"agent", see_agent},
    {"clock", see_clock}, {"link", see_link},       {"meter", see_meter},
};

static int walk(struct visit *v, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        AUTO_BUF finding = BUF_INIT; /* it may hold bytes of a board or an instrument */
        int r;

        v->finding[0] = '\0';
        r = steps[i].see(v, err);
        text_escape(&finding, v->finding, strlen(v->finding));
        if (r < 0) {
            (void)printf("%-8s BROKEN\n", steps[i].name);
            return err_in(err, "%s", steps[i].name);
        }
        if (r == 0)
            (void)printf("%-8s ok      %s\n", steps[i].name, buf_text(&finding));
        else
            (void)printf("%-8s -       not on this board\n", steps[i].name);
        (void)fflush(stdout);
    }
    return 0;
}

static int doctor_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct doctor_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(scratch_remove) struct scratch scratch = {.path = ""};
    AUTO(visit_release) struct visit v = {.board = NULL};
    char locks[256];

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0)
        return (int)err->code;
    v.lab = c.lab;
    if (boards_find(&c, argv[0], &v.board, err) < 0 || scratch_make(&scratch, err) < 0 ||
        lease_default_folder(locks, err) < 0)
        return (int)err->code;
    v.session_options = (struct session_options){
        .firmware_dir = c.paths.firmware,
        .vboard = c.paths.vboard,
        .agent_posix = c.paths.agent_posix,
        .vmeter = c.paths.vmeter,
        .lab = c.lab,
        .run_dir = scratch.path,
        .lock_dir = locks,
        .purpose = "doctor",
    };
    return walk(&v, err);
}

const struct verb verb_doctor = {
    .name = "doctor",
    .arguments = "BOARD",
    .summary = "walk from supply to meter and stop at the first that is broken",
    .details =
        "Power, adapter, chip, core, flash, agent, clock, link, meter. It switches the supply\n"
        "on, flashes the board as a run would and reads a thousand samples of its meter.\n"
        "Exit status: 0 all is well; 3 something is broken.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = doctor_run,
};
