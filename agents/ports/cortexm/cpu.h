/* The Cortex-M core: registers every one of them has, interrupts, faults. */
#ifndef AGENTS_PORTS_CORTEXM_CPU_H
#define AGENTS_PORTS_CORTEXM_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "targets/chips/chip.h"

#define SCS_SYST_CSR  0xe000e010
#define SCS_SYST_RVR  0xe000e014
#define SCS_SYST_CVR  0xe000e018
#define SCS_NVIC_ISER 0xe000e100
#define SCS_NVIC_ICER 0xe000e180
#define SCS_NVIC_ICPR 0xe000e280
#define SCS_ICSR      0xe000ed04
#define SCS_VTOR      0xe000ed08
#define SCS_AIRCR     0xe000ed0c
#define SCS_CCR       0xe000ed14
#define SCS_SHPR3     0xe000ed20
#define SCS_CFSR      0xe000ed28
#define SCS_BFAR      0xe000ed38
#define SCS_CLIDR     0xe000ed78
#define SCS_CCSIDR    0xe000ed80
#define SCS_CPACR     0xe000ed88
#define SCS_DEMCR     0xe000edfc
#define SCS_ICIALLU   0xe000ef50
#define SCS_DCISW     0xe000ef60
#define SCS_DCCISW    0xe000ef74
#define DWT_CTRL      0xe0001000
#define DWT_CYCCNT    0xe0001004
#define DWT_LAR       0xe0001fb0

static inline uint32_t cpu_mask(void)
{
    uint32_t was;

    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(was)::"memory");
    return was;
}

static inline void cpu_unmask(uint32_t was)
{
    __asm__ volatile("msr primask, %0" ::"r"(was) : "memory");
}

static inline void cpu_enable_interrupt(unsigned n)
{
    REG32(SCS_NVIC_ISER + n / 32 * 4) = 1u << n % 32;
}

/* And forget that it came. */
static inline void cpu_disable_interrupt(unsigned n)
{
    REG32(SCS_NVIC_ICER + n / 32 * 4) = 1u << n % 32;
    REG32(SCS_NVIC_ICPR + n / 32 * 4) = 1u << n % 32;
}

/*
 * Read bytes (n a multiple of 4) that may not be there, as facts of the chip are missing from
 * emulators. False: the bus said no. ARMv7-M and later only.
 */
bool cpu_try_read(uintptr_t address, uint8_t *ret_bytes, unsigned n);

/* SysTick as a guard for slow-wrapping counters (drivers/timer_systick.c); see struct timer. */
void guard_quiet(bool quiet);
uint32_t guard_doze(uint32_t ticks);

/*
 * False for an image in RAM on a core without VTOR: its vectors are those of whatever lies in
 * flash, so interrupts stay masked and everything is polled (start.c).
 */
bool cpu_has_vectors(void);

/* Caches on, where there are any (cache.c). */
void cache_start(void);

#endif
