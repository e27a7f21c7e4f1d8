/*
 * The innermost loops for ARMv6-M: 2.75 instructions for each multiplication of a pair, 3.4 else.
 * What lies in r8-r12 can be added to, and no more.
 */
#include "agents/kernels/tuned/dot.h"

#ifdef __ARM_ARCH_6M__

#define ENTER                                                                                      \
    "push {r4-r7, lr}\n mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n push {r0, r4-r7}\n"
#define LEAVE                                                                                      \
    "pop {r4-r7}\n mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n pop {r4-r7, pc}\n"

/* ---- one row, four channels: r0 weights, r1 x, ip its end; sums in r4-r7 ---- */

#define BLOCK_MAC(i, acc) "ldrb r3, [r0, #" #i "]\n muls r3, r2\n adds " #acc ", r3\n"
#define BLOCK_STEP(j, a, b, c, d)                                                                  \
    "ldrb r2, [r1, #" #j "]\n sxtb r2, r2\n" BLOCK_MAC(a, r4) BLOCK_MAC(b, r5) BLOCK_MAC(c, r6)    \
        BLOCK_MAC(d, r7)

__attribute__((naked)) void tuned_dot_block(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                            uint32_t k)
{
    __asm__(".syntax unified\n"
            "push {r0, r4-r7, lr}\n"
            "movs r0, r1\n"
            "movs r1, r2\n"
            "adds r4, r2, r3\n"
            "push {r4}\n"
            "lsrs r3, r3, #2\n"
            "lsls r3, r3, #2\n"
            "adds r3, r3, r2\n"
            "mov ip, r3\n"
            "movs r4, #0\n movs r5, #0\n movs r6, #0\n movs r7, #0\n"
            "cmp r1, ip\n"
            "beq 2f\n"
            "1:\n" BLOCK_STEP(0, 0, 1, 2, 3) BLOCK_STEP(1, 4, 5, 6, 7) BLOCK_STEP(2, 8, 9, 10, 11)
                BLOCK_STEP(3, 12, 13, 14, 15) "adds r0, #16\n"
                                              "adds r1, #4\n"
                                              "cmp r1, ip\n"
                                              "bne 1b\n"
                                              "2: pop {r3}\n"
                                              "mov ip, r3\n"
                                              "3: cmp r1, ip\n"
                                              "beq 4f\n" BLOCK_STEP(0, 0, 1, 2,
                                                                    3) "adds r0, #4\n"
                                                                       "adds r1, #1\n"
                                                                       "b 3b\n"
                                                                       "4: pop {r0}\n"
                                                                       "stmia r0!, {r4-r7}\n"
                                                                       "pop {r4-r7, pc}\n");
}

/* ---- one row, eight channels: r0 and r4 weights; sums in r5-r7, r8-r12; lr the end of x ---- */

#define WIDE_MAC(w, i, acc) "ldrb r3, [" #w ", #" #i "]\n muls r3, r2\n add " #acc ", r3\n"
#define WIDE_STEP(j, a, b, c, d)                                                                   \
    "ldrb r2, [r1, #" #j "]\n sxtb r2, r2\n" WIDE_MAC(r0, a, r5) WIDE_MAC(r0, b, r6)               \
        WIDE_MAC(r0, c, r7) WIDE_MAC(r0, d, r8) WIDE_MAC(r4, a, r9) WIDE_MAC(r4, b, r10)           \
            WIDE_MAC(r4, c, r11) WIDE_MAC(r4, d, r12)

__attribute__((naked)) void tuned_dot_wide(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                           uint32_t k, uint32_t block)
{
    __asm__(".syntax unified\n" ENTER "movs r0, r1\n"
            "movs r1, r2\n"
            "ldr r4, [sp, #40]\n"
            "adds r4, r4, r0\n"
            "adds r5, r1, r3\n"
            "push {r5}\n"
            "lsrs r3, r3, #2\n"
            "lsls r3, r3, #2\n"
            "adds r3, r3, r1\n"
            "mov lr, r3\n"
            "movs r5, #0\n movs r6, #0\n movs r7, #0\n"
            "mov r8, r5\n mov r9, r5\n mov r10, r5\n mov r11, r5\n mov r12, r5\n"
            "cmp r1, lr\n"
            "beq 2f\n"
            "1:\n" WIDE_STEP(0, 0, 1, 2, 3) WIDE_STEP(1, 4, 5, 6, 7) WIDE_STEP(2, 8, 9, 10, 11)
                WIDE_STEP(
                    3, 12, 13, 14,
                    15) "adds r0, #16\n"
                        "adds r4, #16\n"
                        "adds r1, #4\n"
                        "cmp r1, lr\n"
                        "bne 1b\n"
                        "2: pop {r3}\n"
                        "mov lr, r3\n"
                        "3: cmp r1, lr\n"
                        "beq 4f\n" WIDE_STEP(
                            0, 0, 1, 2,
                            3) "adds r0, #4\n"
                               "adds r4, #4\n"
                               "adds r1, #1\n"
                               "b 3b\n"
                               "4: pop {r0}\n"
                               "stmia r0!, {r5-r7}\n"
                               "mov r3, r8\n mov r4, r9\n mov r5, r10\n mov r6, r11\n mov r7, r12\n"
                               "stmia r0!, {r3-r7}\n" LEAVE);
}

/* ---- two rows, four channels: r0 weights, r1 pairs, ip their end; r4-r7 whole, r8-r11 upper ---- */

#define PACKED_MAC(i, whole, upper)                                                                \
    "ldrb r3, [r0, #" #i "]\n muls r3, r2\n adds " #whole ", r3\n lsrs r3, r3, #16\n"              \
    "add " #upper ", r3\n"
#define PACKED_STEP(a, b, c, d)                                                                    \
    "ldmia r1!, {r2}\n" PACKED_MAC(a, r4, r8) PACKED_MAC(b, r5, r9) PACKED_MAC(c, r6, r10)         \
        PACKED_MAC(d, r7, r11)

__attribute__((naked)) void tuned_dot_packed(uint32_t *sums, const uint8_t *weights,
                                             const uint32_t *pairs, uint32_t k)
{
    __asm__(
        ".syntax unified\n" ENTER "movs r0, r1\n"
        "movs r1, r2\n"
        "lsls r4, r3, #2\n"
        "adds r4, r4, r2\n"
        "push {r4}\n"
        "lsrs r3, r3, #2\n"
        "lsls r3, r3, #4\n"
        "adds r3, r3, r2\n"
        "mov ip, r3\n"
        "movs r4, #0\n movs r5, #0\n movs r6, #0\n movs r7, #0\n"
        "mov r8, r4\n mov r9, r4\n mov r10, r4\n mov r11, r4\n"
        "cmp r1, ip\n"
        "beq 2f\n"
        "1:\n" PACKED_STEP(0, 1, 2, 3) PACKED_STEP(4, 5, 6, 7) PACKED_STEP(8, 9, 10, 11)
            PACKED_STEP(12, 13, 14,
                        15) "adds r0, #16\n"
                            "cmp r1, ip\n"
                            "bne 1b\n"
                            "2: pop {r3}\n"
                            "mov ip, r3\n"
                            "3: cmp r1, ip\n"
                            "beq 4f\n" PACKED_STEP(
                                0, 1, 2, 3) "adds r0, #4\n"
                                            "b 3b\n"
                                            "4: pop {r0}\n"
                                            "stmia r0!, {r4-r7}\n"
                                            "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
                                            "stmia r0!, {r4-r7}\n" LEAVE);
}

#endif
