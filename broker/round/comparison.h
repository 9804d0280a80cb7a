/*
 * Comparison: a stored round shared by every mechanism: what each member would have got, and who
 * would object.
 *
 * Made from the round's snapshot alone; nothing is written. Purses bound the mechanism that the
 * round was cleared with, as they did then; the others are shown as if everybody could pay. To
 * MARKET_TABLE_PLAYERS_MAX members every coalition's worth is computed, so that ε and the objecting
 * coalition are exact; above, ε is a bound.
 *
 * Ownership: results lie in the arena. Thread rule: the store's; no LP environment may be open.
 * Complexity: 2^members worths, once.
 */
#ifndef ENTENTE_BROKER_ROUND_COMPARISON_H
#define ENTENTE_BROKER_ROUND_COMPARISON_H

#include "broker/store/store.h"
#include "economics/mechanisms/mechanism.h"

struct comparison_row {
    const struct mechanism *mechanism;
    bool chosen; /* the round was cleared with it */
    struct split split;
    struct credits reach;  /* what the objecting coalition would make of it alone */
    struct credits payoff; /* and what it has */
};

struct comparison {
    uint64_t round;
    struct market market;
    struct plan plan;
    struct comparison_row *rows; /* [row_count] in the order of the table of mechanisms */
    uint32_t row_count;
};

/* round 0: the newest. names: "all", or mechanisms separated by commas (INVALID with the nearest
 * name); the chosen one is always among them. */
MUST_USE enum status comparison_make(struct store *store, uint64_t round, const char *names,
                                     struct arena *arena, struct comparison *comparison,
                                     struct fault *fault);

#endif
