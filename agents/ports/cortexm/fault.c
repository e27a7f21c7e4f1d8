/* Faults: a dump on the console, then a reset that says so. And one fault that is expected. */
#include "agents/ports/common/life.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/wire/wire.h"

/* What the core pushes when it takes an exception. */
struct fault_frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
};

void fault_handler(void);
void fault_c(struct fault_frame *frame) __attribute__((used));

__asm__(".syntax unified\n"
        ".thumb_func\n"
        ".global fault_handler\n"
        ".type fault_handler, %function\n"
        ".section .text.fault_handler, \"ax\", %progbits\n"
        "fault_handler:\n"
        "    mov r0, sp\n"
        "    push {r4, lr}\n"
        "    bl fault_c\n"
        "    pop {r4, pc}\n"
        ".size fault_handler, . - fault_handler\n"
        ".text\n");

#if __ARM_ARCH >= 7

#define CFSR_BFARVALID (1u << 15)

static volatile bool trying;
static volatile bool refused;

bool cpu_try_read(uintptr_t address, uint8_t *ret_bytes, unsigned n)
{
    refused = false;
    for (unsigned i = 0; i < n && !refused; i += 4) {
        uint32_t value;

        trying = true;
        value = REG32(address + i);
        __asm__ volatile("dsb" ::: "memory");
        trying = false;
        for (unsigned k = 0; k < 4 && !refused; k++, value >>= 8)
            ret_bytes[i + k] = (uint8_t)value;
    }
    return !refused;
}

/* Skip the load and note that it failed. */
static bool expected(struct fault_frame *frame)
{
    uint16_t instruction = REG16(frame->pc);

    if (!trying)
        return false;
    frame->pc += instruction >> 11 >= 0x1d ? 4 : 2;
    REG32(SCS_CFSR) = REG32(SCS_CFSR);
    refused = true;
    trying = false;
    return true;
}

static void say_more(void)
{
    uint32_t cfsr = REG32(SCS_CFSR);

    life_say_value(" cfsr=", cfsr);
    if ((cfsr & CFSR_BFARVALID) != 0)
        life_say_value(" bfar=", REG32(SCS_BFAR));
}

#else

static bool expected(struct fault_frame *frame)
{
    (void)frame;
    return false;
}

static void say_more(void)
{
}

#endif

void fault_c(struct fault_frame *frame)
{
    if (expected(frame))
        return;
    life_say_value("\r\ntinyrig: fault pc=", frame->pc);
    life_say_value(" lr=", frame->lr);
    life_say_value(" psr=", frame->psr);
    say_more();
    life_say("\r\n");
    life_reset(WIRE_RESET_FAULT);
}
