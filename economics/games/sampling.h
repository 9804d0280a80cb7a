/*
 * Sampling: the Shapley value from random orders, with standard errors, where a table of 2^n worths
 * is out of reach.
 *
 * Orders come in antithetic pairs (an order and its reverse), and the pair's mean contributions are
 * regressed on control variates whose expectations are known (controls.h). Whatever is left of
 * efficiency is shared equally. [Ours; antithetic pairs as in Lomeli et al. 2019]
 *
 * Guarantee: pair k uses stream k of the seed, so a stated number of pairs gives the same answer at
 * any number of threads (to the accuracy of the worths). Standard errors are those of a regression
 * on independent pairs; half-widths are 1.96 of them. Thread rule: makes its own threads, each with
 * an oracle; no LP environment may be open on the calling one. Complexity: 2 players worths a pair.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_SAMPLING_H
#define ENTENTE_ECONOMICS_GAMES_SAMPLING_H

#include "economics/games/oracle.h"

enum { SAMPLING_PLAYERS_MAX = 4096, SAMPLING_THREADS_MAX = 64, SAMPLING_PAIRS_MIN = 64 };

struct sampling_settings {
    uint64_t seed;
    uint64_t pairs_max; /* at least SAMPLING_PAIRS_MIN are drawn; 0: no limit */
    double half_width;  /* stop when every player's is at most this part of |v(N)| / n; 0: don't */
    uint32_t threads;   /* 0: as many as cores */
    bool (*stop)(void *context); /* asked between rounds of pairs; NULL: never */
    void *context;
};

struct sampled {
    double *split;          /* [players] */
    double *standard_error; /* [players] */
    double total;           /* v(N) */
    double half_width;      /* the widest, as a part of |v(N)| / n (absolute where v(N) is 0) */
    uint64_t pairs;
    bool reached; /* the half-width asked for */
};

/* Results lie in the arena. */
MUST_USE enum status sampling_shapley(const struct input_game *input,
                                      const struct sampling_settings *settings, struct arena *arena,
                                      struct sampled *sampled, struct fault *fault);

#endif
