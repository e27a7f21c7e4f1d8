/* Footprints of the firmware in this build against GNU size, and of files that lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/proc.h"
#include "harness/elf/footprint.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int release(void **state)
{
    arena_release(&arena);
    return 0;
}

static const char *firmware(const char *name)
{
    const char *folder = getenv("TINYRIG_FIRMWARE");
    const char *path = arena_printf(&arena, "%s/%s.elf", folder != NULL ? folder : ".", name);
    AUTO_BUF bytes = BUF_INIT;
    struct err err = ERR_INIT;

    if (file_read(path, (size_t)1 << 26, &bytes, &err) < 0) {
        print_message("skipped: no firmware in this build (%s)\n", err.text);
        skip();
    }
    return path;
}

/* text, data, bss as the toolchain's own size program says. */
static void gnu_size(const char *tool, const char *path, unsigned long long ret[3])
{
    const char *const argv[] = {tool, path, NULL};
    AUTO(proc_release) struct proc p = PROC_INIT;
    struct err err = ERR_INIT;
    char line[256];
    FILE *out;

    if (proc_start(
            &p, &(struct proc_options){.argv = argv, .stdio = {PROC_NULL, PROC_PIPE, PROC_INHERIT}},
            &err) < 0)
        skip();
    out = fdopen(p.stdio[1], "r");
    p.stdio[1] = -1;
    assert_non_null(fgets(line, sizeof(line), out));
    assert_non_null(fgets(line, sizeof(line), out));
    ret[0] = strtoull(line, NULL, 10);
    ret[1] = strtoull(strchr(line, '\t') + 1, NULL, 10);
    ret[2] = strtoull(strchr(strchr(line, '\t') + 1, '\t') + 1, NULL, 10);
    (void)fclose(out);
}

static void agrees_with_gnu_size(const char *name, const char *tool)
{
    const char *path = firmware(name);
    unsigned long long size[3];
    struct footprint f;
    struct err err = ERR_INIT;

    if (footprint_read(path, &arena, &f, &err) < 0)
        fail_msg("%s", err.text);
    gnu_size(tool, path, size);
    assert_int_equal(f.total.code + f.total.constants, size[0]);
    assert_int_equal(f.total.data, size[1]);
    assert_int_equal(f.total.bss + f.total.reserved, size[2]);
}

static void agrees_with_gnu_size_on_arm(void **state)
{
    agrees_with_gnu_size("netduinoplus2", "arm-none-eabi-size");
}

static void agrees_with_gnu_size_on_riscv(void **state)
{
    agrees_with_gnu_size("rv32-virt", "riscv64-unknown-elf-size");
}

static void agrees_with_gnu_size_on_avr(void **state)
{
    agrees_with_gnu_size("atmega1284p", "avr-size");
}

static void objects_add_up_to_the_sections(void **state)
{
    struct footprint f;
    struct err err = ERR_INIT;
    struct footprint_bytes kernels;
    struct footprint_bytes sum;

    if (footprint_read(firmware("netduinoplus2"), &arena, &f, &err) < 0)
        fail_msg("%s", err.text);
    sum = footprint_of(&f, "");
    assert_int_equal(sum.code, f.total.code);
    assert_int_equal(sum.constants, f.total.constants);
    assert_int_equal(sum.bss, f.total.bss);
    kernels = footprint_of(&f, "libkernels");
    assert_in_range(kernels.code, 1000, f.total.code);
}

static void tells_where_the_image_came_from(void **state)
{
    struct footprint f;
    struct err err = ERR_INIT;

    if (footprint_read(firmware("netduinoplus2"), &arena, &f, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(f.machine, "arm");
    assert_true(strlen(f.build_id) >= 16);
    assert_string_equal(footprint_note_value(&f, "board", &arena), "netduinoplus2");
    assert_non_null(strstr(footprint_note_value(&f, "flags", &arena), "-mcpu=cortex-m4"));
    assert_null(footprint_note_value(&f, "nonsense", &arena));
}

static void refuses_what_is_no_firmware(void **state)
{
    struct footprint f;
    struct err err = ERR_INIT;

    assert_int_equal(footprint_parse("hello", 5, NULL, "x", &arena, &f, &err), ERR_CONFIG);
    err_clear(&err);
    assert_int_equal(footprint_read("/proc/self/exe", &arena, &f, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "not a 32-bit ELF file"));
}

/* Every byte of the headers wrong in turn, and every truncation: an answer or an error, no crash. */
static void survives_damaged_files(void **state)
{
    const char *path = firmware("microbit-null");
    AUTO_BUF bytes = BUF_INIT;
    struct err err = ERR_INIT;
    size_t step;

    assert_int_equal(file_read(path, (size_t)1 << 26, &bytes, &err), 0);
    step = bytes.len / 200 + 1;
    for (size_t n = 0; n < bytes.len; n += step) {
        AUTO(arena_release) struct arena a = ARENA_INIT;
        struct err ignored = ERR_INIT;
        struct footprint f;

        (void)!footprint_parse(bytes.data, n, NULL, "cut", &a, &f, &ignored);
    }
    for (size_t i = 0; i < 52; i++) {
        AUTO(arena_release) struct arena a = ARENA_INIT;
        struct err ignored = ERR_INIT;
        struct footprint f;

        ((unsigned char *)bytes.data)[i] ^= 0xffu;
        (void)!footprint_parse(bytes.data, bytes.len, NULL, "bad", &a, &f, &ignored);
        ((unsigned char *)bytes.data)[i] ^= 0xffu;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_gnu_size_on_arm),
        cmocka_unit_test(agrees_with_gnu_size_on_riscv),
        cmocka_unit_test(agrees_with_gnu_size_on_avr),
        cmocka_unit_test(objects_add_up_to_the_sections),
        cmocka_unit_test(tells_where_the_image_came_from),
        cmocka_unit_test(refuses_what_is_no_firmware),
        cmocka_unit_test(survives_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
