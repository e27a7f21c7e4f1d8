/*
 * Level 1 caches of the M7, M55 and M85: on from the start, as a deployed part would have them, and
 * emptied for a cold window. A core without caches reports none and nothing happens.
 */
#include "agents/core/port.h"
#include "agents/ports/cortexm/cpu.h"

#if __ARM_ARCH >= 7

enum {
    CCR_DATA = 1 << 16,
    CCR_INSTRUCTION = 1 << 17,
    CLIDR_LEVEL_1 = 7, /* 0: none, 2: data, 3: both */
    CSSELR_DATA_L1 = 0,
};

#define SCS_CSSELR 0xe000ed84

/* Every line by set and way: invalidate (as after reset) or clean and invalidate. */
static void data_lines(uintptr_t operation)
{
    uint32_t ccsidr;
    uint32_t sets;
    uint32_t ways;
    uint32_t line_shift;
    uint32_t way_shift;

    REG32(SCS_CSSELR) = CSSELR_DATA_L1;
    __asm__ volatile("dsb");
    ccsidr = REG32(SCS_CCSIDR);
    sets = ccsidr >> 13 & 0x7fff;
    ways = ccsidr >> 3 & 0x3ff;
    line_shift = (ccsidr & 7) + 4;
    way_shift = ways == 0 ? 0 : (uint32_t)__builtin_clz(ways);
    for (uint32_t set = 0; set <= sets; set++) {
        for (uint32_t way = 0; way <= ways; way++)
            REG32(operation) = way << way_shift | set << line_shift;
    }
    __asm__ volatile("dsb\n\tisb");
}

static void instruction_lines(void)
{
    REG32(SCS_ICIALLU) = 0;
    __asm__ volatile("dsb\n\tisb");
}

static bool has_caches(void)
{
    return (REG32(SCS_CLIDR) & CLIDR_LEVEL_1) >= 2;
}

void cache_start(void)
{
    if (!has_caches())
        return;
    instruction_lines();
    if ((REG32(SCS_CCR) & CCR_DATA) == 0)
        data_lines(SCS_DCISW);
    REG32(SCS_CCR) |= CCR_DATA | CCR_INSTRUCTION;
    __asm__ volatile("dsb\n\tisb");
}

void port_cold(void)
{
    if (!has_caches())
        return;
    data_lines(SCS_DCCISW);
    instruction_lines();
}

#else

void cache_start(void)
{
}

void port_cold(void)
{
}

#endif
