/*
 * Climbing: local search for coalitions that object to a split. Internal to economics/games.
 *
 * From a start, whoever's joining or leaving raises v(S) − x(S) does so, until nobody's does.
 * Thread rule: the oracle's. Complexity: a worth a step, a few times as many as players.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_CLIMBING_H
#define ENTENTE_ECONOMICS_GAMES_CLIMBING_H

#include "economics/games/oracle.h"

struct climbing {
    struct oracle *oracle;
    const double *split;
    double scale; /* v(N): gains of 1e-12 of it count */
    bool (*stop)(void *context);
    void *context;
    bool *in; /* [players] the start; then the coalition found */
    uint32_t size;
    double excess;
};

/* v(S) − x(S) of in[]. */
MUST_USE enum status climbing_evaluate(struct climbing *climbing, struct fault *fault);
/* Up from in[], to a proper coalition. */
MUST_USE enum status climbing_run(struct climbing *climbing, struct fault *fault);

#endif
