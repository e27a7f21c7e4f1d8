/*
 * How the model slot is written. One of slot_ram.c, slot_nrf51.c and slot_loader.c is linked per
 * board; it implements port_slot_erase(), port_slot_erase_ms() and port_slot_write() of port.h.
 */
#ifndef AGENTS_PORTS_COMMON_SLOT_H
#define AGENTS_PORTS_COMMON_SLOT_H

#include <stdint.h>

uint32_t slot_caps(void); /* WIRE_CAP_SLOT_* */

#endif
