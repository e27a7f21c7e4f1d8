#include "tests/support/layergen.h"

#include <stdbool.h>
#include <string.h>

#include "harness/recipe/recipe.h"
#include "tests/support/opgen.h"

static uint32_t draw(uint32_t *state, uint32_t n)
{
    return (opgen_random(state) >> 8) % n;
}

static uint32_t seeded(uint32_t seed)
{
    uint32_t state = seed * 2654435761u | 1;

    for (int i = 0; i < 4; i++)
        opgen_random(&state);
    return state;
}

int layergen_recipe(const char *text, struct buf *ret, struct err *err)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    AUTO(recipe_result_release) struct recipe_result result = {.macs = 0};

    if (recipe_parse(text, strlen(text), "r.yaml", &r, err) < 0 ||
        recipe_build(&r, &result, err) < 0)
        return err->code;
    buf_append(ret, result.tflite.data, result.tflite.len);
    return 0;
}

static void begin(struct buf *b, uint32_t seed, uint32_t height, uint32_t width)
{
    buf_printf(
        b,
        "model: m\ndescription: random layers\nseed: %u\ncalibration: 1\n"
        "input: {shape: [1, %u, %u, 4], type: int8, data: smooth, range: [-1, 1]}\nlayers:\n",
        seed, height, width);
}

/* ---- chains ---- */

static void add_window(struct buf *b, uint32_t *state, const char *kind)
{
    const bool same = draw(state, 4) != 0;
    const uint32_t kernel = 1 + draw(state, same ? 5 : 3), stride = 1 + draw(state, 2);

    buf_printf(b, "  - %s: {", kind);
    if (strcmp(kind, "conv2d") == 0)
        buf_printf(b, "filters: %u, ", 4 * (1 + draw(state, 6)));
    buf_printf(b, "kernel: [%u, %u], stride: %u, padding: %s", kernel, 1 + draw(state, kernel),
               stride, same ? "same" : "valid");
    if (strstr(kind, "conv2d")) {
        if (stride == 1 && draw(state, 3) == 0)
            buf_puts(b, ", dilation: 2");
        if (draw(state, 2))
            buf_puts(b, ", activation: relu");
    }
    buf_puts(b, "}\n");
}

/* x + f(f(x)), as residual networks have it. */
static void add_residual(struct buf *b, uint32_t *state, int i)
{
    buf_printf(b,
               "  - conv2d: {name: x%d, filters: 8, kernel: 3, padding: same}\n"
               "  - conv2d: {filters: %u, kernel: 3, padding: same, activation: relu}\n"
               "  - conv2d: {name: y%d, filters: 8, kernel: [%u, 1], padding: same}\n"
               "  - add: {from: [x%d, y%d], activation: relu}\n",
               i, 4 * (1 + draw(state, 4)), i, 1 + draw(state, 4), i, i);
}

int layergen_chain(uint32_t seed, struct buf *ret, struct err *err)
{
    static const char *const kinds[] = {"conv2d",           "depthwise_conv2d", "conv2d",
                                        "depthwise_conv2d", "max_pool",         "average_pool"};
    AUTO_BUF b = BUF_INIT;
    uint32_t state = seeded(seed);

    const uint32_t height = 40 + draw(&state, 20);
    begin(&b, seed, height, 10 + draw(&state, 20));
    const int layers = 2 + (int)draw(&state, 5);
    for (int i = 0; i < layers; i++) {
        if (draw(&state, 6) == 0)
            add_residual(&b, &state, i);
        else if (draw(&state, 6) == 0)
            buf_puts(&b, "  - leaky_relu: {alpha: 0.2}\n");
        else
            add_window(&b, &state, kinds[draw(&state, 6)]);
    }
    buf_puts(&b, "  - global_average_pool\n");
    return layergen_recipe(buf_text(&b), ret, err);
}

/* ---- branches ---- */

/* Every tensor t0, t1... has the same shape, of 8 channels. */
struct branches {
    struct buf *b;
    uint32_t state;
    uint32_t height, width, count;
};

/* An earlier tensor, more often a late one. */
static uint32_t earlier(struct branches *g)
{
    const uint32_t a = draw(&g->state, g->count), b = draw(&g->state, g->count);

    return a > b ? a : b;
}

static const char *activation(struct branches *g)
{
    static const char *const words[] = {"none", "relu", "relu6"};

    return words[draw(&g->state, 3)];
}

static void add_conv(struct branches *g)
{
    buf_printf(g->b,
               "  - conv2d: {name: t%u, from: t%u, filters: 8, kernel: %u, padding: same, "
               "activation: %s}\n",
               g->count, earlier(g), 1 + draw(&g->state, 4), activation(g));
}

/* Wide in between, as MobileNet v2 has it. */
static void add_inverted(struct branches *g)
{
    buf_printf(g->b,
               "  - conv2d: {from: t%u, filters: 24, kernel: 1, activation: relu6}\n"
               "  - depthwise_conv2d: {kernel: 3, padding: same, activation: relu6}\n"
               "  - conv2d: {name: t%u, filters: 8, kernel: 1}\n",
               earlier(g), g->count);
}

static void add_binary(struct branches *g)
{
    static const char *const kinds[] = {"add", "add", "add", "sub", "mul"};

    const uint32_t x = earlier(g), y = earlier(g);
    const char *kind = x == y ? "add" : kinds[draw(&g->state, 5)]; /* x - x has no scale */

    buf_printf(g->b, "  - %s: {name: t%u, from: [t%u, t%u], activation: %s}\n", kind, g->count, x,
               y, activation(g));
}

static void add_concatenation(struct branches *g)
{
    buf_printf(g->b,
               "  - concat: {from: [t%u, t%u]}\n"
               "  - conv2d: {name: t%u, filters: 8, kernel: %u, padding: same}\n",
               earlier(g), earlier(g), g->count, 1 + draw(&g->state, 3));
}

/* Down and up again. */
static void add_coarse(struct branches *g)
{
    buf_printf(g->b,
               "  - max_pool: {from: t%u, kernel: 2, stride: 2}\n"
               "  - conv2d: {filters: 8, kernel: 3, padding: same}\n"
               "  - %s: {name: t%u, size: [%u, %u]}\n",
               earlier(g), draw(&g->state, 2) ? "resize_nearest" : "resize_bilinear", g->count,
               g->height, g->width);
}

static void add_curve(struct branches *g)
{
    buf_printf(g->b, "  - %s: {name: t%u, from: t%u}\n",
               draw(&g->state, 2) ? "hard_swish" : "leaky_relu", g->count, earlier(g));
}

int layergen_branches(uint32_t seed, struct buf *ret, struct err *err)
{
    static void (*const adders[])(struct branches * g) = {
        add_conv,   add_conv,   add_inverted,      add_inverted, add_binary,
        add_binary, add_binary, add_concatenation, add_coarse,   add_curve};
    AUTO_BUF b = BUF_INIT;
    struct branches g = {.b = &b, .state = seeded(seed), .count = 1};

    g.height = 16 + 2 * draw(&g.state, 10);
    g.width = 8 + 2 * draw(&g.state, 6);
    begin(&b, seed, g.height, g.width);
    buf_puts(&b, "  - conv2d: {name: t0, filters: 8, kernel: 3, padding: same}\n");
    const uint32_t layers = 4 + draw(&g.state, 8);
    for (; g.count <= layers; g.count++)
        adders[draw(&g.state, sizeof adders / sizeof *adders)](&g);
    if (draw(&g.state, 2)) { /* the first tensor lives on to the end */
        buf_printf(&b, "  - add: {name: t%u, from: [t%u, t0]}\n", g.count, g.count - 1);
        g.count++;
    }
    buf_puts(&b, "  - global_average_pool\n");
    return layergen_recipe(buf_text(&b), ret, err);
}

/* ---- joins ---- */

enum {
    JOINED_MAX = 16,
    JOINED_WIDTH = 4
};

/* Tensors t0, t1... of 4 columns and 8 channels, and of any height. */
struct joins {
    struct buf *b;
    uint32_t state;
    uint32_t height[JOINED_MAX], count;
};

static uint32_t any_of(struct joins *g)
{
    const uint32_t a = draw(&g->state, g->count), b = draw(&g->state, g->count);

    return a > b ? a : b;
}

/* Tensor x goes into the layer whose text begins here; the one it makes has that height. */
static void begin_layer(struct joins *g, const char *kind, uint32_t x, uint32_t height)
{
    buf_printf(g->b, "  - %s: {name: t%u, from: t%u", kind, g->count, x);
    g->height[g->count] = height;
}

static void join_pad(struct joins *g)
{
    const uint32_t x = any_of(g), before = draw(&g->state, 3), after = draw(&g->state, 3);

    begin_layer(g, "pad", x, g->height[x] + before + after);
    buf_printf(g->b, ", pads: [0, 0, %u, %u, 0, 0, 0, 0]}\n", before, after);
}

static void join_pad_around(struct joins *g)
{
    const uint32_t x = any_of(g);

    buf_printf(g->b, "  - pad: {from: t%u, pads: [0, 0, 1, 1, 1, 1, 0, 0]}\n", x);
    buf_printf(g->b, "  - %s: {name: t%u, kernel: 3}\n",
               draw(&g->state, 2) ? "max_pool" : "depthwise_conv2d", g->count);
    g->height[g->count] = g->height[x];
}

static void join_rows(struct joins *g)
{
    const uint32_t x = any_of(g), y = any_of(g);

    buf_printf(g->b, "  - concat: {name: t%u, from: [t%u, t%u], axis: 1}\n", g->count, x, y);
    g->height[g->count] = g->height[x] + g->height[y];
}

static void join_sum(struct joins *g)
{
    const uint32_t x = any_of(g);
    uint32_t y = any_of(g);

    y = g->height[x] == g->height[y] ? y : x;
    buf_printf(g->b, "  - add: {name: t%u, from: [t%u, t%u]}\n", g->count, x, y);
    g->height[g->count] = g->height[x];
}

static void join_curve(struct joins *g)
{
    static const char *const kinds[] = {"relu", "relu6", "hard_swish", "quantize"};
    const uint32_t x = any_of(g);

    begin_layer(g, kinds[draw(&g->state, 4)], x, g->height[x]);
    buf_puts(g->b, "}\n");
}

static void join_conv(struct joins *g)
{
    const uint32_t x = any_of(g);

    begin_layer(g, "conv2d", x, g->height[x]);
    buf_printf(g->b, ", filters: 8, kernel: %u, padding: same}\n", 1 + draw(&g->state, 3));
}

/* Half as many rows. */
static void join_pool(struct joins *g)
{
    const uint32_t x = any_of(g);

    begin_layer(g, "max_pool", x, (g->height[x] + 1) / 2);
    buf_puts(g->b, ", kernel: [2, 1], stride: [2, 1], padding: same}\n");
}

/* As one column, and back. */
static void join_reshaped(struct joins *g)
{
    const uint32_t x = any_of(g), h = g->height[x];

    buf_printf(g->b, "  - reshape: {from: t%u, shape: [1, %u, 1, 8]}\n", x, h * JOINED_WIDTH);
    buf_printf(g->b, "  - leaky_relu: {alpha: 0.3}\n");
    buf_printf(g->b, "  - reshape: {name: t%u, shape: [1, %u, %u, 8]}\n", g->count, h,
               JOINED_WIDTH);
    g->height[g->count] = h;
}

int layergen_joins(uint32_t seed, struct buf *ret, struct err *err)
{
    static void (*const adders[])(struct joins * g) = {
        join_pad, join_pad,   join_pad_around, join_rows, join_rows,
        join_sum, join_curve, join_conv,       join_pool, join_reshaped};
    AUTO_BUF b = BUF_INIT;
    struct joins g = {.b = &b, .state = seeded(seed), .count = 1};

    g.height[0] = 3 + draw(&g.state, 6);
    begin(&b, seed, g.height[0], JOINED_WIDTH);
    buf_puts(&b, "  - conv2d: {name: t0, filters: 8, kernel: 1}\n");
    const uint32_t layers = 4 + draw(&g.state, JOINED_MAX - 5);
    for (; g.count < layers; g.count++)
        adders[draw(&g.state, sizeof adders / sizeof *adders)](&g);
    buf_printf(&b, "  - global_average_pool: {from: t%u}\n", g.count - 1);
    return layergen_recipe(buf_text(&b), ret, err);
}

/* ---- wide images ---- */

int layergen_wide(uint32_t seed, struct buf *ret, struct err *err)
{
    AUTO_BUF b = BUF_INIT;
    uint32_t state = seeded(seed);

    const uint32_t height = 12 + draw(&state, 8);
    begin(&b, seed, height, 90 + draw(&state, 40));
    buf_puts(&b, "  - depthwise_conv2d: {name: first, kernel: 3, padding: same}\n");
    const int layers = 4 + (int)draw(&state, 4);
    for (int i = 0; i < layers; i++) {
        if (draw(&state, 4) == 0)
            buf_puts(&b, "  - hard_swish\n");
        buf_printf(&b, "  - conv2d: {name: c%d, filters: %u, kernel: [%u, %u], padding: same}\n", i,
                   i + 1 == layers ? 4 : 8 + 4 * draw(&state, 3), 1 + draw(&state, 3),
                   1 + draw(&state, 5));
    }
    if (draw(&state, 2)) /* the residual stays whole */
        buf_printf(&b, "  - add: {activation: relu6, from: [c%d, first]}\n", layers - 1);
    buf_puts(&b, "  - max_pool: {kernel: 2, stride: 2}\n"
                 "  - depthwise_conv2d: {kernel: 3, stride: 2, padding: same}\n"
                 "  - global_average_pool\n");
    return layergen_recipe(buf_text(&b), ret, err);
}
