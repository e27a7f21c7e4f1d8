/* The keys of board files. Each row serves parser, messages, help, man page and schema. */
#include "harness/load/board_file.h"

#define M memory_region
static const struct key region_keys[] = {
    ONE("size", VALUE_BYTES, size, "128KiB", "bytes of it", REQUIRED),
    ONE("base", VALUE_ADDRESS, base, "0x20000000", "its first address", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map region_map = {
    .name = "memory",
    .help = "one region of memory",
    .keys = region_keys,
    .size = sizeof(struct memory_region),
    .shorthand = "size",
    .finish = region_finish,
};

static const char *const writers[] = {"link", "flash", NULL};

#define M slot_file
static const struct key slot_keys[] = {
    ONE("size", VALUE_BYTES, slot.region.size, "256KiB", "bytes of it", REQUIRED),
    ONE("base", VALUE_ADDRESS, slot.region.base, "0x08080000", "its first address", REQUIRED),
    ONE("written_by", VALUE_CHOICE, written_by, "link",
        "link: the agent writes what it receives; flash: the flash back-end writes it",
        DEFAULT("link"), WORDS(writers)),
    {NULL},
};
#undef M

static const struct key_map slot_map = {
    .name = "slot",
    .help = "where model images go; all of ram: each beside its arena; without it, the agent says",
    .keys = slot_keys,
    .size = sizeof(struct slot_file),
    .finish = slot_finish,
};

/* The first words of enum unit, in its order. */
static const char *const timebases[] = {"cycles", "instructions", "ns", NULL};

#define M board
static const struct key timebase_keys[] = {
    ONE("unit", VALUE_WORD, timebase_unit, "cycles",
        "what one tick stands for: cycles, instructions or ns", REQUIRED, WORDS(timebases)),
    ONE("clock", VALUE_HERTZ, timebase_hz, "168MHz",
        "ticks per second that the agent must announce; without it, it is believed", OPTIONAL),
    {NULL},
};
#undef M

/* Stored in the board itself: its offset there is 0. */
static const struct key_map timebase_map = {
    .name = "timebase",
    .help = "the on-target counter that windows are measured with",
    .keys = timebase_keys,
    .size = sizeof(struct board),
    .shorthand = "unit",
};

static const char *const transports[] = {"serial", "pty", "tcp", "rfc2217", "loop", "swd", NULL};

static const char *const dtr_words[] = {"assert", "deassert", "leave", NULL};

#define M board_transport
static const struct key transport_keys[] = {
    ONE("kind", VALUE_CHOICE, kind, "serial",
        "serial, pty, tcp (ser2net raw), rfc2217, loop (the agent in this process) or swd",
        OPTIONAL, WORDS(transports)),
    ONE("where", VALUE_TEXT, where,
        "/dev/serial/by-id/usb-STMicroelectronics_STM32_STLink_066FFF-if02",
        "device or by-id path, or host:port; say it in the lab file, not in the board file",
        OPTIONAL),
    ONE("usb_serial", VALUE_SERIAL, usb_serial, "066FFF505055657867",
        "the port of the USB device with this serial number", OPTIONAL),
    ONE("usb_id", VALUE_USB_ID, usb_id, "0483:374b", "the port of the USB device with this VID:PID",
        OPTIONAL),
    ONE("baud", VALUE_COUNT, baud, "115200", "line rate to begin with", DEFAULT("115200"),
        RANGE(300, 12000000)),
    ONE("max_baud", VALUE_COUNT, max_baud, "921600",
        "line rate to try after the greeting; falls back when it fails", OPTIONAL,
        RANGE(300, 12000000)),
    ONE("dtr", VALUE_CHOICE, dtr, "assert",
        "what to do with the DTR line: assert, deassert or leave", DEFAULT("assert"),
        WORDS(dtr_words)),
    {NULL},
};
#undef M

const struct key_map transport_map = {
    .name = "transport",
    .help = "how bytes reach the agent",
    .keys = transport_keys,
    .size = sizeof(struct board_transport),
    .finish = transport_finish,
};

static const char *const flash_methods[] = {"none", "qemu", "openocd", "inject", "command", NULL};

#define M board_flash
static const struct key flashing_keys[] = {
    ONE("method", VALUE_CHOICE, method, "openocd",
        "none (already there), qemu (the virtual lab), openocd, inject (RAM over SWD) or command",
        OPTIONAL, WORDS(flash_methods)),
    ONE("firmware", VALUE_PATH, firmware, "../../build/fw/m4.elf",
        "ELF file; without it, the one built for 'agent'", OPTIONAL),
    LIST("command", VALUE_TEXT, command,
         "[avrdude, -p, m2560, -c, wiring, -P, \"{port}\", -U, \"flash:w:{firmware}\"]",
         "for method command: program and arguments, no shell; {firmware} and {port} are replaced; "
         "the lab file must list the program under 'commands'",
         OPTIONAL),
    ONE("verify", VALUE_BOOL, verify, "true", "read the flash back", DEFAULT("true")),
    ONE("timeout", VALUE_DURATION, timeout_ns, "60s",
        "for one flashing; without it, from the size of the image", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map flashing_map = {
    .name = "flashing",
    .help = "how firmware gets into the part",
    .keys = flashing_keys,
    .size = sizeof(struct board_flash),
};

static const char *const probe_transports[] = {"swd", "jtag", "dapdirect_swd", "hla_swd", NULL};

#define M board_openocd
static const struct key openocd_keys[] = {
    ONE("interface", VALUE_SCRIPT, interface, "interface/stlink.cfg",
        "adapter script of OpenOCD's own library", OPTIONAL),
    ONE("target", VALUE_SCRIPT, target, "target/stm32f4x.cfg",
        "chip script of OpenOCD's own library", OPTIONAL),
    ONE("transport", VALUE_CHOICE, transport, "swd",
        "of the adapter: swd, jtag, dapdirect_swd or hla_swd", DEFAULT("swd"),
        WORDS(probe_transports)),
    ONE("serial", VALUE_SERIAL, serial, "066FFF505055657867",
        "serial number of the adapter; say it in the lab file", OPTIONAL),
    ONE("usb_id", VALUE_USB_ID, usb_id, "0483:374b",
        "VID:PID of the adapter, so that no other device is opened", OPTIONAL),
    ONE("address", VALUE_ENDPOINT, address, "127.0.0.1:7184",
        "host:port of an emulated or remote adapter", OPTIONAL),
    ONE("connect", VALUE_ENDPOINT, connect, "127.0.0.1:6666",
        "Tcl port of an OpenOCD on this host that is used instead of starting one; nothing else "
        "of this section then counts but 'speed'",
        OPTIONAL),
    ONE("speed", VALUE_HERTZ, speed_hz, "4MHz", "adapter clock after connecting", OPTIONAL),
    ONE("dpidr", VALUE_ADDRESS, dpidr, "0x2ba01477",
        "identification that the chip must answer with, where the script expects another",
        OPTIONAL),
    ONE("connect_under_reset", VALUE_BOOL, connect_under_reset, "true",
        "hold reset while connecting", DEFAULT("false")),
    {NULL},
};
#undef M

const struct key_map openocd_map = {
    .name = "openocd",
    .help = "the debug adapter, for flashing, injecting and the swd transport",
    .keys = openocd_keys,
    .size = sizeof(struct board_openocd),
};

static const char *const virtual_kinds[] = {"qemu", "simavr", "posix", NULL};

static const char *const virtual_meters[] = {"ppk2", "lpm01a", NULL};

#define M virtual_meter
static const struct key virtual_meter_keys[] = {
    ONE("driver", VALUE_CHOICE, driver, "ppk2", "which instrument is emulated: ppk2 or lpm01a",
        DEFAULT("ppk2"), WORDS(virtual_meters)),
    ONE("run", VALUE_AMPERES, run_na, "9mA", "current while the marker is high", DEFAULT("9mA")),
    ONE("idle", VALUE_AMPERES, idle_na, "4mA", "current while it is low and the core is busy",
        DEFAULT("4mA")),
    ONE("sleep", VALUE_AMPERES, sleep_na, "1.2mA", "current while the core waits",
        DEFAULT("1.2mA")),
    ONE("rc", VALUE_DURATION, rc_ns, "20us", "time constant of the decoupling capacitors",
        DEFAULT("20us")),
    ONE("noise", VALUE_NUMBER, noise, "1", "of the converter, rms in its steps", DEFAULT("1")),
    ONE("variant", VALUE_NAME, variant, "shuffled", "how it presents itself, for tests", OPTIONAL),
    LIST("faults", VALUE_TEXT, faults, "[\"lose 64 at 100000\"]", "what goes wrong, for tests",
         OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map virtual_meter_map = {
    .name = "meter",
    .help = "the emulated power analyser, and the current that the board seems to draw",
    .keys = virtual_meter_keys,
    .size = sizeof(struct virtual_meter),
};

#define M board_virtual
static const struct key virtual_keys[] = {
    ONE("kind", VALUE_CHOICE, kind, "qemu",
        "qemu, simavr or posix (the agent as a program on this host)", REQUIRED,
        WORDS(virtual_kinds)),
    ONE("machine", VALUE_NAME, machine, "netduinoplus2", "QEMU's machine or simavr's part",
        OPTIONAL),
    LIST("options", VALUE_TEXT, cpu_options, "[-m, 16M]",
         "further QEMU options out of -cpu, -global, -m", OPTIONAL),
    ONE("icount_shift", VALUE_INTEGER, icount_shift, "7",
        "one instruction takes 2^shift virtual ns; -1: do not count", DEFAULT("-1"), RANGE(-1, 12)),
    ONE("marker_set", VALUE_ADDRESS, marker_set, "0x40020018",
        "address whose store raises the marker", OPTIONAL),
    ONE("marker_clear", VALUE_ADDRESS, marker_clear, "0x4002001c",
        "address whose store lowers the marker", OPTIONAL),
    ONE("marker_pin", VALUE_NAME, marker_pin, "PB5", "simavr: pin that is the marker", OPTIONAL),
    ONE("idle_skips", VALUE_BOOL, idle_skips, "true",
        "QEMU: virtual time jumps over idle waits instead of passing in real time",
        DEFAULT("false")),
    ONE("probe", VALUE_BOOL, probe, "true", "serve an emulated SWD probe too", DEFAULT("false")),
    ONE("chip", VALUE_NAME, chip, "same54", "that the probe finds; without it, the machine's usual",
        OPTIONAL),
    ONE("flash_file", VALUE_PATH, flash_file, "../flash/m4.flash",
        "called *.flash, keeps the flash behind the probe from run to run; without it, a run "
        "begins "
        "with a blank one",
        OPTIONAL),
    MAP("meter", virtual_meter_map, meter,
        "the emulated power analyser; boards without a marker have none", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map virtual_map = {
    .name = "virtual",
    .help = "what emulates the board; without it, the board is real",
    .keys = virtual_keys,
    .size = sizeof(struct board_virtual),
    .finish = virtual_finish,
};

#define M board_file
static const struct key board_keys[] = {
    ONE("name", VALUE_NAME, board.type, "nucleo-f446re",
        "the kind of board; the same as the file's name", OPTIONAL),
    ONE("description", VALUE_TEXT, board.description, "ST NUCLEO-F446RE", "for people", OPTIONAL),
    ONE("cpu", VALUE_NAME, board.cpu, "cortex-m4", "core; also a tag", REQUIRED),
    ONE("part", VALUE_TEXT, board.part, "STM32F446RE", "the chip that it is or stands for",
        OPTIONAL),
    ONE("agent", VALUE_NAME, board.agent, "m4",
        "firmware that it runs: the name of its ELF without .elf; without it, the board's",
        OPTIONAL),
    LIST("engines", VALUE_NAME, board.engines, "[\"null\"]",
         "engines that the agent has; without it, all", OPTIONAL),
    ONE("clock", VALUE_HERTZ, board.clock_hz, "180MHz", "core clock", REQUIRED),
    ONE("voltage", VALUE_VOLTS, board.voltage_uv, "3.3V", "nominal supply", OPTIONAL),
    MAP("flash", region_map, board.flash, "of the part; models that do not fit are skipped",
        OPTIONAL, EXAMPLE("{base: 0x08000000, size: 512KiB}")),
    MAP("ram", region_map, board.ram, "of the part; models that do not fit are skipped", REQUIRED,
        EXAMPLE("{base: 0x20000000, size: 128KiB}")),
    MAP("slot", slot_map, slot, "where model images go; without it, the agent says", OPTIONAL),
    MAP("timebase", timebase_map, board,
        "the on-target counter, or its unit alone; without it instructions in QEMU, cycles "
        "elsewhere",
        OPTIONAL, GIVEN(has_timebase), EXAMPLE("cycles")),
    LIST("tags", VALUE_NAME, tags, "[fpu, dsp]",
         "words that suites can choose it by; core, core family and realm are added", OPTIONAL),
    MAP("transport", transport_map, board.transport, "how bytes reach the agent", OPTIONAL),
    MAP("flashing", flashing_map, board.flashing, "how firmware gets into the part", OPTIONAL),
    MAP("openocd", openocd_map, board.openocd,
        "the debug adapter, for flashing, injecting and the swd transport", OPTIONAL),
    MAP("virtual", virtual_map, board.virt,
        "what emulates the board; without it, the board is real", OPTIONAL),
    {NULL},
};
#undef M

const struct key_map board_map = {
    .name = "board",
    .help = "one kind of board, real or virtual",
    .keys = board_keys,
    .size = sizeof(struct board_file),
    .finish = board_finish,
};
