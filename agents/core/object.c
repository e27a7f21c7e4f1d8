/* Bulk objects: go-back-N with acks that mean stored, digests read back from where the bytes lie. */
#include "agents/core/internal.h"

#define SINK_SIZE 0xffffffffu

static struct port_region tensor_region(bool output, uint8_t index)
{
    struct port_region region = {NULL, 0};

    if (agent.engine != NULL) {
        struct engine_tensor tensor = agent.engine->tensor(&agent.model, output, index);

        region.base = tensor.data;
        region.size = tensor.size;
    }
    return region;
}

/* Where an object lies; size 0 when there is no such object now. */
static struct port_region object_region(uint8_t object, uint8_t index)
{
    switch (object) {
    case WIRE_OBJECT_SLOT:
        return port_slot();
    case WIRE_OBJECT_INPUT:
        return tensor_region(false, index);
    case WIRE_OBJECT_OUTPUT:
        return tensor_region(true, index);
    case WIRE_OBJECT_SINK:
        return (struct port_region){NULL, SINK_SIZE};
    case WIRE_OBJECT_ARENA:
        return port_arena();
    default:
        return (struct port_region){NULL, 0};
    }
}

static bool make_room(const struct wire_write *write)
{
    if (write->object != WIRE_OBJECT_SLOT)
        return write->object == WIRE_OBJECT_INPUT || write->object == WIRE_OBJECT_SINK;
    if ((port_caps() & WIRE_CAP_SLOT_WRITE) == 0)
        return false;
    agent.engine = NULL; /* the loaded model is about to be overwritten */
    agent_busy(port_slot_erase_ms(write->size));
    return port_slot_erase(write->size);
}

static bool same_object(const struct wire_write *a, const struct wire_write *b)
{
    return a->size == b->size && a->crc32 == b->crc32 && a->object == b->object &&
           a->index == b->index;
}

void object_on_write(const void *request)
{
    const struct wire_write *write = request;
    struct incoming *in = &agent.incoming;
    struct port_region region = object_region(write->object, write->index);

    if (write->size > region.size) {
        agent_fail(WIRE_ERR_SIZE, region.size);
        return;
    }
    if (!in->open || (write->flags & WIRE_WRITE_RESTART) != 0 || !same_object(write, &in->what)) {
        in->open = false;
        if (!make_room(write)) {
            agent_fail(WIRE_ERR_FLASH, 0);
            return;
        }
        in->what = *write;
        in->base = region.base;
        in->next = 0;
        in->crc32 = 0;
        in->open = true;
    }
    agent.answer.as.write_ready.next = in->next;
    agent_reply(WIRE_WRITE_READY, sizeof(struct wire_write_ready));
}

static bool store(const uint8_t *data, uint32_t n)
{
    struct incoming *in = &agent.incoming;

    if (in->what.object == WIRE_OBJECT_SLOT)
        return port_slot_write(in->next, data, n);
    if (in->base != NULL)
        __builtin_memcpy(in->base + in->next, data, n);
    else
        in->crc32 = wire_crc32(in->crc32, data, n);
    return true;
}

/*
 * What is not the next piece is dropped: an earlier one was stored already, a later one comes
 * again, because the ACK tells the host where to go back to.
 */
static uint8_t take(const struct wire_data *data, uint32_t n)
{
    struct incoming *in = &agent.incoming;
    uint32_t left = in->what.size - in->next;

    if (!in->open)
        return WIRE_ERR_STATE;
    if (data->offset != in->next || n > left)
        return 0;
    if (n % 16 != 0 && n != left)
        return WIRE_ERR_RANGE;
    if (!store((const uint8_t *)(data + 1), n)) {
        in->open = false;
        return WIRE_ERR_FLASH;
    }
    in->next += n;
    return 0;
}

void object_on_data(const void *message, uint16_t size, uint8_t seq)
{
    struct wire_error error = {.code = WIRE_ERR_LENGTH, .request = WIRE_DATA};
    struct wire_ack ack;

    if (size >= sizeof(struct wire_data))
        error.code = take(message, size - sizeof(struct wire_data));
    ack.next = error.detail = agent.incoming.next;
    if (error.code != 0)
        agent_send(WIRE_ERROR, seq, &error, sizeof(error));
    else
        agent_send(WIRE_ACK, seq, &ack, sizeof(ack));
}

void object_on_digest(const void *request)
{
    const struct wire_digest *digest = request;
    struct wire_digest_info *info = &agent.answer.as.digest_info;
    struct port_region region = object_region(digest->object, digest->index);
    uint32_t size = digest->size;

    if (digest->object == WIRE_OBJECT_SINK && agent.incoming.what.object == WIRE_OBJECT_SINK) {
        info->size = agent.incoming.next;
        info->crc32 = agent.incoming.crc32;
    } else if (size > region.size || region.base == NULL) {
        agent_fail(WIRE_ERR_SIZE, region.size);
        return;
    } else {
        if (size >= 4096)
            agent_busy(size >> 5); /* the slowest CRC runs at some 80 bytes per ms */
        info->size = size;
        info->crc32 = wire_crc32(0, region.base, size);
    }
    agent_reply(WIRE_DIGEST_INFO, sizeof(*info));
}

void object_on_read(const void *request)
{
    const struct wire_read *read = request;
    struct port_region region = object_region(read->object, read->index);

    if (read->length > WIRE_READ_MAX || read->offset > region.size ||
        read->length > region.size - read->offset || region.base == NULL) {
        agent_fail(WIRE_ERR_RANGE, region.size);
        return;
    }
    agent.answer.as.read_data.offset = read->offset;
    agent.answer.tail.data = region.base + read->offset;
    agent.answer.tail.n = read->length;
    agent_reply(WIRE_READ_DATA, sizeof(struct wire_read_data));
}
