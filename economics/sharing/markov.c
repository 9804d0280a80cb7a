#include "economics/sharing/markov.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void sort_by_target(struct markov *markov);
static double sweep(const struct markov *markov, bool forward, double *distribution);
static void normalise(double *distribution, uint32_t count);

enum status markov_init(struct markov *markov, uint32_t state_count, uint32_t transitions_max,
                        struct arena *arena, struct fault *fault)
{
    *markov = (struct markov){
        .state_count = state_count,
        .given_max = transitions_max,
        .given = arena_alloc(arena, transitions_max, sizeof *markov->given),
        .start = arena_alloc(arena, (size_t)state_count + 1, sizeof *markov->start),
        .from = arena_alloc(arena, transitions_max, sizeof *markov->from),
        .rate = arena_alloc(arena, transitions_max, sizeof *markov->rate),
        .leaving = arena_alloc(arena, state_count, sizeof *markov->leaving),
    };
    if (markov->given == NULL || markov->start == NULL || markov->from == NULL ||
        markov->rate == NULL || markov->leaving == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a chain of %u states",
                         state_count);
    return STATUS_OK;
}

void markov_clear(struct markov *markov)
{
    markov->given_count = 0;
}

void markov_add(struct markov *markov, uint32_t from, uint32_t to, double rate)
{
    assert(from < markov->state_count && to < markov->state_count && from != to);
    assert(rate >= 0 && isfinite(rate) && markov->given_count < markov->given_max);
    if (rate > 0)
        markov->given[markov->given_count++] =
            (struct markov_transition){.from = from, .to = to, .rate = rate};
}

bool markov_solve(struct markov *markov, double tolerance, double *distribution)
{
    sort_by_target(markov);
    normalise(distribution, markov->state_count);
    for (int i = 0; i < MARKOV_SWEEPS_MAX; i++) {
        double change = sweep(markov, i % 2 == 0, distribution);
        normalise(distribution, markov->state_count);
        if (change <= tolerance)
            return true;
    }
    return false;
}

static void sort_by_target(struct markov *markov)
{
    uint32_t *start = markov->start;
    memset(start, 0, (markov->state_count + 1u) * sizeof *start);
    memset(markov->leaving, 0, markov->state_count * sizeof *markov->leaving);
    for (uint32_t i = 0; i < markov->given_count; i++) {
        start[markov->given[i].to + 1]++;
        markov->leaving[markov->given[i].from] += markov->given[i].rate;
    }
    for (uint32_t s = 0; s < markov->state_count; s++)
        start[s + 1] += start[s];
    for (uint32_t i = 0; i < markov->given_count; i++) { /* start[s] moves to the end of s */
        uint32_t at = start[markov->given[i].to]++;
        markov->from[at] = markov->given[i].from;
        markov->rate[at] = markov->given[i].rate;
    }
    for (uint32_t s = markov->state_count; s > 0; s--)
        start[s] = start[s - 1];
    start[0] = 0;
}

static double sweep(const struct markov *markov, bool forward, double *distribution)
{
    double change = 0;
    for (uint32_t i = 0; i < markov->state_count; i++) {
        uint32_t s = forward ? i : markov->state_count - 1 - i;
        if (markov->leaving[s] <= 0)
            continue;
        double inflow = 0;
        for (uint32_t in = markov->start[s]; in < markov->start[s + 1]; in++)
            inflow += distribution[markov->from[in]] * markov->rate[in];
        double next = inflow / markov->leaving[s];
        change += fabs(next - distribution[s]);
        distribution[s] = next;
    }
    return change;
}

static void normalise(double *distribution, uint32_t count)
{
    double sum = 0;
    for (uint32_t s = 0; s < count; s++)
        sum += distribution[s];
    assert(sum > 0);
    for (uint32_t s = 0; s < count; s++)
        distribution[s] /= sum;
}
