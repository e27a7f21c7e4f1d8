/* MPS2 AN386 with its link in RAM: reached by a debug probe instead of a serial port. */
#ifndef AGENTS_PORTS_BOARDS_MPS2_AN386_RTT_H
#define AGENTS_PORTS_BOARDS_MPS2_AN386_RTT_H

#include "agents/ports/boards/mps2_an386.h"

#undef BOARD_UART_IRQ
#define BOARD_RTT_UP   2048
#define BOARD_RTT_DOWN 1024

#endif
