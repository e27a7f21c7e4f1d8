/*
 * The emulated debug probe of a virtual board: what OpenOCD connects to, the chip behind it, and
 * the flash that keeps its content without power. README.md, "The probe", says what is real in it.
 *
 * board.c owns one and tells it about power; everything else happens in probe_serve(), which never
 * waits for OpenOCD, only, for a bounded time, for QEMU.
 */
#ifndef TARGETS_VIRTUAL_PROBE_PROBE_H
#define TARGETS_VIRTUAL_PROBE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "targets/virtual/poll_set.h"
#include "targets/virtual/probe/bitbang.h"
#include "targets/virtual/probe/dap.h"
#include "targets/virtual/probe/jlink.h"
#include "targets/virtual/probe/stlink.h"
#include "targets/virtual/probe/store.h"
#include "targets/virtual/probe/target.h"

/* name of the adapter on our command line, text for --help */
#define PROBE_LIST(X)                                                                              \
    X(STLINK, "stlink", "ST-Link over TCP (OpenOCD: dapdirect_swd)")                               \
    X(JTAG, "jtag", "remote_bitbang (OpenOCD: jtag)")                                              \
    X(JLINK, "jlink", "J-Link over TCP (OpenOCD: swd, bit by bit)")

enum probe_kind {
#define X(kind, name, text) PROBE_##kind,
    PROBE_LIST(X)
#undef X
    PROBE_KINDS
};

struct probe_port {
    int listener; /* -1: this adapter is not offered */
    uint16_t port;
    int slot;
};

struct probe {
    bool present;
    const struct chip *chip;
    struct target target;
    struct dap dap;
    struct store store;
    struct stlink stlink;
    struct bitbang bitbang;
    struct jlink jlink;
    uint32_t serial;   /* of the J-Link, which has numbers only */
    int announcements; /* UDP; -1: no J-Link */
    struct probe_port ports[PROBE_KINDS];
    int client; /* -1: nobody */
    enum probe_kind client_kind;
    struct buf in;
    struct buf out;
    uint64_t keep_ns;     /* when to look at the flash again */
    unsigned clients;     /* ever */
    unsigned refused;     /* because one was there already */
    unsigned resets_told; /* of target.resets_done */
    char config[4200];    /* file with OpenOCD's adapter configuration */
    int slot_client;
    int slot_debug;
};

struct probe_options {
    const char *adapters; /* "stlink", or several with commas */
    const char *chip;     /* NULL: by the machine */
    const char *machine;
    const char *flash;    /* file that keeps the flash; NULL: none */
    const char *firmware; /* ELF that a new flash holds; NULL: blank */
    const char *name;     /* of the board: the adapter's serial number */
    const char *dir;      /* NAME.openocd.cfg goes here */
};

/* Complain early about words that make no sense. */
int probe_check(const struct probe_options *o, struct err *err) MUST_CHECK;

int probe_open(struct probe *p, const struct probe_options *o, struct err *err) MUST_CHECK;
void probe_close(struct probe *p);

/* QEMU is there, standing. locked_up: it died of that, and this is the same board still. */
int probe_power_on(struct probe *p, int fds[static VM_STREAMS], pid_t pid, bool locked_up,
                   struct err *err) MUST_CHECK;
/* The supply is about to fail: what the flash holds by now stays. */
void probe_power_off(struct probe *p);
/* QEMU is gone already. */
void probe_lost(struct probe *p);

/* The reset button. False when QEMU does not do it. */
bool probe_reset(struct probe *p);

void probe_prepare(struct probe *p, struct poll_set *set);
/* Until probe_serve() has something to do of its own accord; -1: never. */
int probe_timeout_ms(const struct probe *p);
/* Returns what went wrong with the flash file, if anything did (ERR_IO), for a notice. */
int probe_serve(struct probe *p, const struct poll_set *set, struct err *err);

/*
 * A configuration for OpenOCD: the first adapter offered, and the chip behind it. For a person:
 * openocd -f DIR/NAME.openocd.cfg -c 'program x.elf verify reset exit'
 */
void probe_config(const struct probe *p, const char *name, struct buf *out);

/* The J-Link's serial number, from the board's name. */
uint32_t probe_serial(const char *name);

/* "stlink:40123,..." */
void probe_describe(const struct probe *p, struct buf *out);

#endif
