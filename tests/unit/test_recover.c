/* What is remembered of boards, the recovery ladder, and programs of others. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/command.h"
#include "harness/base/file.h"
#include "harness/lab/health.h"
#include "harness/lab/internal.h"
#include "harness/lab/resources.h"
#include "tests/unit/unit.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tinyrig-test-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    const char *const argv[] = {"rm", "-rf", folder, NULL};
    struct err err = ERR_INIT;

    return command_check(&(struct command){.argv = argv, .timeout_ms = 10000}, NULL, &err);
}

/* ---- health ---- */

static void one_lab_fault_makes_suspect_and_one_good_case_good(void **state)
{
    struct health h = {.state = BOARD_GOOD};

    health_attempt(&h, true, 1);
    assert_int_equal(h.state, BOARD_SUSPECT);
    health_attempt(&h, false, 2);
    assert_int_equal(h.state, BOARD_GOOD);
    assert_true(health_flake_rate(&h) == 0.5);
}

static void nothing_but_faults_ends_in_quarantine(void **state)
{
    struct health h = {.state = BOARD_GOOD};

    for (unsigned i = 0; i < HEALTH_FAULTS_IN_ROW; i++) {
        assert_int_not_equal(h.state, BOARD_QUARANTINED);
        health_attempt(&h, true, i);
    }
    assert_int_equal(h.state, BOARD_QUARANTINED);
    health_attempt(&h, false, 99); /* a run that was still going must not let it out */
    assert_int_equal(h.state, BOARD_QUARANTINED);
    health_checked(&h, true, "", 100);
    assert_int_equal(h.state, BOARD_GOOD);
    assert_int_equal(h.in_row, 0);
}

static void only_a_person_ends_maintenance(void **state)
{
    struct health h = {.state = BOARD_GOOD};

    health_set(&h, BOARD_MAINTENANCE, "ann", "new cable", 1);
    health_checked(&h, true, "", 2);
    health_checked(&h, false, "mute", 3);
    for (unsigned i = 0; i < 20; i++)
        health_attempt(&h, i % 2 == 0, i);
    assert_int_equal(h.state, BOARD_MAINTENANCE);
    health_set(&h, BOARD_GOOD, "ann", "", 4);
    assert_int_equal(h.state, BOARD_GOOD);
    assert_int_equal(h.attempts, 0);
}

static void quarantine(void *context, struct health *h)
{
    health_set(h, BOARD_QUARANTINED, "tinyrig", context, 42);
    h->faults = 7;
    h->attempts = 9;
    (void)snprintf(h->last_status, sizeof(h->last_status), "error");
}

static void health_survives_its_file(void **state)
{
    char reason[] = "mute\nstate good"; /* a board's text must not write keys */
    struct err err = ERR_INIT;
    struct health h;

    assert_int_equal(health_read(folder, "x", &h, &err), 0);
    assert_int_equal(h.state, BOARD_GOOD);
    assert_int_equal(health_update(folder, "x", quarantine, reason, &err), 0);
    assert_int_equal(health_read(folder, "x", &h, &err), 0);
    assert_int_equal(h.state, BOARD_QUARANTINED);
    assert_string_equal(h.reason, "mute\\nstate good");
    assert_int_equal(h.since_ns, 42);
    assert_int_equal(h.faults, 7);
    assert_string_equal(h.last_status, "error");
    assert_int_equal(health_read(folder, "../x", &h, &err), ERR_CONFIG);
}

static void a_damaged_state_is_no_good_state(void **state)
{
    static const char *const bad[] = {"",
                                      "good",
                                      "state bad\n",
                                      "attempts 3\n",
                                      "state good\nattempts x\n",
                                      "state good\nin_row -1\n"};
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/board-y.state", folder);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = ERR_INIT;
        struct health h;

        assert_int_equal(file_write_atomic(path, bad[i], strlen(bad[i]), &err), 0);
        assert_int_equal(health_read(folder, "y", &h, &err), ERR_LAB);
        assert_non_null(strstr(err.text, "board-y.state"));
    }
}

static void files_are_not_for_everyone(void **state)
{
    struct err err = ERR_INIT;
    char path[128];
    struct stat st;

    assert_int_equal(health_update(folder, "z", quarantine, folder, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/board-z.state", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07, 0);
}

/* ---- the sink ---- */

static const struct board sink_board = {.name = "s", .realm = REALM_SILICON};
static const struct plan_case sink_case = {.key = "m/s/tiny", .board = &sink_board};

static void send_end(struct health_sink *s, enum err_code code, const char *stage)
{
    struct event e = {.kind = EVENT_CASE_END, .case_ = &sink_case, .at_ns = clock_realtime_ns()};
    struct err err = ERR_INIT;

    e.end = (struct event_case_end){
        .code = code, .stage = stage, .status = code == ERR_OK ? CASE_PASSED : CASE_ERROR};
    assert_int_equal(health_sink_base(s)->emit(health_sink_base(s), &e, &err), 0);
}

static void a_run_is_remembered_in_order(void **state)
{
    struct health_sink *s = health_sink_new(folder, NULL);
    struct event e = {.kind = EVENT_RECOVERY, .case_ = &sink_case};
    struct err err = ERR_INIT;
    struct health h;

    for (int i = 0; i < 5; i++)
        send_end(s, ERR_TIMEOUT, "measure");
    send_end(s, ERR_OK, NULL);
    for (int i = 0; i < 3; i++)
        send_end(s, ERR_PROTOCOL, "measure");
    send_end(s, ERR_OK, NULL);
    send_end(s, ERR_LAB, "admission"); /* not touched: no attempt */
    assert_int_equal(health_sink_close(s, &err), 0);
    assert_int_equal(health_read(folder, "s", &h, &err), 0);
    assert_int_equal(h.attempts, 10);
    assert_int_equal(h.faults, 8);
    assert_int_equal(h.state, BOARD_GOOD);
    assert_string_equal(h.last_key, "m/s/tiny");
    s = health_sink_new(folder, NULL);
    e.recovery = (struct event_recovery){.rung = "quarantine", .reason = "mute"};
    assert_int_equal(health_sink_base(s)->emit(health_sink_base(s), &e, &err), 0);
    assert_int_equal(health_read(folder, "s", &h, &err), 0); /* at once */
    assert_int_equal(h.state, BOARD_QUARANTINED);
    assert_int_equal(health_sink_close(s, &err), 0);
}

static void a_virtual_board_of_no_lab_file_has_no_history(void **state)
{
    struct board b = {.realm = REALM_VIRTUAL, .path = "b/virt-m4.yaml"};

    b.where.file = "b/virt-m4.yaml";
    assert_false(health_kept(&b));
    b.where.file = "lab.yaml";
    assert_true(health_kept(&b));
    b.where.file = "b/virt-m4.yaml";
    b.realm = REALM_SILICON;
    assert_true(health_kept(&b));
}

/* ---- the ladder, on a board whose port is not there ---- */

static char climbed[512];

static void note(void *context, const char *rung, const char *reason, bool worked)
{
    (void)strncat(climbed, rung, sizeof(climbed) - strlen(climbed) - 1);
    (void)strncat(climbed, worked ? "+ " : "- ", sizeof(climbed) - strlen(climbed) - 1);
}

static unsigned resets;

static int fake_reset(void *context, struct err *err)
{
    resets++;
    return 0;
}

static int broken_power(void *context, struct err *err)
{
    return err_set(err, ERR_LAB, "the relay sticks");
}

static void rungs_are_climbed_within_budgets_and_end_in_quarantine(void **state)
{
    static const struct board b = {.name = "gone",
                                   .transport = {.kind = "pty", .where = "/nonexistent/pty"}};
    struct session s = {.board = &b, .means = {.reset = fake_reset, .power_cycle = broken_power}};
    struct recovery r = {.note = note};
    const struct err why = {.code = ERR_TIMEOUT, .text = "no answer in 500 ms"};
    struct recovery_rung_info list[RECOVERY_RUNGS_MAX];
    unsigned reset_budget = 0;

    for (size_t i = 0; i < recovery_rung_list(list); i++) {
        if (strcmp(list[i].name, "probe-reset") == 0)
            reset_budget = list[i].budget;
    }
    assert_true(reset_budget > 0);
    resets = 0;
    for (unsigned i = 0; i < 30; i++) {
        struct err err = ERR_INIT;

        climbed[0] = '\0';
        assert_int_equal(recover(&s, &r, &why, &err), ERR_LAB);
        assert_non_null(strstr(err.hint, "boards check gone"));
        if (i == 0) {
            assert_string_equal(climbed, "reopen- probe-reset- power-cycle- quarantine- ");
            assert_non_null(strstr(err.text, "tried: reopen probe-reset power-cycle"));
            assert_non_null(strstr(err.text, "the relay sticks"));
        }
    }
    assert_string_equal(climbed, "quarantine- ");
    assert_int_equal(resets, reset_budget);
}

static void what_helped_once_is_not_tried_again_before_a_case_passed(void **state)
{
    static const struct board b = {.name = "loop", .transport = {.kind = "loop"}};
    struct session s = {.board = &b, .means = {.reset = fake_reset}};
    struct recovery r = {.note = note};
    const struct err why = {.code = ERR_TIMEOUT, .text = "mute"};
    struct err err = ERR_INIT;

    climbed[0] = '\0';
    assert_int_equal(recover(&s, &r, &why, &err), 0);
    assert_int_equal(recover(&s, &r, &why, &err), 0);
    assert_int_equal(recover(&s, &r, &why, &err), 0);
    assert_string_equal(climbed, "reopen+ protocol-reset+ probe-reset+ ");
    recovery_passed(&r);
    climbed[0] = '\0';
    assert_int_equal(recover(&s, &r, &why, &err), 0);
    assert_string_equal(climbed, "reopen+ ");
    session_hang_up(&s);
}

/* As its events told of a worker that was killed. */
static void who_takes_a_workers_place_has_the_rest_of_its_budgets(void **state)
{
    static const struct board b = {.name = "gone",
                                   .transport = {.kind = "pty", .where = "/nonexistent/pty"}};
    struct session s = {.board = &b, .means = {.reset = fake_reset, .power_cycle = broken_power}};
    struct recovery r = {.note = note};
    struct recovery_rung_info list[RECOVERY_RUNGS_MAX];
    const struct err why = {.code = ERR_TIMEOUT, .text = "mute"};
    struct err err = ERR_INIT;

    recovery_used(&r, "quarantine", false); /* no rung, and nor is what a damaged event names */
    recovery_used(&r, "reopen", true);
    for (size_t i = 0; i < recovery_rung_list(list); i++) {
        for (unsigned n = 0; strcmp(list[i].name, "probe-reset") == 0 && n < list[i].budget; n++)
            recovery_used(&r, list[i].name, false);
    }
    climbed[0] = '\0';
    assert_int_equal(recover(&s, &r, &why, &err), ERR_LAB);
    assert_string_equal(climbed, "power-cycle- quarantine- ");
    recovery_passed(&r);
    climbed[0] = '\0';
    err_clear(&err);
    assert_int_equal(recover(&s, &r, &why, &err), ERR_LAB);
    assert_string_equal(climbed, "reopen- power-cycle- quarantine- ");
}

/* ---- resources ---- */

static void resources_have_names_of_their_own(void **state)
{
    const struct board a = {
        .name = "x", .meter = "x", .power = "x", .openocd = {.serial = "06/6F F"}};
    const struct board b = {.name = "y", .meter = "x"};
    const struct board c = {.name = "z", .meter = "other"};
    struct resources r;
    struct resources other;

    resources_of(&a, NULL, NULL, &r);
    assert_int_equal(r.count, 4);
    assert_string_equal(r.list[0], "x");
    assert_string_equal(r.list[1], "probe:06_6F_F");
    assert_string_equal(r.list[2], "power:x");
    assert_string_equal(r.list[3], "meter:x");
    resources_of(&b, NULL, NULL, &other);
    assert_true(resources_clash(&r, &other));
    resources_of(&c, NULL, NULL, &other);
    assert_false(resources_clash(&r, &other));
}

static bool share(const struct resources *a, const struct resources *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (strcmp(a->list[i], b->list[k]) == 0)
                return true;
        }
    }
    return false;
}

static void one_instrument_by_two_names_has_one_lock(void **state)
{
    const struct lab_meter meters[] = {{.name = "m", .serial = "C0FFEE"},
                                       {.name = "n", .serial = "C0FFEE"},
                                       {.name = "o", .where = "lab:5025"}};
    const struct lab_power powers[] = {
        {.name = "p", .kind = "uhubctl", .location = "1-1.4", .port = 2},
        {.name = "q", .kind = "uhubctl", .location = "1-1.4", .port = 2},
        {.name = "r", .kind = "uhubctl", .location = "1-1.4", .port = 3}};
    const struct lab lab = {.meters = meters, .meter_count = 3, .powers = powers, .power_count = 3};
    const struct board one = {.name = "1", .meter = "m", .power = "p"};
    const struct board two = {.name = "2", .meter = "n"};
    const struct board three = {.name = "3", .power = "q"};
    const struct board four = {.name = "4", .meter = "o", .power = "r"};
    const struct board *const boards[] = {&one, &two, &three, &four};
    struct resources r[4], alone;

    for (size_t i = 0; i < 4; i++)
        resources_of(boards[i], &lab, NULL, &r[i]);
    resources_of_meter(&meters[1], &alone);
    assert_true(share(&r[0], &r[1]));
    assert_true(share(&r[0], &r[2]));
    assert_true(share(&r[0], &alone));
    assert_false(share(&r[0], &r[3]));
    assert_false(share(&r[1], &r[2]));
    assert_false(share(&r[3], &alone));
}

/* What a suite or a supply brings in is leased with the board: a lease taken later could deadlock. */
static void every_meter_of_a_board_is_among_its_resources(void **state)
{
    const struct lab_meter meters[] = {{.name = "own", .serial = "1"},
                                       {.name = "suite", .serial = "1"},
                                       {.name = "supply", .where = "lab:5025"}};
    const struct lab_power power = {.name = "p", .kind = "meter", .meter = "supply"};
    const struct lab lab = {.meters = meters, .meter_count = 3, .powers = &power, .power_count = 1};
    const struct board b = {.name = "b", .meter = "own", .power = "p", .openocd = {.serial = "s"}};
    struct resources r;

    resources_of(&b, &lab, "suite", &r);
    for (size_t i = 0; i < 3; i++)
        assert_true(resources_hold(&r, &meters[i]));
    assert_true(r.count <= RESOURCES_MAX);
    resources_of(&b, &lab, "own", &r);
    assert_false(resources_hold(&r, &meters[1]));
    assert_true(resources_hold(&r, &meters[2]));
}

/* ---- switches and commands ---- */

static void a_switch_of_the_lab_runs_its_own_argv(void **state)
{
    char on[128], off[128], text[8] = "";
    const char *const turn_on[] = {"touch", on, NULL};
    const char *const turn_off[] = {"touch", off, NULL};
    const char *const fails[] = {"sh-that-is-not-there", NULL};
    struct power_line line = {.held = false};
    struct lab_power p = {.name = "pdu", .kind = "command", .on = turn_on, .off = turn_off};
    struct err err = ERR_INIT;

    (void)text;
    (void)snprintf(on, sizeof(on), "%s/on; rm x", folder); /* no shell looks at it */
    (void)snprintf(off, sizeof(off), "%s/off", folder);
    assert_int_equal(power_switch_cycle(&p, &line, &err), 0);
    assert_int_equal(access(on, F_OK), 0);
    assert_int_equal(access(off, F_OK), 0);
    p.off = fails;
    assert_int_equal(unlink(on), 0);
    assert_int_equal(power_switch_cycle(&p, &line, &err), ERR_IO);
    assert_non_null(strstr(err.text, "power switch 'pdu' off"));
    assert_int_equal(access(on, F_OK), 0); /* whatever 'off' did, it does not stay so */
    p.kind = "meter";
    assert_false(power_switch_can(&p));
}

/* A program in front of PATH that writes its arguments down, one a line, and fails or not. */
static void fake_program(const char *name, int status)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/bin", folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/bin/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\nprintf '%%s\\n' \"$*\" >> '%s/%s.log'\necho busy >&2\n%s %d\n",
                  folder, name, status > 128 ? "kill -s SEGV $$ #" : "exit", status);
    (void)fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
}

/* A gpioset that stays until it is told to end, and writes down that, too. */
static void fake_holder(void)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/bin/gpioset", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(
        f,
        "#!/bin/sh\nexec >> '%s/gpioset.log' 2>/dev/null\ntrap 'echo released; exit 0' TERM\n"
        "printf '%%s\\n' \"$*\"\nwhile :; do sleep 0.02; done\n",
        folder);
    (void)fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
}

static void expect_log(const char *name, const char *expected)
{
    char path[256];
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    (void)snprintf(path, sizeof(path), "%s/%s.log", folder, name);
    assert_int_equal(file_read(path, 4096, &text, &err), 0);
    assert_string_equal(buf_text(&text), expected);
}

static void hubs_and_lines_are_switched_by_their_programs(void **state)
{
    const struct lab_power hub = {
        .name = "hub", .kind = "uhubctl", .location = "1-1.4", .port = 2, .off_time_ns = 1000000};
    const struct lab_power relay = {.name = "relay",
                                    .kind = "gpio",
                                    .location = "gpiochip0",
                                    .port = 17,
                                    .off_time_ns = 1000000000};
    struct power_line line = {.held = false};
    AUTO_BUF path = BUF_INIT;
    const char *usual = getenv("PATH");
    char *before = strdup(usual != NULL ? usual : "/usr/bin:/bin");
    struct err err = ERR_INIT;

    assert_non_null(before);
    buf_printf(&path, "%s/bin:%s", folder, before);
    (void)setenv("PATH", buf_text(&path), 1);
    fake_program("uhubctl", 139); /* it crashes: 128 + SIGSEGV, as a shell would say */
    fake_holder();
    assert_int_equal(power_switch_cycle(&hub, &line, &err), 0);
    expect_log("uhubctl", "-l 1-1.4 -p 2 -a off\n-l 1-1.4 -p 2 -a on\n");
    /* Low for the off time, then high until it is let go. */
    assert_false(line.held);
    assert_int_equal(power_switch_cycle(&relay, &line, &err), 0);
    expect_log("gpioset", "--mode=signal gpiochip0 17=0\nreleased\n--mode=signal gpiochip0 17=1\n");
    assert_true(line.held && !proc_ended(&line.gpioset, NULL));
    power_line_release(&line);
    expect_log("gpioset", "--mode=signal gpiochip0 17=0\nreleased\n--mode=signal gpiochip0 17=1\n"
                          "released\n");
    assert_false(line.held);
    fake_program("gpioset", 1);
    assert_true(power_switch_set(&relay, true, &line, &err) < 0);
    assert_non_null(strstr(err.text, "power switch 'relay' on"));
    assert_non_null(strstr(err.text, "'gpioset' exited with status 1: busy"));
    assert_false(line.held);
    (void)setenv("PATH", before, 1);
    free(before);
}

static void a_program_is_bounded_in_time_and_output(void **state)
{
    const char *const endless[] = {"yes", NULL};
    const char *const echoes[] = {"cat", NULL};
    const char *const fails[] = {"ls", "/nonexistent/tinyrig", NULL};
    struct command c = {.argv = endless, .timeout_ms = 300, .output_max = 1000};
    AUTO_BUF out = BUF_INIT;
    struct err err = ERR_INIT;
    int status = -1;

    assert_int_equal(command_run(&c, &out, &status, &err), ERR_TIMEOUT);
    assert_true(out.len <= 1000);
    c = (struct command){.argv = echoes, .input = "hello", .timeout_ms = 10000};
    err_clear(&err);
    assert_int_equal(command_run(&c, &out, &status, &err), 0);
    assert_int_equal(status, 0);
    assert_string_equal(buf_text(&out), "hello");
    c = (struct command){.argv = fails, .timeout_ms = 10000};
    assert_int_equal(command_check(&c, NULL, &err), ERR_LAB);
    assert_non_null(strstr(err.text, "/nonexistent/tinyrig"));
}

static void ignore(int signal_number)
{
    (void)signal_number;
}

/* As a worker is told to end while a switch of the lab hangs: reads begin anew after a signal. */
static void a_signal_does_not_end_a_programs_time_limit(void **state)
{
    const char *const sleeps[] = {"sleep", "3", NULL};
    const struct command c = {.argv = sleeps, .timeout_ms = 400};
    const struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    struct err err = ERR_INIT;
    int status = -1;

    assert_true(signal(SIGALRM, ignore) != SIG_ERR);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_int_equal(command_run(&c, NULL, &status, &err), ERR_TIMEOUT);
    assert_true(signal(SIGALRM, SIG_DFL) != SIG_ERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lab_fault_makes_suspect_and_one_good_case_good),
        cmocka_unit_test(nothing_but_faults_ends_in_quarantine),
        cmocka_unit_test(only_a_person_ends_maintenance),
        cmocka_unit_test(health_survives_its_file),
        cmocka_unit_test(a_damaged_state_is_no_good_state),
        cmocka_unit_test(files_are_not_for_everyone),
        cmocka_unit_test(a_run_is_remembered_in_order),
        cmocka_unit_test(a_virtual_board_of_no_lab_file_has_no_history),
        cmocka_unit_test(rungs_are_climbed_within_budgets_and_end_in_quarantine),
        cmocka_unit_test(what_helped_once_is_not_tried_again_before_a_case_passed),
        cmocka_unit_test(who_takes_a_workers_place_has_the_rest_of_its_budgets),
        cmocka_unit_test(resources_have_names_of_their_own),
        cmocka_unit_test(one_instrument_by_two_names_has_one_lock),
        cmocka_unit_test(every_meter_of_a_board_is_among_its_resources),
        cmocka_unit_test(a_switch_of_the_lab_runs_its_own_argv),
        cmocka_unit_test(hubs_and_lines_are_switched_by_their_programs),
        cmocka_unit_test(a_program_is_bounded_in_time_and_output),
        cmocka_unit_test(a_signal_does_not_end_a_programs_time_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
