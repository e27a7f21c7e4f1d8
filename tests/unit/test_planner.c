#include <stdlib.h>
#include <string.h>

#include "harness/nn/planner.h"
#include "tests/support/opgen.h"
#include "tests/unit/unit.h"

/* ---- random problems ---- */

struct problem {
    struct plan_buffer buffers[64];
    size_t count;
    struct plan_overlap overlaps[64];
    size_t overlap_count;
};

static uint32_t below(uint32_t *state, uint32_t n)
{
    return opgen_random(state) % n;
}

/* A chain as models have them: each step reads some buffers and makes one; some may share. */
static struct problem random_problem(uint32_t seed, size_t count, uint32_t largest, uint32_t align)
{
    struct problem p = {.count = count};
    uint32_t state = seed * 2654435761u | 1;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = i ? i - 1 : 0;
        p.buffers[i] =
            (struct plan_buffer){.size = 1 + below(&state, largest),
                                 .align = align,
                                 .first = first,
                                 .last = first + 1 + (below(&state, 3) ? 0 : below(&state, 4))};
    }
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (p.buffers[k].last == p.buffers[i].first && below(&state, 2))
                p.overlaps[p.overlap_count++] = (struct plan_overlap){
                    i, k, (int32_t)below(&state, 2 * largest) - (int32_t)largest};
            if (p.overlap_count == 64)
                return p;
        }
    }
    return p;
}

static bool may_share(const struct problem *p, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < p->overlap_count; i++) {
        const struct plan_overlap *o = &p->overlaps[i];
        if (((o->out == a && o->in == b) || (o->out == b && o->in == a)) &&
            (int64_t)p->buffers[o->out].offset <= (int64_t)p->buffers[o->in].offset + o->slack)
            return true;
    }
    return false;
}

/* One step, byte by byte: who owns what. Knows nothing of how the planner works. */
static void assert_step_is_sound(const struct problem *p, uint32_t step, uint32_t size, int *owner)
{
    for (uint32_t k = 0; k <= size; k++)
        owner[k] = -1;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct plan_buffer *b = &p->buffers[i];
        if (step < b->first || step > b->last)
            continue;
        assert_true(b->offset + b->size <= size);
        assert_int_equal(b->offset % b->align, 0);
        for (uint32_t k = b->offset; k < b->offset + b->size; k++) {
            assert_true(owner[k] < 0 || may_share(p, i, (uint32_t)owner[k]));
            owner[k] = (int)i;
        }
    }
}

static void assert_no_overlap(const struct problem *p, uint32_t size)
{
    int *owner = malloc((size + 1) * sizeof *owner);

    for (uint32_t step = 0; step < 2 * p->count; step++)
        assert_step_is_sound(p, step, size, owner);
    free(owner);
}

static void live_buffers_never_overlap_unless_allowed(void **state)
{
    for (uint32_t seed = 1; seed <= 400; seed++) {
        struct problem p = random_problem(seed, 2 + seed % 40, 60, seed % 3 ? 1 : 4);
        uint32_t size = plan_arena(p.buffers, p.count, p.overlaps, p.overlap_count);

        assert_no_overlap(&p, size);
        assert_true(size >= plan_lower_bound(p.buffers, p.count, p.overlaps, p.overlap_count));
    }
}

/* The smallest arena there is, by trying every offset of every buffer. */
static bool fits_in(struct problem *p, size_t i, uint32_t size)
{
    if (i == p->count)
        return true;
    for (uint32_t offset = 0; offset + p->buffers[i].size <= size; offset++) {
        bool good = true;
        p->buffers[i].offset = offset;
        for (uint32_t k = 0; k < i && good; k++)
            good = plan_allows(p->buffers, (uint32_t)i, k, p->overlaps, p->overlap_count);
        if (good && fits_in(p, i + 1, size))
            return true;
    }
    return false;
}

static void small_plans_are_as_small_as_can_be(void **state)
{
    for (uint32_t seed = 1; seed <= 120; seed++) {
        struct problem p = random_problem(seed, 2 + seed % 5, 5, 1), brute = p;
        uint32_t size = plan_arena(p.buffers, p.count, p.overlaps, p.overlap_count);
        uint32_t best = plan_lower_bound(p.buffers, p.count, p.overlaps, p.overlap_count);

        while (!fits_in(&brute, 0, best))
            best++;
        assert_int_equal(size, best);
    }
}

static void the_same_problem_gives_the_same_plan(void **state)
{
    struct problem a = random_problem(7, 40, 5000, 4), b = a;

    assert_int_equal(plan_arena(a.buffers, a.count, a.overlaps, a.overlap_count),
                     plan_arena(b.buffers, b.count, b.overlaps, b.overlap_count));
    assert_memory_equal(a.buffers, b.buffers, sizeof a.buffers);
}

static void an_operator_may_write_over_its_input(void **state)
{
    struct plan_buffer b[] = {{.size = 100, .align = 4, .first = 0, .last = 1},
                              {.size = 100, .align = 4, .first = 1, .last = 2}};
    struct plan_overlap same = {1, 0, 0}, behind = {1, 0, -12};

    assert_int_equal(plan_arena(b, 2, NULL, 0), 200);
    assert_int_equal(plan_arena(b, 2, &same, 1), 100);
    assert_int_equal(plan_arena(b, 2, &behind, 1), 112);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_buffers_never_overlap_unless_allowed),
        cmocka_unit_test(small_plans_are_as_small_as_can_be),
        cmocka_unit_test(the_same_problem_gives_the_same_plan),
        cmocka_unit_test(an_operator_may_write_over_its_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
