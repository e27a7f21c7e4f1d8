/* Looking after a database: figures, checks, copies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/spec/samples.h"
#include "harness/store/internal.h"

enum {
    BACKUP_PAGES = 1024,    /* per step, so that writers get their turn */
    BACKUP_WAIT_MS = 60000, /* for one step while the file is locked */
    FINDINGS_MAX = 100
};

/* ---- figures ---- */

int store_info(struct store *s, struct store_info *ret, struct err *err)
{
    int64_t pages = 0, size = 0, unused = 0, n[5] = {0}, version = 0;
    int r = db_number(&s->db, &version, err, "PRAGMA user_version", "");

    if (r >= 0)
        r = db_number(&s->db, &pages, err, "PRAGMA page_count", "");
    if (r >= 0)
        r = db_number(&s->db, &size, err, "PRAGMA page_size", "");
    if (r >= 0)
        r = db_number(&s->db, &unused, err, "PRAGMA freelist_count", "");
    if (r >= 0)
        r = db_number(&s->db, &n[0], err, "SELECT count(*) FROM run", "");
    if (r >= 0)
        r = db_number(&s->db, &n[1], err, "SELECT count(*) FROM attempt", "");
    if (r >= 0)
        r = db_number(&s->db, &n[2], err, "SELECT count(*) FROM window", "");
    if (r >= 0)
        r = db_number(&s->db, &n[3], err, "SELECT count(*) FROM measurement", "");
    if (r >= 0)
        r = db_number(&s->db, &n[4], err, "SELECT count(*) FROM blob", "");
    if (r < 0)
        return r;
    *ret = (struct store_info){.schema = (int)version,
                               .file_bytes = (uint64_t)(pages * size),
                               .free_bytes = (uint64_t)(unused * size),
                               .runs = (uint64_t)n[0],
                               .attempts = (uint64_t)n[1],
                               .windows = (uint64_t)n[2],
                               .measurements = (uint64_t)n[3],
                               .blobs = (uint64_t)n[4]};
    return 0;
}

/* ---- checks ---- */

struct findings {
    struct buf *text;
    size_t count;
};

static void found(struct findings *f, const char *what, const char *detail)
{
    if (f->count++ >= FINDINGS_MAX)
        return;
    buf_printf(f->text, "%s: ", what);
    text_escape(f->text, detail != NULL ? detail : "?", detail != NULL ? strlen(detail) : 1);
    buf_putc(f->text, '\n');
}

/* Rows of `sql` (first column: text) are findings. "ok" is integrity_check's word for none. */
static int find_rows(struct store *s, struct findings *f, const char *what, const char *sql,
                     struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    int r = db_prepare(&s->db, sql, &st, err);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        const char *text = (const char *)sqlite3_column_text(st, 0);

        if (text == NULL || strcmp(text, "ok") != 0)
            found(f, what, text != NULL ? text : "?");
        r = 0;
    }
    return r;
}

/* What the schema alone cannot promise. */
static const struct invariant {
    const char *what, *sql;
} invariants[] = {
    {"foreign key", "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' has no ' || parent"
                    " FROM pragma_foreign_key_check"},
    {"attempt with a status but no end, or the other way round",
     "SELECT id FROM attempt WHERE (status IS NULL) <> (ended_ns IS NULL)"},
    {"attempt at a case its run does not have",
     "SELECT a.id FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM run_case rc"
     " WHERE rc.run = a.run AND rc.case_def = a.case_def)"},
    {"value of another case's series",
     "SELECT m.attempt FROM measurement m JOIN series s ON s.id = m.series"
     " JOIN attempt a ON a.id = m.attempt WHERE a.case_def <> s.case_def"},
    {"unknown status",
     "SELECT status FROM attempt WHERE status NOT IN ('passed', 'over-budget', 'failed', 'error',"
     " 'skipped', 'cancelled')"},
};

/* Content-hashed rows must still have their content. */
static int check_blobs(struct store *s, const char *schema, struct findings *f, struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    char sql[96];
    int r;

    (void)snprintf(sql, sizeof(sql), "SELECT id, hash, data FROM %s.blob", schema);
    r = db_prepare(&s->db, sql, &st, err);
    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        struct sha256 h;
        uint8_t hash[32];

        sha256_init(&h);
        sha256_update(&h, sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2));
        sha256_final(&h, hash);
        if (sqlite3_column_bytes(st, 1) != (int)sizeof(hash) ||
            memcmp(sqlite3_column_blob(st, 1), hash, sizeof(hash)) != 0)
            found(f, "blob differs from its hash", (const char *)sqlite3_column_text(st, 0));
        r = 0;
    }
    return r;
}

static int check_dimensions(struct store *s, const char *schema, struct findings *f,
                            struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    struct dimension_hash h = {.id = 0};
    char sql[192];
    int r;

    (void)snprintf(sql, sizeof(sql),
                   "SELECT d.id, d.hash, f.key, f.value FROM %s.dimension d"
                   " LEFT JOIN %s.dimension_fact f ON f.dimension = d.id ORDER BY d.id, f.key",
                   schema, schema);
    r = db_prepare(&s->db, sql, &st, err);
    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        const int64_t id = sqlite3_column_int64(st, 0);

        if (h.id != 0 && id != h.id && !dimension_hash_matches(&h))
            found(f, "dimension differs from its hash", "");
        if (id != h.id)
            dimension_hash_begin(&h, id, sqlite3_column_blob(st, 1),
                                 (size_t)sqlite3_column_bytes(st, 1));
        dimension_hash_add(&h, (const char *)sqlite3_column_text(st, 2),
                           (const char *)sqlite3_column_text(st, 3));
        r = 0;
    }
    if (r == 0 && h.id != 0 && !dimension_hash_matches(&h))
        found(f, "dimension differs from its hash", "");
    return r;
}

static int check_samples(struct store *s, struct findings *f, struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *st = NULL;
    int r = db_prepare(&s->db, "SELECT attempt, samples FROM window WHERE samples IS NOT NULL", &st,
                       err);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        struct arena arena = ARENA_INIT;
        struct err ignored = ERR_INIT;
        const uint64_t *samples;
        size_t count;

        if (samples_unpack(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), &arena,
                           &samples, &count, &ignored) < 0)
            found(f, "samples of attempt", (const char *)sqlite3_column_text(st, 0));
        arena_release(&arena);
        r = 0;
    }
    return r;
}

int store_check_hashes(struct store *s, const char *schema, struct buf *ret, struct err *err)
{
    struct findings f = {.text = ret};
    int r = check_blobs(s, schema, &f, err);

    if (r == 0)
        r = check_dimensions(s, schema, &f, err);
    return r < 0 ? r : f.count > 0;
}

int store_check(struct store *s, struct buf *ret, struct err *err)
{
    struct findings f = {.text = ret};
    int r = find_rows(s, &f, "integrity", "PRAGMA integrity_check(50)", err);

    /* With broken pages, what follows would only say the same again. */
    for (size_t i = 0; i < ARRAY_SIZE(invariants) && r == 0 && f.count == 0; i++)
        r = find_rows(s, &f, invariants[i].what, invariants[i].sql, err);
    if (r == 0 && f.count == 0)
        r = check_blobs(s, "main", &f, err);
    if (r == 0 && f.count == 0)
        r = check_dimensions(s, "main", &f, err);
    if (r == 0 && f.count == 0)
        r = check_samples(s, &f, err);
    if (r == ERR_STORE && (sqlite3_errcode(s->db.handle) & 0xff) == SQLITE_CORRUPT) {
        found(&f, "integrity", err->text);
        err_clear(err);
        return 1;
    }
    return r < 0 ? r : f.count > 0;
}

/* ---- copies ---- */

/* An empty file of our mode, so that a copy never replaces anything. */
static int make_target(const char *path, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_USAGE, "'%s' exists already; a copy never overwrites", path);
    return fd < 0 ? err_sys(err, errno, "'%s'", path) : 0;
}

static int copy_pages(sqlite3_backup *backup)
{
    struct deadline d = deadline_in_ms(BACKUP_WAIT_MS);
    int r;

    while ((r = sqlite3_backup_step(backup, BACKUP_PAGES)) != SQLITE_DONE) {
        if (r == SQLITE_OK) {
            d = deadline_in_ms(BACKUP_WAIT_MS);
            continue;
        }
        if ((r != SQLITE_BUSY && r != SQLITE_LOCKED) || deadline_passed(d))
            return r;
        clock_sleep_ms(10);
    }
    return SQLITE_OK;
}

int store_copy(sqlite3 *from, const char *to, struct err *err)
{
    sqlite3 *target = NULL;
    sqlite3_backup *backup;
    int r = sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE, NULL);

    if (r == SQLITE_OK) {
        backup = sqlite3_backup_init(target, "main", from, "main");
        r = backup != NULL ? copy_pages(backup) : sqlite3_errcode(target);
        if (sqlite3_backup_finish(backup) != SQLITE_OK && r == SQLITE_OK)
            r = sqlite3_errcode(target);
    }
    (void)sqlite3_close(target);
    return r == SQLITE_OK ? 0 : err_set(err, ERR_STORE, "'%s': %s", to, sqlite3_errstr(r));
}

int store_backup(struct store *s, const char *to, struct err *err)
{
    int r = make_target(to, err);

    if (r < 0)
        return r;
    r = store_copy(s->db.handle, to, err);
    if (r < 0)
        (void)unlink(to);
    return r < 0 ? err_in(err, "backup") : 0;
}

int store_vacuum_into(struct store *s, const char *to, struct err *err)
{
    int r = make_target(to, err);

    if (r < 0)
        return r;
    r = db_run(&s->db, err, "VACUUM INTO ?", "t", to);
    if (r < 0)
        (void)unlink(to);
    return r < 0 ? err_in(err, "compact copy '%s'", to) : 0;
}

int store_vacuum(struct store *s, struct err *err)
{
    int r = db_exec(&s->db, "VACUUM", err);

    if (r == 0)
        r = db_exec(&s->db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    return r;
}
