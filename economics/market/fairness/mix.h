/*
 * Mix: a plan as a convex combination of plans that a session found under member weights. Internal
 * to fairness.
 *
 * Each vertex knows its uses (of the merged market) and what they are worth to each member. The mix
 * is feasible since the plans are and the LP is convex.
 *
 * Ownership: the mix owns its vertices (mix_fini). Thread rule: the session's.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_FAIRNESS_MIX_H
#define ENTENTE_ECONOMICS_MARKET_FAIRNESS_MIX_H

#include "economics/market/fairness/classes.h"
#include "economics/market/fairness/fairness.h"

/* The vertices kept take at most this; then the search ends, incomplete. */
#define MIX_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct vertex {
    struct session_use *uses;
    uint32_t use_count;
    double *utility; /* [member_count] */
    double share;    /* of the mix */
};

struct mix {
    const struct classes *classes;
    struct session *session;
    const struct session_options *options;
    struct vertex *vertices; /* [FAIRNESS_ROUNDS_MAX] */
    uint32_t count;
    size_t bytes;
    bool *takes_part; /* [member_count] something of its is worth something */
    uint32_t member_count;
    uint32_t part_count;
    double *weight;  /* [member_count] of the last solve */
    double *utility; /* [member_count] of the mix */
    double bound;    /* of the last solve: no plan has more Σ weight U */
    uint64_t iterations;
};

MUST_USE enum status mix_init(struct mix *mix, const struct classes *classes,
                              struct session *session, const struct session_options *options,
                              struct arena *arena, struct fault *fault);
void mix_fini(struct mix *mix);

/* False: no further vertex may be asked for. */
bool mix_has_room(const struct mix *mix);

/* Asks for the best plan under mix->weight; it becomes the last vertex, with share 0. Weights are
 * scaled so that the largest is 1, and raised to a least part of it. */
MUST_USE enum status mix_ask(struct mix *mix, struct fault *fault);

/* mix->utility from the shares. */
void mix_sum_up(struct mix *mix);

/* The mix as uses of the original market, and its utilities, in the arena. */
MUST_USE enum status mix_report(const struct mix *mix, struct arena *arena,
                                struct fairness *fairness, struct fault *fault);

#endif
