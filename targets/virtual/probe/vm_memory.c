/* Memory through qtest, and past it where that cannot be noticed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "harness/base/log.h"
#include "targets/virtual/probe/vm.h"

#define PIECE 32768 /* bytes of one qtest command */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Send a command; the text after "OK" goes to ret (NULL: dropped). */
static bool command(struct vm *vm, const void *text, size_t n, struct buf *ret)
{
    const struct deadline end = deadline_in_ms(VM_PATIENCE_MS);

    if (vm->broken || !stream_send(&vm->memory, text, n)) {
        vm->broken = true;
        return false;
    }
    for (;;) {
        const size_t line = stream_line(&vm->memory, end);
        const char *at = vm->memory.in.data;
        const bool ok = line >= 2 && memcmp(at, "OK", 2) == 0;
        const bool news = line >= 3 && memcmp(at, "IRQ", 3) == 0;

        if (ok && ret != NULL)
            buf_append(ret, at + (line > 3 ? 3 : 2), line - (line > 3 ? 3 : 2));
        if (line > 0)
            buf_consume(&vm->memory.in, line);
        if (news)
            continue;
        vm->broken = vm->broken || line == 0;
        return ok;
    }
}

bool vm_get(struct vm *vm, uint32_t address, int size, uint32_t *ret)
{
    AUTO_BUF reply = BUF_INIT;
    char text[48];
    const int n = snprintf(text, sizeof(text), "read%c 0x%x\n",
                           size == 1 ? 'b' : (size == 2 ? 'w' : 'l'), address);

    if (!command(vm, text, (size_t)n, &reply))
        return false;
    *ret = (uint32_t)strtoull(buf_text(&reply), NULL, 16);
    return true;
}

bool vm_put(struct vm *vm, uint32_t address, int size, uint32_t value)
{
    char text[64];
    const int n = snprintf(text, sizeof(text), "write%c 0x%x 0x%x\n",
                           size == 1 ? 'b' : (size == 2 ? 'w' : 'l'), address, value);

    return command(vm, text, (size_t)n, NULL);
}

static int digit_value(char c)
{
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

static bool decode(const char *text, uint8_t *out, size_t n)
{
    uint32_t bits = 0;
    size_t done = 0;

    for (int have = 0; done < n; text++) {
        const int v = digit_value(*text);

        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[done++] = (uint8_t)(bits >> have);
        }
    }
    return true;
}

static void encode(struct buf *out, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t v = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                           (left > 2 ? in[i + 2] : 0);
        const char group[4] = {digits[v >> 18], digits[v >> 12 & 63],
                               left > 1 ? digits[v >> 6 & 63] : '=',
                               left > 2 ? digits[v & 63] : '='};

        buf_append(out, group, sizeof(group));
    }
}

/* The guest cannot notice this, and it costs a microsecond. */
static bool read_direct(struct vm *vm, uint32_t address, void *data, size_t n)
{
    const struct vm_region *r = vm_region(vm, address);
    struct iovec ours = {.iov_base = data, .iov_len = n};
    struct iovec theirs = {.iov_len = n};
    uintptr_t at;

    if (!vm->direct || vm->broken || r == NULL || r->host == 0 || n == 0 ||
        n - 1 > r->last - address)
        return false;
    at = (uintptr_t)(r->host + (address - r->first));
    memcpy(&theirs.iov_base, &at, sizeof(at)); /* a pointer of another process */
    if (process_vm_readv(vm->pid, &ours, 1, &theirs, 1, 0) == (ssize_t)n)
        return true;
    log_line(LOG_VIRTUAL, "probe: reading QEMU's memory is not allowed; through qtest then");
    vm->direct = false;
    return false;
}

bool vm_read(struct vm *vm, uint32_t address, void *data, size_t n)
{
    uint8_t *at = data;

    if (read_direct(vm, address, data, n))
        return true;
    while (n > 0) {
        const size_t piece = n < PIECE ? n : PIECE;
        AUTO_BUF reply = BUF_INIT;
        char text[64];
        const int len = snprintf(text, sizeof(text), "b64read 0x%x 0x%zx\n", address, piece);

        if (!command(vm, text, (size_t)len, &reply) || !decode(buf_text(&reply), at, piece))
            return false;
        address += (uint32_t)piece;
        at += piece;
        n -= piece;
    }
    return true;
}

bool vm_write(struct vm *vm, uint32_t address, const void *data, size_t n)
{
    const uint8_t *at = data;

    while (n > 0) {
        const size_t piece = n < PIECE ? n : PIECE;
        AUTO_BUF text = BUF_INIT;

        buf_printf(&text, "b64write 0x%x 0x%zx ", address, piece);
        encode(&text, at, piece);
        buf_putc(&text, '\n');
        if (!command(vm, text.data, text.len, NULL))
            return false;
        address += (uint32_t)piece;
        at += piece;
        n -= piece;
    }
    return true;
}
