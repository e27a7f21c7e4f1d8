#include "harness/nn/strips_chain.h"

#include <string.h>

#define NO_WINDOW UINT8_MAX

/* ---- which steps run together ---- */

static uint8_t window_of(const struct chain *c, uint32_t buffer)
{
    for (uint32_t i = 0; i < c->window_count; i++) {
        if (c->windows[i].buffer == buffer)
            return (uint8_t)i;
    }
    return NO_WINDOW;
}

bool chain_owns(const struct chain *c, uint32_t buffer)
{
    return window_of(c, buffer) != NO_WINDOW;
}

/* Rows of the image that a step on plain elements works on. */
static uint32_t image_rows(const struct nn_lower *l, const struct chain *c, const struct nn_step *s)
{
    const struct nn_op *op = &l->graph->ops[s->op];

    if (s->rows)
        return s->rows;
    for (unsigned k = 0; k < s->span_count; k++) {
        const uint8_t w = window_of(c, s->spans[k].buffer);
        if (w != NO_WINDOW)
            return c->windows[w].rows;
    }
    if (op->output_count == 0)
        return 0;
    const struct nn_tensor *t = &l->graph->tensors[op->outputs[0]];
    return t->rank == 4 && t->dims[0] == 1 ? (uint32_t)t->dims[1] : 0;
}

/* The window of a tensor of such rows; NO_WINDOW when the chain sees the tensor otherwise. */
static uint8_t take_window(struct chain *c, uint32_t buffer, uint32_t rows, uint32_t row_bytes)
{
    const uint8_t i = window_of(c, buffer);

    if (i != NO_WINDOW) {
        const struct chain_window *w = &c->windows[i];
        return w->rows == rows && w->row_bytes == row_bytes ? i : NO_WINDOW;
    }
    c->windows[c->window_count] =
        (struct chain_window){.buffer = buffer, .rows = rows, .row_bytes = row_bytes};
    return (uint8_t)c->window_count++;
}

static bool is_row_span(const struct strip_rows *r, unsigned span)
{
    return span == r->out || span == r->in[0] || (r->inputs > 1 && span == r->in[1]);
}

/* No tensor that some operator sees in rows is read by one up to `last` as a whole. */
static bool others_fit(const struct nn_lower *l, const struct chain *c, uint32_t last)
{
    for (uint32_t i = 0; i <= last; i++) {
        const struct nn_step *s = &l->steps[c->first + i];
        for (unsigned k = 0; k < s->span_count; k++) {
            if (!is_row_span(&c->ops[i].rows, k) && chain_owns(c, s->spans[k].buffer))
                return false;
        }
    }
    return true;
}

static bool add_op(const struct nn_lower *l, struct chain *c, const struct nn_step *s)
{
    struct chain_op *op = &c->ops[c->count];
    const struct strip_rows *r = &op->rows;

    if (!rows_of_step(l, s, image_rows(l, c, s), &op->rows))
        return false;
    for (unsigned k = 0; k < r->inputs; k++) {
        op->in[k] = take_window(c, s->spans[r->in[k]].buffer, r->in_h, r->in_bytes[k]);
        if (op->in[k] == NO_WINDOW)
            return false;
        c->windows[op->in[k]].read = true;
    }
    op->out = take_window(c, s->spans[r->out].buffer, r->out_h, r->out_bytes);
    if (op->out == NO_WINDOW)
        return false;
    struct chain_window *out = &c->windows[op->out];
    /* All of it must be written before it is read. */
    if (out->read || !others_fit(l, c, c->count))
        return false;
    if (!out->made)
        out->first_writer = (uint8_t)c->count;
    out->made = true;
    out->last_writer = (uint8_t)c->count;
    op->windows = (uint8_t)c->window_count;
    return true;
}

uint32_t chain_find(const struct nn_lower *l, uint32_t first, struct chain *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->first = first;
    while (ret->count < CHAIN_MAX && first + ret->count < l->step_count &&
           add_op(l, ret, &l->steps[first + ret->count]))
        ret->count++;
    return ret->count;
}

/* What `n` operators make of the windows, whatever came after them in the chain. */
static void see_windows(struct chain *c)
{
    for (uint32_t i = 0; i < c->window_count; i++)
        c->windows[i].made = c->windows[i].read = false;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct chain_op *op = &c->ops[i];
        for (unsigned k = 0; k < op->rows.inputs; k++)
            c->windows[op->in[k]].read = true;
        c->windows[op->out].made = true;
        c->windows[op->out].last_writer = (uint8_t)i;
    }
}

void chain_take(const struct nn_lower *l, const struct chain *found, uint32_t n, uint32_t parts,
                struct chain *ret)
{
    *ret = *found;
    ret->count = n;
    ret->window_count = ret->ops[n - 1].windows;
    see_windows(ret);
    for (uint32_t i = 0; i < ret->window_count; i++) {
        struct chain_window *w = &ret->windows[i];
        const struct nn_buffer *b = &l->buffers[w->buffer];
        w->dies = !b->data && !b->variable && b->last < ret->first + n;
        w->fresh = !b->variable && b->first >= ret->first;
        w->whole = !w->made || !w->dies || !w->fresh;
    }
    const uint32_t rows = ret->ops[n - 1].rows.out_h;
    ret->parts = parts < rows ? parts : rows;
}

/* ---- the strips ---- */

struct progress {
    struct chain *c;
    uint32_t op_done[CHAIN_MAX];
    uint32_t done[CHAIN_WINDOWS], base[CHAIN_WINDOWS], target[CHAIN_WINDOWS];
    uint32_t written[CHAIN_WINDOWS]; /* bytes from the start */
};

/* The first row that somebody in the chain still reads. */
static uint32_t still_needed(const struct progress *p, uint32_t window)
{
    uint32_t need = p->done[window];

    for (uint32_t i = 0; i < p->c->count; i++) {
        const struct chain_op *op = &p->c->ops[i];
        for (unsigned k = 0; k < op->rows.inputs; k++) {
            if (op->in[k] != window || p->op_done[i] >= op->rows.out_h)
                continue;
            const uint32_t low = rows_low(&op->rows, p->op_done[i]);
            need = low < need ? low : need;
        }
    }
    return need;
}

/* Rows that are still needed move to the front of the output's buffer, before it grows. */
static void make_room(struct progress *p, struct chain_strip *s)
{
    const uint32_t out = p->c->ops[s->op].out;
    struct chain_window *w = &p->c->windows[out];

    if (!w->whole && w->first_writer == s->op) {
        const uint32_t need = still_needed(p, out);
        if (need > p->base[out]) {
            s->move = need - p->base[out];
            s->keep = p->done[out] - need;
            p->base[out] = need;
        }
        const uint32_t held = p->target[out] - p->base[out];
        w->capacity = held > w->capacity ? held : w->capacity;
    }
    s->at = s->part.from - p->base[out];
}

bool chain_may_share(const struct chain *c, uint32_t out, uint32_t in)
{
    const struct chain_window *o = &c->windows[out], *i = &c->windows[in];

    return out != in && o->whole && o->made && o->fresh && i->whole && i->dies;
}

static void narrow(struct progress *p, uint32_t out, uint32_t in, int64_t slack)
{
    int32_t *least = &p->c->slack[out][in];

    slack = slack < INT32_MIN / 2 ? INT32_MIN / 2 : slack;
    *least = slack < *least ? (int32_t)slack : *least;
}

/* What the strip reads must not have been overwritten before, nor by itself. */
static void narrow_slack(struct progress *p, const struct chain_strip *s)
{
    const struct chain_op *op = &p->c->ops[s->op];

    for (unsigned k = 0; k < op->rows.inputs; k++) {
        const int64_t read = (int64_t)s->part.low * op->rows.in_bytes[k];
        for (uint32_t out = 0; out < p->c->window_count; out++) {
            if (!chain_may_share(p->c, out, op->in[k]))
                continue;
            narrow(p, out, op->in[k], read - p->written[out]);
            if (out == op->out)
                narrow(p, out, op->in[k],
                       read - (int64_t)(op->rows.in_place ? s->part.from : s->part.to) *
                                  op->rows.out_bytes);
        }
    }
}

static bool run_op(struct progress *p, uint32_t i, struct chain_visit *visit)
{
    const struct chain_op *op = &p->c->ops[i];
    struct chain_strip s = {.op = i, .part = {.from = p->op_done[i], .to = p->target[op->out]}};

    if (s.part.to <= s.part.from)
        return true;
    s.part.low = rows_low(&op->rows, s.part.from);
    s.part.high = rows_high(&op->rows, s.part.to);
    if (s.part.low >= s.part.high)
        return false;
    for (unsigned k = 0; k < op->rows.inputs; k++)
        s.base[k] = p->base[op->in[k]];
    make_room(p, &s);
    narrow_slack(p, &s);
    p->c->steps += s.keep ? 2 : 1;
    if (visit)
        visit->strip(visit, &s);
    p->op_done[i] = s.part.to;
    p->written[op->out] = s.part.to * op->rows.out_bytes;
    if (p->c->windows[op->out].last_writer == i)
        p->done[op->out] = s.part.to;
    return true;
}

/* How far the output of operator i goes in strip k, when its readers have said what they need. */
static uint32_t target_of(const struct progress *p, uint32_t i, uint32_t k)
{
    const struct chain *c = p->c;
    const struct chain_window *w = &c->windows[c->ops[i].out];

    if (!w->read)
        return (uint32_t)((uint64_t)w->rows * (k + 1) / c->parts);
    return w->whole && k + 1 == c->parts ? w->rows : p->target[c->ops[i].out];
}

static void set_targets(struct progress *p, uint32_t k)
{
    memcpy(p->target, p->done, sizeof p->target);
    for (uint32_t i = p->c->count; i-- > 0;) {
        const struct chain_op *op = &p->c->ops[i];
        const uint32_t to = target_of(p, i, k);
        p->target[op->out] = to;
        if (to <= p->op_done[i])
            continue;
        const uint32_t need = rows_high(&op->rows, to);
        for (unsigned n = 0; n < op->rows.inputs; n++) {
            uint32_t *target = &p->target[op->in[n]];
            *target = need > *target ? need : *target;
        }
    }
}

bool chain_schedule(struct chain *c, struct chain_visit *visit)
{
    struct progress p = {.c = c};

    c->steps = 0;
    for (uint32_t i = 0; i < c->window_count; i++) {
        c->windows[i].capacity = 0;
        for (uint32_t k = 0; k < c->window_count; k++)
            c->slack[i][k] = INT32_MAX / 2;
    }
    for (uint32_t k = 0; k < c->parts; k++) {
        set_targets(&p, k);
        for (uint32_t i = 0; i < c->count; i++) {
            if (!run_op(&p, i, visit))
                return false;
        }
    }
    return true;
}

/* ---- new steps ---- */

struct splitter {
    struct chain_visit visit; /* must be first */
    struct nn_lower *l;
    const struct chain *chain;
    const struct nn_step *old; /* the chain's steps */
    uint32_t buffers[CHAIN_WINDOWS];
};

static struct nn_step *push(struct nn_lower *l, const struct nn_step *s)
{
    struct nn_step *new = ARENA_PUSH(l->arena, l->steps, l->step_count, l->step_capacity);

    *new = *s;
    return new;
}

/* keep rows, from row `move` of the buffer to its front. */
static void push_move(struct splitter *x, const struct chain_strip *s)
{
    const struct chain_op *op = &x->chain->ops[s->op];
    const uint32_t row = op->rows.out_bytes, buffer = x->buffers[op->out];
    const struct kernel_copy p = {.run = s->keep * row};
    struct nn_step step = {.kind = KERNEL_COPY,
                           .variant = KERNEL_REF,
                           .plain = true,
                           .op = x->old[s->op].op,
                           .part = true,
                           .params = arena_dup(x->l->arena, &p, sizeof p),
                           .params_size = sizeof p};

    lower_span(&step, (struct nn_span){buffer, s->move * row, s->keep * row});
    lower_span(&step, (struct nn_span){buffer, 0, s->keep * row});
    push(x->l, &step);
}

static void push_strip(struct chain_visit *v, const struct chain_strip *s)
{
    struct splitter *x = (struct splitter *)v;
    const struct chain_op *op = &x->chain->ops[s->op];
    const struct strip_rows *r = &op->rows;

    if (s->keep)
        push_move(x, s);
    struct nn_step *new = push(x->l, &x->old[s->op]);
    rows_cut(x->l, new, r, &s->part);
    for (unsigned k = 0; k < r->inputs; k++)
        new->spans[r->in[k]] =
            (struct nn_span){x->buffers[op->in[k]], (s->part.low - s->base[k]) * r->in_bytes[k],
                             (s->part.high - s->part.low) * r->in_bytes[k]};
    new->spans[r->out] = (struct nn_span){x->buffers[op->out], s->at * r->out_bytes,
                                          (s->part.to - s->part.from) * r->out_bytes};
}

/* Like the steps, in a new array: other attempts at the model hold on to the old one. */
static void push_overlaps(struct nn_lower *l, const struct chain *c)
{
    const struct nn_overlap *old = l->overlaps;
    const size_t count = l->overlap_count;

    l->overlaps = NULL;
    l->overlap_count = l->overlap_capacity = 0;
    for (size_t i = 0; i < count; i++)
        *ARENA_PUSH(l->arena, l->overlaps, l->overlap_count, l->overlap_capacity) = old[i];
    for (uint32_t out = 0; out < c->window_count; out++) {
        for (uint32_t in = 0; in < c->window_count; in++) {
            if (chain_may_share(c, out, in))
                *ARENA_PUSH(l->arena, l->overlaps, l->overlap_count, l->overlap_capacity) =
                    (struct nn_overlap){.out = c->windows[out].buffer,
                                        .in = c->windows[in].buffer,
                                        .slack = c->slack[out][in]};
        }
    }
}

bool chain_split(struct nn_lower *l, struct chain *c)
{
    const struct nn_step *old = l->steps;
    const size_t count = l->step_count;
    struct splitter x = {.visit = {push_strip}, .l = l, .chain = c, .old = &old[c->first]};

    for (uint32_t i = 0; i < c->window_count; i++) {
        const struct chain_window *w = &c->windows[i];
        x.buffers[i] =
            w->whole ? w->buffer
                     : lower_scratch(l, l->buffers[w->buffer].name, w->capacity * w->row_bytes, 4)
                           .buffer;
    }
    l->steps = NULL;
    l->step_count = l->step_capacity = 0;
    for (uint32_t i = 0; i < c->first; i++)
        push(l, &old[i]);
    if (!chain_schedule(c, &x.visit))
        return false; /* it was tried before: cannot be */
    for (size_t i = c->first + c->count; i < count; i++)
        push(l, &old[i]);
    push_overlaps(l, c);
    return true;
}
