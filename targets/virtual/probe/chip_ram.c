/*
 * Cores without flash of their own: Arm's MPS2 boards as somebody meets a new chip whose flash no
 * driver knows. The agent is injected into their RAM (`flashing: {method: inject}`). Whatever the
 * machine's code memory holds, it is blank at power on, so that the core comes up locked.
 * Identification numbers: Arm's technical reference manuals of the cores (Cortex-M3 100165,
 * Cortex-M7 DDI0489, Cortex-M55 101051), chapters on the debug access port.
 */
#include "targets/virtual/probe/target.h"

/* clang-format off */
#define MPS2                                                                                       \
    .work_area = 0x20000000, .scratch = 0x203fff00, .erased_ones = true, .watchpoints = 4
/* clang-format on */

const struct chip chip_cm3 = {
    MPS2,
    .name = "cm3",
    .machine = "mps2-an385",
    .core = CORE_M3,
    .dp_id = 0x2ba01477,
    .jtag_id = 0x4ba00477,
    .ap_id = 0x24770011,
    .breakpoints = 6,
};

const struct chip chip_cm4 = {
    MPS2,
    .name = "cm4",
    .machine = "mps2-an386",
    .core = CORE_M4,
    .dp_id = 0x2ba01477,
    .jtag_id = 0x4ba00477,
    .ap_id = 0x24770011,
    .breakpoints = 6,
};

const struct chip chip_cm7 = {
    MPS2,
    .name = "cm7",
    .machine = "mps2-an500",
    .core = CORE_M7,
    .dp_id = 0x5ba02477,
    .jtag_id = 0x5ba00477,
    .ap_id = 0x84770001,
    .breakpoints = 8,
    .fpb_version_2 = true,
};

/* RAM is the DTCM through its Secure alias; QEMU's M33 has all of its own behind protection units. */
const struct chip chip_cm55 = {
    .name = "cm55",
    .machine = "mps3-an547",
    .core = CORE_M55,
    .dp_id = 0x6ba02477,
    .jtag_id = 0x6ba00477,
    .ap_id = 0x14770015,
    .work_area = 0x30000000,
    .scratch = 0x3007ff00,
    .vectors = 0x10000000,
    .erased_ones = true,
    .breakpoints = 8,
    .watchpoints = 4,
    .secure = true,
    .fpb_version_2 = true,
};
