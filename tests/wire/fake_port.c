#include "tests/wire/fake_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/core/port.h"
#include "agents/engines/engine.h"
#include "agents/wire/wire.h"

struct fake_port fake;
struct fake_engine fake_engine;

void fake_port_init(void)
{
    memset(&fake, 0, sizeof(fake));
    memset(&fake_engine, 0, sizeof(fake_engine));
    fake.tick_step = 1;
    fake.baud = AGENT_BAUD;
    fake.caps = WIRE_CAP_SLOT_WRITE | WIRE_CAP_SLOT_FLASH | WIRE_CAP_MARKER | WIRE_CAP_BAUD;
}

static void note(const char *event)
{
    size_t used = strlen(fake.events);

    snprintf(fake.events + used, sizeof(fake.events) - used, "%s ", event);
}

/* ---- port.h ---- */

void port_init(void)
{
}

void port_send(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n && fake.sent_used < sizeof(fake.sent); i++)
        fake.sent[fake.sent_used++] = data[i];
}

void port_send_drain(void)
{
    note("drain");
}

void port_wait(bool may_sleep)
{
}

void port_link_silence(bool silent)
{
    note(silent ? "silent" : "loud");
}

bool port_set_baud(uint32_t baud)
{
    if (baud > 1000000)
        return false;
    fake.baud = baud;
    return true;
}

struct port_timebase port_timebase(void)
{
    return (struct port_timebase){WIRE_TIMEBASE_CHIP_TIMER, 32, 1000};
}

uint64_t port_ticks(void)
{
    return fake.ticks += fake.tick_step;
}

void port_marker(bool high)
{
    note(high ? "up" : "down");
}

void port_cold(void)
{
    note("cold");
}

struct port_region port_arena(void)
{
    return (struct port_region){fake.arena, FAKE_ARENA_SIZE};
}

struct port_region port_slot(void)
{
    return (struct port_region){fake.slot, FAKE_SLOT_SIZE};
}

uint32_t port_static_ram(void)
{
    return 1234;
}

struct port_stack port_stack(bool repaint)
{
    note(repaint ? "paint" : "peak");
    return (struct port_stack){512, repaint ? 100 : 200};
}

/* Like flash: only erased bytes can be written, in order, in units of 16. */
bool port_slot_write(uint32_t offset, const uint8_t *data, uint32_t n)
{
    if (fake.flash_fails || offset % 16 != 0 || offset + n > FAKE_SLOT_SIZE)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (fake.slot[offset + i] != 0xff)
            return false;
        fake.slot[offset + i] = data[i];
    }
    return true;
}

bool port_slot_erase(uint32_t size)
{
    fake.erases++;
    memset(fake.slot, 0xff, size);
    return !fake.flash_fails;
}

uint32_t port_slot_erase_ms(uint32_t size)
{
    return size;
}

uint32_t port_caps(void)
{
    return fake.caps;
}

const uint8_t *port_build_id(void)
{
    static const uint8_t id[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    return id;
}

void port_chip_uid(uint8_t uid[12])
{
    memset(uid, 0xc5, 12);
}

uint32_t port_clock_hz(void)
{
    return 16000000;
}

uint8_t port_reset_cause(void)
{
    return 3;
}

void port_sleep(uint32_t ticks)
{
    note("sleep");
    fake.ticks += ticks;
}

void port_reset(void)
{
    if (fake.reset != NULL)
        longjmp(*fake.reset, 1);
    abort(); /* a test that lets it come this far has failed */
}

/* ---- the engine ---- */

static enum engine_status fake_load(struct engine_model *m)
{
    fake_engine.loads++;
    if (m->image_size < 8) {
        m->detail = 8;
        return ENGINE_BAD_IMAGE;
    }
    m->arena_used = 48;
    m->ops = 7;
    m->inputs = 2;
    m->outputs = 1;
    memset(m->arena, 0, 48);
    return ENGINE_OK;
}

static struct engine_tensor fake_tensor(struct engine_model *m, int output, unsigned index)
{
    struct engine_tensor none = {NULL, 0, 0};
    struct engine_tensor tensor = {m->arena + (output ? 32 : index * 16), 16, ENGINE_INT8};

    return index < (output ? 1u : 2u) ? tensor : none;
}

static enum engine_status fake_invoke(struct engine_model *m)
{
    fake_engine.invokes++;
    fake.ticks += 100;
    for (int i = 0; i < 16; i++)
        m->arena[32 + i] = (uint8_t)(m->arena[i] + m->arena[16 + i]);
    return fake_engine.invokes == fake_engine.fail_at ? ENGINE_FAILED : ENGINE_OK;
}

static enum engine_status fake_reset(struct engine_model *m)
{
    (void)m;
    fake_engine.resets++;
    return ENGINE_OK;
}

static enum engine_status fake_profile(struct engine_model *m, engine_profile_fn *after,
                                       void *context)
{
    for (uint16_t op = 0; op < m->ops; op++) {
        fake.ticks += 10u * (op + 1u);
        after(context, op, (uint16_t)(op + 40), 9);
    }
    return ENGINE_OK;
}

static const struct engine engine_fake = {
    .name = "fake",
    .version = 7,
    .load = fake_load,
    .tensor = fake_tensor,
    .invoke = fake_invoke,
    .reset = fake_reset,
    .profile = fake_profile,
};

extern const struct engine engine_null;

const struct engine *const engines[] = {&engine_null, &engine_fake, NULL};
