#include "harness/lab/recover.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/lab/internal.h"

struct rung {
    const char *name;
    const char *help;
    unsigned budget;   /* uses per board and run */
    unsigned hello_ms; /* how long the agent may take to greet afterwards */
    bool (*fits)(const struct session *s);
    int (*act)(struct session *s, struct err *err);
};

static bool fits_always(const struct session *s)
{
    return true;
}

static bool fits_protocol_reset(const struct session *s)
{
    return s->client != NULL;
}

static bool fits_reset(const struct session *s)
{
    return s->means.reset != NULL;
}

static bool fits_under_reset(const struct session *s)
{
    return s->means.connect_under_reset != NULL;
}

static bool fits_reflash(const struct session *s)
{
    return s->means.reflash != NULL && s->firmware[0] != '\0';
}

static bool fits_usb_power(const struct session *s)
{
    return s->power != NULL && strcmp(s->power->kind, "uhubctl") == 0;
}

static bool fits_power(const struct session *s)
{
    return s->means.power_cycle != NULL ||
           (s->power != NULL && power_switch_can(s->power) && !fits_usb_power(s));
}

static int act_nothing(struct session *s, struct err *err)
{
    return 0;
}

static int act_protocol_reset(struct session *s, struct err *err)
{
    return client_reset(s->client, err);
}

static int act_reset(struct session *s, struct err *err)
{
    return s->means.reset(s->means.context, err);
}

static int act_under_reset(struct session *s, struct err *err)
{
    return s->means.connect_under_reset(s->means.context, err);
}

static int act_reflash(struct session *s, struct err *err)
{
    return s->means.reflash(s->means.context, s->firmware, err);
}

/* The port vanishes with the power, and the chip forgets its debugger: they are let go first. */
static int act_power(struct session *s, struct err *err)
{
    session_hang_up(s);
    session_drop_probe(s);
    if (s->means.power_cycle != NULL)
        return s->means.power_cycle(s->means.context, err);
    return power_switch_cycle(s->power, &s->line, err);
}

static const struct rung rungs[] = {
    {"reopen", "close the port and open it again", 8, 3000, fits_always, act_nothing},
    {"protocol-reset", "ask the agent to restart", 4, 4000, fits_protocol_reset,
     act_protocol_reset},
    {"probe-reset", "pulse the reset line", 4, 5000, fits_reset, act_reset},
    {"connect-under-reset", "connect while the reset line is low, then let it run", 3, 8000,
     fits_under_reset, act_under_reset},
    {"reflash", "write the agent's firmware again", 3, 8000, fits_reflash, act_reflash},
    {"usb-power", "switch the hub's port off and on", 2, 15000, fits_usb_power, act_power},
    {"power-cycle", "switch the supply off and on", 2, 15000, fits_power, act_power},
};
_Static_assert(ARRAY_SIZE(rungs) <= RECOVERY_RUNGS_MAX, "RECOVERY_RUNGS_MAX");

size_t recovery_rung_list(struct recovery_rung_info ret[static RECOVERY_RUNGS_MAX])
{
    for (size_t i = 0; i < ARRAY_SIZE(rungs); i++)
        ret[i] = (struct recovery_rung_info){rungs[i].name, rungs[i].help, rungs[i].budget};
    return ARRAY_SIZE(rungs);
}

void recovery_used(struct recovery *r, const char *rung, bool worked)
{
    for (size_t i = 0; i < ARRAY_SIZE(rungs); i++) {
        if (strcmp(rungs[i].name, rung) != 0)
            continue;
        r->used[i]++;
        if (worked)
            r->floor = i + 1;
    }
}

void recovery_passed(struct recovery *r)
{
    r->floor = 0;
}

static void note(const struct recovery *r, const struct session *s, const char *rung,
                 const char *reason, bool worked)
{
    log_line(LOG_LAB, "%s: %s %s (%s)", s->board->name, rung, worked ? "helped" : "did not help",
             reason);
    if (r->note != NULL)
        r->note(r->context, rung, reason, worked);
}

static int use_rung(struct session *s, const struct rung *rung, struct err *err)
{
    const int r = rung->act(s, err);

    return r < 0 ? r : session_reopen(s, rung->hello_ms, err);
}

static void put_failure(struct buf *out, const struct err *e)
{
    buf_printf(out, "%.1500s", e->text);
    if (e->hint[0] != '\0')
        buf_printf(out, " (%s)", e->hint);
}

/* What it began with says more of the reason than what the last rung met. */
static int give_up(struct session *s, const struct recovery *r, const struct buf *tried,
                   const struct err *why, const struct err *last, struct err *err)
{
    const enum err_code code = why->code == ERR_FLASH ? ERR_FLASH : ERR_LAB;
    AUTO_BUF text = BUF_INIT;

    note(r, s, "quarantine", last->text, false);
    put_failure(&text, why);
    if (strcmp(why->text, last->text) != 0) {
        buf_puts(&text, "; at last: ");
        put_failure(&text, last);
    }
    (void)err_set(err, code, "board '%s' did not come back (tried:%s): %s", s->board->name,
                  tried->len > 0 ? buf_text(tried) : " nothing, every budget is spent",
                  buf_text(&text));
    return err_hint(err, "look at it, then 'tinyrig boards check %s'", s->board->name);
}

int recover(struct session *s, struct recovery *r, const struct err *why, struct err *err)
{
    AUTO_BUF tried = BUF_INIT;
    AUTO_BUF reason = BUF_INIT;
    struct err last = *why;

    put_failure(&reason, why);
    for (size_t i = r->floor; i < ARRAY_SIZE(rungs); i++) {
        const struct rung *rung = &rungs[i];
        struct err failure = ERR_INIT;
        int result;

        if (r->used[i] >= rung->budget || !rung->fits(s))
            continue;
        r->used[i]++;
        buf_printf(&tried, " %s", rung->name);
        result = use_rung(s, rung, &failure);
        note(r, s, rung->name, buf_text(&reason), result == 0);
        if (result == 0) {
            r->floor = i + 1;
            return 0;
        }
        last = failure;
    }
    return give_up(s, r, &tried, why, &last, err);
}
