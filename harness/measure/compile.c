/* From a model file to the image that goes into the slot. */
#include <string.h>

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

int attempt_compile(struct attempt *a, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    const struct nn_target target = {.variants = 0};

    if (!attempt_computes(a))
        return 0;
    if (file_read(a->c->model->path, MODEL_FILE_MAX, &file, err) < 0)
        return (int)err->code;
    if (!engine_takes_images(a->c->engine)) {
        buf_append(&a->image, buf_text(&file),
                   file.len); /* foreign runtimes read the file itself */
        return 0;
    }
    if (nn_compile(buf_text(&file), file.len, &target, &a->image, &a->report, err) < 0)
        return err_in(err, "%s", a->c->model->path);
    a->has_report = true;
    return 0;
}
