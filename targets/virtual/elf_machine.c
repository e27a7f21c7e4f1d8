#include "targets/virtual/elf_machine.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"

int elf_machine_read(const char *path, enum elf_machine *ret, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    Elf32_Ehdr header; /* the fields we read lie at the same place in the 64-bit header */
    ssize_t n;

    if (fd < 0)
        return err_set(err, ERR_USAGE, "%s: %s", path, strerror(errno));
    n = read(fd, &header, sizeof(header));
    if (n != (ssize_t)sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_EXEC)
        return err_set(err, ERR_USAGE, "%s: not an ELF executable for a microcontroller", path);
    *ret = ELF_MACHINE_OTHER;
    if (header.e_ident[EI_CLASS] != ELFCLASS32)
        return 0;
    if (header.e_machine == EM_ARM)
        *ret = ELF_MACHINE_ARM;
    else if (header.e_machine == EM_RISCV)
        *ret = ELF_MACHINE_RISCV32;
    else if (header.e_machine == EM_AVR)
        *ret = ELF_MACHINE_AVR;
    return 0;
}

const char *elf_machine_name(enum elf_machine machine)
{
    static const char *const names[] = {
        [ELF_MACHINE_OTHER] = "another processor",
        [ELF_MACHINE_ARM] = "ARM",
        [ELF_MACHINE_RISCV32] = "RISC-V (rv32)",
        [ELF_MACHINE_AVR] = "AVR",
    };

    return names[machine];
}
