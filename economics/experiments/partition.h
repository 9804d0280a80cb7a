/*
 * Partition: who federates with whom: coalition structures that members reach by merging and
 * splitting, and those that nobody wants to leave.
 *
 * Given what each member would have in each coalition, coalitions of a partition merge where all
 * their members are at least as well off together and one is better off; a coalition splits in two
 * on the same terms [Apt, Witzel 2009]. Each step makes somebody better and nobody worse, so steps
 * end. A partition without such a step is stable here.
 *
 * A partition is a list of disjoint masks by their lowest member. Thread rule: pure. Complexity:
 * with each function; at most PARTITION_MEMBERS_MAX members.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_PARTITION_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

enum { PARTITION_MEMBERS_MAX = 10, PARTITIONS_MAX = 115975 /* Bell's number of 10 */ };

/* payoff[mask × members + i]: what i has in coalition mask, where it is in it. */
struct partition_payoffs {
    uint32_t members;
    const double *payoff;
    double tolerance; /* differences up to it are none */
};

struct partition {
    uint32_t count;
    uint32_t coalitions[PARTITION_MEMBERS_MAX]; /* by their lowest member */
};

void partition_alone(uint32_t members, struct partition *partition);
void partition_grand(uint32_t members, struct partition *partition);

/* Takes the first step there is: merges before splits, larger merges last, each by lowest mask.
 * False: stable. O(2^coalitions × members + Σ 2^size). */
bool partition_step(const struct partition_payoffs *payoffs, struct partition *partition);

/* Steps until stable; returns how many. */
uint32_t partition_settle(const struct partition_payoffs *payoffs, struct partition *partition);

double partition_welfare(const struct partition_payoffs *payoffs,
                         const struct partition *partition);

/* The next partition in the order of restricted growth strings [Knuth 7.2.1.5], from
 * partition_grand() to partition_alone(); false after the last. labels: [members], all 0 to begin.
 */
bool partition_next(uint32_t members, uint32_t *labels, struct partition *partition);

#endif
