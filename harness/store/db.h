/*
 * SQLite behind our error and binding conventions. Included only inside harness/store.
 *
 * Formats of bound values: i int64_t, r double (NaN: NULL), t text or NULL, b data and size_t
 * (NULL data: NULL), h 32-byte hash, n NULL. Negative = failed with err filled, as everywhere.
 */
#ifndef HARNESS_STORE_DB_H
#define HARNESS_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/err.h"

enum {
    DB_STATEMENTS_MAX = 128,
    DB_TEXT_MAX = 64 * 1024 /* longer texts are cut: some come from boards */
};

struct db {
    sqlite3 *handle;
    const char *path;
    /* Prepared once; found by the address of their text, so pass string literals. */
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } cache[DB_STATEMENTS_MAX];
    size_t cached;
};

void db_close(struct db *db);
int db_fail(struct db *db, struct err *err, const char *what);

/* Run statements that take nothing and return nothing. */
int db_exec(struct db *db, const char *sql, struct err *err) MUST_CHECK;

/* Bind and step to the end. */
int db_run(struct db *db, struct err *err, const char *sql, const char *format, ...) MUST_CHECK;

/* Bind; rows are fetched with db_step. The statement is reset by the next use of the same text. */
int db_start(struct db *db, sqlite3_stmt **ret, struct err *err, const char *sql,
             const char *format, ...) MUST_CHECK;
/* The same for text made at run time: not cached, db_finalize when done. */
int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct err *err) MUST_CHECK;
void db_finalize(sqlite3_stmt **statement);

/* 1: a row is there; 0: no more. */
int db_step(struct db *db, sqlite3_stmt *statement, struct err *err) MUST_CHECK;

/* First column of the first row as a number: 1 found, 0 no row. */
int db_number(struct db *db, int64_t *ret, struct err *err, const char *sql, const char *format,
              ...) MUST_CHECK;

/* Column as a string in the arena; NULL for NULL. Bytes after a NUL are cut. */
const char *db_text(sqlite3_stmt *statement, int column, struct arena *arena);
double db_real(sqlite3_stmt *statement, int column); /* NaN for NULL */

int db_begin(struct db *db, struct err *err) MUST_CHECK; /* takes the write lock now */
int db_commit(struct db *db, struct err *err) MUST_CHECK;
void db_rollback(struct db *db);

#endif
