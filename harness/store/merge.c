/*
 * Another database into this one: checks that it may be trusted, then merge.sql.
 *
 * The result does not depend on the order of merges or on how often one is repeated: rows are only
 * added, and an attempt that had not ended here is completed from there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/log.h"
#include "harness/store/internal.h"

/* "file:" URI of a path, so that it is attached read-only whatever is in its name. */
static void path_to_uri(const char *path, struct buf *ret)
{
    buf_puts(ret, "file:");
    if (path[0] != '/')
        buf_puts(ret, "./");
    for (; *path != '\0'; path++) {
        if (strchr("%?#", *path) != NULL)
            buf_printf(ret, "%%%02X", (unsigned char)*path);
        else
            buf_putc(ret, *path);
    }
    buf_puts(ret, "?mode=ro");
}

static int refuse(const char *path, struct err *err, const char *why)
{
    err_clear(err);
    return err_set(err, ERR_CONFIG, "'%s': %s; nothing was merged", path, why);
}

/* Reading it failed; SQLite's words would be put down to our own file. */
static int unreadable(struct store *s, const char *path, int r, struct err *err)
{
    switch (sqlite3_errcode(s->db.handle) & 0xff) {
    case SQLITE_NOTADB:
        return refuse(path, err, "not a tinyrig results database");
    case SQLITE_CORRUPT:
        return refuse(path, err, "the file is damaged");
    default:
        return r;
    }
}

static int attach(struct store *s, const char *path, struct err *err)
{
    AUTO_BUF uri = BUF_INIT;
    int r;

    path_to_uri(path, &uri);
    if (access(path, R_OK) != 0)
        return err_set(err, ERR_USAGE, "'%s': no such file, or not readable", path);
    r = db_run(&s->db, err, "ATTACH ? AS src", "t", buf_text(&uri));
    return r < 0 ? unreadable(s, path, r, err) : 0;
}

static void detach(struct store *s)
{
    struct err ignored = ERR_INIT;

    if (db_run(&s->db, &ignored, "DETACH src", "") < 0)
        log_line(LOG_STORE, "%s", ignored.text);
}

/* 0 with the schema version of what is attached. */
static int attached_version(struct store *s, const char *path, int64_t *ret, struct err *err)
{
    int64_t id = 0;
    int r = db_number(&s->db, &id, err, "PRAGMA src.application_id", "");

    if (r < 0 || id != STORE_APPLICATION_ID)
        return refuse(path, err, "not a tinyrig results database");
    r = db_number(&s->db, ret, err, "PRAGMA src.user_version", "");
    if (r < 0)
        return r;
    return *ret > (int64_t)store_migrations_count ? refuse(path, err, "made by a newer tinyrig")
                                                  : 0;
}

/* Its tables must be ours to the letter (a view in their place could run anything), and sound. */
static int check_attached(struct store *s, const char *path, struct err *err)
{
    AUTO_BUF findings = BUF_INIT;
    int64_t n = 0;
    int r =
        db_number(&s->db, &n, err,
                  "SELECT count(*) FROM (SELECT type, name, tbl_name, sql FROM main.sqlite_schema"
                  " WHERE type = 'table' AND name NOT LIKE 'sqlite_%' EXCEPT"
                  " SELECT type, name, tbl_name, sql FROM src.sqlite_schema)",
                  "");

    if (r < 0)
        return unreadable(s, path, r, err);
    if (n != 0)
        return refuse(path, err, "its tables were altered");
    r = db_number(&s->db, &n, err,
                  "SELECT count(*) FROM pragma_quick_check(1, 'src') WHERE quick_check <> 'ok'",
                  "");
    if (r < 0)
        return unreadable(s, path, r, err);
    if (n != 0)
        return refuse(path, err, "the file is damaged");
    r = store_check_hashes(s, "src", &findings, err);
    return r > 0   ? refuse(path, err, "its content differs from its hashes")
           : r < 0 ? unreadable(s, path, r, err)
                   : 0;
}

static int count_added(struct store *s, struct store_merge *ret, struct err *err)
{
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT runs, attempts, measurements, differing FROM temp.added", "");

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        ret->runs = (uint64_t)sqlite3_column_int64(st, 0);
        ret->attempts = (uint64_t)sqlite3_column_int64(st, 1);
        ret->measurements = (uint64_t)sqlite3_column_int64(st, 2);
        ret->differing = (uint64_t)sqlite3_column_int64(st, 3);
        r = 0;
    }
    return r;
}

static int merge_attached(struct store *s, const char *path, struct store_merge *ret,
                          struct err *err)
{
    int r = check_attached(s, path, err);

    if (r == 0)
        r = db_begin(&s->db, err);
    if (r < 0)
        return r;
    r = db_exec(&s->db, store_scripts[0].text, err);
    if (r == 0)
        r = count_added(s, ret, err);
    if (r == 0)
        r = db_commit(&s->db, err);
    if (r < 0)
        db_rollback(&s->db);
    return r;
}

/* A file of an older program is brought up to date in a copy: the original stays as it is. */
static int merge_copy(struct store *s, const char *path, struct store_merge *ret, struct err *err)
{
    AUTO_BUF uri = BUF_INIT;
    AUTO_BUF copy = BUF_INIT;
    AUTO(store_close_auto) struct store *updated = NULL;
    sqlite3 *from = NULL;
    int fd, r;

    buf_printf(&copy, "%s.merge-XXXXXX", s->path);
    fd = mkostemp(copy.data, 0);
    if (fd < 0)
        return err_sys(err, errno, "'%s'", buf_text(&copy));
    (void)close(fd);
    path_to_uri(path, &uri);
    if (sqlite3_open_v2(buf_text(&uri), &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) !=
        SQLITE_OK)
        r = err_set(err, ERR_STORE, "'%s': %s", path, sqlite3_errmsg(from));
    else
        r = store_copy(from, buf_text(&copy), err);
    (void)sqlite3_close(from);
    if (r == 0)
        r = store_open(buf_text(&copy), STORE_WRITE, &updated, err);
    if (r == 0) {
        store_close(MOVE(updated));
        r = attach(s, buf_text(&copy), err);
    }
    if (r == 0) {
        r = merge_attached(s, path, ret, err);
        detach(s);
    }
    (void)unlink(buf_text(&copy));
    return r;
}

int store_merge(struct store *s, const char *from, struct store_merge *ret, struct err *err)
{
    struct store_merge added = {.runs = 0};
    int64_t version = 0;
    int r = attach(s, from, err);

    if (r < 0)
        return err_in(err, "merge");
    r = attached_version(s, from, &version, err);
    if (r == 0 && version == (int64_t)store_migrations_count)
        r = merge_attached(s, from, &added, err);
    detach(s);
    if (r == 0 && version < (int64_t)store_migrations_count)
        r = merge_copy(s, from, &added, err);
    if (r < 0)
        return err_in(err, "merge");
    *ret = added;
    return 0;
}
