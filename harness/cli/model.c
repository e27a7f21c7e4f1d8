/* `tinyrig model`: what the compiler makes of a model, before any board is touched. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/nn/explain.h"

enum {
    MODEL_FILE_MAX = 64 * 1024 * 1024
};

struct model_arguments {
    struct common_options common;
    const char *svg;
    const char *image;
};

static const struct option options[] = {
    {"svg", 0, OPTION_STRING, "FILE", "draw the memory plan",
     offsetof(struct model_arguments, svg)},
    {"image", 0, OPTION_STRING, "FILE", "write the model image",
     offsetof(struct model_arguments, image)},
    OPTION_LAB,
    {.name = NULL},
};

static void put_fit(const struct board *b, const struct nn_report *r, struct buf *out)
{
    const uint64_t slot = b->slot.region.size;
    char image[32];
    char arena[32];

    text_format_bytes(r->image_bytes, image);
    text_format_bytes(r->arena_bytes, arena);
    buf_printf(out, "  %-14s ", b->name);
    if (slot != 0 && r->image_bytes > slot) {
        char more[32];

        text_format_bytes(r->image_bytes - slot, more);
        buf_printf(out, "no: the image has %s, %s more than the slot\n", image, more);
    } else if (b->ram.size != 0 && r->arena_bytes > b->ram.size) {
        char more[32];

        text_format_bytes(r->arena_bytes - b->ram.size, more);
        buf_printf(out, "no: the arena has %s, %s more than all RAM\n", arena, more);
    } else {
        buf_printf(out, "fits: %2.0f %% of RAM for tensors",
                   b->ram.size != 0 ? 100.0 * r->arena_bytes / (double)b->ram.size : 0.0);
        if (slot != 0)
            buf_printf(out, ", %2.0f %% of the slot", 100.0 * r->image_bytes / (double)slot);
        buf_putc(out, '\n');
    }
}

static int explain(const struct model_arguments *a, const char *path, const struct lab *lab,
                   struct buf *out, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_BUF image = BUF_INIT;
    AUTO_BUF svg = BUF_INIT;
    AUTO(nn_report_release) struct nn_report report = {.arena = ARENA_INIT};
    const struct nn_target target = {.variants = 0};

    if (file_read(path, MODEL_FILE_MAX, &file, err) < 0)
        return (int)err->code;
    if (nn_compile(buf_text(&file), file.len, &target, &image, &report, err) < 0)
        return err_in(err, "%s", path);
    nn_explain_text(&report, path, out);
    buf_puts(out, "\nboards:\n");
    for (size_t i = 0; i < lab->board_count; i++)
        put_fit(lab->boards[i], &report, out);
    if (a->image != NULL && file_write_atomic(a->image, image.data, image.len, err) < 0)
        return (int)err->code;
    if (a->svg == NULL)
        return 0;
    nn_explain_svg(&report, path, &svg);
    return file_write_atomic(a->svg, buf_text(&svg), svg.len, err);
}

static int model_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct model_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO_BUF out = BUF_INIT;

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0 ||
        explain(a, argv[0], c.lab, &out, err) < 0)
        return (int)err->code;
    (void)fputs(buf_text(&out), stdout);
    return 0;
}

const struct verb verb_model = {
    .name = "model",
    .arguments = "FILE.tflite",
    .summary = "explain a model: operators, memory plan, and which boards it fits",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = model_run,
};
