/*
 * A board as its YAML file describes it. Filled by harness/load, read by everyone above.
 *
 * All pointers live in the arena of the file they came from. A string that was not given is NULL,
 * a number that was not given is 0, unless the comment says otherwise.
 */
#ifndef HARNESS_SPEC_BOARD_H
#define HARNESS_SPEC_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/spec/names.h"

struct memory_region {
    uint64_t base;
    uint64_t size;
};

/* How bytes reach the agent. */
struct board_transport {
    const char *kind;  /* serial, pty, tcp, loop, swd: a name in harness/transport/registry.c */
    const char *where; /* device, by-id path, host:port; NULL when the virtual lab provides it */
    const char *usb_serial; /* pick the port by the USB serial number ... */
    const char *usb_id;     /* ... or by "VID:PID" */
    uint32_t baud;          /* 0: 115200 */
    uint32_t max_baud;      /* tried after HELLO, falls back; 0: stay at baud */
    const char *dtr;        /* "assert" (default), "deassert" or "leave" */
};

/* How firmware and models get into the part. */
struct board_flash {
    const char *method;   /* none, qemu, openocd, command: a name in harness/flash/registry.c */
    const char *firmware; /* ELF; NULL: the one built for `agent` */
    const char *const *command;    /* method command: argv template, NULL-terminated */
    const char *openocd_interface; /* interface/stlink.cfg */
    const char *openocd_target;    /* target/stm32f4x.cfg */
    const char *openocd_serial;    /* adapter serial */
    uint32_t openocd_speed_khz;
};

/* The virtual lab's part; kind is NULL for a real board. */
struct board_virtual {
    const char *kind;        /* qemu, simavr, posix */
    const char *machine;     /* QEMU -M or simavr mcu */
    const char *cpu_options; /* further fixed QEMU arguments, space separated */
    int icount_shift;        /* virtual ns of one instruction = 2^shift; -1: no icount */
    uint64_t marker_set;     /* addresses whose stores are marker edges (see targets/virtual) */
    uint64_t marker_clear;
    bool probe; /* serve the emulated SWD probe too */
};

struct board {
    const char *name;
    const char *path; /* the file it came from */
    const char *description;
    enum realm realm;
    const char *cpu;   /* cortex-m4, rv32imac, avr5, ... */
    const char *part;  /* the chip it is or stands for: "STM32F405RG" */
    const char *agent; /* firmware target: agents/ports/<...>; names the ELF "<agent>.elf" */
    uint32_t clock_hz;
    uint32_t voltage_uv;        /* nominal supply */
    struct memory_region flash; /* budgets come from these, not from the emulator */
    struct memory_region ram;
    struct memory_region slot; /* where model images go; size 0: the agent says */
    bool slot_by_flash;        /* written by the flash back-end, not over the link */
    uint32_t timebase_hz;      /* expected; 0: believe the agent */
    enum unit timebase_unit;   /* what the harness may call a tick (after conversion) */
    const char *const *tags;   /* NULL-terminated */
    const char *meter;         /* name in the lab inventory */
    struct board_transport transport;
    struct board_flash flashing;
    struct board_virtual virt;
};

#endif
