#include "harness/elf/build_id.h"

#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/elf/footprint.h"

enum {
    FILE_MAX = 256 * 1024 * 1024,
    ID_MAX = 64
};

static bool id_of_section(Elf_Scn *section, char ret[static BUILD_ID_TEXT])
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t at = 0, next, name, desc;
    GElf_Nhdr n;

    while (data != NULL && at < data->d_size &&
           (next = gelf_getnote(data, at, &n, &name, &desc)) > at) {
        const char *bytes = data->d_buf;

        if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && memcmp(bytes + name, "GNU", 4) == 0 &&
            n.n_descsz <= ID_MAX) {
            hex_encode(bytes + desc, n.n_descsz, ret);
            return true;
        }
        at = next;
    }
    return false;
}

/* 0 found, 1 not, negative: no ELF file. Both classes: the native agent is of the host's. */
static int id_of_notes(const struct buf *file, const char *path, char ret[static BUILD_ID_TEXT],
                       struct err *err)
{
    Elf_Scn *section = NULL;
    GElf_Shdr s;
    Elf *elf;
    int r = 1;

    (void)elf_version(EV_CURRENT);
    elf = elf_memory(file->data, file->len);
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF) {
        (void)elf_end(elf);
        return err_set(err, ERR_CONFIG, "%s: no ELF file", path);
    }
    while (r == 1 && (section = elf_nextscn(elf, section)) != NULL) {
        if (gelf_getshdr(section, &s) != NULL && s.sh_type == SHT_NOTE)
            r = id_of_section(section, ret) ? 0 : 1;
    }
    (void)elf_end(elf);
    return r;
}

int build_id_read(const char *path, char ret[static BUILD_ID_TEXT], struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct footprint f;
    int r = file_read(path, FILE_MAX, &file, err);

    if (r == 0)
        r = id_of_notes(&file, path, ret, err);
    if (r != 1)
        return r;
    /* AVR images carry it as data, found by its symbol. */
    if (footprint_read(path, &arena, &f, err) < 0) {
        err_clear(err);
        return 1;
    }
    (void)snprintf(ret, BUILD_ID_TEXT, "%s", f.build_id);
    return ret[0] != '\0' ? 0 : 1;
}
