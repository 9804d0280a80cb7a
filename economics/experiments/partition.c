#include "economics/experiments/partition.h"

#include <assert.h>
#include <stddef.h>

static double payoff_of(const struct partition_payoffs *payoffs, uint32_t coalition,
                        uint32_t member)
{
    return payoffs->payoff[(size_t)coalition * payoffs->members + member];
}

void partition_alone(uint32_t members, struct partition *partition)
{
    assert(members > 0 && members <= PARTITION_MEMBERS_MAX);
    partition->count = members;
    for (uint32_t i = 0; i < members; i++)
        partition->coalitions[i] = 1u << i;
}

void partition_grand(uint32_t members, struct partition *partition)
{
    assert(members > 0 && members <= PARTITION_MEMBERS_MAX);
    partition->count = 1;
    partition->coalitions[0] = (1u << members) - 1;
}

/* Nobody of `who` worse in `now` than in `before`, somebody better. */
static bool better(const struct partition_payoffs *payoffs, uint32_t who, uint32_t before,
                   uint32_t now, bool *strictly)
{
    for (uint32_t i = 0; i < payoffs->members; i++) {
        if ((who >> i & 1) == 0)
            continue;
        double gain = payoff_of(payoffs, now, i) - payoff_of(payoffs, before, i);
        if (gain < -payoffs->tolerance)
            return false;
        *strictly = *strictly || gain > payoffs->tolerance;
    }
    return true;
}

static void sort_coalitions(struct partition *partition)
{
    for (uint32_t i = 1; i < partition->count; i++)
        for (uint32_t j = i; j > 0; j--) {
            uint32_t *a = &partition->coalitions[j - 1];
            uint32_t *b = &partition->coalitions[j];
            uint32_t kept = *a;
            if ((*a & -*a) <= (*b & -*b))
                break;
            *a = *b;
            *b = kept;
        }
}

static bool try_merge(const struct partition_payoffs *payoffs, struct partition *partition,
                      uint32_t chosen)
{
    uint32_t together = 0;
    bool strictly = false;
    for (uint32_t c = 0; c < partition->count; c++)
        together |= (chosen >> c & 1) != 0 ? partition->coalitions[c] : 0;
    for (uint32_t c = 0; c < partition->count; c++)
        if ((chosen >> c & 1) != 0 && !better(payoffs, partition->coalitions[c],
                                              partition->coalitions[c], together, &strictly))
            return false;
    if (!strictly)
        return false;
    uint32_t kept = 0;
    for (uint32_t c = 0; c < partition->count; c++)
        if ((chosen >> c & 1) == 0)
            partition->coalitions[kept++] = partition->coalitions[c];
    partition->coalitions[kept++] = together;
    partition->count = kept;
    sort_coalitions(partition);
    return true;
}

static bool try_splits(const struct partition_payoffs *payoffs, struct partition *partition,
                       uint32_t c)
{
    uint32_t whole = partition->coalitions[c];
    uint32_t lowest = whole & -whole;
    for (uint32_t part = (whole - 1) & whole; part > 0; part = (part - 1) & whole) {
        bool strictly = false;
        if ((part & lowest) == 0) /* each split is met once: with its lowest member in `part` */
            continue;
        if (!better(payoffs, part, whole, part, &strictly) ||
            !better(payoffs, whole ^ part, whole, whole ^ part, &strictly) || !strictly)
            continue;
        partition->coalitions[c] = part;
        partition->coalitions[partition->count++] = whole ^ part;
        sort_coalitions(partition);
        return true;
    }
    return false;
}

bool partition_step(const struct partition_payoffs *payoffs, struct partition *partition)
{
    uint32_t all = 1u << partition->count;
    for (int size = 2; size <= (int)partition->count; size++)
        for (uint32_t chosen = 1; chosen < all; chosen++)
            if (__builtin_popcount(chosen) == size && try_merge(payoffs, partition, chosen))
                return true;
    for (uint32_t c = 0; c < partition->count; c++)
        if (try_splits(payoffs, partition, c))
            return true;
    return false;
}

uint32_t partition_settle(const struct partition_payoffs *payoffs, struct partition *partition)
{
    uint32_t steps = 0;
    while (steps < PARTITIONS_MAX && partition_step(payoffs, partition))
        steps++;
    return steps;
}

double partition_welfare(const struct partition_payoffs *payoffs, const struct partition *partition)
{
    double welfare = 0;
    for (uint32_t c = 0; c < partition->count; c++)
        for (uint32_t i = 0; i < payoffs->members; i++)
            if ((partition->coalitions[c] >> i & 1) != 0)
                welfare += payoff_of(payoffs, partition->coalitions[c], i);
    return welfare;
}

/* A member's label is at most one more than the largest before it. */
bool partition_next(uint32_t members, uint32_t *labels, struct partition *partition)
{
    uint32_t i = members;
    while (--i > 0) {
        uint32_t largest = 0;
        for (uint32_t before = 0; before < i; before++)
            largest = labels[before] > largest ? labels[before] : largest;
        if (labels[i] <= largest)
            break;
    }
    if (i == 0)
        return false;
    labels[i]++;
    for (uint32_t after = i + 1; after < members; after++)
        labels[after] = 0;
    partition->count = 0;
    for (uint32_t member = 0; member < members; member++) {
        while (partition->count <= labels[member])
            partition->coalitions[partition->count++] = 0;
        partition->coalitions[labels[member]] |= 1u << member;
    }
    return true;
}
