#include "targets/virtual/probe/swd.h"

#define LINE_RESET 50u

enum state {
    OFF, /* nothing is understood until a line reset */
    IDLE,
    REQUEST,
    TURN_TO_ACK,
    ACK,
    READ_DATA,
    TURN_AFTER_READ,
    TURN_TO_WRITE,
    WRITE_DATA
};

/* Bits of a request, lowest first on the wire. */
enum {
    START = 1 << 0,
    TO_AP = 1 << 1,
    IS_READ = 1 << 2,
    ADDRESS_SHIFT = 3,
    PARITY = 1 << 5,
    STOP = 1 << 6,
    PARK = 1 << 7
};

void swd_init(struct swd *s, struct dap *dap)
{
    *s = (struct swd){.dap = dap, .state = OFF};
}

static bool parity(uint32_t v)
{
    return __builtin_parity(v) != 0;
}

static unsigned address_of(const struct swd *s)
{
    return (s->request >> ADDRESS_SHIFT & 3) << 2;
}

static bool is_good(unsigned request)
{
    return (request & STOP) == 0 && (request & PARK) != 0 &&
           parity(request >> 1 & 15) == ((request & PARITY) != 0);
}

/* Accesses that are answered while a sticky flag is set. */
static bool is_always_answered(const struct swd *s)
{
    const unsigned address = address_of(s);

    if ((s->request & TO_AP) != 0)
        return false;
    if ((s->request & IS_READ) != 0)
        return address == 0 || address == 4; /* DPIDR, CTRL/STAT */
    return address == 0;                     /* ABORT */
}

/* An AP read answers with the result of the one before it. */
static void read_register(struct swd *s)
{
    uint32_t v = 0;

    if ((s->request & TO_AP) == 0) {
        (void)dap_read_dp(s->dap, address_of(s) | DAP_BANK_FROM_SELECT, &s->data);
        return;
    }
    s->data = s->dap->result;
    (void)dap_read_ap(s->dap, s->dap->select >> 24, (s->dap->select & 0xf0) | address_of(s), &v);
    s->dap->result = v;
}

static void write_register(struct swd *s, uint32_t value)
{
    if ((s->request & TO_AP) == 0)
        (void)dap_write_dp(s->dap, address_of(s) | DAP_BANK_FROM_SELECT, value);
    else
        (void)dap_write_ap(s->dap, s->dap->select >> 24, (s->dap->select & 0xf0) | address_of(s),
                           value);
}

static void decide(struct swd *s)
{
    static const uint8_t acks[] = {
        [DAP_OK] = 1, [DAP_WAIT] = 2, [DAP_FAULT] = 4, [DAP_NO_ACK] = 7, [DAP_PARITY] = 1};
    enum dap_result r = dap_ask(s->dap);

    s->bad_parity = r == DAP_PARITY;
    if (r == DAP_OK && (s->dap->control & DAP_STICKY) != 0 && !is_always_answered(s))
        r = DAP_FAULT;
    s->ack = acks[r];
    s->data = 0;
    if (r == DAP_OK && (s->request & IS_READ) != 0)
        read_register(s);
}

/* With overrun detection on, the data phase comes whatever the answer was. */
static bool has_data(const struct swd *s)
{
    return s->ack == 1 || (s->dap->control & DAP_OVERRUN_DETECT) != 0;
}

bool swd_level(const struct swd *s)
{
    if (s->state == ACK)
        return (s->ack >> s->bit & 1) != 0;
    if (s->state == READ_DATA && s->bit < 32)
        return (s->data >> s->bit & 1) != 0;
    if (s->state == READ_DATA)
        return parity(s->data) != s->bad_parity;
    return true;
}

static void go(struct swd *s, enum state state)
{
    s->state = (int)state;
    s->bit = 0;
    s->shift = 0;
}

static void take_request(struct swd *s, bool level)
{
    s->request |= (unsigned)level << s->bit;
    if (++s->bit < 8)
        return;
    go(s, is_good(s->request) ? TURN_TO_ACK : OFF);
}

static void after_ack(struct swd *s)
{
    if (s->ack == 7) /* nobody was there */
        go(s, IDLE);
    else if ((s->request & IS_READ) == 0)
        go(s, TURN_TO_WRITE);
    else
        go(s, has_data(s) ? READ_DATA : TURN_AFTER_READ);
}

static void take_data(struct swd *s, bool level)
{
    s->shift |= (uint64_t)level << s->bit;
    if (++s->bit < 33)
        return;
    if (s->ack != 1)
        s->dap->control |= DAP_STICKY_OVERRUN;
    else if (s->bad_parity || parity((uint32_t)s->shift) != (s->shift >> 32 != 0))
        s->dap->control |= DAP_WRITE_ERROR;
    else
        write_register(s, (uint32_t)s->shift);
    go(s, IDLE);
}

/* True when this bit was part of a line reset. */
static bool count_ones(struct swd *s, bool host_drives, bool level)
{
    const bool was_reset = s->ones >= LINE_RESET;

    s->ones = host_drives && level ? s->ones + 1 : 0;
    if (s->ones >= LINE_RESET) {
        go(s, OFF);
        return true;
    }
    if (was_reset && host_drives) {
        s->dap->select = 0;
        go(s, IDLE);
        return true;
    }
    return false;
}

void swd_clock(struct swd *s, bool host_drives, bool level)
{
    if (count_ones(s, host_drives, level))
        return;
    switch ((enum state)s->state) {
    case OFF:
        break;
    case IDLE:
        if (host_drives && level) {
            go(s, REQUEST);
            s->request = START;
            s->bit = 1;
        }
        break;
    case REQUEST:
        take_request(s, level);
        break;
    case TURN_TO_ACK:
        go(s, ACK);
        decide(s);
        break;
    case ACK:
        if (++s->bit == 3)
            after_ack(s);
        break;
    case READ_DATA:
        if (++s->bit == 33)
            go(s, TURN_AFTER_READ);
        break;
    case TURN_AFTER_READ:
        go(s, IDLE);
        break;
    case TURN_TO_WRITE:
        go(s, has_data(s) ? WRITE_DATA : IDLE);
        break;
    case WRITE_DATA:
        take_data(s, level);
        break;
    }
}
