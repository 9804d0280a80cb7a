#include "broker/round/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/round/planning.h"
#include "broker/round/snapshot.h"
#include "broker/store/rounds.h"
#include "proto/identity/identity.h"

enum { DIFFERENCE_TEXT_MAX = 256 };

/* What a stored report and a plan made now disagree on, for people. */
static const char *difference(const struct store_round *record, const struct plan *plan,
                              struct arena *arena)
{
    char before[CREDITS_TEXT_MAX];
    char now[CREDITS_TEXT_MAX];
    char *text = arena_alloc(arena, DIFFERENCE_TEXT_MAX, 1);
    if (text == NULL)
        return "";
    if (record->row.bound.micros != plan->bound.micros)
        snprintf(text, DIFFERENCE_TEXT_MAX, "the LP's optimum was %s credits, now it is %s",
                 credits_format(record->row.bound, before), credits_format(plan->bound, now));
    else if (record->row.objective.micros != plan->objective.micros)
        snprintf(text, DIFFERENCE_TEXT_MAX, "its surplus was %s credits, now it is %s",
                 credits_format(record->row.objective, before),
                 credits_format(plan->objective, now));
    else
        snprintf(text, DIFFERENCE_TEXT_MAX,
                 "the surplus is the same, %s credits; placements, prices or payoffs are not",
                 credits_format(plan->objective, now));
    return text;
}

static enum status check_stored(const struct store_round *record, struct fault *fault)
{
    struct digest digest;
    digest_bytes(record->plan.data, record->plan.size, &digest);
    if (digest_equal(&digest, &record->plan_digest))
        return STATUS_OK;
    return fault_set(fault, STATUS_CORRUPT,
                     "round %" PRIu64 ": the stored plan is not that of its digest",
                     record->row.round);
}

enum status replay_round(struct store *store, uint64_t number, struct arena *arena,
                         struct replay *replay, struct fault *fault)
{
    struct store_round record;
    struct market market;
    struct plan plan;
    struct split_terms terms;
    struct bytes state;
    struct split split;
    enum status status = store_round_find(store, number, arena, &record, fault);
    if (status == STATUS_OK)
        status = check_stored(&record, fault);
    if (status == STATUS_OK)
        status = snapshot_decode(record.snapshot, arena, &market, &terms, &state, fault);
    if (status == STATUS_OK)
        status = planning_again(terms.mechanism, &market, state, arena, &plan, fault);
    if (status == STATUS_OK)
        status = plan_check(&market, &plan, fault);
    if (status == STATUS_OK)
        status = split_find(terms.mechanism, &market, &plan, NULL, arena, &split, fault);
    if (status == STATUS_OK)
        status = split_fit(&market, &plan, &terms.purses, arena, &split, fault);
    if (status != STATUS_OK)
        return status;
    *replay = (struct replay){
        .round = record.row.round,
        .stored = record.plan_digest,
        .difference = "",
        .members = market.member_count,
        .jobs = market.job_count,
        .placements = plan.placement_count,
    };
    status = plan_digest(&market, &plan, &split, &replay->computed, fault);
    replay->same = status == STATUS_OK && digest_equal(&replay->stored, &replay->computed);
    if (status == STATUS_OK && !replay->same)
        replay->difference = difference(&record, &plan, arena);
    return status;
}
