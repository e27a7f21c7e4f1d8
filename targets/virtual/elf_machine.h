/* Which processor an ELF file is for: enough to pick the emulator and to refuse a mix-up. */
#ifndef TARGETS_VIRTUAL_ELF_MACHINE_H
#define TARGETS_VIRTUAL_ELF_MACHINE_H

#include "harness/base/base.h"
#include "harness/base/err.h"

enum elf_machine {
    ELF_MACHINE_OTHER,
    ELF_MACHINE_ARM,
    ELF_MACHINE_RISCV32,
    ELF_MACHINE_AVR
};

/* ERR_USAGE when path is not a little-endian ELF executable. */
int elf_machine_read(const char *path, enum elf_machine *ret, struct err *err) MUST_CHECK;
const char *elf_machine_name(enum elf_machine machine);

#endif
