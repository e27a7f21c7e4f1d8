#include "harness/plan/plan.h"

static size_t count_steps(const struct plan_case *const *cases, size_t count, uint32_t *ret_rounds)
{
    size_t total = 0;

    *ret_rounds = 0;
    for (size_t i = 0; i < count; i++) {
        const struct suite_measure *m = cases[i]->measure;

        total += cases[i]->skip == NULL ? m->repeat : 0;
        if (m->interleave && m->repeat > *ret_rounds)
            *ret_rounds = m->repeat;
    }
    return total;
}

size_t plan_steps(const struct plan_case *const *cases, size_t count, struct arena *arena,
                  const struct plan_step **ret)
{
    uint32_t rounds;
    struct plan_step *steps =
        arena_alloc(arena, (count_steps(cases, count, &rounds) + 1) * sizeof(*steps));
    size_t n = 0;

    for (uint32_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < count; i++) {
            const struct plan_case *c = cases[i];

            if (c->skip == NULL && c->measure->interleave && r < c->measure->repeat)
                steps[n++] = (struct plan_step){c, r};
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct plan_case *c = cases[i];

        for (uint32_t r = 0; c->skip == NULL && !c->measure->interleave && r < c->measure->repeat;
             r++)
            steps[n++] = (struct plan_step){c, r};
    }
    *ret = steps;
    return n;
}
