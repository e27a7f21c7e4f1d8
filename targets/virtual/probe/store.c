#include "targets/virtual/probe/store.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/file.h"

#define ELF_MAX_BYTES (64u << 20)

static uint8_t *allocate(uint32_t n)
{
    uint8_t *p = malloc(n > 0 ? n : 1);

    if (p == NULL)
        abort();
    return p;
}

void store_erase(struct store *s)
{
    memset(s->bytes, s->empty, s->size);
    s->unsaved = true;
}

static int read_file(struct store *s, struct err *err)
{
    AUTO_BUF content = BUF_INIT;

    if (access(s->path, F_OK) < 0)
        return 0;
    if (file_read(s->path, s->size, &content, err) < 0)
        return (int)err->code;
    if (content.len > 0)
        memcpy(s->bytes, content.data, content.len);
    s->unsaved = false;
    return 1;
}

int store_open(struct store *s, uint32_t base, uint32_t size, uint8_t empty, const char *path,
               struct err *err)
{
    *s = (struct store){.base = base, .size = size, .empty = empty, .path = path};
    s->bytes = allocate(size);
    s->scratch = allocate(size);
    store_erase(s);
    return path != NULL ? read_file(s, err) : 0;
}

static int put_segment(struct store *s, const struct buf *file, const Elf32_Phdr *p,
                       const char *path, struct err *err)
{
    if (p->p_type != PT_LOAD || p->p_filesz == 0)
        return 0;
    if (p->p_offset > file->len || p->p_filesz > file->len - p->p_offset)
        return err_set(err, ERR_USAGE, "%s: a segment lies beyond the end of the file", path);
    if (p->p_paddr < s->base || p->p_paddr - s->base > s->size ||
        p->p_filesz > s->size - (p->p_paddr - s->base))
        return err_set(err, ERR_USAGE, "%s: %u bytes at 0x%08x are not in the flash", path,
                       p->p_filesz, p->p_paddr);
    memcpy(s->bytes + (p->p_paddr - s->base), file->data + p->p_offset, p->p_filesz);
    s->unsaved = true;
    return 0;
}

int store_put_elf(struct store *s, const char *path, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    Elf32_Ehdr header;

    if (file_read(path, ELF_MAX_BYTES, &file, err) < 0)
        return (int)err->code;
    if (file.len < sizeof(header))
        return err_set(err, ERR_USAGE, "%s: is no ELF file", path);
    memcpy(&header, file.data, sizeof(header));
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS32 ||
        header.e_phentsize != sizeof(Elf32_Phdr) || header.e_phoff > file.len ||
        header.e_phnum > (file.len - header.e_phoff) / sizeof(Elf32_Phdr))
        return err_set(err, ERR_USAGE, "%s: is no 32-bit ELF file", path);
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf32_Phdr p;

        memcpy(&p, file.data + header.e_phoff + i * sizeof(p), sizeof(p));
        if (put_segment(s, &file, &p, path, err) < 0)
            return (int)err->code;
    }
    return 0;
}

bool store_take(struct store *s, struct vm *vm)
{
    if (!vm_read(vm, s->base, s->scratch, s->size))
        return false;
    if (memcmp(s->bytes, s->scratch, s->size) != 0) {
        uint8_t *taken = s->scratch;

        s->scratch = s->bytes;
        s->bytes = taken;
        s->unsaved = true;
    }
    return true;
}

int store_save(struct store *s, struct err *err)
{
    if (s->path == NULL || s->bytes == NULL || !s->unsaved)
        return 0;
    if (file_write_atomic(s->path, s->bytes, s->size, err) < 0)
        return (int)err->code;
    s->unsaved = false;
    return 0;
}

void store_close(struct store *s)
{
    free(s->bytes);
    free(s->scratch);
    *s = (struct store){.bytes = NULL};
}
