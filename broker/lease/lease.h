/*
 * Lease: the life of a lease at the broker. One table (state, event) -> next; every other pair is
 * refused. Money, GPUs and the outbox move with the state, in the caller's transaction.
 *
 * planned -> granted -> running -> (holdover) -> released -> settled; voided from planned, granted,
 * or released without use. Escrow: lease_add() reserves the cap of a foreign lease (home != host),
 * lease_void() gives it back, broker/settle pays from it. A lease at home costs nothing and escrows
 * nothing. GPUs: see broker/store/leases.h. Events: a GRANT, END, STOP or VOID goes into the outbox
 * of home and host (once where they are the same).
 *
 * Every writing function wants an open transaction; after a failure the caller rolls back. Thread
 * rule: the store's. Ownership: arguments are borrowed. Errors: PRECONDITION for a move that the
 * table doesn't list, DENIED for a caller that isn't the lease's, NOT_FOUND.
 */
#ifndef ENTENTE_BROKER_LEASE_LEASE_H
#define ENTENTE_BROKER_LEASE_LEASE_H

#include "broker/store/leases.h"
#include "broker/store/store.h"
#include "proto/wire/messages.h"

enum lease_move {
    LEASE_MOVE_GRANT,   /* its GPUs became free */
    LEASE_MOVE_RUN,     /* host: both ready; may be repeated */
    LEASE_MOVE_OVERRUN, /* past its firm end without renewal or release */
    LEASE_MOVE_RELEASE, /* host: GPUs are free; may be repeated */
    LEASE_MOVE_REFUSE,  /* host or home could not use it */
    LEASE_MOVE_VOID,    /* the broker calls it off */
    LEASE_MOVE_EXPIRE,  /* nothing heard to end + holdover + grace + skew: its GPUs are free */
    LEASE_MOVE_SETTLE,  /* its last receipt is posted */
    LEASE_MOVE_UNUSED,  /* its last receipt says it never started */
    LEASE_MOVE_COUNT
};

const char *lease_move_name(enum lease_move move);

/* The table. False (and *next untouched) for a pair that is not listed. Pure. */
MUST_USE bool lease_next(enum lease_state state, enum lease_move move, enum lease_state *next);

/* What goes with a new lease. */
struct lease_terms {
    const struct lease *lease;
    const struct signed_bytes
        *signed_lease;                /* exact bytes sent; NULL: planned, waits for its GPUs */
    const struct lease_share *shares; /* [share_count] they sum to lease->price (asserted) */
    uint32_t share_count;
    int64_t ends_wall_ms; /* the firm end E_k */
    int64_t now_wall_ms;
};

/*
 * Commits a lease of a round: row, shares, escrow, held GPUs, GRANT events. One that `continues`
 * another joins its chain: same job, host, kind and nodes (asserted), PRECONDITION where that one
 * is over. EXHAUSTED where the home's funds don't reach (a plan's budget row prevents it);
 * PRECONDITION where a GPU is held by a lease that is not its forerunner.
 */
MUST_USE enum status lease_add(struct store *store, const struct lease_terms *terms,
                               struct fault *fault);

/* Planned leases whose GPUs are held by nobody now: dispatch them. By row. */
MUST_USE enum status lease_list_ready(struct store *store, struct arena *arena,
                                      struct store_lease **leases, uint32_t *count,
                                      struct fault *fault);

/* A planned lease is granted: `lease` is the same lease with its acceptance window and durations
 * renewed (same id, job, names, nodes, price; cap no higher: asserted), signed. Sends GRANT. */
MUST_USE enum status lease_grant(struct store *store, const struct lease_terms *terms,
                                 struct fault *fault);

/* Not renewed (LEASE_EVENT_END) or stopped (LEASE_EVENT_STOP): tells home and host. Nothing happens
 * to a lease that is released or final or was told as much before. A planned one is PRECONDITION:
 * void it. */
MUST_USE enum status lease_end(struct store *store, struct lease_id id, enum lease_event_kind kind,
                               int64_t grace_ms, const char *reason, struct fault *fault);

/* Calls a planned, granted or released lease off: escrow back, VOID event where it was granted, and
 * renewals of it that have not begun go with it. PRECONDITION where it runs, or has receipts;
 * voiding a void one changes nothing. */
MUST_USE enum status lease_void(struct store *store, struct lease_id id, const char *reason,
                                int64_t now_wall_ms, struct fault *fault);

/*
 * What a host reports of a lease. `member` is the caller: DENIED unless it is the lease's host (a
 * REFUSED may also come from home). RUNNING of a renewal releases its forerunner. REFUSED voids, as
 * lease_void() does. RELEASED leaves a renewal alone: the receipt's outcome decides on that. A
 * measured throughput goes to the job's demand. A repeated report changes nothing; RUNNING of a
 * void lease is PRECONDITION: the host must stop it.
 */
MUST_USE enum status lease_report(struct store *store, const struct name *member,
                                  const struct lease_report *report, int64_t now_wall_ms,
                                  struct fault *fault);

struct lease_limits {
    int64_t grace_ms;        /* kill grace */
    int64_t skew_ms;         /* greatest difference of wall clocks */
    int64_t receipt_wait_ms; /* a released lease without any receipt is voided after this */
    int64_t silent_home_ms;  /* what home says nothing against for so long is as good as signed;
                                0: LEASE_SILENT_HOME_MS */
};

enum { LEASE_SILENT_HOME_MS = 24 * 3600 * 1000 };

static inline int64_t lease_silent_home_ms(const struct lease_limits *limits)
{
    return limits->silent_home_ms > 0 ? limits->silent_home_ms : LEASE_SILENT_HOME_MS;
}

struct lease_sweep {
    uint32_t overrun; /* went into holdover: the escrow of it was reserved so far as funds reach */
    uint32_t expired; /* GPUs freed without a word of the host */
    uint32_t voided;  /* planned ones past their end; released ones whose receipts never came */
};

/* Moves on what time moves: call it every few seconds. A running lease without renewal is in
 * holdover after end + grace (with END sent no holdover is escrowed); any is expired after end +
 * holdover + grace + skew. O(open leases past their end). */
MUST_USE enum status lease_sweep(struct store *store, const struct lease_limits *limits,
                                 int64_t now_wall_ms, struct arena *arena,
                                 struct lease_sweep *swept, struct fault *fault);

/* --- the steps that the verbs here and broker/settle share */

/* Moves a lease by the table and gives back what it still has in escrow where it then is final. */
MUST_USE enum status lease_move(struct store *store, struct store_lease *lease,
                                enum lease_move move, int64_t now_wall_ms, struct fault *fault);
/* Reserves amount for the lease, or what funds its home has; none below zero. */
MUST_USE enum status lease_reserve_up_to(struct store *store, struct store_lease *lease,
                                         struct credits amount, int64_t now_wall_ms,
                                         struct fault *fault);
/* Into the outbox of home and host. */
MUST_USE enum status lease_announce(struct store *store, const struct lease *lease,
                                    enum lease_event_kind kind, int64_t grace_ms,
                                    const char *reason, struct fault *fault);
/* Voids a lease (by VOID or REFUSE) and its renewals that have not begun. */
MUST_USE enum status lease_void_chain(struct store *store, struct store_lease *lease,
                                      enum lease_move move, const char *reason, int64_t now_wall_ms,
                                      struct fault *fault);
/* Voids the renewals of a lease that have not begun, and theirs. */
MUST_USE enum status lease_void_renewals(struct store *store, const struct store_lease *lease,
                                         const char *reason, int64_t now_wall_ms,
                                         struct fault *fault);

#endif
