/* A fresh database in a folder of its own, and a synthetic lab to fill it. For cmocka tests. */
#ifndef TESTS_SUPPORT_STORE_FIXTURE_H
#define TESTS_SUPPORT_STORE_FIXTURE_H

#include "harness/store/store.h"
#include "tests/support/synthetic.h"
#include "tests/unit/unit.h"

struct fixture {
    char folder[64];
    char path[96];
    char run[37]; /* id of the newest synthetic run */
    struct arena arena;
    struct store *store;
    struct synthetic lab;
    struct err err;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Close and open again, as another process would. */
void fixture_reopen(struct fixture *f, enum store_mode mode);
struct dataset fixture_query(struct fixture *f, struct store_selection selection);
/* One whole run, later than those before it; its id is in f->run. */
void fixture_run(struct fixture *f, unsigned number);
/* "<folder>/<name>" in the fixture's arena. */
const char *fixture_file(struct fixture *f, const char *name);

/* One number out of the file, or changes to it, by a connection that knows nothing of us. */
int64_t fixture_number(struct fixture *f, const char *sql);
void fixture_execute(const char *path, const char *sql);

/* The call fails with this code; the error before it is forgotten. */
#define ASSERT_FAILS(f, code, call) (err_clear(&(f)->err), assert_int_equal((call), (code)))
/* The call works; if not, its own words say why. */
#define ASSERT_DONE(f, call) fixture_done((f), (call), __FILE__, __LINE__)
void fixture_done(struct fixture *f, int result, const char *file, int line);

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

#endif
