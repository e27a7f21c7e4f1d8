/*
 * Nordic nRF52840 (Cortex-M4F, 64 MHz): 1 MiB flash, 256 KiB RAM. Source of the numbers: nRF52840
 * Product Specification v1.7; MDK header nrf52840.h.
 *
 *   0x00000000    1 MiB  flash, pages of 4 KiB
 *   0x10000000           FICR: facts of the chip, with its 64-bit identity
 *   0x20000000  256 KiB  RAM
 *   0x40000000           peripherals; interrupt number = (address >> 12) & 0xff
 *   0x50000000           GPIO: port 0, and port 1 at 0x300 above
 *
 * Clock, reset reasons, identity, UART and flash controller have the nRF51's registers at the
 * nRF51's addresses, so its code (nrf51.c, uart_nrf51.c) serves both.
 */
#ifndef TARGETS_CHIPS_NRF52840_H
#define TARGETS_CHIPS_NRF52840_H

#include "targets/chips/nrf51.h"

#define NRF52840_FLASH_BASE     0x00000000
#define NRF52840_FLASH_SIZE     0x100000
#define NRF52840_PAGE_SIZE      0x1000
#define NRF52840_PAGE_ERASE_MS  85
#define NRF52840_RAM_BASE       0x20000000
#define NRF52840_RAM_SIZE       0x40000

#define NRF52840_NVMC_ICACHECNF 0x4001e540
#define NRF52840_P0             0x50000000
#define NRF52840_P1             0x50000300
#define NRF52840_GPIO_OUTSET    0x508
#define NRF52840_GPIO_OUTCLR    0x50c
#define NRF52840_GPIO_DIRSET    0x518
#define NRF52840_GPIO_PIN_CNF   0x700

#ifndef __ASSEMBLER__

/* Pins of both ports are numbered from 0 (P0.00) to 47 (P1.15), as the peripherals' PSEL does. */
static inline uintptr_t nrf52840_port(unsigned pin)
{
    return pin < 32 ? NRF52840_P0 : NRF52840_P1;
}

static inline void nrf52840_write(unsigned pin, bool high)
{
    REG32(nrf52840_port(pin) + (high ? NRF52840_GPIO_OUTSET : NRF52840_GPIO_OUTCLR)) = 1u
                                                                                       << pin % 32;
}

static inline void nrf52840_start_output(unsigned pin, bool high)
{
    nrf52840_write(pin, high);
    REG32(nrf52840_port(pin) + NRF52840_GPIO_DIRSET) = 1u << pin % 32;
}

static inline void nrf52840_start_input(unsigned pin)
{
    REG32(nrf52840_port(pin) + NRF52840_GPIO_PIN_CNF + 4 * (pin % 32)) = 0;
}

/* The crystal, and the flash's instruction cache, as deployed parts have it. */
static inline void nrf52840_start_clock(void)
{
    nrf51_start_clock();
    REG32(NRF52840_NVMC_ICACHECNF) = 1;
}

#endif
#endif
