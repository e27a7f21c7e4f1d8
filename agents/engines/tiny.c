/*
 * Our engine: a loop over the steps of a model image (see image.h). It keeps no state of its own,
 * so the whole arena belongs to the model.
 *
 * load() trusts nothing in the image; what it accepts cannot make a kernel leave arena or image.
 * After it the image must not change (the core reloads after every write to the slot).
 */
#include "agents/engines/engine.h"
#include "agents/engines/image.h"
#include "agents/wire/wire.h"

#define TINY_VERSION 1

static const struct image_header *header_of(const struct engine_model *m)
{
    return (const struct image_header *)m->image;
}

/* [offset, offset + size) lies in [0, limit). */
static int inside(uint32_t offset, uint32_t size, uint32_t limit)
{
    return offset <= limit && size <= limit - offset;
}

static const struct image_tensor *tensors_of(const struct engine_model *m)
{
    return (const struct image_tensor *)(m->image + sizeof(struct image_header));
}

static const struct image_variable *variables_of(const struct engine_model *m)
{
    const struct image_header *h = header_of(m);

    return (const struct image_variable *)(tensors_of(m) + h->inputs + h->outputs);
}

static int header_good(const struct engine_model *m)
{
    const struct image_header *h = header_of(m);
    uint32_t checked = offsetof(struct image_header, arena_size);

    if (m->image_size < sizeof *h || h->magic != IMAGE_MAGIC || h->version != IMAGE_VERSION ||
        h->header_size != sizeof *h || h->size < sizeof *h || h->size > m->image_size)
        return 0;
    if (wire_crc32(0, m->image + checked, h->size - checked) != h->crc32)
        return 0;
    uint32_t tables = sizeof *h + (uint32_t)(h->inputs + h->outputs) * sizeof(struct image_tensor) +
                      (uint32_t)h->variables * sizeof(struct image_variable);
    return tables <= h->steps_at && h->steps_at <= h->steps_end && h->steps_end <= h->size &&
           h->steps_at % 4 == 0 && h->steps_end % 4 == 0;
}

static int tables_good(const struct engine_model *m)
{
    const struct image_header *h = header_of(m);
    const struct image_tensor *t = tensors_of(m);
    const struct image_variable *v = variables_of(m);

    for (uint32_t i = 0; i < (uint32_t)h->inputs + h->outputs; i++) {
        if (!inside(t[i].offset, t[i].size, h->arena_size))
            return 0;
    }
    for (uint32_t i = 0; i < h->variables; i++) {
        if (!inside(v[i].offset, v[i].size, h->arena_size) ||
            (!(v[i].init & IMAGE_FILL) && !inside(v[i].init, v[i].size, h->size)))
            return 0;
    }
    return 1;
}

/*
 * The kernel that runs a step. LOAD's options, when not 0, are a mask of the variants that may
 * run: a step of another variant falls back to the reference if that can read its constants.
 */
static unsigned variant_of(const struct engine_model *m, const struct image_step *s)
{
    unsigned variant = s->variant;

    if (m->options == 0 || (m->options >> (variant & 31) & 1))
        return variant;
    if (!(s->flags & IMAGE_STEP_PLAIN) || !(m->options >> KERNEL_REF & 1))
        return KERNEL_VARIANT_COUNT; /* none */
    return KERNEL_REF;
}

static const struct kernel *kernel_of(const struct engine_model *m, const struct image_step *s)
{
    return kernel_find(variant_of(m, s), s->kind);
}

static int step_good(const struct engine_model *m, const struct image_step *s)
{
    const struct image_header *h = header_of(m);
    const struct kernel *k = kernel_of(m, s);
    const struct kernel_span *spans = (const struct kernel_span *)(s + 1);
    uint32_t need = sizeof *s + s->spans * sizeof *spans + kernel_params_size(s->kind);

    if (!k || s->spans != k->spans || s->spans > KERNEL_MAX_SPANS || (uint32_t)s->words * 4 < need)
        return 0;
    for (unsigned i = 0; i < s->spans; i++) {
        uint32_t where = spans[i].where & ~KERNEL_SPAN_CONST;
        int constant = (spans[i].where & KERNEL_SPAN_CONST) != 0;
        if (!inside(where, spans[i].size, constant ? h->size : h->arena_size) ||
            (constant && (k->writes >> i & 1)))
            return 0;
    }
    return k->check(spans + s->spans, spans);
}

static enum engine_status steps_check(struct engine_model *m)
{
    const struct image_header *h = header_of(m);
    uint32_t at = h->steps_at;

    for (uint32_t i = 0; i < h->steps; i++) {
        const struct image_step *s = (const struct image_step *)(m->image + at);
        m->detail = i;
        if (h->steps_end - at < sizeof *s || (uint32_t)s->words * 4 < sizeof *s ||
            (uint32_t)s->words * 4 > h->steps_end - at)
            return ENGINE_BAD_IMAGE;
        if (!step_good(m, s))
            return kernel_of(m, s) ? ENGINE_BAD_IMAGE : ENGINE_UNSUPPORTED;
        at += (uint32_t)s->words * 4;
    }
    m->detail = 0;
    return ENGINE_OK;
}

static enum engine_status tiny_reset(struct engine_model *m)
{
    const struct image_header *h = header_of(m);
    const struct image_variable *v = variables_of(m);

    for (uint32_t i = 0; i < h->variables; i++) {
        if (v[i].init & IMAGE_FILL)
            __builtin_memset(m->arena + v[i].offset, (int)(v[i].init & 0xff), v[i].size);
        else
            __builtin_memcpy(m->arena + v[i].offset, m->image + v[i].init, v[i].size);
    }
    return ENGINE_OK;
}

static enum engine_status tiny_load(struct engine_model *m)
{
    const struct image_header *h = header_of(m);

    m->detail = 0;
    if (((uintptr_t)m->image & 3) || !header_good(m) || !tables_good(m))
        return ENGINE_BAD_IMAGE;
    if (h->arena_size > m->arena_size || ((uintptr_t)m->arena & 3)) {
        m->detail = h->arena_size;
        return ENGINE_NO_SPACE;
    }
    enum engine_status status = steps_check(m);
    if (status != ENGINE_OK)
        return status;
    m->arena_used = h->arena_size;
    m->ops = h->steps;
    m->inputs = h->inputs;
    m->outputs = h->outputs;
    return tiny_reset(m);
}

static struct engine_tensor tiny_tensor(struct engine_model *m, int output, unsigned index)
{
    const struct image_header *h = header_of(m);
    struct engine_tensor none = {0, 0, 0};

    if (index >= (output ? h->outputs : h->inputs))
        return none;
    const struct image_tensor *t = tensors_of(m) + (output ? h->inputs : 0) + index;
    return (struct engine_tensor){m->arena + t->offset, t->size, t->type};
}

/* Made twice, so that an inference does not ask for a profile at every step. */
static inline __attribute__((always_inline)) enum engine_status run(struct engine_model *m,
                                                                    engine_profile_fn *after,
                                                                    void *context)
{
    static void *at[KERNEL_MAX_SPANS]; /* not on the stack, where it is needed least of all */
    const struct image_header *h = header_of(m);
    uint8_t *image = (uint8_t *)m->image, *arena = m->arena;
    const uint8_t *record = image + h->steps_at;

    for (uint32_t i = 0; i < h->steps; i++) {
        const struct image_step *s = (const struct image_step *)record;
        const struct kernel_span *span = (const struct kernel_span *)(s + 1);
        for (unsigned k = 0; k < s->spans; k++, span++)
            at[k] = (span->where & KERNEL_SPAN_CONST) ? image + (span->where & ~KERNEL_SPAN_CONST)
                                                      : arena + span->where;
        kernel_run_of(variant_of(m, s), s->kind)(span, at); /* load() has found it */
        if (after)
            after(context, (uint16_t)i, s->kind, s->variant);
        record += (uint32_t)s->words * 4;
    }
    return ENGINE_OK;
}

static enum engine_status tiny_invoke(struct engine_model *m)
{
    return run(m, 0, 0);
}

static enum engine_status tiny_profile(struct engine_model *m, engine_profile_fn *after,
                                       void *context)
{
    return run(m, after, context);
}

const struct engine engine_tiny = {
    .name = "tiny",
    .version = TINY_VERSION,
    .caps = KERNELS_NATIVE, /* what the host may choose from */
    .load = tiny_load,
    .tensor = tiny_tensor,
    .invoke = tiny_invoke,
    .reset = tiny_reset,
    .profile = tiny_profile,
};
