/*
 * Arm's MPS3 FPGA board with the image AN547: Corstone SSE-300 with a Cortex-M55 (Helium, FPU),
 * running in Secure state. Source of the numbers: Arm DAI0547B, SSE-300 TRM 101773.
 *
 *   0x10000000 512 KiB  ITCM through its Secure alias: code
 *   0x11000000   2 MiB  SRAM through its Secure alias: where a part would have its flash
 *   0x30000000 512 KiB  DTCM through its Secure alias: data
 *   0x58100000          system counter: 64 bit, at the core's 32 MHz
 *   0x59303000          UART0, at the 25 MHz of the peripheral clock
 */
#ifndef TARGETS_CHIPS_MPS3_AN547_H
#define TARGETS_CHIPS_MPS3_AN547_H

#include "targets/chips/mps2.h"

#define AN547_ITCM_BASE       0x10000000
#define AN547_SRAM_BASE       0x11000000
#define AN547_DTCM_BASE       0x30000000

#define AN547_GPIO0           0x51100000
#define AN547_COUNTER_CONTROL 0x58100000
#define AN547_COUNTER_STATUS  0x58101000
#define AN547_UART0           0x59303000
#define AN547_UART0_RX_IRQ    33

#endif
