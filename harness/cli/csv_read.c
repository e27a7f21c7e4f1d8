#include "harness/cli/csv_read.h"

#include <math.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"

enum {
    FILE_MAX = 64 * 1024 * 1024,
    FIELDS_MAX = 64
};

/* Titles that a file must have, and those from F_OPTIONAL on that it may have; others are passed over. */
enum field {
    F_RUN,
    F_SUITE,
    F_CASE,
    F_MODEL,
    F_BOARD,
    F_ENGINE,
    F_PARAMETERS,
    F_REALM,
    F_TIMEBASE,
    F_STATUS,
    F_METRIC,
    F_CLASS,
    F_UNIT,
    F_VALUE,
    F_LOWER,
    F_OPTIONAL,
    F_LOW = F_OPTIONAL,
    F_HIGH,
    F_N,
    F_COUNT
};
static const char *const titles[F_COUNT] = {
    [F_RUN] = "run",
    [F_SUITE] = "suite",
    [F_CASE] = "case",
    [F_MODEL] = "model",
    [F_BOARD] = "board",
    [F_ENGINE] = "engine",
    [F_PARAMETERS] = "parameters",
    [F_REALM] = "realm",
    [F_TIMEBASE] = "timebase",
    [F_STATUS] = "status",
    [F_METRIC] = "metric",
    [F_CLASS] = "class",
    [F_UNIT] = "unit",
    [F_VALUE] = "value",
    [F_LOWER] = "lower_is_better",
    [F_LOW] = "low",
    [F_HIGH] = "high",
    [F_N] = "n",
};

struct reader {
    const char *path;
    const char *at, *end;
    unsigned line;      /* of the row being read */
    unsigned next_line; /* of what comes after it */
    struct arena *arena;
    size_t place[F_COUNT]; /* of each title in a row */
    const char *fields[FIELDS_MAX];
    size_t field_count;
    struct data_case *cases;
    size_t case_count, case_capacity;
    struct event_metric *metrics; /* of the newest case */
    size_t metric_count, metric_capacity;
    struct data_run *runs;
    size_t run_count, run_capacity;
};

static int bad(const struct reader *r, struct err *err, const char *what)
{
    return err_set(err, ERR_CONFIG, "%s:%u: %s", r->path, r->line, what);
}

/* One field, quoted or not; `at` then stands on what ended it. */
static int read_field(struct reader *r, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    const bool quoted = r->at < r->end && *r->at == '"';

    if (r->field_count == FIELDS_MAX)
        return bad(r, err, "more than 64 columns");
    r->at += quoted;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '\0')
            return bad(r, err, "a NUL byte");
        if (quoted && *r->at == '"') {
            if (r->at + 1 == r->end || r->at[1] != '"')
                break;
            r->at++;
        } else if (!quoted && strchr(",\r\n", *r->at) != NULL) {
            break;
        }
        r->next_line += *r->at == '\n';
        buf_putc(&text, *r->at);
    }
    if (quoted && r->at == r->end)
        return bad(r, err, "a quote is never closed");
    r->at += quoted;
    r->fields[r->field_count++] = arena_strdup(r->arena, buf_text(&text));
    return 0;
}

/* 1 with a row, 0 at the end. */
static int read_row(struct reader *r, struct err *err)
{
    if (r->at == r->end)
        return 0;
    r->line = r->next_line;
    r->field_count = 0;
    for (;;) {
        if (read_field(r, err) < 0)
            return (int)err->code;
        if (r->at < r->end && *r->at == ',') {
            r->at++;
            continue;
        }
        if (r->at < r->end && *r->at == '\r')
            r->at++;
        if (r->at < r->end && *r->at != '\n')
            return bad(r, err, "text after a closing quote");
        r->at += r->at < r->end;
        r->next_line++;
        return 1;
    }
}

static int read_titles(struct reader *r, struct err *err)
{
    const int got = read_row(r, err);

    if (got < 0)
        return got;
    for (size_t f = 0; f < F_COUNT; f++) {
        size_t i = 0;

        while (got > 0 && i < r->field_count && strcmp(r->fields[i], titles[f]) != 0)
            i++;
        if (f < F_OPTIONAL && (got == 0 || i == r->field_count)) {
            (void)err_set(err, ERR_CONFIG, "%s:1: no column '%s'", r->path, titles[f]);
            return err_hint(err, "'tinyrig export --format csv' writes such files");
        }
        r->place[f] = i < r->field_count ? i : FIELDS_MAX;
    }
    return 0;
}

/* An apostrophe that keeps spreadsheets from running a formula is not part of the text. */
static const char *field(const struct reader *r, enum field f)
{
    const char *text = r->place[f] < r->field_count ? r->fields[r->place[f]] : "";

    return text[0] == '\'' && strspn(text + 1, "=+-@") > 0 ? text + 1 : text;
}

static int word(const struct reader *r, enum field f, int (*find)(const char *), int *ret,
                struct err *err)
{
    *ret = find(field(r, f));
    if (*ret < 0)
        return err_set(err, ERR_CONFIG, "%s:%u: %s: '%.64s' is not known", r->path, r->line,
                       titles[f], field(r, f));
    return 0;
}

static const char *run_of(struct reader *r)
{
    const char *id = field(r, F_RUN);

    for (size_t i = 0; i < r->run_count; i++) {
        if (strcmp(r->runs[i].run_id, id) == 0)
            return r->runs[i].run_id;
    }
    *ARENA_PUSH(r->arena, r->runs, r->run_count, r->run_capacity) =
        (struct data_run){.run_id = id, .suite = field(r, F_SUITE), .suite_digest = ""};
    return id;
}

static bool same_case(const struct data_case *c, const struct reader *r)
{
    return strcmp(c->run_id, field(r, F_RUN)) == 0 && strcmp(c->suite, field(r, F_SUITE)) == 0 &&
           strcmp(c->key, field(r, F_CASE)) == 0;
}

static int begin_case(struct reader *r, struct err *err)
{
    struct data_case c = {.run_id = run_of(r),
                          .key = field(r, F_CASE),
                          .suite = field(r, F_SUITE),
                          .model = field(r, F_MODEL)[0] != '\0' ? field(r, F_MODEL) : NULL,
                          .board = field(r, F_BOARD),
                          .engine = field(r, F_ENGINE),
                          .parameters = field(r, F_PARAMETERS),
                          .ordinal = (uint32_t)r->case_count};
    int realm, timebase, status = CASE_CANCELLED;

    c.ended = strcmp(field(r, F_STATUS), "unfinished") != 0;
    if (word(r, F_REALM, realm_find, &realm, err) < 0 ||
        word(r, F_TIMEBASE, unit_find, &timebase, err) < 0 ||
        (c.ended && word(r, F_STATUS, case_status_find, &status, err) < 0))
        return (int)err->code;
    c.realm = (enum realm)realm;
    c.timebase = (enum unit)timebase;
    c.status = (enum case_status)status;
    *ARENA_PUSH(r->arena, r->cases, r->case_count, r->case_capacity) = c;
    r->metrics = NULL;
    r->metric_count = r->metric_capacity = 0;
    return 0;
}

/* What a metric is from, so that its scatter is known: all three, or none. */
static int take_scatter(const struct reader *r, struct event_metric *m, struct err *err)
{
    uint64_t n;

    if (field(r, F_LOW)[0] == '\0' || field(r, F_HIGH)[0] == '\0')
        return 0;
    if (!text_to_double(field(r, F_LOW), &m->low) || !text_to_double(field(r, F_HIGH), &m->high) ||
        !text_to_u64(field(r, F_N), &n) || n == 0 || n > UINT32_MAX)
        return bad(r, err, "low, high, n: expected numbers");
    m->n = (uint32_t)n;
    return 0;
}

static int add_metric(struct reader *r, struct err *err)
{
    struct data_case *c = &r->cases[r->case_count - 1];
    struct event_metric m = {.name = field(r, F_METRIC),
                             .lower_is_better = strcmp(field(r, F_LOWER), "0") != 0,
                             .value = NAN,
                             .low = NAN,
                             .high = NAN,
                             .n = 1};
    int judged, unit;

    if (m.name[0] == '\0')
        return 0;
    if (word(r, F_CLASS, metric_class_find, &judged, err) < 0 ||
        word(r, F_UNIT, unit_find, &unit, err) < 0)
        return (int)err->code;
    if (field(r, F_VALUE)[0] != '\0' && !text_to_double(field(r, F_VALUE), &m.value))
        return bad(r, err, "value: expected a number");
    if (take_scatter(r, &m, err) < 0)
        return (int)err->code;
    m.class_ = (enum metric_class)judged;
    m.unit = (enum unit)unit;
    *ARENA_PUSH(r->arena, r->metrics, r->metric_count, r->metric_capacity) = m;
    c->metrics = r->metrics;
    c->metric_count = r->metric_count;
    return 0;
}

static int read_all(struct reader *r, struct err *err)
{
    int got = read_titles(r, err);

    if (got < 0)
        return got;
    while ((got = read_row(r, err)) > 0) {
        if (field(r, F_CASE)[0] == '\0')
            return bad(r, err, "a row without a case");
        if ((r->cases == NULL || !same_case(&r->cases[r->case_count - 1], r)) &&
            begin_case(r, err) < 0)
            return (int)err->code;
        if (add_metric(r, err) < 0)
            return (int)err->code;
    }
    return got;
}

int csv_parse(const char *path, const char *text, size_t n, struct arena *arena,
              struct dataset *ret, struct err *err)
{
    struct reader r = {
        .path = path, .at = text, .end = text + n, .next_line = 1, .line = 1, .arena = arena};

    if (read_all(&r, err) < 0)
        return (int)err->code;
    *ret = (struct dataset){
        .runs = r.runs, .run_count = r.run_count, .cases = r.cases, .case_count = r.case_count};
    return 0;
}

int csv_read(const char *path, struct arena *arena, struct dataset *ret, struct err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (file_read(path, FILE_MAX, &text, err) < 0)
        return (int)err->code;
    return csv_parse(path, buf_text(&text), text.len, arena, ret, err);
}
