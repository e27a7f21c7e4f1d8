/*
 * A board as its YAML file describes it. Filled by harness/load, read by everyone above.
 *
 * A file in targets/boards describes a kind of board. The lab inventory turns kinds into boards
 * that can be used: a real board gets its port, probe and instruments there, a virtual one is
 * ready as it stands. Everyone above load sees only the result.
 *
 * All pointers live in the arena of the load. A string that was not given is NULL, a number that
 * was not given is 0, unless the comment says otherwise.
 */
#ifndef HARNESS_SPEC_BOARD_H
#define HARNESS_SPEC_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/spec/names.h"
#include "harness/spec/where.h"

struct memory_region {
    uint64_t base;
    uint64_t size;
};

/* Where model images go. */
struct board_slot {
    struct memory_region region; /* size 0: the agent says; never so when it is injected */
    bool by_flash;               /* written by the flash back-end, not over the link */
};

/* How bytes reach the agent. */
struct board_transport {
    const char
        *kind; /* serial, pty, tcp, rfc2217, loop, swd: a name in harness/transport/registry.c */
    const char *where; /* device, by-id path, host:port; NULL when the virtual lab provides it */
    const char *usb_serial; /* pick the port by the USB serial number ... */
    const char *usb_id;     /* ... or by "VID:PID" */
    uint32_t baud;          /* default 115200 */
    uint32_t max_baud;      /* tried after HELLO, falls back; 0: stay at baud */
    const char *dtr;        /* "assert" (default), "deassert" or "leave" */
};

/* How firmware gets into the part. */
struct board_flash {
    const char *method;         /* none, qemu (any virtual board), openocd, inject, command */
    const char *firmware;       /* ELF; NULL: the one built for `agent` */
    const char *const *command; /* method command: argv template, NULL-terminated; argv[0] is one
                                   that the lab file allows */
    bool verify;                /* default true */
    uint64_t timeout_ns;        /* for one flashing; 0: from the image's size */
};

/* What OpenOCD needs to know. Names are scripts of its own library, never paths or Tcl. */
struct board_openocd {
    const char *interface; /* interface/stlink.cfg */
    const char *target;    /* target/stm32f4x.cfg; NULL with method inject: any Cortex-M */
    const char *transport; /* "swd" (default), "jtag", "dapdirect_swd", "hla_swd" */
    const char *serial;    /* adapter serial */
    const char *usb_id;    /* adapter "VID:PID": OpenOCD then opens no other device */
    const char *address;   /* host:port of an emulated or remote adapter */
    const char *connect;   /* host:port of the Tcl port of an OpenOCD that runs already */
    uint32_t speed_hz;     /* after connect; 0: the scripts' own */
    uint64_t dpidr;        /* expected SWD identification; 0: the script's own */
    bool connect_under_reset;
};

/* The emulated power analyser of a virtual board, and what the board seems to draw. */
struct virtual_meter {
    const char *driver; /* ppk2, lpm01a */
    double run_na, idle_na, sleep_na;
    uint64_t rc_ns;            /* time constant of the decoupling */
    double noise;              /* rms, in steps of the converter */
    const char *variant;       /* how it presents itself; NULL: as usual */
    const char *const *faults; /* that it has, NULL-terminated: "lose 64 at 100000" */
};

/* The virtual lab's part; kind is NULL for a real board. */
struct board_virtual {
    const char *kind;               /* qemu, simavr, posix */
    const char *machine;            /* QEMU -M or simavr mcu */
    const char *const *cpu_options; /* further fixed QEMU arguments, NULL-terminated */
    int icount_shift;               /* virtual ns of one instruction = 2^shift; -1: no icount */
    uint64_t marker_set;            /* addresses whose stores are marker edges */
    uint64_t marker_clear;          /* (see targets/virtual) */
    const char *marker_pin;         /* simavr: "PB5" */
    bool idle_skips;                /* QEMU: virtual time jumps over idle waits */
    bool probe;                     /* serve the emulated SWD probe too */
    const char *chip;               /* that the probe finds; NULL: the machine's usual */
    const char *flash_file;         /* keeps the flash from run to run; NULL: one run */
    struct virtual_meter meter;     /* of boards with a marker */
};

struct board {
    const char *name;   /* of the specimen; the same as type unless the lab names it otherwise */
    const char *type;   /* the kind of board: the name of its file */
    const char *path;   /* that file */
    struct where where; /* where this board was declared: in the lab file, else its own */
    const char *description;
    enum realm realm;
    const char *cpu;            /* cortex-m4, rv32imac, avr5, ... */
    const char *part;           /* the chip it is or stands for: "STM32F405RG" */
    const char *const *engines; /* that the agent has, NULL-terminated; NULL: all */
    const char *agent; /* firmware target: agents/ports/<...>; names the ELF "<agent>.elf" */
    uint32_t clock_hz;
    uint32_t voltage_uv;        /* nominal supply */
    struct memory_region flash; /* budgets come from these, not from the emulator */
    struct memory_region ram;
    struct board_slot slot;
    uint32_t timebase_hz;    /* expected; 0: believe the agent */
    enum unit timebase_unit; /* what the harness may call a tick (after conversion) */
    const char *const *tags; /* NULL-terminated; with realm, cpu and its family added */
    const char *uid;         /* expected chip UID; NULL: any */
    const char *meter;       /* name in the lab inventory */
    uint32_t meter_channel;  /* of a meter behind a mux */
    const char *power;       /* name of a power switch in the lab inventory */
    const char *maintenance; /* reason not to use it now; NULL: in service */
    struct board_transport transport;
    struct board_flash flashing;
    struct board_openocd openocd;
    struct board_virtual virt;
};

/* A slot that is all of RAM: a model lies beside its arena, which gets what the model leaves. */
static inline bool board_shares_ram(const struct board *b)
{
    return b->ram.size != 0 && b->slot.region.base == b->ram.base &&
           b->slot.region.size == b->ram.size;
}

#endif
