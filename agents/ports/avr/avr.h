/* What the files of the AVR port share. */
#ifndef AGENTS_PORTS_AVR_AVR_H
#define AGENTS_PORTS_AVR_AVR_H

#include <stdint.h>

#include "agents/ports/common/timer.h"

extern const struct timer timer_avr;
extern uint8_t avr_reset_flags; /* MCUSR as start-up found it */

#endif
