/*
 * The client against lines and targets that misbehave: noise, echoes, text, floods, other sessions,
 * lies. It must get its answer if there is one, and end in time with the right words if not.
 */
#include <string.h>

#include "tests/unit/unit.h"

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/client/client.h"

/* ---- a line that puts things between client and loop ---- */

struct line {
    struct transport base;
    struct transport *inner; /* NULL: nobody there */
    const char *before;      /* comes before everything else */
    size_t before_n;
    bool echo;     /* everything sent comes back too */
    bool flood;    /* bytes without end and without a delimiter */
    uint16_t busy; /* of this session BUSY without end, in place of answers; 0: no */
    struct buf ready;
};

static void put_byte(void *context, uint8_t byte)
{
    buf_putc(context, (char)byte);
}

/* Something that the target never said. */
static void tell(struct line *line, uint8_t type, uint8_t seq, uint16_t nonce, const void *bytes,
                 size_t n)
{
    const struct wire_header header = {
        .format = WIRE_FORMAT, .type = type, .seq = seq, .nonce = nonce};
    struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {bytes, (uint16_t)n}};

    wire_encode(&header, parts, put_byte, &line->ready);
}

static int line_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    struct line *line = (struct line *)t;

    if (line->echo)
        buf_append(&line->ready, data, n);
    return line->inner != NULL ? transport_send(line->inner, data, n, err) : 0;
}

static int line_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                     size_t *ret_n, struct err *err)
{
    struct line *line = (struct line *)t;

    *ret_n = 0;
    if (line->before != NULL) {
        buf_append(&line->ready, line->before, line->before_n);
        line->before = NULL;
    }
    if (line->busy != 0 && line->ready.len == 0) {
        const struct wire_busy busy = {.expect_ms = 100};

        clock_sleep_ms(timeout_ms < 5 ? timeout_ms : 5);
        tell(line, WIRE_BUSY, 0, line->busy, &busy, sizeof(busy));
    }
    if (line->flood) {
        memset(data, 'x', cap);
        *ret_n = cap;
    } else if (line->ready.len != 0) {
        *ret_n = line->ready.len < cap ? line->ready.len : cap;
        memcpy(data, line->ready.data, *ret_n);
        buf_consume(&line->ready, *ret_n);
    } else if (line->inner != NULL) {
        return transport_recv(line->inner, data, cap, timeout_ms, ret_n, err);
    } else {
        clock_sleep_ms(timeout_ms);
    }
    return 0;
}

static int line_fd(struct transport *t)
{
    (void)t;
    return -1;
}

static const struct transport_ops line_ops = {
    .name = "line", .send = line_send, .recv = line_recv, .fd = line_fd};

static struct transport *open_loop(void)
{
    const struct transport_config config = {.where = "arena=4KiB,slot=4KiB"};
    struct transport *loop = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(transport_open("loop", &config, &loop, &err), 0);
    return loop;
}

static void line_release(struct line *line)
{
    transport_close(line->inner);
    buf_release(&line->ready);
}

static struct client *open_over(struct transport *t)
{
    const struct client_options options = {.transport = t, .answer_ms = 60, .hello_ms = 1000};
    struct client *c = NULL;
    struct err err = ERR_INIT;

    if (client_open(&options, &c, &err) < 0)
        fail_msg("%s (%s)", err.text, err.hint);
    return c;
}

static void expect_time(struct client *c)
{
    struct client_time time;
    struct err err = ERR_INIT;

    if (client_time(c, &time, &err) < 0)
        fail_msg("%s (%s)", err.text, err.hint);
}

/* ---- noise ---- */

static void noise_and_text_before_hello_do_no_harm(void **state)
{
    static const char noise[] = "\xff\xfe\x00\x00Booting...\r\nclock 16 MHz\r\n\x07";
    struct line line = {.base.ops = &line_ops, .before = noise, .before_n = sizeof(noise) - 1};
    struct client *c;
    size_t n;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    expect_time(c);
    assert_non_null(strstr(client_console(c, &n) + 2, "clock 16 MHz"));
    assert_int_equal(client_counts(c).garbage, 2);
    client_close(c);
    line_release(&line);
}

static void an_echoing_line_works(void **state)
{
    struct line line = {.base.ops = &line_ops, .echo = true};
    struct client *c;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    expect_time(c);
    assert_true(client_counts(c).stale >= 2);
    client_close(c);
    line_release(&line);
}

static void console_text_between_frames_is_kept_and_the_newest_wins(void **state)
{
    AUTO_BUF text = BUF_INIT;
    struct line line = {.base.ops = &line_ops};
    struct client *c;
    const char *console;
    size_t n;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "line %d\n", i);
    buf_append(&line.ready, text.data, text.len);
    expect_time(c);
    console = client_console(c, &n);
    assert_true(n <= 64 << 10);
    assert_non_null(strstr(console, "line 19999\n"));
    assert_null(strstr(console, "line 5\n"));
    client_close(c);
    line_release(&line);
}

/* ---- nobody, or too much of somebody ---- */

static void expect_no_hello(struct line *line, const char *text)
{
    const struct client_options options = {.transport = &line->base, .hello_ms = 300};
    struct client *c = NULL;
    struct err err = ERR_INIT;
    uint64_t start = clock_monotonic_ns();

    assert_int_equal(client_open(&options, &c, &err), ERR_TIMEOUT);
    assert_null(c);
    if (strstr(err.hint, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, err.hint);
    assert_true(clock_monotonic_ns() - start < 60000000000); /* on however busy a host */
}

static void silence_and_floods_end_in_time_with_different_hints(void **state)
{
    struct line silent = {.base.ops = &line_ops};
    struct line flood = {.base.ops = &line_ops, .flood = true};

    (void)state;
    expect_no_hello(&silent, "is the board powered");
    expect_no_hello(&flood, "baud rate");
}

static void a_flood_in_mid_session_ends_in_time(void **state)
{
    const struct client_run run = {.inferences = 1, .windows = 1, .window_ms = 100};
    struct line line = {.base.ops = &line_ops};
    struct wire_record_info record;
    struct client_write write = {.object = WIRE_OBJECT_SINK, .data = "1234", .size = 4};
    struct err err = ERR_INIT;
    uint64_t start = clock_monotonic_ns();
    struct client *c;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    line.flood = true;
    assert_int_equal(client_run(c, &run, &record, &err), ERR_TIMEOUT);
    err_clear(&err);
    assert_int_equal(client_write(c, &write, &err), ERR_TIMEOUT);
    err_clear(&err);
    assert_int_equal(client_reset(c, &err), ERR_TIMEOUT);
    assert_true(clock_monotonic_ns() - start < 60000000000);
    client_close(c);
    line_release(&line);
}

/* ---- other sessions ---- */

static void a_session_taken_over_is_noticed(void **state)
{
    struct transport *loop = open_loop();
    struct client *first = open_over(loop);
    struct client *second = open_over(loop);
    struct client_time time;
    struct err err = ERR_INIT;

    (void)state;
    expect_time(second);
    assert_int_equal(client_time(first, &time, &err), ERR_LAB);
    assert_non_null(strstr(err.text, "another program"));
    client_close(first);
    client_close(second);
    transport_close(loop);
}

static void a_reset_is_noticed_by_the_hello_that_comes_unasked(void **state)
{
    const struct wire_hello hello = {.reset_cause = 4};
    struct line line = {.base.ops = &line_ops};
    struct client_time time;
    struct err err = ERR_INIT;
    struct client *c;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    tell(&line, WIRE_HELLO, 0, 0, &hello, sizeof(hello));
    assert_int_equal(client_time(c, &time, &err), ERR_LAB);
    assert_non_null(strstr(err.text, "TIME: board reset (cause 4)"));
    client_close(c);
    line_release(&line);
}

static void frames_of_an_older_session_are_not_answers(void **state)
{
    const struct wire_time_info wrong = {.ticks = 1};
    struct line line = {.base.ops = &line_ops};
    struct client_time time;
    struct err err = ERR_INIT;
    struct client *c;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    for (int seq = 0; seq < 256; seq++)
        tell(&line, WIRE_TIME_INFO, (uint8_t)seq, (uint16_t)(client_hello(c)->nonce ^ 1), &wrong,
             sizeof(wrong));
    assert_int_equal(client_time(c, &time, &err), 0);
    assert_true(time.ticks > 1);
    assert_int_equal(client_counts(c).stale, 256);
    client_close(c);
    line_release(&line);
}

static void a_hello_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        struct wire_hello hello;
        const char *text;
    } rows[] = {
        {{.version = 2, .max_payload = 68, .credits = 1, .records = 1, .engines = 1}, "version 2"},
        {{.version = 1, .max_payload = 20, .credits = 1, .records = 1, .engines = 1}, "payload 20"},
        {{.version = 1, .max_payload = 68, .credits = 0, .records = 1, .engines = 1}, "credits 0"},
        {{.version = 1, .max_payload = 68, .credits = 1, .records = 0, .engines = 1}, "records 0"},
        {{.version = 1, .max_payload = 65535, .credits = 1, .records = 1, .engines = 1}, "65535"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct line line = {.base.ops = &line_ops};
        const struct client_options options = {
            .transport = &line.base, .hello_ms = 300, .nonce = 0x77};
        struct wire_hello hello = rows[i].hello;
        struct client *c = NULL;
        struct err err = ERR_INIT;

        hello.nonce = 0x77;
        tell(&line, WIRE_HELLO, 1, 0x77, &hello, sizeof(hello));
        assert_int_equal(client_open(&options, &c, &err), ERR_PROTOCOL);
        if (strstr(err.text, rows[i].text) == NULL)
            fail_msg("'%s' is not in '%s'", rows[i].text, err.text);
        line_release(&line);
    }
}

static void acks_and_counts_beyond_what_was_sent_are_refused(void **state)
{
    const struct wire_write_ready ready = {.next = 5000};
    const struct wire_digest_info digest = {.size = 3};
    const struct wire_run_done done = {.next_record = 77};
    const struct wire_read_data data = {.offset = 9};
    const struct client_run run = {.inferences = 1, .windows = 1, .window_ms = 100};
    struct client_write write = {.object = WIRE_OBJECT_SINK, .data = "12345678", .size = 8};
    struct line line = {.base.ops = &line_ops};
    struct wire_record_info record;
    struct err err = ERR_INIT;
    struct client *c;
    uint32_t crc32;
    uint8_t byte;
    uint16_t nonce;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    nonce = client_hello(c)->nonce;
    /* The first OPEN was seq 1, so requests go on from 2; the lies lie ready before the answers. */
    tell(&line, WIRE_WRITE_READY, 2, nonce, &ready, sizeof(ready));
    assert_int_equal(client_write(c, &write, &err), ERR_PROTOCOL);
    err_clear(&err);
    tell(&line, WIRE_DIGEST_INFO, 3, nonce, &digest, sizeof(digest));
    assert_int_equal(client_digest(c, WIRE_OBJECT_SLOT, 0, 9, &crc32, &err), ERR_PROTOCOL);
    err_clear(&err);
    tell(&line, WIRE_RUN_DONE, 4, nonce, &done, sizeof(done));
    assert_int_equal(client_run(c, &run, &record, &err), ERR_PROTOCOL);
    err_clear(&err);
    tell(&line, WIRE_READ_DATA, 5, nonce, &data, sizeof(data));
    assert_int_equal(client_read(c, WIRE_OBJECT_SLOT, 0, 0, &byte, 1, &err), ERR_PROTOCOL);
    client_close(c);
    line_release(&line);
}

/* Erasing takes its time, but not all of it. */
static void an_agent_that_is_busy_for_ever_ends_an_upload(void **state)
{
    const struct wire_write_ready ready = {.next = 0};
    const struct client_write write = {
        .object = WIRE_OBJECT_SLOT, .data = "12345678", .size = 8, .limit_ms = 300};
    struct line line = {.base.ops = &line_ops};
    struct err err = ERR_INIT;
    struct client *c;

    (void)state;
    line.inner = open_loop();
    c = open_over(&line.base);
    line.busy = client_hello(c)->nonce;
    tell(&line, WIRE_WRITE_READY, 2, line.busy, &ready, sizeof(ready));
    assert_int_equal(client_write(c, &write, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "the agent is busy and stores no byte"));
    client_close(c);
    line_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_and_text_before_hello_do_no_harm),
        cmocka_unit_test(an_echoing_line_works),
        cmocka_unit_test(console_text_between_frames_is_kept_and_the_newest_wins),
        cmocka_unit_test(silence_and_floods_end_in_time_with_different_hints),
        cmocka_unit_test(a_flood_in_mid_session_ends_in_time),
        cmocka_unit_test(a_session_taken_over_is_noticed),
        cmocka_unit_test(a_reset_is_noticed_by_the_hello_that_comes_unasked),
        cmocka_unit_test(frames_of_an_older_session_are_not_answers),
        cmocka_unit_test(a_hello_that_makes_no_sense_is_refused),
        cmocka_unit_test(acks_and_counts_beyond_what_was_sent_are_refused),
        cmocka_unit_test(an_agent_that_is_busy_for_ever_ends_an_upload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
