/* The keys of suite files. Each row serves parser, messages, help, man page and schema. */
#include "harness/load/suite_file.h"

#define M suite_measure
static const struct key measure_keys[] = {
    ONE("warmup", VALUE_COUNT, warmup, "2", "inferences before the first window", DEFAULT("1"),
        RANGE(0, 1000000)),
    ONE("windows", VALUE_COUNT, windows, "5", "measured windows at each length", DEFAULT("5"),
        RANGE(1, 10000)),
    ONE("slope", VALUE_COUNT, slope, "3",
        "lengths of windows: N, 2N, ... slope x N inferences, for the fit time = a + b N",
        DEFAULT("3"), RANGE(1, 16)),
    ONE("window_time", VALUE_DURATION, window_ns, "200ms",
        "the shortest window lasts about this long on the board's own clock", DEFAULT("100ms")),
    ONE("inferences", VALUE_COUNT, inferences, "10",
        "N itself, instead of a window_time that it is sized to", OPTIONAL, RANGE(1, 100000000)),
    ONE("repeat", VALUE_COUNT, repeat, "3",
        "runs of each case; each begins with a reset of the board", DEFAULT("1"), RANGE(1, 1000)),
    ONE("interleave", VALUE_BOOL, interleave, "true",
        "runs of different cases take turns (A B A B), so that drift hits all alike",
        DEFAULT("false")),
    ONE("profile", VALUE_BOOL, profile, "true",
        "an extra pass that counts each operator, outside of the windows", DEFAULT("false")),
    ONE("max_vectors", VALUE_COUNT, max_vectors, "4",
        "check only the first so many inputs; 0 is all", DEFAULT("0"), RANGE(0, 1000000)),
    ONE("timeout", VALUE_DURATION, timeout_ns, "2min",
        "give one run of one case up after this long; without it, sized to the windows", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map measure_map = {
    .name = "measure",
    .help = "how each case is measured",
    .keys = measure_keys,
    .size = sizeof(struct suite_measure),
    .finish = measure_finish,
};

#define M suite_battery
static const struct key battery_keys[] = {
    ONE("capacity", VALUE_CAPACITY, capacity_mah, "2000mAh", "nominal capacity of the battery",
        REQUIRED),
    ONE("inferences_per_hour", VALUE_NUMBER, inferences_per_hour, "360",
        "duty: how often the model runs", REQUIRED),
    ONE("sleep_current", VALUE_AMPERES, sleep_na, "12uA", "of the whole product between inferences",
        REQUIRED),
    ONE("usable", VALUE_RATIO, usable, "85%", "share of the capacity that can be drawn",
        DEFAULT("100%")),
    ONE("self_discharge", VALUE_RATIO, self_discharge, "1%", "share of the capacity lost in a year",
        DEFAULT("0%")),
    ONE("efficiency", VALUE_RATIO, efficiency, "90%", "of the regulator between battery and board",
        DEFAULT("100%")),
    {NULL},
};
#undef M

static const struct key_map battery_map = {
    .name = "battery",
    .help = "the battery whose life is projected from the measured charge",
    .keys = battery_keys,
    .size = sizeof(struct suite_battery),
    .finish = battery_finish,
};

static const char *const energy_profiles[] = {"guarded", "eembc", NULL};

#define M suite_energy
static const struct key energy_keys[] = {
    ONE("profile", VALUE_WORD, profile, "guarded",
        "guarded: from idle to idle, idle current subtracted; eembc: its run rules",
        DEFAULT("guarded"), WORDS(energy_profiles)),
    ONE("meter", VALUE_NAME, meter, "ppk2-a",
        "a meter of the lab file; without it, the one the lab gives to the board", OPTIONAL),
    ONE("voltage", VALUE_VOLTS, voltage_uv, "3.0V",
        "supply; without it, the board's nominal voltage", OPTIONAL),
    ONE("windows", VALUE_COUNT, windows, "5", "measured windows", DEFAULT("5"), RANGE(1, 1000)),
    ONE("window_time", VALUE_DURATION, window_ns, "10s", "a window lasts at least this long",
        DEFAULT("10s")),
    ONE("idle_time", VALUE_DURATION, idle_ns, "1s",
        "quiet before and after each window, for the idle current", DEFAULT("1s")),
    ONE("keep_trace", VALUE_BOOL, keep_trace, "true",
        "keep every raw sample; without it, only those of failed windows", DEFAULT("false")),
    MAP("battery", battery_map, battery, "project the life of this battery", OPTIONAL,
        GIVEN(has_battery)),
    {NULL},
};
#undef M

static const struct key_map energy_map = {
    .name = "energy",
    .help = "measure current and energy too",
    .keys = energy_keys,
    .size = sizeof(struct suite_energy),
};

/* The keys that choose cases, of a struct suite_filter that is F (with its dot) in struct M. */
#define FILTER_KEYS(F)                                                                             \
    ONE("model", VALUE_PATTERN, F model, "kws", "name or pattern of models", OPTIONAL),            \
        ONE("board", VALUE_PATTERN, F board, "tag:cortex-m",                                       \
            "name or pattern of boards, or tag:NAME", OPTIONAL),                                   \
        ONE("engine", VALUE_PATTERN, F engine, "tiny", "name or pattern of engines", OPTIONAL),    \
        AXES("parameters", VALUE_PATTERN, F parameters, "{kernels: ref}",                          \
             "values of parameters, any of them", OPTIONAL, COUNT(F parameter_count))

#define M suite_filter
static const struct key include_keys[] = {
    FILTER_KEYS(),
    ONE("reason", VALUE_TEXT, reason, "the release candidates", "why these, for people", OPTIONAL),
    {NULL},
};
static const struct key exclude_keys[] = {
    FILTER_KEYS(),
    ONE("reason", VALUE_TEXT, reason, "needs more RAM than the part has",
        "why not these; the plan and the report show it", REQUIRED),
    {NULL},
};
#undef M

static const struct key_map include_map = {
    .name = "include",
    .help = "the only cells of the matrix that are cases; without it, all",
    .keys = include_keys,
    .size = sizeof(struct suite_filter),
    .where_offset = offsetof(struct suite_filter, where),
    .finish = filter_finish,
};

static const struct key_map exclude_map = {
    .name = "exclude",
    .help = "cases to leave out; they are planned as skipped, with the reason",
    .keys = exclude_keys,
    .size = sizeof(struct suite_filter),
    .where_offset = offsetof(struct suite_filter, where),
    .finish = filter_finish,
};

#define M suite_budget
static const struct key budget_keys[] = {
    ONE("limit", VALUE_TEXT, text, "ram <= 64KiB", "METRIC <= VALUE, also <, >=, >, ==", REQUIRED),
    FILTER_KEYS(when.),
    ONE("reason", VALUE_TEXT, when.reason, "the product's part has 64 KiB",
        "where the limit comes from, for people", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map budget_map = {
    .name = "budgets",
    .help = "limits that must hold; a broken one fails the case",
    .keys = budget_keys,
    .size = sizeof(struct suite_budget),
    .shorthand = "limit",
    .where_offset = offsetof(struct suite_budget, where),
    .finish = budget_finish,
};

#define M suite_vector
static const struct key vector_keys[] = {
    ONE("input", VALUE_PATH, input, "models/sine/in0.bin", "raw little-endian tensor to feed",
        REQUIRED),
    ONE("expected", VALUE_PATH, expected, "models/sine/out0.bin",
        "raw tensor that must come back, bit for bit", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map vector_map = {
    .name = "vectors",
    .help = "inputs and their outputs, one by one",
    .keys = vector_keys,
    .size = sizeof(struct suite_vector),
    .finish = vector_finish,
};

static const char *const dataset_metrics[] = {"top1", "auc", "mse", NULL};
static const char *const dataset_types[] = {"tensor", "int8", "uint8", "int16", "float32", NULL};

#define M suite_dataset
static const struct key dataset_keys[] = {
    ONE("path", VALUE_PATH, path, "models/data/gesture",
        "folder of samples, or one .npy array of all of them", REQUIRED),
    ONE("labels", VALUE_PATH, labels, "models/data/gesture/y_labels.csv",
        "lines of FILE, CLASSES, LABEL, or the .npy array of labels; without it, y_labels.csv in "
        "the folder",
        OPTIONAL),
    ONE("metric", VALUE_WORD, metric, "top1",
        "top1: share classified right; auc: of labels 0 and 1, by the last output or by the "
        "error of a reconstruction; mse: of the value in the label, or of a reconstruction",
        DEFAULT("top1"), WORDS(dataset_metrics)),
    ONE("type", VALUE_WORD, type, "uint8",
        "numbers of raw samples (.npy says itself); tensor: the model's input as it is",
        DEFAULT("tensor"), WORDS(dataset_types)),
    ONE("offset", VALUE_SIGNED, offset, "-128", "added to each value", DEFAULT("0")),
    ONE("scale", VALUE_SIGNED, scale, "0.5", "then multiplied with it", DEFAULT("1")),
    ONE("quantize", VALUE_BOOL, quantize, "true",
        "then by the scale and zero point of the model's input", DEFAULT("false")),
    ONE("channel_first", VALUE_BOOL, channel_first, "true",
        "samples lie channel by channel, the model wants channels last", DEFAULT("false")),
    ONE("limit", VALUE_COUNT, limit, "100", "only the first so many samples; 0 is all",
        DEFAULT("0"), RANGE(0, 100000)),
    {NULL},
};
#undef M

static const struct key_map dataset_map = {
    .name = "dataset",
    .help = "labelled samples, for the model's accuracy on the board",
    .keys = dataset_keys,
    .size = sizeof(struct suite_dataset),
    .shorthand = "path",
    .finish = dataset_finish,
};

/* What a model may say itself and `defaults` may say for all. */
#define M model_file
#define MODEL_KEYS                                                                                 \
    LIST("inputs", VALUE_TEXT, files.inputs, "models/sine/in*.bin",                                \
         "raw little-endian input tensors: files, or patterns whose matches are sorted; {name} "   \
         "is the model's name",                                                                    \
         OPTIONAL),                                                                                \
        LIST("expected", VALUE_TEXT, files.expected, "models/sine/out*.bin",                       \
             "the outputs that must come back for them, bit for bit; as many as inputs",           \
             OPTIONAL),                                                                            \
        ONE("tolerance", VALUE_NUMBER, model.tolerance, "0.001",                                   \
            "float32 outputs may differ by this, times the larger of 1 and the expected value; "   \
            "integers never",                                                                      \
            DEFAULT("0")),                                                                         \
        MAP("measure", measure_map, model.measure, "what this model measures differently",         \
            FLAGS(KEY_INHERITS)),                                                                  \
        MAPS("budgets", budget_map, model.budgets, "limits for this model only", FLAGS(KEY_ALONE), \
             COUNT(model.budget_count), EXAMPLE("[latency <= 33ms]"))

static const struct key defaults_keys[] = {
    MODEL_KEYS,
    {NULL},
};

static const struct key model_keys[] = {
    ONE("path", VALUE_PATH, model.path, "models/sine.tflite",
        "a .tflite file, relative to the suite", REQUIRED),
    ONE("name", VALUE_NAME, model.name, "sine",
        "what it is called in results; without it, the file's name", OPTIONAL),
    MODEL_KEYS,
    MAPS("vectors", vector_map, vectors,
         "inputs and expected outputs, pair by pair, instead of inputs and expected",
         FLAGS(KEY_ALONE), COUNT(vector_count), EXAMPLE("[{input: in0.bin, expected: out0.bin}]")),
    MAP("dataset", dataset_map, dataset, "labelled samples, for the model's accuracy on the board",
        OPTIONAL, GIVEN(has_dataset)),
    {NULL},
};
#undef M

static const struct key_map defaults_map = {
    .name = "defaults",
    .help = "what every model does unless it says otherwise",
    .keys = defaults_keys,
    .size = sizeof(struct model_file),
    .prepare = defaults_prepare,
};

static const struct key_map model_map = {
    .name = "models",
    .help = "what is measured",
    .keys = model_keys,
    .size = sizeof(struct model_file),
    .shorthand = "path",
    .where_offset = offsetof(struct model_file, model.where),
    .prepare = model_prepare,
    .finish = model_finish,
};

#define M suite_file
static const struct key suite_keys[] = {
    ONE("name", VALUE_NAME, suite.name, "quickstart",
        "what the suite is called in results; without it, the file's name", OPTIONAL),
    ONE("description", VALUE_TEXT, suite.description, "all virtual boards in two minutes",
        "for people", OPTIONAL),
    MAP("measure", measure_map, suite.measure, "how each case is measured", OPTIONAL),
    MAP("energy", energy_map, energy,
        "measure current and energy too; without it, no instrument is touched", OPTIONAL,
        GIVEN(has_energy)),
    MAP("defaults", defaults_map, defaults, "what every model does unless it says otherwise",
        OPTIONAL, GIVEN(has_defaults)),
    MAPS("models", model_map, models, "what is measured; a path alone will do",
         FLAGS(KEY_REQUIRED | KEY_ALONE), COUNT(model_count), EXAMPLE("[models/sine.tflite]")),
    LIST("boards", VALUE_SELECTOR, suite.boards, "[virt-m4, \"nucleo-*\", tag:cortex-m]",
         "where: names, patterns and tags; without it, every board of the lab", OPTIONAL,
         COUNT(suite.board_count)),
    LIST("engines", VALUE_NAME_AT, suite.engines, "[tiny, null]", "what runs the models",
         DEFAULT("tiny"), COUNT(suite.engine_count)),
    AXES("parameters", VALUE_NAME, suite.axes, "{kernels: [best, ref]}",
         "further axes of the matrix, each with its values", OPTIONAL, COUNT(suite.axis_count)),
    MAPS("budgets", budget_map, suite.budgets, "limits that must hold in every case",
         FLAGS(KEY_ALONE), COUNT(suite.budget_count), EXAMPLE("[ram <= 64KiB]")),
    MAPS("include", include_map, suite.includes,
         "the only cells of the matrix that are cases; without it, all", FLAGS(KEY_ALONE),
         COUNT(suite.include_count), EXAMPLE("[{model: kws}]")),
    MAPS("exclude", exclude_map, suite.excludes, "cases to leave out, each with a reason",
         FLAGS(KEY_ALONE), COUNT(suite.exclude_count),
         EXAMPLE("[{model: vww, board: virt-m0, reason: too big}]")),
    {NULL},
};
#undef M

const struct key_map suite_map = {
    .name = "suite",
    .help = "what to measure, on which boards, and what must hold",
    .keys = suite_keys,
    .size = sizeof(struct suite_file),
    .finish = suite_finish,
};
