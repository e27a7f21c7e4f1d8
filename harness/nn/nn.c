#include "harness/nn/nn.h"

#include <string.h>

#include "harness/base/hash.h"
#include "harness/nn/layout.h"
#include "harness/nn/lower.h"
#include "harness/nn/pack.h"
#include "harness/nn/report.h"
#include "harness/nn/strips.h"
#include "harness/nn/tflite.h"

static int check_outputs(const struct nn_lower *l)
{
    for (size_t i = 0; i < l->graph->output_count; i++) {
        int32_t index = l->graph->outputs[i];
        const struct nn_tensor *t = &l->graph->tensors[index];
        if (l->span_of[index].size == 0 || l->buffers[l->span_of[index].buffer].data)
            return err_set(l->err, ERR_UNSUPPORTED, "output %zu of the model (tensor %d '%s') %s",
                           i, index, t->name,
                           t->data ? "is a constant" : "is not computed by any operator");
    }
    return 0;
}

static int compile(struct nn_lower *l, const uint8_t hash[8], struct buf *ret_image,
                   struct nn_report *ret_report)
{
    struct nn_plan plan;

    if (lower_graph(l) < 0 || check_outputs(l) < 0)
        return l->err->code;
    if (!l->target->unfused)
        fuse_steps(l);
    strips_split(l);
    pack_steps(l);
    if (layout_plan(l, &plan) < 0 || layout_write(l, &plan, hash, ret_image) < 0)
        return l->err->code;
    if (ret_report)
        report_fill(l, &plan, ret_image->len, ret_report);
    return 0;
}

int nn_compile(const void *tflite, size_t size, const struct nn_target *target,
               struct buf *ret_image, struct nn_report *ret_report, struct err *err)
{
    AUTO(nn_model_free_auto) struct nn_model *model = NULL;
    struct arena scratch = ARENA_INIT;
    uint8_t digest[32];
    struct sha256 hash;

    if (tflite_read(tflite, size, &model, err) < 0)
        return err->code;
    sha256_init(&hash);
    sha256_update(&hash, tflite, size);
    sha256_final(&hash, digest);
    struct nn_lower l = {.arena = &scratch,
                         .model = model,
                         .graph = &model->graphs[0],
                         .target = target,
                         .err = err};
    struct buf image = BUF_INIT;
    int status = compile(&l, digest, &image, ret_report);
    arena_release(&scratch);
    if (status < 0) {
        buf_release(&image);
        return status;
    }
    buf_release(ret_image);
    *ret_image = image;
    return 0;
}

int nn_check(const void *tflite, size_t size, const struct nn_target *target, struct buf *problems,
             struct err *err)
{
    AUTO(nn_model_free_auto) struct nn_model *model = NULL;
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct err one = ERR_INIT;
    int count = 0;

    if (tflite_read(tflite, size, &model, err) < 0)
        return err->code;
    struct nn_lower l = {.arena = &scratch,
                         .model = model,
                         .graph = &model->graphs[0],
                         .target = target,
                         .err = &one};
    int status = lower_begin(&l);
    for (size_t i = 0; i < l.graph->op_count; i++) {
        if (status == 0)
            status = lower_op(&l, i);
        if (status == 0)
            continue;
        count++;
        if (problems)
            buf_printf(problems, "%s\n", one.text);
        err_clear(&one);
        status = 0;
        lower_assume_outputs(&l, i);
    }
    return count;
}
