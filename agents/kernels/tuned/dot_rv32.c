/* The innermost loops for RV32IM: 2.7 instructions for each multiplication of a pair, 3.1 else. */
#include <stddef.h>

#include "agents/kernels/tuned/dot.h"
#include "agents/kernels/tuned/tuned.h"

#if defined __riscv_mul && __riscv_xlen == 32 && !defined __riscv_32e

#define ENTER                                                                                      \
    "addi sp, sp, -80\n sw s0, 0(sp)\n sw s1, 4(sp)\n sw s2, 8(sp)\n sw s3, 12(sp)\n"              \
    "sw s4, 16(sp)\n sw s5, 20(sp)\n sw s6, 24(sp)\n sw s7, 28(sp)\n sw s8, 32(sp)\n"              \
    "sw s9, 36(sp)\n sw s10, 40(sp)\n sw s11, 44(sp)\n"
#define LEAVE                                                                                      \
    "lw s0, 0(sp)\n lw s1, 4(sp)\n lw s2, 8(sp)\n lw s3, 12(sp)\n lw s4, 16(sp)\n"                 \
    "lw s5, 20(sp)\n lw s6, 24(sp)\n lw s7, 28(sp)\n lw s8, 32(sp)\n lw s9, 36(sp)\n"              \
    "lw s10, 40(sp)\n lw s11, 44(sp)\n addi sp, sp, 80\n ret\n"

/* The sixteen sums: t0-t6, a6, a7, s0-s6. */
#define CLEAR                                                                                      \
    "li t0, 0\n li t1, 0\n li t2, 0\n li t3, 0\n li t4, 0\n li t5, 0\n li t6, 0\n li a6, 0\n"      \
    "li a7, 0\n li s0, 0\n li s1, 0\n li s2, 0\n li s3, 0\n li s4, 0\n li s5, 0\n li s6, 0\n"
#define STORE                                                                                      \
    "sw t0, 0(a0)\n sw t1, 4(a0)\n sw t2, 8(a0)\n sw t3, 12(a0)\n sw t4, 16(a0)\n"                 \
    "sw t5, 20(a0)\n sw t6, 24(a0)\n sw a6, 28(a0)\n sw a7, 32(a0)\n sw s0, 36(a0)\n"              \
    "sw s1, 40(a0)\n sw s2, 44(a0)\n sw s3, 48(a0)\n sw s4, 52(a0)\n sw s5, 56(a0)\n"              \
    "sw s6, 60(a0)\n"

/* One weight for two rows: a1, a5 weights of two blocks, s7 and s8 inputs. */
#define MAC2(w, i, a, b)                                                                           \
    "lbu s9, " #i "(" #w ")\n mul s10, s9, s7\n mul s9, s9, s8\n add " #a ", " #a ", s10\n"        \
    "add " #b ", " #b ", s9\n"
#define PAIR_STEP(j, c0, c1, c2, c3)                                                               \
    "lb s7, " #j "(a2)\n lb s8, " #j "(a3)\n" MAC2(a1, c0, t0, a7) MAC2(a1, c1, t1, s0)            \
        MAC2(a1, c2, t2, s1) MAC2(a1, c3, t3, s2) MAC2(a5, c0, t4, s3) MAC2(a5, c1, t5, s4)        \
            MAC2(a5, c2, t6, s5) MAC2(a5, c3, a6, s6)

__attribute__((naked)) void tuned_dot_pair(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                           const int8_t *x2, uint32_t k, uint32_t block)
{
    __asm__(ENTER CLEAR
            "add a5, a5, a1\n"
            "add s11, a2, a4\n"
            "andi a4, a4, -4\n"
            "add a4, a4, a2\n"
            "beq a2, a4, 2f\n"
            "1:\n" PAIR_STEP(0, 0, 1, 2, 3) PAIR_STEP(1, 4, 5, 6, 7) PAIR_STEP(2, 8, 9, 10, 11)
                PAIR_STEP(3, 12, 13, 14,
                          15) "addi a1, a1, 16\n"
                              "addi a5, a5, 16\n"
                              "addi a2, a2, 4\n"
                              "addi a3, a3, 4\n"
                              "bne a2, a4, 1b\n"
                              "2: beq a2, s11, 3f\n" PAIR_STEP(0, 0, 1, 2, 3) "addi a1, a1, 4\n"
                                                                              "addi a5, a5, 4\n"
                                                                              "addi a2, a2, 1\n"
                                                                              "addi a3, a3, 1\n"
                                                                              "j 2b\n"
                                                                              "3:\n" STORE LEAVE);
}

/* One weight for one row: a1, a4, a5, s10 weights of four blocks, s7 the input. */
#define MAC1(w, i, a) "lbu s8, " #i "(" #w ")\n mul s8, s8, s7\n add " #a ", " #a ", s8\n"
#define WIDE_STEP(j, c0, c1, c2, c3)                                                               \
    "lb s7, " #j "(a2)\n" MAC1(a1, c0, t0) MAC1(a1, c1, t1) MAC1(a1, c2, t2) MAC1(a1, c3, t3)      \
        MAC1(a4, c0, t4) MAC1(a4, c1, t5) MAC1(a4, c2, t6) MAC1(a4, c3, a6) MAC1(a5, c0, a7)       \
            MAC1(a5, c1, s0) MAC1(a5, c2, s1) MAC1(a5, c3, s2) MAC1(s10, c0, s3) MAC1(s10, c1, s4) \
                MAC1(s10, c2, s5) MAC1(s10, c3, s6)

/* clang-format off */
#define WIDE_FOUR                                                                                  \
    WIDE_STEP(0, 0, 1, 2, 3)                                                                       \
    WIDE_STEP(1, 4, 5, 6, 7)                                                                       \
    WIDE_STEP(2, 8, 9, 10, 11)                                                                     \
    WIDE_STEP(3, 12, 13, 14, 15)
#define WIDE_NEXT(inputs, weights)                                                                 \
    "addi a1, a1, " #weights "\n"                                                                  \
    "addi a4, a4, " #weights "\n"                                                                  \
    "addi a5, a5, " #weights "\n"                                                                  \
    "addi s10, s10, " #weights "\n"                                                                \
    "addi a2, a2, " #inputs "\n"

/*
 * tuned_wide_loop adds to the sixteen sums, by sixteen inputs, by four, by one. From a1 on lie the
 * weights, from a2 on a3 inputs; it leaves the end of the weights in s10 and returns to a0.
 */
__attribute__((naked)) void tuned_dot_wide(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                           uint32_t k, uint32_t block)
{
    __asm__(ENTER CLEAR
            "sw a0, 48(sp)\n"
            "jal a0, tuned_wide_loop\n"
            "lw a0, 48(sp)\n"
            STORE LEAVE
            "tuned_wide_loop:\n"
            "slli a5, a3, 3\n"
            "slli a4, a3, 2\n"
            "add a5, a5, a1\n"
            "add s10, a5, a4\n"
            "add a4, a4, a1\n"
            "add s11, a2, a3\n" /* the end */
            "andi s9, a3, -16\n"
            "andi a3, a3, -4\n"
            "add a3, a3, a2\n" /* the end of fours */
            "add s9, s9, a2\n"
            "beq a2, s9, 2f\n"
            "1:\n"
            WIDE_FOUR
            WIDE_STEP(4, 16, 17, 18, 19)
            WIDE_STEP(5, 20, 21, 22, 23)
            WIDE_STEP(6, 24, 25, 26, 27)
            WIDE_STEP(7, 28, 29, 30, 31)
            WIDE_STEP(8, 32, 33, 34, 35)
            WIDE_STEP(9, 36, 37, 38, 39)
            WIDE_STEP(10, 40, 41, 42, 43)
            WIDE_STEP(11, 44, 45, 46, 47)
            WIDE_STEP(12, 48, 49, 50, 51)
            WIDE_STEP(13, 52, 53, 54, 55)
            WIDE_STEP(14, 56, 57, 58, 59)
            WIDE_STEP(15, 60, 61, 62, 63)
            WIDE_NEXT(16, 64)
            "bne a2, s9, 1b\n"
            "2: beq a2, a3, 4f\n"
            "3:\n" WIDE_FOUR WIDE_NEXT(4, 16)
            "bne a2, a3, 3b\n"
            "4: beq a2, s11, 6f\n"
            "5:\n" WIDE_STEP(0, 0, 1, 2, 3) WIDE_NEXT(1, 4)
            "bne a2, s11, 5b\n"
            "6: jr a0\n");
}

/* The output of a sum that began with its bias; its channel, of s9's, lies there. */
#define FINISH_SUM(sum, multiplier, rounding, shift, at)                                           \
    "lw s7, " #multiplier "(s9)\n slli " #sum ", " #sum ", 2\n"                                    \
    "mulh " #sum ", " #sum ", s7\n lw s8, " #rounding "(s9)\n lw s10, " #shift "(s9)\n"            \
    "bgez " #sum ", 1f\n addi " #sum ", " #sum ", -2\n"                                            \
    "1: add " #sum ", " #sum ", s8\n sra " #sum ", " #sum ", s10\n"                                \
    "blt " #sum ", a4, 2f\n blt a5, " #sum ", 3f\n"                                                \
    "4: sb " #sum ", " #at "(a2)\n"                                                                \
    ".subsection 1\n 2: mv " #sum ", a4\n j 4b\n 3: mv " #sum ", a5\n j 4b\n .previous\n"
#define BEGIN(sum, bias) "lw " #sum ", " #bias "(s9)\n add " #sum ", " #sum ", s8\n"

/* Sums never leave the registers. Of the frame, all above the saved ones is named here. */
#define INPUTS  "48(sp)"
#define EXTRA   "52(sp)"
#define OUTPUTS "56(sp)"
#define END     "60(sp)"
#define COUNT   "64(sp)"
#define LEAST   "68(sp)"
#define MOST    "72(sp)"
#define CHANNEL "76(sp)"

__attribute__((naked)) void tuned_row_wide(const struct tuned_rows *r, const int8_t *x, int8_t *out,
                                           uint32_t extra)
{
    __asm__(ENTER
            "lw s7, %0(a0)\n"
            "lw s8, %1(a0)\n"
            "lw s9, %2(a0)\n"
            "lw s10, %3(a0)\n"
            "lw s11, %4(a0)\n"
            "sw a1, " INPUTS "\n"
            "lw a1, %5(a0)\n"
            "andi s8, s8, -16\n"
            "add s8, s8, a2\n"
            "sw a3, " EXTRA "\n"
            "sw a2, " OUTPUTS "\n"
            "sw s8, " END "\n"
            "sw s7, " COUNT "\n"
            "sw s10, " LEAST "\n"
            "sw s11, " MOST "\n"
            "sw s9, " CHANNEL "\n"
            "7:\n"
            "lw s8, " EXTRA "\n"
            "lw a2, " INPUTS "\n"
            "lw a3, " COUNT "\n"
            BEGIN(t0, 0) BEGIN(t1, 16) BEGIN(t2, 32) BEGIN(t3, 48)
            BEGIN(t4, 64) BEGIN(t5, 80) BEGIN(t6, 96) BEGIN(a6, 112)
            BEGIN(a7, 128) BEGIN(s0, 144) BEGIN(s1, 160) BEGIN(s2, 176)
            BEGIN(s3, 192) BEGIN(s4, 208) BEGIN(s5, 224) BEGIN(s6, 240)
            "jal a0, tuned_wide_loop\n"
            "lw s9, " CHANNEL "\n"
            "lw a2, " OUTPUTS "\n"
            "lw a4, " LEAST "\n"
            "lw a5, " MOST "\n"
            "mv a1, s10\n"
            FINISH_SUM(t0, 4, 8, 12, 0)
            FINISH_SUM(t1, 20, 24, 28, 1)
            FINISH_SUM(t2, 36, 40, 44, 2)
            FINISH_SUM(t3, 52, 56, 60, 3)
            FINISH_SUM(t4, 68, 72, 76, 4)
            FINISH_SUM(t5, 84, 88, 92, 5)
            FINISH_SUM(t6, 100, 104, 108, 6)
            FINISH_SUM(a6, 116, 120, 124, 7)
            FINISH_SUM(a7, 132, 136, 140, 8)
            FINISH_SUM(s0, 148, 152, 156, 9)
            FINISH_SUM(s1, 164, 168, 172, 10)
            FINISH_SUM(s2, 180, 184, 188, 11)
            FINISH_SUM(s3, 196, 200, 204, 12)
            FINISH_SUM(s4, 212, 216, 220, 13)
            FINISH_SUM(s5, 228, 232, 236, 14)
            FINISH_SUM(s6, 244, 248, 252, 15)
            "lw t0, " END "\n"
            "addi a2, a2, 16\n"
            "addi s9, s9, 256\n"
            "sw a2, " OUTPUTS "\n"
            "sw s9, " CHANNEL "\n"
            "bne a2, t0, 7b\n"
            LEAVE ::"i"(offsetof(struct tuned_rows, k)),
            "i"(offsetof(struct tuned_rows, out_c)),
            "i"(offsetof(struct tuned_rows, channels)),
            "i"(offsetof(struct tuned_rows, act_min)),
            "i"(offsetof(struct tuned_rows, act_max)),
            "i"(offsetof(struct tuned_rows, weights)));
}

/* One row, four channels: sums in t0-t3. */
#define BLOCK_STEP(j, c0, c1, c2, c3)                                                              \
    "lb a4, " #j "(a2)\n"                                                                          \
    "lbu a5, " #c0 "(a1)\n lbu a6, " #c1 "(a1)\n lbu a7, " #c2 "(a1)\n lbu t4, " #c3 "(a1)\n"      \
    "mul a5, a5, a4\n mul a6, a6, a4\n mul a7, a7, a4\n mul t4, t4, a4\n"                          \
    "add t0, t0, a5\n add t1, t1, a6\n add t2, t2, a7\n add t3, t3, t4\n"

__attribute__((naked)) void tuned_dot_block(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                            uint32_t k)
{
    __asm__("li t0, 0\n li t1, 0\n li t2, 0\n li t3, 0\n"
            "add t5, a2, a3\n" /* the end */
            "andi a3, a3, -4\n"
            "add a3, a3, a2\n" /* the end of fours */
            "beq a2, a3, 2f\n"
            "1:\n"
            BLOCK_STEP(0, 0, 1, 2, 3)
            BLOCK_STEP(1, 4, 5, 6, 7)
            BLOCK_STEP(2, 8, 9, 10, 11)
            BLOCK_STEP(3, 12, 13, 14, 15)
            "addi a1, a1, 16\n"
            "addi a2, a2, 4\n"
            "bne a2, a3, 1b\n"
            "2: beq a2, t5, 4f\n"
            "3:\n"
            BLOCK_STEP(0, 0, 1, 2, 3)
            "addi a1, a1, 4\n"
            "addi a2, a2, 1\n"
            "bne a2, t5, 3b\n"
            "4: sw t0, 0(a0)\n sw t1, 4(a0)\n sw t2, 8(a0)\n sw t3, 12(a0)\n ret\n");
}

/*
 * SVDF: a row of four values moves from i + 4 to i, where a0 points, and meets its weights; sums are
 * in t0, t3, t4, a6. All rows are of one size, so that a block of memory m can start where (m - 1)
 * % 8 are left.
 */
#define RECALL(i, sum)                                                                             \
    "lb t1, " #i "(a0)\n lb t2, " #i "(a1)\n mul t1, t1, t2\n add " #sum ", " #sum ", t1\n"
#define RECALL_ROW(a, b, c, d, next)                                                               \
    "lw t1, " #next "(a0)\n sw t1, " #a "(a0)\n"                                                 \
    RECALL(a, t0) RECALL(b, t3) RECALL(c, t4) RECALL(d, a6)

__attribute__((naked)) void tuned_recall_blocks(int8_t *state, const int8_t *weights,
                                                uint32_t memory, const int8_t *newest,
                                                uint32_t *sums, uint32_t blocks)
{
    __asm__(".option push\n"
            ".option norvc\n"
            "slli a5, a5, 2\n"
            "add a5, a5, a3\n" /* the end of newest */
            "addi t3, a2, -1\n"
            "slli a2, a2, 2\n" /* bytes of a block */
            "slli t0, t3, 2\n"
            "add t5, a0, t0\n" /* where the newest go */
            "la t6, 3f\n"
            "li a7, 4\n"
            "beqz t3, 1f\n" /* none moves */
            "neg t3, t3\n"
            "andi t3, t3, 7\n" /* rows that the first eight lack */
            "li t1, 72\n"      /* bytes of a row's instructions */
            "mul t1, t1, t3\n"
            "la t6, 2f\n"
            "add t6, t6, t1\n"
            "slli t3, t3, 2\n"
            "sub a7, a7, t3\n" /* from the newest to the first row of the next */
            "sub a0, a0, t3\n"
            "sub a1, a1, t3\n"
            "1: li t0, 0\n li t3, 0\n li t4, 0\n li a6, 0\n"
            "jr t6\n"
            "2:\n"
            RECALL_ROW(0, 1, 2, 3, 4)
            RECALL_ROW(4, 5, 6, 7, 8)
            RECALL_ROW(8, 9, 10, 11, 12)
            RECALL_ROW(12, 13, 14, 15, 16)
            RECALL_ROW(16, 17, 18, 19, 20)
            RECALL_ROW(20, 21, 22, 23, 24)
            RECALL_ROW(24, 25, 26, 27, 28)
            RECALL_ROW(28, 29, 30, 31, 32)
            "addi a0, a0, 32\n"
            "addi a1, a1, 32\n"
            "bne a0, t5, 2b\n"
            "3: lw t1, 0(a3)\n"
            "addi a3, a3, 4\n"
            "sw t1, 0(a0)\n"
            RECALL(0, t0) RECALL(1, t3) RECALL(2, t4) RECALL(3, a6)
            "add a0, a0, a7\n"
            "add a1, a1, a7\n"
            "sw t0, 0(a4)\n sw t3, 4(a4)\n sw t4, 8(a4)\n sw a6, 12(a4)\n"
            "addi a4, a4, 16\n"
            "add t5, t5, a2\n"
            "bne a3, a5, 1b\n"
            "ret\n"
            ".option pop\n");
}

/* One output: the sum's and the channel's offsets. A product below zero loses two, see tuned.h. */
#define FINISH(sum, bias, multiplier, rounding, shift, at)                                         \
    "lw t0, " #sum "(a2)\n lw t1, " #bias "(a1)\n lw t2, " #multiplier "(a1)\n add t0, t0, a3\n"   \
    "add t0, t0, t1\n slli t0, t0, 2\n mulh t0, t0, t2\n lw t3, " #rounding "(a1)\n"               \
    "lw t4, " #shift "(a1)\n bgez t0, 1f\n addi t0, t0, -2\n"                                      \
    "1: add t0, t0, t3\n sra t0, t0, t4\n blt t0, t5, 2f\n blt t6, t0, 3f\n"                       \
    "4: sb t0, " #at "(a5)\n"                                                                      \
    ".subsection 1\n 2: mv t0, t5\n j 4b\n 3: mv t0, t6\n j 4b\n .previous\n"

__attribute__((naked)) void tuned_finish_small(const struct tuned_rows *r,
                                               const struct tuned_channel *c, const int32_t *sums,
                                               uint32_t extra, uint32_t n, int8_t *out)
{
    __asm__("lw t5, %0(a0)\n"
            "lw t6, %1(a0)\n"
            "andi a0, a4, -4\n"
            "sub a4, a4, a0\n"
            "slli a0, a0, 2\n"
            "add a0, a0, a2\n" /* the end of fours */
            "slli a4, a4, 2\n"
            "add a4, a4, a0\n" /* the end */
            "beq a0, a2, 6f\n"
            "5:\n"
            FINISH(0, 0, 4, 8, 12, 0)
            FINISH(4, 16, 20, 24, 28, 1)
            FINISH(8, 32, 36, 40, 44, 2)
            FINISH(12, 48, 52, 56, 60, 3)
            "addi a2, a2, 16\n"
            "addi a1, a1, 64\n"
            "addi a5, a5, 4\n"
            "bne a2, a0, 5b\n"
            "6: beq a2, a4, 8f\n"
            "7:\n"
            FINISH(0, 0, 4, 8, 12, 0)
            "addi a2, a2, 4\n"
            "addi a1, a1, 16\n"
            "addi a5, a5, 1\n"
            "bne a2, a4, 7b\n"
            "8: ret\n" ::"i"(offsetof(struct tuned_rows, act_min)),
            "i"(offsetof(struct tuned_rows, act_max)));
}
/* clang-format on */

#endif
