/* Bulk objects: uploads with a window, digests, reads. */
#include <string.h>

#include "agents/wire/names.h"
#include "harness/client/link.h"

enum {
    MAX_IDLE = 8,         /* timeouts in a row without an acknowledged byte */
    MAX_BUSY_MS = 120000, /* erasing a large flash takes that long */
    LIMIT_MS = 600000,
};

/* One upload under way: go-back-N. Offsets are bytes of the object. */
struct upload {
    const struct client_write *what;
    size_t chunk;
    size_t base;         /* everything below is stored */
    size_t next;         /* the next one to send */
    unsigned credits;    /* frames that may be in flight */
    unsigned idle;       /* timeouts since the last progress */
    unsigned timeout_ms; /* for a whole window to be sent and answered */
    struct deadline until;
    struct deadline limit; /* for the next byte to be stored */
    bool sent[256];        /* by seq: ... */
    uint32_t offsets[256]; /* ... the offset that DATA frame had, since the last rewind */
};

/* The time a full window takes on the line, but no more of it than there is to send. */
static unsigned window_ms(const struct client *c, const struct upload *u)
{
    uint64_t bytes = (uint64_t)u->credits * u->chunk;

    if (bytes > u->what->size - u->base)
        bytes = u->what->size - u->base;
    bytes += (bytes / u->chunk + 1) * WIRE_ENCODED_SIZE(4);
    return (unsigned)(bytes * 10 * 1000 / c->baud) + c->options.answer_ms;
}

static int send_chunk(struct client *c, struct upload *u, struct err *err)
{
    const struct wire_data data = {.offset = (uint32_t)u->next};
    size_t left = u->what->size - u->next;
    struct wire_part tail = {(const uint8_t *)u->what->data + u->next,
                             (uint16_t)(left < u->chunk ? left : u->chunk)};
    uint8_t seq = ++c->data_seq;

    u->sent[seq] = true;
    u->offsets[seq] = data.offset;
    u->next += tail.n;
    return client_send_frame(c, WIRE_DATA, seq, &data, sizeof(data), &tail, err);
}

static int fill_window(struct client *c, struct upload *u, struct err *err)
{
    while (u->next < u->what->size && u->next < u->base + u->credits * u->chunk) {
        if (send_chunk(c, u, err) < 0)
            return (int)err->code;
    }
    return 0;
}

/* Send again from the first byte not stored; answers to what was sent before count no more. */
static void go_back(struct client *c, struct upload *u)
{
    memset(u->sent, 0, sizeof(u->sent));
    u->next = u->base;
    c->counts.rewinds++;
}

static void renew_limit(struct upload *u)
{
    u->limit = deadline_in_ms(u->what->limit_ms != 0 ? u->what->limit_ms : LIMIT_MS);
}

static int on_ack(struct client *c, struct upload *u, const struct client_frame *frame,
                  struct err *err)
{
    size_t next = ((const struct wire_ack *)frame->message)->next;

    if (frame->credit != 0 && u->what->stop_and_wait == 0)
        u->credits = frame->credit;
    if (next > u->what->size)
        return err_set(err, ERR_PROTOCOL, "the agent acknowledged byte %zu of %zu", next,
                       u->what->size);
    if (next > u->base) {
        u->base = next;
        u->idle = 0;
        renew_limit(u);
        u->until = deadline_in_ms(u->timeout_ms);
        if (u->next < next)
            u->next = next;
        if (u->what->progress != NULL)
            u->what->progress(u->what->context, next, u->what->size);
        return 0;
    }
    /* A frame beyond what is wanted: the ones between were lost. An earlier one came twice. */
    if (u->sent[frame->seq] && u->offsets[frame->seq] > next)
        go_back(c, u);
    return 0;
}

static int on_upload_silence(struct client *c, struct upload *u, struct err *err)
{
    if (deadline_passed(u->limit)) {
        err_set(err, ERR_TIMEOUT, "the agent is busy and stores no byte");
        return err_hint(err, "a flash that cannot be erased, or an agent that hangs");
    }
    if (++u->idle > MAX_IDLE) {
        err_set(err, ERR_TIMEOUT, "no byte stored in %u tries of %u ms", u->idle, u->timeout_ms);
        return err_hint(err, "is the board still there? `tinyrig doctor` walks the link");
    }
    go_back(c, u);
    u->until = deadline_in_ms(u->timeout_ms);
    return 0;
}

static int on_upload_frame(struct client *c, struct upload *u, const struct client_frame *frame,
                           struct err *err)
{
    const struct wire_error *error = frame->message;
    uint32_t expect_ms;

    switch (frame->type) {
    case WIRE_ACK:
        return on_ack(c, u, frame, err);
    case WIRE_BUSY:
        expect_ms = ((const struct wire_busy *)frame->message)->expect_ms;
        if (expect_ms > MAX_BUSY_MS)
            expect_ms = MAX_BUSY_MS;
        u->until = deadline_sooner(deadline_in_ms(expect_ms + u->timeout_ms), u->limit);
        return 0;
    case WIRE_ERROR:
        if (error->request != WIRE_DATA || !u->sent[frame->seq])
            return 0;
        return err_set(err, ERR_AGENT, "%s (at byte %lu)", wire_error_text(error->code),
                       (unsigned long)error->detail);
    default:
        return 0;
    }
}

static int run_upload(struct client *c, struct upload *u, struct err *err)
{
    struct client_frame frame = {.type = 0};

    renew_limit(u);
    u->until = deadline_in_ms(u->timeout_ms);
    while (u->base < u->what->size) {
        int status = fill_window(c, u, err);

        if (status == 0)
            status = client_receive(c, u->until, &frame, err);
        if (status == CLIENT_FRAME)
            status = on_upload_frame(c, u, &frame, err);
        if (status >= 0 && deadline_passed(u->until))
            status = on_upload_silence(c, u, err);
        if (status < 0)
            return status;
    }
    return 0;
}

/* An upload and who runs it, for callbacks. */
struct follow {
    struct client *c;
    struct upload *u;
};

static int send_first_window(void *context, struct err *err)
{
    struct follow *f = context;

    return fill_window(f->c, f->u, err);
}

/*
 * An input that fits the window follows its WRITE at once, which saves a turn-around per inference.
 * Nothing can go wrong with that: ACKs count only once WRITE_READY has come, and if the WRITE was
 * lost, what followed it is answered with an error or an old ACK, and sent again.
 */
static bool may_follow(const struct upload *u)
{
    return u->what->object == WIRE_OBJECT_INPUT && !u->what->resume && u->credits > 1 &&
           u->what->size <= u->credits * u->chunk;
}

static int begin_write(struct client *c, struct upload *u, uint32_t crc32, struct err *err)
{
    const struct client_write *write = u->what;
    const struct wire_write fields = {
        .size = (uint32_t)write->size,
        .crc32 = crc32,
        .object = write->object,
        .index = write->index,
        .flags = write->resume ? 0 : WIRE_WRITE_RESTART,
    };
    struct follow follow = {c, u};
    const struct client_request request = {
        .type = WIRE_WRITE,
        .answer = WIRE_WRITE_READY,
        .fields = &fields,
        .follow = may_follow(u) ? send_first_window : NULL,
        .context = &follow,
    };
    struct client_frame frame = {.type = 0};
    size_t next;

    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    next = ((const struct wire_write_ready *)frame.message)->next;
    if (next > write->size || (next != 0 && !write->resume))
        return err_set(err, ERR_PROTOCOL, "WRITE: the agent wants byte %zu of %zu", next,
                       write->size);
    u->base = next;
    if (u->next < next)
        u->next = next;
    return 0;
}

static int verify(struct client *c, const struct client_write *write, uint32_t expected,
                  struct err *err)
{
    uint32_t found = 0;

    if (client_digest(c, write->object, write->index, write->size, &found, err) < 0)
        return (int)err->code;
    if (found == expected)
        return 0;
    err_set(err, ERR_LAB, "DIGEST: the bytes read back are not those that were sent");
    return err_hint(err, "worn or locked flash, or RAM that something else writes to");
}

int client_write(struct client *c, const struct client_write *write, struct err *err)
{
    uint32_t crc32 = wire_crc32(0, write->data, write->size);
    struct upload u = {
        .what = write,
        .chunk = (c->hello.max_payload - sizeof(struct wire_data)) & ~(size_t)15,
        .credits = write->stop_and_wait != 0 ? 1 : c->hello.credits,
    };

    if (write->size > UINT32_MAX)
        return err_set(err, ERR_CONFIG, "too large to send: %zu bytes", write->size);
    if (begin_write(c, &u, crc32, err) < 0)
        return (int)err->code;
    u.timeout_ms = window_ms(c, &u);
    if (run_upload(c, &u, err) < 0)
        return err_in(err, "upload, %zu of %zu bytes stored", u.base, write->size);
    return write->verify ? verify(c, write, crc32, err) : 0;
}

int client_digest(struct client *c, uint8_t object, uint8_t index, size_t size, uint32_t *ret_crc32,
                  struct err *err)
{
    const struct wire_digest fields = {.size = (uint32_t)size, .object = object, .index = index};
    struct wire_digest_info info;

    if (client_ask(c, WIRE_DIGEST, &fields, WIRE_DIGEST_INFO, &info, err) < 0)
        return (int)err->code;
    if (info.size != size)
        return err_set(err, ERR_PROTOCOL, "DIGEST: of %lu bytes, not %zu", (unsigned long)info.size,
                       size);
    *ret_crc32 = info.crc32;
    return 0;
}

static int read_piece(struct client *c, struct wire_read *fields, void *to, struct err *err)
{
    const struct client_request request = {
        .type = WIRE_READ, .answer = WIRE_READ_DATA, .fields = fields};
    struct client_frame frame = {.type = 0};

    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    if (frame.tail_size != fields->length ||
        ((const struct wire_read_data *)frame.message)->offset != fields->offset)
        return err_set(err, ERR_PROTOCOL, "READ: %zu bytes instead of %u", frame.tail_size,
                       fields->length);
    memcpy(to, frame.tail, frame.tail_size);
    return 0;
}

int client_read(struct client *c, uint8_t object, uint8_t index, size_t offset, void *ret_data,
                size_t size, struct err *err)
{
    uint8_t *to = ret_data;

    while (size != 0) {
        struct wire_read fields = {
            .offset = (uint32_t)offset,
            .length = (uint16_t)(size < WIRE_READ_MAX ? size : WIRE_READ_MAX),
            .object = object,
            .index = index,
        };

        if (read_piece(c, &fields, to, err) < 0)
            return (int)err->code;
        to += fields.length;
        offset += fields.length;
        size -= fields.length;
    }
    return 0;
}

int client_upload_model(struct client *c, const void *image, size_t size,
                        client_progress_fn *progress, void *context, struct err *err)
{
    const struct client_write write = {
        .object = WIRE_OBJECT_SLOT,
        .data = image,
        .size = size,
        .progress = progress,
        .context = context,
        .verify = true,
        .resume = true,
    };
    uint32_t found = 0;

    if (size > c->hello.slot_size)
        return err_set(err, ERR_LAB, "the model image has %zu bytes, the board's slot %lu", size,
                       (unsigned long)c->hello.slot_size);
    if ((c->hello.caps & WIRE_CAP_SLOT_FLASH) != 0) {
        if (client_digest(c, WIRE_OBJECT_SLOT, 0, size, &found, err) < 0)
            return (int)err->code;
        if (found == wire_crc32(0, image, size))
            return 1;
    }
    return client_write(c, &write, err);
}

int client_write_input(struct client *c, unsigned index, const void *data, size_t size,
                       struct err *err)
{
    const struct client_write write = {
        .object = WIRE_OBJECT_INPUT, .index = (uint8_t)index, .data = data, .size = size};

    return client_write(c, &write, err);
}

int client_read_output(struct client *c, unsigned index, void *ret_data, size_t size,
                       struct err *err)
{
    return client_read(c, WIRE_OBJECT_OUTPUT, (uint8_t)index, 0, ret_data, size, err);
}
