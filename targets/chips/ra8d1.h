/*
 * Renesas RA8D1 (Cortex-M85, 480 MHz): 2 MiB flash, 896 KiB RAM, all of it secure in a flat image.
 * Source of the numbers: RA8D1 Group User's Manual (R01UH0995); FSP header R7FA8D1BH.h.
 *
 *   0x02000000    2 MiB  code flash
 *   0x22000000  896 KiB  RAM, behind the data cache
 *   0x40000000           peripherals; pins at 0x40400000
 */
#ifndef TARGETS_CHIPS_RA8D1_H
#define TARGETS_CHIPS_RA8D1_H

#include "targets/chips/chip.h"

#define RA8D1_FLASH_BASE 0x02000000
#define RA8D1_FLASH_SIZE 0x200000
#define RA8D1_RAM_BASE   0x22000000
#define RA8D1_RAM_SIZE   0xe0000

#define RA8D1_UID        0x03008190

#define RA8D1_ICU        0x40006000
#define RA8D1_FCACHE     0x4001c100
#define RA8D1_SYSTEM     0x4001e000
#define RA8D1_MSTP       0x40203000
#define RA8D1_SCI9       0x40358900
#define RA8D1_SCI9_RXI   0x163 /* event number of "receive data full" */
#define RA8D1_SCI9_ERI   0x166 /* and of "receive error", which comes instead */
#define RA8D1_PORT0      0x40400000
#define RA8D1_PFS        0x40400800
#define RA8D1_PMISC      0x40400d00

#ifndef __ASSEMBLER__

/* Core 480 MHz, buses 240 and 120 MHz, SCI 120 MHz; from a 20 MHz crystal. */
void ra8d1_start_clock(void);
void ra8d1_start_sci9(void); /* P1014 out, P1015 in, its interrupts in slots 0 and 1 */
void ra8d1_start_output(unsigned port, unsigned pin);
uint8_t ra8d1_reset_cause(void); /* enum chip_reset; reads and clears the flags */

/* Event flags of interrupt slots stay set until they are cleared by hand. */
static inline void ra8d1_clear_interrupt(unsigned slot)
{
    REG32(RA8D1_ICU + 0x300 + 4 * slot) &= ~(1u << 16);
    (void)REG32(RA8D1_ICU + 0x300 + 4 * slot); /* it must have arrived before the handler returns */
}

static inline void ra8d1_write(unsigned port, unsigned pin, bool high)
{
    /* PCNTR3: its low half sets, its high half clears. */
    REG16(RA8D1_PORT0 + 0x20 * port + (high ? 8 : 10)) = (uint16_t)(1u << pin);
}

#endif
#endif
