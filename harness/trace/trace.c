#include "harness/trace/trace.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/trace/pack.h"
#include "harness/trace/pyramid.h"

enum {
    APPLICATION_ID = 0x74726774, /* "trgt" */
    VERSION = 1,
    BUSY_MS = 20000, /* workers of many boards write one after the other */
    TRACES_MAX = 100000,
};

static const char schema[] =
    "CREATE TABLE trace (id INTEGER PRIMARY KEY, case_key TEXT NOT NULL, meter TEXT NOT NULL,"
    " calibration TEXT NOT NULL, window INTEGER NOT NULL, at_ns INTEGER NOT NULL,"
    " rate_hz REAL NOT NULL, supply_v REAL NOT NULL, samples INTEGER NOT NULL,"
    " lost INTEGER NOT NULL, on_s REAL NOT NULL, off_s REAL NOT NULL,"
    " inferences INTEGER NOT NULL, invalid INTEGER NOT NULL, emulated INTEGER NOT NULL) STRICT;"
    "CREATE TABLE chunk (trace INTEGER NOT NULL REFERENCES trace (id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (trace, number)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE pyramid (trace INTEGER NOT NULL REFERENCES trace (id) ON DELETE CASCADE,"
    " level INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (trace, level)) STRICT, WITHOUT "
    "ROWID;";

struct trace_file {
    sqlite3 *db;
    char *path;
};

static int fail(const struct trace_file *f, struct err *err)
{
    return err_set(err, ERR_STORE, "%s: %s", f->path, sqlite3_errmsg(f->db));
}

static int execute(struct trace_file *f, const char *sql, struct err *err)
{
    return sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK ? fail(f, err) : 0;
}

static void finalize(sqlite3_stmt **st)
{
    (void)sqlite3_finalize(*st);
}
#define AUTO_STATEMENT AUTO(finalize) sqlite3_stmt

static int prepare(struct trace_file *f, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    return sqlite3_prepare_v2(f->db, sql, -1, ret, NULL) != SQLITE_OK ? fail(f, err) : 0;
}

static int pragma(struct trace_file *f, const char *name, int64_t *ret, struct err *err)
{
    AUTO_STATEMENT *st = NULL;

    if (prepare(f, name, &st, err) < 0)
        return (int)err->code;
    if (sqlite3_step(st) != SQLITE_ROW)
        return fail(f, err);
    *ret = sqlite3_column_int64(st, 0);
    return 0;
}

/* ---- opening ---- */

static int make_schema(struct trace_file *f, struct err *err)
{
    AUTO_BUF sql = BUF_INIT;

    buf_printf(&sql, "%s PRAGMA application_id = %d; PRAGMA user_version = %d;", schema,
               APPLICATION_ID, VERSION);
    return execute(f, buf_text(&sql), err);
}

static int check_schema(struct trace_file *f, bool write, struct err *err)
{
    int64_t application = 0;
    int64_t version = 0;

    if (pragma(f, "PRAGMA application_id", &application, err) < 0 ||
        pragma(f, "PRAGMA user_version", &version, err) < 0)
        return (int)err->code;
    if (application == 0 && version == 0 && write)
        return make_schema(f, err);
    if (application != APPLICATION_ID)
        return err_set(err, ERR_STORE, "%s is no file of traces", f->path);
    if (version != VERSION)
        return err_set(err, ERR_STORE, "%s was written by another version (%d, not %d)", f->path,
                       (int)version, VERSION);
    return 0;
}

/* Two workers may find the file empty at once: only one of them makes the tables. */
static int set_up(struct trace_file *f, bool write, struct err *err)
{
    int r;

    (void)sqlite3_busy_timeout(f->db, BUSY_MS);
    if (!write)
        return check_schema(f, false, err);
    if (execute(f,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                "PRAGMA foreign_keys = ON; BEGIN IMMEDIATE",
                err) < 0)
        return (int)err->code;
    r = check_schema(f, true, err);
    if (r < 0) {
        (void)sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
        return r;
    }
    return execute(f, "COMMIT", err);
}

/* As we make files: SQLite would let everybody read it, and its -wal and -shm copy the mode. */
static int create_file(const char *path, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    return fd >= 0 || errno == EEXIST ? 0 : err_sys(err, errno, "%s", path);
}

int trace_open(const char *path, bool write, struct trace_file **ret, struct err *err)
{
    AUTO(trace_close_auto) struct trace_file *f = calloc(1, sizeof(*f));
    const int flags = write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;

    if (f == NULL || (f->path = strdup(path)) == NULL)
        abort();
    if (write && create_file(path, err) < 0)
        return (int)err->code;
    if (sqlite3_open_v2(path, &f->db, flags, NULL) != SQLITE_OK)
        return fail(f, err);
    if (set_up(f, write, err) < 0)
        return (int)err->code;
    *ret = MOVE(f);
    return 0;
}

void trace_close(struct trace_file *f)
{
    if (f == NULL)
        return;
    (void)sqlite3_close(f->db);
    free(f->path);
    free(f);
}

/* ---- writing ---- */

struct trace_writer {
    struct trace_file *file;
    int64_t id;
    bool ended;
    bool logic_seen, range_seen;
    uint64_t samples; /* in chunks already written */
    size_t pending;   /* in the arrays below */
    float current_a[PACK_SAMPLES_MAX];
    uint8_t logic[PACK_SAMPLES_MAX];
    uint8_t range[PACK_SAMPLES_MAX];
    struct trace_point *points; /* of the pyramid's lowest level */
    size_t point_count, point_capacity;
};

static int insert_blob(struct trace_file *f, const char *sql, int64_t id, int64_t number,
                       const void *data, size_t n, struct err *err)
{
    AUTO_STATEMENT *st = NULL;

    if (prepare(f, sql, &st, err) < 0)
        return (int)err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    (void)sqlite3_bind_int64(st, 2, number);
    (void)sqlite3_bind_blob64(st, 3, data, n, SQLITE_STATIC);
    return sqlite3_step(st) != SQLITE_DONE ? fail(f, err) : 0;
}

/* Everything about a trace; samples below 0: not ended. id 0: a new row. */
static int put_info(struct trace_file *f, int64_t id, const struct trace_info *i, int64_t samples,
                    struct err *err)
{
    AUTO_STATEMENT *st = NULL;

    if (prepare(f,
                "INSERT INTO trace (id, case_key, meter, calibration, window, at_ns, rate_hz,"
                " supply_v, samples, lost, on_s, off_s, inferences, invalid, emulated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET samples = excluded.samples, lost = excluded.lost,"
                " on_s = excluded.on_s, off_s = excluded.off_s, invalid = excluded.invalid,"
                " inferences = excluded.inferences",
                &st, err) < 0)
        return (int)err->code;
    if (id != 0)
        (void)sqlite3_bind_int64(st, 1, id);
    (void)sqlite3_bind_text(st, 2, i->case_key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(st, 3, i->meter, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(st, 4, i->calibration, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 5, i->window);
    (void)sqlite3_bind_int64(st, 6, (int64_t)i->at_ns);
    (void)sqlite3_bind_double(st, 7, i->rate_hz);
    (void)sqlite3_bind_double(st, 8, i->supply_v);
    (void)sqlite3_bind_int64(st, 9, samples);
    (void)sqlite3_bind_int64(st, 10, (int64_t)i->lost);
    (void)sqlite3_bind_double(st, 11, i->on_s);
    (void)sqlite3_bind_double(st, 12, i->off_s);
    (void)sqlite3_bind_int64(st, 13, i->inferences);
    (void)sqlite3_bind_int64(st, 14, i->invalid);
    (void)sqlite3_bind_int(st, 15, i->emulated);
    return sqlite3_step(st) != SQLITE_DONE ? fail(f, err) : 0;
}

int trace_begin(struct trace_file *f, const struct trace_info *info, struct trace_writer **ret,
                struct err *err)
{
    AUTO(trace_writer_free_auto) struct trace_writer *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->file = f;
    if (put_info(f, 0, info, -1, err) < 0)
        return (int)err->code;
    w->id = sqlite3_last_insert_rowid(f->db);
    *ret = MOVE(w);
    return 0;
}

static void add_points(struct trace_writer *w)
{
    const size_t more = w->pending / TRACE_FIRST_LEVEL + 1;

    if (w->point_count + more > w->point_capacity) {
        w->point_capacity = (w->point_count + more) * 2;
        w->points = realloc(w->points, w->point_capacity * sizeof(*w->points));
        if (w->points == NULL)
            abort();
    }
    w->point_count += pyramid_base(w->current_a, w->pending, w->points + w->point_count);
}

/* What is pending becomes a chunk: full, but for the last one. */
static int write_chunk(struct trace_writer *w, struct err *err)
{
    const struct pack_samples s = {.current_a = w->current_a,
                                   .logic = w->logic_seen ? w->logic : NULL,
                                   .range = w->range_seen ? w->range : NULL,
                                   .count = w->pending};
    AUTO_BUF packed = BUF_INIT;

    if (w->pending == 0)
        return 0;
    pack_chunk(&s, &packed);
    add_points(w);
    if (insert_blob(w->file, "INSERT INTO chunk (trace, number, data) VALUES (?, ?, ?)", w->id,
                    (int64_t)(w->samples / PACK_SAMPLES_MAX), packed.data, packed.len, err) < 0)
        return (int)err->code;
    w->samples += w->pending;
    w->pending = 0;
    return 0;
}

int trace_append(struct trace_writer *w, const struct trace_arrays *a, struct err *err)
{
    static_assert(PACK_SAMPLES_MAX % TRACE_FIRST_LEVEL == 0, "a chunk holds whole points");

    assert(w != NULL);
    w->logic_seen |= a->logic != NULL;
    w->range_seen |= a->range != NULL;
    for (size_t at = 0; at < a->count;) {
        const size_t room = PACK_SAMPLES_MAX - w->pending;
        const size_t n = a->count - at < room ? a->count - at : room;

        memcpy(w->current_a + w->pending, a->current_a + at, n * sizeof(float));
        if (a->logic != NULL)
            memcpy(w->logic + w->pending, a->logic + at, n);
        if (a->range != NULL)
            memcpy(w->range + w->pending, a->range + at, n);
        w->pending += n;
        at += n;
        if (w->pending == PACK_SAMPLES_MAX && write_chunk(w, err) < 0)
            return (int)err->code;
    }
    return 0;
}

static int insert_pyramid(struct trace_writer *w, struct err *err)
{
    size_t n = w->point_count;
    int r = 0;

    for (int level = 0; level < TRACE_LEVELS && r == 0; level++) {
        r = insert_blob(w->file, "INSERT INTO pyramid (trace, level, data) VALUES (?, ?, ?)", w->id,
                        level, n > 0 ? (const void *)w->points : "", n * sizeof(*w->points), err);
        n = pyramid_up(w->points, n, w->points); /* in place: it writes behind what it reads */
    }
    return r;
}

int trace_end(struct trace_writer *w, const struct trace_info *info, int64_t *ret_id,
              struct err *err)
{
    if (write_chunk(w, err) < 0 || insert_pyramid(w, err) < 0 ||
        put_info(w->file, w->id, info, (int64_t)w->samples, err) < 0)
        return (int)err->code;
    w->ended = true;
    *ret_id = w->id;
    return 0;
}

/* A trace that will never end; its chunks go with it. */
static void drop(struct trace_file *f, int64_t id)
{
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "DELETE FROM trace WHERE id = %lld", (long long)id);
    (void)sqlite3_exec(f->db, sql, NULL, NULL, NULL);
}

void trace_writer_free(struct trace_writer *w)
{
    if (w == NULL)
        return;
    if (!w->ended && w->id != 0)
        drop(w->file, w->id);
    free(w->points);
    free(w);
}

int trace_add(struct trace_file *f, const struct trace_info *info, const struct trace_arrays *a,
              int64_t *ret_id, struct err *err)
{
    AUTO(trace_writer_free_auto) struct trace_writer *w = NULL;

    if (execute(f, "BEGIN IMMEDIATE", err) < 0)
        return (int)err->code;
    if (trace_begin(f, info, &w, err) == 0 && trace_append(w, a, err) == 0 &&
        trace_end(w, info, ret_id, err) == 0 && execute(f, "COMMIT", err) == 0)
        return 0;
    (void)sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
    if (w != NULL)
        w->ended = true; /* nothing of it is left to drop */
    return (int)err->code;
}

/* ---- reading ---- */

static const char *text_of(sqlite3_stmt *st, int column, struct arena *arena)
{
    const char *s = (const char *)sqlite3_column_text(st, column);

    return arena_strdup(arena, s != NULL ? s : "");
}

static void take_info(sqlite3_stmt *st, struct arena *arena, struct trace_info *i)
{
    *i = (struct trace_info){
        .id = sqlite3_column_int64(st, 0),
        .case_key = text_of(st, 1, arena),
        .meter = text_of(st, 2, arena),
        .calibration = text_of(st, 3, arena),
        .window = (uint32_t)sqlite3_column_int64(st, 4),
        .at_ns = (uint64_t)sqlite3_column_int64(st, 5),
        .rate_hz = sqlite3_column_double(st, 6),
        .supply_v = sqlite3_column_double(st, 7),
        .samples = (uint64_t)sqlite3_column_int64(st, 8),
        .lost = (uint64_t)sqlite3_column_int64(st, 9),
        .on_s = sqlite3_column_double(st, 10),
        .off_s = sqlite3_column_double(st, 11),
        .inferences = (uint32_t)sqlite3_column_int64(st, 12),
        .invalid = (uint32_t)sqlite3_column_int64(st, 13),
        .emulated = sqlite3_column_int(st, 14) != 0,
    };
}

int trace_list(struct trace_file *f, struct arena *arena, const struct trace_info **ret,
               size_t *ret_count, struct err *err)
{
    AUTO_STATEMENT *st = NULL;
    struct trace_info *list = NULL;
    size_t count = 0;
    size_t capacity = 0;
    int r;

    if (prepare(
            f,
            "SELECT id, case_key, meter, calibration, window, at_ns, rate_hz, supply_v, samples,"
            " lost, on_s, off_s, inferences, invalid, emulated FROM trace"
            " WHERE rate_hz > 0 AND samples >= 0 ORDER BY id DESC",
            &st, err) < 0)
        return (int)err->code;
    while ((r = sqlite3_step(st)) == SQLITE_ROW && count < TRACES_MAX)
        take_info(st, arena, ARENA_PUSH(arena, list, count, capacity));
    if (r != SQLITE_ROW && r != SQLITE_DONE)
        return fail(f, err);
    *ret = list;
    *ret_count = count;
    return 0;
}

static bool is_kept(uint64_t at_ns, const struct trace_span *keep, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at_ns >= keep[i].begin_ns && at_ns <= keep[i].end_ns)
            return true;
    }
    return false;
}

int trace_prune(struct trace_file *f, uint64_t before_ns, const struct trace_span *keep,
                size_t keep_count, bool dry_run, uint64_t *ret_count, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_STATEMENT *st = NULL;
    int64_t *ids = NULL;
    size_t count = 0, capacity = 0;
    int r;

    if (prepare(f, "SELECT id, at_ns FROM trace WHERE at_ns < ?", &st, err) < 0)
        return (int)err->code;
    (void)sqlite3_bind_int64(st, 1, (int64_t)before_ns);
    while ((r = sqlite3_step(st)) == SQLITE_ROW) {
        if (!is_kept((uint64_t)sqlite3_column_int64(st, 1), keep, keep_count))
            *ARENA_PUSH(&arena, ids, count, capacity) = sqlite3_column_int64(st, 0);
    }
    if (r != SQLITE_DONE)
        return fail(f, err);
    (void)sqlite3_reset(st);
    for (size_t i = 0; i < count && !dry_run; i++) { /* one by one: others write meanwhile */
        if (execute(f, arena_printf(&arena, "DELETE FROM trace WHERE id = %lld", (long long)ids[i]),
                    err) < 0)
            return (int)err->code;
    }
    *ret_count = count;
    return 0;
}

/* One chunk; 1 when there is none. */
static int read_chunk(struct trace_file *f, int64_t id, uint64_t number, struct pack_samples *s,
                      struct err *err)
{
    AUTO_STATEMENT *st = NULL;
    int r;

    if (prepare(f, "SELECT data FROM chunk WHERE trace = ? AND number = ?", &st, err) < 0)
        return (int)err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    (void)sqlite3_bind_int64(st, 2, (int64_t)number);
    r = sqlite3_step(st);
    if (r == SQLITE_DONE)
        return 1;
    if (r != SQLITE_ROW)
        return fail(f, err);
    return pack_open(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), s, err);
}

struct scratch {
    float current_a[PACK_SAMPLES_MAX];
    uint8_t logic[PACK_SAMPLES_MAX];
    uint8_t range[PACK_SAMPLES_MAX];
};

static void free_scratch(struct scratch **s)
{
    free(*s);
}

int64_t trace_read(struct trace_file *f, int64_t id, uint64_t first, const struct trace_target *to,
                   struct err *err)
{
    AUTO(free_scratch) struct scratch *scratch = malloc(sizeof(*scratch));
    size_t done = 0;

    if (scratch == NULL)
        abort();
    while (done < to->room) {
        const uint64_t at = first + done;
        const size_t skip = (size_t)(at % PACK_SAMPLES_MAX);
        struct pack_samples s = {
            .current_a = scratch->current_a, .logic = scratch->logic, .range = scratch->range};
        const int r = read_chunk(f, id, at / PACK_SAMPLES_MAX, &s, err);
        size_t n;

        if (r < 0)
            return r;
        if (r > 0 || s.count <= skip)
            break;
        n = s.count - skip < to->room - done ? s.count - skip : to->room - done;
        memcpy(to->current_a + done, s.current_a + skip, n * sizeof(float));
        if (to->logic != NULL)
            memcpy(to->logic + done, s.logic + skip, n);
        if (to->range != NULL)
            memcpy(to->range + done, s.range + skip, n);
        done += n;
    }
    return (int64_t)done;
}

/* ---- plotting ---- */

static int columns_of_samples(struct trace_file *f, int64_t id, const uint64_t range[2],
                              size_t columns, struct trace_point *ret, struct err *err)
{
    float *current = malloc((size_t)range[1] * sizeof(*current)); /* less than a level's entries */
    int64_t n;

    if (current == NULL)
        abort();
    n = trace_read(f, id, range[0],
                   &(struct trace_target){.current_a = current, .room = (size_t)range[1]}, err);
    for (size_t c = 0; c < columns && n >= 0; c++) {
        uint64_t from = range[1] * c / columns;
        uint64_t to = range[1] * (c + 1) / columns;

        to = to > from ? to : from + 1;
        to = to < (uint64_t)n ? to : (uint64_t)n;
        from = from < to ? from : to;
        ret[c] = pyramid_point(current + from, (size_t)(to - from));
    }
    free(current);
    return n < 0 ? (int)n : 0;
}

static int columns_of_level(struct trace_file *f, int64_t id, int level, const uint64_t range[2],
                            size_t columns, struct trace_point *ret, struct err *err)
{
    AUTO_STATEMENT *st = NULL;
    const struct trace_point *points;
    const uint64_t span = pyramid_span(level);
    uint64_t entries;

    if (prepare(f, "SELECT data FROM pyramid WHERE trace = ? AND level = ?", &st, err) < 0)
        return (int)err->code;
    (void)sqlite3_bind_int64(st, 1, id);
    (void)sqlite3_bind_int64(st, 2, level);
    if (sqlite3_step(st) != SQLITE_ROW)
        return err_set(err, ERR_STORE, "%s: trace %lld has no overview", f->path, (long long)id);
    points = sqlite3_column_blob(st, 0);
    entries = (uint64_t)sqlite3_column_bytes(st, 0) / sizeof(*points);
    for (size_t c = 0; c < columns; c++) {
        uint64_t from = (range[0] + range[1] * c / columns) / span;
        uint64_t to = (range[0] + range[1] * (c + 1) / columns) / span;

        to = to > from ? to : from + 1;
        to = to < entries ? to : entries;
        from = from < to ? from : to;
        ret[c] = pyramid_join(points + from, (size_t)(to - from));
    }
    return 0;
}

int trace_columns(struct trace_file *f, const struct trace_info *info, uint64_t first,
                  uint64_t count, size_t columns, struct trace_point *ret, struct err *err)
{
    const uint64_t range[2] = {first, count};
    int level = TRACE_LEVELS - 1;

    if (columns == 0 || count == 0 || first + count > info->samples)
        return err_set(err, ERR_USAGE, "nothing of the trace lies in this range");
    while (level >= 0 && pyramid_span(level) * columns > count)
        level--;
    return level < 0 ? columns_of_samples(f, info->id, range, columns, ret, err)
                     : columns_of_level(f, info->id, level, range, columns, ret, err);
}

int trace_overview(struct trace_file *f, const struct trace_info *info, size_t columns,
                   struct arena *arena, struct trace_overview *ret, struct err *err)
{
    const size_t n = info->samples < columns ? (size_t)info->samples : columns;
    struct trace_point *points = arena_alloc(arena, (n + 1) * sizeof(*points));

    if (info->samples == 0 || !(info->rate_hz > 0))
        return err_set(err, ERR_STORE, "%s: trace %lld is empty", f->path, (long long)info->id);
    if (trace_columns(f, info, 0, info->samples, n, points, err) < 0)
        return (int)err->code;
    *ret = (struct trace_overview){.points = points,
                                   .count = n,
                                   .step_s = (double)info->samples / info->rate_hz / (double)n,
                                   .windows = {{info->on_s, info->off_s}},
                                   .window_count = info->off_s > info->on_s};
    return 0;
}
