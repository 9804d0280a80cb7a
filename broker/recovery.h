/*
 * Recovery: what a broker does whose state came back from a backup. [DESIGN §6]
 *
 * It began a new incarnation, and what happened after the backup was taken is known to its members
 * alone. So it clears no market, grants nothing and expires nothing until each member (but those
 * pending or revoked) has reported the leases it holds, its receipts and the newest ledger head it
 * saw, or until every lease granted before must be over (round + holdover + grace + clock skew).
 * Meanwhile heartbeats, demands, lease reports and receipts are taken as ever. Thread rule: the
 * loop's thread.
 */
#ifndef ENTENTE_BROKER_RECOVERY_H
#define ENTENTE_BROKER_RECOVERY_H

#include "broker/store/heads.h"

struct core;
struct broker_config;

struct recovery {
    bool restored; /* this incarnation began with a restore */
    bool waiting;  /* for members */
    int64_t until_wall_ms;
};

/* Makes the store that of a new incarnation, at least `least`, in a transaction of its own: for
 * `restore`, and for simulations that put back an old store. */
MUST_USE enum status recovery_begin(struct store *store, const struct broker_config *config,
                                    uint64_t least, int64_t now_wall_ms, uint64_t *incarnation,
                                    struct fault *fault);

/* Is this incarnation such a one? Called once by core_open(). */
MUST_USE enum status recovery_load(struct core *core, struct fault *fault);

/* Must the market wait? Looks again until it need not. O(members) while it must. */
bool recovery_waits(struct core *core);

/* How many members are waited for, and how long at most. */
MUST_USE enum status recovery_awaited(const struct core *core, uint32_t *members, int64_t *left_ms,
                                      struct fault *fault);

/* What a member tells of leases and heads, a transaction each. What doesn't verify is passed over
 * and logged. Revocations are the caller's. */
MUST_USE enum status recovery_take(struct core *core, const struct name *member,
                                   const struct report_held_request *request, struct arena *arena,
                                   struct fault *fault);

/* The member says it told everything: repeated it changes nothing. */
MUST_USE enum status recovery_reported(struct core *core, const struct name *member,
                                       struct fault *fault);

/* Keeps a head that the member holds; what this broker didn't sign is refused. One transaction. */
MUST_USE enum status recovery_take_head(struct core *core, const struct name *member,
                                        const struct signed_bytes *bytes, struct arena *arena,
                                        struct fault *fault);

#endif
