/* A RISC-V core in machine mode: CSRs and the platform's interrupt controller. */
#ifndef AGENTS_PORTS_RISCV_CPU_H
#define AGENTS_PORTS_RISCV_CPU_H

#include <stdint.h>

#define CSR_READ(name)                                                                             \
    __extension__({                                                                                \
        uint32_t value_;                                                                           \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory");                              \
        value_;                                                                                    \
    })
#define CSR_WRITE(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")
#define CSR_SET(name, bits)    __asm__ volatile("csrs " #name ", %0" ::"r"(bits) : "memory")
#define CSR_CLEAR(name, bits)  __asm__ volatile("csrc " #name ", %0" ::"r"(bits) : "memory")

#define MSTATUS_MIE            0x8u
#define MIE_MTIE               0x80u
#define MIE_MEIE               0x800u

/* Interrupts off; what to give back to cpu_unmask(). */
static inline uint32_t cpu_mask(void)
{
    uint32_t was;

    __asm__ volatile("csrrc %0, mstatus, %1" : "=r"(was) : "r"(MSTATUS_MIE) : "memory");
    return was & MSTATUS_MIE;
}

static inline void cpu_unmask(uint32_t was)
{
    CSR_SET(mstatus, was);
}

#endif
