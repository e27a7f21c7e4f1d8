/*
 * The innermost loops. A product is signed and lies in r1:r0 with its sign in the carry, so
 * "sbc t, t" makes the third byte: 6 cycles for each multiplication. With its share of loads and
 * loop it takes 9 in avr_dot_4, 15 in avr_dot_window.
 */
#include "agents/kernels/avr/avr.h"

#ifdef __AVR__

/* One product of r20 with the next weight, onto a sum of three bytes. */
#define MAC(low, middle, high)                                                                     \
    "ld r21, Z+\n muls r20, r21\n sbc r22, r22\n"                                                  \
    "add " low ", r0\n adc " middle ", r1\n adc " high ", r22\n"
#define STEP_4                                                                                     \
    "ld r20, X+\n" MAC("r2", "r3", "r4") MAC("r5", "r6", "r7") MAC("r8", "r9", "r10")              \
        MAC("r11", "r12", "r13")
/* Three bytes with their sign as the fourth. */
#define STORE(low, middle, high)                                                                   \
    "st X+, " low "\n st X+, " middle "\n st X+, " high "\n"                                       \
    "mov r22, " high "\n lsl r22\n sbc r22, r22\n st X+, r22\n"

/* r25:r24 sums, r23:r22 weights, r21:r20 x, r19:r18 k. */
__attribute__((naked)) const int8_t *avr_dot_4(int32_t *sums, const int8_t *weights,
                                               const int8_t *x, uint16_t k)
{
    __asm__("push r2\n push r3\n push r4\n push r5\n push r6\n push r7\n"
            "push r8\n push r9\n push r10\n push r11\n push r12\n push r13\n"
            "movw r26, r20\n"
            "movw r30, r22\n"
            "clr r2\n clr r3\n movw r4, r2\n movw r6, r2\n"
            "movw r8, r2\n movw r10, r2\n movw r12, r2\n"
            "lsr r19\n ror r18\n"
            "brcc 1f\n" STEP_4 "1: mov r22, r18\n or r22, r19\n"
            "breq 3f\n"
            "2:\n" STEP_4 STEP_4 "subi r18, 1\n sbci r19, 0\n"
            "breq 3f\n"
            "rjmp 2b\n"
            "3: movw r26, r24\n" STORE("r2", "r3", "r4") STORE("r5", "r6", "r7")
                STORE("r8", "r9", "r10") STORE(
                    "r11", "r12", "r13") "movw r24, r30\n"
                                         "clr r1\n"
                                         "pop r13\n pop r12\n pop r11\n pop r10\n pop r9\n pop r8\n"
                                         "pop r7\n pop r6\n pop r5\n pop r4\n pop r3\n pop r2\n"
                                         "ret\n");
}

/* r25:r24 weights, r23:r22 x, r21:r20 k. */
__attribute__((naked)) int32_t avr_dot_1(const int8_t *weights, const int8_t *x, uint16_t k)
{
    __asm__("movw r26, r22\n"
            "movw r30, r24\n"
            "movw r18, r20\n"
            "push r16\n push r17\n"
            "clr r23\n clr r24\n clr r25\n"
            "1: ld r16, X+\n ld r17, Z+\n"
            "muls r16, r17\n"
            "sbc r22, r22\n"
            "add r23, r0\n adc r24, r1\n adc r25, r22\n"
            "subi r18, 1\n sbci r19, 0\n"
            "brne 1b\n"
            "mov r22, r23\n mov r23, r24\n mov r24, r25\n"
            "lsl r25\n sbc r25, r25\n"
            "clr r1\n"
            "pop r17\n pop r16\n"
            "ret\n");
}

/* r25:r24 x, r23:r22 weights, r21:r20 window. */
__attribute__((naked)) int32_t avr_dot_window(const int8_t *x, const int8_t *weights,
                                              const struct avr_window *w)
{
    __asm__("push r12\n push r13\n push r14\n push r15\n push r16\n push r17\n"
            "movw r26, r24\n"
            "movw r30, r20\n"
            "ld r18, Z\n ldd r19, Z+1\n ldd r24, Z+2\n ldd r25, Z+3\n ldd r20, Z+4\n ldd r21, Z+5\n"
            "movw r30, r22\n"
            "clr r12\n clr r13\n clr r14\n"
            "1: mov r22, r19\n"
            "2: ld r16, X\n"
            "add r26, r24\n adc r27, r25\n"
            "ld r17, Z+\n"
            "muls r16, r17\n"
            "sbc r15, r15\n"
            "add r12, r0\n adc r13, r1\n adc r14, r15\n"
            "dec r22\n"
            "brne 2b\n"
            "add r26, r20\n adc r27, r21\n"
            "dec r18\n"
            "brne 1b\n"
            "movw r22, r12\n mov r24, r14\n mov r25, r14\n"
            "lsl r25\n sbc r25, r25\n"
            "clr r1\n"
            "pop r17\n pop r16\n pop r15\n pop r14\n pop r13\n pop r12\n"
            "ret\n");
}

#else

/* 24 bits with their sign. */
static int32_t narrow(uint32_t sum)
{
    return (int32_t)(sum << 8) >> 8;
}

const int8_t *avr_dot_4(int32_t *sums, const int8_t *weights, const int8_t *x, uint16_t k)
{
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < k; i++)
            sum += (uint32_t)(x[i] * weights[4 * i + c]);
        sums[c] = narrow(sum);
    }
    return weights + 4 * (uint32_t)k;
}

int32_t avr_dot_1(const int8_t *weights, const int8_t *x, uint16_t k)
{
    uint32_t sum = 0;

    while (k-- > 0)
        sum += (uint32_t)(*x++ * *weights++);
    return narrow(sum);
}

int32_t avr_dot_window(const int8_t *x, const int8_t *weights, const struct avr_window *w)
{
    uint32_t sum = 0;
    uint16_t at = 0; /* wraps, as addresses do there */

    for (uint32_t row = 0; row < w->rows; row++, at += w->row_step) {
        for (uint32_t column = 0; column < w->columns; column++, at += w->column_step)
            sum += (uint32_t)(x[at] * *weights++);
    }
    return narrow(sum);
}

#endif
