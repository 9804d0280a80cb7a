/*
 * Book: everything a round knows, copied at one moment: members, offers, funds, open demands, open
 * leases; and what each lease means for the round.
 *
 * A round collects from one book and commits against a newer one; both are read-only. Ownership:
 * everything lies in the arena given. Thread rule: gathering on the loop's thread, reading on any.
 * Complexity: O(members + GPUs + demands + leases).
 */
#ifndef ENTENTE_BROKER_ROUND_BOOK_H
#define ENTENTE_BROKER_ROUND_BOOK_H

#include "broker/core.h"
#include "broker/store/demands.h"
#include "broker/store/leases.h"
#include "broker/store/members.h"

struct book_member {
    struct store_member record;
    bool active;               /* neither pending, suspended nor revoked */
    bool here;                 /* active and its offer lives */
    bool gone;                 /* not heard for so long that its jobs are ended */
    const struct offer *offer; /* NULL where it was never heard */
    struct credits funds;
};

/* What a lease that holds (or waits for) GPUs means for a round. */
enum book_lease_class {
    BOOK_LATER,     /* goes on beyond this round's start: its GPUs and its job are out */
    BOOK_RENEWABLE, /* ends now and may be renewed: its GPUs and its job are in */
    BOOK_LEAVING,   /* ends now and can't be renewed: its GPUs come free */
    BOOK_ADRIFT,    /* ends now, but host or home is not to be heard: it holds over */
    BOOK_LOST,      /* its host is silent or revoked and its home has given it up: the job is in */
    BOOK_PLANNED,   /* waits for GPUs of this epoch: they and its job are out */
    BOOK_OVERTAKEN  /* planned for an epoch that is over: void */
};

struct book_lease {
    struct store_lease record;
    enum book_lease_class class;
    bool newest;        /* of its chain: the one that decides */
    const char *reason; /* why it is LEAVING or LOST; "" otherwise */
};

struct book_demand {
    struct store_demand record;
    const struct book_lease *lease; /* its newest open lease, or NULL */
    bool in_market;
    bool backing_off; /* set by the caller between gather and use: sits this round out */
};

struct book {
    int64_t now_ms;  /* broker time */
    int64_t wall_ms; /* the wall clock: what members compare acceptance windows with */
    int64_t round_ms;
    int64_t ends_ms; /* where this round's leases end */
    uint64_t incarnation;
    struct book_member *members; /* [member_count] by name */
    uint32_t member_count;
    struct book_lease *leases; /* [lease_count] planned and holding ones */
    uint32_t lease_count;
    struct book_demand *demands; /* [demand_count] open ones, by (home, job) */
    uint32_t demand_count;
};

MUST_USE enum status book_gather(const struct core *core, int64_t ends_ms, struct arena *arena,
                                 struct book *book, struct fault *fault);

/* NULL where there is none. O(log n). */
const struct book_member *book_member(const struct book *book, const struct name *name);
const struct book_demand *book_demand(const struct book *book, const struct name *home,
                                      const struct name *job);

/* Do two sets of nodes share a GPU? Are they the same GPUs? */
bool lease_nodes_overlap(const struct lease *lease, const struct lease_node *nodes,
                         uint32_t node_count);
bool lease_nodes_same(const struct lease *lease, const struct lease_node *nodes,
                      uint32_t node_count);

/* Does the offer (free or leased) cover these GPUs of that kind? */
bool offer_covers(const struct offer *offer, const struct name *gpu, const struct lease_node *nodes,
                  uint32_t node_count);

#endif
