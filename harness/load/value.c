#include "harness/load/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/spec/suite.h"

/* Patterns of the schemas, the same in ECMA 262 and in POSIX; a test holds them against the code. */
#define NUMBER  "([0-9]+[.]?[0-9]*|[.][0-9]+)"
#define HEX     "0[xX][0-9A-Fa-f][0-9A-Fa-f_]*"
#define DECIMAL "[0-9][0-9_]*"

const struct value_kind_info value_kinds[VALUE_KINDS] = {
    [VALUE_TEXT] = {"text", "a text", NULL, NULL, sizeof(char *)},
    [VALUE_NAME] = {"name", "a name of letters, digits and . _ + -",
                    "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$", NULL, sizeof(char *)},
    [VALUE_PATH] = {"path", "a path", "^.+$", NULL, sizeof(char *)},
    [VALUE_PATTERN] = {"pattern", "a name, a pattern such as virt-*, or tag:NAME",
                       "^[A-Za-z0-9._+*?:-]{1,80}$", NULL, sizeof(char *)},
    [VALUE_SELECTOR] = {"pattern", "a name, a pattern such as virt-*, or tag:NAME",
                        "^[A-Za-z0-9._+*?:-]{1,80}$", NULL, sizeof(struct suite_pattern)},
    [VALUE_NAME_AT] = {"name", "a name of letters, digits and . _ + -",
                       "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$", NULL, sizeof(struct suite_pattern)},
    [VALUE_CHOICE] = {"word", NULL, NULL, NULL, sizeof(char *)},
    [VALUE_WORD] = {"word", NULL, NULL, NULL, sizeof(int)},
    [VALUE_BOOL] = {"true or false", "true or false", "^(true|false)$", "boolean", sizeof(bool)},
    [VALUE_COUNT] = {"whole number", "a whole number", "^(" HEX "|" DECIMAL ")$", "integer",
                     sizeof(uint32_t)},
    [VALUE_INTEGER] = {"whole number", "a whole number", "^-?(" HEX "|" DECIMAL ")$", "integer",
                       sizeof(int)},
    [VALUE_ADDRESS] = {"address", "an address such as 0x20000000", "^(" HEX "|" DECIMAL ")$",
                       "integer", sizeof(uint64_t)},
    [VALUE_BYTES] = {"size", "a size such as 64KiB",
                     "^(" HEX "|" DECIMAL "|" NUMBER " ?([KMG]iB|[kKMG]?B)?)$", "integer",
                     sizeof(uint64_t)},
    [VALUE_DURATION] = {"duration", "a duration such as 500ms",
                        "^" NUMBER " ?(ns|us|\u00b5s|ms|s|min|h|d|y)$", NULL, sizeof(uint64_t)},
    [VALUE_HERTZ] = {"frequency", "a frequency such as 168MHz",
                     "^" NUMBER " ?(n|u|\u00b5|m|k|M|G)?Hz$", NULL, sizeof(uint32_t)},
    [VALUE_VOLTS] = {"voltage", "a voltage such as 3.3V", "^" NUMBER " ?(n|u|\u00b5|m|k|M|G)?V$",
                     NULL, sizeof(uint32_t)},
    [VALUE_AMPERES] = {"current", "a current such as 12uA", "^" NUMBER " ?(n|u|\u00b5|m|k|M|G)?A$",
                       NULL, sizeof(double)},
    [VALUE_CAPACITY] = {"capacity", "a battery capacity such as 2000mAh",
                        "^" NUMBER " ?(n|u|\u00b5|m|k|M|G)?Ah$", NULL, sizeof(double)},
    [VALUE_NUMBER] = {"number", "a number such as 2.5", "^" NUMBER "$", "number", sizeof(double)},
    [VALUE_SIGNED] = {"number", "a number such as -2.5", "^-?" NUMBER "$", "number",
                      sizeof(double)},
    [VALUE_RATIO] = {"share", "a share such as 85% or 0.85", "^" NUMBER " ?%?$", "number",
                     sizeof(double)},
    [VALUE_USB_ID] = {"USB id", "a USB id VID:PID such as 0483:374b",
                      "^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$", NULL, sizeof(char *)},
    [VALUE_SERIAL] = {"serial number", "a serial number of letters, digits and . _ : -",
                      "^[A-Za-z0-9._:-]{1,64}$", NULL, sizeof(char *)},
    [VALUE_SCRIPT] = {"OpenOCD script", "a script of OpenOCD's library such as target/nrf52.cfg",
                      "^(interface|target|board|cpld|chip|cpu)/[A-Za-z0-9_+./-]*[.]cfg$", NULL,
                      sizeof(char *)},
    [VALUE_ENDPOINT] = {"host:port", "host:port such as 127.0.0.1:7184",
                        "^[A-Za-z0-9._-]+:[0-9]{1,5}$", NULL, sizeof(char *)},
};

static bool limited(const struct value_rule *rule)
{
    return rule->min != 0 || rule->max != 0;
}

void value_describe(const struct value_rule *rule, char text[static 160])
{
    const char *expects = value_kinds[rule->kind].expects;
    size_t n = 0;

    if (rule->words != NULL) {
        n = (size_t)snprintf(text, 160, "one of ");
        for (size_t i = 0; rule->words[i] != NULL && n < 160; i++)
            n += (size_t)snprintf(text + n, 160 - n, "%s%s", i > 0 ? ", " : "", rule->words[i]);
    } else if (!limited(rule)) {
        (void)snprintf(text, 160, "%s", expects);
    } else {
        (void)snprintf(text, 160, "%s from %lld to %lld", expects, (long long)rule->min,
                       (long long)rule->max);
    }
}

const char *value_path(const char *path, const char *file, struct arena *arena)
{
    const char *slash = strrchr(file, '/');

    if (*path == '/' || slash == NULL)
        return arena_strdup(arena, path);
    return arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

const char *value_stem(const char *path, const char *suffix, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const size_t n = strlen(name);
    const size_t m = strlen(suffix);

    if (n > m && strcmp(name + n - m, suffix) == 0)
        return arena_strndup(arena, name, n - m);
    return arena_strdup(arena, name);
}

static bool made_of(const char *text, const char *allowed, size_t limit)
{
    const size_t n = strlen(text);

    return n > 0 && n <= limit && strspn(text, allowed) == n;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static bool is_name(const char *s)
{
    return made_of(s, LETTERS DIGITS "._+-", 64) && strchr(LETTERS DIGITS, *s) != NULL;
}

static bool is_usb_id(const char *s)
{
    return strlen(s) == 9 && s[4] == ':' && strspn(s, DIGITS "abcdefABCDEF") == 4 &&
           strspn(s + 5, DIGITS "abcdefABCDEF") == 4;
}

/* Never a path of the user's own: OpenOCD scripts are programs. */
static bool is_script(const char *s)
{
    static const char *const folders[] = {"interface/", "target/", "board/",
                                          "cpld/",      "chip/",   "cpu/"};
    const size_t n = strlen(s);
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        known |= strncmp(s, folders[i], strlen(folders[i])) == 0;
    return known && made_of(s, LETTERS DIGITS "_+./-", 100) && strstr(s, "..") == NULL && n > 4 &&
           strcmp(s + n - 4, ".cfg") == 0;
}

static bool is_endpoint(const char *s)
{
    const char *colon = strrchr(s, ':');
    uint64_t port;

    return colon != NULL && colon != s && colon - s < 200 &&
           strspn(s, LETTERS DIGITS "._-") == (size_t)(colon - s) &&
           made_of(colon + 1, DIGITS, 5) && text_to_u64(colon + 1, &port) && port > 0 &&
           port < 65536;
}

static bool is_string_of(enum value_kind kind, const char *text)
{
    switch (kind) {
    case VALUE_NAME:
    case VALUE_NAME_AT:
        return is_name(text);
    case VALUE_PATTERN:
    case VALUE_SELECTOR:
        return made_of(text, LETTERS DIGITS "._+*?:-", 80);
    case VALUE_USB_ID:
        return is_usb_id(text);
    case VALUE_SERIAL:
        return made_of(text, LETTERS DIGITS "._:-", 64);
    case VALUE_SCRIPT:
        return is_script(text);
    case VALUE_ENDPOINT:
        return is_endpoint(text);
    default:
        return *text != '\0';
    }
}

static bool store_string(const struct value_rule *rule, const char *text, const struct where *where,
                         struct arena *arena, void *dst)
{
    const char *copy;

    if (!is_string_of(rule->kind, text))
        return false;
    copy =
        rule->kind == VALUE_PATH ? value_path(text, where->file, arena) : arena_strdup(arena, text);
    if (rule->kind == VALUE_SELECTOR || rule->kind == VALUE_NAME_AT)
        *(struct suite_pattern *)dst = (struct suite_pattern){copy, *where};
    else
        *(const char **)dst = copy;
    return true;
}

static bool store_word(const struct value_rule *rule, const char *text, void *dst)
{
    for (int i = 0; rule->words[i] != NULL; i++) {
        if (strcmp(rule->words[i], text) != 0)
            continue;
        if (rule->kind == VALUE_CHOICE)
            *(const char **)dst = rule->words[i];
        else
            *(int *)dst = i;
        return true;
    }
    return false;
}

static bool store_bool(const char *text, bool *dst)
{
    const bool yes = strcmp(text, "true") == 0;

    if (!yes && strcmp(text, "false") != 0)
        return false;
    *dst = yes;
    return true;
}

static bool store_count(const struct value_rule *rule, const char *text, uint32_t *dst)
{
    uint64_t value;

    if (!text_to_u64(text, &value) || value > UINT32_MAX)
        return false;
    if (limited(rule) && ((int64_t)value < rule->min || (int64_t)value > rule->max))
        return false;
    *dst = (uint32_t)value;
    return true;
}

static bool store_integer(const struct value_rule *rule, const char *text, int *dst)
{
    const bool negative = *text == '-';
    uint64_t magnitude;
    int64_t value;

    if (!text_to_u64(text + negative, &magnitude) || magnitude > INT32_MAX)
        return false;
    value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (limited(rule) && (value < rule->min || value > rule->max))
        return false;
    *dst = (int)value;
    return true;
}

static bool store_si_u32(const char *text, const char *unit, double scale, uint32_t *dst)
{
    double value;

    if (!text_to_si(text, unit, &value) || value * scale > UINT32_MAX)
        return false;
    *dst = (uint32_t)lround(value * scale);
    return true;
}

static bool store_si(const char *text, const char *unit, double scale, double *dst)
{
    double value;

    if (!text_to_si(text, unit, &value))
        return false;
    *dst = value * scale;
    return true;
}

/* 2.5: no sign, no exponent, no hex, which strtod() would take. */
static bool plain_number(const char *text, double *ret)
{
    return strspn(text, DIGITS ".") == strlen(text) && text_to_double(text, ret);
}

static bool store_signed(const char *text, double *dst)
{
    const bool negative = *text == '-';

    if (!plain_number(text + negative, dst))
        return false;
    *dst = negative ? -*dst : *dst;
    return true;
}

static bool store_ratio(const char *text, double *dst)
{
    char number[40];
    const size_t n = strcspn(text, " %");
    const bool percent = text[n] != '\0';
    double value;

    if (n >= sizeof(number) || (percent && strcmp(text + n + (text[n] == ' '), "%") != 0))
        return false;
    memcpy(number, text, n);
    number[n] = '\0';
    if (!plain_number(number, &value) || value > (percent ? 100 : 1))
        return false;
    *dst = percent ? value / 100 : value;
    return true;
}

bool value_store(const struct value_rule *rule, const char *text, const struct where *where,
                 struct arena *arena, void *dst)
{
    switch (rule->kind) {
    case VALUE_CHOICE:
    case VALUE_WORD:
        return store_word(rule, text, dst);
    case VALUE_BOOL:
        return store_bool(text, dst);
    case VALUE_COUNT:
        return store_count(rule, text, dst);
    case VALUE_INTEGER:
        return store_integer(rule, text, dst);
    case VALUE_ADDRESS:
        return text_to_u64(text, dst);
    case VALUE_BYTES:
        return text_to_bytes(text, dst);
    case VALUE_DURATION:
        return text_to_ns(text, dst);
    case VALUE_HERTZ:
        return store_si_u32(text, "Hz", 1, dst);
    case VALUE_VOLTS:
        return store_si_u32(text, "V", 1e6, dst);
    case VALUE_AMPERES:
        return store_si(text, "A", 1e9, dst);
    case VALUE_CAPACITY:
        return store_si(text, "Ah", 1e3, dst);
    case VALUE_NUMBER:
        return plain_number(text, dst);
    case VALUE_SIGNED:
        return store_signed(text, dst);
    case VALUE_RATIO:
        return store_ratio(text, dst);
    default:
        return store_string(rule, text, where, arena, dst);
    }
}
