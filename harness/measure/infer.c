#include "harness/measure/infer.h"

#include <stdlib.h>

#include "harness/measure/internal.h"
#include "harness/measure/tensors.h"

enum {
    ALLOWANCE_MS = 600000 /* nothing is known of the model's speed */
};

struct infer {
    struct session *session;
    struct buf image;
    struct nn_report report;
    bool has_report;
    struct wire_loaded loaded;
    struct timebase timebase;
};

static int compile(struct infer *i, const struct infer_request *r, uint32_t variants,
                   struct err *err)
{
    const int compiled = compile_for_engine(
        &(struct compile_request){
            .board = r->board, .engine = r->engine, .path = r->model, .variants = variants},
        &i->image, &i->report, err);
    i->has_report = compiled == 0;
    return compiled < 0 ? compiled : 0;
}

static int load(struct infer *i, const struct infer_request *r, struct err *err)
{
    struct client_engine about;
    struct client *client;
    unsigned engine = 0;
    int found;

    if (session_open(r->board, r->session, NULL, &i->session, err) < 0)
        return (int)err->code;
    client = session_client(i->session);
    found = client_find_engine(client, r->engine, &engine, err);
    if (found > 0)
        return err_set(err, ERR_UNSUPPORTED, "the agent of board '%s' has no engine '%s'",
                       r->board->name, r->engine);
    if (found < 0 || client_engine(client, engine, &about, err) < 0 ||
        compile(i, r, about.caps, err) < 0 ||
        timebase_make(r->board, client_hello(client)->tick_hz, &i->timebase, err) < 0 ||
        session_place_model(i->session, i->image.data, i->image.len, err) < 0)
        return (int)err->code;
    /* Not `client`: a slot that is written by flash means a reset and a session anew. */
    return client_load(session_client(i->session), engine, i->image.len, 0, &i->loaded, err);
}

int infer_open(const struct infer_request *request, struct infer **ret, struct err *err)
{
    AUTO(infer_close_auto) struct infer *i = calloc(1, sizeof(*i));

    if (i == NULL)
        abort();
    if (load(i, request, err) < 0)
        return (int)err->code;
    *ret = MOVE(i);
    return 0;
}

void infer_close(struct infer *i)
{
    if (i == NULL)
        return;
    session_close(i->session);
    buf_release(&i->image);
    if (i->has_report)
        nn_report_release(&i->report);
    free(i);
}

const struct nn_report *infer_report(const struct infer *i)
{
    return i->has_report ? &i->report : NULL;
}

enum unit infer_unit(const struct infer *i)
{
    return i->timebase.unit;
}

int infer_run(struct infer *i, const struct buf *in, const char *name, struct buf *ret_out,
              double *ret_cost, struct err *err)
{
    struct client *client = session_client(i->session);
    struct wire_record_info record = {0};
    const struct client_run run = {.inferences = 1,
                                   .windows = 1,
                                   .flags = WIRE_RUN_RESET | WIRE_RUN_COLD,
                                   .window_ms = ALLOWANCE_MS};

    if (tensors_write(client, i->loaded.inputs, in, name, err) < 0 ||
        client_run(client, &run, &record, err) < 0)
        return (int)err->code;
    *ret_cost = timebase_value(&i->timebase, record.ticks, client_hello(client)->tick_overhead);
    return tensors_read(client, i->loaded.outputs, ret_out, err);
}

unsigned infer_ops(const struct infer *i)
{
    return i->loaded.ops;
}

int infer_profile(struct infer *i, double *ret_costs, struct err *err)
{
    struct wire_profile_op *rows = calloc(i->loaded.ops + 1u, sizeof(*rows));
    int r;

    if (rows == NULL)
        abort();
    r = client_profile(session_client(i->session), i->loaded.ops, ALLOWANCE_MS, rows, err);
    for (unsigned k = 0; r == 0 && k < i->loaded.ops; k++)
        ret_costs[k] = timebase_value(&i->timebase, rows[k].ticks, 0);
    free(rows);
    return r;
}
