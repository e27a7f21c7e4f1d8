/* Which of the innermost loops (dot.h) the files in assembly define for this core. */
#ifndef AGENTS_KERNELS_TUNED_ASM_H
#define AGENTS_KERNELS_TUNED_ASM_H

#if defined __ARM_ARCH_6M__
#define TUNED_ASM_WIDE         1
#define TUNED_ASM_BLOCK        1
#define TUNED_ASM_PAIR         1
#define TUNED_ASM_FINISH       1
#define TUNED_ASM_FINISH_SMALL 1
#define TUNED_ASM_RECALL       1
#define TUNED_ASM_ROW_WIDE     0
#elif defined __thumb2__
#define TUNED_ASM_WIDE         1
#define TUNED_ASM_BLOCK        0
#define TUNED_ASM_PAIR         1
#define TUNED_ASM_FINISH       0
#define TUNED_ASM_FINISH_SMALL 0
#define TUNED_ASM_RECALL       0
#define TUNED_ASM_ROW_WIDE     0
#elif defined __riscv_mul && __riscv_xlen == 32 && !defined __riscv_32e
#define TUNED_ASM_WIDE         1
#define TUNED_ASM_BLOCK        1
#define TUNED_ASM_PAIR         1
#define TUNED_ASM_FINISH       0
#define TUNED_ASM_FINISH_SMALL 1
#define TUNED_ASM_RECALL       1
#define TUNED_ASM_ROW_WIDE     1
#else
#define TUNED_ASM_WIDE         0
#define TUNED_ASM_BLOCK        0
#define TUNED_ASM_PAIR         0
#define TUNED_ASM_FINISH       0
#define TUNED_ASM_FINISH_SMALL 0
#define TUNED_ASM_RECALL       0
#define TUNED_ASM_ROW_WIDE     0
#endif

#endif
