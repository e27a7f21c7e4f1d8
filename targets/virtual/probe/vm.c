#include "targets/virtual/probe/vm.h"

#include "harness/base/file.h"

#define CPUID 0xe000ed00u

const struct vm_region *vm_region(const struct vm *vm, uint32_t address)
{
    for (int i = 0; i < vm->region_count; i++) {
        if (address >= vm->regions[i].first && address <= vm->regions[i].last)
            return &vm->regions[i];
    }
    return NULL;
}

static int check_memory(struct vm *vm, struct err *err)
{
    uint32_t cpuid = 0;

    if (!vm_get(vm, CPUID, 4, &cpuid))
        return err_set(err, ERR_LAB, "probe: QEMU's qtest interface does not answer");
    if (cpuid >> 24 != 0x41)
        return err_set(err, ERR_LAB, "probe: CPUID reads 0x%08x, which is no Arm core", cpuid);
    return 0;
}

int vm_open(struct vm *vm, int fds[static VM_STREAMS], pid_t pid, struct err *err)
{
    vm_close(vm);
    vm->pid = pid;
    vm->direct = true;
    vm->broken = false;
    stream_open(&vm->memory, fd_take(&fds[VM_STREAM_MEMORY]));
    stream_open(&vm->debug, fd_take(&fds[VM_STREAM_DEBUG]));
    stream_open(&vm->orders, fd_take(&fds[VM_STREAM_ORDERS]));
    if (!vm_orders_start(vm) || vm->region_count == 0)
        return err_set(err, ERR_LAB, "probe: no memory map from QEMU");
    if (!vm_debug_start(vm))
        return err_set(err, ERR_LAB, "probe: QEMU's gdbstub does not answer");
    return check_memory(vm, err);
}

void vm_close(struct vm *vm)
{
    stream_close(&vm->memory);
    stream_close(&vm->debug);
    stream_close(&vm->orders);
    vm->region_count = 0;
    vm->running = false;
    vm->broken = true;
    vm->pid = -1;
}
