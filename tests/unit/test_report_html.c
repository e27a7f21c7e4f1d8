/*
 * The HTML report over many nights of a synthetic lab: well-formed, self-contained, inert whatever
 * the names are, and small. TINYRIG_KEEP_HTML=FOLDER keeps the pages, for browsers and validators.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/judge/compare.h"
#include "harness/judge/gate.h"
#include "harness/judge/history.h"
#include "harness/report/report.h"
#include "harness/store/store.h"
#include "tests/support/synthetic.h"
#include "tests/unit/unit.h"

struct fixture {
    struct arena arena;
    struct err err;
    struct store *store;
    struct synthetic lab;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    *state = f;
    return store_open(STORE_MEMORY, STORE_WRITE, &f->store, &f->err);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    synthetic_release(&f->lab);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static void night(struct fixture *f, unsigned number)
{
    char run[37];

    synthetic_run_id(number, run);
    f->lab.now_ns = (1763923777ull + 86400ull * number) * 1000000000;
    assert_int_equal(synthetic_run(&f->lab, run, store_sink(f->store), &f->err), 0);
}

static struct dataset select_run(struct fixture *f, const char *run)
{
    const struct store_selection s = {.run = run, .parts = DATA_ALL};
    struct dataset d;

    assert_int_equal(store_query(f->store, &s, &f->arena, &d, &f->err), 0);
    return d;
}

/* ---- a small checker: what a browser would have to guess about is an error ---- */

struct checker {
    const char *at;
    char open[64][24];
    size_t depth;
    const char *problem;
};

static bool is_void(const char *name)
{
    static const char *const names[] = {"meta", "br"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Attributes are name="value"; returns the character after the last. */
static const char *skip_attributes(struct checker *k, const char *s)
{
    while (*s == ' ') {
        s += 1 + strcspn(s + 1, "=> /");
        if (s[0] != '=')
            continue;
        if (s[1] != '"') {
            k->problem = "unquoted attribute";
            return s;
        }
        s += 2;
        s += strcspn(s, "\"<");
        if (*s != '"') {
            k->problem = "attribute holds <";
            return s;
        }
        s++;
    }
    return s;
}

static void check_tag(struct checker *k)
{
    const bool closes = k->at[1] == '/';
    const char *name = k->at + 1 + closes;
    const size_t n = strcspn(name, " />\n");
    char word[24] = "";
    const char *end;

    if (n == 0 || n >= sizeof(word)) {
        k->problem = "bad tag";
        return;
    }
    memcpy(word, name, n);
    end = skip_attributes(k, name + n);
    if (k->problem != NULL)
        return;
    if (closes) {
        if (k->depth == 0 || strcmp(k->open[--k->depth], word) != 0)
            k->problem = "closes what is not open";
    } else if (*end != '/' && !is_void(word)) {
        (void)snprintf(k->open[k->depth++], sizeof(k->open[0]), "%s", word);
    }
    end += *end == '/';
    if (*end != '>')
        k->problem = "tag does not end";
    k->at = end + 1;
}

/* False with words on standard error. */
static bool is_well_formed(const char *page)
{
    struct checker k = {.at = page + strlen("<!DOCTYPE html>")};
    const char *style_end = strstr(page, "</style>");

    while (k.problem == NULL && (k.at = strchr(k.at, '<')) != NULL) {
        const char *tag = k.at;

        check_tag(&k);
        if (k.problem != NULL)
            print_error("%s near: %.80s\n", k.problem, tag);
        else if (k.at < style_end && k.depth > 0 && strcmp(k.open[k.depth - 1], "style") == 0)
            k.at = style_end;
    }
    if (k.problem == NULL && k.depth > 0)
        print_error("<%s> is not closed\n", k.open[k.depth - 1]);
    return k.problem == NULL && k.depth == 0;
}

static void assert_sound(const char *page)
{
    assert_true(is_well_formed(page));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "http:"));
    assert_null(strstr(page, "https:"));
    assert_null(strstr(page, "url("));
    assert_null(strstr(page, "@import"));
    assert_null(strstr(page, "src=\""));
    assert_null(strstr(page, "nan<"));
    assert_null(strstr(page, "nan "));
    assert_null(strstr(page, "-nan"));
}

/* Every id once, and every #link has one. */
static void assert_links(struct fixture *f, const char *page)
{
    for (const char *s = page; (s = strstr(s, "href=\"#")) != NULL; s += 7) {
        const size_t n = strcspn(s + 7, "\"");
        const char *id = arena_printf(&f->arena, " id=\"%.*s\"", (int)n, s + 7);

        assert_non_null(strstr(page, id));
    }
    for (const char *s = page; (s = strstr(s, " id=\"")) != NULL; s += 5) {
        const size_t n = strcspn(s + 5, "\"");
        const char *id = arena_printf(&f->arena, " id=\"%.*s\"", (int)n, s + 5);

        assert_ptr_equal(strstr(page, id), s);
    }
}

static void render(struct fixture *f, const struct report_options *options, const char *name,
                   struct buf *out)
{
    const struct report_format *html = report_format_find("html");
    const char *keep = getenv("TINYRIG_KEEP_HTML");

    assert_non_null(html);
    assert_int_equal(html->render(options, out, &f->err), 0);
    if (keep != NULL)
        assert_int_equal(file_write_atomic(arena_printf(&f->arena, "%s/%s.html", keep, name),
                                           out->data, out->len, &f->err),
                         0);
    assert_sound(buf_text(out));
    assert_links(f, buf_text(out));
}

/* ---- pages ---- */

static void make_nights(struct fixture *f)
{
    synthetic_init(&f->lab, 4, 8, 3);
    f->lab.profile = true;
    f->lab.noise = 0.002;
    for (unsigned i = 0; i < 30; i++) {
        f->lab.scale = i < 12 ? 1 : i < 22 ? 0.96 : 1.03;
        f->lab.build = i < 12 ? "7f3a91c4" : i < 22 ? "0badcafe" : "1c0ffee1";
        f->lab.failures = i == 29;
        night(f, i);
    }
}

static const struct report_trend *make_trends(struct fixture *f, size_t *ret_count)
{
    const struct store_selection s = {.model = "kws"};
    struct data_history h;
    struct report_trend *trends;

    assert_int_equal(store_history(f->store, &s, "latency", &f->arena, &h, &f->err), 0);
    trends = arena_alloc(&f->arena, h.series_count * sizeof(*trends));
    for (size_t i = 0; i < h.series_count; i++) {
        struct history *history = arena_alloc(&f->arena, sizeof(*history));

        history_of(&h.series[i], NULL, &decide_policy_default, &f->arena, history);
        trends[i] = (struct report_trend){.series = &h.series[i], .history = history};
    }
    *ret_count = h.series_count;
    return trends;
}

static struct report_trace make_trace(struct fixture *f)
{
    enum {
        STEPS = 400
    };
    double *mean = arena_alloc(&f->arena, STEPS * sizeof(*mean));
    double *low = arena_alloc(&f->arena, STEPS * sizeof(*low));
    double *high = arena_alloc(&f->arena, STEPS * sizeof(*high));
    static const double windows[][2] = {{0.2, 0.4}, {0.6, 0.8}};

    for (int i = 0; i < STEPS; i++) {
        const bool run = (i >= 80 && i < 160) || (i >= 240 && i < 320);

        mean[i] = run ? 12e6 + 4e5 * sin(i) : 2e6;
        low[i] = mean[i] * 0.9;
        high[i] = mean[i] * 1.15;
    }
    return (struct report_trace){.key = "kws/nrf52840-dk/tiny",
                                 .text = "PPK2, source mode, 3.3 V",
                                 .step_s = 0.0025,
                                 .count = STEPS,
                                 .mean_na = mean,
                                 .low_na = low,
                                 .high_na = high,
                                 .windows = windows,
                                 .window_count = 2};
}

static void a_night_with_all_that_can_be_shown(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF out = BUF_INIT;
    struct dataset before, now;
    struct comparison comparison;
    struct gate gate;
    struct report_trace trace;
    struct report_options o = {.trace_count = 1, .base = "run of three nights ago"};

    make_nights(f);
    before = select_run(f, "last~12");
    now = select_run(f, "last");
    compare(&before, &now, &(struct compare_options){.now_ns = 1}, &f->arena, &comparison);
    gate_judge(&comparison, &(struct gate_options){.strict = false}, &f->arena, &gate);
    trace = make_trace(f);
    o.data = &now;
    o.comparison = &comparison;
    o.gate = &gate;
    o.traces = &trace;
    o.trends = make_trends(f, &o.trend_count);
    render(f, &o, "night", &out);
    assert_non_null(strstr(buf_text(&out), "Gate: failed"));
    assert_non_null(strstr(buf_text(&out), "regressed"));
    assert_non_null(strstr(buf_text(&out), "Pareto front"));
}

static void a_single_run(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF out = BUF_INIT;
    struct dataset d;
    struct report_options o = {.data = &d};

    synthetic_init(&f->lab, 3, 5, 3);
    night(f, 1);
    d = select_run(f, "last");
    render(f, &o, "run", &out);
    assert_non_null(strstr(buf_text(&out), "Every output is right and every budget is kept."));
    o.group = REPORT_BY_MODEL;
    buf_clear(&out);
    render(f, &o, "models", &out);
}

static void an_empty_selection(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF out = BUF_INIT;
    const struct dataset none = {.run_count = 0};
    const struct report_options o = {.data = &none};

    render(f, &o, "empty", &out);
    assert_non_null(strstr(buf_text(&out), "Nothing was measured."));
}

/* What was not looked at is not praised. */
static void a_run_of_nothing_but_skips(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF out = BUF_INIT;
    struct dataset d;
    const struct report_options o = {.data = &d};

    synthetic_init(&f->lab, 3, 5, 3);
    night(f, 1);
    d = select_run(f, "last");
    for (size_t i = 0; i < d.case_count; i++)
        ((struct data_case *)&d.cases[i])->status = CASE_SKIPPED;
    render(f, &o, "skips", &out);
    assert_non_null(strstr(buf_text(&out), "Nothing was measured."));
    assert_null(strstr(buf_text(&out), "Every output is right"));
}

/* Names as an attacker, or a careless person, would choose them. */
static void hostile_names_are_inert(void **state)
{
    static const char *const names[] = {
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
        "=cmd|' /C calc'!A0",        "a\x01\x1b[31mb\xff\xfe",
        "\xe2\x80\xae evil",         "'; DROP TABLE run; --",
        "</style></title><b>",       "%s%n&amp;{{7*7}}"};
    struct fixture *f = *state;
    AUTO_BUF out = BUF_INIT;
    struct dataset d;
    const struct report_options o = {.data = &d};

    synthetic_init(&f->lab, 4, 8, 3);
    f->lab.failures = true;
    f->lab.profile = true;
    for (size_t i = 0; i < f->lab.plan.case_count; i++) {
        struct plan_case *c = (struct plan_case *)&f->lab.plan.cases[i];

        ((struct suite_model *)c->model)->name = names[i % 4];
        ((struct board *)c->board)->description = names[(i + 1) % 8];
        ((struct board *)c->board)->part = names[(i + 3) % 8];
        c->engine = names[(i + 2) % 8];
        c->key = arena_printf(&f->arena, "%s/%zu", names[i % 8], i);
    }
    ((struct suite *)f->lab.plan.suite)->name = names[0];
    f->lab.build = names[1];
    night(f, 1);
    assert_int_equal(store_tag(f->store, names[1], "last", names[0], &f->err), 0);
    d = select_run(f, "last");
    assert_int_equal(d.case_count, 32);
    render(f, &o, "hostile", &out);
    assert_null(strstr(buf_text(&out), "<img"));
    assert_null(strstr(buf_text(&out), "\x1b"));
    assert_null(strstr(buf_text(&out), "\xe2\x80\xae"));
    assert_non_null(strstr(buf_text(&out), "&lt;script&gt;alert(1)&lt;/script&gt;"));
}

static void five_hundred_cases_fit_two_megabytes(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF out = BUF_INIT;
    struct dataset d;
    struct report_options o = {.data = &d};

    synthetic_init(&f->lab, 63, 8, 3);
    f->lab.profile = true;
    f->lab.failures = true;
    night(f, 1);
    d = select_run(f, "last");
    assert_int_equal(d.case_count, 504);
    render(f, &o, "large", &out);
    print_message("%zu cases: %zu bytes\n", d.case_count, out.len);
    assert_true(out.len < 2000000);
}

#define REPORT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        REPORT_TEST(a_night_with_all_that_can_be_shown),
        REPORT_TEST(a_single_run),
        REPORT_TEST(an_empty_selection),
        REPORT_TEST(a_run_of_nothing_but_skips),
        REPORT_TEST(hostile_names_are_inert),
        REPORT_TEST(five_hundred_cases_fit_two_megabytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
