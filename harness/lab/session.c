#include "harness/lab/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/hash.h"
#include "harness/base/text.h"
#include "harness/lab/fault_plan.h"
#include "harness/lab/internal.h"
#include "harness/lab/resources.h"
#include "harness/lab/session_replay.h"
#include "harness/openocd/probe.h"

enum {
    HELLO_MS = 8000,
    HELLO_ANSWERS = 4, /* a greeting takes no longer than so many answers, when those are set */
    VIRTUAL_ANSWER_MS = 4000, /* an emulator shares the host's CPUs: late is not lost */
};

static bool is_virtual(const struct board *b)
{
    return b->virt.kind != NULL;
}

/* ---- parts, in the order they come up ---- */

static int take_lease(struct session *s, struct err *err)
{
    struct resources *r = &s->held;

    if (session_replays(s))
        return 0; /* nothing is touched */
    resources_of(s->board, s->options.lab, s->options.meter, r);
    return lease_take(s->options.lock_dir, r->list, r->count, s->options.purpose,
                      s->options.wait_ms, &s->lease, err);
}

/* A slip in the lab file, or a build without this board's compiler: the board is not to blame. */
static int check_firmware(const struct session *s, struct err *err)
{
    struct stat st;

    if (stat(s->firmware, &st) == 0 && !S_ISREG(st.st_mode))
        (void)err_set(err, ERR_CONFIG, "firmware %s is no file", s->firmware);
    else if (access(s->firmware, R_OK) < 0)
        (void)err_set(err, ERR_CONFIG, "firmware %s: %s", s->firmware, strerror(errno));
    else
        return 0;
    return s->board->flashing.firmware != NULL
               ? err_hint(err, "correct 'firmware' under the board's 'flashing'")
               : err_hint(err, "it is not built: the summary of 'meson setup' says which cross "
                               "compiler is missing");
}

static int find_firmware(struct session *s, struct err *err)
{
    const struct board *b = s->board;
    int n;

    if (b->flashing.firmware != NULL)
        n = snprintf(s->firmware, sizeof(s->firmware), "%s", b->flashing.firmware);
    else if (is_virtual(b) && strcmp(b->virt.kind, "posix") == 0)
        n = snprintf(s->firmware, sizeof(s->firmware), "%s", s->options.agent_posix);
    else if (b->agent != NULL)
        n = snprintf(s->firmware, sizeof(s->firmware), "%s/%s.elf", s->options.firmware_dir,
                     b->agent);
    else
        return 0; /* flashed by other means; its build id still comes with HELLO */
    if (n >= (int)sizeof(s->firmware))
        return err_set(err, ERR_CONFIG, "firmware path too long");
    if (access(s->firmware, R_OK) < 0 && session_replays(s)) {
        s->firmware[0] = '\0'; /* recorded on another host */
        return 0;
    }
    return check_firmware(s, err);
}

/* A board that is flashed over its probe comes up with whatever its flash holds. */
static int start_virtual(struct session *s, struct err *err)
{
    char edges[SESSION_PATH];
    const bool marked = s->options.vmeter != NULL &&
                        instrument_edges(s->board, s->options.run_dir, edges, sizeof(edges));

    if (!is_virtual(s->board) || session_replays(s))
        return 0;
    return vboard_open(
               &(struct vboard_options){.board = s->board,
                                        .program = s->options.vboard,
                                        .firmware = s->flash->needs_probe ? NULL : s->firmware,
                                        .run_dir = s->options.run_dir,
                                        .edges = marked ? edges : NULL,
                                        .seed = s->options.fault_seed},
               &s->vboard, err) < 0
               ? (int)err->code
               : fault_plan_arm(&s->plan, s->options.fault_dir, s->vboard, s->board->name, err);
}

static struct flash_job flash_job(struct session *s)
{
    return (struct flash_job){
        .board = s->board,
        .firmware = s->firmware,
        .port = s->vboard != NULL ? vboard_port(s->vboard) : s->board->transport.where,
        .run_dir = s->options.run_dir,
        .openocd = s->openocd,
        .vboard = s->vboard,
        .progress = session_step,
        .context = s,
    };
}

static bool writes_firmware(const struct session *s)
{
    return s->flash->program != flash_find("none")->program;
}

static int find_rings(struct session *s, struct err *err)
{
    const struct flash_job job = flash_job(s);
    const int r =
        session_over_swd(s) ? flash_symbol(s->flash, &job, "rtt_block", &s->rings, err) : 1;

    return r < 0 ? r : 0;
}

static int program(struct session *s, struct err *err)
{
    const struct flash_job job = flash_job(s);

    /* An agent that runs already has made its rings, and will not again. */
    if (find_rings(s, err) < 0 || (writes_firmware(s) && session_forget_rings(s, err) < 0))
        return (int)err->code;
    return s->flash->program(&job, err) < 0 ? (int)err->code : 0;
}

static int find_address(struct session *s, struct err *err)
{
    const char *place = labgrid_place(s->board->transport.where);
    const struct lab *lab = s->options.lab;

    return place == NULL || session_replays(s)
               ? 0
               : labgrid_acquire(&s->labgrid, lab != NULL ? lab->labgrid : NULL, place,
                                 s->options.lock_dir, err);
}

/* Two boards of a kind look alike on the wire; the lab file may say which one it must be. */
static int check_identity(struct session *s, struct err *err)
{
    char uid[25];

    /* What the lab cannot write may be another build on purpose: HELLO's id is then recorded. */
    if (s->firmware[0] != '\0' && writes_firmware(s) &&
        flash_check_identity(s->firmware, client_hello(s->client)->build_id, err) < 0)
        return (int)err->code;
    hex_encode(client_hello(s->client)->chip_uid, 12, uid);
    if (s->board->uid != NULL && strcasecmp(s->board->uid, uid) != 0) {
        (void)err_set(err, ERR_LAB, "this is another board: its chip says %s, the lab file %s", uid,
                      s->board->uid);
        return err_hint(err, "cables may be swapped");
    }
    return 0;
}

/* 0, which is any, unless somebody may want to replay it: then one more with each greeting. */
static uint16_t record_nonce(struct session *s)
{
    return s->options.record_dir != NULL || session_replays(s)
               ? (uint16_t)(s->nonce + s->greetings++)
               : 0;
}

static unsigned answer_ms(const struct session *s)
{
    if (s->options.answer_ms != 0)
        return s->options.answer_ms;
    return s->vboard != NULL ? VIRTUAL_ANSWER_MS : 0;
}

/* A virtual board's supervisor sees the emulator end; no other board tells. */
static int is_alive(void *context, struct err *err)
{
    return vboard_alive(((struct session *)context)->vboard, err);
}

static int greet(struct session *s, unsigned hello_ms, struct err *err)
{
    const struct board_transport *t = &s->board->transport;

    client_close(s->client);
    s->client = NULL;
    if (s->options.answer_ms != 0 && hello_ms > HELLO_ANSWERS * s->options.answer_ms)
        hello_ms = HELLO_ANSWERS * s->options.answer_ms;
    if (client_open(&(struct client_options){.transport = s->transport,
                                             .baud = t->baud,
                                             .max_baud = t->max_baud,
                                             .hello_ms = hello_ms,
                                             .answer_ms = answer_ms(s),
                                             .nonce = record_nonce(s),
                                             .alive = s->vboard != NULL ? is_alive : NULL,
                                             .context = s},
                    &s->client, err) < 0)
        return (int)err->code;
    if (check_identity(s, err) == 0)
        return 0;
    client_close(s->client); /* nothing it says may count */
    s->client = NULL;
    return (int)err->code;
}

int session_reopen(struct session *s, unsigned hello_ms, struct err *err)
{
    session_hang_up(s);
    if (session_by_probe(s) && session_probe_again(s, err) < 0)
        return (int)err->code;
    session_step(s, "link", 0);
    if (session_open_port(s, hello_ms, err) < 0)
        return (int)err->code;
    return greet(s, hello_ms, err);
}

static int find_method(struct session *s, struct err *err)
{
    const char *method = s->board->flashing.method;

    s->flash = flash_find(method != NULL ? method : is_virtual(s->board) ? "qemu" : "none");
    if (s->flash == NULL)
        return err_set(err, ERR_CONFIG, "unknown flash method '%s'", method);
    if (session_replays(s))
        session_replay_method(s);
    return 0;
}

/* ---- what can be done to it from outside: rungs of the ladder ---- */

static int means_reset(void *context, struct err *err)
{
    struct session *s = context;

    if (!session_by_probe(s))
        return s->vboard != NULL ? vboard_reset(s->vboard, err) : start_virtual(s, err);
    return session_probe_again(s, err) < 0 ? (int)err->code : probe_reset_run(s->openocd, err);
}

static int means_under_reset(void *context, struct err *err)
{
    return session_connect_under_reset(context, err);
}

static int means_power_cycle(void *context, struct err *err)
{
    struct session *s = context;

    /* Without one a reflash before has failed to start it. */
    return s->vboard != NULL ? vboard_power_cycle(s->vboard, err) : start_virtual(s, err);
}

/* The probe's program and a virtual board's supervisor are made anew: they may be what is wrong. */
static int means_reflash(void *context, const char *firmware, struct err *err)
{
    struct session *s = context;

    session_hang_up(s);
    session_drop_probe(s);
    fault_plan_report(s->options.fault_dir, s->vboard, s->board->name);
    vboard_close(s->vboard);
    s->vboard = NULL;
    if (start_virtual(s, err) < 0 || session_open_probe(s, err) < 0)
        return (int)err->code;
    return program(s, err);
}

/* Before the probe is there: one that does not open may be brought back. */
static int find_means(struct session *s, struct err *err)
{
    s->means.context = s;
    if (session_replays(s)) {
        session_replay_means(s, is_virtual(s->board));
        s->ready = true;
        return 0;
    }
    if (s->vboard != NULL || session_by_probe(s))
        s->means.reset = means_reset;
    if (session_by_probe(s))
        s->means.connect_under_reset = means_under_reset;
    if (s->vboard != NULL && s->means.power_cycle == NULL)
        s->means.power_cycle = means_power_cycle;
    if (is_virtual(s->board) || writes_firmware(s))
        s->means.reflash = means_reflash;
    s->ready = true;
    return 0;
}

static int first_greeting(struct session *s, struct err *err)
{
    return session_reopen(s, HELLO_MS, err);
}

static int bring_up(struct session *s, struct err *err)
{
    static int (*const parts[])(struct session * s, struct err * err) = {
        take_lease, find_address,       find_method, find_firmware, start_virtual,  session_supply,
        find_means, session_open_probe, find_means,  program,       first_greeting,
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i](s, err) < 0)
            return (int)err->code;
    }
    return 0;
}

int session_open(const struct board *board, const struct session_options *options,
                 struct recovery *recovery, struct session **ret, struct err *err)
{
    AUTO(session_close_auto) struct session *s = calloc(1, sizeof(*s));
    int r;

    if (s == NULL)
        abort();
    s->board = board;
    s->options = *options;
    r = bring_up(s, err);
    if (r < 0 && options->failure_log != NULL)
        session_log(s, options->failure_log);
    if (r < 0 && recovery != NULL && s->ready && err_is_lab_fault(err->code)) {
        const struct err why = *err;

        err_clear(err);
        r = recover(s, recovery, &why, err);
    }
    if (r < 0)
        return err_in(err, "board '%s'", board->name);
    *ret = MOVE(s);
    return 0;
}

int session_recover(struct session *s, struct recovery *recovery, const struct err *why,
                    struct err *err)
{
    return recover(s, recovery, why, err);
}

void session_close(struct session *s)
{
    if (s == NULL)
        return;
    instrument_close(s->instrument);
    session_supply_drop(s);
    session_hang_up(s);
    openocd_close(s->openocd);
    fault_plan_report(s->options.fault_dir, s->vboard, s->board->name);
    vboard_close(s->vboard);
    buf_release(&s->record);
    labgrid_release(&s->labgrid);
    power_line_release(&s->line);
    lease_release(s->lease);
    free(s);
}

struct client *session_client(struct session *s)
{
    return s->client;
}

bool session_replays(const struct session *s)
{
    return s->options.replay_dir != NULL;
}

const char *session_firmware(const struct session *s)
{
    return s->firmware[0] != '\0' ? s->firmware : NULL;
}

/* After the part was started anew: the rings are new ones, a serial port is still the same. */
static int greet_again(struct session *s, struct err *err)
{
    return session_over_swd(s) ? session_reopen(s, HELLO_MS, err) : greet(s, HELLO_MS, err);
}

int session_restart(struct session *s, struct err *err)
{
    struct flash_job job;
    int r;

    if (session_by_probe(s) && session_probe_again(s, err) < 0)
        return (int)err->code;
    job = flash_job(s);
    if (s->flash->restart == NULL && !session_over_swd(s)) {
        r = client_reset(s->client, err);
    } else {
        r = session_forget_rings(s, err);
        if (r == 0)
            r = s->flash->restart != NULL ? s->flash->restart(&job, err)
                                          : probe_reset_run(s->openocd, err);
        if (r == 0)
            r = greet_again(s, err);
    }
    return r < 0 ? err_in(err, "board '%s': reset", s->board->name) : 0;
}

/* ---- models ---- */

static int in_slot_already(struct session *s, const void *image, size_t size, struct err *err)
{
    uint32_t digest = 0;

    if (client_digest(s->client, WIRE_OBJECT_SLOT, 0, size, &digest, err) < 0)
        return (int)err->code;
    return digest == wire_crc32(0, image, size);
}

static int place_by_flash(struct session *s, const void *image, size_t size, struct err *err)
{
    const struct flash_job job = flash_job(s);
    int r = in_slot_already(s, image, size, err);

    if (r != 0)
        return r;
    if (s->flash->write == NULL)
        return err_set(err, ERR_UNSUPPORTED, "method %s cannot write the slot of board '%s'",
                       s->flash->name, s->board->name);
    session_step(s, "upload", size);
    if (s->board->slot.by_flash && session_forget_rings(s, err) < 0)
        return (int)err->code;
    r = s->flash->write(&job, image, size, client_hello(s->client)->slot_base, err);
    if (r == 0)
        r = greet_again(s, err);
    if (r < 0)
        return r;
    r = in_slot_already(s, image, size, err);
    if (r == 0)
        return err_set(err, ERR_FLASH, "the model in the slot is not what was written");
    return r < 0 ? r : 0;
}

/* RAM is written faster by the probe than through the agent, which then only takes a digest. */
static bool probe_is_faster(const struct session *s)
{
    const struct memory_region *ram = &s->board->ram;
    const uint64_t slot = client_hello(s->client)->slot_base;

    return (s->openocd != NULL || session_replays(s)) && s->flash->needs_probe &&
           slot >= ram->base && slot - ram->base < ram->size;
}

int session_place_model(struct session *s, const void *image, size_t size, struct err *err)
{
    const struct wire_hello *hello = client_hello(s->client);
    int r;

    if (size > hello->slot_size)
        return err_set(err, ERR_UNSUPPORTED, "the model image has %zu bytes, the slot %u", size,
                       hello->slot_size);
    if (s->board->slot.by_flash || (hello->caps & WIRE_CAP_SLOT_WRITE) == 0 || probe_is_faster(s))
        r = place_by_flash(s, image, size, err);
    else
        r = client_upload_model(s->client, image, size, NULL, NULL, err);
    return r < 0 ? err_in(err, "board '%s': model", s->board->name) : r;
}

struct instrument_options session_instrument_options(const struct session *s,
                                                     const struct suite_energy *energy)
{
    const struct session_options *o = &s->options;

    return (struct instrument_options){.board = s->board,
                                       .lab = o->lab,
                                       .held = &s->held,
                                       .energy = energy,
                                       .vmeter = o->vmeter,
                                       .run_dir = o->run_dir,
                                       .lock_dir = o->lock_dir,
                                       .purpose = o->purpose,
                                       .wait_ms = o->wait_ms};
}

int session_instrument(struct session *s, const struct suite_energy *energy,
                       struct instrument **ret, struct err *err)
{
    const struct instrument_options options = session_instrument_options(s, energy);

    if (session_replays(s))
        return err_set(err, ERR_METER, "a record holds the board's link, not its meter's");
    if (session_supply_measures(s, energy))
        return session_supply_instrument(s, energy, ret, err) < 0
                   ? err_in(err, "board '%s'", s->board->name)
                   : 0;
    if (s->instrument == NULL && instrument_open(&options, &s->instrument, err) < 0)
        return err_in(err, "board '%s'", s->board->name);
    *ret = s->instrument;
    return 0;
}

void session_drop_instrument(struct session *s)
{
    instrument_close(s->instrument);
    s->instrument = NULL;
    session_supply_drop(s);
}

void session_log(struct session *s, struct buf *out)
{
    if (s->client != NULL) {
        size_t n = 0;
        const char *console = client_console(s->client, &n);

        if (n > 0)
            buf_puts(out, "console: ");
        text_escape(out, console, n);
        if (n > 0)
            buf_putc(out, '\n');
    }
    if (s->vboard != NULL)
        vboard_news(s->vboard, out);
    session_probe_log(s, out);
}
