#include "targets/virtual/image.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/file.h"

struct elf_start {
    Elf32_Ehdr header;
    Elf32_Phdr segment;
};

/* Of no particular processor: the loader takes any. */
static struct elf_start make_elf_start(uint64_t address, size_t size)
{
    return (struct elf_start){
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
                               EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_version = EV_CURRENT,
                   .e_phoff = sizeof(Elf32_Ehdr),
                   .e_ehsize = sizeof(Elf32_Ehdr),
                   .e_phentsize = sizeof(Elf32_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_offset = sizeof(struct elf_start),
                    .p_vaddr = (Elf32_Addr)address,
                    .p_paddr = (Elf32_Addr)address,
                    .p_filesz = (Elf32_Word)size,
                    .p_memsz = (Elf32_Word)size,
                    .p_flags = PF_R},
    };
}

int image_load(struct image *image, const char *path, uint64_t address, bool as_elf,
               struct err *err)
{
    AUTO_BUF bytes = BUF_INIT;
    int fd;
    struct elf_start start;
    int r = 0;

    if (file_read(path, IMAGE_MAX_BYTES, &bytes, err) < 0)
        return (int)err->code;
    if (bytes.len == 0)
        return err_set(err, ERR_USAGE, "%s: is empty", path);
    if (as_elf && (address > UINT32_MAX || bytes.len > UINT32_MAX - address))
        return err_set(err, ERR_USAGE, "%s: address 0x%llx is beyond 4 GiB", path,
                       (unsigned long long)address);
    fd = memfd_create("flash", MFD_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "%s: no memory for a copy", path);
    if (as_elf) {
        start = make_elf_start(address, bytes.len);
        r = fd_write_all(fd, &start, sizeof(start));
    }
    if (r == 0)
        r = fd_write_all(fd, bytes.data, bytes.len);
    if (r < 0) {
        fd_close(&fd);
        return err_sys(err, -r, "%s: no memory for a copy", path);
    }
    image_release(image);
    *image = (struct image){.fd = fd, .address = address};
    return 0;
}

void image_release(struct image *image)
{
    fd_close(&image->fd);
}
