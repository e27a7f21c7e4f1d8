#include "harness/store/db.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void db_close(struct db *db)
{
    for (size_t i = 0; i < db->cached; i++)
        (void)sqlite3_finalize(db->cache[i].statement);
    db->cached = 0;
    (void)sqlite3_close(db->handle);
    db->handle = NULL;
}

int db_fail(struct db *db, struct err *err, const char *what)
{
    const int code = sqlite3_errcode(db->handle) & 0xff;

    (void)err_set(err, ERR_STORE, "%s: %s: %s", db->path, what, sqlite3_errmsg(db->handle));
    switch (code) {
    case SQLITE_FULL:
        return err_hint(err, "free some space on that disk (or move the database), then "
                             "`tinyrig resume`");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_hint(err, "another program holds the database for long; try again");
    case SQLITE_READONLY:
        return err_hint(err, "the file or its folder is not writable");
    case SQLITE_CORRUPT:
        return err_hint(err, "the file is damaged: go back to a backup, or salvage it with "
                             "`sqlite3 FILE .recover`");
    default:
        return (int)err->code;
    }
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                        : db_fail(db, err, "write");
}

int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    if (sqlite3_prepare_v2(db->handle, sql, -1, ret, NULL) != SQLITE_OK)
        return db_fail(db, err, "prepare");
    return 0;
}

void db_finalize(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
    *statement = NULL;
}

static int statement_find(struct db *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    for (size_t i = 0; i < db->cached; i++) {
        if (db->cache[i].sql == sql) {
            *ret = db->cache[i].statement;
            (void)sqlite3_reset(*ret);
            return 0;
        }
    }
    if (db->cached == DB_STATEMENTS_MAX)
        return err_set(err, ERR_BUG, "%s: statement cache is full", db->path);
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
        return db_fail(db, err, "prepare");
    db->cache[db->cached].sql = sql;
    db->cache[db->cached++].statement = *ret;
    return 0;
}

static int bind_one(sqlite3_stmt *st, int at, char kind, va_list *ap)
{
    switch (kind) {
    case 'i':
        return sqlite3_bind_int64(st, at, va_arg(*ap, int64_t));
    case 'r':
        return sqlite3_bind_double(st, at, va_arg(*ap, double));
    case 't': {
        const char *text = va_arg(*ap, const char *);

        return sqlite3_bind_text(st, at, text, text != NULL ? (int)strnlen(text, DB_TEXT_MAX) : 0,
                                 SQLITE_TRANSIENT);
    }
    case 'h':
        return sqlite3_bind_blob(st, at, va_arg(*ap, const void *), 32, SQLITE_TRANSIENT);
    case 'b': {
        const void *data = va_arg(*ap, const void *);
        const size_t size = va_arg(*ap, size_t);

        return sqlite3_bind_blob64(st, at, data, size, SQLITE_TRANSIENT);
    }
    default:
        return sqlite3_bind_null(st, at);
    }
}

static int bind_all(struct db *db, sqlite3_stmt *st, const char *format, va_list *ap,
                    struct err *err)
{
    for (int i = 0; format[i] != '\0'; i++) {
        if (bind_one(st, i + 1, format[i], ap) != SQLITE_OK)
            return db_fail(db, err, "bind");
    }
    return 0;
}

int db_start(struct db *db, sqlite3_stmt **ret, struct err *err, const char *sql,
             const char *format, ...)
{
    va_list ap;
    int r = statement_find(db, sql, ret, err);

    if (r < 0)
        return r;
    va_start(ap, format);
    r = bind_all(db, *ret, format, &ap, err);
    va_end(ap);
    return r;
}

int db_step(struct db *db, sqlite3_stmt *statement, struct err *err)
{
    const int r = sqlite3_step(statement);

    if (r == SQLITE_ROW)
        return 1;
    if (r == SQLITE_DONE) {
        (void)sqlite3_reset(statement); /* lets go of the read snapshot */
        return 0;
    }
    (void)db_fail(db, err, sqlite3_stmt_readonly(statement) ? "read" : "write");
    (void)sqlite3_reset(statement);
    return (int)err->code;
}

int db_run(struct db *db, struct err *err, const char *sql, const char *format, ...)
{
    sqlite3_stmt *st;
    va_list ap;
    int r = statement_find(db, sql, &st, err);

    if (r < 0)
        return r;
    va_start(ap, format);
    r = bind_all(db, st, format, &ap, err);
    va_end(ap);
    while (r == 0 && (r = db_step(db, st, err)) > 0)
        r = 0;
    return r;
}

int db_number(struct db *db, int64_t *ret, struct err *err, const char *sql, const char *format,
              ...)
{
    sqlite3_stmt *st;
    va_list ap;
    int r = statement_find(db, sql, &st, err);

    if (r < 0)
        return r;
    va_start(ap, format);
    r = bind_all(db, st, format, &ap, err);
    va_end(ap);
    if (r == 0)
        r = db_step(db, st, err);
    if (r > 0) {
        *ret = sqlite3_column_int64(st, 0);
        (void)sqlite3_reset(st);
    }
    return r;
}

const char *db_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
    const char *s = (const char *)sqlite3_column_text(statement, column);

    return s != NULL ? arena_strdup(arena, s) : NULL;
}

double db_real(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(statement, column);
}

int db_begin(struct db *db, struct err *err)
{
    /* IMMEDIATE: a lock that is upgraded later fails at once instead of waiting its turn. */
    return db_run(db, err, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db, struct err *err)
{
    return db_run(db, err, "COMMIT", "");
}

void db_rollback(struct db *db)
{
    if (sqlite3_get_autocommit(db->handle) == 0)
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}
