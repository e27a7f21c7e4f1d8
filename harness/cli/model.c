/* `tinyrig model`: what the compiler makes of a model, before any board is touched. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/suite.h"
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

static bool has_engine(const struct board *b, const char *name)
{
    for (size_t i = 0; b->engines != NULL && b->engines[i] != NULL; i++) {
        if (strcmp(b->engines[i], name) == 0)
            return true;
    }
    return b->engines == NULL;
}

/* "the arena has 12.1 KiB, 4.1 KiB more than ..." */
static void put_excess(struct buf *out, const char *what, uint64_t has, uint64_t room,
                       const char *where)
{
    char size[32], more[32];

    text_format_bytes(has, size);
    text_format_bytes(has - room, more);
    buf_printf(out, "%s has %s, %s more than %s", what, size, more, where);
}

static void put_fit(const struct board *b, const struct nn_report *r, const struct paths *paths,
                    struct buf *out)
{
    const uint64_t slot = b->slot.region.size;
    const uint64_t agent = suite_agent_ram(b, paths);
    const uint64_t room = b->ram.size > agent ? b->ram.size - agent : 0;
    const bool too_large = slot != 0 && r->image_bytes > slot;
    const bool too_wide = b->ram.size != 0 && r->arena_bytes > room;

    buf_printf(out, "  %-14s ", b->name);
    if (!has_engine(b, "tiny")) {
        buf_puts(out, "no: its agent has no engine 'tiny'\n");
        return;
    }
    if (too_large || too_wide) {
        buf_puts(out, "no: ");
        if (too_large)
            put_excess(out, "the image", r->image_bytes, slot, "the slot");
        if (too_wide)
            put_excess(out, too_large ? "; the arena" : "the arena", r->arena_bytes, room,
                       "the RAM that the agent leaves");
    } else {
        buf_printf(out, "fits: %2.0f %% of RAM for tensors",
                   room != 0 ? 100.0 * r->arena_bytes / (double)room : 0.0);
        if (slot != 0)
            buf_printf(out, ", %2.0f %% of the slot", 100.0 * r->image_bytes / (double)slot);
    }
    buf_putc(out, '\n');
}

static int explain(const struct model_arguments *a, const char *path, const struct context *c,
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
    for (size_t i = 0; i < c->lab->board_count; i++)
        put_fit(c->lab->boards[i], &report, &c->paths, out);
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
        explain(a, argv[0], &c, &out, err) < 0)
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
