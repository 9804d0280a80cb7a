/*
 * Planning: a round's plan by its mechanism, warm from what the last rounds' market left in the
 * session; and the same plan again from stored bytes of that.
 *
 * The bytes are what the session knew before, so that a stored round replays to the same plan
 * however many rounds went before it. A broker that starts knows nothing: its first round is cold.
 *
 * Ownership: results lie in the arena. Thread rule: the session's: one thread at a time (the
 * round's worker). Complexity: that of plan_make_with().
 */
#ifndef ENTENTE_BROKER_ROUND_PLANNING_H
#define ENTENTE_BROKER_ROUND_PLANNING_H

#include "economics/mechanisms/mechanism.h"

struct planning_task {
    const struct mechanism *mechanism;
    const struct market *market;
    struct session *session;
};

/* *state: what the session knew before. */
MUST_USE enum status planning_run(const struct planning_task *task, struct arena *arena,
                                  struct bytes *state, struct plan *plan, struct fault *fault);

/* In a session of its own; state of size 0: cold, as rounds stored before there were sessions. */
MUST_USE enum status planning_again(const struct mechanism *mechanism, const struct market *market,
                                    struct bytes state, struct arena *arena, struct plan *plan,
                                    struct fault *fault);

#endif
