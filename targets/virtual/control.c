#include "targets/virtual/control.h"

#include <string.h>

#include "harness/base/text.h"
#include "targets/virtual/command.h"

#define OFF_TIME_MS     100
#define OFF_TIME_MAX_MS 60000

static int want_on_off(const char *word, bool *ret, struct err *err)
{
    if (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)
        return err_set(err, ERR_USAGE, "'%.40s' is neither on nor off", word);
    *ret = word[1] == 'n';
    return 0;
}

static int do_power(struct board *b, const struct command *c, struct err *err)
{
    bool on = false;

    if (want_on_off(c->words[1], &on, err) < 0)
        return err->code;
    return board_power(b, on, err);
}

static int do_power_cycle(struct board *b, const struct command *c, struct err *err)
{
    uint64_t ms = OFF_TIME_MS;

    if (c->count > 1 && (!text_to_u64(c->words[1], &ms) || ms > OFF_TIME_MAX_MS))
        return err_set(err, ERR_USAGE, "'%.40s' is not a number of ms up to %d", c->words[1],
                       OFF_TIME_MAX_MS);
    return board_power_cycle(b, (unsigned)ms, err);
}

static int do_load(struct board *b, const struct command *c, struct err *err)
{
    uint64_t address;

    if (!text_to_u64(c->words[2], &address))
        return err_set(err, ERR_USAGE, "'%.40s' is not an address", c->words[2]);
    return board_load(b, c->words[1], address, err);
}

static int do_faults(struct board *b, const struct command *c, struct buf *reply, struct err *err)
{
    if (c->count > 1 && strcmp(c->words[1], "clear") != 0)
        return err_set(err, ERR_USAGE, "usage: faults [clear]");
    if (c->count > 1)
        fault_clear(&b->faults);
    fault_list(&b->faults, reply);
    return 0;
}

static int do_fault(struct board *b, const struct command *c, struct buf *reply, struct err *err)
{
    if (strcmp(c->words[1], "help") == 0) {
        fault_help(&b->say);
        return 0;
    }
    if (fault_arm(&b->faults, c->words + 1, c->count - 1, err) < 0)
        return err->code;
    buf_printf(reply, "%d", b->faults.armed_ever);
    return 0;
}

static int do_edges(struct board *b, const struct command *c, struct err *err)
{
    bool on = false;

    if (want_on_off(c->words[2], &on, err) < 0)
        return err->code;
    return edges_record(&b->edges, c->words[1], on, err);
}

static const char *state_name(const struct board *b)
{
    if (!b->power)
        return "off";
    if (!emulator_runs(&b->emulator))
        return b->emulator.lockup ? "lockup" : "dead";
    if (b->probe.present && b->probe.target.lockup)
        return "lockup";
    if (b->probe.present && b->probe.target.halted)
        return "halted";
    return b->emulator.halted ? "hung" : "running";
}

static void number_or_dash(struct buf *out, const char *key, uint64_t value, bool known)
{
    if (known)
        buf_printf(out, " %s=%llu", key, (unsigned long long)value);
    else
        buf_printf(out, " %s=-", key);
}

/* key=value words; `died` comes last because its text has blanks. */
static void do_status(const struct board *b, struct buf *reply)
{
    const struct relay *r = &b->relay;

    buf_printf(reply, "state=%s pid=%d in=%llu out=%llu dropped=%llu", state_name(b),
               (int)b->emulator.proc.pid, (unsigned long long)r->bytes_to_board,
               (unsigned long long)r->bytes_from_board, (unsigned long long)r->dropped);
    number_or_dash(reply, "vtime_ns", b->edges.virtual_ns, b->edges.has_time);
    number_or_dash(reply, b->emulator.ops->count_name, b->edges.count, b->edges.has_count);
    buf_printf(reply, " edges=%llu power_ons=%u deaths=%u faults=%d cable=%s link=",
               (unsigned long long)b->edges.seen, b->power_ons, b->deaths, b->faults.count,
               !pty_is_plugged(&b->pty) ? "unplugged" : (b->pty.open ? "open" : "closed"));
    text_escape(reply, b->link, strlen(b->link));
    if (b->probe.present) {
        const struct dap_counts *n = &b->probe.dap.counts;

        buf_printf(reply, " accesses=%llu private=%llu in_windows=%llu",
                   (unsigned long long)n->memory, (unsigned long long)n->private_bus,
                   (unsigned long long)n->in_windows);
        buf_printf(reply, " clients=%u refused=%u probe=", b->probe.clients, b->probe.refused);
        probe_describe(&b->probe, reply);
    }
    if (b->died[0] != '\0')
        buf_printf(reply, " died=%s", b->died);
}

static int carry_out(struct board *b, const struct command *c, struct buf *reply, struct err *err)
{
    switch (c->kind) {
    case COMMAND_HELP:
        command_help(&b->say);
        return 0;
    case COMMAND_POWER:
        return do_power(b, c, err);
    case COMMAND_POWER_CYCLE:
        return do_power_cycle(b, c, err);
    case COMMAND_RESET:
        return board_reset(b, err);
    case COMMAND_LOAD:
        return do_load(b, c, err);
    case COMMAND_UNLOAD:
        board_unload(b);
        return 0;
    case COMMAND_UNPLUG:
        return board_unplug(b, err);
    case COMMAND_REPLUG:
        return board_replug(b, c->count > 1 ? c->words[1] : NULL, err);
    case COMMAND_FAULT:
        return do_fault(b, c, reply, err);
    case COMMAND_FAULTS:
        return do_faults(b, c, reply, err);
    case COMMAND_EDGES:
        return do_edges(b, c, err);
    case COMMAND_STATUS:
        do_status(b, reply);
        return 0;
    case COMMAND_QUIT:
        return 1;
    }
    return err_set(err, ERR_BUG, "command %d has no code", (int)c->kind);
}

void control_error(struct buf *out, const struct err *err)
{
    buf_puts(out, "error ");
    text_escape(out, err->text, strlen(err->text));
    if (err->hint[0] != '\0') {
        buf_puts(out, " (");
        text_escape(out, err->hint, strlen(err->hint));
        buf_putc(out, ')');
    }
    buf_putc(out, '\n');
}

bool control_line(struct board *b, char *line)
{
    AUTO_BUF reply = BUF_INIT;
    struct err err = ERR_INIT;
    struct command c;
    int r = command_parse(line, &c, &err);

    if (r > 0)
        return true;
    if (r == 0)
        r = carry_out(b, &c, &reply, &err);
    if (r < 0) {
        control_error(&b->say, &err);
        return true;
    }
    buf_puts(&b->say, "ok");
    if (reply.len > 0)
        buf_printf(&b->say, " %s", buf_text(&reply));
    buf_putc(&b->say, '\n');
    return r == 0;
}
