/* BBC micro:bit with its link in RAM: reached by a debug probe instead of a serial port. */
#ifndef AGENTS_PORTS_BOARDS_MICROBIT_RTT_H
#define AGENTS_PORTS_BOARDS_MICROBIT_RTT_H

#include "agents/ports/boards/microbit.h"

#undef BOARD_UART_IRQ
#define BOARD_RTT_UP   256
#define BOARD_RTT_DOWN 256

#endif
