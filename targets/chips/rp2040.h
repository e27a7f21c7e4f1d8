/*
 * Raspberry Pi RP2040 (two Cortex-M0+, of which the agent uses one, at 125 MHz): 264 KiB RAM, code
 * in place from QSPI flash through a 16 KiB cache. Source of the numbers: RP2040 Datasheet.
 *
 *   0x10000000   16 MiB  flash window; its first 256 bytes are a loader that the boot ROM checks
 *   0x18000000           SSI: the flash's serial interface
 *   0x20000000  264 KiB  RAM: 256 KiB striped over four banks, and two of 4 KiB
 *   0x40000000           peripherals; + 0x2000 sets bits, + 0x3000 clears them
 *   0xd0000000           SIO: GPIO of the cores
 */
#ifndef TARGETS_CHIPS_RP2040_H
#define TARGETS_CHIPS_RP2040_H

#include "targets/chips/chip.h"

#define RP2040_FLASH_BASE  0x10000000
#define RP2040_BOOT2_SIZE  0x100
#define RP2040_RAM_BASE    0x20000000
#define RP2040_RAM_SIZE    0x42000

#define RP2040_SSI         0x18000000
#define RP2040_CLOCKS      0x40008000
#define RP2040_RESETS      0x4000c000
#define RP2040_IO_BANK0    0x40014000
#define RP2040_XOSC        0x40024000
#define RP2040_PLL_SYS     0x40028000
#define RP2040_UART0       0x40034000
#define RP2040_UART0_IRQ   20
#define RP2040_WATCHDOG    0x40058000
#define RP2040_VREG        0x40064000
#define RP2040_SIO_OUT_SET 0xd0000014
#define RP2040_SIO_OUT_CLR 0xd0000018
#define RP2040_SIO_OE_SET  0xd0000024

#ifndef __ASSEMBLER__

/* Core 125 MHz from the 12 MHz crystal by the PLL; UART on the crystal. */
void rp2040_start_clock(void);
void rp2040_start_uart0(void); /* GPIO 0 out, 1 in */
void rp2040_start_output(unsigned pin);
uint8_t rp2040_reset_cause(void); /* enum chip_reset */

static inline void rp2040_write(unsigned pin, bool high)
{
    REG32(high ? RP2040_SIO_OUT_SET : RP2040_SIO_OUT_CLR) = 1u << pin;
}

#endif
#endif
