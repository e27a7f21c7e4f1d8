#include <string.h>

#include "harness/spec/dataset.h"
#include "harness/spec/metric.h"
#include "harness/spec/samples.h"
#include "tests/unit/unit.h"

static void samples_survive_packing(void **state)
{
    static const uint64_t samples[] = {1000, 1001, 999, 0, UINT64_MAX, 1ull << 63, 5, 5};
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    AUTO_BUF packed = BUF_INIT;
    const uint64_t *back;
    size_t count;

    samples_pack(samples, ARRAY_SIZE(samples), &packed);
    assert_int_equal(samples_unpack(packed.data, packed.len, &arena, &back, &count, &err), 0);
    assert_int_equal(count, ARRAY_SIZE(samples));
    assert_memory_equal(back, samples, sizeof(samples));
    arena_release(&arena);
}

/* Worked by hand from the layout in samples.h. */
static void near_equal_samples_take_one_byte_each(void **state)
{
    static const uint64_t samples[] = {300, 301, 299};
    static const uint8_t expected[] = {1, 0xd8, 0x04, 0x02, 0x03};
    AUTO_BUF packed = BUF_INIT;

    samples_pack(samples, ARRAY_SIZE(samples), &packed);
    assert_int_equal(packed.len, sizeof(expected));
    assert_memory_equal(packed.data, expected, sizeof(expected));
}

static void refuses_damaged_samples(void **state)
{
    static const char *const bad[] = {"", "\x02\x05", "\x01\x80", "\x01\x80\x00",
                                      "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"};
    static const size_t sizes[] = {0, 2, 2, 3, 11};
    struct arena arena = ARENA_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = ERR_INIT;
        const uint64_t *back;
        size_t count;

        assert_int_equal(samples_unpack(bad[i], sizes[i], &arena, &back, &count, &err), ERR_CONFIG);
    }
    arena_release(&arena);
}

static void every_metric_name_is_found_at_its_place(void **state)
{
    for (size_t i = 0; i < metric_info_count; i++) {
        assert_int_equal(metric_info_rank(metric_infos[i].name), i);
        assert_ptr_equal(metric_info_find(metric_infos[i].name), &metric_infos[i]);
    }
    assert_null(metric_info_find("no.such.metric"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_survive_packing),
        cmocka_unit_test(near_equal_samples_take_one_byte_each),
        cmocka_unit_test(refuses_damaged_samples),
        cmocka_unit_test(every_metric_name_is_found_at_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
