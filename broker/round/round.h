/*
 * Round: one clearing of the market: collect -> plan -> decide -> commit -> dispatch
 * (ARCHITECTURE).
 *
 *   round_open    loop thread  gathers a book and masks the offers: what may be used is in *input
 *   round_solve   any thread   market_collect, the mechanism's allocation and split, plan_check:
 * pure, over the round alone round_finish  loop thread  decides against a fresh book, commits in
 * one transaction, reports
 *
 * A round takes in all free GPUs, all GPUs under leases that end where its own begin, and all open
 * demands that no lease keeps busy. A full round runs a lead before the epoch's end; an interim one
 * between two is the same thing with nothing that ends. Guarantee: nothing is written before
 * round_finish, and there all or nothing. Ownership: a round owns its arena; what a report points
 * to lives there. Complexity: that of plan_make().
 */
#ifndef ENTENTE_BROKER_ROUND_ROUND_H
#define ENTENTE_BROKER_ROUND_ROUND_H

#include "broker/round/book.h"
#include "broker/core.h"
#include "economics/market/collect.h"
#include "economics/market/plan.h"
#include "economics/mechanisms/mechanism.h"

/* A lease to be. */
struct round_grant {
    uint32_t placement; /* of the plan */
    bool planned;       /* waits until its GPUs, or its job, are released */
    struct lease lease;
    struct lease_share *shares;
    uint32_t share_count;
};

/* A lease that is not renewed. */
struct round_ending {
    struct lease_id lease;
    enum lease_event_kind kind; /* END at its firm end, or STOP now */
    const char *reason;
};

/* A placement that no longer stood at commit. */
struct round_drop {
    uint32_t placement;
    const char *reason;
};

/* What to do; made by round_decide(), done by round_commit(). */
struct round_decision {
    struct round_grant *grants; /* by placement ascending; lease index = placement + 1 */
    uint32_t grant_count;
    struct round_ending *endings;
    uint32_t ending_count;
    struct lease_id *voids; /* planned for an epoch that is over */
    uint32_t void_count;
    struct round_drop *drops;
    uint32_t drop_count;
    struct credits *funds_left; /* [members of the book] beside the grants' caps */
};

struct round {
    struct arena arena;
    uint32_t references; /* round_hold(); the loop's thread counts */
    bool interim;
    uint64_t number;
    int64_t started_wall_ms;
    int64_t started_boot_ms;
    struct book book;           /* at collect */
    struct book now;            /* at commit */
    struct collect_input input; /* offers masked to what may be used */
    struct learned *learned;    /* predicted with; NULL: the table alone */
    struct session *session;    /* the core's; round_solve()'s alone until that is done */
    struct bytes state;         /* what it knew before */
    struct market market;
    struct plan plan;
    struct split_terms terms; /* purses: from commit on */
    struct split split;
    enum status solved; /* of round_solve */
    struct fault fault;
    struct round_decision decision;
    struct round_response report;
};

/* Which jobs sit out, e.g. after failed starts; NULL: none. */
struct round_filter {
    bool (*sits_out)(const void *context, const struct name *job);
    /* Hosts and pools that are not tried now; nullable. */
    enum status (*avoid)(const void *context, struct arena *arena, struct collect_input *input,
                         struct fault *fault);
    const void *context;
};

/* *round is set exactly on OK; free it with round_close(). */
MUST_USE enum status round_open(struct core *core, bool interim, const struct round_filter *filter,
                                struct round **round, struct fault *fault);

/* Any thread; the outcome is round->solved. */
void round_solve(struct round *round);

/* Commits and fills round->report. Where solving failed: that status, and nothing is written. */
MUST_USE enum status round_finish(struct core *core, struct round *round, struct fault *fault);

/* One more holder; each calls round_close(). The last one frees. NULL is fine. */
struct round *round_hold(struct round *round);
void round_close(struct round *round);

/* Has it anything to clear: demands in the market, or leases to renew or end? */
bool round_has_work(const struct round *round);

/* --- the steps, apart for tests */

/* book -> collect_input: offers with only usable GPUs as free, positions of running jobs. */
MUST_USE enum status round_collect(const struct core *core, const struct book *book,
                                   struct arena *arena, struct collect_input *input,
                                   struct fault *fault);

/* What a decision rests on. now: gathered at commit. */
struct round_ground {
    const struct broker_config *config;
    const struct market *market;
    const struct plan *plan;
    const struct book *now;
    uint64_t number;
};

/* Pure: the plan's placements that still stand become leases; leases that lose their GPUs end. */
MUST_USE enum status round_decide(const struct round_ground *ground, struct arena *arena,
                                  struct round_decision *decision, struct fault *fault);

/* What the mechanism would give each; part of solving. Any thread. */
MUST_USE enum status round_find_split(struct round *round, struct fault *fault);

/* What can be paid of it, after the decision. */
MUST_USE enum status round_fit_split(const struct core *core, struct round *round,
                                     struct fault *fault);

/* The side payments' escrow, with the leases in the store; part of committing. */
MUST_USE enum status round_commit_split(struct core *core, struct round *round,
                                        struct fault *fault);

/* One transaction: voids, endings, leases with escrow and events, ages, the round itself. */
MUST_USE enum status round_commit(struct core *core, struct round *round, struct fault *fault);

/* The round for people; all but row.took_ms. */
MUST_USE enum status round_report(struct round *round, struct fault *fault);

#endif
