/*
 * The innermost loops for ARMv6-M: 2.75 instructions for each multiplication of a pair, 3.4 else.
 * What lies in r8-r12 can be added to, and no more.
 */
#include "agents/kernels/tuned/dot.h"

#include <stddef.h>

#include "agents/kernels/tuned/tuned.h"

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

/*
 * ---- from sums to outputs: r0 out, r1 channels, r2 sums, r8 extra, r9 min, r10 max, ip the end ----
 *
 * tuned_scale() word for word: r3 and r4 are the pieces of the sum, r5 and r6 those of the factor.
 */
_Static_assert(offsetof(struct tuned_rows, act_min) == 20, "the code below knows where it lies");

/* clang-format off */
#define FINISH_BEGIN                                                                               \
    ".syntax unified\n"                                                                            \
    "push {r4-r7, lr}\n"                                                                           \
    "mov r4, r8\n mov r5, r9\n mov r6, r10\n"                                                      \
    "push {r4-r6}\n"                                                                               \
    "mov r8, r3\n"                                                                                 \
    "ldr r4, [r0, #20]\n ldr r5, [r0, #24]\n"                                                      \
    "mov r9, r4\n mov r10, r5\n"                                                                   \
    "ldr r3, [sp, #32]\n ldr r0, [sp, #36]\n"                                                      \
    "lsls r4, r3, #4\n"                                                                            \
    "adds r4, r4, r1\n"                                                                            \
    "mov ip, r4\n"                                                                                 \
    "lsrs r3, r3, #1\n" /* an odd one comes first, as the second of a pair */                      \
    "bcc 1f\n"                                                                                     \
    "subs r0, #1\n"                                                                                \
    "b 4f\n"
#define FINISH_SUM                                                                                 \
    "ldmia r2!, {r3}\n"                                                                            \
    "ldmia r1!, {r4, r5}\n"                                                                        \
    "add r3, r8\n"                                                                                 \
    "adds r3, r4\n"
#define FINISH_STORE(at)                                                                           \
    "cmp r3, r9\n"                                                                                 \
    "bge 2f\n"                                                                                     \
    "mov r3, r9\n"                                                                                 \
    "2: cmp r3, r10\n"                                                                             \
    "ble 3f\n"                                                                                     \
    "mov r3, r10\n"                                                                                \
    "3: strb r3, [r0, #" #at "]\n"
#define FINISH_END                                                                                 \
    "adds r0, #2\n"                                                                                \
    "cmp r1, ip\n"                                                                                 \
    "bne 1b\n"                                                                                     \
    "pop {r4-r6}\n"                                                                                \
    "mov r8, r4\n mov r9, r5\n mov r10, r6\n"                                                      \
    "pop {r4-r7, pc}\n"

#define SMALL                                                                                      \
    FINISH_SUM                                                                                     \
    "sxth r4, r3\n"                                                                                \
    "subs r3, r4\n"                                                                                \
    "asrs r3, r3, #16\n"                                                                           \
    "uxth r6, r5\n"                                                                                \
    "asrs r5, r5, #16\n"                                                                           \
    "movs r7, r4\n"                                                                                \
    "muls r7, r6\n"                                                                                \
    "asrs r7, r7, #16\n"                                                                           \
    "muls r4, r5\n"                                                                                \
    "adds r4, r7\n"                                                                                \
    "muls r6, r3\n"                                                                                \
    "adds r4, r6\n"                                                                                \
    "asrs r4, r4, #14\n"                                                                           \
    "muls r3, r5\n"                                                                                \
    "lsls r3, r3, #2\n"                                                                            \
    "adds r3, r4\n"                                                                                \
    "ldmia r1!, {r6, r7}\n"                                                                        \
    "asrs r4, r3, #31\n"                                                                           \
    "lsls r4, r4, #1\n"                                                                            \
    "adds r3, r4\n"                                                                                \
    "adds r3, r6\n"                                                                                \
    "asrs r3, r7\n"

__attribute__((naked)) void tuned_finish_small(const struct tuned_rows *r,
                                               const struct tuned_channel *c, const int32_t *sums,
                                               uint32_t extra, uint32_t n, int8_t *out)
{
    __asm__(FINISH_BEGIN "1:\n" SMALL FINISH_STORE(0) "4:\n" SMALL FINISH_STORE(1) FINISH_END);
}

/* tuned_scale_right(), with arith_high_mul_pieces(). */
#define RIGHT                                                                                      \
    FINISH_SUM                                                                                     \
    "uxth r4, r3\n"                                                                                \
    "asrs r3, r3, #16\n"                                                                           \
    "uxth r6, r5\n"                                                                                \
    "asrs r5, r5, #16\n"                                                                           \
    "movs r7, r4\n"                                                                                \
    "muls r7, r6\n"                                                                                \
    "lsrs r7, r7, #16\n"                                                                           \
    "muls r6, r3\n"                                                                                \
    "adds r6, r7\n" /* middle */                                                                   \
    "muls r4, r5\n"                                                                                \
    "muls r3, r5\n"                                                                                \
    "uxth r7, r6\n"                                                                                \
    "adds r4, r7\n" /* middle2 */                                                                  \
    "asrs r6, r6, #16\n"                                                                           \
    "adds r3, r6\n"                                                                                \
    "lsrs r6, r4, #16\n"                                                                           \
    "adds r3, r6\n"                                                                                \
    "uxth r4, r4\n"                                                                                \
    "lsrs r4, r4, #14\n"                                                                           \
    "adds r4, #1\n"                                                                                \
    "lsrs r4, r4, #1\n"                                                                            \
    "lsls r3, r3, #1\n"                                                                            \
    "adds r3, r4\n"                                                                                \
    "ldmia r1!, {r6, r7}\n"                                                                        \
    "asrs r4, r3, #31\n"                                                                           \
    "adds r3, r4\n"                                                                                \
    "mvns r7, r7\n"                                                                                \
    "asrs r3, r7\n"                                                                                \
    "adds r3, #1\n"                                                                                \
    "asrs r3, r3, #1\n"                                                                            \
    "adds r3, r6\n"

__attribute__((naked)) void tuned_finish_right(const struct tuned_rows *r,
                                               const struct tuned_channel *c, const int32_t *sums,
                                               uint32_t extra, uint32_t n, int8_t *out)
{
    __asm__(FINISH_BEGIN "1:\n" RIGHT FINISH_STORE(0) "4:\n" RIGHT FINISH_STORE(1) FINISH_END);
}

/*
 * ---- SVDF: r0 a row of four values, r1 their weights; r2, r3, r6, r7 their places; sums in r8-r11;
 * r12 where the newest go, lr at these; on the stack sums, blocks left, bytes of a block ----
 */
#define RECALL(place, sum)                                                                         \
    "ldrsb r4, [r0, " #place "]\n ldrsb r5, [r1, " #place "]\n muls r4, r5\n add " #sum ", r4\n"
#define RECALL_ROW RECALL(r2, r8) RECALL(r3, r9) RECALL(r6, r10) RECALL(r7, r11)
#define RECALL_SUM(sum) "mov r5, " #sum "\n stmia r4!, {r5}\n"

__attribute__((naked)) void tuned_recall_blocks(int8_t *state, const int8_t *weights,
                                                uint32_t memory, const int8_t *newest,
                                                uint32_t *sums, uint32_t blocks)
{
    __asm__(".syntax unified\n"
            ENTER
            "ldr r5, [sp, #40]\n ldr r6, [sp, #44]\n"
            "lsls r7, r2, #2\n"
            "push {r5-r7}\n"
            "mov lr, r3\n"
            "subs r7, #4\n"
            "adds r7, r7, r0\n"
            "mov r12, r7\n"
            "movs r2, #0\n movs r3, #1\n movs r6, #2\n movs r7, #3\n"
            "1: mov r8, r2\n mov r9, r2\n mov r10, r2\n mov r11, r2\n"
            "cmp r0, r12\n"
            "beq 3f\n"
            "2: ldr r4, [r0, #4]\n"
            "str r4, [r0]\n"
            RECALL_ROW
            "adds r0, #4\n"
            "adds r1, #4\n"
            "cmp r0, r12\n"
            "bne 2b\n"
            "3: mov r4, lr\n"
            "ldmia r4!, {r5}\n"
            "mov lr, r4\n"
            "str r5, [r0]\n"
            RECALL_ROW
            "adds r0, #4\n"
            "adds r1, #4\n"
            "ldr r4, [sp]\n"
            RECALL_SUM(r8) RECALL_SUM(r9) RECALL_SUM(r10) RECALL_SUM(r11)
            "str r4, [sp]\n"
            "ldr r4, [sp, #8]\n"
            "add r12, r4\n"
            "ldr r4, [sp, #4]\n"
            "subs r4, #1\n"
            "str r4, [sp, #4]\n"
            "bne 1b\n"
            "pop {r0-r3}\n"
            LEAVE);
}
/* clang-format on */

#endif
