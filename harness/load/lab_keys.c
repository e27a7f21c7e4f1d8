/* The keys of the lab file. Each row serves parser, messages, help, man page and schema. */
#include "harness/load/lab_file.h"

static const char *const meter_modes[] = {"ampere", "source", NULL};

static const char *const meter_drivers[] = {"ppk2",   "lpm01a",    "joulescope", "csv",
                                            "replay", "iio",       "hwmon",      "scpi",
                                            "sigrok", "synthetic", "null",       NULL};

#define M lab_meter
static const struct key meter_keys[] = {
    ONE("driver", VALUE_CHOICE, driver, "ppk2", "which instrument it is", REQUIRED,
        WORDS(meter_drivers)),
    ONE("where", VALUE_TEXT, where, "/dev/serial/by-id/usb-Nordic_Semiconductor_PPK2_C0FFEE-if01",
        "device, by-id path, host:port, IIO URI, sigrok driver#channels, or the file to replay",
        OPTIONAL),
    ONE("serial", VALUE_SERIAL, serial, "C0FFEE123456", "USB serial number", OPTIONAL),
    ONE("mode", VALUE_CHOICE, mode, "source",
        "ampere: in series with the supply; source: it supplies the board", DEFAULT("ampere"),
        WORDS(meter_modes)),
    ONE("voltage", VALUE_VOLTS, voltage_uv, "3.0V",
        "to supply; without it, the board's nominal voltage", OPTIONAL),
    ONE("rate", VALUE_HERTZ, rate_hz, "10kHz",
        "samples a second, where it can be chosen; without it, the instrument's usual rate",
        OPTIONAL),
    ONE("channels", VALUE_COUNT, channels, "4", "boards behind a multiplexer", OPTIONAL,
        RANGE(1, 64)),
    LIST("mux", VALUE_TEXT, mux, "[mux-select, \"{channel}\"]",
         "program and arguments that connect {channel}; no shell", OPTIONAL),
    {NULL},
};
#undef M

static const struct key_map meter_map = {
    .name = "meters",
    .help = "power instruments; boards that share one take turns",
    .keys = meter_keys,
    .size = sizeof(struct lab_meter),
    .where_offset = offsetof(struct lab_meter, where_declared),
    .name_offset = offsetof(struct lab_meter, name),
    .finish = meter_finish,
};

static const char *const power_kinds[] = {"uhubctl", "meter", "gpio", "command", NULL};

#define M lab_power
static const struct key power_keys[] = {
    ONE("kind", VALUE_CHOICE, kind, "uhubctl",
        "uhubctl (port of a USB hub), meter (its own switch), gpio or command", REQUIRED,
        WORDS(power_kinds)),
    ONE("location", VALUE_SERIAL, location, "1-1.4", "uhubctl: location of the hub; gpio: chip",
        OPTIONAL),
    ONE("port", VALUE_COUNT, port, "2", "uhubctl: port of the hub; gpio: line", OPTIONAL,
        RANGE(0, 1023)),
    ONE("meter", VALUE_NAME, meter, "ppk2-a", "kind meter: which", OPTIONAL),
    LIST("turn_on", VALUE_TEXT, on, "[pduclient, --on, \"7\"]",
         "kind command: program and arguments; no shell", OPTIONAL),
    LIST("turn_off", VALUE_TEXT, off, "[pduclient, --off, \"7\"]",
         "kind command: program and arguments; no shell", OPTIONAL),
    ONE("off_time", VALUE_DURATION, off_time_ns, "2s", "how long it stays off in a power cycle",
        DEFAULT("2s")),
    {NULL},
};
#undef M

static const struct key_map power_map = {
    .name = "power",
    .help = "switches for the supply of boards",
    .keys = power_keys,
    .size = sizeof(struct lab_power),
    .where_offset = offsetof(struct lab_power, where),
    .name_offset = offsetof(struct lab_power, name),
    .finish = power_finish,
};

#define M lab_board
static const struct key lab_board_keys[] = {
    ONE("board", VALUE_NAME, board.type, "nucleo-f446re",
        "kind of board: a board file's name without .yaml", REQUIRED),
    MAP("transport", transport_map, board.transport, "how it is reached, on top of the board file",
        OPTIONAL, EXAMPLE("{usb_serial: 066FFF505055657867}")),
    MAP("openocd", openocd_map, board.openocd, "its debug adapter, on top of the board file",
        OPTIONAL, EXAMPLE("{serial: 066FFF505055657867}")),
    ONE("uid", VALUE_SERIAL, board.uid, "0023001A3338470A30343234",
        "chip UID that the agent must report; a board swapped by mistake is then noticed",
        OPTIONAL),
    ONE("meter", VALUE_NAME, board.meter, "ppk2-a", "its power instrument", OPTIONAL),
    ONE("meter_channel", VALUE_COUNT, board.meter_channel, "1", "behind the meter's multiplexer",
        OPTIONAL, RANGE(0, 63)),
    ONE("power", VALUE_NAME, board.power, "hub-2", "the switch of its supply", OPTIONAL),
    ONE("voltage", VALUE_VOLTS, board.voltage_uv, "1.8V", "its supply, when not the nominal one",
        OPTIONAL),
    LIST("tags", VALUE_NAME, tags, "[bench-2]", "further words that suites can choose it by",
         OPTIONAL),
    ONE("maintenance", VALUE_TEXT, board.maintenance, "waiting for a new cable",
        "why it is not to be used now", OPTIONAL),
    {NULL},
};
#undef M

const struct key_map lab_board_map = {
    .name = "boards",
    .help = "the boards of this lab, by the names that results will carry",
    .keys = lab_board_keys,
    .size = sizeof(struct lab_board),
    .where_offset = offsetof(struct lab_board, board.where),
    .name_offset = offsetof(struct lab_board, board.name),
    .finish = lab_board_finish,
};

#define M lab_file
static const struct key lab_keys[] = {
    ONE("name", VALUE_NAME, lab.name, "bench",
        "what the lab is called; without it, the file's name", OPTIONAL),
    LIST("board_path", VALUE_PATH, board_path, "[boards]", "folders with further board files",
         OPTIONAL),
    ONE("virtual_boards", VALUE_BOOL, virtual_boards, "false",
        "every virtual board can be used too", DEFAULT("true")),
    LIST("commands", VALUE_TEXT, lab.commands, "[avrdude, /opt/st/st-flash]",
         "the only programs that board files may run: names, or absolute paths", OPTIONAL),
    LIST("notify", VALUE_TEXT, lab.notify, "[mail, -s, tinyrig, lab@example.org]",
         "program that gets the summary when a night's verdict changes; no shell", OPTIONAL),
    LIST("labgrid", VALUE_TEXT, lab.labgrid, "[labgrid-client, -x, \"lab:20408\"]",
         "labgrid's client, for boards whose transport says where: labgrid:PLACE; no shell",
         OPTIONAL),
    NAMED("meters", meter_map, lab.meters, "power instruments; boards that share one take turns",
          OPTIONAL, COUNT(lab.meter_count)),
    NAMED("power", power_map, lab.powers, "switches for the supply of boards", OPTIONAL,
          COUNT(lab.power_count)),
    NAMED("boards", lab_board_map, boards,
          "the boards of this lab, by the names that results will carry", OPTIONAL,
          COUNT(board_count)),
    {NULL},
};
#undef M

const struct key_map lab_map = {
    .name = "lab",
    .help = "which boards and instruments this host has",
    .keys = lab_keys,
    .size = sizeof(struct lab_file),
};
