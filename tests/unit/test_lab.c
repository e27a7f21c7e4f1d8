/* The event pipe, and the worker pool with workers that misbehave. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/lab/event_pipe.h"
#include "harness/lab/pool.h"
#include "tests/support/event_fill.h"
#include "tests/unit/unit.h"

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

/* All kinds that travel, every field of theirs. */
static void nothing_is_lost_in_the_pipe(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;

    for (int kind = EVENT_CASE_BEGIN; kind <= EVENT_CASE_END; kind++) {
        for (unsigned seed = 1; seed < 20; seed++) {
            struct event e = {.kind = kind, .case_ = &cases[1], .attempt = 3, .at_ns = seed};
            struct event got;
            struct err err = ERR_INIT;
            AUTO_BUF bytes = BUF_INIT;
            size_t size = 0;

            event_fill(&e, seed, &arena);
            event_pipe_encode(&e, &plan, &bytes);
            assert_int_equal(event_pipe_decode(&bytes, &plan, &got, &size, &err), 0);
            assert_int_equal(size, bytes.len);
            assert_string_equal(event_text(&got, &arena), event_text(&e, &arena));
        }
    }
}

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

static void an_output_too_large_for_the_pipe_keeps_its_size(void **state)
{
    struct event e = {.kind = EVENT_OUTPUT, .case_ = &cases[0]};
    struct event got;
    AUTO_BUF bytes = BUF_INIT;
    struct err err = ERR_INIT;
    size_t size = 0;
    char *data = calloc(1, EVENT_OUTPUT_MAX + 1);

    assert_non_null(data);
    for (size_t more = 0; more < 2; more++) {
        buf_clear(&bytes);
        e.output = (struct event_output){.data = data, .size = EVENT_OUTPUT_MAX + more};
        event_pipe_encode(&e, &plan, &bytes);
        assert_int_equal(event_pipe_decode(&bytes, &plan, &got, &size, &err), 0);
        assert_int_equal(size, bytes.len);
        assert_int_equal(got.output.size, EVENT_OUTPUT_MAX + more);
        assert_int_equal(got.output.data == NULL, more);
    }
    free(data);
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

/* Case n/one fails and is to be tried again; then its worker is killed. */
static void fail_and_die(void *context, const struct board *board,
                         const struct plan_case *const *list, size_t n, struct event_sink *sink)
{
    struct event failed = {.kind = EVENT_CASE_END, .case_ = &cases[1]};
    struct err err = ERR_INIT;

    failed.end = (struct event_case_end){
        .status = CASE_ERROR, .code = ERR_TIMEOUT, .failure_class = "lab", .retried = true};
    for (size_t i = 0; i < n; i++) {
        send_event(sink, list[i], EVENT_CASE_BEGIN);
        if (list[i] == &cases[1]) {
            (void)!sink->emit(sink, &failed, &err);
            send_event(sink, list[i], EVENT_CASE_BEGIN);
            (void)raise(SIGKILL);
        }
        send_event(sink, list[i], EVENT_CASE_END);
    }
}

/* One budget for what the board does to it and what is done to its workers. */
static void a_killed_worker_does_not_renew_the_retries(void **state)
{
    struct counter c = {.base = {.emit = count}};
    struct err err = ERR_INIT;

    assert_int_equal(
        pool_run(&plan,
                 &(struct pool_options){.run_board = fail_and_die, .run_id = "r", .retries = 1},
                 &c.base, &err),
        0);
    assert_int_equal(c.retried, 1);
    assert_int_equal(c.failed, 2);
    assert_int_equal(c.begun, 4);
    assert_int_equal(c.passed, 2);
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
    assert_true(clock_monotonic_ns() - started < 60000000000u); /* else they pause for ever */
}

/* ---- boards that share an instrument ---- */

enum {
    SHARERS = 5, /* boards of one meter; the one behind them has its own */
    TURNS = 12   /* cases of each */
};

struct turns {
    struct event_sink base;
    const struct board *order[SHARERS]; /* that had their turn, in the order that they began */
    size_t count;
    unsigned passed;
    bool both; /* two sharers at once */
    const struct board *at_work, *free_board;
    volatile int *over; /* for the free board's worker: all sharers are through */
    unsigned left;
};

static int watch_turns(struct event_sink *self, const struct event *e, struct err *err)
{
    struct turns *t = (struct turns *)self;
    const struct board *b = e->case_->board;

    t->passed += e->kind == EVENT_CASE_END && e->end.status == CASE_PASSED;
    if (b == t->free_board)
        return 0;
    if (e->kind == EVENT_CASE_BEGIN) {
        t->both |= t->at_work != NULL;
        t->at_work = b;
        if (t->count == 0 || t->order[t->count - 1] != b) {
            assert_true(t->count < SHARERS); /* nobody comes twice */
            t->order[t->count++] = b;
        }
    } else if (e->kind == EVENT_CASE_END) {
        t->at_work = NULL;
        t->left -= !e->end.retried;
        *t->over = t->left == 0;
    }
    return 0;
}

struct sharing {
    const struct board *killed, *free_board;
    volatile int *over;
};

/*
 * The first sharer's worker is killed at every case: it must not hold the meter for good. The free
 * board ends its first case when all sharers are through: they do not wait for it, nor it for them.
 */
static void share(void *context, const struct board *board, const struct plan_case *const *list,
                  size_t n, struct event_sink *sink)
{
    const struct sharing *s = context;

    for (size_t i = 0; i < n; i++) {
        send_event(sink, list[i], EVENT_CASE_BEGIN);
        if (board == s->killed)
            (void)raise(SIGKILL);
        while (board == s->free_board && !*s->over)
            clock_sleep_ms(1);
        send_event(sink, list[i], EVENT_CASE_END);
    }
}

static void boards_of_one_meter_have_their_turns_in_order(void **state)
{
    static const struct lab_meter meters[] = {{.name = "shared", .serial = "S"}};
    static const struct lab lab = {.meters = meters, .meter_count = 1};
    static const struct suite_energy energy = {.meter = "shared"};
    struct board *kinds[SHARERS + 1];
    const struct board *list[SHARERS + 1];
    struct plan_case all[(SHARERS + 1) * TURNS];
    int *over = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct sharing sharing = {.over = over};

    assert_ptr_not_equal(over, MAP_FAILED);
    for (size_t i = 0; i <= SHARERS; i++)
        list[i] = kinds[i] = calloc(1, sizeof(**kinds));
    sharing.killed = kinds[0];
    sharing.free_board = kinds[SHARERS];
    for (int by_suite = 0; by_suite < 2; by_suite++) {
        struct turns t = {.base = {.emit = watch_turns},
                          .free_board = kinds[SHARERS],
                          .over = over,
                          .left = SHARERS * TURNS};
        struct err err = ERR_INIT;
        const struct plan many = {.cases = all,
                                  .case_count = ARRAY_SIZE(all),
                                  .boards = list,
                                  .board_count = ARRAY_SIZE(list),
                                  .lab = &lab};

        for (size_t i = 0; i <= SHARERS; i++) {
            const bool shares = i < SHARERS;

            *kinds[i] = (struct board){.name = &"abcdef"[i],
                                       .realm = REALM_SILICON,
                                       .meter = shares && !by_suite ? "shared" : NULL};
            for (size_t k = 0; k < TURNS; k++)
                all[i * TURNS + k] = (struct plan_case){
                    .key = "k", .board = kinds[i], .energy = shares && by_suite ? &energy : NULL};
        }
        assert_int_equal(
            pool_run(&many,
                     &(struct pool_options){
                         .run_board = share, .context = &sharing, .run_id = "r", .retries = 2},
                     &t.base, &err),
            0);
        *over = 0;
        assert_false(t.both);
        assert_int_equal(t.count, SHARERS);
        for (size_t i = 0; i < SHARERS; i++)
            assert_ptr_equal(t.order[i], list[i]);
        assert_int_equal(t.passed, SHARERS * TURNS);
    }
    for (size_t i = 0; i <= SHARERS; i++)
        free(kinds[i]);
    (void)munmap(over, sizeof(int));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_survive_the_pipe),
        cmocka_unit_test(nothing_is_lost_in_the_pipe),
        cmocka_unit_test(an_output_too_large_for_the_pipe_keeps_its_size),
        cmocka_unit_test(a_null_string_stays_null),
        cmocka_unit_test(damaged_events_are_refused_or_harmless),
        cmocka_unit_test(a_worker_that_dies_costs_only_its_case),
        cmocka_unit_test(a_case_whose_worker_is_killed_is_tried_again),
        cmocka_unit_test(a_killed_worker_does_not_renew_the_retries),
        cmocka_unit_test(a_board_whose_workers_die_is_given_up),
        cmocka_unit_test(a_worker_whose_events_are_damaged_costs_only_its_case),
        cmocka_unit_test(a_second_interrupt_ends_wedged_workers),
        cmocka_unit_test(boards_of_one_meter_have_their_turns_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
