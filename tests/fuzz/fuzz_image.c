/*
 * Model images nobody vouches for: what load() accepts must run inside arena and image. The CRC is
 * made right first, or nothing would get past it. A corpus of .tflite files is compiled first.
 */
#include <stdlib.h>
#include <string.h>

#include "agents/engines/image.h"
#include "agents/wire/wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/host_run.h"

extern const struct engine engine_tiny;

#define MAX_ARENA (1u << 18)

/* Multiply-accumulates that the steps would do, by their parameters; hostile ones can take hours. */
static uint64_t work(const struct engine_model *m)
{
    const struct image_header *h = (const struct image_header *)m->image;
    uint32_t at = h->steps_at;
    uint64_t sum = 0;

    for (unsigned i = 0; i < h->steps; i++) {
        const struct image_step *s = (const struct image_step *)(m->image + at);
        const struct kernel_span *spans = (const struct kernel_span *)(s + 1);
        const void *params = spans + s->spans;
        uint64_t cost = 0;
        for (unsigned k = 0; k < s->spans; k++)
            cost += spans[k].size;
        if (s->kind == KERNEL_CONV_S8 || s->kind == KERNEL_DEPTHWISE_S8) {
            const struct kernel_conv *p = params;
            uint64_t out = (uint64_t)p->batches * p->out_h * p->out_w;
            cost += (out + 1) * (p->out_c + 1u) * ((uint64_t)p->filter_h * p->filter_w + 1) *
                    (s->kind == KERNEL_CONV_S8 ? p->filter_c + 1u : 1);
        } else if (s->kind == KERNEL_FULLY_CONNECTED_S8) {
            const struct kernel_fully_connected *p = params;
            cost += (uint64_t)p->batches * p->in_n * p->out_n + p->batches;
        } else if (s->kind == KERNEL_AVERAGE_POOL_S8 || s->kind == KERNEL_MAX_POOL_S8) {
            const struct kernel_pool *p = params;
            cost += (uint64_t)p->batches * p->out_h * p->out_w * (p->c + 1u) * p->in_h * p->in_w;
        } else if (s->kind == KERNEL_COPY) {
            const struct kernel_copy *p = params;
            uint64_t runs = p->run + 1;
            for (unsigned k = 0; k < p->rank; k++)
                runs *= p->dims[k];
            cost += runs;
        } else if (s->kind == KERNEL_SOFTMAX_S8) {
            const struct kernel_softmax *p = params;
            cost += p->rows;
        }
        sum += cost;
        at += s->words * 4u;
    }
    return sum;
}

static void run_image(uint8_t *image, size_t size)
{
    struct image_header *h = (struct image_header *)image;
    size_t checked = offsetof(struct image_header, arena_size);

    if (size < sizeof *h)
        return;
    if (h->size <= size && h->size > checked)
        h->crc32 = wire_crc32(0, image + checked, h->size - checked);
    uint32_t arena_size = h->arena_size < MAX_ARENA ? h->arena_size : MAX_ARENA;
    size_t room = (arena_size + 31) & ~(size_t)15;
    uint8_t *arena = aligned_alloc(16, room);
    if (!arena)
        abort();
    /* The arena ends where its allocation ends, so that one byte more is seen. */
    uint8_t *base = arena + ((room - arena_size) & ~(size_t)3);
    struct engine_model m = {.image = image,
                             .image_size = (uint32_t)size,
                             .arena = base,
                             .arena_size = arena_size,
                             .options = size % 5 ? 0 : 1};
    if (engine_tiny.load(&m) == ENGINE_OK && work(&m) < 1000000) {
        memset(base, 0x5a, arena_size);
        engine_tiny.reset(&m);
        engine_tiny.invoke(&m);
    }
    free(arena);
}

void fuzz_prepare(struct buf *file)
{
    const struct nn_target target = {.variants = 0};
    struct buf image = BUF_INIT;
    struct err err = ERR_INIT;

    if (nn_compile(file->data, file->len, &target, &image, NULL, &err) < 0)
        return;
    buf_release(file);
    *file = image;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    run_image(copy, size);
    free(copy);
    return 0;
}
