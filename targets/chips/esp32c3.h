/*
 * Espressif ESP32-C3 (RV32IMC): 400 KiB RAM, code in place from SPI flash through a cache.
 * Source of the numbers: ESP32-C3 Technical Reference Manual 1.1 and Espressif's public headers
 * (tests/firmware/registers.txt).
 *
 *   0x3c000000    8 MiB   SPI flash for data, read only
 *   0x3fc80000  384 KiB   SRAM1 for data; from 0x3fccae00 on the boot ROM keeps its own
 *   0x42000000    8 MiB   SPI flash for instructions: the same bytes as at 0x3c000000
 *   0x60000000            peripherals; interrupt matrix at 0x600c2000
 *
 * Direct boot: the ROM finds two magic words at the beginning of the flash, maps its first 4 MiB
 * into both windows and jumps behind them, to 0x42000008. No second boot loader is needed; ROMs
 * before chip revision 3 cannot do it.
 *
 * The core has no mie, no mcycle and no CLINT; it counts cycles in a register of its own, and takes
 * interrupts by a table, from a matrix that maps any source to one of 31 lines.
 */
#ifndef TARGETS_CHIPS_ESP32C3_H
#define TARGETS_CHIPS_ESP32C3_H

#include "targets/chips/chip.h"

#define ESP32C3_FLASH_BASE  0x42000000
#define ESP32C3_DATA_WINDOW 0x3c000000
#define ESP32C3_RAM_BASE    0x3fc80000
#define ESP32C3_BOOT_MAGIC  0xaedb041d

#define ESP32C3_UART0       0x60000000
#define ESP32C3_UART0_IRQ   21 /* number of the source in the matrix */
#define ESP32C3_GPIO        0x60004000
#define ESP32C3_RTC_CNTL    0x60008000
#define ESP32C3_EFUSE       0x60008800
#define ESP32C3_IO_MUX      0x60009000
#define ESP32C3_TIMG0       0x6001f000
#define ESP32C3_TIMG1       0x60020000
#define ESP32C3_SYSTEM      0x600c0000
#define ESP32C3_INTERRUPT   0x600c2000
#define ESP32C3_CRYSTAL_HZ  40000000

#ifndef __ASSEMBLER__

void esp32c3_stop_watchdogs(void); /* the ROM leaves three of four running */
void esp32c3_start_clock(void);    /* the core on the crystal, undivided */
void esp32c3_start_output(unsigned pin);
void esp32c3_output(unsigned pin, bool high);
void esp32c3_mac(uint8_t mac[6]);
uint8_t esp32c3_reset_cause(void); /* enum chip_reset */
void esp32c3_reset(void);

#endif
#endif
