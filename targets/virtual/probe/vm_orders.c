/* QMP: reset, and the memory map, which only the human monitor tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/virtual/probe/vm.h"

enum message {
    MESSAGE_NONE, /* in time, or ever again */
    MESSAGE_EVENT,
    MESSAGE_REPLY
};

/* The next line; a reply goes to ret (NULL: dropped). Counts the resets that go by. */
static enum message take_message(struct vm *vm, struct buf *ret, struct deadline end)
{
    const size_t n = stream_line(&vm->orders, end);
    const char *at = vm->orders.in.data;
    bool event;

    if (n == 0) {
        vm->broken = vm->broken || vm->orders.fd < 0;
        return MESSAGE_NONE;
    }
    event = memmem(at, n, "\"event\":", 8) != NULL;
    if (event && memmem(at, n, "\"event\": \"RESET\"", 16) != NULL)
        vm->resets++;
    if (!event && ret != NULL)
        buf_append(ret, at, n);
    buf_consume(&vm->orders.in, n);
    return event ? MESSAGE_EVENT : MESSAGE_REPLY;
}

static bool take_reply(struct vm *vm, struct buf *ret)
{
    const struct deadline end = deadline_in_ms(VM_PATIENCE_MS);
    enum message got;

    do {
        got = take_message(vm, ret, end);
    } while (got == MESSAGE_EVENT);
    return got == MESSAGE_REPLY;
}

static bool execute(struct vm *vm, const char *command, struct buf *ret)
{
    if (vm->broken || !stream_send(&vm->orders, command, strlen(command)) || !take_reply(vm, ret))
        vm->broken = true;
    return !vm->broken;
}

void vm_drain_orders(struct vm *vm)
{
    while (take_message(vm, NULL, deadline_in_ms(0)) != MESSAGE_NONE)
        ;
}

bool vm_reset(struct vm *vm)
{
    const struct deadline end = deadline_in_ms(VM_PATIENCE_MS);
    unsigned before;

    vm_drain_orders(vm);
    before = vm->resets;
    if (!execute(vm, "{\"execute\":\"system_reset\"}\n", NULL))
        return false;
    while (vm->resets == before && take_message(vm, NULL, end) != MESSAGE_NONE)
        ;
    return vm->resets != before;
}

/* The text a monitor command prints; \r\n come out as \n, nothing else is escaped in it. */
static bool monitor(struct vm *vm, const char *command, struct buf *ret)
{
    AUTO_BUF line = BUF_INIT;
    AUTO_BUF reply = BUF_INIT;
    const char *at;

    buf_printf(&line,
               "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"}}\n",
               command);
    if (!execute(vm, buf_text(&line), &reply))
        return false;
    at = strstr(buf_text(&reply), "\"return\": \"");
    for (at = at != NULL ? at + 11 : ""; *at != '\0' && *at != '"'; at++) {
        if (*at != '\\' || at[1] == '\0') {
            buf_putc(ret, *at);
        } else if (*++at != 'r') {
            buf_putc(ret, *at);
            if (*at == 'n')
                ret->data[ret->len - 1] = '\n';
        }
    }
    return true;
}

/* "e000ed20: 0x00000000" */
bool vm_peek(struct vm *vm, uint32_t address, uint32_t *ret)
{
    AUTO_BUF reply = BUF_INIT;
    char command[40];
    const char *colon;

    (void)snprintf(command, sizeof(command), "x/1wx 0x%x", address);
    if (!monitor(vm, command, &reply))
        return false;
    colon = strchr(buf_text(&reply), ':');
    *ret = colon != NULL ? (uint32_t)strtoul(colon + 1, NULL, 16) : 0;
    return colon != NULL;
}

static enum vm_memory memory_kind(const char *word)
{
    if (strcmp(word, "ram") == 0)
        return VM_RAM;
    if (strcmp(word, "rom") == 0)
        return VM_ROM;
    return strcmp(word, "romd") == 0 ? VM_ROM_DEVICE : VM_IO;
}

/* "  0000000000000000-000000000003ffff (prio 0, romd): nrf51_soc.flash" */
static bool parse_region(const char *line, struct vm_region *ret)
{
    char *end;
    const unsigned long long first = strtoull(line, &end, 16);
    unsigned long long last;
    const char *comma;
    char word[8];

    if (end == line || *end != '-')
        return false;
    last = strtoull(end + 1, &end, 16);
    comma = strncmp(end, " (prio ", 7) == 0 ? strchr(end, ',') : NULL;
    if (comma == NULL || comma[1] != ' ' || first > UINT32_MAX)
        return false;
    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(comma + 2, ")"), comma + 2);
    *ret = (struct vm_region){.first = (uint32_t)first,
                              .last = last > UINT32_MAX ? UINT32_MAX : (uint32_t)last,
                              .kind = memory_kind(word)};
    return true;
}

/* The flat view of the CPU's own address space, which QEMU prints once for all that share it. */
static void parse_map(struct vm *vm, const char *text)
{
    const char *line = strstr(text, "AS \"cpu-memory-0\"");

    while (line != NULL && (line = strchr(line, '\n')) != NULL &&
           vm->region_count < VM_REGIONS_MAX) {
        line++;
        if (parse_region(line, &vm->regions[vm->region_count]))
            vm->region_count++;
        else if (vm->region_count > 0)
            return;
    }
}

static bool find_host_address(struct vm *vm, struct vm_region *r)
{
    AUTO_BUF reply = BUF_INIT;
    char command[40];
    const char *at;

    (void)snprintf(command, sizeof(command), "gpa2hva 0x%x", r->first);
    if (!monitor(vm, command, &reply))
        return false;
    at = strstr(buf_text(&reply), " is 0x");
    r->host = at != NULL ? strtoull(at + 4, NULL, 16) : 0;
    return true;
}

bool vm_orders_start(struct vm *vm)
{
    AUTO_BUF map = BUF_INIT;

    if (!take_reply(vm, NULL) || /* the greeting */
        !execute(vm, "{\"execute\":\"qmp_capabilities\"}\n", NULL) ||
        !monitor(vm, "info mtree -f", &map))
        return false;
    parse_map(vm, buf_text(&map));
    for (int i = 0; i < vm->region_count; i++) {
        if (vm->regions[i].kind != VM_IO && !find_host_address(vm, &vm->regions[i]))
            return false;
    }
    return true;
}
