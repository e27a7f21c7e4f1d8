/*
 * What a core needs that takes its interrupts by a table only, and the two words by which the boot
 * ROM of an ESP32-C3 knows an image that it may start directly.
 */
#include "targets/chips/esp32c3.h"

    .section .text.header, "a"
    .word ESP32C3_BOOT_MAGIC, ESP32C3_BOOT_MAGIC

    .section .text.trap_vectors, "ax"
    .balign 256
    .option push
    .option norvc
    .globl trap_vectors
trap_vectors:
    .rept 32
    j trap_entry
    .endr
    .option pop
