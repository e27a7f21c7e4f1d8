#include "tests/support/store_fixture.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return -1;
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/test_store.XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        return -1;
    (void)snprintf(f->path, sizeof(f->path), "%s/results.db", f->folder);
    synthetic_run_id(1, f->run);
    synthetic_init(&f->lab, 2, 3, 1);
    *state = f;
    return store_open(f->path, STORE_WRITE, &f->store, &f->err);
}

/* Everything in it; there are no folders. */
static int remove_folder(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *e;

    if (d == NULL)
        return -1;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    (void)closedir(d);
    return rmdir(path);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    int r;

    store_close(f->store);
    synthetic_release(&f->lab);
    arena_release(&f->arena);
    r = remove_folder(f->folder);
    free(f);
    return r;
}

void fixture_done(struct fixture *f, int result, const char *file, int line)
{
    if (result == 0)
        return;
    print_error("%s\n", f->err.text);
    _fail(file, line);
}

void fixture_reopen(struct fixture *f, enum store_mode mode)
{
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(store_open(f->path, mode, &f->store, &f->err), 0);
}

struct dataset fixture_query(struct fixture *f, struct store_selection selection)
{
    struct dataset d = {.case_count = 0};
    const int r = store_query(f->store, &selection, &f->arena, &d, &f->err);

    if (r != 0)
        print_error("%s\n", f->err.text);
    assert_int_equal(r, 0);
    return d;
}

void fixture_run(struct fixture *f, unsigned number)
{
    synthetic_run_id(number, f->run);
    f->lab.now_ns += 1000000000000;
    assert_int_equal(synthetic_run(&f->lab, f->run, store_sink(f->store), &f->err), 0);
}

const char *fixture_file(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->folder, name);
}

int64_t fixture_number(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return n;
}

void fixture_execute(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
