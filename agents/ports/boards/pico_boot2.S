/*
 * What the RP2040's boot ROM takes from the first 256 bytes of flash, checks by their CRC, and runs
 * in RAM: flash reads become serial 03h commands, which every flash chip knows (a quarter of the
 * speed of quad reads), then the vector table behind us takes over. RP2040 Datasheet 2.8.1.3.1.
 * The CRC is checked by tests/firmware/check_real.py.
 */
#include "targets/chips/rp2040.h"

#define SSI_CTRLR0   0x00
#define SSI_CTRLR1   0x04
#define SSI_ENR      0x08
#define SSI_BAUDR    0x14
#define SSI_SPI_CTRL 0xf4

    .syntax unified
    .cpu cortex-m0
    .thumb
    .section .boot, "ax", %progbits
    .global pico_boot2
    .type pico_boot2, %function
    .thumb_func
pico_boot2:
    ldr r3, =RP2040_SSI
    movs r1, #0
    str r1, [r3, #SSI_ENR]
    movs r1, #4 /* a quarter of the core's clock: 31 MHz in the end, of 50 that 03h allows */
    str r1, [r3, #SSI_BAUDR]
    ldr r1, =31 << 16 | 3 << 8 /* one data line, 32-bit frames, command and address before data */
    str r1, [r3, #SSI_CTRLR0]
    ldr r0, =RP2040_SSI + SSI_SPI_CTRL
    ldr r1, =3 << 24 | 2 << 8 | 6 << 2 /* command 03h of 8 bits, 24 bits of address */
    str r1, [r0]
    movs r1, #0
    str r1, [r3, #SSI_CTRLR1] /* one frame at a time */
    movs r1, #1
    str r1, [r3, #SSI_ENR]
    ldr r0, =RP2040_FLASH_BASE + RP2040_BOOT2_SIZE
    ldr r1, =0xe000ed08 /* VTOR */
    str r0, [r1]
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1
    .pool
    .org RP2040_BOOT2_SIZE - 4
    .word 0x6ad1835d /* CRC-32/MPEG-2 of the bytes before it */
    .size pico_boot2, . - pico_boot2
