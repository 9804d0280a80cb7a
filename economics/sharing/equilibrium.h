/*
 * Equilibrium: where members' choices of how much to share come to rest, and what that costs.
 *
 * Best responses in turn (member 0, 1, ..., each against the others' present choices; of equal
 * utilities the smallest share, utilities within SHARING_TIE counting as equal) until nobody moves:
 * a pure Nash equilibrium; or until a choice of all returns: a cycle, reported as such; or until
 * the limit of rounds. Tried from several starts. Whether other equilibria exist is not proved.
 *
 * The welfare optimum is found by trying everything where that is at most SHARING_TRIES_MAX
 * evaluations ("exhaustive"), else by climbing one member at a time from the same starts (then the
 * price of anarchy is a lower bound).
 *
 * Ownership: as sharing.h. Thread rule: pure. Complexity: rounds × members × (GPUs + 1)
 * evaluations a start.
 */
#ifndef ENTENTE_ECONOMICS_SHARING_EQUILIBRIUM_H
#define ENTENTE_ECONOMICS_SHARING_EQUILIBRIUM_H

#include "economics/sharing/sharing.h"

#define SHARING_TIE 1e-9 /* of the larger utility, or absolute below 1 */

enum { SHARING_STARTS_MAX = 64, SHARING_ROUNDS_MAX = 100, SHARING_TRIES_MAX = 4096 };

enum sharing_rest { SHARING_AT_REST, SHARING_CYCLE, SHARING_UNDECIDED };

enum sharing_welfare {
    WELFARE_UTILITARIAN,  /* sum of utilities */
    WELFARE_PROPORTIONAL, /* sum of logarithms; -infinity where one isn't positive */
    WELFARE_MAX_MIN,      /* the least utility */
    WELFARE_COUNT
};

/* How utilities are found: one of sharing.h's ways, over one game. */
struct sharing_judge {
    const struct sharing_game *game;
    enum sharing_method method; /* APPROXIMATE or EXACT */
    struct sharing_approximation *approximation;
    size_t arena_bytes; /* exact: for one evaluation */
};

MUST_USE enum status sharing_judge_open(struct sharing_judge *judge,
                                        const struct sharing_game *game, enum sharing_method method,
                                        struct arena *arena, struct fault *fault);

MUST_USE enum status sharing_judge_utilities(struct sharing_judge *judge, const uint32_t *shares,
                                             double *utilities, struct fault *fault);

struct sharing_outcome {
    enum sharing_rest rest;
    uint32_t rounds;
    uint32_t cycle_length; /* of a cycle, in rounds */
    uint32_t shares[SHARING_MEMBERS_MAX];
    double utilities[SHARING_MEMBERS_MAX];
};

/* From the start in outcome->shares. */
MUST_USE enum status sharing_settle(struct sharing_judge *judge, struct sharing_outcome *outcome,
                                    struct fault *fault);

double sharing_welfare_of(enum sharing_welfare welfare, const double *utilities, uint32_t count);

struct sharing_optimum {
    bool exhaustive;
    uint32_t shares[SHARING_MEMBERS_MAX];
    double welfare;
};

/* starts: [start_count][member_count], where climbing begins. */
MUST_USE enum status sharing_optimise(struct sharing_judge *judge, enum sharing_welfare welfare,
                                      const uint32_t *starts, uint32_t start_count,
                                      struct sharing_optimum *optimum, struct fault *fault);

#endif
