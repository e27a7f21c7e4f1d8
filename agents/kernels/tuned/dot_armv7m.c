/* The innermost loops in Thumb-2: 1.8 instructions for each multiplication of a pair, 2.2 else. */
#include "agents/kernels/tuned/dot.h"

#ifdef __thumb2__

/* One weight for two rows, then for one. */
#define MLA2(a, b) "ldrb r0, [r1], #1\n mla " #a ", r0, r12, " #a "\n mla " #b ", r0, lr, " #b "\n"
#define MLA1(w, a) "ldrb lr, [" #w "], #1\n mla " #a ", lr, r12, " #a "\n"

#define CLEAR                                                                                      \
    "movs r4, #0\n movs r5, #0\n movs r6, #0\n movs r7, #0\n"                                      \
    "mov r8, r4\n mov r9, r4\n mov r10, r4\n mov r11, r4\n"

#define PAIR_STEP                                                                                  \
    "ldrsb r12, [r2], #1\n ldrsb lr, [r3], #1\n" MLA2(r4, r8) MLA2(r5, r9) MLA2(r6, r10)           \
        MLA2(r7, r11)

/*
 * r1 weights, r2 x, r3 x2; r4-r7 sums of x, r8-r11 of x2; k and block on the stack become the ends
 * of the loops by four and by one.
 */
__attribute__((naked)) void tuned_dot_pair(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                           const int8_t *x2, uint32_t k, uint32_t block)
{
    __asm__("push {r0, r4-r11, lr}\n"
            "ldr r0, [sp, #40]\n"
            "add r12, r2, r0\n"
            "bic r0, r0, #3\n"
            "add r0, r2\n"
            "strd r0, r12, [sp, #40]\n" CLEAR "cmp r2, r0\n"
            "beq 2f\n"
            "1:\n" PAIR_STEP PAIR_STEP PAIR_STEP PAIR_STEP "ldr r0, [sp, #40]\n"
            "cmp r2, r0\n"
            "bne 1b\n"
            "2: ldr r0, [sp, #44]\n"
            "cmp r2, r0\n"
            "beq 3f\n" PAIR_STEP "b 2b\n"
            "3: pop {r0}\n"
            "stm r0, {r4-r11}\n"
            "pop {r4-r11, pc}\n");
}

#define WIDE_STEP                                                                                  \
    "ldrsb r12, [r2], #1\n" MLA1(r1, r4) MLA1(r1, r5) MLA1(r1, r6) MLA1(r1, r7) MLA1(r3, r8)       \
        MLA1(r3, r9) MLA1(r3, r10) MLA1(r3, r11)

/* r1, r3 weights of two blocks, r2 x, r0 its end; block on the stack becomes the last end. */
__attribute__((naked)) void tuned_dot_wide(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                           uint32_t k, uint32_t block)
{
    __asm__("push {r0, r4-r11, lr}\n"
            "ldr r12, [sp, #40]\n"
            "bic r0, r3, #3\n"
            "add r0, r2\n"
            "add r3, r2\n"
            "str r3, [sp, #40]\n"
            "add r3, r1, r12\n" CLEAR "cmp r2, r0\n"
            "beq 2f\n"
            "1:\n" WIDE_STEP WIDE_STEP WIDE_STEP WIDE_STEP "cmp r2, r0\n"
            "bne 1b\n"
            "2: ldr r0, [sp, #40]\n"
            "cmp r2, r0\n"
            "beq 3f\n" WIDE_STEP "b 2b\n"
            "3: pop {r0}\n"
            "stm r0, {r4-r11}\n"
            "pop {r4-r11, pc}\n");
}

#endif
