/* Flash back-ends that need no hardware, firmware identity, and images that move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/elf/image.h"
#include "harness/flash/flash.h"
#include "tests/unit/unit.h"

static void every_method_of_a_board_file_is_known(void **state)
{
    static const char *const methods[] = {"none", "qemu", "openocd", "inject", "command"};

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        const struct flash_ops *ops = flash_find(methods[i]);

        assert_non_null(ops);
        assert_string_equal(ops->name, methods[i]);
        assert_non_null(ops->program);
        assert_true(ops->help[0] != '\0');
    }
    assert_null(flash_find("nonsense"));
}

/* ---- command ---- */

static int run_command(const char *const *words, uint64_t timeout_ns, struct err *err)
{
    const struct board board = {.name = "b",
                                .flashing = {.command = words, .timeout_ns = timeout_ns}};
    const struct flash_job job = {.board = &board, .firmware = "/x y/$(id).elf", .port = "p0"};

    return flash_find("command")->program(&job, err);
}

static void a_tool_gets_its_words_unread_by_a_shell(void **state)
{
    static const char *const good[] = {"test", "U=flash:w:{firmware}:{port}", "=",
                                       "U=flash:w:/x y/$(id).elf:p0", NULL};
    static const char *const bad[] = {"test", "{firmware}", "=", "x", NULL};
    struct err err = ERR_INIT;

    assert_int_equal(run_command(good, 0, &err), 0);
    assert_int_equal(run_command(bad, 0, &err), ERR_FLASH);
    assert_non_null(strstr(err.text, "exited with status 1"));
}

static void a_tool_that_is_missing_or_stuck_is_told(void **state)
{
    static const char *const missing[] = {"tinyrig-no-such-tool", NULL};
    static const char *const stuck[] = {"sleep", "60", NULL};
    static const char *const talks[] = {"ls", "/tinyrig-nowhere", NULL};
    struct err err = ERR_INIT;

    assert_true(run_command(missing, 0, &err) < 0);
    assert_non_null(strstr(err.hint, "installed"));
    err_clear(&err);
    assert_int_equal(run_command(stuck, 100 * 1000000ull, &err), ERR_TIMEOUT);
    err_clear(&err);
    assert_int_equal(run_command(talks, 0, &err), ERR_FLASH);
    assert_non_null(strstr(err.text, "tinyrig-nowhere")); /* its own last words */
}

/* ---- firmware of this build ---- */

static const char *image_path(const char *name)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s.elf", getenv("TINYRIG_FIRMWARE"), name);
    if (access(path, R_OK) < 0)
        skip();
    return path;
}

static void firmware_that_answers_is_compared_with_its_file(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *path = image_path("microbit-rtt");
    struct elf_image image;
    struct err err = ERR_INIT;
    uint8_t id[8];

    assert_int_equal(elf_image_read(path, &arena, &image, &err), 0);
    for (size_t i = 0; i < sizeof(id); i++) {
        char byte[3] = {image.build_id[2 * i], image.build_id[2 * i + 1], 0};

        id[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    assert_int_equal(flash_check_identity(path, id, &err), 0);
    id[7] ^= 1;
    assert_int_equal(flash_check_identity(path, id, &err), ERR_LAB);
    assert_non_null(strstr(err.text, "is not"));
}

static void an_image_knows_its_bytes_and_symbols(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct elf_image image;
    struct err err = ERR_INIT;
    uint32_t block = 0;
    uint32_t size = 0;

    assert_int_equal(elf_image_read(image_path("microbit-rtt"), &arena, &image, &err), 0);
    assert_true(image.arm && image.segment_count > 0 && image.size > 4096);
    assert_int_equal(image.segments[0].load, 0);
    assert_true(elf_image_symbol(&image, "rtt_block", &block, &size));
    assert_true(block >= 0x20000000 && block < 0x20008000);
    assert_int_equal(size, 72);
    assert_false(elf_image_symbol(&image, "no_such_symbol", &block, &size));
    /* Linked for flash, without its relocations: it stays where it is. */
    assert_int_equal(elf_image_move(&image, 0x10000, &err), ERR_CONFIG);
}

static uint32_t word_at(const struct elf_image *image, uint32_t address)
{
    uint32_t word = 0;

    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];

        if (address >= s->address && address - s->address + 4 <= s->size)
            memcpy(&word, s->bytes + (address - s->address), 4);
    }
    return word;
}

static void an_image_to_inject_moves_with_its_addresses(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *path = image_path("inject-cm4f");
    struct elf_image image;
    struct elf_image moved;
    struct err err = ERR_INIT;
    const uint32_t delta = 0x30000;
    const uint32_t patch = 0x12345678;
    uint32_t layout = 0;
    uint32_t vectors = 0;

    assert_int_equal(elf_image_read(path, &arena, &image, &err), 0);
    assert_int_equal(elf_image_read(path, &arena, &moved, &err), 0);
    assert_int_equal(elf_image_move(&moved, 0x8000, &err), ERR_CONFIG); /* not by 64 KiB */
    err_clear(&err);
    assert_int_equal(elf_image_move(&moved, delta, &err), 0);
    assert_int_equal(moved.entry, image.entry + delta);
    /* The vectors: top of the stack and the start, both places in the image. */
    assert_true(elf_image_symbol(&image, "vectors", &vectors, NULL));
    for (uint32_t at = vectors; at < vectors + 8; at += 4) {
        assert_true(word_at(&image, at) >= 0x20000000);
        assert_int_equal(word_at(&moved, at + delta), word_at(&image, at) + delta);
    }
    assert_true(elf_image_symbol(&moved, "port_layout", &layout, NULL));
    assert_true(elf_image_patch(&moved, layout + delta, &patch, sizeof(patch)));
    assert_int_equal(word_at(&moved, layout + delta), patch);
    assert_false(elf_image_patch(&moved, 0, &patch, sizeof(patch)));
    assert_int_equal(elf_image_move(&moved, delta, &err), ERR_CONFIG); /* once is enough */
}

static void garbage_is_no_firmware(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct elf_image image;
    struct err err = ERR_INIT;

    assert_int_equal(elf_image_parse("\x7f"
                                     "ELF",
                                     4, "x", &arena, &image, &err),
                     ERR_CONFIG);
    err_clear(&err);
    assert_int_equal(elf_image_parse("", 0, "x", &arena, &image, &err), ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_of_a_board_file_is_known),
        cmocka_unit_test(a_tool_gets_its_words_unread_by_a_shell),
        cmocka_unit_test(a_tool_that_is_missing_or_stuck_is_told),
        cmocka_unit_test(firmware_that_answers_is_compared_with_its_file),
        cmocka_unit_test(an_image_knows_its_bytes_and_symbols),
        cmocka_unit_test(an_image_to_inject_moves_with_its_addresses),
        cmocka_unit_test(garbage_is_no_firmware),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
