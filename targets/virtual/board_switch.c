/* The switches of a board: power, reset, flash and cable. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "targets/virtual/board.h"

/* Generous, as a loaded machine may need seconds; less than the harness waits for a reply. */
#define POWER_ON_TIMEOUT_MS 20000
#define RESET_TIMEOUT_MS    5000

static bool is_ready(const struct board *b, unsigned mark)
{
    return b->emulator.ready;
}

static bool was_reset(const struct board *b, unsigned mark)
{
    return b->emulator.resets != mark;
}

/* What the flash holds beyond what was programmed: a file loaded, or the wrong firmware. */
static int update_flash(struct board *b, struct err *err)
{
    char path[40];

    if (b->faults.firmware[0] != '\0') {
        store_erase(&b->probe.store);
        if (store_put_elf(&b->probe.store, b->faults.firmware, err) < 0)
            return err->code;
    }
    for (int i = 0; i < b->load_count && b->loads_changed; i++) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", b->loads[i].fd);
        if (store_put_elf(&b->probe.store, path, err) < 0)
            return err->code;
    }
    b->loads_changed = false;
    return 0;
}

/* The machine is complete: hand its debug streams over, which lets it run. */
static int start_probe(struct board *b, struct err *err)
{
    const bool locked_up = b->revive;

    b->revive = false;
    if (!b->probe.present)
        return 0;
    if (!locked_up && update_flash(b, err) < 0)
        return err->code;
    return probe_power_on(&b->probe, b->emulator.debug, b->emulator.proc.pid, locked_up, err);
}

static int start(struct board *b, struct err *err)
{
    struct launch l = {
        .options = b->options,
        .firmware = b->faults.firmware[0] != '\0' ? b->faults.firmware : b->options->firmware,
        .loads = b->loads,
        .load_count = b->load_count,
    };

    edges_restart(&b->edges);
    b->died[0] = '\0';
    if (emulator_start(&b->emulator, &l, err) < 0)
        return err->code;
    if (!board_wait(b, is_ready, 0, POWER_ON_TIMEOUT_MS)) {
        const bool runs = emulator_runs(&b->emulator);

        emulator_kill(&b->emulator);
        if (runs)
            return err_set(err, ERR_TIMEOUT, "the emulator was not ready within %d s",
                           POWER_ON_TIMEOUT_MS / 1000);
        return err_set(err, ERR_LAB, "the emulator %s", b->died);
    }
    if (start_probe(b, err) < 0) {
        emulator_kill(&b->emulator);
        return err->code;
    }
    return 0;
}

int board_revive(struct board *b, struct err *err)
{
    return start(b, err);
}

int board_power(struct board *b, bool on, struct err *err)
{
    b->power_on_ns = 0;
    if (on == b->power)
        return 0;
    b->power = on;
    b->revive = false;
    if (!on) {
        probe_power_off(&b->probe);
        emulator_kill(&b->emulator);
        relay_forget_input(&b->relay);
        b->died[0] = '\0';
        edges_tell(&b->edges, "power off");
        return 0;
    }
    b->power_ons++;
    edges_tell(&b->edges, "power on");
    if (start(b, err) < 0) {
        b->power = false;
        edges_tell(&b->edges, "power off");
        return err->code;
    }
    return 0;
}

int board_power_cycle(struct board *b, unsigned ms, struct err *err)
{
    const struct deadline end = deadline_in_ms(ms);

    if (board_power(b, false, err) < 0)
        return err->code;
    while (!deadline_passed(end)) {
        struct poll_set set = {.n = 0};

        board_step(b, &set, (int)deadline_left_ms(end));
    }
    return board_power(b, true, err);
}

int board_reset(struct board *b, struct err *err)
{
    const unsigned before = b->emulator.resets;
    const bool halted = b->emulator.halted;

    if (!b->power)
        return err_set(err, ERR_LAB, "the power is off");
    edges_tell(&b->edges, "reset");
    if (b->probe.present && emulator_runs(&b->emulator) && probe_reset(&b->probe)) {
        b->emulator.halted = false;
        return 0;
    }
    b->revive = false;
    probe_power_off(&b->probe);
    if (b->probe.present || !emulator_runs(&b->emulator) || !b->emulator.ops->takes_orders) {
        emulator_kill(&b->emulator);
        relay_forget_input(&b->relay);
        return start(b, err);
    }
    b->emulator.ops->order(&b->emulator, ORDER_RESET);
    if (halted)
        emulator_halt(&b->emulator, false);
    if (board_wait(b, was_reset, before, RESET_TIMEOUT_MS))
        return 0;
    if (!emulator_runs(&b->emulator))
        return err_set(err, ERR_LAB, "the emulator %s", b->died);
    /* Deaf to orders: what a person would do is pull the plug. */
    emulator_kill(&b->emulator);
    return start(b, err);
}

int board_load(struct board *b, const char *path, uint64_t address, struct err *err)
{
    struct image *image = NULL;

    for (int i = 0; i < b->load_count && image == NULL; i++) {
        if (b->loads[i].address == address)
            image = &b->loads[i];
    }
    if (image == NULL && b->load_count == OPTIONS_LOADS_MAX)
        return err_set(err, ERR_BUSY, "%d files are loaded already", OPTIONS_LOADS_MAX);
    if (image == NULL) {
        image = &b->loads[b->load_count];
        image->fd = -1;
    }
    if (image_load(image, path, address, b->emulator.ops->loads_are_elf, err) < 0)
        return (int)err->code;
    b->loads_changed = true;
    b->load_count += image == &b->loads[b->load_count];
    return 0;
}

void board_unload(struct board *b)
{
    while (b->load_count > 0)
        image_release(&b->loads[--b->load_count]);
}

int board_unplug(struct board *b, struct err *err)
{
    b->replug_ns = 0;
    if (!pty_is_plugged(&b->pty))
        return err_set(err, ERR_LAB, "the cable is unplugged already");
    pty_unplug(&b->pty);
    relay_forget_input(&b->relay);
    relay_forget_output(&b->relay);
    return 0;
}

int board_replug(struct board *b, const char *name, struct err *err)
{
    char *slash = strrchr(b->link, '/');

    b->replug_ns = 0;
    if (pty_is_plugged(&b->pty))
        return err_set(err, ERR_LAB, "the cable is plugged in already");
    if (name != NULL) {
        if (strchr(name, '/') != NULL || name[0] == '.' || name[0] == '\0' || strlen(name) > 100)
            return err_set(err, ERR_USAGE, "'%.100s' is not a plain file name", name);
        (void)snprintf(slash + 1, sizeof(b->link) - (size_t)(slash + 1 - b->link), "%s", name);
    }
    return pty_plug(&b->pty, b->link, err);
}
