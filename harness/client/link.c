/* Frames over a transport, one request at a time: where all waiting and all retrying happens. */
#include "harness/client/link.h"

#include <assert.h>
#include <string.h>

#include "agents/wire/names.h"
#include "harness/base/log.h"
#include "harness/base/text.h"

enum {
    TRIES = 6, /* of a request that nothing answers */
    CONSOLE_LIMIT = 64 << 10,
    LIMIT_MS = 600000,
    ALIVE_MS = 200, /* between two questions whether the board lives */
};

const char *client_type_name(uint8_t type)
{
    const struct wire_info *info = wire_info_find(type);

    return info != NULL ? info->name : "?";
}

/* ---- out ---- */

static void put_byte(void *context, uint8_t byte)
{
    buf_putc(context, (char)byte);
}

int client_send_frame(struct client *c, uint8_t type, uint8_t seq, const void *fields,
                      size_t fields_size, const struct wire_part *tail, struct err *err)
{
    const struct wire_header header = {
        .format = WIRE_FORMAT, .type = type, .seq = seq, .nonce = c->nonce};
    struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {fields, (uint16_t)fields_size}};
    AUTO_BUF out = BUF_INIT;

    if (tail != NULL)
        parts[WIRE_PART_TAIL] = *tail;
    wire_encode(&header, parts, put_byte, &out);
    log_line(LOG_WIRE, "> %s seq %u, %zu bytes", client_type_name(type), seq,
             fields_size + parts[WIRE_PART_TAIL].n);
    c->counts.frames_sent++;
    return transport_send(c->options.transport, out.data, out.len, err);
}

/* ---- in ---- */

/* Text keeps its newest part: fault dumps come last. */
static void keep_console(struct client *c)
{
    if (c->console.len + c->raw.len > CONSOLE_LIMIT)
        buf_consume(&c->console,
                    c->console.len < CONSOLE_LIMIT / 2 ? c->console.len : CONSOLE_LIMIT / 2);
    buf_append(&c->console, c->raw.data, c->raw.len);
    if (log_on(LOG_CONSOLE)) {
        AUTO_BUF text = BUF_INIT;

        text_escape(&text, c->raw.data, c->raw.len);
        log_line(LOG_CONSOLE, "%s", buf_text(&text));
    }
    buf_clear(&c->raw);
}

const char *client_console(struct client *c, size_t *ret_n)
{
    if (c->raw.len != 0)
        keep_console(c); /* what came after the last delimiter */
    *ret_n = c->console.len;
    return buf_text(&c->console);
}

/* A byte into the decoder, and aside in case it turns out to be text. */
static enum wire_rx_result take_byte(struct client *c, uint8_t byte)
{
    enum wire_rx_result result = wire_rx_byte(&c->rx, byte);

    if (byte != 0) {
        buf_putc(&c->raw, (char)byte);
        if (c->raw.len >= 2 * CLIENT_MAX_MESSAGE)
            keep_console(c);
        return result;
    }
    if (result == WIRE_RX_FRAME)
        buf_clear(&c->raw);
    else if (c->raw.len != 0)
        keep_console(c);
    return result;
}

/* Silence for a while: is there still somebody? */
static int ask_alive(struct client *c, struct err *err)
{
    const struct client_options *o = &c->options;

    if (o->alive == NULL || !deadline_passed(c->ask))
        return 0;
    c->ask = deadline_in_ms(ALIVE_MS);
    return o->alive(o->context, err);
}

/* 1 when there are bytes in c->in, 0 when the time is over. */
static int fill(struct client *c, struct deadline until, struct err *err)
{
    struct transport *t = c->options.transport;

    if (c->in_at < c->in_used)
        return 1;
    c->in_at = c->in_used = 0;
    for (;;) {
        const unsigned left = deadline_left_ms(until);
        const unsigned slice = c->options.alive != NULL && left > ALIVE_MS ? ALIVE_MS : left;

        const uint64_t began_ns = clock_monotonic_ns();
        const int r = transport_recv(t, c->in, sizeof(c->in), slice, &c->in_used, err);

        c->counts.wait_ns += clock_monotonic_ns() - began_ns;
        if (r < 0)
            return r;
        if (c->in_used != 0) {
            c->ask = deadline_in_ms(ALIVE_MS);
            return 1;
        }
        if (ask_alive(c, err) < 0)
            return (int)err->code;
        if (slice == left)
            return 0;
    }
}

/* ERR_LAB for the two things a HELLO in mid-session can mean. */
static int session_lost(const struct client *c, const struct wire_hello *hello, struct err *err)
{
    if (hello->nonce != 0) {
        err_set(err, ERR_LAB, "another program opened a session with the board");
        return err_hint(err, "stop it, or give this lab its own boards");
    }
    err_set(err, ERR_LAB, "board reset (cause %u)", hello->reset_cause);
    if (c->console.len + c->raw.len != 0)
        return err_hint(err, "it printed something before: see the console log");
    return err_hint(err, "a brown-out, a watchdog, a fault in the engine, or someone's hand");
}

/* A frame with a right CRC: CLIENT_FRAME when it is for us, 0 when not. */
static int take_frame(struct client *c, struct client_frame *ret, struct err *err)
{
    const struct wire_header *header = wire_rx_header(&c->rx);
    const struct wire_info *info = wire_info_find(header->type);
    size_t size = wire_rx_message_size(&c->rx);

    c->counts.frames_received++;
    if (info == NULL || info->from_host || !wire_info_fits(info, size)) {
        c->counts.stale++; /* an echo of ours, or another protocol version's */
        return 0;
    }
    ret->type = header->type;
    ret->seq = header->seq;
    ret->credit = header->credit;
    ret->message = wire_rx_message(&c->rx);
    ret->tail = (const uint8_t *)ret->message + info->size;
    ret->tail_size = size - info->size;
    log_line(LOG_WIRE, "< %s seq %u, %zu bytes", info->name, header->seq, size);
    if (header->nonce == c->nonce)
        return CLIENT_FRAME;
    if (header->type == WIRE_HELLO && c->opened)
        return session_lost(c, ret->message, err);
    if (header->type == WIRE_HELLO && header->nonce == 0)
        return CLIENT_FRAME;
    c->counts.stale++;
    return 0;
}

int client_receive(struct client *c, struct deadline until, struct client_frame *ret,
                   struct err *err)
{
    bool late = false;

    for (;;) {
        int status = 0;

        /* What has arrived by the deadline counts, but a flood does not hold us here. */
        if (c->in_at < c->in_used || !late) {
            late = deadline_passed(until);
            status = fill(c, until, err);
        }
        if (status <= 0)
            return status;
        switch (take_byte(c, c->in[c->in_at++])) {
        case WIRE_RX_FRAME:
            status = take_frame(c, ret, err);
            if (status != 0)
                return status;
            break;
        case WIRE_RX_GARBAGE:
            c->counts.garbage++;
            return CLIENT_GARBAGE;
        case WIRE_RX_MORE:
            break;
        }
    }
}

/* ---- requests ---- */

/* One request under way. */
struct pending {
    const struct client_request *request;
    size_t size;
    uint8_t seq;
    bool busy;      /* the agent has it: do not repeat it */
    unsigned extra; /* tries after the time was over: the answer may just have been lost */
    unsigned answer_ms;
    unsigned repeat_ms;
    uint64_t start_ns;
    struct deadline limit, deadline, repeat;
};

static int send_request(struct client *c, struct pending *p, struct err *err)
{
    p->repeat = deadline_in_ms(p->repeat_ms);
    return client_send_frame(c, p->request->type, p->seq, p->request->fields, p->size, NULL, err);
}

static void renew(struct pending *p, unsigned expect_ms)
{
    unsigned allowance = p->request->busy_ms > p->answer_ms ? p->request->busy_ms : p->answer_ms;

    if (expect_ms > LIMIT_MS)
        expect_ms = LIMIT_MS;
    if (expect_ms + p->answer_ms > allowance)
        allowance = expect_ms + p->answer_ms;
    p->busy = true;
    p->deadline = deadline_sooner(deadline_in_ms(allowance), p->limit);
    p->repeat = p->request->quiet ? p->deadline : deadline_in_ms(p->repeat_ms);
}

static int refused(const struct client_frame *frame, struct err *err)
{
    const struct wire_error *error = frame->message;
    AUTO_BUF text = BUF_INIT;

    text_escape(&text, (const char *)frame->tail, frame->tail_size < 200 ? frame->tail_size : 200);
    return err_set(err, ERR_AGENT, "%s (detail %lu)%s%s", wire_error_text(error->code),
                   (unsigned long)error->detail, text.len != 0 ? ": " : "", buf_text(&text));
}

static int no_answer(const struct client *c, const struct pending *p, struct err *err)
{
    uint64_t ms = (clock_monotonic_ns() - p->start_ns) / 1000000;

    err_set(err, ERR_TIMEOUT, "no answer in %llu ms%s", (unsigned long long)ms,
            p->busy ? " (it had begun)" : "");
    if (c->console.len + c->raw.len != 0)
        return err_hint(err, "the board printed something: see the console log");
    return err_hint(err, p->busy ? "the agent hangs, or the deadline is too short for this board"
                                 : "is the board still there? `tinyrig doctor` walks the link");
}

/* Time is over: say something again, or give up. */
static int on_silence(struct client *c, struct pending *p, struct err *err)
{
    if (deadline_passed(p->deadline)) {
        if (!p->busy || p->extra == TRIES)
            return no_answer(c, p, err);
        p->extra++;
        p->deadline = deadline_in_ms(p->answer_ms);
    }
    if (p->busy && p->extra == 0)
        p->repeat_ms *= 2; /* it has the request; only its answer may have been lost */
    else
        p->repeat_ms = p->answer_ms;
    c->counts.retries++;
    return send_request(c, p, err);
}

/* 1 when the frame is the answer. */
static int on_frame(struct client *c, struct pending *p, const struct client_frame *frame,
                    struct err *err)
{
    const struct client_request *request = p->request;

    if (frame->seq != p->seq) {
        c->counts.stale++;
        return 0;
    }
    if (frame->type == request->answer)
        return 1;
    if (frame->type == WIRE_BUSY) {
        renew(p, ((const struct wire_busy *)frame->message)->expect_ms);
        return 0;
    }
    if (frame->type == WIRE_ERROR) /* one about DATA may carry the same number */
        return ((const struct wire_error *)frame->message)->request == request->type
                   ? refused(frame, err)
                   : 0;
    if (request->other != NULL) {
        bool last = request->other(request->context, frame);

        renew(p, 0);
        if (last)
            p->repeat = deadline_in_ms(p->answer_ms);
    }
    return 0;
}

static int await_answer(struct client *c, struct pending *p, struct client_frame *ret,
                        struct err *err)
{
    int status = send_request(c, p, err);

    if (status == 0 && p->request->follow != NULL)
        status = p->request->follow(p->request->context, err);
    while (status == 0) {
        status = client_receive(c, deadline_sooner(p->deadline, p->repeat), ret, err);
        if (status == CLIENT_FRAME)
            status = on_frame(c, p, ret, err);
        if (status == CLIENT_GARBAGE) {
            /* Perhaps it was the answer; the agent will give it again. */
            p->repeat = deadline_sooner(p->repeat, deadline_in_ms(p->answer_ms));
            status = 0;
        }
        if (status == 0 && deadline_passed(p->limit))
            status = no_answer(c, p, err);
        if (status == 0 && deadline_passed(deadline_sooner(p->deadline, p->repeat)))
            status = on_silence(c, p, err);
    }
    return status < 0 ? status : 0;
}

int client_request(struct client *c, const struct client_request *request, struct client_frame *ret,
                   struct err *err)
{
    struct pending p = {
        .request = request,
        .size = wire_info_find(request->type)->size,
        .seq = ++c->seq,
        .answer_ms = request->answer_ms != 0 ? request->answer_ms : c->options.answer_ms,
        .start_ns = clock_monotonic_ns(),
        .limit = deadline_in_ms(request->limit_ms != 0 ? request->limit_ms : LIMIT_MS),
    };

    p.repeat_ms = p.answer_ms;
    p.deadline = deadline_in_ms((uint64_t)TRIES * p.answer_ms);
    if (await_answer(c, &p, ret, err) < 0)
        return err_in(err, "%s", client_type_name(request->type));
    return 0;
}

int client_ask(struct client *c, uint8_t type, const void *fields, uint8_t answer, void *ret_fields,
               struct err *err)
{
    const struct client_request request = {.type = type, .answer = answer, .fields = fields};
    struct client_frame frame = {.type = 0};

    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    assert(frame.message != NULL);
    memcpy(ret_fields, frame.message, wire_info_find(answer)->size);
    return 0;
}
