/* The five functions between tinyrig and the example runtime: a pattern for others. */
#include "agents/engines/engine.h"
#include "agents/engines/foreign/exn.h"

/* The runtime's own state lies at the start of the arena, its memory behind it. */
static struct exn_net *net_of(const struct engine_model *m)
{
    return (struct exn_net *)(void *)m->arena;
}

static enum engine_status exn_load(struct engine_model *m)
{
    size_t memory = exn_memory(m->image, m->image_size);

    if (memory == 0)
        return ENGINE_BAD_IMAGE;
    m->detail = (uint32_t)(sizeof(struct exn_net) + memory);
    if (m->detail > m->arena_size)
        return ENGINE_NO_SPACE;
    if (exn_open(net_of(m), m->image, m->image_size, m->arena + sizeof(struct exn_net)) != 0)
        return ENGINE_BAD_IMAGE;
    m->arena_used = m->detail;
    m->inputs = 1;
    m->outputs = 1;
    return ENGINE_OK;
}

static struct engine_tensor exn_tensor(struct engine_model *m, int output, unsigned index)
{
    const struct exn_net *net = net_of(m);
    struct engine_tensor t = {output ? net->out : net->in, output ? net->outputs : net->inputs,
                              ENGINE_INT8};

    if (index != 0)
        t.size = 0;
    return t;
}

static enum engine_status exn_invoke(struct engine_model *m)
{
    exn_run(net_of(m));
    return ENGINE_OK;
}

static enum engine_status exn_reset(struct engine_model *m)
{
    (void)m; /* it keeps nothing between runs */
    return ENGINE_OK;
}

const struct engine engine_foreign = {
    .name = "exn",
    .version = 1,
    .load = exn_load,
    .tensor = exn_tensor,
    .invoke = exn_invoke,
    .reset = exn_reset,
    .profile = NULL, /* the fifth: it cannot tell its operators apart */
};
