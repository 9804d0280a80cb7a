#include "economics/games/excess.h"

#include <assert.h>

enum { LOW_PLAYERS_MAX = 10, LOW_COALITIONS_MAX = 1 << LOW_PLAYERS_MAX };

/* Sums over the coalitions of the low players. */
struct halves {
    uint32_t low_players;
    double low_x[LOW_COALITIONS_MAX];
    double low_weight[LOW_COALITIONS_MAX];
    uint64_t low_probe[LOW_COALITIONS_MAX];
    uint64_t probe[GAME_PLAYERS_MAX];
};

/* What the high players of a block of coalitions add to all of them. */
struct block {
    uint32_t first;
    double x;
    double weight;
    uint64_t probe;
};

static void prepare(const struct excess_scan *scan, struct halves *halves);
static struct block block_of(const struct excess_scan *scan, const struct halves *halves,
                             uint32_t first);
static void look_through(const struct excess_scan *scan, const struct halves *halves,
                         const struct block *block, uint32_t most, struct excess_list *list);

void excess_worst(const struct excess_scan *scan, uint32_t most, struct excess_list *list)
{
    struct halves halves;
    assert(most >= 1 && most <= EXCESS_KEPT_MAX);
    list->count = 0;
    prepare(scan, &halves);
    uint64_t coalitions = UINT64_C(1) << scan->players;
    for (uint64_t first = 0; first < coalitions; first += UINT64_C(1) << halves.low_players) {
        struct block block = block_of(scan, &halves, (uint32_t)first);
        look_through(scan, &halves, &block, most, list);
    }
}

static void prepare(const struct excess_scan *scan, struct halves *halves)
{
    halves->low_players = scan->players < LOW_PLAYERS_MAX ? scan->players : LOW_PLAYERS_MAX;
    for (uint32_t i = 0; i < scan->players; i++)
        halves->probe[i] = 1; /* nothing but the empty coalition sums to 0 */
    if (scan->span != NULL)
        span_probe(scan->span, halves->probe);
    halves->low_x[0] = 0.0;
    halves->low_weight[0] = scan->per_capita ? 0.0 : 1.0;
    halves->low_probe[0] = 0;
    for (uint32_t s = 1; s < 1u << halves->low_players; s++) {
        uint32_t rest = s & (s - 1);
        uint32_t i = (uint32_t)__builtin_ctz(s);
        halves->low_x[s] = halves->low_x[rest] + scan->x[i];
        halves->low_weight[s] = halves->low_weight[rest] + (scan->per_capita ? 1.0 : 0.0);
        halves->low_probe[s] = span_plus(halves->low_probe[rest], halves->probe[i]);
    }
}

static struct block block_of(const struct excess_scan *scan, const struct halves *halves,
                             uint32_t first)
{
    struct block block = {.first = first};
    for (uint32_t i = halves->low_players; i < scan->players; i++)
        if ((first >> i & 1) != 0) {
            block.x += scan->x[i];
            block.weight += scan->per_capita ? 1.0 : 0.0;
            block.probe = span_plus(block.probe, halves->probe[i]);
        }
    return block;
}

/* Between 0 and 1, unrelated to the coalition's players. */
static double scramble(uint32_t coalition)
{
    uint64_t mixed = (coalition + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29;
    mixed *= UINT64_C(0xbf58476d1ce4e5b9);
    return (double)(mixed >> 11) * 0x1.0p-53;
}

static void keep(struct excess_list *list, uint32_t most, uint32_t coalition, double excess,
                 double rank)
{
    if (list->count == most && rank <= list->rank[most - 1])
        return;
    if (list->count < most)
        list->count++;
    uint32_t at = list->count - 1;
    for (; at > 0 && list->rank[at - 1] < rank; at--) {
        list->coalition[at] = list->coalition[at - 1];
        list->excess[at] = list->excess[at - 1];
        list->rank[at] = list->rank[at - 1];
    }
    list->coalition[at] = coalition;
    list->excess[at] = excess;
    list->rank[at] = rank;
}

static void look_through(const struct excess_scan *scan, const struct halves *halves,
                         const struct block *block, uint32_t most, struct excess_list *list)
{
    const double *worth = scan->worth + block->first;
    uint32_t grand = (uint32_t)((UINT64_C(1) << scan->players) - 1);
    double sign = scan->costs ? -1.0 : 1.0;
    for (uint32_t s = 0; s < 1u << halves->low_players; s++) {
        double weight = block->weight + halves->low_weight[s];
        double excess = sign * (worth[s] - (block->x + halves->low_x[s]));
        if (excess <= scan->above * weight)
            continue;
        uint32_t coalition = block->first | s;
        if (coalition == 0 || coalition == grand ||
            span_plus(block->probe, halves->low_probe[s]) == 0 ||
            (scan->skip != NULL && scan->skip[coalition] != 0))
            continue;
        excess /= weight;
        keep(list, most, coalition, excess, excess + scan->dither * scramble(coalition));
    }
}
