#include "economics/throughput/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a probe should lie. Shares are of the range that is available, in logarithms. */
struct target {
    uint32_t nodes_least;
    bool one_node;
    double gpus_share;
    double batch_share;
};

static const struct target targets[] = {
    {1, true, 0, .5},    /* the gradient phase */
    {3, false, .6, .35}, /* synchronisation across the network */
    {1, true, 1, .35},   /* synchronisation on a node */
    {1, true, 0, 1},     /* how the gradient phase grows with the batch */
    {3, false, 1, .65},  /* the far end */
};

/* Being of the wrong kind costs more than any distance. */
#define WRONG_NODES 100.0
#define FAR_AWAY    1e9

struct range {
    double least;
    double most;
};

static void widen(struct range *range, double value, bool first)
{
    range->least = first ? value : fmin(range->least, value);
    range->most = first ? value : fmax(range->most, value);
}

static double place(const struct range *range, double share)
{
    return range->least + share * (range->most - range->least);
}

/* The range of log GPUs among those of the target's kind. */
static struct range gpus_range(const struct configuration *available, uint32_t count,
                               const struct target *target)
{
    struct range range = {0, 0};
    bool first = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct configuration *of = &available[i];
        bool const fits = target->one_node ? of->nodes == 1 : of->nodes > 1;
        if (!fits)
            continue;
        widen(&range, log(of->gpus), first);
        first = false;
    }
    return range;
}

static double distance(const struct configuration *of, const struct target *target, double gpus,
                       double batch)
{
    double away = fabs(log(of->gpus) - gpus) + fabs(log(of->batch) - batch) / 2;
    if (target->one_node)
        away += of->nodes > 1 ? WRONG_NODES * of->nodes : 0;
    else if (of->nodes < target->nodes_least)
        away += WRONG_NODES * (target->nodes_least - of->nodes);
    return away;
}

static uint32_t nearest(const struct configuration *available, uint32_t count,
                        const struct target *target, const bool *chosen)
{
    struct range const gpus = gpus_range(available, count, target);
    struct range batches = {0, 0};
    for (uint32_t i = 0; i < count; i++)
        widen(&batches, log(available[i].batch), i == 0);
    uint32_t best = UINT32_MAX;
    double least = INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        double const away =
            chosen[i] ? (double)INFINITY
                      : distance(&available[i], target, place(&gpus, target->gpus_share),
                                 place(&batches, target->batch_share));
        if (away < least) {
            least = away;
            best = i;
        }
    }
    return best;
}

/* The one whose nearest chosen one is farthest. */
static uint32_t farthest(const struct configuration *available, uint32_t count, const bool *chosen)
{
    uint32_t best = UINT32_MAX;
    double most = -1;
    for (uint32_t i = 0; i < count; i++) {
        double least = FAR_AWAY;
        for (uint32_t k = 0; k < count; k++)
            if (chosen[k])
                least = fmin(least,
                             fabs(log((double)available[i].gpus / available[k].gpus)) +
                                 fabs(log((double)available[i].nodes / available[k].nodes)) +
                                 fabs(log(available[i].batch / available[k].batch)));
        if (!chosen[i] && least > most) {
            most = least;
            best = i;
        }
    }
    return best;
}

uint32_t probe_choose(const struct configuration *available, uint32_t count, uint32_t wanted,
                      bool *chosen)
{
    memset(chosen, 0, count * sizeof *chosen);
    uint32_t taken = 0;
    while (taken < wanted && taken < count) {
        uint32_t const at = taken < sizeof targets / sizeof targets[0]
                                ? nearest(available, count, &targets[taken], chosen)
                                : farthest(available, count, chosen);
        if (at == UINT32_MAX)
            break;
        chosen[at] = true;
        taken++;
    }
    return taken;
}
