#include "harness/nn/tflite_options.h"

/* Field numbers are those of the schema's <Name>Options tables, in the order of declaration. */

static void read_none(struct flat_table t, struct nn_options *o)
{
}

static void read_conv(struct flat_table t, struct nn_options *o)
{
    o->window.padding = (enum nn_padding)flat_u8(t, 0, 0);
    o->window.stride_w = flat_i32(t, 1, 0);
    o->window.stride_h = flat_i32(t, 2, 0);
    o->activation = (enum nn_activation)flat_u8(t, 3, 0);
    o->window.dilation_w = flat_i32(t, 4, 1);
    o->window.dilation_h = flat_i32(t, 5, 1);
}

static void read_depthwise(struct flat_table t, struct nn_options *o)
{
    o->window.padding = (enum nn_padding)flat_u8(t, 0, 0);
    o->window.stride_w = flat_i32(t, 1, 0);
    o->window.stride_h = flat_i32(t, 2, 0);
    o->window.depth_multiplier = flat_i32(t, 3, 0);
    o->activation = (enum nn_activation)flat_u8(t, 4, 0);
    o->window.dilation_w = flat_i32(t, 5, 1);
    o->window.dilation_h = flat_i32(t, 6, 1);
}

static void read_transpose_conv(struct flat_table t, struct nn_options *o)
{
    o->window.padding = (enum nn_padding)flat_u8(t, 0, 0);
    o->window.stride_w = flat_i32(t, 1, 0);
    o->window.stride_h = flat_i32(t, 2, 0);
    o->activation = (enum nn_activation)flat_u8(t, 3, 0);
}

static void read_pool(struct flat_table t, struct nn_options *o)
{
    o->window.padding = (enum nn_padding)flat_u8(t, 0, 0);
    o->window.stride_w = flat_i32(t, 1, 0);
    o->window.stride_h = flat_i32(t, 2, 0);
    o->window.filter_w = flat_i32(t, 3, 0);
    o->window.filter_h = flat_i32(t, 4, 0);
    o->window.dilation_h = 1;
    o->window.dilation_w = 1;
    o->activation = (enum nn_activation)flat_u8(t, 5, 0);
}

static void read_fully_connected(struct flat_table t, struct nn_options *o)
{
    o->activation = (enum nn_activation)flat_u8(t, 0, 0);
    o->weights_format = flat_u8(t, 1, 0);
    o->keep_dims = flat_u8(t, 2, 0) != 0;
    o->asymmetric_inputs = flat_u8(t, 3, 0) != 0;
}

/* ADD, SUB and MUL; MUL has no second field. */
static void read_elementwise(struct flat_table t, struct nn_options *o)
{
    o->activation = (enum nn_activation)flat_u8(t, 0, 0);
    o->pot_scale = flat_u8(t, 1, 1) != 0;
}

static void read_concat(struct flat_table t, struct nn_options *o)
{
    o->axis = flat_i32(t, 0, 0);
    o->activation = (enum nn_activation)flat_u8(t, 1, 0);
}

/* The shape of the output tensor says all that new_shape could. */
static void read_reshape(struct flat_table t, struct nn_options *o)
{
}

static void read_softmax(struct flat_table t, struct nn_options *o)
{
    o->beta = flat_f32(t, 0, 0);
}

static void read_svdf(struct flat_table t, struct nn_options *o)
{
    o->rank = flat_i32(t, 0, 0);
    o->activation = (enum nn_activation)flat_u8(t, 1, 0);
    o->asymmetric_inputs = flat_u8(t, 2, 0) != 0;
}

static void read_lstm(struct flat_table t, struct nn_options *o)
{
    o->activation = (enum nn_activation)flat_u8(t, 0, 0);
    o->cell_clip = flat_f32(t, 1, 0);
    o->projection_clip = flat_f32(t, 2, 0);
    o->time_major = flat_u8(t, 3, 0) != 0;
    o->asymmetric_inputs = flat_u8(t, 4, 0) != 0;
    o->diagonal_recurrent = flat_u8(t, 5, 0) != 0;
}

static void read_gather(struct flat_table t, struct nn_options *o)
{
    o->axis = flat_i32(t, 0, 0);
    o->batch_dims = flat_i32(t, 1, 0);
}

static void read_reduce(struct flat_table t, struct nn_options *o)
{
    o->keep_dims = flat_u8(t, 0, 0) != 0;
}

static void read_strided_slice(struct flat_table t, struct nn_options *o)
{
    o->begin_mask = flat_i32(t, 0, 0);
    o->end_mask = flat_i32(t, 1, 0);
    o->ellipsis_mask = flat_i32(t, 2, 0);
    o->new_axis_mask = flat_i32(t, 3, 0);
    o->shrink_axis_mask = flat_i32(t, 4, 0);
    o->end_is_offset = flat_u8(t, 5, 0) != 0;
}

/* PACK: {values_count, axis}; UNPACK: {num, axis}. The counts are those of the tensors. */
static void read_pack(struct flat_table t, struct nn_options *o)
{
    o->axis = flat_i32(t, 1, 0);
}

/* Fields 0 and 1 are deprecated. */
static void read_resize_bilinear(struct flat_table t, struct nn_options *o)
{
    o->align_corners = flat_u8(t, 2, 0) != 0;
    o->half_pixel_centers = flat_u8(t, 3, 0) != 0;
}

static void read_resize_nearest(struct flat_table t, struct nn_options *o)
{
    o->align_corners = flat_u8(t, 0, 0) != 0;
    o->half_pixel_centers = flat_u8(t, 1, 0) != 0;
}

static void read_leaky_relu(struct flat_table t, struct nn_options *o)
{
    o->alpha = flat_f32(t, 0, 0);
}

static void read_mirror_pad(struct flat_table t, struct nn_options *o)
{
    o->symmetric = flat_u8(t, 0, 0) == 1;
}

static void read_batch_matmul(struct flat_table t, struct nn_options *o)
{
    o->adjoint_x = flat_u8(t, 0, 0) != 0;
    o->adjoint_y = flat_u8(t, 1, 0) != 0;
    o->asymmetric_inputs = flat_u8(t, 2, 0) != 0;
}

static void read_call_once(struct flat_table t, struct nn_options *o)
{
    o->init_graph = flat_i32(t, 0, 0);
}

/* The name is a string, which the caller reads. */
static void read_var_handle(struct flat_table t, struct nn_options *o)
{
}

typedef void read_fn(struct flat_table t, struct nn_options *o);

#define READ_NONE            read_none
#define READ_CONV            read_conv
#define READ_DEPTHWISE       read_depthwise
#define READ_TRANSPOSE_CONV  read_transpose_conv
#define READ_POOL            read_pool
#define READ_FULLY_CONNECTED read_fully_connected
#define READ_ELEMENTWISE     read_elementwise
#define READ_CONCAT          read_concat
#define READ_RESHAPE         read_reshape
#define READ_SOFTMAX         read_softmax
#define READ_SVDF            read_svdf
#define READ_LSTM            read_lstm
#define READ_GATHER          read_gather
#define READ_REDUCE          read_reduce
#define READ_STRIDED_SLICE   read_strided_slice
#define READ_PACK            read_pack
#define READ_RESIZE_BILINEAR read_resize_bilinear
#define READ_RESIZE_NEAREST  read_resize_nearest
#define READ_LEAKY_RELU      read_leaky_relu
#define READ_MIRROR_PAD      read_mirror_pad
#define READ_BATCH_MATMUL    read_batch_matmul
#define READ_CALL_ONCE       read_call_once
#define READ_VAR_HANDLE      read_var_handle

static const struct {
    int32_t code;
    read_fn *read;
} readers[] = {
#define X(name, number, version, options) {number, READ_##options},
    NN_OPERATORS(X)
#undef X
};

void tflite_read_options(int32_t code, struct flat_table t, struct nn_options *ret)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (readers[i].code == code)
            readers[i].read(t, ret);
    }
}
