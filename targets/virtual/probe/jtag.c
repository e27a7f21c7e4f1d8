#include "targets/virtual/probe/jtag.h"

/* The sixteen states, and where TMS 0 and 1 lead. */
enum state {
    TEST_LOGIC_RESET,
    RUN_TEST_IDLE,
    SELECT_DR,
    CAPTURE_DR,
    SHIFT_DR,
    EXIT1_DR,
    PAUSE_DR,
    EXIT2_DR,
    UPDATE_DR,
    SELECT_IR,
    CAPTURE_IR,
    SHIFT_IR,
    EXIT1_IR,
    PAUSE_IR,
    EXIT2_IR,
    UPDATE_IR
};

static const uint8_t next_state[16][2] = {
    [TEST_LOGIC_RESET] = {RUN_TEST_IDLE, TEST_LOGIC_RESET},
    [RUN_TEST_IDLE] = {RUN_TEST_IDLE, SELECT_DR},
    [SELECT_DR] = {CAPTURE_DR, SELECT_IR},
    [CAPTURE_DR] = {SHIFT_DR, EXIT1_DR},
    [SHIFT_DR] = {SHIFT_DR, EXIT1_DR},
    [EXIT1_DR] = {PAUSE_DR, UPDATE_DR},
    [PAUSE_DR] = {PAUSE_DR, EXIT2_DR},
    [EXIT2_DR] = {SHIFT_DR, UPDATE_DR},
    [UPDATE_DR] = {RUN_TEST_IDLE, SELECT_DR},
    [SELECT_IR] = {CAPTURE_IR, TEST_LOGIC_RESET},
    [CAPTURE_IR] = {SHIFT_IR, EXIT1_IR},
    [SHIFT_IR] = {SHIFT_IR, EXIT1_IR},
    [EXIT1_IR] = {PAUSE_IR, UPDATE_IR},
    [PAUSE_IR] = {PAUSE_IR, EXIT2_IR},
    [EXIT2_IR] = {SHIFT_IR, UPDATE_IR},
    [UPDATE_IR] = {RUN_TEST_IDLE, SELECT_DR},
};

/* Instructions of a JTAG-DP; any other is BYPASS. */
enum {
    IR_ABORT = 0x8,
    IR_DPACC = 0xa,
    IR_APACC = 0xb,
    IR_IDCODE = 0xe,
    IR_LENGTH = 4
};

/* JTAG has two answers: a fault is seen in CTRL/STAT only. */
enum {
    ACK_WAIT = 1,
    ACK_OK_FAULT = 2,
    ACK_NOBODY = 7 /* TDO is pulled up */
};

#define RDBUFF 12u

void jtag_init(struct jtag *j, struct dap *dap)
{
    *j = (struct jtag){.dap = dap, .instruction = IR_IDCODE, .ack = ACK_OK_FAULT, .length = 1};
}

static bool is_access(unsigned instruction)
{
    return instruction == IR_ABORT || instruction == IR_DPACC || instruction == IR_APACC;
}

static void capture(struct jtag *j)
{
    j->gone = !dap_answers(j->dap);
    if (j->instruction == IR_IDCODE) {
        j->shift = j->dap->target->chip->jtag_id;
        j->length = 32;
    } else if (is_access(j->instruction)) {
        j->shift = (uint64_t)j->data << 3 | j->ack;
        j->length = 35;
    } else {
        j->shift = 0;
        j->length = 1;
    }
}

/* A JTAG-DP has no ABORT register that clears the sticky flags: a 1 written to CTRL/STAT does. */
static enum dap_result write_dp(struct jtag *j, unsigned reg, uint32_t value)
{
    if (reg == 0)
        return DAP_OK;
    if (reg == 4)
        j->dap->control &=
            ~(value & (DAP_STICKY_OVERRUN | DAP_STICKY_COMPARE | (uint32_t)DAP_STICKY_ERROR));
    return dap_write_dp(j->dap, reg | DAP_BANK_FROM_SELECT, value);
}

static enum dap_result access_dp(struct jtag *j, bool read, unsigned reg, uint32_t value)
{
    if (!read)
        return write_dp(j, reg, value);
    if (reg == RDBUFF) {
        j->data = 0;
        return DAP_OK;
    }
    return dap_read_dp(j->dap, reg | DAP_BANK_FROM_SELECT, &j->data);
}

static enum dap_result access_ap(struct jtag *j, bool read, unsigned reg, uint32_t value)
{
    const unsigned ap = j->dap->select >> 24;
    const unsigned full = (j->dap->select & 0xf0) | reg;

    return read ? dap_read_ap(j->dap, ap, full, &j->data) : dap_write_ap(j->dap, ap, full, value);
}

static void update(struct jtag *j)
{
    const bool read = (j->shift & 1) != 0;
    const unsigned reg = (unsigned)(j->shift >> 1 & 3) << 2;
    const uint32_t value = (uint32_t)(j->shift >> 3);
    enum dap_result r = DAP_OK;

    if (!is_access(j->instruction))
        return;
    if (j->instruction == IR_DPACC)
        r = access_dp(j, read, reg, value);
    else if (j->instruction == IR_APACC)
        r = access_ap(j, read, reg, value);
    if (r != DAP_OK)
        j->data = r == DAP_NO_ACK ? UINT32_MAX : 0;
    j->ack = r == DAP_NO_ACK ? ACK_NOBODY : (r == DAP_WAIT ? ACK_WAIT : ACK_OK_FAULT);
}

bool jtag_tdo(const struct jtag *j)
{
    if (j->gone || (j->state != SHIFT_DR && j->state != SHIFT_IR))
        return true; /* pulled up */
    return (j->shift & 1) != 0;
}

static void enter_state(struct jtag *j)
{
    switch (j->state) {
    case TEST_LOGIC_RESET:
        j->instruction = IR_IDCODE;
        break;
    case CAPTURE_DR:
        capture(j);
        break;
    case CAPTURE_IR:
        j->gone = !dap_answers(j->dap);
        j->shift = 1;
        j->length = IR_LENGTH;
        break;
    case UPDATE_IR:
        j->instruction = (unsigned)j->shift & 15;
        break;
    case UPDATE_DR:
        update(j);
        break;
    default:
        break;
    }
}

/* Bits shift in the state that the edge finds; then it moves on. */
void jtag_clock(struct jtag *j, bool tms, bool tdi)
{
    if (j->state == SHIFT_DR || j->state == SHIFT_IR)
        j->shift = j->shift >> 1 | (uint64_t)tdi << (j->length - 1);
    j->state = next_state[j->state][tms];
    enter_state(j);
}
