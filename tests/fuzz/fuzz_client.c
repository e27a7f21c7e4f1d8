/*
 * Any bytes, and any messages, from a target into the client while it goes through all its calls.
 * The line hangs up when the input is used up, so nothing here waits for time to pass.
 */
#include <string.h>

#include "agents/wire/wire.h"
#include "harness/base/buf.h"
#include "harness/client/client.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/link_script.h"

enum {
    NONCE = 0x4321
};

struct line {
    struct transport base;
    struct script script;
    bool raw;
    struct buf ready; /* for recv() */
    /* The seq of what the client sent last, which answers must carry. */
    WIRE_FRAME_BUFFER(4096) frame;
    struct wire_rx rx;
};

static int line_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    struct line *line = (struct line *)t;

    (void)err;
    for (size_t i = 0; i < n; i++)
        (void)wire_rx_byte(&line->rx, ((const uint8_t *)data)[i]);
    return 0;
}

static void put_byte(void *context, uint8_t byte)
{
    buf_putc(context, (char)byte);
}

static void put_message(struct line *line, const struct script_message *m)
{
    const struct wire_header header = {.format = WIRE_FORMAT,
                                       .type = m->type,
                                       .seq = wire_rx_header(&line->rx)->seq,
                                       .nonce = m->flag ? 0 : NONCE};
    struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {m->bytes, m->size}};

    wire_encode(&header, parts, put_byte, &line->ready);
}

static int line_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                     size_t *ret_n, struct err *err)
{
    struct line *line = (struct line *)t;
    struct script_message m;
    size_t n;

    (void)timeout_ms;
    if (line->ready.len == 0 && line->raw) {
        buf_append(&line->ready, line->script.at, line->script.left);
        line->script.left = 0;
    } else if (line->ready.len == 0 && script_next(&line->script, &m)) {
        put_message(line, &m);
    }
    if (line->ready.len == 0)
        return err_set(err, ERR_IO, "the port hung up");
    n = line->ready.len < cap ? line->ready.len : cap;
    memcpy(data, line->ready.data, n);
    buf_consume(&line->ready, n);
    *ret_n = n;
    return 0;
}

static int line_fd(struct transport *t)
{
    (void)t;
    return -1;
}

static const struct transport_ops line_ops = {
    .name = "line", .send = line_send, .recv = line_recv, .fd = line_fd};

/* Go on as long as the agent only refuses. */
static bool over(int status, struct err *err)
{
    bool end = status < 0 && status != ERR_AGENT;

    err_clear(err);
    return end;
}

static void use_client(struct client *c)
{
    static uint8_t bytes[3000], output[1500];
    const struct client_run run = {.inferences = 2, .windows = 3, .window_ms = 10};
    struct wire_record_info records[3];
    struct wire_profile_op rows[5];
    struct wire_tensor_info tensor;
    struct wire_stats_info stats;
    struct client_engine engine;
    struct wire_loaded loaded;
    struct client_time time;
    struct err err = ERR_INIT;
    unsigned index;
    size_t n;

    for (int i = 0; i < 4; i++) {
        if (over(client_time(c, &time, &err), &err) ||
            over(client_engine(c, 0, &engine, &err), &err) ||
            over(client_find_engine(c, "tiny", &index, &err), &err) ||
            over(client_upload_model(c, bytes, sizeof(bytes), NULL, NULL, &err), &err) ||
            over(client_load(c, 0, 100, 0, &loaded, &err), &err) ||
            over(client_tensor(c, false, 0, &tensor, &err), &err) ||
            over(client_write_input(c, 0, bytes, 100, &err), &err) ||
            over(client_run(c, &run, records, &err), &err) ||
            over(client_arm(c, &run, &err), &err) ||
            over(client_go(c, &run, records, &err), &err) ||
            over(client_read_output(c, 0, output, sizeof(output), &err), &err) ||
            over(client_profile(c, 5, 10, rows, &err), &err) ||
            over(client_stats(c, false, &stats, &err), &err) || over(client_reset(c, &err), &err))
            break;
        (void)client_console(c, &n);
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line line = {.base.ops = &line_ops, .script = {data + 1, size - 1}};
    const struct client_options options = {
        .transport = &line.base, .nonce = NONCE, .hello_ms = 20, .answer_ms = 5};
    struct err err = ERR_INIT;
    struct client *c;

    if (size == 0)
        return 0;
    line.raw = data[0] == 0;
    line.rx.frame = line.frame.bytes;
    line.rx.capacity = sizeof(line.frame.bytes);
    memset(line.frame.bytes, 0, WIRE_HEADER_SIZE);
    if (client_open(&options, &c, &err) == 0) {
        use_client(c);
        client_close(c);
    }
    buf_release(&line.ready);
    return 0;
}
