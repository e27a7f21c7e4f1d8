/*
 * Nordic nRF51822 (Cortex-M0, 16 MHz), the xxAC variant: 256 KiB flash, 32 KiB RAM.
 * Source of the numbers: nRF51 Series Reference Manual v3.0, nRF51822 Product Specification v3.1.
 *
 *   0x00000000  256 KiB  flash, pages of 1 KiB, written by the NVMC while code runs from it
 *   0x10000000           FICR: facts of the chip, with its 64-bit identity
 *   0x20000000   32 KiB  RAM, four blocks of 8 KiB, all on after reset
 *   0x40000000           peripherals (APB); interrupt number = (address >> 12) & 0xff
 *   0x50000000           GPIO (AHB)
 *
 * No VTOR, no SysTick, no DWT: the M0 of this part was built without them. TIMER0 is the only
 * 32-bit counter.
 */
#ifndef TARGETS_CHIPS_NRF51_H
#define TARGETS_CHIPS_NRF51_H

#include "targets/chips/chip.h"

#define NRF51_FLASH_BASE         0x00000000
#define NRF51_FLASH_SIZE         0x40000
#define NRF51_PAGE_SIZE          0x400
#define NRF51_RAM_BASE           0x20000000
#define NRF51_RAM_SIZE           0x8000

#define NRF51_FICR_DEVICEID      0x10000060

#define NRF51_CLOCK_HFCLKSTART   0x40000000
#define NRF51_CLOCK_HFCLKSTARTED 0x40000100
#define NRF51_POWER_RESETREAS    0x40000400

#define NRF51_UART0              0x40002000
#define NRF51_UART0_IRQ          2
#define NRF51_TIMER0             0x40008000
#define NRF51_TIMER0_IRQ         8

#define NRF51_NVMC_READY         0x4001e400
#define NRF51_NVMC_CONFIG        0x4001e504
#define NRF51_NVMC_ERASEPAGE     0x4001e508

#define NRF51_GPIO_OUTSET        0x50000508
#define NRF51_GPIO_OUTCLR        0x5000050c
#define NRF51_GPIO_DIRSET        0x50000518
#define NRF51_GPIO_PIN_CNF       0x50000700

#ifndef __ASSEMBLER__

/* Crystal oscillator on, because the RC one is too far off for a UART. */
void nrf51_start_clock(void);
uint8_t nrf51_reset_cause(void); /* enum chip_reset; reads and clears the register */
void nrf51_uid(uint8_t uid[12]);

/*
 * One page, 21 ms, during which the core stands still: no interrupt is served, so the link must be
 * idle. address is a multiple of NRF51_PAGE_SIZE.
 */
void nrf51_flash_erase_page(uint32_t address);
/* Whole words into erased flash, 46 us each. address is a multiple of 4. */
void nrf51_flash_write(uint32_t address, const uint8_t *data, uint32_t n);

#endif
#endif
