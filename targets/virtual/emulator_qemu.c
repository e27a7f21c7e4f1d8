/*
 * QEMU as a board: stock qemu-system-arm or -riscv32, chosen by the firmware's ELF header.
 *
 * With `-icount shift=N` one instruction takes exactly 2^N virtual ns, so any timer of the board
 * that ticks at least twice per instruction gives exact counts (README.md has the table).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "targets/virtual/elf_machine.h"
#include "targets/virtual/emulator.h"
#include "targets/virtual/tool.h"

static const char *program(const struct options *o, enum elf_machine machine)
{
    if (o->emulator != NULL)
        return o->emulator;
    return machine == ELF_MACHINE_RISCV32 ? "qemu-system-riscv32" : "qemu-system-arm";
}

static int firmware_machine(const char *firmware, enum elf_machine *ret, struct err *err)
{
    if (elf_machine_read(firmware, ret, err) < 0)
        return err->code;
    if (*ret != ELF_MACHINE_ARM && *ret != ELF_MACHINE_RISCV32)
        return err_set(err, ERR_USAGE, "%s: is for %s; kind qemu runs ARM and RISC-V (rv32)",
                       firmware, elf_machine_name(*ret));
    return 0;
}

static int check(const struct options *o, struct err *err)
{
    enum elf_machine machine;

    if (o->machine == NULL || o->machine[0] == '\0')
        return err_set(err, ERR_USAGE, "--machine is missing: a QEMU machine, such as mps2-an386");
    if (o->probe != NULL && o->firmware == NULL)
        return 0;
    if (firmware_machine(o->firmware, &machine, err) < 0)
        return (int)err->code;
    if (o->probe != NULL && machine != ELF_MACHINE_ARM)
        return err_set(err, ERR_USAGE, "%s: the probe is for Arm Cortex-M", o->firmware);
    return 0;
}

/* A comma separates QEMU's sub-options; inside a value it is doubled. */
static const char *escape_commas(struct arguments *a, const char *path)
{
    AUTO_BUF out = BUF_INIT;

    for (; *path != '\0'; path++) {
        if (*path == ',')
            buf_putc(&out, ',');
        buf_putc(&out, *path);
    }
    return arena_strdup(&a->arena, buf_text(&out));
}

static void add_plugin(const struct launch *l, struct arguments *a)
{
    const struct options *o = l->options;
    const char *plugin =
        o->plugin != NULL ? o->plugin : tool_find(&a->arena, "libtinyrig-marker.so");

    if (plugin == NULL || strcmp(plugin, "none") == 0 || l->edges < 0)
        return;
    arguments_add(a, "-plugin");
    if (o->marker)
        arguments_add(a, "%s,fd=%d,set=0x%llx,clear=0x%llx", escape_commas(a, plugin), l->edges,
                      (unsigned long long)o->marker_set, (unsigned long long)o->marker_clear);
    else
        arguments_add(a, "%s,fd=%d", escape_commas(a, plugin), l->edges);
}

/* What runs: an ELF that QEMU puts in place at each reset, and files beside it. */
static int add_images(const struct launch *l, struct arguments *a, struct err *err)
{
    enum elf_machine machine;

    if (firmware_machine(l->firmware, &machine, err) < 0)
        return err->code;
    if (machine == ELF_MACHINE_RISCV32) {
        arguments_add(a, "-bios");
        arguments_add(a, "none");
    }
    arguments_add(a, "-kernel");
    arguments_add(a, "%s", l->firmware);
    for (int i = 0; i < l->load_count; i++) {
        arguments_add(a, "-device");
        arguments_add(a, "loader,file=/proc/self/fd/%d", l->loads[i].fd);
    }
    return 0;
}

/*
 * With a probe the machine starts standing and empty: images that QEMU knows of would come back at
 * each reset and undo what was programmed. The chardev of qtest has to have that name.
 */
static void add_probe(const struct launch *l, struct arguments *a)
{
    arguments_add(a, "-S");
    arguments_add(a, "-accel");
    arguments_add(a, "tcg");
    arguments_add(a, "-chardev");
    arguments_add(a, "socket,id=qtest,fd=%d", l->debug[0]);
    arguments_add(a, "-qtest");
    arguments_add(a, "chardev:qtest");
    arguments_add(a, "-qtest-log");
    arguments_add(a, "none");
    arguments_add(a, "-chardev");
    arguments_add(a, "socket,id=gdb,fd=%d", l->debug[1]);
    arguments_add(a, "-gdb");
    arguments_add(a, "chardev:gdb");
    arguments_add(a, "-chardev");
    arguments_add(a, "socket,id=probe,fd=%d", l->debug[2]);
    arguments_add(a, "-mon");
    arguments_add(a, "chardev=probe,mode=control");
}

static int arguments(const struct launch *l, struct arguments *a, struct err *err)
{
    const struct options *o = l->options;
    enum elf_machine machine = ELF_MACHINE_ARM;

    if (o->probe == NULL && firmware_machine(l->firmware, &machine, err) < 0)
        return err->code;
    arguments_add(a, "%s", program(o, machine));
    arguments_add(a, "-M");
    arguments_add(a, "%s", o->machine);
    arguments_add(a, "-nodefaults");
    arguments_add(a, "-no-user-config");
    arguments_add(a, "-display");
    arguments_add(a, "none");
    if (o->probe != NULL)
        add_probe(l, a);
    else if (add_images(l, a, err) < 0)
        return err->code;
    arguments_add(a, "-chardev");
    arguments_add(a, "pipe,id=uart,path=%s", escape_commas(a, l->uart_path));
    arguments_add(a, "-serial");
    arguments_add(a, "chardev:uart");
    arguments_add(a, "-chardev");
    arguments_add(a, "socket,id=orders,fd=%d", l->orders);
    arguments_add(a, "-mon");
    arguments_add(a, "chardev=orders,mode=control");
    if (o->icount_shift >= 0) {
        arguments_add(a, "-icount");
        arguments_add(a, "shift=%d,sleep=%s", o->icount_shift, o->idle_skips ? "off" : "on");
    }
    add_plugin(l, a);
    return 0;
}

static void order(struct emulator *e, enum emulator_order order)
{
    static const char *const commands[] = {
        [ORDER_RESET] = "{\"execute\":\"system_reset\"}",
        [ORDER_HALT] = "{\"execute\":\"stop\"}",
        [ORDER_RESUME] = "{\"execute\":\"cont\"}",
    };

    emulator_send(e, commands[order]);
}

/* QMP prints one JSON object per line; the few words we need cannot be anything else in it. */
static void hear(struct emulator *e, const char *line)
{
    if (strstr(line, "\"QMP\":") != NULL) {
        emulator_send(e, "{\"execute\":\"qmp_capabilities\"}");
    } else if (strncmp(line, "{\"return\"", 9) == 0) {
        e->ready = true; /* the greeting comes before the machine is complete, answers after */
    } else if (strstr(line, "\"event\": \"RESET\"") != NULL) {
        e->resets++;
    } else if (strstr(line, "\"event\": \"STOP\"") != NULL) {
        e->halts++;
    }
}

static void wake(struct emulator *e)
{
    emulator_send(e, "{\"execute\":\"query-name\"}"); /* any answer takes a turn of the loop */
}

static void complain(struct emulator *e, const char *line)
{
    if (strstr(line, "Lockup:") != NULL)
        e->lockup = true;
}

const struct emulator_ops emulator_qemu = {
    .kind = "qemu",
    .count_name = "instructions",
    .uart_is_pipes = true,
    .takes_orders = true,
    .gives_edges = true,
    .loads_are_elf = true,
    .check = check,
    .arguments = arguments,
    .order = order,
    .hear = hear,
    .wake = wake,
    .complain = complain,
};
