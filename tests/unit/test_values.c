/*
 * Each kind of value: what the parser takes is what the schema's pattern takes. The pattern is run
 * by the C library's regular expressions, which share nothing with the parser.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/load/value.h"
#include "tests/unit/unit.h"

static uint32_t dice = 1;

static uint32_t below(uint32_t n)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % n;
}

static const char *const seeds[] = {
    "virt-m4",
    "tag:cortex-m",
    "virt-*",
    "64KiB",
    "1_000",
    "0x20",
    "500ms",
    "1.5 us",
    "8h",
    "16MHz",
    "3.3V",
    "12uA",
    "20mAh",
    "2.5",
    "85%",
    "0.85",
    "0483:374b",
    "C0FFEE-1",
    "true",
    "target/nrf52.cfg",
    "-1",
    "lab:71",
    "127.0.0.1:7184",
    "5\u00b5s",
    "9 GB",
    ".5",
    "1.",
    "7d",
    "board/../x",
    "interface/a.cfg",
};

/* A seed with a few characters changed, dropped or added. */
static void make(char text[static 64])
{
    static const char letters[] = "0123456789aAbBeFgGhHiKkmMnuVxz._+-*?: %/\u00b5";

    (void)snprintf(text, 64, "%s", seeds[below(ARRAY_SIZE(seeds))]);
    for (uint32_t changes = below(4); changes > 0; changes--) {
        const size_t n = strlen(text);
        const size_t at = below((uint32_t)n + 1);

        switch (below(3)) {
        case 0:
            if (at < n)
                text[at] = letters[below(sizeof(letters) - 1)];
            break;
        case 1:
            if (at < n)
                memmove(text + at, text + at + 1, n - at);
            break;
        default:
            memmove(text + at + 1, text + at, n - at + 1);
            text[at] = letters[below(sizeof(letters) - 1)];
        }
    }
}

/* Where a pattern cannot say everything: ranges, and folders that go up. */
static bool may_be_stricter(enum value_kind kind, const char *text)
{
    switch (kind) {
    case VALUE_ENDPOINT:
    case VALUE_RATIO:
        return true;
    case VALUE_SCRIPT:
        return strstr(text, "..") != NULL;
    case VALUE_HERTZ:
    case VALUE_VOLTS:
        return strpbrk(text, "kMG") != NULL || strlen(text) > 7;
    default:
        return strlen(text) > 12;
    }
}

static void the_parser_and_the_schema_agree(void **state)
{
    const struct where where = {.file = "f.yaml"};

    for (int kind = 0; kind < VALUE_KINDS; kind++) {
        const struct value_rule rule = {.kind = (enum value_kind)kind};
        regex_t regex;
        int taken = 0;

        if (value_kinds[kind].pattern == NULL)
            continue;
        assert_int_equal(regcomp(&regex, value_kinds[kind].pattern, REG_EXTENDED | REG_NOSUB), 0);
        for (int i = 0; i < 20000; i++) {
            AUTO(arena_release) struct arena arena = ARENA_INIT;
            _Alignas(max_align_t) unsigned char place[64];
            char text[64];
            bool stored, matched;

            make(text);
            stored = value_store(&rule, text, &where, &arena, place);
            matched = regexec(&regex, text, 0, NULL, 0) == 0;
            taken += stored;
            if (stored && !matched)
                fail_msg("%s: '%s' is taken, but not by %s", value_kinds[kind].name, text,
                         value_kinds[kind].pattern);
            if (matched && !stored && !may_be_stricter(rule.kind, text))
                fail_msg("%s: '%s' is refused, but not by %s", value_kinds[kind].name, text,
                         value_kinds[kind].pattern);
        }
        assert_true(taken > 100); /* else nothing was tried */
        regfree(&regex);
    }
}

static void nothing_is_stored_of_what_is_refused(void **state)
{
    const struct where where = {.file = "f.yaml"};

    for (int i = 0; i < 50000; i++) {
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        static const char *const words[] = {"a", "b", NULL};
        const enum value_kind kind = (enum value_kind)below(VALUE_KINDS);
        const struct value_rule rule = {.kind = kind,
                                        .words = kind == VALUE_WORD || kind == VALUE_CHOICE ? words
                                                                                            : NULL,
                                        .min = kind == VALUE_COUNT ? 5 : 0,
                                        .max = kind == VALUE_COUNT ? 9 : 0};
        _Alignas(max_align_t) unsigned char place[64];
        unsigned char before[64];
        char text[64];

        memset(place, 0xa5, sizeof(place));
        memcpy(before, place, sizeof(before));
        make(text);
        if (!value_store(&rule, text, &where, &arena, place))
            assert_memory_equal(place, before, sizeof(before));
        else
            assert_memory_equal(place + value_kinds[kind].size, before,
                                64 - value_kinds[kind].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parser_and_the_schema_agree),
        cmocka_unit_test(nothing_is_stored_of_what_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
