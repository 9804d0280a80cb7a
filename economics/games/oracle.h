/*
 * Oracle: v(S) of a game as players join and leave, however the game is given: by table, as a
 * production game, or as a market; also where there are too many players for a table.
 *
 * Thread rule: one thread per struct; one GLPK environment may lie under it, so none may be open on
 * the thread. Complexity of a worth: a look-up, or a warm LP.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_ORACLE_H
#define ENTENTE_ECONOMICS_GAMES_ORACLE_H

#include "economics/games/input.h"

struct oracle {
    uint32_t players;
    void *state;
    void (*set)(void *state, uint32_t player, bool in);
    enum status (*worth)(void *state, double *worth, struct fault *fault);
    /* After a worth: dual payoffs, which cover every coalition's worth and add up to this one's;
     * false: there are none now. NULL: never. */
    bool (*payoffs)(void *state, double *payoffs);
    void (*close)(void *state);
};

/* Nobody is in. */
MUST_USE enum status oracle_open(const struct input_game *input, struct oracle *oracle,
                                 struct fault *fault);
void oracle_close(struct oracle *oracle); /* a zeroed one is fine */

static inline void oracle_set(struct oracle *oracle, uint32_t player, bool in)
{
    oracle->set(oracle->state, player, in);
}

MUST_USE static inline enum status oracle_worth(struct oracle *oracle, double *worth,
                                                struct fault *fault)
{
    return oracle->worth(oracle->state, worth, fault);
}

#endif
