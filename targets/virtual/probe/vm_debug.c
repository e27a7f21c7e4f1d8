/* Run control through the gdbstub. While the machine runs, any byte sent to it stops it. */
#include <stdio.h>
#include <string.h>

#include "targets/virtual/probe/vm.h"

static bool send_packet(struct vm *vm, const char *text)
{
    AUTO_BUF out = BUF_INIT;
    uint8_t sum = 0;

    for (const char *c = text; *c != '\0'; c++)
        sum = (uint8_t)(sum + (uint8_t)*c);
    buf_printf(&out, "$%s#%02x", text, sum);
    if (vm->broken || !stream_send(&vm->debug, out.data, out.len))
        vm->broken = true;
    return !vm->broken;
}

/* The next packet into ret, cut to its size. False: none came in time. */
static bool take_packet(struct vm *vm, char *ret, size_t size, struct deadline end)
{
    struct stream *s = &vm->debug;

    for (;;) {
        const char *start = s->in.len > 0 ? memchr(s->in.data, '$', s->in.len) : NULL;
        const size_t left = start != NULL ? s->in.len - (size_t)(start - s->in.data) : 0;
        const char *hash = start != NULL ? memchr(start, '#', left) : NULL;

        if (hash != NULL && (size_t)(hash - s->in.data) + 3 <= s->in.len) {
            const size_t n = (size_t)(hash - start) - 1;
            const size_t kept = n < size ? n : size - 1;

            memcpy(ret, start + 1, kept);
            ret[kept] = '\0';
            buf_consume(&s->in, (size_t)(hash - s->in.data) + 3);
            return true;
        }
        if (!stream_fill(s, end) && (s->fd < 0 || deadline_passed(end))) {
            vm->broken = vm->broken || s->fd < 0;
            return false;
        }
    }
}

static bool ask(struct vm *vm, const char *text, char reply[static VM_REPLY_MAX])
{
    if (!send_packet(vm, text))
        return false;
    if (!take_packet(vm, reply, VM_REPLY_MAX, deadline_in_ms(VM_PATIENCE_MS)))
        vm->broken = true;
    return !vm->broken;
}

static bool order(struct vm *vm, const char *text)
{
    char reply[VM_REPLY_MAX];

    return ask(vm, text, reply) && strcmp(reply, "OK") == 0;
}

bool vm_debug_start(struct vm *vm)
{
    char reply[VM_REPLY_MAX];

    return ask(vm, "qSupported:xmlRegisters=arm", reply) && ask(vm, "?", reply) &&
           ask(vm, "qXfer:features:read:target.xml:0,ffb", reply);
}

/* ---- registers: hex, the lowest byte first ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return 0;
}

static uint32_t parse_word(const char *text)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v |= (uint32_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1])) << 8 * i;
    return v;
}

bool vm_get_registers(struct vm *vm, uint32_t regs[static 17])
{
    char reply[VM_REPLY_MAX];

    if (!ask(vm, "g", reply) || strlen(reply) < (size_t)17 * 8)
        return false;
    for (size_t i = 0; i < 17; i++)
        regs[i] = parse_word(reply + 8 * i);
    return true;
}

static bool set_bytes(struct vm *vm, int number, uint64_t value, int bytes)
{
    char text[40];
    int n = snprintf(text, sizeof(text), "P%x=", (unsigned)number);

    for (int i = 0; i < bytes; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", (unsigned)(value >> 8 * i & 255));
    return order(vm, text);
}

bool vm_set_register(struct vm *vm, int number, uint32_t value)
{
    return set_bytes(vm, number, value, 4);
}

static bool get_text(struct vm *vm, int number, size_t digits, char reply[static VM_REPLY_MAX])
{
    char text[16];

    (void)snprintf(text, sizeof(text), "p%x", (unsigned)number);
    return ask(vm, text, reply) && strlen(reply) >= digits;
}

bool vm_get_word(struct vm *vm, int number, uint32_t *ret)
{
    char reply[VM_REPLY_MAX];

    if (!get_text(vm, number, 8, reply))
        return false;
    *ret = parse_word(reply);
    return true;
}

bool vm_get_double(struct vm *vm, int n, uint64_t *ret)
{
    char reply[VM_REPLY_MAX];

    if (!get_text(vm, VM_D0 + n, 16, reply))
        return false;
    *ret = parse_word(reply) | (uint64_t)parse_word(reply + 8) << 32;
    return true;
}

bool vm_set_double(struct vm *vm, int n, uint64_t value)
{
    return set_bytes(vm, VM_D0 + n, value, 8);
}

bool vm_break(struct vm *vm, bool set, enum vm_break kind, uint32_t address, unsigned length)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "%c%d,%x,%u", set ? 'Z' : 'z', (int)kind, address, length);
    return order(vm, text);
}

/* ---- running ---- */

void vm_continue(struct vm *vm)
{
    vm->running = send_packet(vm, "c");
}

bool vm_poll_stop(struct vm *vm, unsigned wait_ms)
{
    const struct deadline end = deadline_in_ms(wait_ms);

    while (vm->running && take_packet(vm, vm->stop_reply, sizeof(vm->stop_reply), end)) {
        if (vm->stop_reply[0] == 'T' || vm->stop_reply[0] == 'S') {
            vm->running = false;
            return true;
        }
    }
    return false;
}

static bool await_stop(struct vm *vm)
{
    if (vm_poll_stop(vm, VM_PATIENCE_MS))
        return true;
    vm->broken = true;
    vm->running = false;
    return false;
}

bool vm_step(struct vm *vm)
{
    vm->running = send_packet(vm, "s");
    return vm->running && await_stop(vm);
}

bool vm_halt(struct vm *vm)
{
    static const char interrupt = 3;

    if (!vm->running)
        return !vm->broken;
    if (vm_poll_stop(vm, 0))
        return true;
    if (!stream_send(&vm->debug, &interrupt, 1))
        vm->broken = true;
    return await_stop(vm);
}
