#include "harness/nn/graph.h"

static const struct {
    const char *name;
    int number;
    unsigned bits;
} types[] = {
#define X(name, number, bits) {#name, number, bits},
    NN_TYPES(X)
#undef X
};

static const struct {
    const char *name;
    int32_t code;
    int32_t version;
} operators[] = {
#define X(name, number, version, options) {#name, number, version},
    NN_OPERATORS(X)
#undef X
};

const char *nn_type_name(int type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].number == type)
            return types[i].name;
    }
    return "?";
}

unsigned nn_type_bits(int type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].number == type)
            return types[i].bits;
    }
    return 0;
}

const char *nn_opcode_name(int32_t code)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].code == code)
            return operators[i].name;
    }
    return NULL;
}

int32_t nn_opcode_max_version(int32_t code)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].code == code)
            return operators[i].version;
    }
    return 0;
}

const char *nn_activation_name(enum nn_activation activation)
{
    static const char *const names[] = {"none",  "RELU", "RELU_N1_TO_1",
                                        "RELU6", "TANH", "SIGN_BIT"};

    return (size_t)activation < sizeof names / sizeof *names ? names[activation] : "?";
}
