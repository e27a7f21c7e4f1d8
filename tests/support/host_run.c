#include "tests/support/host_run.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/opgen.h"

extern const struct engine engine_tiny;

int host_run_open(struct host_run *r, const void *tflite, size_t size,
                  const struct nn_target *target, struct err *err)
{
    *r = (struct host_run){.image = BUF_INIT};
    if (nn_compile(tflite, size, target, &r->image, &r->report, err) < 0)
        return err->code;
    size_t arena = (r->report.arena_bytes + 15u) & ~15u;
    r->arena = aligned_alloc(16, arena ? arena : 16);
    if (!r->arena)
        abort();
    memset(r->arena, 0xa5, arena); /* nothing may rely on what was there */
    r->model = (struct engine_model){.image = (const uint8_t *)r->image.data,
                                     .image_size = (uint32_t)r->image.len,
                                     .arena = r->arena,
                                     .arena_size = r->report.arena_bytes};
    enum engine_status status = engine_tiny.load(&r->model);
    if (status != ENGINE_OK)
        return err_set(err, ERR_BUG, "the engine refuses the image: status %d, detail %u",
                       (int)status, r->model.detail);
    return 0;
}

size_t host_run_input_size(struct host_run *r)
{
    size_t n = 0;

    for (unsigned i = 0; i < r->model.inputs; i++)
        n += engine_tiny.tensor(&r->model, 0, i).size;
    return n;
}

void host_run_random_input(const struct nn_report *r, uint32_t seed, struct buf *in)
{
    uint32_t state = seed * 747796405u | 1;

    for (size_t i = 0; i < r->input_count; i++) {
        const struct nn_report_tensor *t = &r->inputs[i];
        for (uint32_t k = 0; k < t->size; k += t->type == NN_FLOAT32 ? 4 : 1) {
            uint32_t bits = opgen_random(&state);
            float f = (float)(int32_t)bits / 2147483648.0f * (bits % 7 ? 3.0f : 300.0f);
            if (t->type == NN_FLOAT32)
                buf_append(in, &f, sizeof f);
            else
                buf_putc(in, (char)(bits >> 24));
        }
    }
}

int host_run_infer(struct host_run *r, const void *in, size_t in_size, struct buf *out)
{
    const uint8_t *from = in;

    if (in_size != host_run_input_size(r))
        return 0;
    for (unsigned i = 0; i < r->model.inputs; i++) {
        struct engine_tensor t = engine_tiny.tensor(&r->model, 0, i);
        memcpy(t.data, from, t.size);
        from += t.size;
    }
    engine_tiny.invoke(&r->model);
    for (unsigned i = 0; i < r->model.outputs; i++) {
        struct engine_tensor t = engine_tiny.tensor(&r->model, 1, i);
        buf_append(out, t.data, t.size);
    }
    return 1;
}

void host_run_close(struct host_run *r)
{
    buf_release(&r->image);
    nn_report_release(&r->report);
    free(r->arena);
}
