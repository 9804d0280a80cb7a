/* Round, report: what was offered, who was placed where at which price, and what each member has of
 * it; as told by `round show` and kept with the round. */
#include <stdio.h>

#include "broker/round/round.h"
#include "broker/round/snapshot.h"

enum { CERTIFICATE_TEXT_MAX = 256 };

static enum status report_pools(struct round *round, struct fault *fault);
static enum status report_placements(struct round *round, struct fault *fault);
static enum status report_members(struct round *round, struct fault *fault);
static enum status report_certificate(struct round *round, struct fault *fault);
static void report_row(struct round *round);

enum status round_report(struct round *round, struct fault *fault)
{
    round->report = (struct round_response){
        .mechanism = round->terms.mechanism->name,
        .split_remark = round->split.remark,
    };
    enum status status = report_pools(round, fault);
    if (status == STATUS_OK)
        status = report_placements(round, fault);
    if (status == STATUS_OK)
        status = report_members(round, fault);
    if (status == STATUS_OK)
        status = report_certificate(round, fault);
    report_row(round);
    return status;
}

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
}

static enum status report_pools(struct round *round, struct fault *fault)
{
    const struct market *market = &round->market;
    struct round_response *report = &round->report;
    report->pools = arena_alloc(&round->arena, market->pool_count, sizeof *report->pools);
    if (report->pools == NULL)
        return no_memory(fault);
    report->pool_count = market->pool_count;
    for (uint32_t p = 0; p < market->pool_count; p++)
        report->pools[p] = (struct round_pool_row){
            .pool = {.member = market->members[market->pools[p].owner].name,
                     .gpu = market->pools[p].gpu},
            .gpus = market->pools[p].gpu_count,
            .cost = market->pools[p].cost,
            .price = round->plan.pool_price[p],
        };
    return STATUS_OK;
}

static enum status report_placements(struct round *round, struct fault *fault)
{
    struct round_response *report = &round->report;
    const struct round_decision *decision = &round->decision;
    report->placements =
        arena_alloc(&round->arena, decision->grant_count, sizeof *report->placements);
    if (report->placements == NULL)
        return no_memory(fault);
    report->placement_count = decision->grant_count;
    for (uint32_t i = 0; i < decision->grant_count; i++) {
        const struct round_grant *grant = &decision->grants[i];
        const struct plan_placement *placement = &round->plan.placements[grant->placement];
        const struct market_column *column = &round->market.columns[placement->column];
        report->placements[i] = (struct round_placement_row){
            .job = grant->lease.job,
            .home = grant->lease.home,
            .pool = {.member = grant->lease.host, .gpu = grant->lease.gpu},
            .gpus = grant->lease.gpu_count,
            .lease = grant->lease.id,
            .renewed = !lease_id_none(grant->lease.continues),
            .predicted_examples_per_second = grant->lease.predicted_examples_per_second,
            .price = grant->lease.price,
            .worth = column->worth,
            .payment = placement->payment,
        };
        report->pools[column->pool].gpus_placed += column->gpus;
    }
    return STATUS_OK;
}

static enum status report_members(struct round *round, struct fault *fault)
{
    const struct market *market = &round->market;
    struct round_response *report = &round->report;
    report->members = arena_alloc(&round->arena, market->member_count, sizeof *report->members);
    if (report->members == NULL)
        return no_memory(fault);
    report->member_count = market->member_count;
    for (uint32_t i = 0; i < market->member_count; i++)
        report->members[i] = (struct round_member_row){
            .member = market->members[i].name,
            .alone = round->plan.members[i].alone,
            .payoff = round->split.payoff[i],
            .owen = round->plan.members[i].owen,
            .side = round->split.side[i],
        };
    return STATUS_OK;
}

/* "core" is said only at ε = 0 (DESIGN §3). */
static enum status report_certificate(struct round *round, struct fault *fault)
{
    const struct split *split = &round->split;
    char amount[CREDITS_TEXT_MAX];
    char *text = arena_alloc(&round->arena, CERTIFICATE_TEXT_MAX, 1);
    if (text == NULL)
        return no_memory(fault);
    const char *proof = split->epsilon_exact ? "every coalition's worth was computed"
                                             : "bounded by the distance to the LP's core point";
    if (split->epsilon.micros == 0)
        snprintf(text, CERTIFICATE_TEXT_MAX, "core: no group of members would do better alone (%s)",
                 proof);
    else
        snprintf(text, CERTIFICATE_TEXT_MAX,
                 "ε-core: no group of members would gain more than ε = %s credits a round alone "
                 "(%s)",
                 credits_format(split->epsilon, amount), proof);
    round->report.certificate = text;
    round->report.epsilon_exact = split->epsilon_exact;
    return plan_digest(&round->market, &round->plan, split, &round->report.plan_digest, fault);
}

static void report_row(struct round *round)
{
    const struct market *market = &round->market;
    struct round_row *row = &round->report.row;
    *row = (struct round_row){
        .round = round->number,
        .started_wall_ms = round->started_wall_ms,
        .interim = round->interim,
        .members = market->member_count,
        .pools = market->pool_count,
        .jobs = market->job_count,
        .placed = round->decision.grant_count,
        .objective = round->plan.objective,
        .bound = round->plan.bound,
        .epsilon = round->split.epsilon,
        .fit = round->learned != NULL ? round->learned->version : 0,
    };
    for (uint32_t p = 0; p < round->report.pool_count; p++) {
        row->gpus += round->report.pools[p].gpus;
        row->gpus_placed += round->report.pools[p].gpus_placed;
    }
}
