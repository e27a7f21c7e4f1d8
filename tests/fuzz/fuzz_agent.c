/*
 * Any bytes, and any messages, into the agent's core on a fake port. Whatever comes in, what goes
 * out are frames of known messages with right lengths.
 */
#include <stdlib.h>
#include <string.h>

#include "agents/core/agent.h"
#include "agents/wire/names.h"
#include "agents/wire/wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/link_script.h"
#include "tests/wire/fake_port.h"

enum {
    NONCE = 0x4321
};

static void check_sent(void)
{
    WIRE_FRAME_BUFFER(WIRE_READ_MAX + 4) buffer;
    struct wire_rx rx = {.frame = buffer.bytes, .capacity = sizeof(buffer.bytes)};

    for (size_t i = 0; i < fake.sent_used; i++) {
        enum wire_rx_result result = wire_rx_byte(&rx, fake.sent[i]);
        const struct wire_info *info;

        if (result == WIRE_RX_MORE)
            continue;
        if (result == WIRE_RX_GARBAGE)
            abort();
        info = wire_info_find(wire_rx_header(&rx)->type);
        if (info == NULL || info->from_host || !wire_info_fits(info, wire_rx_message_size(&rx)))
            abort();
    }
    fake.sent_used = 0;
}

static void to_agent(void *context, uint8_t byte)
{
    (void)context;
    agent_rx(byte);
    agent_poll();
}

/* What would only take long: very many inferences, very long gaps. */
static void limit(struct script_message *m)
{
    if (m->type == WIRE_RUN && m->size >= sizeof(struct wire_run)) {
        struct wire_run run;

        memcpy(&run, m->bytes, sizeof(run));
        run.inferences %= 8;
        run.windows %= 8;
        run.gap_ticks %= 1024;
        memcpy(m->bytes, &run, sizeof(run));
    }
    if (m->type == WIRE_LOAD && m->size >= sizeof(struct wire_load)) {
        struct wire_load load;

        memcpy(&load, m->bytes, sizeof(load));
        load.options %= 64; /* the null engine spins */
        memcpy(m->bytes, &load, sizeof(load));
    }
}

static void run_script(struct script *s)
{
    struct script_message m;
    static uint8_t seq;

    while (script_next(s, &m)) {
        const struct wire_header header = {WIRE_FORMAT, m.type, m.flag ? seq : ++seq, 0, NONCE};
        struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {m.bytes, m.size}};

        limit(&m);
        wire_encode(&header, parts, to_agent, NULL);
        check_sent();
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct script script;
    static jmp_buf reset;

    if (size == 0)
        return 0;
    fake_port_init();
    script = (struct script){data + 1, size - 1};
    if (setjmp(reset) != 0)
        fake.sent_used = 0;
    fake.reset = &reset;
    agent_start();
    check_sent();
    if (data[0] != 0) {
        run_script(&script);
        return 0;
    }
    while (script.left != 0) {
        script.left--;
        to_agent(NULL, *script.at++);
        if (fake.sent_used != 0)
            check_sent();
    }
    return 0;
}
