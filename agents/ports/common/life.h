/* Reset and its reason, which a word that start-up leaves alone carries across. */
#ifndef AGENTS_PORTS_COMMON_LIFE_H
#define AGENTS_PORTS_COMMON_LIFE_H

#include <stdint.h>

void life_start(void);                    /* once, early: takes the reason of the last reset */
_Noreturn void life_reset(uint8_t cause); /* WIRE_RESET_* */

/* For fault handlers: "text" and 32-bit values in hexadecimal, as console text between frames. */
void life_say(const char *text);
void life_say_value(const char *text, uint32_t value);

/* The port's: reset the chip by whatever means it has, or say that there is none and stop. */
_Noreturn void cpu_reset(void);

#endif
