/* The innermost loops for RV32IM: 2.7 instructions for each multiplication of a pair, 3.1 else. */
#include "agents/kernels/tuned/dot.h"

#if defined __riscv_mul && __riscv_xlen == 32 && !defined __riscv_32e

#define ENTER                                                                                      \
    "addi sp, sp, -48\n sw s0, 0(sp)\n sw s1, 4(sp)\n sw s2, 8(sp)\n sw s3, 12(sp)\n"              \
    "sw s4, 16(sp)\n sw s5, 20(sp)\n sw s6, 24(sp)\n sw s7, 28(sp)\n sw s8, 32(sp)\n"              \
    "sw s9, 36(sp)\n sw s10, 40(sp)\n sw s11, 44(sp)\n"
#define LEAVE                                                                                      \
    "lw s0, 0(sp)\n lw s1, 4(sp)\n lw s2, 8(sp)\n lw s3, 12(sp)\n lw s4, 16(sp)\n"                 \
    "lw s5, 20(sp)\n lw s6, 24(sp)\n lw s7, 28(sp)\n lw s8, 32(sp)\n lw s9, 36(sp)\n"              \
    "lw s10, 40(sp)\n lw s11, 44(sp)\n addi sp, sp, 48\n ret\n"

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

/* By sixteen inputs, by four, by one. */
__attribute__((naked)) void tuned_dot_wide(int32_t *sums, const uint8_t *weights, const int8_t *x,
                                           uint32_t k, uint32_t block)
{
    __asm__(ENTER CLEAR
            "slli s10, a4, 1\n"
            "add a5, a1, s10\n"
            "add a4, a4, a1\n"
            "add s10, s10, a4\n"
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
            "6:\n" STORE LEAVE);
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

/* SVDF: one value moves from j to i and meets the weight there; the sum is in t0. */
#define MOVE(i, j)                                                                                 \
    "lb t1, " #j "(a0)\n lb t2, " #i "(a1)\n sb t1, " #i "(a0)\n mul t1, t1, t2\n add t0, t0, t1\n"

__attribute__((naked)) void tuned_recall(int8_t *state, const int8_t *weights, uint32_t memory,
                                         const int8_t *newest, uint32_t *sums, uint32_t filters)
{
    __asm__("addi a2, a2, -1\n"
            "andi a6, a2, -4\n"
            "add a5, a5, a3\n" /* the end of newest */
            "1: li t0, 0\n"
            "add t4, a0, a6\n" /* the end of fours */
            "add t5, a0, a2\n" /* the last one */
            "beq a0, t4, 3f\n"
            "2:\n"
            MOVE(0, 1) MOVE(1, 2) MOVE(2, 3) MOVE(3, 4)
            "addi a0, a0, 4\n"
            "addi a1, a1, 4\n"
            "bne a0, t4, 2b\n"
            "3: beq a0, t5, 5f\n"
            "4:\n" MOVE(0, 1)
            "addi a0, a0, 1\n"
            "addi a1, a1, 1\n"
            "bne a0, t5, 4b\n"
            "5: lb t1, 0(a3)\n"
            "lb t2, 0(a1)\n"
            "addi a3, a3, 1\n"
            "sb t1, 0(a0)\n"
            "mul t1, t1, t2\n"
            "add t0, t0, t1\n"
            "addi a0, a0, 1\n"
            "addi a1, a1, 1\n"
            "sw t0, 0(a4)\n"
            "addi a4, a4, 4\n"
            "bne a3, a5, 1b\n"
            "ret\n");
}
/* clang-format on */

#endif
