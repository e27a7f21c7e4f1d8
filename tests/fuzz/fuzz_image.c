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

static uint64_t product(const uint32_t *dims, unsigned rank)
{
    uint64_t n = 1;

    for (unsigned i = 0; i < rank && n < UINT32_MAX; i++)
        n *= dims[i];
    return n;
}

static uint64_t conv_work(const struct kernel_conv *p, bool depthwise)
{
    uint64_t out = (uint64_t)p->batches * p->out_h * p->out_w;

    return (out + 1) * (p->out_c + 1u) * ((uint64_t)p->filter_h * p->filter_w + 1) *
           (depthwise ? 1 : p->filter_c + 1u);
}

static uint64_t lstm_work(const struct kernel_lstm *p)
{
    uint64_t steps = (uint64_t)p->steps * p->batches;

    return steps * (p->units + 1u) > UINT32_MAX
               ? UINT64_MAX / 4
               : steps * (4 * p->units + 1) * ((uint64_t)p->in_n + p->units + 1);
}

static uint64_t matmul_work(const struct kernel_batch_matmul *p)
{
    uint64_t rows = product(p->batch_dims, 4) * (p->rows + 1ull);

    return rows > UINT32_MAX ? rows : rows * ((uint64_t)p->columns * p->depth + 1);
}

/* Multiply-accumulates of one step, by its parameters. */
static uint64_t step_work(const struct image_step *s, const void *params)
{
    switch (s->kind) {
    case KERNEL_CONV_S8:
    case KERNEL_CONV_S16:
    case KERNEL_CONV_F32: /* the shape comes first */
    case KERNEL_TRANSPOSE_CONV_S8:
    case KERNEL_TRANSPOSE_CONV_F32: {
        const struct kernel_conv *p = params;
        /* A transposed one walks its input. */
        return conv_work(p, false) +
               ((uint64_t)p->batches * p->in_h * p->in_w + 1) * (p->out_c + 1u) * (p->in_c + 1u) *
                   ((uint64_t)p->filter_h * p->filter_w + 1) *
                   (s->kind == KERNEL_TRANSPOSE_CONV_S8 || s->kind == KERNEL_TRANSPOSE_CONV_F32);
    }
    case KERNEL_DEPTHWISE_S8:
    case KERNEL_DEPTHWISE_S16:
    case KERNEL_DEPTHWISE_F32:
        return conv_work(params, true);
    case KERNEL_FULLY_CONNECTED_S8:
    case KERNEL_FULLY_CONNECTED_S16: {
        const struct kernel_fully_connected *p = params;
        return (uint64_t)p->batches * p->in_n * p->out_n + p->batches;
    }
    case KERNEL_FULLY_CONNECTED_F32: {
        const struct kernel_fully_connected_f32 *p = params;
        return (uint64_t)p->batches * p->in_n * p->out_n + p->batches;
    }
    case KERNEL_AVERAGE_POOL_S8:
    case KERNEL_MAX_POOL_S8:
    case KERNEL_POOL_F32: {
        const struct kernel_pool *p = params;
        return (uint64_t)p->batches * p->out_h * p->out_w * (p->c + 1u) * p->in_h * p->in_w;
    }
    case KERNEL_COPY: {
        const struct kernel_copy *p = params;
        return product(p->dims, p->rank) * (p->run + 1ull);
    }
    case KERNEL_SVDF: {
        const struct kernel_svdf *p = params;
        return (p->batches + 1ull) * (p->filters + 1u) * ((uint64_t)p->in_n + p->memory + 1);
    }
    case KERNEL_SVDF_F32: {
        const struct kernel_svdf_f32 *p = params;
        return (p->batches + 1ull) * (p->filters + 1u) * ((uint64_t)p->in_n + p->memory + 1);
    }
    case KERNEL_LSTM_S8:
    case KERNEL_LSTM_F32: /* begins alike */
        return lstm_work(params);
    case KERNEL_BATCH_MATMUL_S8:
    case KERNEL_BATCH_MATMUL_F32:
        return matmul_work(params);
    case KERNEL_MEAN:
    case KERNEL_REDUCE_MAX:
    case KERNEL_REDUCE_F32: {
        const struct kernel_reduce *p = params;
        uint64_t outer = product(p->outer_dims, p->outer_rank);
        return outer > UINT32_MAX ? outer : outer * (product(p->inner_dims, p->inner_rank) + 1);
    }
    case KERNEL_SOFTMAX_S8:
        return ((const struct kernel_softmax *)params)->rows;
    default:
        return 0;
    }
}

/* Of all steps; hostile ones can take hours. */
static uint64_t work(const struct engine_model *m)
{
    const struct image_header *h = (const struct image_header *)m->image;
    uint32_t at = h->steps_at;
    uint64_t sum = 0;

    for (unsigned i = 0; i < h->steps && sum < UINT64_MAX / 4; i++) {
        const struct image_step *s = (const struct image_step *)(m->image + at);
        const struct kernel_span *spans = (const struct kernel_span *)(s + 1);
        for (unsigned k = 0; k < s->spans; k++)
            sum += spans[k].size;
        sum += step_work(s, spans + s->spans);
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
    static unsigned turn; /* one variant of the kernels after the other */
    const struct nn_target target = {.variants =
                                         KERNEL_CAP_FLOAT | 1u << turn++ % KERNEL_VARIANT_COUNT};
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
