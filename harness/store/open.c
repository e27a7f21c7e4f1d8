/* Opening: whose file is it, which schema has it, and the migrations between. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/text.h"
#include "harness/store/internal.h"

enum {
    BUSY_TIMEOUT_MS = 10000,
    FILE_MODE = 0640
};

/* matches(pattern, text): names in selections use the same patterns everywhere. */
static void sql_matches(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    const char *pattern = (const char *)sqlite3_value_text(argv[0]);
    const char *text = (const char *)sqlite3_value_text(argv[1]);

    sqlite3_result_int(context, pattern != NULL && text != NULL && text_matches(pattern, text));
}

static int make_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder;
    int r;

    if (slash == NULL || slash == path)
        return 0;
    folder = strndup(path, (size_t)(slash - path));
    if (folder == NULL)
        abort();
    r = file_make_dirs(folder, err);
    free(folder);
    return r;
}

/* Create the file ourselves: SQLite would use 0644, and its -wal and -shm copy the mode. */
static int create_file(const char *path, struct err *err)
{
    AUTO(fd_close) int fd = -1;

    if (make_folder(path, err) < 0)
        return err_in(err, "results database '%s'", path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0 && errno != EEXIST)
        return err_sys(err, errno, "results database '%s'", path);
    return 0;
}

static int check_file(struct store *s, enum store_mode mode, struct err *err)
{
    struct stat st;

    if (mode == STORE_WRITE && create_file(s->path, err) < 0)
        return (int)err->code;
    if (stat(s->path, &st) != 0) {
        (void)err_sys(err, errno, "results database '%s'", s->path);
        return err_hint(err, "`tinyrig run SUITE` makes one; --db names another file");
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, "results database '%s': not a regular file", s->path);
    return 0;
}

static int connect_file(struct store *s, enum store_mode mode, struct err *err)
{
    int r = strcmp(s->path, STORE_MEMORY) == 0 ? 0 : check_file(s, mode, err);

    if (r < 0)
        return r;
    /* URIs are for ATTACH; a path that looks like one is still a path */
    if (strncmp(s->path, "file:", 5) == 0)
        return err_set(err, ERR_USAGE, "'%s': give a path, not a URI", s->path);
    r = sqlite3_open_v2(s->path, &s->db.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL);
    if (r != SQLITE_OK)
        return err_set(err, ERR_STORE, "results database '%s': %s", s->path,
                       s->db.handle != NULL ? sqlite3_errmsg(s->db.handle) : sqlite3_errstr(r));
    return 0;
}

/* The file may come from anywhere: no functions from its schema, no huge values. */
static int harden(struct store *s, struct err *err)
{
    sqlite3 *db = s->db.handle;

    (void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (sqlite3_create_function(db, "matches", 2,
                                SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                sql_matches, NULL, NULL) != SQLITE_OK)
        return db_fail(&s->db, err, "open");
    return 0;
}

static int refuse_foreign(struct store *s, struct err *err)
{
    err_clear(err); /* SQLite's own words, if any, say less */
    (void)err_set(err, ERR_CONFIG, "'%s' is not a tinyrig results database; left untouched",
                  s->path);
    return err_hint(err, "give --db another path");
}

/* In one snapshot: another process may be making the file just now. */
static int read_identity(struct store *s, int64_t *id, int64_t *version, int64_t *objects,
                         struct err *err)
{
    int r = db_exec(&s->db, "BEGIN", err);

    if (r == 0)
        r = db_number(&s->db, id, err, "PRAGMA application_id", "");
    if (r >= 0)
        r = db_number(&s->db, version, err, "PRAGMA user_version", "");
    if (r >= 0)
        r = db_number(&s->db, objects, err, "SELECT count(*) FROM sqlite_schema", "");
    return r;
}

/* 0 our file, 1 an empty one; anything else is refused before a byte is written. */
static int identify(struct store *s, int64_t *ret_version, struct err *err)
{
    int64_t id = 0, objects = 0;
    const int r = read_identity(s, &id, ret_version, &objects, err);
    const bool foreign = r < 0 && (sqlite3_errcode(s->db.handle) & 0xff) == SQLITE_NOTADB;

    db_rollback(&s->db);
    if (foreign)
        return refuse_foreign(s, err);
    if (r < 0)
        return r;
    if (id == STORE_APPLICATION_ID)
        return 0;
    if (id == 0 && objects == 0 && *ret_version == 0)
        return 1;
    return refuse_foreign(s, err);
}

static int refuse_newer(struct store *s, int64_t version, struct err *err)
{
    (void)err_set(err, ERR_UNSUPPORTED,
                  "'%s' has schema %lld, made by a newer tinyrig; this one (%s) knows up to %zu",
                  s->path, (long long)version, TINYRIG_VERSION, store_migrations_count);
    return err_hint(err, "update tinyrig, or give --db another path");
}

static int apply_migration(struct store *s, const struct embedded_file *file, int version,
                           struct err *err)
{
    char stamp[96];
    int r = db_exec(&s->db, file->text, err);

    (void)snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   STORE_APPLICATION_ID, version);
    if (r == 0)
        r = db_exec(&s->db, stamp, err);
    return r < 0 ? err_in(err, "migration %s", file->name) : 0;
}

/* Violations inside a migration would stay unseen: foreign keys are off while tables change. */
static int check_foreign_keys(struct store *s, struct err *err)
{
    int64_t violations = 0;
    const int r =
        db_number(&s->db, &violations, err, "SELECT count(*) FROM pragma_foreign_key_check", "");

    if (r >= 0 && violations != 0)
        return err_set(err, ERR_STORE, "%s: %lld rows lost what they refer to", s->path,
                       (long long)violations);
    return r < 0 ? r : 0;
}

static int migrate_one(struct store *s, int target, int64_t *version, struct err *err)
{
    const struct embedded_file *file;
    int r = db_begin(&s->db, err);

    /* Again, now that nobody else can be migrating. */
    if (r == 0)
        r = db_number(&s->db, version, err, "PRAGMA user_version", "");
    if (r < 0 || *version >= target) {
        db_rollback(&s->db);
        return r < 0 ? r : 0;
    }
    file = &store_migrations[*version];
    log_line(LOG_STORE, "%s: migration %s", s->path, file->name);
    r = apply_migration(s, file, (int)*version + 1, err);
    if (r == 0 && *version > 0)
        r = check_foreign_keys(s, err);
    if (r == 0)
        r = db_commit(&s->db, err);
    if (r < 0)
        db_rollback(&s->db);
    else
        (*version)++;
    return r;
}

int store_migrate(struct store *s, int version, struct err *err)
{
    const int target = version != 0 ? version : (int)store_migrations_count;
    int64_t now = 0;
    int r = identify(s, &now, err);

    if (r < 0)
        return r;
    if (now > (int64_t)store_migrations_count)
        return refuse_newer(s, now, err);
    if (now >= target)
        return 0;
    r = db_exec(&s->db, "PRAGMA foreign_keys = OFF", err);
    while (r == 0 && now < target)
        r = migrate_one(s, target, &now, err);
    return r;
}

/* Changing the journal mode ignores the busy timeout, so wait for a busy file here. */
static int set_pragmas(struct store *s, struct err *err)
{
    const struct deadline d = deadline_in_ms(BUSY_TIMEOUT_MS);
    int r;

    while ((r = db_exec(&s->db, "PRAGMA journal_mode = WAL", err)) < 0 &&
           (sqlite3_errcode(s->db.handle) & 0xff) == SQLITE_BUSY && !deadline_passed(d)) {
        err_clear(err);
        clock_sleep_ms(10);
    }
    if (r == 0)
        r = db_exec(&s->db,
                    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                    "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
                    err);
    return r;
}

/* Row of one unit; a program that knows a new one adds it. */
static int load_unit(struct store *s, enum unit unit, struct err *err)
{
    const char *name = unit_name(unit);
    int r =
        db_number(&s->db, &s->units[unit], err, "SELECT id FROM unit WHERE name = ?", "t", name);

    if (r != 0)
        return r < 0 ? r : 0;
    r = db_run(&s->db, err, "INSERT OR IGNORE INTO unit (name) VALUES (?)", "t", name);
    if (r == 0) /* again: another process may have been first */
        r = db_number(&s->db, &s->units[unit], err, "SELECT id FROM unit WHERE name = ?", "t",
                      name);
    return r < 0 ? r : 0;
}

static int load_units(struct store *s, struct err *err)
{
#define UNIT_ROW(name, word) name,
    static const enum unit all[] = {UNIT_LIST(UNIT_ROW)};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(all) && r == 0; i++)
        r = load_unit(s, all[i], err);
    return r;
}

int store_unit(struct store *s, int64_t id, enum unit *ret, struct err *err)
{
    for (size_t i = 0; i < STORE_UNITS_MAX; i++) {
        if (s->units[i] == id && id != 0) {
            *ret = (enum unit)i;
            return 0;
        }
    }
    return err_set(err, ERR_UNSUPPORTED, "%s: a value has a unit this tinyrig does not know",
                   s->path);
}

int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *err)
{
    AUTO(store_close_auto) struct store *s = calloc(1, sizeof(*s));
    int r;

    if (s == NULL || (s->path = strdup(path)) == NULL)
        abort();
    s->db.path = s->path;
    r = connect_file(s, mode, err);
    if (r == 0)
        r = harden(s, err);
    if (r == 0)
        r = store_migrate(s, 0, err);
    if (r == 0)
        r = set_pragmas(s, err);
    if (r == 0)
        r = load_units(s, err);
    if (r < 0)
        return r;
    *ret = MOVE(s);
    return 0;
}

const char *store_path(const struct store *s)
{
    return s->path;
}
