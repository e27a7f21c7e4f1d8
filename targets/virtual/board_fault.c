/* What faults and timers ask of a board. */
#include <signal.h>

#include "harness/base/clock.h"
#include "targets/virtual/board.h"
#include "targets/virtual/probe/peer.h"

#define HALT_TIMEOUT_MS 5000

static bool was_halted(const struct board *b, unsigned mark)
{
    return b->emulator.halts != mark;
}

static uint64_t in_ms(unsigned ms)
{
    return clock_monotonic_ns() + (uint64_t)ms * 1000000u;
}

/*
 * Something happens to the board in mid-sentence: the core stops here, and what it had said beyond
 * the byte at which the fault fired never happened.
 */
static void cut_short(struct board *b)
{
    const unsigned before = b->emulator.halts;

    if (!emulator_runs(&b->emulator))
        return;
    b->relay.deaf = true;
    relay_drain(&b->relay, -1);
    if (!b->emulator.halted && b->probe.present) {
        target_freeze(&b->probe.target);
        b->emulator.halted = true;
    } else if (!b->emulator.halted) {
        emulator_halt(&b->emulator, true);
        (void)board_wait(b, was_halted, before, HALT_TIMEOUT_MS);
    }
    relay_drain(&b->relay, b->emulator.uart_from);
    b->relay.deaf = false;
}

static int act(struct board *b, const struct fault_action *a, struct err *err)
{
    switch (a->kind) {
    case FAULT_RESET:
    case FAULT_REBOOT_LOOP:
        cut_short(b);
        return b->power ? board_reset(b, err) : 0;
    case FAULT_HANG:
        cut_short(b);
        edges_tell(&b->edges, "halt");
        return 0;
    case FAULT_UNPLUG:
        if (pty_is_plugged(&b->pty) && board_unplug(b, err) < 0)
            return err->code;
        b->replug_ns = a->ms > 0 ? in_ms(a->ms) : 0;
        return 0;
    case FAULT_POWER_OFF:
        relay_drain(&b->relay, b->emulator.uart_from);
        if (board_power(b, false, err) < 0)
            return err->code;
        b->power_on_ns = a->ms > 0 ? in_ms(a->ms) : 0;
        return 0;
    case FAULT_DIE:
        if (emulator_runs(&b->emulator)) {
            probe_power_off(&b->probe);
            b->relay.deaf = true; /* until the death is noticed */
            relay_drain(&b->relay, -1);
            (void)kill(b->emulator.proc.pid, SIGKILL);
        }
        return 0;
    case FAULT_DEBUGGER_DIES:
        return peer_kill(b->probe.present ? b->probe.client : -1, err);
    default:
        return err_set(err, ERR_BUG, "fault %d is not an action", (int)a->kind);
    }
}

static void act_on_timers(struct board *b, struct err *err)
{
    if (b->replug_ns != 0 && board_ms_until(b->replug_ns) == 0) {
        if (board_replug(b, NULL, err) < 0)
            return;
        board_notice(b, "cable is back");
    }
    if (b->power_on_ns != 0 && board_ms_until(b->power_on_ns) == 0) {
        if (board_power(b, true, err) < 0)
            return;
        board_notice(b, "power is back");
    }
}

void board_act(struct board *b)
{
    struct fault_action action;
    struct err err = ERR_INIT;

    while (fault_take_action(&b->faults, &action)) {
        board_notice(b, "fault %d: %s", action.number, fault_word(action.kind));
        if (act(b, &action, &err) < 0)
            board_notice(b, "fault %d: %s", action.number, err.text);
        err_clear(&err);
    }
    if (b->revive && board_revive(b, &err) < 0) {
        board_notice(b, "%s", err.text);
        err_clear(&err);
    }
    act_on_timers(b, &err);
    if (err.code != ERR_OK)
        board_notice(b, "%s", err.text);
}
