#include "targets/virtual/avr/chip.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_regbit.h>

#include "harness/base/file.h"

#define UART '0'

/* simavr's callbacks that carry no pointer of ours find the chip here; there is one per process. */
static struct chip *the_chip;
static void (*core_reset)(struct avr_t *avr);

static void on_byte(struct avr_irq_t *irq, uint32_t value, void *context)
{
    struct chip *c = context;

    (void)irq;
    buf_putc(&c->output, (char)value);
}

static void on_room(struct avr_irq_t *irq, uint32_t value, void *context)
{
    struct chip *c = context;

    (void)irq;
    (void)value;
    c->may_send = true;
}

static void on_full(struct avr_irq_t *irq, uint32_t value, void *context)
{
    struct chip *c = context;

    (void)irq;
    if (value != 0)
        c->may_send = false;
}

static void on_pin(struct avr_irq_t *irq, uint32_t value, void *context)
{
    struct chip *c = context;

    (void)irq;
    c->edge(c->context, value != 0, c->avr->cycle);
}

/* The core sleeps: do not wait here, the caller knows what else there is to do. */
static void on_sleep(struct avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr;
    the_chip->waits = true;
    the_chip->idle_debt += cycles;
}

/* Watchdog resets come here too: bytes on the wire are lost, as they are on a real chip. */
static void on_reset(struct avr_t *avr)
{
    if (core_reset != NULL)
        core_reset(avr);
    buf_clear(&the_chip->input);
    the_chip->may_send = false;
    the_chip->resets++;
}

static void log_errors(struct avr_t *avr, const int level, const char *format, va_list ap)
    PRINTF_LIKE(3, 0);

static void log_errors(struct avr_t *avr, const int level, const char *format, va_list ap)
{
    (void)avr;
    if (level <= LOG_ERROR)
        (void)vfprintf(stderr, format, ap);
}

static int connect_marker(struct chip *c, const struct chip_options *o, struct err *err)
{
    struct avr_irq_t *pin =
        avr_io_getirq(c->avr, (uint32_t)AVR_IOCTL_IOPORT_GETIRQ(o->port), o->bit);

    if (pin == NULL)
        return err_set(err, ERR_USAGE, "%s has no pin P%c%d", o->mcu, o->port, o->bit);
    pin->flags |= IRQ_FLAG_FILTERED; /* only changes */
    avr_irq_register_notify(pin, on_pin, c);
    return 0;
}

static int connect_uart(struct chip *c, const struct chip_options *o, struct err *err)
{
    const uint32_t irqs = (uint32_t)AVR_IOCTL_UART_GETIRQ(UART);
    uint32_t flags = 0;

    c->uart_in = avr_io_getirq(c->avr, irqs, UART_IRQ_INPUT);
    if (c->uart_in == NULL)
        return err_set(err, ERR_USAGE, "%s has no UART%c", o->mcu, UART);
    (void)avr_ioctl(c->avr, (uint32_t)AVR_IOCTL_UART_GET_FLAGS(UART), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    (void)avr_ioctl(c->avr, (uint32_t)AVR_IOCTL_UART_SET_FLAGS(UART), &flags);
    avr_irq_register_notify(avr_io_getirq(c->avr, irqs, UART_IRQ_OUTPUT), on_byte, c);
    avr_irq_register_notify(avr_io_getirq(c->avr, irqs, UART_IRQ_OUT_XON), on_room, c);
    avr_irq_register_notify(avr_io_getirq(c->avr, irqs, UART_IRQ_OUT_XOFF), on_full, c);
    return 0;
}

static int load_firmware(struct chip *c, const struct chip_options *o, struct err *err)
{
    struct elf_firmware_t firmware;

    memset(&firmware, 0, sizeof(firmware));
    if (elf_read_firmware(o->firmware, &firmware) != 0)
        return err_set(err, ERR_USAGE, "%s: simavr cannot read it", o->firmware);
    if (firmware.flashbase > c->avr->flashend ||
        firmware.flashsize > c->avr->flashend + 1 - firmware.flashbase)
        return err_set(err, ERR_USAGE, "%s: %u bytes do not fit the flash of %s (%u)", o->firmware,
                       firmware.flashsize, o->mcu, c->avr->flashend + 1);
    firmware.frequency = o->clock_hz;
    avr_load_firmware(c->avr, &firmware);
    return 0;
}

int chip_open(struct chip *c, const struct chip_options *o, struct err *err)
{
    avr_global_logger_set(log_errors);
    c->avr = avr_make_mcu_by_name(o->mcu);
    if (c->avr == NULL)
        return err_set(err, ERR_USAGE, "simavr knows no mcu '%s'", o->mcu);
    c->clock_hz = o->clock_hz;
    c->input.limit = 1u << 20;
    c->output.limit = 1u << 20;
    the_chip = c;
    (void)avr_init(c->avr);
    core_reset = c->avr->reset;
    c->avr->reset = on_reset;
    c->avr->sleep = on_sleep;
    c->avr->log = LOG_ERROR;
    if (load_firmware(c, o, err) < 0 || connect_uart(c, o, err) < 0)
        return err->code;
    return connect_marker(c, o, err);
}

int chip_load(struct chip *c, const char *path, uint64_t address, struct err *err)
{
    AUTO_BUF bytes = BUF_INIT;
    const uint64_t flash = (uint64_t)c->avr->flashend + 1;

    if (file_read(path, (size_t)flash, &bytes, err) < 0)
        return err->code;
    if (address > flash || bytes.len > flash - address)
        return err_set(err, ERR_USAGE, "%s: %zu bytes at 0x%llx are outside the flash (0x%llx)",
                       path, bytes.len, (unsigned long long)address, (unsigned long long)flash);
    memcpy(c->avr->flash + address, bytes.data, bytes.len);
    return 0;
}

/* Hand over what the receiver has room for. */
static void feed(struct chip *c)
{
    size_t n = 0;

    while (c->may_send && n < c->input.len)
        avr_raise_irq(c->uart_in, (uint8_t)c->input.data[n++]);
    buf_consume(&c->input, n);
}

enum chip_state chip_run(struct chip *c, uint64_t cycles)
{
    const avr_cycle_count_t end = c->avr->cycle + cycles;

    c->waits = false;
    feed(c);
    while (c->avr->cycle < end) {
        const int state = avr_run(c->avr);

        if (state == cpu_Crashed || state == cpu_Stopped)
            return CHIP_CRASHED;
        if (state == cpu_Done)
            return CHIP_DEAD_ASLEEP;
    }
    return CHIP_RUNS;
}

void chip_reset(struct chip *c)
{
    avr_reset(c->avr);
    c->avr->state = cpu_Running;
    (void)avr_regbit_set(c->avr, c->avr->reset_flags.extrf);
}

uint64_t chip_cycles(const struct chip *c)
{
    return c->avr->cycle;
}

uint64_t chip_ns(const struct chip *c, uint64_t cycle)
{
    const uint64_t seconds = cycle / c->clock_hz;

    return seconds * 1000000000u + cycle % c->clock_hz * 1000000000u / c->clock_hz;
}

uint32_t chip_pc(const struct chip *c)
{
    return c->avr->pc;
}

void chip_close(struct chip *c)
{
    /* simavr terminates a core that ended on its own, and must not be asked to twice. */
    if (c->avr != NULL && c->avr->state != cpu_Done)
        avr_terminate(c->avr);
    buf_release(&c->input);
    buf_release(&c->output);
}
