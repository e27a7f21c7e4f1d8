/* The engine of workloads: text to parameters, tensors in the arena, one function per run. */
#include "agents/engines/workload.h"

#include "agents/engines/engine.h"

static const struct workload *const workloads[] = {
#define X(name) &workload_##name,
    WORKLOADS(X)
#undef X
};

enum {
#define X(name) +1
    WORKLOAD_COUNT = WORKLOADS(X)
#undef X
};

/* At the start of the arena; input, output and state follow. */
struct layout {
    const struct workload *workload;
    uint32_t v[WORKLOAD_PARAMS];
    struct workload_sizes sizes;
};

struct text {
    const uint8_t *at, *end;
};

static int is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0;
}

static void skip_blanks(struct text *t)
{
    while (t->at != t->end && is_blank(*t->at))
        t->at++;
}

/* The text goes on with `name` and then with `after` (or, when that is 0, a blank or the end). */
static int take_word(struct text *t, const char *name, uint8_t after)
{
    const uint8_t *at = t->at;

    while (*name != '\0') {
        if (at == t->end || *at++ != (uint8_t)*name++)
            return 0;
    }
    if (after != 0 ? at == t->end || *at++ != after : at != t->end && !is_blank(*at))
        return 0;
    t->at = at;
    return 1;
}

static int take_number(struct text *t, uint32_t *ret)
{
    uint32_t n = 0;
    const uint8_t *start = t->at;

    while (t->at != t->end && *t->at >= '0' && *t->at <= '9') {
        if (n > (UINT32_MAX - 9) / 10)
            return 0;
        n = n * 10 + (uint32_t)(*t->at++ - '0');
    }
    *ret = n;
    return t->at != start && (t->at == t->end || is_blank(*t->at));
}

/* One key=value; 0 when there is no such parameter or the value is out of range. */
static int take_param(struct text *t, const struct workload *w, uint32_t *v)
{
    for (unsigned i = 0; i < WORKLOAD_PARAMS && w->params[i].name != 0; i++) {
        const struct workload_param *p = &w->params[i];
        if (take_word(t, p->name, '='))
            return take_number(t, &v[i]) && v[i] >= p->low && v[i] <= p->high;
    }
    return 0;
}

/* detail: where in the text it went wrong. */
static int read_text(struct engine_model *m, struct layout *l)
{
    struct text t = {m->image, m->image + m->image_size};
    int good = 0;

    l->workload = 0;
    skip_blanks(&t);
    for (unsigned i = 0; i < WORKLOAD_COUNT && l->workload == 0; i++) {
        if (take_word(&t, workloads[i]->name, 0))
            l->workload = workloads[i];
    }
    if (l->workload != 0) {
        for (unsigned i = 0; i < WORKLOAD_PARAMS; i++)
            l->v[i] = l->workload->params[i].initial;
        good = 1;
        for (skip_blanks(&t); good && t.at != t.end; skip_blanks(&t))
            good = take_param(&t, l->workload, l->v);
    }
    m->detail = (uint32_t)(t.at - m->image);
    return good;
}

static uint32_t rounded(uint32_t n)
{
    return (n + 3u) & ~3u;
}

static struct workload_run run_of(const struct engine_model *m)
{
    struct layout *l = (struct layout *)(void *)m->arena;
    uint8_t *in = m->arena + sizeof *l;

    return (struct workload_run){
        .v = l->v, .in = in, .out = in + l->sizes.in, .state = in + l->sizes.in + l->sizes.out};
}

static enum engine_status workload_reset(struct engine_model *m)
{
    struct layout *l = (struct layout *)(void *)m->arena;
    struct workload_run r = run_of(m);

    __builtin_memset(r.state, 0, l->sizes.state);
    if (l->workload->start != 0)
        l->workload->start(&r);
    return ENGINE_OK;
}

static enum engine_status workload_load(struct engine_model *m)
{
    struct layout *l = (struct layout *)(void *)m->arena;
    struct layout made;
    uint32_t need;

    if (!read_text(m, &made))
        return ENGINE_BAD_IMAGE;
    made.workload->sizes(made.v, &made.sizes);
    made.sizes.in = rounded(made.sizes.in);
    made.sizes.out = rounded(made.sizes.out);
    made.sizes.state = rounded(made.sizes.state);
    need = (uint32_t)sizeof *l + made.sizes.in + made.sizes.out + made.sizes.state;
    m->detail = need;
    if (need > m->arena_size || ((uintptr_t)m->arena & 3) != 0)
        return ENGINE_NO_SPACE;
    *l = made;
    m->detail = 0;
    m->arena_used = need;
    m->inputs = made.sizes.in != 0;
    m->outputs = 1;
    return workload_reset(m);
}

static struct engine_tensor workload_tensor(struct engine_model *m, int output, unsigned index)
{
    const struct layout *l = (const struct layout *)(void *)m->arena;
    uint8_t *in = m->arena + sizeof *l;
    struct engine_tensor t = {in, l->sizes.in, ENGINE_BYTES};

    if (output)
        t = (struct engine_tensor){in + l->sizes.in, l->sizes.out, ENGINE_BYTES};

    if (index != 0)
        t.size = 0;
    return t;
}

static enum engine_status workload_invoke(struct engine_model *m)
{
    const struct layout *l = (const struct layout *)(void *)m->arena;
    struct workload_run r = run_of(m);
    int failed = l->workload->run(&r);

    m->detail = (uint32_t)failed;
    return failed != 0 ? ENGINE_FAILED : ENGINE_OK;
}

const struct engine engine_workload = {
    .name = "workload",
    .version = 1,
    .load = workload_load,
    .tensor = workload_tensor,
    .invoke = workload_invoke,
    .reset = workload_reset,
};
