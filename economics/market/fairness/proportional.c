/*
 * Proportional fairness: Σ log U_i over the members that can have something.
 *
 * Vertices are asked for at weights 1 / U_i, the gradient; their shares in the mix are set by the
 * multiplicative steps share_t ← share_t × (1/n) Σ_i U_i^t / U_i, each of which raises Σ log U
 * [Cover 1984]. The mix of all vertices so far is so brought near its best before the next is
 * asked for.
 */
#include <math.h>

#include "economics/market/fairness/mix.h"

enum { STEPS_MAX = 4000 };

#define STEP_GAP 1e-7 /* of a member's log: the mix of what is there is as good as can be */

/* A newcomer's share of the mix. */
#define SHARE_FIRST 0.05

static enum status reach_everybody(struct mix *mix, struct fault *fault);
static void join(struct mix *mix);
static void settle(struct mix *mix);

/* The mix's Σ log U. */
static double value_of(const struct mix *mix)
{
    double value = 0;
    for (uint32_t i = 0; i < mix->member_count; i++)
        if (mix->takes_part[i])
            value += log(mix->utility[i]);
    return value;
}

static void weigh(struct mix *mix)
{
    for (uint32_t i = 0; i < mix->member_count; i++)
        mix->weight[i] = mix->takes_part[i] ? 1 / mix->utility[i] : 0;
}

/* What the last solve proves: scaled weights w = s / U (or above) give max Σ U'/U <= bound / s. */
static double rise_of(const struct mix *mix)
{
    double scale = 0;
    for (uint32_t i = 0; i < mix->member_count; i++)
        if (mix->takes_part[i])
            scale = scale == 0 ? mix->weight[i] * mix->utility[i]
                               : fmin(scale, mix->weight[i] * mix->utility[i]);
    return scale > 0 ? fmax(0, mix->bound / scale - mix->part_count) : HUGE_VAL;
}

enum status fairness_proportional(const struct market *market, struct session *session,
                                  const struct session_options *options, struct arena *arena,
                                  struct fairness *fairness, struct fault *fault)
{
    *fairness = (struct fairness){0};
    struct classes classes;
    struct mix mix = {0};
    enum status status = classes_make(market, arena, &classes, fault);
    if (status == STATUS_OK)
        status = mix_init(&mix, &classes, session, options, arena, fault);
    if (status == STATUS_OK)
        status = reach_everybody(&mix, fault);
    double best_bound = HUGE_VAL;
    while (status == STATUS_OK && mix.part_count > 0 && mix_has_room(&mix)) {
        settle(&mix);
        double const value = value_of(&mix);
        weigh(&mix);
        status = mix_ask(&mix, fault);
        if (status != STATUS_OK)
            break;
        best_bound = fmin(best_bound, value + rise_of(&mix));
        fairness->complete = best_bound - value <= FAIRNESS_GAP * mix.part_count;
        if (fairness->complete)
            break;
        join(&mix);
    }
    if (status == STATUS_OK) {
        mix_sum_up(&mix);
        fairness->value = mix.part_count > 0 ? value_of(&mix) : 0;
        fairness->upper_bound = mix.part_count > 0 ? best_bound : 0;
        fairness->gap = fmax(0, fairness->upper_bound - fairness->value);
        fairness->complete |= mix.part_count == 0;
        status = mix_report(&mix, arena, fairness, fault);
    }
    mix_fini(&mix);
    return status;
}

/* Every member that takes part has something in the mix: log is finite. Who never gets anything
 * (a policy row forbids it) takes no part after all. */
static enum status reach_everybody(struct mix *mix, struct fault *fault)
{
    while (mix->part_count > 0) {
        uint32_t without = 0;
        for (uint32_t i = 0; i < mix->member_count; i++) {
            bool const nothing = mix->takes_part[i] && mix->utility[i] <= 0;
            mix->weight[i] = mix->count == 0 || nothing ? 1 : 0;
            without += nothing;
        }
        if (without == 0)
            return STATUS_OK;
        if (!mix_has_room(mix))
            return fault_set(fault, STATUS_EXHAUSTED,
                             "no plan for everybody was found in %d solves", FAIRNESS_ROUNDS_MAX);
        enum status const status = mix_ask(mix, fault);
        if (status != STATUS_OK)
            return status;
        double gained = 0;
        const struct vertex *last = &mix->vertices[mix->count - 1];
        for (uint32_t i = 0; i < mix->member_count; i++)
            if (mix->takes_part[i] && mix->utility[i] <= 0)
                gained += last->utility[i];
        for (uint32_t t = 0; t < mix->count; t++)
            mix->vertices[t].share = 1.0 / mix->count;
        for (uint32_t i = 0; i < mix->member_count && gained <= 0; i++)
            if (mix->takes_part[i] && mix->utility[i] <= 0) {
                mix->takes_part[i] = false;
                mix->part_count--;
            }
        mix_sum_up(mix);
    }
    return STATUS_OK;
}

/* The last vertex gets a share, the others less. */
static void join(struct mix *mix)
{
    for (uint32_t t = 0; t + 1 < mix->count; t++)
        mix->vertices[t].share *= 1 - SHARE_FIRST;
    mix->vertices[mix->count - 1].share = SHARE_FIRST;
}

/* Cover's steps, until no vertex would raise Σ log by more than rounding. */
static void settle(struct mix *mix)
{
    for (int step = 0; step < STEPS_MAX; step++) {
        double most = 0;
        mix_sum_up(mix);
        for (uint32_t t = 0; t < mix->count; t++) {
            struct vertex *vertex = &mix->vertices[t];
            double gain = 0;
            for (uint32_t i = 0; i < mix->member_count; i++)
                if (mix->takes_part[i])
                    gain += vertex->utility[i] / mix->utility[i];
            gain /= mix->part_count;
            most = fmax(most, gain);
            vertex->share *= gain;
        }
        if (most <= 1 + STEP_GAP)
            break;
    }
    mix_sum_up(mix);
}
