/*
 * Arm's MPS2+ FPGA board with the image AN505: IoTKit with a Cortex-M33, running in Secure state.
 * Source of the numbers: Arm DAI0505B; CMSDK peripherals in DDI0479C.
 *
 *   0x10000000   4 MiB  SSRAM1 through its Secure alias: code, writable; VTOR points here at reset
 *   0x38000000   4 MiB  SSRAM2+3 through its Secure alias: data
 *   0x50000000          peripherals through their Secure aliases, at the core's 20 MHz
 */
#ifndef TARGETS_CHIPS_MPS2_AN505_H
#define TARGETS_CHIPS_MPS2_AN505_H

#include "targets/chips/mps2.h"

#define AN505_CODE_BASE    0x10000000
#define AN505_DATA_BASE    0x38000000

#define AN505_TIMER0       0x50000000
#define AN505_GPIO0        0x50100000
#define AN505_UART0        0x50200000
#define AN505_UART0_RX_IRQ 32

#endif
