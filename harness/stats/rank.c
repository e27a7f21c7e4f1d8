#include "harness/stats/rank.h"

#include <math.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/stats/distribution.h"
#include "harness/stats/order.h"

static double choose(size_t n, size_t k)
{
    double c = 1;

    for (size_t i = 1; i <= k; i++)
        c = c * (double)(n - k + i) / (double)i;
    return round(c);
}

/*
 * How many ways there are to pick k_max of the n values so that their ranks sum to s: ret[s], s up
 * to s_max. Counts stay below C(50, 25) = 1.3e14, exact in a double.
 */
static const double *count_sums(const unsigned *ranks, size_t n, size_t k_max, size_t s_max,
                                struct arena *scratch)
{
    const size_t row = s_max + 1;
    double *ways = arena_alloc(scratch, (k_max + 1) * row * sizeof(*ways));

    ways[0] = 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1 < k_max ? i + 1 : k_max; k > 0; k--) {
            const double *without = ways + (k - 1) * row;
            double *with = ways + k * row + ranks[i];

            for (size_t s = 0; s + ranks[i] <= s_max; s++)
                with[s] += without[s];
        }
    }
    return ways + k_max * row;
}

/* Doubled midranks of all values, in the order of `sorted`; returns sum of t^3 - t over ties. */
static double midranks(const double *sorted, size_t n, unsigned *doubled)
{
    double ties = 0;

    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end] == sorted[i]; end++)
            ;
        for (size_t k = i; k < end; k++)
            doubled[k] = (unsigned)(i + end + 1);
        ties += pow((double)(end - i), 3) - (double)(end - i);
    }
    return ties;
}

static double count_pairs(const double *a, size_t na, const double *b, size_t nb)
{
    double u = 0;
    size_t below = 0;
    size_t up_to = 0;

    for (size_t j = 0; j < nb; j++) { /* both ascending */
        while (below < na && a[below] < b[j])
            below++;
        while (up_to < na && a[up_to] <= b[j])
            up_to++;
        u += (double)below + (double)(up_to - below) / 2;
    }
    return u;
}

/*
 * P(|sum - mean| >= |given - mean|), of the smaller sample's rank sum. Without ties the midranks
 * are whole and need no doubling, which halves the work.
 */
static double exact_p(unsigned *doubled, size_t na, size_t nb, double u, double ties)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const size_t n = na + nb;
    const size_t k = nb < na ? nb : na;
    const unsigned whole = ties > 0 ? 1 : 2;
    const size_t s_max = n * (n + 1) / whole;
    const double mean = (double)k * (double)(n + 1) / whole;
    const double distance = fabs(2 * u - (double)na * (double)nb) / whole;
    const double *ways;
    double as_far = 0;

    for (size_t i = 0; i < n; i++)
        doubled[i] /= whole;
    ways = count_sums(doubled, n, k, s_max, &scratch);
    for (size_t s = 0; s <= s_max; s++) {
        if (fabs((double)s - mean) >= distance)
            as_far += ways[s];
    }
    return as_far / choose(n, k);
}

static double normal_p(size_t na, size_t nb, double u, double ties)
{
    const double n = (double)(na + nb);
    const double pairs = (double)na * (double)nb;
    const double variance = pairs / 12 * (n + 1 - ties / (n * (n - 1)));
    const double distance = fmax(fabs(u - pairs / 2) - 0.5, 0);

    return variance > 0 ? fmin(2 * normal_cdf(-distance / sqrt(variance)), 1) : 1;
}

void rank_test(const double *a, size_t na, const double *b, size_t nb, struct rank_test *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const size_t n = na + nb;
    double *all = arena_alloc(&scratch, (n + 1) * sizeof(*all));
    double *sides = arena_alloc(&scratch, (n + 1) * sizeof(*sides));
    unsigned *doubled = arena_alloc(&scratch, (n + 1) * sizeof(*doubled));
    double ties;

    *ret = (struct rank_test){.u = NAN, .p = 1, .dominance = NAN};
    if (na == 0 || nb == 0)
        return;
    memcpy(all, a, na * sizeof(*a));
    memcpy(all + na, b, nb * sizeof(*b));
    memcpy(sides, all, n * sizeof(*all));
    order_sort(all, n);
    order_sort(sides, na);
    order_sort(sides + na, nb);
    ties = midranks(all, n, doubled);
    ret->u = count_pairs(sides, na, sides + na, nb);
    ret->dominance = ret->u / ((double)na * (double)nb);
    ret->exact = n <= RANK_EXACT_MAX;
    ret->p = ret->exact ? exact_p(doubled, na, nb, ret->u, ties) : normal_p(na, nb, ret->u, ties);
}

double rank_smallest_p(size_t na, size_t nb)
{
    if (na == 0 || nb == 0)
        return 1;
    if (na + nb > RANK_EXACT_MAX)
        return normal_p(na, nb, 0, 0);
    return fmin(2 / choose(na + nb, nb), 1);
}

size_t rank_needed(double alpha)
{
    size_t n = 1;

    while (rank_smallest_p(n, n) > alpha && n < 1000000)
        n *= 2;
    while (n > 1 && rank_smallest_p(n - 1, n - 1) <= alpha)
        n--;
    return n;
}

/*
 * How many of the sorted differences to cut at each end, and the confidence that leaves: the
 * largest k >= 1 with P(U < k) <= (1 - confidence) / 2, from U's distribution without ties.
 */
static size_t cut_of(size_t na, size_t nb, double confidence, double *ret_confidence)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const double tail = (1 - confidence) / 2;
    const size_t n = na + nb;
    const double pairs = (double)na * (double)nb;
    const double sd = sqrt(pairs * (double)(n + 1) / 12);
    unsigned ranks[RANK_EXACT_MAX];
    const double *ways;
    double below = 0;
    size_t k = 0;

    if (n > RANK_EXACT_MAX) {
        k = (size_t)fmax(floor(pairs / 2 + normal_quantile(tail) * sd), 1);
        *ret_confidence = 1 - 2 * normal_cdf(((double)k - 0.5 - pairs / 2) / sd);
        return k;
    }
    for (size_t i = 0; i < n; i++)
        ranks[i] = (unsigned)i + 1;
    ways = count_sums(ranks, n, nb, n * (n + 1) / 2, &scratch) + nb * (nb + 1) / 2;
    while (k == 0 || (below + ways[k]) / choose(n, nb) <= tail)
        below += ways[k++];
    *ret_confidence = 1 - 2 * below / choose(n, nb);
    return k;
}

/* The sample sorted, or a stand-in of RANK_SHIFT_MAX values with the same quantiles. */
static double *ordered(const double *x, size_t *n, struct arena *scratch)
{
    double *sorted = arena_dup(scratch, x, *n * sizeof(*x));

    order_sort(sorted, *n);
    if (*n > RANK_SHIFT_MAX) {
        double *thin = arena_alloc(scratch, RANK_SHIFT_MAX * sizeof(*thin));

        for (size_t i = 0; i < RANK_SHIFT_MAX; i++)
            thin[i] = order_quantile(sorted, *n, (double)i / (RANK_SHIFT_MAX - 1));
        *n = RANK_SHIFT_MAX;
        return thin;
    }
    return sorted;
}

void rank_shift(const double *a, size_t na, const double *b, size_t nb, double confidence,
                struct rank_shift *ret)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const double *x;
    const double *y;
    double *differences;
    size_t cut;

    *ret = (struct rank_shift){.shift = NAN, .low = NAN, .high = NAN, .confidence = NAN};
    if (na == 0 || nb == 0)
        return;
    x = ordered(a, &na, &scratch);
    y = ordered(b, &nb, &scratch);
    differences = arena_alloc(&scratch, na * nb * sizeof(*differences));
    for (size_t i = 0; i < na; i++) {
        for (size_t j = 0; j < nb; j++)
            differences[i * nb + j] = y[j] - x[i];
    }
    order_sort(differences, na * nb);
    ret->shift = order_quantile(differences, na * nb, 0.5);
    cut = cut_of(na, nb, confidence, &ret->confidence);
    ret->low = differences[cut - 1];
    ret->high = differences[na * nb - cut];
}
