/*
 * Replay: a stored round computed again from its snapshot, compared by the digest of the plan.
 *
 * Reads the store, writes nothing. Ownership: texts lie in the arena. Thread rule: the store's.
 * Complexity: that of plan_make().
 */
#ifndef ENTENTE_BROKER_ROUND_REPLAY_H
#define ENTENTE_BROKER_ROUND_REPLAY_H

#include "broker/store/store.h"

struct replay {
    uint64_t round;
    bool same;
    struct digest stored;
    struct digest computed;
    const char *difference; /* "" where it is the same */
    uint32_t members;
    uint32_t jobs;
    uint32_t placements;
};

/* Number 0: the newest. NOT_FOUND; CORRUPT where what is stored can't be read or its plan's bytes
 * are not those of its digest. */
MUST_USE enum status replay_round(struct store *store, uint64_t number, struct arena *arena,
                                  struct replay *replay, struct fault *fault);

#endif
