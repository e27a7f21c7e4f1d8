#include "harness/meter/lpm01a_format.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARK = 0xf0,
    TEXT_MAX = 512
};

static bool is_sample(const char *line, double *ret)
{
    for (int i = 0; i < 4; i++) {
        if (!isdigit((unsigned char)line[i]))
            return false;
    }
    if ((line[4] != '-' && line[4] != '+') || !isdigit((unsigned char)line[5]) ||
        !isdigit((unsigned char)line[6]) || line[7] != '\0')
        return false;
    *ret = (double)strtol(line, NULL, 10) * pow(10, (double)strtol(line + 4, NULL, 10));
    return true;
}

/* `before`, a number of at most nine digits, step behind both. */
static bool take_number(const char **at, const char *before, uint32_t *ret)
{
    const size_t n = strlen(before);
    char *end;

    if (strncmp(*at, before, n) != 0 || !isdigit((unsigned char)(*at)[n]))
        return false;
    *ret = (uint32_t)strtoul(*at + n, &end, 10);
    if (end - *at > (long)n + 9)
        return false;
    *at = end;
    return true;
}

static bool is_timestamp(const char *line, uint32_t *ret_ms, uint32_t *ret_load)
{
    uint32_t s;
    uint32_t ms;

    if (!take_number(&line, "TimeStamp: ", &s) || !take_number(&line, "s ", &ms) ||
        !take_number(&line, "ms, buff ", ret_load) || s > 4000000 || ms > 999)
        return false;
    *ret_ms = s * 1000 + ms;
    return true;
}

void lpm_text(const char *line, struct lpm_item *ret)
{
    const char *at = line;
    uint32_t ms;
    uint32_t load;
    uint32_t event;

    *ret = (struct lpm_item){.kind = LPM_NOTHING};
    if (is_sample(line, &ret->value)) {
        ret->kind = LPM_SAMPLE;
    } else if (is_timestamp(line, &ms, &load)) {
        *ret = (struct lpm_item){.kind = LPM_TIMESTAMP, .ms = ms, .load = load};
    } else if (take_number(&at, "event ", &event)) {
        *ret = (struct lpm_item){.kind = LPM_EVENT, .event = event};
    } else if (strstr(line, "cquisition completed") != NULL) {
        ret->kind = LPM_END;
    } else if (strstr(line, "rror") != NULL || strstr(line, "vercurrent") != NULL) {
        ret->kind = LPM_TROUBLE;
        (void)snprintf(ret->text, sizeof(ret->text), "%s", line);
    }
}

/* Text up to FF FF. */
static size_t take_text(const uint8_t *data, size_t n, struct lpm_item *ret)
{
    for (size_t i = 2; i + 1 < n; i++) {
        if (data[i] != 0xff || data[i + 1] != 0xff)
            continue;
        (void)snprintf(ret->text, sizeof(ret->text), "%.*s", (int)(i - 2), (const char *)data + 2);
        ret->kind = data[1] == 0xf1 ? LPM_TROUBLE : LPM_NOTHING;
        return i + 2;
    }
    return n > TEXT_MAX ? 2 : 0; /* no text is so long: its beginning was something else */
}

static size_t take_record(const uint8_t *data, size_t n, struct lpm_item *ret)
{
    const size_t length = data[1] == 0xf3 ? 9 : data[1] == 0xf7 ? 6 : 4;

    if (data[1] == 0xf1 || data[1] == 0xf2)
        return take_text(data, n, ret);
    if (data[1] < 0xf3 || data[1] > 0xf7)
        return 2; /* no record that is known */
    if (n < length)
        return 0;
    if (data[1] == 0xf3) {
        ret->kind = LPM_TIMESTAMP;
        ret->ms =
            ((uint32_t)data[2] << 24 | (uint32_t)data[3] << 16 | (uint32_t)data[4] << 8 | data[5]) &
            0x7fffffffu;
        ret->load = data[6];
    } else if (data[1] == 0xf4) {
        ret->kind = LPM_END;
    } else if (data[1] == 0xf5 || data[1] == 0xf6) {
        ret->kind = LPM_TROUBLE;
        (void)snprintf(ret->text, sizeof(ret->text), "%s",
                       data[1] == 0xf5 ? "overcurrent" : "the board's power went down");
    }
    return length;
}

size_t lpm_binary(const uint8_t *data, size_t n, struct lpm_item *ret)
{
    unsigned v;

    *ret = (struct lpm_item){.kind = LPM_NOTHING};
    if (n < 2)
        return 0;
    if (data[0] == MARK && (data[1] & 0xf0) == 0xf0)
        return take_record(data, n, ret);
    v = (unsigned)data[0] << 8 | data[1];
    ret->kind = LPM_SAMPLE;
    ret->value = ldexp(v & 0xfff, -4 * (int)(v >> 12));
    return 2;
}
