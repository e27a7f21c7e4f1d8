#include "harness/measure/allowance.h"

#include <string.h>

#define CYCLES_PER_MAC       100.0
#define CYCLES_PER_FLOAT_MAC 1000.0 /* without an FPU */
#define AVR_FACTOR           10.0 /* 8 bits: 190 cycles in a dense layer, 16 times a Cortex-M0's */
#define CYCLES_PER_BYTE      1000.0 /* of the arena in use at a step: what is no multiplication */
#define EMULATED_HZ          10e6   /* a tenth of what QEMU and simavr do alone */

static bool is_float(const struct nn_report *r)
{
    return r->input_count > 0 && r->inputs[0].type == NN_FLOAT32;
}

static bool is_known(const struct nn_report *r)
{
    for (size_t i = 0; i < r->op_count; i++) {
        if (r->ops[i].steps > 0 && strcmp(r->ops[i].name, "CUSTOM") == 0)
            return false;
    }
    return true;
}

unsigned allowance_first_ms(const struct nn_report *report, const struct board *board,
                            unsigned tries)
{
    double cycles;
    double hz = (double)board->clock_hz;
    double ms;

    if (report == NULL || hz <= 0 || !is_known(report))
        return ALLOWANCE_UNKNOWN_MS;
    if (board->realm == REALM_VIRTUAL && hz > EMULATED_HZ)
        hz = EMULATED_HZ;
    cycles = (double)report->macs * (is_float(report) ? CYCLES_PER_FLOAT_MAC : CYCLES_PER_MAC);
    if (board->cpu != NULL && strncmp(board->cpu, "avr", 3) == 0)
        cycles *= AVR_FACTOR;
    for (size_t i = 0; i < report->step_count; i++)
        cycles += report->steps[i].live_bytes * CYCLES_PER_BYTE;
    ms = ALLOWANCE_SLACK_MS + cycles / hz * 1e3;
    for (; tries > 0 && ms < ALLOWANCE_UNKNOWN_MS; tries--)
        ms *= 4;
    return ms < ALLOWANCE_UNKNOWN_MS ? (unsigned)ms : ALLOWANCE_UNKNOWN_MS;
}
