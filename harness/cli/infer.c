/* `tinyrig infer`: single inferences on one board, raw outputs to files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/boards.h"
#include "harness/cli/context.h"
#include "harness/cli/scratch.h"
#include "harness/cli/suite.h"
#include "harness/cli/verb.h"
#include "harness/lab/lease.h"
#include "harness/measure/infer.h"

enum {
    INPUT_FILE_MAX = 16 * 1024 * 1024
};

struct infer_arguments {
    struct common_options common;
    const char *board;
    const char *engine;
    struct option_strings inputs;
    const char *output;
    uint64_t wait_ns;
    bool profile;
};

static const struct option options[] = {
    {"board", 'b', OPTION_STRING, "NAME", "the board to run on (default: virt-posix)",
     offsetof(struct infer_arguments, board)},
    {"input", 'i', OPTION_STRINGS, "FILE",
     "raw inputs, one behind the other (may be given again: one inference each)",
     offsetof(struct infer_arguments, inputs)},
    {"output", 'o', OPTION_STRING, "DIR", "write raw outputs here, as NAME.out.bin",
     offsetof(struct infer_arguments, output)},
    {"profile", 0, OPTION_FLAG, NULL, "show the cost of each operator, with the last input",
     offsetof(struct infer_arguments, profile)},
    {"engine", 0, OPTION_STRING, "NAME", "which of the agent's engines (default: tiny)",
     offsetof(struct infer_arguments, engine)},
    {"wait", 0, OPTION_DURATION, "TIME", "wait so long for a board that others use",
     offsetof(struct infer_arguments, wait_ns), OPTION_WAIT_MAX},
    OPTION_LAB,
    {.name = NULL},
};

/* "dir/in00.bin" -> "in00" */
static const char *stem(const char *path, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');

    return dot == NULL || dot == name ? name : arena_strndup(arena, name, (size_t)(dot - name));
}

/* Two inputs must not write the same file. */
static int check_names(const struct infer_arguments *a, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < a->inputs.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(stem(a->inputs.values[i], arena), stem(a->inputs.values[k], arena)) == 0)
                return err_set(err, ERR_USAGE, "%s and %s would both be written to %s.out.bin",
                               a->inputs.values[k], a->inputs.values[i],
                               stem(a->inputs.values[i], arena));
        }
    }
    return 0;
}

static int run_input(const struct infer_arguments *a, struct infer *infer, const char *path,
                     struct arena *arena, struct err *err)
{
    AUTO_BUF in = BUF_INIT;
    AUTO_BUF out = BUF_INIT;
    double cost = 0;

    if (file_read(path, INPUT_FILE_MAX, &in, err) < 0 ||
        infer_run(infer, &in, path, &out, &cost, err) < 0)
        return (int)err->code;
    (void)printf("%s: %zu B of output, %.0f %s (cold)", path, out.len, cost,
                 unit_name(infer_unit(infer)));
    if (a->output != NULL) {
        const char *to = arena_printf(arena, "%s/%s.out.bin", a->output, stem(path, arena));

        if (file_write_atomic(to, out.data, out.len, err) < 0)
            return (int)err->code;
        (void)printf(" -> %s", to);
    }
    (void)putchar('\n');
    (void)fflush(stdout);
    return 0;
}

static void put_row(const struct nn_report *r, unsigned k, double cost, double total,
                    struct buf *out)
{
    const double share = total > 0 ? 100 * cost / total : 0;
    const struct nn_report_step *s;
    const struct nn_report_op *op;

    if (r == NULL || k >= r->step_count) {
        buf_printf(out, "%4u  %14.0f  %5.1f %%\n", k, cost, share);
        return;
    }
    s = &r->steps[k];
    op = &r->ops[s->op];
    buf_printf(out, "%4u  %14.0f  %5.1f %%  %3u %-20s %s/%s", k, cost, share, s->op,
               op->name != NULL ? op->name : "?", s->kind_name, s->variant_name);
    if (s->macs > 0)
        buf_printf(out, "  %llu MACs, %.2f each", (unsigned long long)s->macs,
                   cost / (double)s->macs);
    buf_putc(out, '\n');
}

static int show_profile(struct infer *infer, struct arena *arena, struct err *err)
{
    const unsigned ops = infer_ops(infer);
    double *costs = arena_alloc(arena, (ops + 1) * sizeof(costs[0]));
    AUTO_BUF out = BUF_INIT;
    double total = 0;

    if (ops == 0)
        return err_set(err, ERR_UNSUPPORTED, "this engine cannot tell its operators apart");
    if (infer_profile(infer, costs, err) < 0)
        return (int)err->code;
    for (unsigned k = 0; k < ops; k++)
        total += costs[k];
    buf_printf(&out, "\nstep  %14s    share  operator and kernel\n", unit_name(infer_unit(infer)));
    for (unsigned k = 0; k < ops; k++)
        put_row(infer_report(infer), k, costs[k], total, &out);
    (void)fputs(buf_text(&out), stdout);
    return 0;
}

static int infer_all(const struct infer_arguments *a, const struct infer_request *request,
                     struct context *c, struct err *err)
{
    struct arena *arena = &c->arena;
    AUTO(infer_close_auto) struct infer *infer = NULL;

    if (check_names(a, arena, err) < 0 ||
        suite_check_model(c, request->model, request->board, request->engine, err) < 0 ||
        (a->output != NULL && file_make_dirs(a->output, err) < 0) ||
        infer_open(request, &infer, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < a->inputs.count; i++) {
        if (run_input(a, infer, a->inputs.values[i], arena, err) < 0)
            return (int)err->code;
    }
    return a->profile ? show_profile(infer, arena, err) : 0;
}

static int infer_verb(void *arguments, int argc, char **argv, struct err *err)
{
    const struct infer_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(scratch_remove) struct scratch scratch = {.path = ""};
    char lock_dir[256];
    struct session_options session = {.purpose = "infer"};
    struct infer_request request = {.session = &session, .model = argv[0]};

    if (a->inputs.count == 0) {
        (void)err_set(err, ERR_USAGE, "no input is given");
        return err_hint(err, "add --input FILE (raw bytes of the model's inputs)");
    }
    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0)
        return (int)err->code;
    request.engine = a->engine != NULL ? a->engine : "tiny";
    if (boards_find(&c, a->board != NULL ? a->board : "virt-posix", &request.board, err) < 0 ||
        scratch_make(&scratch, err) < 0 || lease_default_folder(lock_dir, err) < 0)
        return (int)err->code;
    session.lab = c.lab;
    session.firmware_dir = c.paths.firmware;
    session.vboard = c.paths.vboard;
    session.agent_posix = c.paths.agent_posix;
    session.run_dir = scratch.path;
    session.lock_dir = lock_dir;
    session.wait_ms = (unsigned)(a->wait_ns / 1000000u);
    return infer_all(a, &request, &c, err);
}

const struct verb verb_infer = {
    .name = "infer",
    .arguments = "FILE.tflite",
    .summary = "run single inputs on a board and write the raw outputs",
    .details =
        "Every input starts from the state after load. Without --output only the cost is shown.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = infer_verb,
};
