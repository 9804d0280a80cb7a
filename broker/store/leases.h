/*
 * Store, leases: each lease in full, its state, its shares, the GPUs it holds, and its receipts.
 *
 * Reading functions are for everybody; the writing ones are for broker/lease and broker/settle,
 * which keep the table of moves and the money in step. Contract as in store.h.
 *
 * A lease holds its GPUs in the states GRANTED, RUNNING and HOLDOVER; a PLANNED one waits for them.
 * Renewals of one start share a chain (the row of the first), and only leases of one chain may hold
 * the same GPU at the same time.
 */
#ifndef ENTENTE_BROKER_STORE_LEASES_H
#define ENTENTE_BROKER_STORE_LEASES_H

#include "base/domain/lease.h"
#include "broker/store/store.h"

enum { LEASES_OPEN_MAX = 2000000, SHARES_PER_LEASE_MAX = 64, RECEIPT_REASON_BYTES_MAX = 255 };

/* Bit of a state in a mask of states. */
#define LEASE_STATE_BIT(state) (1u << (unsigned)(state))
#define LEASE_STATES_HOLDING                                                                       \
    (LEASE_STATE_BIT(LEASE_STATE_GRANTED) | LEASE_STATE_BIT(LEASE_STATE_RUNNING) |                 \
     LEASE_STATE_BIT(LEASE_STATE_HOLDOVER))
#define LEASE_STATES_OPEN                                                                          \
    (LEASE_STATES_HOLDING | LEASE_STATE_BIT(LEASE_STATE_PLANNED) |                                 \
     LEASE_STATE_BIT(LEASE_STATE_RELEASED))
#define LEASE_STATES_ALL (LEASE_STATE_BIT(LEASE_STATE_COUNT) - 1u)

/* One beneficiary of a lease's price. */
struct lease_share {
    struct name member;
    struct price price; /* >= 0, per GPU-second; the shares of a lease sum to its price */
};

/* What its members were told of its end. */
enum lease_ending {
    LEASE_NOT_ENDING, /* nothing: in holdover past its firm end */
    LEASE_ENDING,     /* END: not renewed */
    LEASE_STOPPING    /* STOP: now */
};

struct store_lease {
    uint64_t row;   /* grows; for pages */
    uint64_t chain; /* row of the first lease of this start */
    const struct lease *lease;
    enum lease_state state;
    struct signed_bytes signed_lease; /* body empty while PLANNED */
    struct lease_share *shares;
    uint32_t share_count;
    enum lease_ending ending;
    struct credits escrowed; /* held in escrow/HOME for it now */
    struct credits paid;     /* by its receipts so far */
    int64_t held_ms;         /* by its receipts so far */
    uint32_t receipts;       /* newest sequence settled; 0: none */
    int64_t committed_wall_ms;
    int64_t granted_wall_ms;  /* 0: not yet */
    int64_t running_wall_ms;  /* 0: not yet */
    int64_t released_wall_ms; /* 0: not yet */
    int64_t ends_wall_ms;     /* the firm end on the broker's wall clock */
};

MUST_USE enum status store_lease_find(struct store *store, struct lease_id id, struct arena *arena,
                                      struct store_lease *lease, struct fault *fault);
/* All leases whose state is in the mask (of open states only), by row. O(open). */
MUST_USE enum status store_lease_list_open(struct store *store, unsigned states,
                                           struct arena *arena, struct store_lease **leases,
                                           uint32_t *count, struct fault *fault);
/* Open leases whose firm end is before that time, by row. O(found + open). */
MUST_USE enum status store_lease_list_past(struct store *store, int64_t wall_ms,
                                           struct arena *arena, struct store_lease **leases,
                                           uint32_t *count, struct fault *fault);
/* All leases of one job with a state in the mask, by row. */
MUST_USE enum status store_lease_list_job(struct store *store, const struct name *job,
                                          unsigned states, struct arena *arena,
                                          struct store_lease **leases, uint32_t *count,
                                          struct fault *fault);
/* A page by row over all states of the mask; member is home or host, "" for everybody's.
 * *next_after 0: that was all. */
MUST_USE enum status store_lease_page(struct store *store, const struct name *member,
                                      unsigned states, uint64_t after, uint32_t rows,
                                      struct arena *arena, struct store_lease **leases,
                                      uint32_t *count, uint64_t *next_after, struct fault *fault);
/* The newest lease of a job in any state; NOT_FOUND where it never had one. */
MUST_USE enum status store_lease_newest(struct store *store, const struct name *job,
                                        struct arena *arena, struct store_lease *lease,
                                        struct fault *fault);
/* Does a lease of another chain hold one of this lease's GPUs now? */
MUST_USE enum status store_lease_blocked(struct store *store, uint64_t row, bool *blocked,
                                         struct fault *fault);

/* Is there an open renewal of this lease? */
MUST_USE enum status store_lease_renewed(struct store *store, const struct store_lease *lease,
                                         bool *renewed, struct fault *fault);

/* GPUs that leases hold at one pool: mask of a node over all chains. */
struct store_held_node {
    struct name host;
    struct name gpu;
    uint32_t node;
    uint64_t gpus;
};

/* Everything held now, by (host, gpu, node). O(held). */
MUST_USE enum status store_lease_held(struct store *store, struct arena *arena,
                                      struct store_held_node **nodes, uint32_t *count,
                                      struct fault *fault);

/* --- writing: for broker/lease and broker/settle only */

/* Inserts with row and chain of its own (from `continues`); sets lease->row and lease->chain.
 * EXISTS where the id is taken; PRECONDITION where a GPU is held by another chain (unless PLANNED).
 */
MUST_USE enum status store_lease_add(struct store *store, struct store_lease *lease,
                                     struct fault *fault);
/* Writes state, money, receipts count, times and `ending`; moves held GPUs with the state
 * (PRECONDITION where one is held by another chain). */
MUST_USE enum status store_lease_update(struct store *store, const struct store_lease *lease,
                                        struct fault *fault);
/* Writes the lease itself again with its signed bytes: a planned one that is granted now. */
MUST_USE enum status store_lease_rewrite(struct store *store, const struct store_lease *lease,
                                         struct fault *fault);

struct store_receipt {
    uint64_t lease_row;
    uint32_t sequence;
    struct signed_receipt receipt; /* the exact bytes */
    int64_t first_seen_wall_ms;
    bool settled;                              /* else it waits for the home's signature */
    struct credits amount;                     /* paid for it */
    char reason[RECEIPT_REASON_BYTES_MAX + 1]; /* told with the verdict */
};

MUST_USE enum status store_receipt_find(struct store *store, uint64_t lease_row, uint32_t sequence,
                                        struct arena *arena, struct store_receipt *receipt,
                                        struct fault *fault);
/* What was paid for a settled one, corrected. */
MUST_USE enum status store_receipt_correct(struct store *store, uint64_t lease_row,
                                           uint32_t sequence, struct credits amount,
                                           const char *reason, struct fault *fault);
/* Inserts; replaces one that is not settled; EXISTS where it is settled. */
MUST_USE enum status store_receipt_put(struct store *store, const struct store_receipt *receipt,
                                       struct fault *fault);

#endif
