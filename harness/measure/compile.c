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

int compile_for_engine(const struct compile_request *request, struct buf *ret_image,
                       struct nn_report *ret_report, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    const struct nn_target target = {.variants = 0};

    if (file_read(request->path, MODEL_FILE_MAX, &file, err) < 0)
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
    int r;

    if (!attempt_computes(a))
        return 0;
    r = compile_for_engine(&(struct compile_request){.board = a->c->board,
                                                     .engine = a->c->engine,
                                                     .path = a->c->model->path},
                           &a->image, &a->report, err);
    a->has_report = r == 0;
    return r < 0 ? r : 0;
}
