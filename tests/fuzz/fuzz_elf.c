/* Firmware files and linker maps nobody vouches for: the map is what follows its heading. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/elf/customs.h"
#include "harness/elf/footprint.h"
#include "harness/elf/image.h"
#include "tests/fuzz/fuzz.h"

static const char heading[] = "\nLinker script and memory map\n";

/* A map that fits to all of our images' first bytes of flash, behind the file. */
void fuzz_prepare(struct buf *file)
{
    buf_puts(file, heading);
    buf_puts(file, ".text 0x0 0x10\n *(.text)\n .text.x 0x0 0x8 a/libcore-x.a(x.c.o)\n"
                   " .text.a_long_name\n  0x8 0x8 a/liby.a(z.o)\n *fill* 0x8 0x2\n"
                   ".rodata\n  0x0 0x4\n .rodata 0x4 0x4 b.o\n");
}

static void try_image(const uint8_t *data, size_t size, struct arena *arena)
{
    struct err err = ERR_INIT;
    struct elf_image image;
    const char *const *names = NULL;
    uint32_t value = 0;

    if (elf_image_parse(data, size, "fuzz", arena, &image, &err) < 0)
        return;
    (void)elf_customs(&image, arena, &names);
    (void)elf_image_symbol(&image, "port_layout", &value, NULL);
    (void)elf_image_patch(&image, value, "1234", 4);
    if (elf_image_move(&image, 0x10000, &err) < 0 && err.text[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct footprint f;
    const uint8_t *split = memmem(data, size, heading, strlen(heading));
    AUTO_BUF map = BUF_INIT;

    if (split != NULL)
        buf_append(&map, split, size - (size_t)(split - data));
    if (footprint_parse(data, split != NULL ? (size_t)(split - data) : size,
                        split != NULL ? buf_text(&map) : NULL, "fuzz", &arena, &f, &err) == 0) {
        (void)footprint_note_value(&f, "compiler", &arena);
        if (strlen(f.build_id) > 128)
            abort();
    }
    try_image(data, size, &arena);
    arena_release(&arena);
    return 0;
}
