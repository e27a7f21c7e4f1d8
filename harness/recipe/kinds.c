#include "harness/recipe/kinds.h"

#include <string.h>

static const struct layer_kind *const kinds[] = {
    &kind_conv2d,
    &kind_depthwise,
    &kind_dense,
    &kind_average_pool,
    &kind_max_pool,
    &kind_global_average_pool,
    &kind_mean,
    &kind_add,
    &kind_sub,
    &kind_mul,
    &kind_concat,
    &kind_softmax,
    &kind_relu,
    &kind_relu6,
    &kind_leaky_relu,
    &kind_hard_swish,
    &kind_logistic,
    &kind_tanh,
    &kind_reshape,
    &kind_flatten,
    &kind_pad,
    &kind_resize_nearest,
    &kind_resize_bilinear,
    &kind_svdf,
    &kind_lstm,
    &kind_stream,
    &kind_quantize,
    &kind_dequantize,
};

const struct layer_kind *kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

const char *const *kind_names(void)
{
    static const char *names[ARRAY_SIZE(kinds) + 1];
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        names[i] = kinds[i]->name;
    return names;
}
