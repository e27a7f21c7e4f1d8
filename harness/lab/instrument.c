#include "harness/lab/instrument.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/base/proc.h"
#include "harness/lab/lease.h"
#include "harness/lab/resources.h"
#include "harness/virtual/vmeter.h"

enum {
    PATH_SIZE = 1024,
    MUX_MS = 10000,
    ARGS_MAX = 32
};

struct instrument {
    struct lease *lease;
    struct vmeter *vmeter;
    struct meter *meter;
    char name[64];
    uint32_t voltage_uv; /* set now */
    uint32_t lab_uv;     /* as the lab file has it; 0: it does not say */
    uint32_t rate_hz;
    bool source;
};

bool instrument_edges(const struct board *board, const char *run_dir, char *path, size_t size)
{
    if (board->virt.kind == NULL || (board->virt.marker_set == 0 && board->virt.marker_pin == NULL))
        return false;
    return snprintf(path, size, "%s/%s.edges", run_dir, board->name) < (int)size;
}

/* ---- the emulated one ---- */

static int open_emulated(struct instrument *i, const struct instrument_options *o, struct err *err)
{
    const struct board *b = o->board;
    char edges[PATH_SIZE];
    char link[PATH_SIZE];
    const struct meter_config config = {.where = link, .serial = "EMULATED", .virtual_time = true};

    if (!instrument_edges(b, o->run_dir, edges, sizeof(edges)) ||
        snprintf(link, sizeof(link), "%s/%s.meter", o->run_dir, b->name) >= (int)sizeof(link))
        return err_set(err, ERR_METER, "this board has no marker, so no emulated meter");
    if (vmeter_open(
            &(struct vmeter_options){
                .board = b, .program = o->vmeter, .edges = edges, .link = link},
            &i->vmeter, err) < 0)
        return (int)err->code;
    i->source = true;
    (void)snprintf(i->name, sizeof(i->name), "emulated");
    if (meter_open(b->virt.meter.driver, &config, &i->meter, err) < 0)
        return (int)err->code;
    i->meter->info.emulated = true; /* whatever it says */
    return 0;
}

/* ---- a real one ---- */

static int run_mux(const struct lab_meter *m, const struct board *b, struct err *err)
{
    AUTO(proc_release) struct proc p = PROC_INIT;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *argv[ARGS_MAX] = {NULL};
    char how[64];
    int status = 0;

    if (m->mux == NULL)
        return 0;
    for (size_t i = 0; m->mux[i] != NULL && i + 1 < ARGS_MAX; i++)
        argv[i] = strcmp(m->mux[i], "{channel}") == 0 ? arena_printf(&arena, "%u", b->meter_channel)
                                                      : m->mux[i];
    if (proc_start(
            &p, &(struct proc_options){.argv = argv, .stdio = {PROC_NULL, PROC_NULL, PROC_INHERIT}},
            err) < 0)
        return err_in(err, "multiplexer");
    if (!proc_wait(&p, MUX_MS, &status))
        return err_set(err, ERR_METER, "multiplexer: %s does not end", argv[0]);
    proc_describe_status(status, how, sizeof(how));
    return status == 0 ? 0 : err_set(err, ERR_METER, "multiplexer: %s %s", argv[0], how);
}

static int take_lease(struct instrument *i, const struct instrument_options *o,
                      const struct lab_meter *m, struct err *err)
{
    struct resources r;

    if (resources_hold(o->held, m))
        return 0; /* taken together with the board */
    resources_of_meter(m, &r);
    return lease_take(o->lock_dir, r.list, r.count, o->purpose, o->wait_ms, &i->lease, err);
}

static int open_real(struct instrument *i, const struct instrument_options *o,
                     const struct lab_meter *m, struct err *err)
{
    const struct meter_config config = {.where = m->where, .serial = m->serial};

    i->source = m->mode != NULL && strcmp(m->mode, "source") == 0;
    i->lab_uv = m->voltage_uv;
    i->rate_hz = m->rate_hz;
    (void)snprintf(i->name, sizeof(i->name), "%s", m->name);
    if (take_lease(i, o, m, err) < 0 || run_mux(m, o->board, err) < 0)
        return (int)err->code;
    return meter_open(m->driver, &config, &i->meter, err);
}

/* ---- both ---- */

static int open_any(struct instrument *i, const struct instrument_options *o, struct err *err)
{
    const char *name = o->energy->meter != NULL ? o->energy->meter : o->board->meter;
    const struct lab_meter *m = lab_find_meter(o->lab, name);

    if (m != NULL)
        return open_real(i, o, m, err);
    if (o->board->virt.kind != NULL && o->energy->meter == NULL)
        return open_emulated(i, o, err);
    return err_set(err, ERR_CONFIG, "there is no meter '%s' in this lab", name != NULL ? name : "");
}

int instrument_set(struct instrument *i, const struct board *board,
                   const struct suite_energy *energy, struct err *err)
{
    i->voltage_uv = energy->voltage_uv != 0 ? energy->voltage_uv
                    : i->lab_uv != 0        ? i->lab_uv
                                            : board->voltage_uv;
    return meter_configure(i->meter,
                           &(struct meter_setup){.source = i->source,
                                                 .voltage_uv = i->voltage_uv,
                                                 .rate_hz = i->rate_hz},
                           err);
}

int instrument_open(const struct instrument_options *options, struct instrument **ret,
                    struct err *err)
{
    AUTO(instrument_close_auto) struct instrument *i = calloc(1, sizeof(*i));

    if (i == NULL)
        abort();
    if (open_any(i, options, err) < 0 ||
        instrument_set(i, options->board, options->energy, err) < 0)
        return (int)err->code;
    *ret = MOVE(i);
    return 0;
}

void instrument_close(struct instrument *i)
{
    if (i == NULL)
        return;
    meter_close(i->meter);
    vmeter_close(i->vmeter);
    lease_release(i->lease);
    free(i);
}

struct meter *instrument_meter(struct instrument *i)
{
    return i->meter;
}

const char *instrument_name(const struct instrument *i)
{
    return i->name;
}

uint32_t instrument_voltage_uv(const struct instrument *i)
{
    return i->voltage_uv;
}

bool instrument_source(const struct instrument *i)
{
    return i->source;
}
