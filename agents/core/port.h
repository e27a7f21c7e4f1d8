/*
 * What a port owes the core: about a dozen functions. PORTING.md walks through them.
 *
 * The core never includes a chip header and never touches a register; a port never sees a frame.
 * All calls come from the main thread of execution; the port's receive interrupt hands bytes to
 * agent_rx() (agent.h). main() of a port is `return agent_main();` after its startup code.
 */
#ifndef AGENTS_CORE_PORT_H
#define AGENTS_CORE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of memory the port gives to the core. */
struct port_region {
    uint8_t *base;
    uint32_t size;
};

/* The counter that times windows, chosen at start by probing (never by hope). */
struct port_timebase {
    uint8_t kind; /* WIRE_TIMEBASE_* */
    uint8_t bits; /* of the hardware counter; the port extends it to 64 */
    uint32_t hz;  /* 0: unknown, the host must find out */
};

struct port_stack {
    uint32_t size;
    uint32_t peak; /* painted words that were overwritten; equals size when it ran over */
};

/* ---- called once, before anything else. Sets up clock, link, timebase and marker pin. ---- */
void port_init(void);

/* ---- link ---- */
/* Send bytes; may block until they are accepted by the hardware or a buffer. n is mostly 1. */
void port_send(const uint8_t *data, size_t n);
/* All sent bytes have left the chip. Called before silence and before a baud switch. */
void port_send_drain(void);
/*
 * Sleep until an interrupt, unless agent_rx_pending(). Must not lose the wake-up: test with
 * interrupts off, then sleep (a pending interrupt ends WFI even while masked), then let them in.
 * Not allowed to sleep: only look at what raises no interrupt.
 */
void port_wait(bool may_sleep);
/* While silent the link raises no interrupt and clocks nothing that the measured code would see. */
void port_link_silence(bool silent);
/* False when the rate is not possible; the old one then stays. Starts at AGENT_BAUD (config.h). */
bool port_set_baud(uint32_t baud);

/* ---- provided by the core: see agent.h for agent_rx(), agent_rx_pending(), agent_rx_lost() ---- */

/* ---- time and markers ---- */
struct port_timebase port_timebase(void);
uint64_t port_ticks(void); /* monotonic, 64 bit; cheap enough to bracket a window */
void port_marker(bool high);
void port_cold(void); /* empty the caches, as after reset; nothing where there are none */

/* ---- memory ---- */
struct port_region port_arena(void);        /* tensors; aligned to 16 where the core has SIMD */
struct port_region port_slot(void);         /* model image */
uint32_t port_static_ram(void);             /* .data + .bss, arena and slot excluded */
struct port_stack port_stack(bool repaint); /* high-water mark; repaint forgets it */
/* Write into the slot; in order, offset a multiple of 16, n too except at the end. False: failed. */
bool port_slot_write(uint32_t offset, const uint8_t *data, uint32_t n);
/* Make room before the first write; false on failure. May take long: erase_ms goes out as BUSY. */
bool port_slot_erase(uint32_t size);
uint32_t port_slot_erase_ms(uint32_t size); /* 0 for RAM */
uint32_t port_caps(void);                   /* WIRE_CAP_* that hold for this chip */

/* ---- identity and life ---- */
const uint8_t *port_build_id(void); /* 8 bytes */
void port_chip_uid(uint8_t uid[12]);
uint32_t port_clock_hz(void);
uint8_t port_reset_cause(void);
/* For gaps; may spin where the chip cannot sleep. As long also when port_ticks() stands still then. */
void port_sleep(uint32_t ticks);
_Noreturn void port_reset(void);

#endif
