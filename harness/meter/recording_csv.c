#include "harness/meter/recording_csv.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "harness/base/text.h"

enum {
    COLUMNS_MAX = 32,
    FIELD_MAX = 64,
    LINE_MAX_BYTES = 4096
};

enum kind {
    IGNORED,
    TIME,
    CURRENT,
    VOLTAGE,
    ENERGY,
    LINE,
    LINES
};

struct column {
    enum kind kind;
    double scale;
    unsigned line;
};

struct table {
    const char *name;
    struct column columns[COLUMNS_MAX];
    size_t column_count;
    size_t capacity;
    double *time_s;
};

/* ---- the header ---- */

/* Letters, and what is none in ASCII: the micro sign. */
static bool is_of_unit(char c)
{
    return isalpha((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* A name without a unit has to be nothing but that: in "currentmA" nobody knows where one begins. */
static bool is_bare(const char *name)
{
    static const char *const words[] = {"time", "timestamp", "current", "voltage", "energy"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(name, words[i]) == 0)
            return true;
    }
    return false;
}

/* The unit behind a name: "current_mA", "Current(uA)", "current [A]"; the first is the usual one. */
static bool take_unit(const char *text, const char *base, double *ret)
{
    char name[FIELD_MAX];
    char *end;
    char *unit;
    double value;

    (void)snprintf(name, sizeof(name), "%s", text);
    for (end = name + strlen(name); end > name && strchr(" )]\"", end[-1]) != NULL; end--)
        end[-1] = '\0';
    unit = end;
    while (unit > name && is_of_unit(unit[-1]))
        unit--;
    if (unit == name) { /* no unit */
        *ret = 1;
        return is_bare(name);
    }
    {
        char number[FIELD_MAX + 2];

        (void)snprintf(number, sizeof(number), "1%s", unit);
        if (!text_to_si(number, base, &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool begins(const char *text, const char *word)
{
    return strncasecmp(text, word, strlen(word)) == 0;
}

static int unit_problem(const struct table *t, const char *field, const char *base, struct err *err)
{
    (void)err_set(err, ERR_CONFIG, "%s: column '%s' has no unit that is known", t->name, field);
    return err_hint(err, "name it like value_m%s or value(u%s)", base, base);
}

static int read_heading(const struct table *t, const char *field, struct column *c, struct err *err)
{
    static const struct {
        const char *word;
        enum kind kind;
        const char *base;
    } known[] = {{"time", TIME, "s"},    {"t_", TIME, "s"},         {"current", CURRENT, "A"},
                 {"i_", CURRENT, "A"},   {"voltage", VOLTAGE, "V"}, {"v_", VOLTAGE, "V"},
                 {"energy", ENERGY, "J"}};

    *c = (struct column){.kind = IGNORED};
    while (*field == ' ' || *field == '"')
        field++;
    if (begins(field, "d0-d7")) {
        c->kind = LINES;
        return 0;
    }
    if (begins(field, "d") && field[1] >= '0' && field[1] <= '7' &&
        !isalnum((unsigned char)field[2])) {
        *c = (struct column){.kind = LINE, .line = (unsigned)(field[1] - '0')};
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (!begins(field, known[i].word))
            continue;
        c->kind = known[i].kind;
        return take_unit(field, known[i].base, &c->scale)
                   ? 0
                   : unit_problem(t, field, known[i].base, err);
    }
    return 0;
}

/* Cuts the line in place; returns how many fields. */
static size_t split(char *line, char *fields[COLUMNS_MAX])
{
    size_t n = 0;

    while (n < COLUMNS_MAX) {
        char *comma = strpbrk(line, ",;\t");

        fields[n++] = line;
        if (comma == NULL)
            break;
        *comma = '\0';
        line = comma + 1;
    }
    return n;
}

static bool has(const struct table *t, enum kind kind)
{
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].kind == kind)
            return true;
    }
    return false;
}

static int read_header(struct table *t, char *line, struct err *err)
{
    char *fields[COLUMNS_MAX] = {NULL};

    t->column_count = split(line, fields);
    for (size_t i = 0; i < t->column_count; i++) {
        if (read_heading(t, fields[i], &t->columns[i], err) < 0)
            return (int)err->code;
    }
    if (has(t, TIME) && (has(t, CURRENT) || has(t, ENERGY)))
        return 0;
    (void)err_set(err, ERR_CONFIG, "%s: the first line names no columns of time and current",
                  t->name);
    return err_hint(err, "expected something like 'time_s,current_mA,D0'");
}

/* ---- rows ---- */

static void grow_floats(float **array, bool wanted, size_t capacity)
{
    if (!wanted)
        return;
    *array = realloc(*array, capacity * sizeof(**array));
    if (*array == NULL)
        abort();
}

static void grow(struct table *t, struct recording *r)
{
    if (r->count < t->capacity)
        return;
    t->capacity = t->capacity == 0 ? 4096 : t->capacity * 2;
    t->time_s = realloc(t->time_s, t->capacity * sizeof(*t->time_s));
    if (t->time_s == NULL)
        abort();
    grow_floats(&r->current_a, has(t, CURRENT), t->capacity);
    grow_floats(&r->voltage_v, has(t, VOLTAGE), t->capacity);
    grow_floats(&r->energy_j, has(t, ENERGY), t->capacity);
    if (has(t, LINE) || has(t, LINES)) {
        r->logic = realloc(r->logic, t->capacity);
        if (r->logic == NULL)
            abort();
    }
}

/* "01000000": D0 first. */
static uint8_t read_lines(const char *text)
{
    unsigned lines = 0;

    for (unsigned i = 0; i < 8 && (text[i] == '0' || text[i] == '1'); i++)
        lines |= (unsigned)(text[i] == '1') << i;
    return (uint8_t)lines;
}

static void store(struct table *t, struct recording *r, const struct column *c, double value,
                  const char *text)
{
    switch (c->kind) {
    case TIME:
        t->time_s[r->count] = value * c->scale;
        break;
    case CURRENT:
        r->current_a[r->count] = (float)(value * c->scale);
        break;
    case VOLTAGE:
        r->voltage_v[r->count] = (float)(value * c->scale);
        break;
    case ENERGY:
        r->energy_j[r->count] = (float)(value * c->scale);
        break;
    case LINE:
        if (r->logic != NULL)
            r->logic[r->count] |= (uint8_t)((value != 0) << c->line);
        break;
    case LINES:
        if (r->logic != NULL)
            r->logic[r->count] = read_lines(text);
        break;
    case IGNORED:
        break;
    }
}

static int read_row(struct table *t, char *line, size_t number, struct recording *r,
                    struct err *err)
{
    char *fields[COLUMNS_MAX] = {NULL};
    const size_t n = split(line, fields);

    if (n < t->column_count)
        return err_set(err, ERR_CONFIG, "%s:%zu: %zu columns instead of %zu", t->name, number, n,
                       t->column_count);
    grow(t, r);
    if (r->logic != NULL)
        r->logic[r->count] = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        const struct column *c = &t->columns[i];
        char *end = fields[i];
        double value = 0;

        if (c->kind == IGNORED)
            continue;
        if (c->kind != LINES) {
            value = strtod(fields[i], &end);
            if (end == fields[i] || !isfinite(value))
                return err_set(err, ERR_CONFIG, "%s:%zu: '%.40s' is no number", t->name, number,
                               fields[i]);
        }
        store(t, r, c, value, fields[i]);
    }
    if (r->count > 0 && !(t->time_s[r->count] > t->time_s[r->count - 1]))
        return err_set(err, ERR_CONFIG, "%s:%zu: time does not go on", t->name, number);
    r->count++;
    return 0;
}

/* ---- the whole ---- */

/* Equal steps, but for what rounding of the stamps explains? */
static void judge_steps(struct table *t, struct recording *r)
{
    const double span = t->time_s[r->count - 1] - t->time_s[0];
    const double step = r->count > 1 ? span / (double)(r->count - 1) : 1;
    double worst = 0;

    for (size_t i = 0; i < r->count; i++)
        worst = fmax(worst, fabs(t->time_s[i] - t->time_s[0] - step * (double)i));
    r->rate_hz = 1 / step;
    r->even = worst < 0.5 * step;
    if (r->even)
        return;
    r->time_s = t->time_s;
    t->time_s = NULL;
    for (size_t i = r->count; i-- > 0;)
        r->time_s[i] -= r->time_s[0];
}

static int read_lines_of(struct table *t, const char *text, size_t n, struct recording *r,
                         struct err *err)
{
    char line[LINE_MAX_BYTES];
    size_t number = 0;

    for (size_t at = 0; at < n;) {
        size_t length = 0;

        while (at + length < n && text[at + length] != '\n')
            length++;
        number++;
        if (length >= sizeof(line) || memchr(text + at, '\0', length) != NULL)
            return err_set(err, ERR_CONFIG, "%s:%zu: not a line of a CSV file", t->name, number);
        memcpy(line, text + at, length);
        line[length] = '\0';
        line[strcspn(line, "\r")] = '\0';
        at += length + 1;
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (r->count >= RECORDING_MAX)
            return err_set(err, ERR_CONFIG, "%s: more than %u samples", t->name, RECORDING_MAX);
        if ((t->column_count == 0 ? read_header(t, line, err) : read_row(t, line, number, r, err)) <
            0)
            return (int)err->code;
    }
    return 0;
}

int recording_parse_csv(const char *name, const char *text, size_t n, struct recording *r,
                        struct err *err)
{
    struct table t = {.name = name};
    int result = read_lines_of(&t, text, n, r, err);

    r->format = "csv";
    if (result == 0 && r->count > 0 && t.time_s != NULL)
        judge_steps(&t, r);
    if (result == 0 && !r->even && r->energy_j != NULL)
        result = err_set(err, ERR_CONFIG, "%s: energies of steps that differ", name);
    free(t.time_s);
    return result;
}
