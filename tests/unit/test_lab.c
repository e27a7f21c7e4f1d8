/* Leases, the event pipe, and the worker pool with workers that misbehave. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/lab/event_pipe.h"
#include "harness/lab/lease.h"
#include "harness/lab/pool.h"
#include "harness/measure/allowance.h"
#include "harness/measure/timebase.h"
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

static void lock_names_cannot_leave_the_folder(void **state)
{
    static const char *const bad[] = {"../x", "", "a/b", ".hidden", "a b"};
    struct lease *l = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(lease_take(folder, &bad[i], 1, "x", 0, &l, &err), ERR_CONFIG);
    }
}

/* ---- a plan to work on ---- */

static const struct board boards[] = {{.name = "one"}, {.name = "two"}};
static const struct plan_case cases[] = {
    {.key = "m/one", .board = &boards[0]},
    {.key = "n/one", .board = &boards[0]},
    {.key = "m/two", .board = &boards[1]},
};
static const struct board *const board_list[] = {&boards[0], &boards[1]};
static const struct plan plan = {
    .cases = cases, .case_count = 3, .boards = board_list, .board_count = 2, .run_count = 3};

/* ---- the event pipe ---- */

static void events_survive_the_pipe(void **state)
{
    struct event e = {.kind = EVENT_OUTPUT, .case_ = &cases[1], .attempt = 3};
    struct event got;
    AUTO_BUF bytes = BUF_INIT;
    struct err err = ERR_INIT;
    size_t size = 0;

    e.output = (struct event_output){.vector = 7, .data = "ab\0c", .size = 4, .equal = true};
    event_pipe_encode(&e, &plan, &bytes);
    for (size_t n = 0; n < bytes.len; n++) {
        const struct buf cut = {.data = bytes.data, .len = n};

        assert_int_equal(event_pipe_decode(&cut, &plan, &got, &size, &err), 1);
    }
    assert_int_equal(event_pipe_decode(&bytes, &plan, &got, &size, &err), 0);
    assert_int_equal(size, bytes.len);
    assert_ptr_equal(got.case_, &cases[1]);
    assert_int_equal(got.attempt, 3);
    assert_int_equal(got.output.vector, 7);
    assert_memory_equal(got.output.data, "ab\0c", 4);
}

static void a_null_string_stays_null(void **state)
{
    struct event e = {.kind = EVENT_CASE_END, .case_ = &cases[0]};
    struct event got;
    AUTO_BUF bytes = BUF_INIT;
    struct err err = ERR_INIT;
    size_t size = 0;

    e.end = (struct event_case_end){.status = CASE_ERROR, .text = "gone", .stage = NULL};
    event_pipe_encode(&e, &plan, &bytes);
    assert_int_equal(event_pipe_decode(&bytes, &plan, &got, &size, &err), 0);
    assert_string_equal(got.end.text, "gone");
    assert_null(got.end.stage);
}

/* A worker's memory may be damaged by what a hostile board made it do: nothing may be believed. */
static void damaged_events_are_refused_or_harmless(void **state)
{
    struct event e = {.kind = EVENT_FACT, .case_ = &cases[0]};
    AUTO_BUF bytes = BUF_INIT;

    e.fact = (struct event_fact){.key = "board.name", .value = "x"};
    event_pipe_encode(&e, &plan, &bytes);
    for (size_t i = 0; i < bytes.len * 8; i++) {
        struct err err = ERR_INIT;
        struct event got;
        size_t size = 0;

        ((unsigned char *)bytes.data)[i / 8] ^= 1u << i % 8;
        if (event_pipe_decode(&bytes, &plan, &got, &size, &err) == 0 && got.kind == EVENT_FACT)
            assert_true(got.fact.key == NULL || strlen(got.fact.key) <= bytes.len);
        ((unsigned char *)bytes.data)[i / 8] ^= 1u << i % 8;
    }
}

/* ---- the pool ---- */

struct counter {
    struct event_sink base;
    unsigned begun, passed, failed, retried, untried;
    bool died_in_n, damaged;
};

static int count(struct event_sink *self, const struct event *e, struct err *err)
{
    struct counter *c = (struct counter *)self;

    if (e->kind == EVENT_CASE_BEGIN)
        c->begun++;
    if (e->kind != EVENT_CASE_END)
        return 0;
    c->passed += e->end.status == CASE_PASSED;
    c->failed += e->end.status == CASE_ERROR;
    c->retried += e->end.retried;
    c->untried += e->end.stage != NULL && strcmp(e->end.stage, "admission") == 0;
    c->damaged |= e->end.text != NULL && strstr(e->end.text, "sent a damaged event") != NULL;
    if (e->end.status == CASE_ERROR)
        assert_string_equal(e->end.failure_class, c->damaged ? "internal" : "lab");
    if (e->case_ == &cases[1] && e->end.text != NULL)
        c->died_in_n = strstr(e->end.text, "killed by signal 9") != NULL;
    return 0;
}

static void send_event(struct event_sink *sink, const struct plan_case *c, enum event_kind kind)
{
    struct event e = {.kind = kind, .case_ = c};
    struct err err = ERR_INIT;

    e.end.status = CASE_PASSED;
    if (sink->emit(sink, &e, &err) < 0)
        _exit(1);
}

/* Case n/one kills its worker; the rest pass. */
static void work(void *context, const struct board *board, const struct plan_case *const *list,
                 size_t n, struct event_sink *sink)
{
    for (size_t i = 0; i < n; i++) {
        send_event(sink, list[i], EVENT_CASE_BEGIN);
        if (list[i] == &cases[1])
            (void)raise(SIGKILL);
        send_event(sink, list[i], EVENT_CASE_END);
    }
}

static void a_worker_that_dies_costs_only_its_case(void **state)
{
    struct counter c = {.base = {.emit = count}};
    struct err err = ERR_INIT;

    assert_int_equal(
        pool_run(&plan, &(struct pool_options){.run_board = work, .run_id = "r"}, &c.base, &err),
        0);
    assert_int_equal(c.begun, 3);
    assert_int_equal(c.passed, 2);
    assert_int_equal(c.failed, 1);
    assert_true(c.died_in_n);
}

/* All of its attempts are a fault of the lab, and the next worker's number is the next. */
static void a_case_whose_worker_is_killed_is_tried_again(void **state)
{
    struct counter c = {.base = {.emit = count}};
    struct err err = ERR_INIT;

    assert_int_equal(
        pool_run(&plan, &(struct pool_options){.run_board = work, .run_id = "r", .retries = 2},
                 &c.base, &err),
        0);
    assert_int_equal(c.begun, 5);
    assert_int_equal(c.passed, 2);
    assert_int_equal(c.failed, 3);
    assert_int_equal(c.retried, 2);
}

static void die(void *context, const struct board *board, const struct plan_case *const *list,
                size_t n, struct event_sink *sink)
{
    (void)raise(SIGKILL);
}

/* Workers that die before they begin anything: every case ends all the same, with the reason. */
static void a_board_whose_workers_die_is_given_up(void **state)
{
    struct counter c = {.base = {.emit = count}};
    struct err err = ERR_INIT;

    assert_int_equal(
        pool_run(&plan, &(struct pool_options){.run_board = die, .run_id = "r"}, &c.base, &err), 0);
    assert_int_equal(c.begun, 3);
    assert_int_equal(c.failed, 3);
    assert_int_equal(c.untried, 3);
}

/* Into the pipe of events, past its encoder: in a worker no other pipe is there to be written. */
static void write_garbage(void)
{
    for (int fd = 3; fd < 64; fd++) {
        struct stat st;

        if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
            (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
            (void)!write(fd, "not an event at all, whatever its size is", 42);
    }
}

enum lie {
    LIE_GARBAGE,
    LIE_TWICE,     /* a beginning after a beginning */
    LIE_ANOTHERS,  /* a case of another board's */
    LIE_NOT_BEGUN, /* the end of a case that did not begin */
    LIE_STATUS,    /* one that does not exist */
    LIES
};

/* The worker of board 'one' lies in its first case, and would live on if it were let. */
static void lie(void *context, const struct board *board, const struct plan_case *const *list,
                size_t n, struct event_sink *sink)
{
    const enum lie how = *(const enum lie *)context;
    const struct plan_case *odd = how == LIE_ANOTHERS    ? &cases[2]
                                  : how == LIE_NOT_BEGUN ? &cases[1]
                                                         : &cases[0];
    struct event e = {.kind = how == LIE_TWICE ? EVENT_CASE_BEGIN : EVENT_CASE_END, .case_ = odd};
    struct err err = ERR_INIT;

    e.end.status = how == LIE_STATUS ? (enum case_status)99 : CASE_PASSED;
    for (size_t i = 0; i < n; i++) {
        send_event(sink, list[i], EVENT_CASE_BEGIN);
        if (list[i] == &cases[0]) {
            if (how == LIE_GARBAGE)
                write_garbage();
            else
                (void)sink->emit(sink, &e, &err);
            for (;;)
                (void)pause();
        }
        send_event(sink, list[i], EVENT_CASE_END);
    }
}

static void a_worker_whose_events_are_damaged_costs_only_its_case(void **state)
{
    for (enum lie how = 0; how < LIES; how++) {
        struct counter c = {.base = {.emit = count}};
        struct err err = ERR_INIT;

        assert_int_equal(
            pool_run(&plan,
                     &(struct pool_options){
                         .run_board = lie, .context = &how, .run_id = "r", .retries = 2},
                     &c.base, &err),
            0);
        assert_true(c.damaged);
        assert_int_equal(c.begun, 3);
        assert_int_equal(c.failed, 1);
        assert_int_equal(c.passed, 2);
    }
}

static void work_for_ever(void *context, const struct board *board,
                          const struct plan_case *const *list, size_t n, struct event_sink *sink)
{
    send_event(sink, list[0], EVENT_CASE_BEGIN);
    for (;;)
        (void)pause();
}

static void a_second_interrupt_ends_wedged_workers(void **state)
{
    static volatile sig_atomic_t two = 2;
    struct counter c = {.base = {.emit = count}};
    struct err err = ERR_INIT;
    const uint64_t started = clock_monotonic_ns();

    two = 2;
    assert_int_equal(pool_run(&plan,
                              &(struct pool_options){
                                  .run_board = work_for_ever, .run_id = "r", .interrupts = &two},
                              &c.base, &err),
                     ERR_CANCELLED);
    assert_true(clock_monotonic_ns() - started < 5000000000u);
}

/* ---- ticks ---- */

static void icount_ticks_name_exact_instructions(void **state)
{
    static const struct board b = {
        .name = "v", .timebase_unit = UNIT_INSTRUCTIONS, .virt = {.icount_shift = 7}};
    struct timebase t;
    struct err err = ERR_INIT;

    /* Measured on mps2-an385 at 25 MHz: 2028 instructions took 6489 or 6490 ticks. */
    assert_int_equal(timebase_make(&b, 25000000, &t, &err), 0);
    assert_true(timebase_value(&t, 6489, 0) == 2028);
    assert_true(timebase_value(&t, 6490, 0) == 2028);
    assert_true(timebase_value(&t, 6490, 51) == 2012);
    /* A 1 GHz timer at shift 0 counts instructions themselves. */
    assert_int_equal(timebase_make(&b, 1000, &t, &err), ERR_LAB);
}

static void a_wrong_clock_is_a_lab_fault(void **state)
{
    static const struct board b = {
        .name = "s", .timebase_unit = UNIT_CYCLES, .clock_hz = 80000000, .timebase_hz = 80000000};
    struct timebase t;
    struct err err = ERR_INIT;

    assert_int_equal(timebase_make(&b, 80000000, &t, &err), 0);
    assert_true(t.exact && timebase_value(&t, 1000, 17) == 983);
    assert_int_equal(timebase_make(&b, 16000000, &t, &err), ERR_LAB);
}

/* ---- the first inference's deadline ---- */

static void the_first_inference_is_waited_for_by_its_work(void **state)
{
    static const struct nn_report_op custom[] = {{.name = "CUSTOM", .steps = 1}};
    static const struct board avr = {.clock_hz = 16000000, .realm = REALM_SILICON};
    static const struct board m4 = {.clock_hz = 168000000, .realm = REALM_SILICON};
    static const struct board emulated = {.clock_hz = 168000000, .realm = REALM_VIRTUAL};
    struct nn_report r = {.macs = 300};

    /* A model of nothing: no board needs long, and one that hangs is noticed soon. */
    assert_in_range(allowance_first_ms(&r, &m4, 0), 10000, 11000);
    assert_in_range(allowance_first_ms(&r, &emulated, 0), 10000, 11000);
    /* 10 s at 16 MHz, at 28 cycles each: the slowest kernel there is. */
    r.macs = 10 * avr.clock_hz / 28;
    assert_in_range(allowance_first_ms(&r, &avr, 0), 30000, 60000);
    /* MobileNet of MLPerf Tiny, and the same on an emulator of a crowded host. */
    r.macs = 7489664;
    assert_in_range(allowance_first_ms(&r, &m4, 0), 14000, 20000);
    assert_in_range(allowance_first_ms(&r, &emulated, 0), 60000, 120000);
    /* A further try has longer, up to what is given where nothing is known. */
    assert_true(allowance_first_ms(&r, &m4, 1) > 2 * allowance_first_ms(&r, &m4, 0));
    assert_int_equal(allowance_first_ms(&r, &m4, 99), ALLOWANCE_UNKNOWN_MS);
    assert_int_equal(allowance_first_ms(NULL, &m4, 0), ALLOWANCE_UNKNOWN_MS);
    r.ops = custom;
    r.op_count = 1;
    assert_int_equal(allowance_first_ms(&r, &m4, 0), ALLOWANCE_UNKNOWN_MS);
    r.macs = UINT64_MAX;
    r.op_count = 0;
    assert_int_equal(allowance_first_ms(&r, &m4, 0), ALLOWANCE_UNKNOWN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loser_reads_who_holds_the_board),
        cmocka_unit_test(shared_instruments_cannot_deadlock),
        cmocka_unit_test(a_loser_leaves_the_record_as_it_is),
        cmocka_unit_test(lease_vanishes_with_a_killed_holder),
        cmocka_unit_test(lock_names_cannot_leave_the_folder),
        cmocka_unit_test(events_survive_the_pipe),
        cmocka_unit_test(a_null_string_stays_null),
        cmocka_unit_test(damaged_events_are_refused_or_harmless),
        cmocka_unit_test(a_worker_that_dies_costs_only_its_case),
        cmocka_unit_test(a_case_whose_worker_is_killed_is_tried_again),
        cmocka_unit_test(a_board_whose_workers_die_is_given_up),
        cmocka_unit_test(a_worker_whose_events_are_damaged_costs_only_its_case),
        cmocka_unit_test(a_second_interrupt_ends_wedged_workers),
        cmocka_unit_test(icount_ticks_name_exact_instructions),
        cmocka_unit_test(a_wrong_clock_is_a_lab_fault),
        cmocka_unit_test(the_first_inference_is_waited_for_by_its_work),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
