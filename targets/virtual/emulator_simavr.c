/*
 * simavr as a board, by the separate program tinyrig-vboard-avr (avr/main.c): cycle-exact.
 *
 * simavr is GPL, so it stays in its own executable and is spoken to over sockets. Orders are the
 * words "reset", "halt", "resume"; it says "ready", "reset" and "halted".
 */
#include <stdio.h>
#include <string.h>

#include "targets/virtual/elf_machine.h"
#include "targets/virtual/emulator.h"
#include "targets/virtual/tool.h"

#define PROGRAM "tinyrig-vboard-avr"

static int firmware_check(const char *firmware, struct err *err)
{
    enum elf_machine machine;

    if (elf_machine_read(firmware, &machine, err) < 0)
        return err->code;
    if (machine != ELF_MACHINE_AVR)
        return err_set(err, ERR_USAGE, "%s: is for %s, not for AVR", firmware,
                       elf_machine_name(machine));
    return 0;
}

static int check(const struct options *o, struct err *err)
{
    if (o->machine == NULL || o->machine[0] == '\0')
        return err_set(err, ERR_USAGE, "--machine is missing: a simavr mcu, such as atmega1284p");
    return firmware_check(o->firmware, err);
}

static int arguments(const struct launch *l, struct arguments *a, struct err *err)
{
    const struct options *o = l->options;
    const char *program = o->emulator != NULL ? o->emulator : tool_find(&a->arena, PROGRAM);

    if (firmware_check(l->firmware, err) < 0)
        return err->code;
    if (program == NULL) {
        (void)err_set(err, ERR_UNSUPPORTED, PROGRAM " is not installed");
        return err_hint(err, "it is built when libsimavr-dev and libelf-dev are present");
    }
    arguments_add(a, "%s", program);
    arguments_add(a, "--mcu=%s", o->machine);
    arguments_add(a, "--clock=%llu",
                  (unsigned long long)(o->clock_hz != 0 ? o->clock_hz : 16000000u));
    arguments_add(a, "--firmware=%s", l->firmware);
    arguments_add(a, "--uart-fd=%d", l->uart);
    arguments_add(a, "--orders-fd=%d", l->orders);
    arguments_add(a, "--edges-fd=%d", l->edges);
    arguments_add(a, "--marker-pin=%s", o->marker_pin != NULL ? o->marker_pin : "PB5");
    for (int i = 0; i < l->load_count; i++)
        arguments_add(a, "--load=/proc/self/fd/%d@0x%llx", l->loads[i].fd,
                      (unsigned long long)l->loads[i].address);
    return 0;
}

static void order(struct emulator *e, enum emulator_order order)
{
    static const char *const words[] = {
        [ORDER_RESET] = "reset",
        [ORDER_HALT] = "halt",
        [ORDER_RESUME] = "resume",
    };

    emulator_send(e, words[order]);
}

static void hear(struct emulator *e, const char *line)
{
    if (strcmp(line, "ready") == 0)
        e->ready = true;
    else if (strcmp(line, "reset") == 0)
        e->resets++;
    else if (strcmp(line, "halted") == 0)
        e->halts++;
}

const struct emulator_ops emulator_simavr = {
    .kind = "simavr",
    .count_name = "cycles",
    .takes_orders = true,
    .gives_edges = true,
    .check = check,
    .arguments = arguments,
    .order = order,
    .hear = hear,
};
