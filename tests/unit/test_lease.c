/* Leases: who holds a board, what a loser may read, what a killed holder leaves. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/lab/health.h"
#include "harness/lab/lease.h"
#include "tests/unit/unit.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tinyrig-test-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    char path[128];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.lock", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

/* ---- leases ---- */

static void loser_reads_who_holds_the_board(void **state)
{
    static const char *const names[] = {"b", "a"};
    AUTO(lease_release_auto) struct lease *mine = NULL;
    struct lease *other = NULL;
    struct lease_holder h;
    struct err err = ERR_INIT;

    assert_int_equal(lease_take(folder, names, 2, "night suite", 0, &mine, &err), 0);
    assert_int_equal(lease_take(folder, names + 1, 1, "mine", 0, &other, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "'a' is in use by"));
    assert_non_null(strstr(err.text, "night suite"));
    err_clear(&err);
    assert_int_equal(lease_read(folder, "a", &h, &err), 0);
    assert_int_equal(h.pid, getpid());
    assert_string_equal(h.purpose, "night suite");
    lease_release(mine);
    mine = NULL;
    assert_int_equal(lease_read(folder, "a", &h, &err), 1);
}

/* Each takes both, named in another order, again and again: neither waits for ever. */
static void shared_instruments_cannot_deadlock(void **state)
{
    static const char *const orders[2][3] = {{"a", "b", "c"}, {"c", "b", "a"}};
    pid_t children[2];

    for (size_t k = 0; k < 2; k++) {
        children[k] = fork();
        if (children[k] != 0)
            continue;
        for (int i = 0; i < 300; i++) {
            struct lease *both = NULL;
            struct err err = ERR_INIT;

            if (lease_take(folder, orders[k], 3, "both", 60000, &both, &err) < 0)
                _exit(1);
            lease_release(both);
        }
        _exit(0);
    }
    for (size_t k = 0; k < 2; k++) {
        int status = -1;

        assert_int_equal(waitpid(children[k], &status, 0), children[k]);
        assert_int_equal(status, 0);
    }
}

static void a_loser_leaves_the_record_as_it_is(void **state)
{
    static const char *const names[] = {"a"};
    AUTO(lease_release_auto) struct lease *mine = NULL;
    AUTO_BUF before = BUF_INIT;
    AUTO_BUF after = BUF_INIT;
    struct lease *other = NULL;
    struct err err = ERR_INIT;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/a.lock", folder);
    assert_int_equal(lease_take(folder, names, 1, "a suite of a long name", 0, &mine, &err), 0);
    assert_int_equal(file_read(path, 512, &before, &err), 0);
    assert_int_equal(lease_take(folder, names, 1, "x", 0, &other, &err), ERR_BUSY);
    assert_null(other);
    err_clear(&err);
    assert_int_equal(file_read(path, 512, &after, &err), 0);
    assert_string_equal(buf_text(&after), buf_text(&before));
    assert_non_null(strstr(buf_text(&after), "a suite of a long name"));
}

/* Everybody may write lock files, and their text goes to terminals. */
static void a_record_cannot_talk_to_a_terminal(void **state)
{
    static const char *const names[] = {"a"};
    AUTO(lease_release_auto) struct lease *mine = NULL;
    struct lease_holder h;
    struct err err = ERR_INIT;

    assert_int_equal(lease_take(folder, names, 1, "\x1b[2Jred\xc2\x9b", 0, &mine, &err), 0);
    assert_int_equal(lease_read(folder, "a", &h, &err), 0);
    assert_string_equal(h.purpose, "?[2Jred??");
}

/* Somebody else's lock in a sticky folder: no O_CREAT, where the kernel guards against it. */
static void colleagues_take_over_each_others_locks(void **state)
{
    static const char *const names[] = {"c"};
    AUTO(lease_release_auto) struct lease *mine = NULL;
    struct err err = ERR_INIT;
    int status = 0;
    pid_t child;

    if (geteuid() != 0)
        skip(); /* only root can be two people */
    assert_int_equal(chmod(folder, 01777), 0);
    child = fork();
    if (child == 0) {
        const bool taken =
            setuid(65533) == 0 && lease_take(folder, names, 1, "theirs", 0, &mine, &err) == 0;

        _exit(taken ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(lease_take(folder, names, 1, "mine", 0, &mine, &err), 0);
}

static void lease_vanishes_with_a_killed_holder(void **state)
{
    static const char *const names[] = {"c"};
    AUTO(lease_release_auto) struct lease *mine = NULL;
    struct err err = ERR_INIT;
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        if (lease_take(folder, names, 1, "child", 0, &mine, &err) == 0)
            (void)!write(ready[1], "x", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(lease_take(folder, names, 1, "me", 0, &mine, &err), ERR_BUSY);
    err_clear(&err);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(lease_take(folder, names, 1, "me", 0, &mine, &err), 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void a_lease_that_ended_leaves_no_file(void **state)
{
    static const char *const names[] = {"a"};
    AUTO(lease_release_auto) struct lease *mine = NULL;
    struct lease *old = NULL;
    struct err err = ERR_INIT;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/a.lock", folder);
    assert_int_equal(lease_take(folder, names, 1, "x", 0, &old, &err), 0);
    assert_int_equal(access(path, F_OK), 0);
    lease_end(old);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(lease_take(folder, names, 1, "x", 0, &mine, &err), 0);
    assert_int_equal(lease_take(folder, names, 1, "x", 0, &old, &err), ERR_BUSY);
}

/* Each ends what it took, and nobody ever has it beside another. */
static void leases_that_end_exclude_each_other(void **state)
{
    static const char *const names[] = {"b"};
    unsigned *inside = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[4];

    assert_ptr_not_equal(inside, MAP_FAILED);
    for (size_t k = 0; k < ARRAY_SIZE(children); k++) {
        children[k] = fork();
        for (int i = 0; children[k] == 0 && i < 200; i++) {
            struct lease *l = NULL;
            struct err err = ERR_INIT;

            if (lease_take(folder, names, 1, "x", 60000, &l, &err) < 0 ||
                __atomic_fetch_add(inside, 1, __ATOMIC_SEQ_CST) != 0)
                _exit(1);
            (void)sched_yield();
            (void)__atomic_fetch_sub(inside, 1, __ATOMIC_SEQ_CST);
            lease_end(l);
        }
        if (children[k] == 0)
            _exit(0);
    }
    for (size_t k = 0; k < ARRAY_SIZE(children); k++) {
        int status = -1;

        assert_int_equal(waitpid(children[k], &status, 0), children[k]);
        assert_int_equal(status, 0);
    }
    (void)munmap(inside, 4096);
}

static void a_named_folder_is_the_only_one(void **state)
{
    struct err err = ERR_INIT;
    char path[HEALTH_PATH] = "";

    assert_int_equal(setenv("TINYRIG_LOCK_DIR", "/proc/nowhere", 1), 0);
    assert_int_equal(lease_default_folder(path, &err), ERR_LAB);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
    err_clear(&err);
    assert_int_equal(setenv("TINYRIG_LOCK_DIR", folder, 1), 0);
    assert_int_equal(lease_default_folder(path, &err), 0);
    assert_string_equal(path, folder);
    assert_int_equal(setenv("TINYRIG_STATE_DIR", "relative", 1), 0);
    assert_int_equal(health_folder(path, &err), ERR_LAB);
    assert_non_null(strstr(err.text, "'relative'"));
    err_clear(&err);
    assert_int_equal(unsetenv("TINYRIG_STATE_DIR"), 0);
    assert_int_equal(health_folder(path, &err), 0);
    assert_string_equal(path, folder);
    assert_int_equal(unsetenv("TINYRIG_LOCK_DIR"), 0);
}

static void lock_names_cannot_leave_the_folder(void **state)
{
    static const char *const bad[] = {"../x", "", "a/b", ".hidden", "a b"};
    struct lease *l = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(lease_take(folder, &bad[i], 1, "x", 0, &l, &err), ERR_CONFIG);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loser_reads_who_holds_the_board),
        cmocka_unit_test(shared_instruments_cannot_deadlock),
        cmocka_unit_test(a_loser_leaves_the_record_as_it_is),
        cmocka_unit_test(a_record_cannot_talk_to_a_terminal),
        cmocka_unit_test(colleagues_take_over_each_others_locks),
        cmocka_unit_test(lease_vanishes_with_a_killed_holder),
        cmocka_unit_test(a_lease_that_ended_leaves_no_file),
        cmocka_unit_test(leases_that_end_exclude_each_other),
        cmocka_unit_test(a_named_folder_is_the_only_one),
        cmocka_unit_test(lock_names_cannot_leave_the_folder),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
