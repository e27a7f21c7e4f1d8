#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/meter/ppk2_format.h"

static const char *const constant_words[] = {
#define X(name, word) word,
    PPK2_CONSTANT_LIST(X)
#undef X
};

bool ppk2_meta_complete(const char *text, size_t n)
{
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == '\0'))
        n--;
    return n >= 3 && memcmp(text + n - 3, "END", 3) == 0 &&
           (n == 3 || text[n - 4] == '\n' || text[n - 4] == '\r');
}

/* "GS3" is constant GS of range 3. */
static bool take_constant(struct ppk2_meta *m, const char *key, double value)
{
    const size_t n = strlen(key);
    const int range = n > 1 ? key[n - 1] - '0' : -1;

    if (range < 0 || range >= PPK2_RANGES)
        return false;
    for (size_t i = 0; i < PPK2_CONSTANTS; i++) {
        if (strlen(constant_words[i]) != n - 1 || memcmp(key, constant_words[i], n - 1) != 0)
            continue;
        m->constant[i][range] = value;
        return true;
    }
    return false;
}

static bool take_other(struct ppk2_meta *m, const char *key, double value)
{
    const bool whole = isfinite(value) && fabs(value) < 1e9;

    if (strcmp(key, "VDD") == 0)
        m->vdd_mv = value;
    else if (strcmp(key, "mode") == 0)
        m->mode = whole ? (int)value : 0;
    else if (strcmp(key, "HW") == 0)
        m->hw = whole ? (int)value : 0;
    else if (strcmp(key, "IA") == 0)
        m->ia = whole ? (int)value : 0;
    else if (strcmp(key, "Emulated") == 0)
        m->emulated = value != 0;
    else
        return strcmp(key, "Calibrated") == 0; /* 0 is normal on calibrated units */
    return true;
}

/* One line, NUL-terminated. */
static void take_line(struct ppk2_meta *m, char *line)
{
    char *colon = strchr(line, ':');
    char *value;
    char *end;
    double number;

    if (colon == NULL)
        return;
    *colon = '\0';
    for (value = colon + 1; *value == ' '; value++)
        ;
    for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
        end[-1] = '\0';
    number = strtod(value, &end);
    if (end == value || *end != '\0')
        number = NAN;
    m->keys += take_constant(m, line, number) || take_other(m, line, number);
}

static void find_missing(struct ppk2_meta *m)
{
    unsigned gains = 0;

    for (int r = 0; r < PPK2_RANGES; r++)
        gains += !isnan(m->constant[PPK2_UG][r]);
    m->no_user_gains = gains == 0;
    for (int r = 0; r < PPK2_RANGES; r++) {
        if (m->no_user_gains)
            m->constant[PPK2_UG][r] = 1;
        for (int i = 0; i < PPK2_CONSTANTS; i++)
            m->missing[r] |= (uint8_t)(!isfinite(m->constant[i][r]) << i);
        if (!(m->constant[PPK2_R][r] > 0))
            m->missing[r] |= 1u << PPK2_R;
    }
}

int ppk2_meta_parse(const char *text, size_t n, struct ppk2_meta *ret, struct err *err)
{
    struct ppk2_meta m = {.vdd_mv = NAN};
    char line[256];

    for (int i = 0; i < PPK2_CONSTANTS; i++) {
        for (int r = 0; r < PPK2_RANGES; r++)
            m.constant[i][r] = NAN;
    }
    for (size_t at = 0; at < n;) {
        size_t length = 0;

        while (at + length < n && text[at + length] != '\n')
            length++;
        if (length < sizeof(line)) {
            memcpy(line, text + at, length);
            line[length] = '\0';
            take_line(&m, line);
        }
        at += length + 1;
    }
    if (m.keys < 4)
        return err_set(err, ERR_METER, "its answer is not the metadata of a PPK2");
    find_missing(&m);
    *ret = m;
    return 0;
}

void ppk2_meta_print(const struct ppk2_meta *m, struct buf *out)
{
    for (int i = 0; i < PPK2_CONSTANTS; i++) {
        for (int r = 0; r < PPK2_RANGES; r++) {
            if (isfinite(m->constant[i][r]))
                buf_printf(out, "%s%d: %.17g\n", constant_words[i], r, m->constant[i][r]);
            else
                buf_printf(out, "%s%d: missing\n", constant_words[i], r);
        }
    }
    buf_printf(out, "HW: %d\nIA: %d\nVDD: %g\n", m->hw, m->ia, m->vdd_mv);
    if (m->no_user_gains)
        buf_puts(out, "note: the firmware has no user gains\n");
}

double ppk2_amperes(const struct ppk2_meta *m, unsigned range, unsigned adc)
{
    double x;

    if (range >= PPK2_RANGES || m->missing[range] != 0 || !isfinite(m->vdd_mv))
        return NAN;
    x = ((double)(adc * 4u) - m->constant[PPK2_O][range]) *
        ((1.8 / 163840) / m->constant[PPK2_R][range]);
    return m->constant[PPK2_UG][range] *
           (x * (m->constant[PPK2_GS][range] * x + m->constant[PPK2_GI][range]) +
            (m->constant[PPK2_S][range] * (m->vdd_mv / 1000) + m->constant[PPK2_I][range]));
}
