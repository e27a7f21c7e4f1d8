#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/load/suite_file.h"

static const char *const op_words[] = {"<=", "<", ">=", ">", "=="};

/* Takes the operator at the front of *s. */
static bool take_op(const char **s, enum budget_op *ret)
{
    const size_t n = strspn(*s, "<>=");

    for (size_t i = 0; i < ARRAY_SIZE(op_words); i++) {
        if (strlen(op_words[i]) == n && strncmp(*s, op_words[i], n) == 0) {
            *ret = (enum budget_op)i;
            *s += n;
            return true;
        }
    }
    return false;
}

/* "5M instructions", "200000 cycles" */
static bool counted(const char *s, enum unit unit, double *ret)
{
    static const struct {
        char prefix;
        double factor;
    } prefixes[] = {{'k', 1e3}, {'M', 1e6}, {'G', 1e9}};
    char number[40];
    const size_t n = strcspn(s, " ");
    double factor = 1;
    size_t digits = n;

    if (n == 0 || n >= sizeof(number) || s[n] == '\0' || strcmp(s + n + 1, unit_name(unit)) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (s[n - 1] == prefixes[i].prefix) {
            factor = prefixes[i].factor;
            digits = n - 1;
        }
    }
    memcpy(number, s, digits);
    number[digits] = '\0';
    if (!text_to_double(number, ret) || *ret < 0)
        return false;
    *ret *= factor;
    return true;
}

static bool read_duration(const char *s, struct suite_budget *b)
{
    uint64_t ns;

    if (!text_to_ns(s, &ns))
        return false;
    b->value = (double)ns;
    b->unit = UNIT_NS;
    return true;
}

static bool read_time(const char *s, struct suite_budget *b)
{
    static const enum unit counts[] = {UNIT_CYCLES, UNIT_INSTRUCTIONS};

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        b->unit = counts[i];
        if (counted(s, counts[i], &b->value))
            return true;
    }
    return read_duration(s, b);
}

static bool read_si(const char *s, const char *unit, enum unit stored, double scale,
                    struct suite_budget *b)
{
    b->unit = stored;
    if (!text_to_si(s, unit, &b->value))
        return false;
    b->value *= scale;
    return true;
}

static bool read_bytes(const char *s, struct suite_budget *b)
{
    uint64_t bytes;

    if (!text_to_bytes(s, &bytes))
        return false;
    b->value = (double)bytes;
    b->unit = UNIT_BYTES;
    return true;
}

static bool read_plain(const char *s, enum unit unit, struct suite_budget *b)
{
    const struct value_rule number = {.kind = VALUE_NUMBER};
    const struct value_rule share = {.kind = VALUE_RATIO};

    b->unit = unit;
    return value_store(&number, s, NULL, NULL, &b->value) ||
           (unit == UNIT_RATIO && value_store(&share, s, NULL, NULL, &b->value));
}

/* Returns NULL when the value is understood, else what it should be. */
static const char *read_amount(const char *s, enum metric_kind kind, struct suite_budget *b)
{
    switch (kind) {
    case METRIC_KIND_TIME:
        return read_time(s, b) ? NULL : "a time such as 33ms, 200k cycles or 5M instructions";
    case METRIC_KIND_BYTES:
        return read_bytes(s, b) ? NULL : "a size such as 64KiB";
    case METRIC_KIND_LIFE:
        return read_duration(s, b) ? NULL : "a time such as 5y";
    case METRIC_KIND_ENERGY:
        return read_si(s, "J", UNIT_NJ, 1e9, b) ? NULL : "an energy such as 400uJ";
    case METRIC_KIND_CHARGE:
        return read_si(s, "C", UNIT_NC, 1e9, b) ? NULL : "a charge such as 120uC";
    case METRIC_KIND_CURRENT:
        return read_si(s, "A", UNIT_NA, 1e9, b) ? NULL : "a current such as 8mA";
    case METRIC_KIND_VOLTAGE:
        return read_si(s, "V", UNIT_UV, 1e6, b) ? NULL : "a voltage such as 3.3V";
    case METRIC_KIND_PPM:
        return read_si(s, "ppm", UNIT_PPM, 1, b) ? NULL : "a share such as 50ppm";
    case METRIC_KIND_RATIO:
        return read_plain(s, UNIT_RATIO, b) ? NULL : "a share such as 90% or 0.9";
    case METRIC_KIND_COUNT:
        return read_plain(s, UNIT_COUNT, b) ? NULL : "a number";
    }
    return "a number";
}

static const struct metric_info *find_metric(struct load *l, const struct node *n, const char *name)
{
    const char *names[64] = {NULL};
    const struct metric_info *m = metric_info_find(name);
    char hint[96];

    if (m != NULL)
        return m;
    for (size_t i = 0; i < metric_info_count && i + 1 < ARRAY_SIZE(names); i++)
        names[i] = metric_infos[i].name;
    key_suggest(name, names, hint);
    LOAD_PROBLEM(l, n, "there is no metric '%s'%s", name, hint);
    return NULL;
}

/* `accuracy <= 90%` would pass the worse, the better: surely a slip. */
static bool right_way_round(const struct metric_info *m, enum budget_op op)
{
    const bool upper = op == BUDGET_LE || op == BUDGET_LT;

    return m->class_ == METRIC_INFO || op == BUDGET_EQ || upper == m->lower_is_better;
}

void budget_read(struct load *l, const struct node *n, struct suite_budget *budget)
{
    const char *s = budget->text;
    const size_t length = strcspn(s, " <>=");
    const struct metric_info *m;
    const char *expected;
    char name[64];

    (void)snprintf(name, sizeof(name), "%.*s", (int)length, s);
    s += length;
    s += strspn(s, " ");
    if (length == 0 || length >= sizeof(name) || !take_op(&s, &budget->op)) {
        LOAD_PROBLEM(l, n, "a budget is METRIC <= VALUE (or <, >=, >, ==), got '%.64s'",
                     budget->text);
        return;
    }
    s += strspn(s, " ");
    m = find_metric(l, n, name);
    if (m == NULL)
        return;
    budget->metric = m->name;
    expected = read_amount(s, m->kind, budget);
    if (expected != NULL)
        LOAD_PROBLEM(l, n, "a budget on '%s' expected %s, got '%.64s'", m->name, expected, s);
    else if (!right_way_round(m, budget->op))
        LOAD_PROBLEM(l, n, "'%.64s' would hold back the better results: %s is better %s",
                     budget->text, m->name, m->lower_is_better ? "low" : "high");
}
