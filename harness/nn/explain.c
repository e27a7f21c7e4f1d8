#include "harness/nn/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"

#define NAME_WIDTH 40

/* At most NAME_WIDTH characters of a tensor's name, control characters made visible. */
static void append_name(struct buf *b, const char *name)
{
    size_t n = strlen(name);

    buf_putc(b, '\'');
    text_escape(b, name, n < NAME_WIDTH ? n : NAME_WIDTH);
    buf_puts(b, n < NAME_WIDTH ? "'" : "...'");
}

static void append_tensor(struct buf *b, const char *what, size_t i,
                          const struct nn_report_tensor *t)
{
    AUTO_BUF shape = BUF_INIT;

    for (unsigned d = 0; d < t->rank; d++)
        buf_printf(&shape, "%s%d", d ? "x" : "", t->dims[d]);
    buf_printf(b, "%s %zu: %s %s, %u B", what, i, nn_type_name((int)t->type), buf_text(&shape),
               t->size);
    if (t->scale > 0)
        buf_printf(b, ", scale %g, zero point %d", (double)t->scale, t->zero_point);
    buf_puts(b, "  ");
    append_name(b, t->name);
    buf_putc(b, '\n');
}

struct widths {
    int name, output, detail, kernel;
};

static int wider(int width, size_t n)
{
    return (int)n > width ? (int)n : width;
}

/* "CONV_S8/ref", "FILL/ref +1" when an operator takes more than one step, "-" for none. */
static void kernel_text(const struct nn_report *r, const struct nn_report_op *op, char text[64])
{
    if (op->steps == 0) {
        snprintf(text, 64, "-");
        return;
    }
    const struct nn_report_step *s = &r->steps[op->first_step];
    if (op->steps == 1)
        snprintf(text, 64, "%s/%s", s->kind_name, s->variant_name);
    else
        snprintf(text, 64, "%s/%s +%u", s->kind_name, s->variant_name, op->steps - 1);
}

static struct widths measure(const struct nn_report *r)
{
    struct widths w = {8, 6, 7, 6};
    char text[64];

    for (size_t i = 0; i < r->op_count; i++) {
        const struct nn_report_op *op = &r->ops[i];
        w.name = wider(w.name, strlen(op->name ? op->name : "?") + 4);
        w.output = wider(w.output, strlen(op->output));
        w.detail = wider(w.detail, strlen(op->detail));
        kernel_text(r, op, text);
        w.kernel = wider(w.kernel, strlen(text));
    }
    return w;
}

/* The most arena in use during the operator's steps. */
static uint32_t live_bytes(const struct nn_report *r, size_t index)
{
    const struct nn_report_op *op = &r->ops[index];
    uint32_t most = 0;

    for (size_t i = op->first_step; op->steps && i < r->step_count; i++) {
        if (r->steps[i].op == index && r->steps[i].live_bytes > most)
            most = r->steps[i].live_bytes;
    }
    return most;
}

static void append_op(struct buf *b, const struct nn_report *r, size_t i, const struct widths *w)
{
    const struct nn_report_op *op = &r->ops[i];
    char name[80], kernel[64];

    snprintf(name, sizeof name, "%s v%d", op->name ? op->name : "?", op->version);
    kernel_text(r, op, kernel);
    buf_printf(b, "%4zu  %-*s  %-*s  %-*s  %11" PRIu64 "  %8u  %-*s  %8u\n", i, w->name, name,
               w->output, op->output, w->detail, op->detail, op->macs, op->weight_bytes, w->kernel,
               kernel, live_bytes(r, i));
}

/* Where the arena is fullest: what to look at when it is too large. */
static void append_peak(struct buf *b, const struct nn_report *r)
{
    size_t peak = 0;

    for (size_t i = 1; i < r->step_count; i++)
        peak = r->steps[i].live_bytes > r->steps[peak].live_bytes ? i : peak;
    if (r->step_count == 0 || r->steps[peak].op >= r->op_count)
        return;
    const struct nn_report_op *op = &r->ops[r->steps[peak].op];
    buf_printf(b, "activation peak %u B, in operator %u %s\n", r->steps[peak].live_bytes,
               r->steps[peak].op, op->name ? op->name : "?");
}

static bool computes_reals(const struct nn_report *r)
{
    for (size_t i = 0; i < r->step_count; i++) {
        if (nn_step_is_float(&r->steps[i]))
            return true;
    }
    return false;
}

static bool in_strips(const struct nn_report *r, size_t op)
{
    for (size_t i = 0; i < r->step_count; i++) {
        if (r->steps[i].op == op && r->steps[i].part)
            return true;
    }
    return false;
}

/* "in strips of rows: operators 1 to 3, 5 to 8" */
static void append_strips(struct buf *b, const struct nn_report *r)
{
    const char *before = "in strips of rows: operators";

    for (size_t i = 0, end = 0; i < r->op_count; i = end + 1) {
        for (end = i; end < r->op_count && in_strips(r, end); end++) {
        }
        if (end == i)
            continue;
        buf_printf(b, "%s %zu to %zu", before, i, end - 1);
        before = ",";
    }
    if (*before == ',')
        buf_putc(b, '\n');
    if (r->recomputed_macs)
        buf_printf(b, "in tiles: %llu MACs (%.1f %%) are done twice, where tiles meet\n",
                   (unsigned long long)r->recomputed_macs,
                   100.0 * (double)r->recomputed_macs / (double)r->macs);
}

void nn_explain_text(const struct nn_report *r, const char *name, struct buf *b)
{
    struct widths w = measure(r);
    char macs[32];

    text_format_count((double)r->macs, macs);
    buf_printf(b, "%s: %zu operators, %s MACs, %u B of weights\n", name, r->op_count, macs,
               r->weight_bytes);
    if (computes_reals(r))
        buf_puts(b, "computes in float32: for cores that have an FPU\n");
    buf_printf(b, "image %u B, arena %u B", r->image_bytes, r->arena_bytes);
    if (r->arena_bound < r->arena_bytes)
        buf_printf(b, " (no plan in this order needs less than %u B)", r->arena_bound);
    buf_putc(b, '\n');
    append_peak(b, r);
    append_strips(b, r);
    for (size_t i = 0; i < r->input_count; i++)
        append_tensor(b, "input", i, &r->inputs[i]);
    for (size_t i = 0; i < r->output_count; i++)
        append_tensor(b, "output", i, &r->outputs[i]);
    buf_printf(b, "\n%4s  %-*s  %-*s  %-*s  %11s  %8s  %-*s  %8s\n", "#", w.name, "operator",
               w.output, "output", w.detail, "details", "MACs", "weights", w.kernel, "kernel",
               "arena");
    for (size_t i = 0; i < r->op_count; i++)
        append_op(b, r, i, &w);
}
