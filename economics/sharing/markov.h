/*
 * Markov: the stationary distribution of a finite continuous-time Markov chain.
 *
 * Transitions are given one by one, then solved for by Gauss-Seidel sweeps, forward and backward in
 * turn [Stewart 1994, ch. 3], from the distribution given: a near one makes it quick. Every state
 * that has no way out but is given weight keeps it: give chains with one recurrent class.
 *
 * Ownership: the struct's arrays are the arena's. Thread rule: one thread per struct. Complexity:
 * O(transitions) a sweep.
 */
#ifndef ENTENTE_ECONOMICS_SHARING_MARKOV_H
#define ENTENTE_ECONOMICS_SHARING_MARKOV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

enum { MARKOV_SWEEPS_MAX = 20000 };

struct markov_transition {
    uint32_t from;
    uint32_t to;
    double rate;
};

struct markov {
    uint32_t state_count;
    struct markov_transition *given; /* [given_count] */
    uint32_t given_count;
    uint32_t given_max;
    /* by target, made by markov_solve(): */
    uint32_t *start; /* [state_count + 1] */
    uint32_t *from;
    double *rate;
    double *leaving; /* total rate out of each state */
};

/* Room for transitions_max transitions. NO_MEMORY. */
MUST_USE enum status markov_init(struct markov *markov, uint32_t state_count,
                                 uint32_t transitions_max, struct arena *arena,
                                 struct fault *fault);

/* Forgets the transitions; the room stays. */
void markov_clear(struct markov *markov);

/* from != to; rate >= 0 (0 is left out). */
void markov_add(struct markov *markov, uint32_t from, uint32_t to, double rate);

/* distribution: [state_count], a first guess (>= 0, not all 0) that becomes the answer. Stops when
 * a sweep changes it by at most `tolerance` in sum; false where MARKOV_SWEEPS_MAX were not enough.
 */
bool markov_solve(struct markov *markov, double tolerance, double *distribution);

#endif
