/*
 * SiFive FE310 (E31 core, RV32IMAC, on the HiFive1): 16 KiB RAM, code in place from SPI flash.
 * Source of the numbers: SiFive FE310-G000 Manual v3p2.
 *
 *   0x02000000            CLINT: software interrupt, mtimecmp, mtime
 *   0x0c000000            PLIC
 *   0x10000000            AON with the watchdog; PRCI (clocks) at 0x10008000
 *   0x10012000            GPIO; UART0 at 0x10013000
 *   0x20000000  512 MiB   SPI flash window; the first 4 MiB belong to the boot loader
 *   0x80000000   16 KiB   RAM
 */
#ifndef TARGETS_CHIPS_FE310_H
#define TARGETS_CHIPS_FE310_H

#include "targets/chips/chip.h"

#define FE310_FLASH_BASE 0x20400000
#define FE310_RAM_BASE   0x80000000
#define FE310_RAM_SIZE   0x4000

#define FE310_PLIC       0x0c000000
#define FE310_AON        0x10000000
#define FE310_PRCI       0x10008000
#define FE310_GPIO       0x10012000
#define FE310_UART0      0x10013000
#define FE310_UART0_IRQ  3

#ifndef __ASSEMBLER__

/* The core on its 16 MHz crystal, PLL bypassed, so that mcycle and the UART have one known clock. */
void fe310_start_clock(void);
void fe310_start_uart0(void); /* GPIO 16 in, 17 out */
void fe310_start_output(unsigned pin);
void fe310_output(unsigned pin, bool high);
uint8_t fe310_reset_cause(void); /* enum chip_reset */
void fe310_watchdog_reset(void); /* returns when there is no watchdog (an emulator) */

#endif
#endif
