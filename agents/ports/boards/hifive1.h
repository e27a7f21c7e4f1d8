/*
 * SiFive HiFive1 (FE310-G000): as QEMU's sifive_e (sifive_e.h), but with the clocks of the chip.
 */
#ifndef AGENTS_PORTS_BOARDS_HIFIVE1_H
#define AGENTS_PORTS_BOARDS_HIFIVE1_H

#include "agents/ports/boards/sifive_e.h"

#undef BOARD_TICK_HZ
#undef BOARD_MTIME_HZ
#define BOARD_TICK_HZ  16000000 /* mcycle: the core's clock */
#define BOARD_MTIME_HZ 32768

#endif
