/*
 * Audit: the certificate of a round again, from what was really posted: stored bids on one side,
 * ledger entries on the other.
 *
 * For each lease of the round, what the ledger's settlements paid to each beneficiary is scaled
 * from the time that the receipts were paid for to the time that the plan counted, which gives back
 * the plan's payment; a lease without payable time (never used, or at home, where nobody pays)
 * counts at its signed price. From these payments and the stored bids come the members' payoffs,
 * and from all coalitions' worths, each its own LP, ε = max_S v(S) − u(S). It must be the ε that
 * the round stated, but for what rounding to micro-credits, scaled the same way, can do; `slack` is
 * that bound.
 *
 * Leases are numbered as the plan's placements are, so a placement that was dropped at commit
 * leaves a gap, and the round keeps how many there are. The stated ε is of the whole plan: where
 * such a round's leases give another, it is not judged by that; all else of it is.
 *
 * Also checked: the round's leases are all there; every settlement is price × GPUs × payable time,
 * or the lease's cap. Reads the store, writes nothing. Thread rule: the store's. Complexity:
 * O(entries) once, 2^members LPs a round.
 */
#ifndef ENTENTE_BROKER_ROUND_AUDIT_H
#define ENTENTE_BROKER_ROUND_AUDIT_H

#include "broker/store/store.h"
#include "base/units.h"

enum { AUDIT_PROBLEM_MAX = 256 };

struct audit_round {
    uint64_t round;
    uint32_t leases;       /* of this round */
    uint32_t planned;      /* placements: those committed as leases, and those dropped */
    uint32_t dropped;      /* since they no longer stood at commit */
    uint32_t paid;         /* with settlements in the ledger */
    struct credits posted; /* by their homes, in all */
    struct credits stated; /* the ε of the round's report */
    struct credits found;  /* ε by the posted entries */
    struct credits slack;
    bool agrees;
    bool judged;                     /* false: no problem, but its ε is not to be had */
    char problem[AUDIT_PROBLEM_MAX]; /* "" where it agrees or is not judged */
};

struct audit; /* what the ledger paid, by lease and beneficiary */

/* Reads all settlements. */
MUST_USE enum status audit_open(struct store *store, struct audit **audit, struct fault *fault);
void audit_close(struct audit *audit);

/* EXHAUSTED where the round has more members than coalitions can be tried for. */
MUST_USE enum status audit_check(struct audit *audit, uint64_t round, struct audit_round *result,
                                 struct fault *fault);

#endif
