/*
 * Microchip ATmega1284P (128 KiB flash, 16 KiB RAM) and ATmega2560 (256 KiB, 8 KiB), 16 MHz.
 * Registers come from avr-libc's <avr/io.h>; this is the memory map.
 * Source of the numbers: data sheets 8272G and 2549Q.
 *
 *   program space  flash, byte addressed; constants stay there only when asked to (PROGMEM)
 *   data space     0x0000 registers and I/O, then RAM: from 0x0100 (1284P) or 0x0200 (2560)
 */
#ifndef TARGETS_CHIPS_AVR_H
#define TARGETS_CHIPS_AVR_H

#define ATMEGA1284P_FLASH_SIZE 0x20000
#define ATMEGA1284P_RAM_BASE   0x100
#define ATMEGA1284P_RAM_SIZE   0x4000

#define ATMEGA2560_FLASH_SIZE  0x40000
#define ATMEGA2560_RAM_BASE    0x200
#define ATMEGA2560_RAM_SIZE    0x2000

#endif
