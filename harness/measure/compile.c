/* From a model file to the image that goes into the slot. */
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/measure/internal.h"

enum {
    MODEL_FILE_MAX = 64 * 1024 * 1024
};

static bool engine_takes_images(const char *engine)
{
    return strcmp(engine, "tiny") == 0;
}

bool attempt_computes(const struct attempt *a)
{
    return a->c->model != NULL && strcmp(a->c->engine, "null") != 0;
}

/* The kernels that the suite asks for, of those that the agent holds; all of them without a word. */
static int choose_variants(const struct attempt *a, uint32_t *ret, struct err *err)
{
    const uint32_t held = a->engine_caps | 1u << KERNEL_REF;

    *ret = held;
    for (size_t i = 0; i < a->c->parameter_count; i++) {
        const struct case_parameter *p = &a->c->parameters[i];
        AUTO_BUF words = BUF_INIT;
        if (strcmp(p->name, "kernels") != 0)
            continue;
        const uint32_t wanted = nn_variants(p->value);
        nn_variant_words(wanted == 0 ? NN_ALL_VARIANTS : held, &words);
        if (wanted == 0)
            return err_set(err, ERR_CONFIG, "parameter kernels: '%s' is none of %s", p->value,
                           buf_text(&words));
        if (wanted != NN_ALL_VARIANTS && (wanted & ~held) != 0)
            return err_set(err, ERR_UNSUPPORTED,
                           "the agent of board '%s' has no %s kernels, but %s", a->c->board->name,
                           p->value, buf_text(&words));
        *ret = (wanted | KERNEL_CAP_FLOAT) & held;
    }
    return 0;
}

int suite_file_read(const char *path, size_t limit, struct buf *ret, struct err *err)
{
    if (file_read(path, limit, ret, err) < 0 && err->code == ERR_IO) {
        err->code = ERR_CONFIG;
        return err_hint(err, "a file of the suite: is it still there, and may it be read?");
    }
    return (int)err->code;
}

int compile_for_engine(const struct compile_request *request, struct buf *ret_image,
                       struct nn_report *ret_report, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    const struct nn_target target = {.variants = request->variants};

    if (suite_file_read(request->path, MODEL_FILE_MAX, &file, err) < 0)
        return (int)err->code;
    if (!engine_takes_images(request->engine)) {
        buf_append(ret_image, buf_text(&file),
                   file.len); /* foreign runtimes read the file itself */
        return 1;
    }
    if (nn_compile(buf_text(&file), file.len, &target, ret_image, ret_report, err) < 0)
        return err_in(err, "%s", request->path);
    return 0;
}

int attempt_compile(struct attempt *a, struct err *err)
{
    uint32_t variants = 0;
    int r;

    if (!attempt_computes(a))
        return 0;
    if (choose_variants(a, &variants, err) < 0)
        return (int)err->code;
    r = compile_for_engine(&(struct compile_request){.board = a->c->board,
                                                     .engine = a->c->engine,
                                                     .path = a->c->model->path,
                                                     .variants = variants},
                           &a->image, &a->report, err);
    a->has_report = r == 0;
    return r < 0 ? r : 0;
}
