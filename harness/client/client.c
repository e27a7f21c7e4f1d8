/* The session: opening, baud rate, and the small requests. */
#include "harness/client/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agents/wire/names.h"
#include "harness/base/log.h"
#include "harness/client/link.h"

enum {
    FIRST_BAUD = 115200,
    HELLO_MS = 5000,
    HELLO_TRY_MS = 200,
    JUST_STARTED_MS = 40,
    ANSWER_MS = 500,
    TRIAL_ANSWER_MS = 100, /* four tries fit the agent's half second */
    TRIAL_OVER_MS = 700,
};

static uint16_t random_nonce(void)
{
    uint16_t nonce = 0;

    while (nonce == 0) {
        if (getrandom(&nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
            nonce = (uint16_t)clock_monotonic_ns();
    }
    return nonce;
}

/* ---- HELLO ---- */

/* The target's word sizes our buffers and loops: it must make sense. */
static int check_hello(const struct wire_hello *hello, struct err *err)
{
    if (hello->version != WIRE_VERSION)
        return err_set(err, ERR_PROTOCOL, "the agent speaks protocol version %u, not %u",
                       hello->version, WIRE_VERSION);
    if (hello->max_payload < 36 || hello->max_payload > 4096 || hello->credits == 0 ||
        hello->records == 0 || hello->engines == 0)
        return err_set(err, ERR_PROTOCOL,
                       "HELLO makes no sense: payload %u, credits %u, records %u, engines %u",
                       hello->max_payload, hello->credits, hello->records, hello->engines);
    return 0;
}

enum {
    ASK_AGAIN = 2
};

/*
 * Is this frame the answer to our OPEN? 1 when it is, 0 when not, negative when it is a refusal,
 * ASK_AGAIN when the board has only just started and did not hear us.
 */
static int take_hello(struct client *c, const struct client_frame *frame, struct err *err)
{
    if (frame->type == WIRE_ERROR && frame->seq == c->seq)
        return err_set(err, ERR_PROTOCOL,
                       "the agent has no protocol version in common with this "
                       "harness");
    if (frame->type != WIRE_HELLO)
        return 0;
    memcpy(&c->hello, frame->message, sizeof(c->hello));
    return c->hello.nonce == c->nonce;
}

/* One OPEN and a short wait: 1 when the session stands, 0 when nothing came. */
static int try_open(struct client *c, struct err *err)
{
    const struct wire_open open = {
        .nonce = c->nonce, .version_min = WIRE_VERSION, .version_max = WIRE_VERSION};
    struct deadline until = deadline_in_ms(HELLO_TRY_MS);
    struct client_frame frame = {.type = 0};
    int status = client_send_frame(c, WIRE_OPEN, ++c->seq, &open, sizeof(open), NULL, err);

    while (status == 0 && !deadline_passed(until)) {
        status = client_receive(c, until, &frame, err);
        if (status == CLIENT_FRAME) {
            status = take_hello(c, &frame, err);
            if (status == 0 && c->hello.nonce == 0) /* just started: it may not have heard us */
                until = deadline_sooner(until, deadline_in_ms(JUST_STARTED_MS));
        } else if (status == CLIENT_GARBAGE) {
            status = 0;
        }
    }
    return status;
}

static int use_baud(struct client *c, unsigned baud, struct err *err)
{
    if (c->baud == baud)
        return 0;
    if (transport_set_baud(c->options.transport, baud, err) < 0)
        return (int)err->code;
    c->baud = baud;
    return 0;
}

/* An agent that a dead host left at a high rate comes back when it hears nothing but junk. */
static int send_junk(struct client *c, struct err *err)
{
    char junk[2048];

    memset(junk, 'U', sizeof(junk));
    return transport_send(c->options.transport, junk, sizeof(junk), err);
}

static bool may_switch(const struct client *c)
{
    return c->options.max_baud > c->options.baud && transport_has_baud(c->options.transport);
}

/* Where the next OPEN goes: mostly the first rate, now and then the one it may have been left at. */
static int choose_baud(struct client *c, unsigned attempt, struct err *err)
{
    if (!may_switch(c))
        return 0;
    if (attempt % 6 == 4)
        return use_baud(c, c->options.max_baud, err);
    if (use_baud(c, c->options.baud, err) < 0)
        return (int)err->code;
    return attempt % 6 == 3 ? send_junk(c, err) : 0;
}

static int no_hello(const struct client *c, uint64_t start_ns, struct err *err)
{
    size_t said = c->console.len + c->raw.len;

    err_set(err, ERR_TIMEOUT, "no HELLO in %llu ms (%zu bytes came that were no frame)",
            (unsigned long long)((clock_monotonic_ns() - start_ns) / 1000000), said);
    if (said == 0)
        return err_hint(err, "is the board powered, is the agent flashed, is this its port?");
    return err_hint(err, "other firmware, or another baud rate: see the console log");
}

static int open_session(struct client *c, struct err *err)
{
    struct deadline until = deadline_in_ms(c->options.hello_ms);
    uint64_t start_ns = clock_monotonic_ns();

    c->opened = false;
    for (unsigned attempt = 0; attempt == 0 || !deadline_passed(until); attempt++) {
        int status = choose_baud(c, attempt, err);

        if (status == 0)
            status = try_open(c, err);
        if (status < 0)
            return err_in(err, "HELLO");
        if (status == 0)
            continue;
        if (check_hello(&c->hello, err) < 0)
            return err_in(err, "HELLO");
        c->opened = true;
        return 0;
    }
    return no_hello(c, start_ns, err);
}

/* ---- baud rate ---- */

/* Three questions answered at the rate in use. */
static int ping(struct client *c, unsigned answer_ms, struct err *err)
{
    for (uint32_t i = 0; i < 3; i++) {
        const struct wire_time time = {.token = i};
        const struct client_request request = {
            .type = WIRE_TIME, .answer = WIRE_TIME_INFO, .fields = &time, .answer_ms = answer_ms};
        struct client_frame frame = {.type = 0};

        if (client_request(c, &request, &frame, err) < 0)
            return (int)err->code;
    }
    return 0;
}

/*
 * Ask, switch, try, and come back to the first rate if it does not hold (the agent does so of its
 * own). Only a link that then does not work at the first rate either is an error.
 */
static int raise_baud(struct client *c, struct err *err)
{
    const struct wire_baud baud = {.baud = c->options.max_baud};
    struct wire_baud_set set;

    if (client_ask(c, WIRE_BAUD, &baud, WIRE_BAUD_SET, &set, err) < 0) {
        if (err->code != ERR_AGENT)
            return (int)err->code;
        log_line(LOG_LAB, "the agent stays at %u baud: %s", c->baud, err->text);
        err_clear(err);
        return 0;
    }
    if (use_baud(c, c->options.max_baud, err) < 0)
        return (int)err->code;
    if (ping(c, TRIAL_ANSWER_MS, err) == 0)
        return 0;
    if (err->code != ERR_TIMEOUT)
        return (int)err->code;
    log_line(LOG_LAB, "%u baud does not work here, back to %u", c->options.max_baud,
             c->options.baud);
    err_clear(err);
    clock_sleep_ms(TRIAL_OVER_MS);
    if (use_baud(c, c->options.baud, err) < 0)
        return (int)err->code;
    return open_session(c, err);
}

/* ---- public ---- */

static int establish(struct client *c, struct err *err)
{
    c->nonce = c->options.nonce != 0 ? c->options.nonce : random_nonce();
    if (open_session(c, err) < 0)
        return (int)err->code;
    if (may_switch(c) && c->baud != c->options.max_baud && (c->hello.caps & WIRE_CAP_BAUD) != 0)
        return raise_baud(c, err);
    return 0;
}

int client_open(const struct client_options *options, struct client **ret, struct err *err)
{
    AUTO(client_close_auto) struct client *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return err_set(err, ERR_BUG, "out of memory");
    c->options = *options;
    if (c->options.baud == 0)
        c->options.baud = FIRST_BAUD;
    if (c->options.hello_ms == 0)
        c->options.hello_ms = HELLO_MS;
    if (c->options.answer_ms == 0)
        c->options.answer_ms = ANSWER_MS;
    c->baud = c->options.baud;
    c->rx.frame = c->frame.bytes;
    c->rx.capacity = sizeof(c->frame.bytes);
    if (establish(c, err) < 0)
        return (int)err->code;
    *ret = MOVE(c);
    return 0;
}

void client_close(struct client *c)
{
    if (c == NULL)
        return;
    log_line(LOG_LAB,
             "link: %llu frames out, %llu in, %llu retries, %llu rewinds, %llu garbage, "
             "%llu stale, waited %.3f ms",
             (unsigned long long)c->counts.frames_sent,
             (unsigned long long)c->counts.frames_received, (unsigned long long)c->counts.retries,
             (unsigned long long)c->counts.rewinds, (unsigned long long)c->counts.garbage,
             (unsigned long long)c->counts.stale, (double)c->counts.wait_ns * 1e-6);
    buf_release(&c->console);
    buf_release(&c->raw);
    free(c);
}

const struct wire_hello *client_hello(const struct client *c)
{
    return &c->hello;
}

unsigned client_baud(const struct client *c)
{
    return c->baud;
}

struct client_counts client_counts(const struct client *c)
{
    return c->counts;
}

int client_engine(struct client *c, unsigned index, struct client_engine *ret, struct err *err)
{
    const struct wire_engine engine = {.engine = (uint8_t)index};
    const struct client_request request = {
        .type = WIRE_ENGINE, .answer = WIRE_ENGINE_INFO, .fields = &engine};
    const struct wire_engine_info *info;
    struct client_frame frame = {.type = 0};
    size_t n;

    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    info = frame.message;
    ret->version = info->version;
    ret->caps = info->caps;
    n = frame.tail_size < sizeof(ret->name) - 1 ? frame.tail_size : sizeof(ret->name) - 1;
    memcpy(ret->name, frame.tail, n);
    ret->name[n] = '\0';
    return 0;
}

int client_find_engine(struct client *c, const char *name, unsigned *ret_index, struct err *err)
{
    for (unsigned i = 0; i < c->hello.engines; i++) {
        struct client_engine engine;

        if (client_engine(c, i, &engine, err) < 0)
            return (int)err->code;
        if (strcmp(engine.name, name) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    return 1;
}

/* A repeated question may be answered with the first reading: then the bracket would be wrong. */
int client_time(struct client *c, struct client_time *ret, struct err *err)
{
    for (unsigned i = 0; i < 8; i++) {
        const struct wire_time time = {.token = (uint32_t)i};
        uint64_t retries = c->counts.retries;
        struct wire_time_info info;
        struct client_time reading = {.before_ns = clock_monotonic_ns()};

        if (client_ask(c, WIRE_TIME, &time, WIRE_TIME_INFO, &info, err) < 0)
            return (int)err->code;
        reading.after_ns = clock_monotonic_ns();
        reading.ticks = info.ticks;
        if (c->counts.retries != retries)
            continue;
        *ret = reading;
        return 0;
    }
    return err_set(err, ERR_TIMEOUT, "TIME: the link loses too much to read the clock");
}

int client_stats(struct client *c, bool clear, struct wire_stats_info *ret, struct err *err)
{
    const struct wire_stats stats = {.clear = clear};

    return client_ask(c, WIRE_STATS, &stats, WIRE_STATS_INFO, ret, err);
}

/* Wait for the HELLO that a freshly started agent sends: 1 when it came. */
static int await_restart(struct client *c, struct err *err)
{
    struct deadline until = deadline_in_ms(c->options.answer_ms * 2);
    struct client_frame frame = {.type = 0};
    int status = 0;

    while (status >= 0 && !deadline_passed(until)) {
        status = client_receive(c, until, &frame, err);
        if (status == CLIENT_FRAME && frame.type == WIRE_HELLO &&
            ((const struct wire_hello *)frame.message)->nonce == 0)
            return 1;
    }
    return status < 0 ? status : 0;
}

int client_reset(struct client *c, struct err *err)
{
    const struct wire_reset reset = {.magic = WIRE_RESET_MAGIC};
    int status = 0;

    c->opened = false; /* a HELLO with nonce 0 is what we want now */
    for (unsigned i = 0; i < 4 && status == 0; i++) {
        status = client_send_frame(c, WIRE_RESET, ++c->seq, &reset, sizeof(reset), NULL, err);
        if (status == 0)
            status = use_baud(c, c->options.baud, err);
        if (status == 0)
            status = await_restart(c, err);
    }
    if (status < 0)
        return err_in(err, "RESET");
    if (status == 0)
        return err_set(err, ERR_TIMEOUT, "RESET: the agent did not start again");
    return establish(c, err);
}
