/*
 * Sharing: the capacity-sharing game after SC-Share [Lin, Pal, Paolieri, Golubchik, ICDCS 2017]:
 * members decide how many of their GPUs others may use.
 *
 * *The system.* Member i has N GPUs and Poisson arrivals of one-GPU jobs (rate λ, exponential
 * service, rate μ). A job starts on a free GPU at home; else on a free shared GPU of another member
 * (one is drawn uniformly from the members that have a free GPU and lend fewer than they share, S);
 * else it waits at home if, by the jobs ahead of it, it would begin within the limit T (with the
 * probability that w + 1 departures at rate Nμ happen in time); else it is bought outside. A freed
 * GPU goes to a waiting job of its owner first.
 *
 * *The game.* A member's cost is outside price × GPUs held outside + federation price × (GPUs
 * borrowed - GPUs lent) + running cost × GPUs lent, all per second. Its saving is what that is
 * below its cost alone; its utility is saving / (rise of utilisation)^γ, which at γ = 0 is the
 * saving. Each chooses S in 0..N.
 *
 * *Three ways to evaluate one choice.* Exact: the chain of the whole system, two or three small
 * members. Approximate: one chain (local, lent, borrowed) a member, whose rates of being asked and
 * chances of borrowing come from the others' chains, to a fixed point: any number of members.
 * Simulated: events. Where the three differ is measured in tests/economics/test_sharing.c.
 *
 * Units: jobs and seconds, or any other unit of time kept throughout. Ownership: arrays are the
 * caller's. Thread rule: pure; one thread per arena. Complexity: with each function.
 */
#ifndef ENTENTE_ECONOMICS_SHARING_SHARING_H
#define ENTENTE_ECONOMICS_SHARING_SHARING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/rng.h"

enum {
    SHARING_MEMBERS_MAX = 64,
    SHARING_GPUS_MAX = 256,
    SHARING_WAITING_MAX = 1024,
    SHARING_EXACT_MEMBERS_MAX = 3,
    SHARING_EXACT_STATES_MAX = 4000000
};

struct sharing_member {
    uint32_t gpus;        /* N >= 1 */
    double arrival_rate;  /* λ > 0, jobs/s */
    double service_rate;  /* μ > 0, jobs/s a GPU */
    double waiting_limit; /* T >= 0, s */
    double outside_price; /* credits per GPU-second */
    double running_cost;  /* credits per GPU-second lent, beyond what an idle one costs */
};

struct sharing_game {
    uint32_t member_count;
    struct sharing_member members[SHARING_MEMBERS_MAX];
    double federation_price; /* credits per GPU-second */
    double exponent;         /* γ in [0, 1] */
    bool sharers_only;       /* who shares nothing borrows nothing */
};

/* What becomes of one member. Means over time; fractions of arriving jobs. */
struct sharing_flow {
    double lent;        /* GPUs */
    double borrowed;    /* GPUs */
    double outside;     /* GPUs held outside */
    double utilisation; /* of own GPUs, lent ones included */
    double waits;       /* fraction of arrivals that wait at home */
    double refused;     /* fraction of arrivals that go outside */
};

enum sharing_method { SHARING_APPROXIMATE, SHARING_EXACT, SHARING_SIMULATED };

struct sharing_evaluation {
    struct sharing_flow flows[SHARING_MEMBERS_MAX];
    double mismatch;     /* approximate: |sum lent - sum borrowed| / their mean */
    uint32_t iterations; /* of the fixed point */
    bool converged;
};

/* INVALID with the member and number that breaks a bound. */
MUST_USE enum status sharing_check(const struct sharing_game *game, struct fault *fault);

/* The probability that a job with `ahead` waiting before it begins in time. */
double sharing_acceptance(const struct sharing_member *member, uint32_t ahead);

/* The most that ever wait: where the acceptance falls below 1e-9. EXHAUSTED above
 * SHARING_WAITING_MAX. */
MUST_USE enum status sharing_waiting_room(const struct sharing_member *member, uint32_t *room,
                                          struct fault *fault);

/* Whether borrower may borrow from host under these shares. */
bool sharing_may_borrow(const struct sharing_game *game, const uint32_t *shares, uint32_t borrower,
                        uint32_t host);

/* shares: [member_count], each at most that member's GPUs. O(states × sweeps). EXHAUSTED where the
 * whole system has too many states. */
MUST_USE enum status sharing_exact(const struct sharing_game *game, const uint32_t *shares,
                                   struct arena *arena, struct sharing_evaluation *evaluation,
                                   struct fault *fault);

/* events: simulated, after a tenth as many to forget the start. O(events × members). */
MUST_USE enum status sharing_simulate(const struct sharing_game *game, const uint32_t *shares,
                                      uint64_t events, struct rng *rng,
                                      struct sharing_evaluation *evaluation, struct fault *fault);

/* The approximation keeps its chains between evaluations of one game, so that a neighbouring choice
 * is quick. */
struct sharing_approximation;

MUST_USE enum status sharing_approximation_open(const struct sharing_game *game,
                                                struct arena *arena,
                                                struct sharing_approximation **approximation,
                                                struct fault *fault);

/* O(iterations × members × states of a member's chain). Never fails for valid shares; converged
 * says whether the fixed point was reached within its limit. */
void sharing_approximate(struct sharing_approximation *approximation, const uint32_t *shares,
                         struct sharing_evaluation *evaluation);

/* Credits per second. */
double sharing_cost(const struct sharing_game *game, uint32_t member,
                    const struct sharing_flow *flow);

/* What a member does alone: closed form of its own chain. O(N + room). */
void sharing_alone(const struct sharing_member *member, struct sharing_flow *flow);

/* saving / (rise of utilisation)^γ; a rise below SHARING_RISE_LEAST counts as that. */
#define SHARING_RISE_LEAST 0.01
double sharing_utility(const struct sharing_game *game, uint32_t member,
                       const struct sharing_flow *flow);

#endif
