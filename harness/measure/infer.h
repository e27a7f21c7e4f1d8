/*
 * Single inferences on any board, for people who look into a model: no windows, no store. Each one
 * starts from the state after load.
 */
#ifndef HARNESS_MEASURE_INFER_H
#define HARNESS_MEASURE_INFER_H

#include "harness/base/buf.h"
#include "harness/lab/session.h"
#include "harness/nn/nn.h"
#include "harness/spec/names.h"

struct infer_request {
    const struct board *board;
    const char *engine;
    const char *model; /* path */
    const struct session_options *session;
};

struct infer;

/*
 * Opens the board, compiles for the kernels that its agent holds, places and loads. Whether the model
 * fits there at all is for the caller to find out before.
 */
int infer_open(const struct infer_request *request, struct infer **ret, struct err *err) MUST_CHECK;
void infer_close(struct infer *i); /* NULL is fine */
DEFINE_AUTO(struct infer, infer_close)

/* NULL when the engine reads model files itself. */
const struct nn_report *infer_report(const struct infer *i);
enum unit infer_unit(const struct infer *i);

/*
 * One inference. `in` holds all inputs one after the other and is called `name` in errors; outputs
 * are appended to ret_out, its cost (one cold inference) goes to ret_cost.
 */
int infer_run(struct infer *i, const struct buf *in, const char *name, struct buf *ret_out,
              double *ret_cost, struct err *err) MUST_CHECK;

/* One row for each operator of the engine, with the inputs of the last run; ops as loaded. */
unsigned infer_ops(const struct infer *i);
int infer_profile(struct infer *i, double *ret_costs, struct err *err) MUST_CHECK;

#endif
