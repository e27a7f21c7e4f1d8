#include "harness/recipe/data.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

/* ---- smooth: an image, spectrogram or feature vector of blobs with a little noise ---- */

enum {
    LATTICE = 16
};

/* Random values on a lattice, blended linearly between the points: "value noise". */
struct lattice {
    double value[LATTICE][LATTICE];
    double rows, columns; /* lattice points per pixel */
};

static void lattice_draw(struct lattice *l, struct rng *r, int height, int width)
{
    double cells = rng_uniform(r, 2, 6);
    l->rows = height > 1 ? cells / height : 0;
    l->columns = width > 1 ? cells / width : 0;
    for (int y = 0; y < LATTICE; y++)
        for (int x = 0; x < LATTICE; x++)
            l->value[y][x] = rng_uniform(r, 0, 1);
}

static double lattice_at(const struct lattice *l, int y, int x)
{
    double row = y * l->rows;
    double column = x * l->columns;
    int i = (int)row;
    int j = (int)column;
    double down = row - i;
    double right = column - j;
    double above = l->value[i][j] * (1 - right) + l->value[i][j + 1] * right;
    double below = l->value[i + 1][j] * (1 - right) + l->value[i + 1][j + 1] * right;
    return above * (1 - down) + below * down;
}

static void smooth_draw(struct rng *r, const struct recipe_input *in, struct sample *s)
{
    const struct shape *shape = &in->shape;
    int channels = shape->rank == 4 ? shape->dim[3] : 1;
    int width = shape->rank >= 3 ? shape->dim[2] : shape->dim[shape->rank - 1];
    int height = shape->rank >= 3 ? shape->dim[1] : 1;
    double contrast = rng_uniform(r, 0.5, 1);
    double base = rng_uniform(r, 0, 1 - contrast);
    for (int c = 0; c < channels; c++) {
        struct lattice l;
        lattice_draw(&l, r, height, width);
        for (int i = 0; i < height * width; i++) {
            double v = base + contrast * lattice_at(&l, i / width, i % width);
            v += rng_uniform(r, -0.05, 0.05);
            v = v < 0 ? 0 : v;
            v = v > 1 ? 1 : v;
            s->x[i * channels + c] = in->low + (in->high - in->low) * v;
        }
    }
}

/* ---- sine: x and sin(x) ---- */

static void sine_draw(struct rng *r, const struct recipe_input *in, struct sample *s)
{
    s->x[0] = rng_uniform(r, in->low, in->high);
    if (s->target)
        s->target[0] = repro_sin(s->x[0]);
}

/* ---- gesture: 32 samples of a three-axis accelerometer, in units of g ---- */

enum {
    GESTURE_STEPS = 32
};

enum gesture {
    GESTURE_REST,
    GESTURE_SWIPE,
    GESTURE_CIRCLE,
    GESTURE_SHAKE,
    GESTURE_TAP
};

/* How one performance of a gesture differs from the next. */
struct performance {
    double strength, start, length, phase, side;
};

/* Acceleration along x, y, z at step t of the movement itself, without gravity. */
static void gesture_at(enum gesture kind, const struct performance *p, int t, double ret[3])
{
    double u = (t - p->start) / p->length; /* 0..1 while the movement lasts */
    double inside = u >= 0 && u <= 1;
    ret[0] = ret[1] = ret[2] = 0;
    switch (kind) {
    case GESTURE_REST:
        break;
    case GESTURE_SWIPE: /* speed up, then slow down */
        ret[0] = inside * p->side * p->strength * repro_sin(2 * PI * u);
        break;
    case GESTURE_CIRCLE:
        ret[0] = p->strength * repro_sin(2 * PI * u * 1.5 + p->phase);
        ret[1] = p->side * p->strength * repro_sin(2 * PI * u * 1.5 + p->phase + PI / 2);
        break;
    case GESTURE_SHAKE:
        ret[0] = p->strength * repro_sin(2 * PI * u * 5 + p->phase);
        break;
    case GESTURE_TAP:
        ret[2] = t == (int)(p->start + p->length / 3) ? 2 * p->strength : 0;
        break;
    }
}

static void gesture_draw(struct rng *r, const struct recipe_input *in, struct sample *s)
{
    enum gesture kind = (enum gesture)rng_below(r, 5);
    struct performance p;
    p.strength = rng_uniform(r, 0.3, 1);
    p.start = rng_uniform(r, 0, 10);
    p.length = rng_uniform(r, 14, 22);
    p.phase = rng_uniform(r, 0, 2 * PI);
    p.side = rng_below(r, 2) ? 1 : -1;
    double tilt[3] = {0, 0, 0.95};
    tilt[0] = rng_uniform(r, -0.2, 0.2);
    tilt[1] = rng_uniform(r, -0.2, 0.2);
    for (int t = 0; t < GESTURE_STEPS; t++) {
        double move[3];
        gesture_at(kind, &p, t, move);
        for (int axis = 0; axis < 3; axis++) {
            double v = tilt[axis] + move[axis] + 0.12 * rng_normal(r);
            v = v < in->low ? in->low : v;
            s->x[t * 3 + axis] = v > in->high ? in->high : v;
        }
    }
    s->label = (int)kind;
}

/* ---- hum: 32 bands of a running machine's sound, 0..1; label 1 is a machine with a fault ---- */

enum {
    HUM_BANDS = 32
};

/* A resonance of that height and width around the centre band. */
static void add_peak(double *x, double centre, double width, double height)
{
    for (int i = 0; i < HUM_BANDS; i++) {
        double off = (i - centre) / width;
        x[i] += height / (1 + off * off);
    }
}

/* A rattle at a band that is quiet in health, a lost harmonic, or hiss. */
static void add_fault(double *x, struct rng *r, double fundamental)
{
    int kind = rng_below(r, 3);
    double height = kind == 2 ? rng_uniform(r, 0.02, 0.1) : rng_uniform(r, 0.04, 0.2);
    if (kind == 0)
        add_peak(x, fundamental * 1.5, 0.5, height);
    else if (kind == 1)
        add_peak(x, fundamental * 3, 0.8, -height);
    else
        add_peak(x, rng_uniform(r, 24, 30), 3, height);
}

static void hum_draw(struct rng *r, const struct recipe_input *in, struct sample *s)
{
    double fundamental = rng_uniform(r, 6, 7);
    double loudness = rng_uniform(r, 0.6, 1);
    s->label = !s->normal && rng_below(r, 2);
    for (int i = 0; i < HUM_BANDS; i++)
        s->x[i] = 0.05 + 0.02 * rng_normal(r);
    for (int harmonic = 1; harmonic <= 4; harmonic++)
        add_peak(s->x, fundamental * harmonic, 0.8, loudness * 0.8 / harmonic);
    if (s->label)
        add_fault(s->x, r, fundamental);
    for (int i = 0; i < HUM_BANDS; i++) {
        double v = in->low + (in->high - in->low) * s->x[i];
        v = v < in->low ? in->low : v;
        s->x[i] = v > in->high ? in->high : v;
        if (s->target)
            s->target[i] = s->x[i];
    }
}

static const struct data_source sources[] = {
    {.name = "smooth",
     .summary = "soft random blobs with noise, any shape, no labels",
     .draw = smooth_draw},
    {.name = "sine",
     .summary = "one number x; target sin(x)",
     .targets = 1,
     .rank = 2,
     .dim = {1, 1},
     .draw = sine_draw},
    {.name = "gesture",
     .summary = "32 steps of a three-axis accelerometer; rest, swipe, circle, shake, tap",
     .classes = 5,
     .rank = 4,
     .dim = {1, GESTURE_STEPS, 1, 3},
     .draw = gesture_draw},
    {.name = "hum",
     .summary = "32 bands of a machine's sound; healthy or faulty, trained on healthy ones",
     .classes = 2,
     .targets = TARGETS_INPUT,
     .rank = 2,
     .dim = {1, HUM_BANDS},
     .draw = hum_draw},
};

const struct data_source *data_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    return NULL;
}

const char *const data_names[] = {"smooth", "sine", "gesture", "hum", NULL};
