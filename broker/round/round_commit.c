/*
 * Round, commit: the decision done, in one transaction: escrow of leases that were overtaken first,
 * then endings, then the new leases, then side payments, then who waited how long, then the round
 * itself with all it rests on. A failure rolls everything back.
 */
#include "broker/round/round.h"
#include "broker/round/snapshot.h"
#include "broker/store/rounds.h"
#include "proto/wire/methods.h"

struct committing {
    struct core *core;
    struct round *round;
    struct fault *fault;
};

static enum status void_overtaken(struct committing *committing);
static enum status end_leases(struct committing *committing);
static enum status add_leases(struct committing *committing);
static enum status add_sides(struct committing *committing);
static enum status count_waiting(struct committing *committing);
static enum status add_round(struct committing *committing);

enum status round_commit(struct core *core, struct round *round, struct fault *fault)
{
    static enum status (*const steps[])(struct committing *) = {
        void_overtaken, end_leases, add_leases, add_sides, count_waiting, add_round,
    };
    struct committing committing = {core, round, fault};
    enum status status = store_begin(core->store, fault);
    for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof steps[0]; i++)
        status = steps[i](&committing);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    return status;
}

static enum status void_overtaken(struct committing *committing)
{
    const struct round_decision *decision = &committing->round->decision;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < decision->void_count; i++)
        status = lease_void(committing->core->store, decision->voids[i],
                            "its GPUs were not released in time", core_now_ms(committing->core),
                            committing->fault);
    return status;
}

static enum status end_leases(struct committing *committing)
{
    const struct round_decision *decision = &committing->round->decision;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < decision->ending_count; i++)
        status = lease_end(committing->core->store, decision->endings[i].lease,
                           decision->endings[i].kind, committing->core->config->grace_ms,
                           decision->endings[i].reason, committing->fault);
    return status;
}

static enum status add_lease(struct committing *committing, const struct round_grant *grant)
{
    struct signed_bytes signed_lease;
    struct lease_terms terms = {
        .lease = &grant->lease,
        .shares = grant->shares,
        .share_count = grant->share_count,
        .ends_wall_ms = committing->round->book.ends_ms,
        .now_wall_ms = core_now_ms(committing->core),
    };
    if (!grant->planned) {
        enum status status =
            core_sign_lease(committing->core, &grant->lease, &committing->round->arena,
                            &signed_lease, committing->fault);
        if (status != STATUS_OK)
            return status;
        terms.signed_lease = &signed_lease;
    }
    return lease_add(committing->core->store, &terms, committing->fault);
}

static enum status add_leases(struct committing *committing)
{
    const struct round_decision *decision = &committing->round->decision;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < decision->grant_count; i++)
        status = add_lease(committing, &decision->grants[i]);
    return status;
}

static enum status add_sides(struct committing *committing)
{
    return round_commit_split(committing->core, committing->round, committing->fault);
}

/* Placed: age 0; in the round and not placed: one older. Demands and grants are both by (home,
 * job): columns are, and grants come by column. */
static enum status count_waiting(struct committing *committing)
{
    const struct round *round = committing->round;
    const struct round_decision *decision = &round->decision;
    uint32_t next = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < round->input.demand_count; i++) {
        const struct collect_demand *demand = &round->input.demands[i];
        const struct name *job = &demand->demand->job;
        bool placed =
            next < decision->grant_count && name_equal(&decision->grants[next].lease.job, job);
        next += placed ? 1 : 0;
        uint32_t age = placed ? 0 : demand->age_rounds + 1;
        bool open = book_demand(&round->now, &demand->demand->home, job) != NULL;
        if (open && age != demand->age_rounds)
            status = store_demand_set_age(committing->core->store, job, age, committing->fault);
    }
    return status;
}

static enum status add_round(struct committing *committing)
{
    struct round *round = committing->round;
    struct store_round record = {
        .row = round->report.row,
        .incarnation = round->book.incarnation,
        .ends_wall_ms = round->book.ends_ms,
        .dropped = round->decision.drop_count,
        .plan_digest = round->report.plan_digest,
    };
    enum status status = snapshot_encode(&round->market, &round->terms, round->state, &round->arena,
                                         &record.snapshot, committing->fault);
    if (status == STATUS_OK)
        status = plan_encode(&round->market, &round->plan, &round->split, &round->arena,
                             &record.plan, committing->fault);
    if (status == STATUS_OK)
        status = wire_encode(&message_round_response, &round->report, &round->arena, &record.report,
                             committing->fault);
    if (status == STATUS_OK)
        status = store_round_add(committing->core->store, &record, committing->fault);
    return status;
}
