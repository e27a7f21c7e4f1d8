#include "agents/engines/foreign/exn.h"

enum {
    HEADER = 8
};

static unsigned read16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

size_t exn_memory(const void *model, size_t size)
{
    const unsigned char *m = model;
    size_t inputs, outputs;

    if (size < HEADER || m[0] != 'E' || m[1] != 'X' || m[2] != 'N' || m[3] != '1')
        return 0;
    inputs = read16(m + 4);
    outputs = read16(m + 6);
    if (inputs == 0 || outputs == 0 || (size - HEADER) / outputs < inputs + 4)
        return 0;
    return inputs + outputs;
}

int exn_open(struct exn_net *net, const void *model, size_t size, void *memory)
{
    const unsigned char *m = model;

    if (exn_memory(model, size) == 0)
        return -1;
    net->inputs = read16(m + 4);
    net->outputs = read16(m + 6);
    net->rows = m + HEADER;
    net->in = memory;
    net->out = net->in + net->inputs;
    return 0;
}

void exn_run(struct exn_net *net)
{
    const unsigned char *row = net->rows;

    for (unsigned o = 0; o < net->outputs; o++, row += 4 + net->inputs) {
        long sum =
            (int)(row[0] | (unsigned)row[1] << 8 | (unsigned)row[2] << 16 | (unsigned)row[3] << 24);
        for (unsigned i = 0; i < net->inputs; i++)
            sum += (signed char)row[4 + i] * net->in[i];
        sum >>= 8;
        net->out[o] = (signed char)(sum < -128 ? -128 : sum > 127 ? 127 : sum);
    }
}
