#include "harness/measure/tensors.h"

#include <stdlib.h>

enum {
    TENSOR_MAX = 16 * 1024 * 1024
};

static int input_size(struct client *c, unsigned inputs, size_t *ret_total, struct err *err)
{
    size_t total = 0;

    for (unsigned i = 0; i < inputs; i++) {
        struct wire_tensor_info info;

        if (client_tensor(c, false, i, &info, err) < 0)
            return (int)err->code;
        total += info.size;
    }
    *ret_total = total;
    return 0;
}

int tensors_write(struct client *c, unsigned inputs, const struct buf *data, const char *name,
                  struct err *err)
{
    size_t total = 0;
    size_t at = 0;

    if (input_size(c, inputs, &total, err) < 0)
        return (int)err->code;
    if (total != data->len)
        return err_set(err, ERR_CONFIG, "%s: has %zu bytes, the model's inputs take %zu", name,
                       data->len, total);
    for (unsigned i = 0; i < inputs; i++) {
        struct wire_tensor_info info;

        if (client_tensor(c, false, i, &info, err) < 0 ||
            client_write_input(c, i, data->data + at, info.size, err) < 0)
            return (int)err->code;
        at += info.size;
    }
    return 0;
}

int tensors_read(struct client *c, unsigned outputs, struct buf *ret, struct err *err)
{
    for (unsigned i = 0; i < outputs; i++) {
        struct wire_tensor_info info;
        char *data;
        int r;

        if (client_tensor(c, true, i, &info, err) < 0)
            return (int)err->code;
        if (info.size > TENSOR_MAX)
            return err_set(err, ERR_PROTOCOL, "output %u claims %u bytes", i, info.size);
        data = malloc(info.size + 1);
        if (data == NULL)
            abort();
        r = client_read_output(c, i, data, info.size, err);
        if (r == 0)
            buf_append(ret, data, info.size);
        free(data);
        if (r < 0)
            return r;
    }
    return 0;
}
