/* Bytes to messages, the session, and the small requests. */
#include "agents/core/internal.h"

AGENT_STORAGE struct agent agent;

/* ---- receive ring: agent_rx() in the interrupt, the rest outside ---- */

void agent_rx(uint8_t byte)
{
    ring_index next = (ring_index)((agent.head + 1u) & (AGENT_RX_RING - 1u));

    if (next == agent.tail) {
        agent.bytes_lost++;
        return;
    }
    agent.ring[agent.head] = byte;
    agent.head = next;
}

void agent_rx_lost(void)
{
    agent.bytes_lost++;
}

bool agent_rx_pending(void)
{
    return agent.head != agent.tail;
}

/* ---- sending ---- */

static void put_byte(void *context, uint8_t byte)
{
    (void)context;
    port_send(&byte, 1);
}

static void send_with_tail(uint8_t type, uint8_t seq, const void *fields, uint8_t size,
                           struct wire_part tail)
{
    struct wire_part parts[WIRE_PARTS];
    struct wire_header header;

    header.format = WIRE_FORMAT;
    header.type = type;
    header.seq = seq;
    header.credit = AGENT_CREDITS;
    header.nonce = agent.nonce;
    parts[WIRE_PART_FIELDS].data = fields;
    parts[WIRE_PART_FIELDS].n = size;
    parts[WIRE_PART_TAIL] = tail;
    wire_encode(&header, parts, put_byte, NULL);
}

void agent_send(uint8_t type, uint8_t seq, const void *fields, uint8_t size)
{
    send_with_tail(type, seq, fields, size, (struct wire_part){NULL, 0});
}

void agent_busy(uint32_t expect_ms)
{
    struct wire_busy busy = {.expect_ms = expect_ms};

    agent_send(WIRE_BUSY, agent.answer.seq, &busy, sizeof(busy));
    port_send_drain();
}

void agent_reply(uint8_t type, uint8_t size)
{
    agent.answer.type = type;
    agent.answer.size = size;
}

void agent_fail(uint8_t code, uint32_t detail)
{
    struct wire_error *error = &agent.answer.as.error;

    error->code = code;
    error->request = agent.answer.request;
    error->reserved = 0;
    error->detail = detail;
    agent_reply(WIRE_ERROR, sizeof(*error));
}

/* ---- session ---- */

static uint32_t caps(void)
{
    uint32_t bits = port_caps();

    for (const struct engine *const *e = engines; *e != NULL; e++) {
        if ((*e)->profile != NULL)
            bits |= WIRE_CAP_PROFILE;
    }
    return bits;
}

static void fill_hello(struct wire_hello *hello)
{
    const uint8_t *build_id = port_build_id();
    struct port_region slot = port_slot();
    struct port_region arena = port_arena();

    for (size_t i = 0; i < sizeof(hello->build_id); i++)
        hello->build_id[i] = build_id[i];
    port_chip_uid(hello->chip_uid);
    hello->caps = caps();
    hello->clock_hz = port_clock_hz();
    hello->tick_hz = agent.tick_hz;
    hello->tick_overhead = agent.tick_overhead;
    hello->slot_base = (uint32_t)(uintptr_t)slot.base;
    hello->slot_size = slot.size;
    hello->arena_base = (uint32_t)(uintptr_t)arena.base;
    hello->arena_size = arena.size;
    hello->nonce = agent.nonce;
    hello->max_payload = AGENT_MAX_PAYLOAD;
    hello->version = WIRE_VERSION;
    hello->credits = AGENT_CREDITS;
    hello->timebase = agent.timebase;
    hello->engines = 0;
    while (engines[hello->engines] != NULL)
        hello->engines++;
    hello->reset_cause = port_reset_cause();
    hello->tick_bits = port_timebase().bits;
    hello->records = AGENT_RECORDS;
    hello->reserved = 0;
}

static void reply_hello(void)
{
    fill_hello(&agent.answer.as.hello);
    agent_reply(WIRE_HELLO, sizeof(struct wire_hello));
}

static void on_open(const void *request)
{
    const struct wire_open *open = request;

    if (open->nonce == 0 || open->version_min > WIRE_VERSION || open->version_max < WIRE_VERSION) {
        agent_fail(WIRE_ERR_VERSION, WIRE_VERSION);
        return;
    }
    agent.nonce = open->nonce;
    reply_hello();
}

static void on_engine(const void *request)
{
    const struct wire_engine *wanted = request;
    const struct engine *const *e = engines;

    for (uint8_t i = wanted->engine; i != 0 && *e != NULL; i--)
        e++;
    if (*e == NULL) {
        agent_fail(WIRE_ERR_RANGE, wanted->engine);
        return;
    }
    agent.answer.as.engine_info.version = (*e)->version;
    agent.answer.as.engine_info.caps = (*e)->caps;
    agent.answer.tail.data = (*e)->name;
    while ((*e)->name[agent.answer.tail.n] != '\0')
        agent.answer.tail.n++;
    agent_reply(WIRE_ENGINE_INFO, sizeof(struct wire_engine_info));
}

static void on_time(const void *request)
{
    struct wire_time_info *info = &agent.answer.as.time_info;
    uint32_t token = ((const struct wire_time *)request)->token;

    info->ticks = port_ticks();
    info->token = token;
    info->reserved = 0;
    agent_reply(WIRE_TIME_INFO, sizeof(*info));
}

static void on_stats(const void *request)
{
    struct wire_stats_info *info = &agent.answer.as.stats_info;
    bool clear = ((const struct wire_stats *)request)->clear != 0;
    struct port_stack stack = port_stack(clear);

    info->stack_size = stack.size;
    info->stack_peak = stack.peak;
    info->static_ram = port_static_ram();
    info->arena_used = agent.model.arena_used;
    info->arena_touched = run_arena_touched();
    info->frames_in = agent.frames_in;
    info->frames_bad = agent.frames_bad;
    info->bytes_lost = agent.bytes_lost;
    if (clear)
        agent.frames_in = agent.frames_bad = agent.bytes_lost = 0;
    agent_reply(WIRE_STATS_INFO, sizeof(*info));
}

static void on_baud(const void *request)
{
    uint32_t baud = ((const struct wire_baud *)request)->baud;

    /* Try and come back: the answer goes out at the old rate. */
    if (!port_set_baud(baud)) {
        agent_fail(WIRE_ERR_RANGE, baud);
        return;
    }
    (void)port_set_baud(agent.baud);
    agent.answer.as.baud_set.baud = baud;
    agent_reply(WIRE_BAUD_SET, sizeof(struct wire_baud_set));
}

static void on_reset(const void *request)
{
    if (((const struct wire_reset *)request)->magic == WIRE_RESET_MAGIC)
        port_reset();
    agent_fail(WIRE_ERR_RANGE, 0);
}

/* ---- baud rate ---- */

static void use_baud(uint32_t baud)
{
    port_send_drain();
    if (port_set_baud(baud))
        agent.baud = baud;
    agent.junk = 0;
}

/* The answer to BAUD has been sent: from here a good frame must come within half a second. */
static void start_trial(void)
{
    use_baud(agent.answer.as.baud_set.baud);
    agent.trial = agent.baud != AGENT_BAUD;
    agent.trial_start = port_ticks();
}

/*
 * Back to the first rate when a trial fails, or when nothing but junk has come for longer than
 * any good frame: then a new host is speaking at the first rate.
 */
static void check_baud(void)
{
    bool late = agent.trial && port_ticks() - agent.trial_start > agent.tick_hz / 2;

    if (!late &&
        (agent.baud == AGENT_BAUD || agent.junk < 2 * WIRE_ENCODED_SIZE(AGENT_MAX_PAYLOAD)))
        return;
    agent.trial = false;
    use_baud(AGENT_BAUD);
}

/* ---- dispatch ---- */

struct row {
    handler_fn *handler;
    uint8_t type;
    uint8_t size;
};

static const struct row rows[] = {
    {on_open, WIRE_OPEN, sizeof(struct wire_open)},
    {on_engine, WIRE_ENGINE, sizeof(struct wire_engine)},
    {on_time, WIRE_TIME, sizeof(struct wire_time)},
    {on_stats, WIRE_STATS, sizeof(struct wire_stats)},
    {on_baud, WIRE_BAUD, sizeof(struct wire_baud)},
    {on_reset, WIRE_RESET, sizeof(struct wire_reset)},
    {object_on_write, WIRE_WRITE, sizeof(struct wire_write)},
    {object_on_digest, WIRE_DIGEST, sizeof(struct wire_digest)},
    {object_on_read, WIRE_READ, sizeof(struct wire_read)},
    {run_on_load, WIRE_LOAD, sizeof(struct wire_load)},
    {run_on_tensor, WIRE_TENSOR, sizeof(struct wire_tensor)},
    {run_on_run, WIRE_RUN, sizeof(struct wire_run)},
    {run_on_go, WIRE_GO, sizeof(struct wire_go)},
    {run_on_record, WIRE_RECORD, sizeof(struct wire_record)},
    {run_on_profile, WIRE_PROFILE, sizeof(struct wire_profile)},
};

static void handle(const void *message, uint16_t size)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type != agent.answer.request)
            continue;
        if (rows[i].size == size)
            rows[i].handler(message);
        else
            agent_fail(WIRE_ERR_LENGTH, size);
        return;
    }
    agent_fail(WIRE_ERR_UNKNOWN, 0);
}

static void send_answer(void)
{
    const struct answer *answer = &agent.answer;

    send_with_tail(answer->type, answer->seq, &answer->as, answer->size, answer->tail);
    if (answer->type == WIRE_BAUD_SET)
        start_trial();
}

/* To a host that does not know yet. Not inlined: its HELLO would deepen the stack of every request. */
__attribute__((noinline)) static void tell_of_reset(uint8_t seq)
{
    struct wire_hello hello;

    fill_hello(&hello);
    agent_send(WIRE_HELLO, seq, &hello, sizeof(hello));
}

static void dispatch(void)
{
    const struct wire_header *header = wire_rx_header(&agent.rx);
    const void *message = wire_rx_message(&agent.rx);
    uint16_t size = wire_rx_message_size(&agent.rx);
    struct answer *answer = &agent.answer;

    if ((header->type & 1) == 0)
        return; /* our own bytes, echoed by the line */
    if (header->type != WIRE_OPEN && (header->nonce != agent.nonce || agent.nonce == 0)) {
        tell_of_reset(header->seq);
        return;
    }
    agent.trial = false;
    if (header->type == WIRE_DATA) {
        object_on_data(message, size, header->seq);
        return;
    }
    if (answer->type == 0 || header->type != answer->request || header->seq != answer->seq ||
        header->type == WIRE_OPEN) {
        answer->request = header->type;
        answer->seq = header->seq;
        answer->tail.n = 0;
        if (header->type != WIRE_GO)
            agent.armed = false;
        if (header->type < WIRE_RUN) /* windows may lie between two TIMEs */
            agent.awake = header->type == WIRE_TIME;
        handle(message, size);
    }
    send_answer();
}

static void take_byte(uint8_t byte)
{
    if (agent.junk != UINT16_MAX)
        agent.junk++;
    switch (wire_rx_byte(&agent.rx, byte)) {
    case WIRE_RX_FRAME:
        agent.junk = 0;
        agent.frames_in++;
        dispatch();
        break;
    case WIRE_RX_GARBAGE:
        agent.frames_bad++;
        break;
    case WIRE_RX_MORE:
        break;
    }
}

void agent_poll(void)
{
    while (agent_rx_pending()) {
        uint8_t byte = agent.ring[agent.tail];

        agent.tail = (ring_index)((agent.tail + 1u) & (AGENT_RX_RING - 1u));
        take_byte(byte);
    }
    check_baud();
}

bool agent_may_sleep(void)
{
    return !agent.trial && !agent.awake;
}

void agent_start(void)
{
    __builtin_memset(&agent, 0, sizeof(agent));
    agent.rx.frame = agent.frame.bytes;
    agent.rx.capacity = sizeof(agent.frame.bytes);
    agent.baud = AGENT_BAUD;
    run_start();
    reply_hello();
    send_answer();
    agent.answer.type = 0;
}

void agent_main(void)
{
    port_init();
    agent_start();
    for (;;) {
        agent_poll();
        port_wait(agent_may_sleep());
    }
}
