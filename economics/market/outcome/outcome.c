#include "economics/market/outcome/outcome.h"

#include <math.h>

#include "base/tolerance.h"
#include "economics/market/outcome/averaging.h"
#include "economics/market/outcome/repricing.h"
#include "economics/market/plan.h"

/* Shares below a millionth are the solver's rounding. */
#define SHARE_SHOWN 1e-6

static enum status find_whole(const struct market *market, struct session *session,
                              const struct outcome_options *options, struct arena *arena,
                              struct outcome *outcome, struct fault *fault);
static enum status find_welfare(const struct market *market, struct session *session,
                                const struct outcome_options *options, struct arena *arena,
                                struct outcome *outcome, struct fault *fault);
static enum status find_other(const struct market *market, struct session *session,
                              const struct outcome_options *options, struct arena *arena,
                              struct outcome *outcome, struct fault *fault);

enum status outcome_find(const struct market *market, struct session *session,
                         const struct outcome_options *options, struct arena *arena,
                         struct outcome *outcome, struct fault *fault)
{
    *outcome = (struct outcome){.method = SESSION_EXACT};
    bool const fair = options->objective != OUTCOME_WELFARE;
    if (options->gangs && fair)
        return fault_set(fault, STATUS_INVALID,
                         "--gangs goes with --objective welfare alone: leave one out");
    if (options->guarantee && (fair || options->gangs))
        return fault_set(fault, STATUS_INVALID,
                         "--guarantee goes with --objective welfare, and without --gangs");
    if (options->gangs)
        return find_whole(market, session, options, arena, outcome, fault);
    if (fair || options->guarantee)
        return find_other(market, session, options, arena, outcome, fault);
    return find_welfare(market, session, options, arena, outcome, fault);
}

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

static double gap_of(double objective, double bound)
{
    double const gap = bound > 0 ? (bound - objective) / bound : 0;
    return gap > 1e-12 ? gap : 0;
}

/* -- The welfare LP ---------------------------------------------------------------------------- */

static enum status take_rents(const struct market *market, const struct session_result *result,
                              struct arena *arena, struct outcome *outcome, struct fault *fault)
{
    double const round = (double)market->round_ms / MS_PER_SECOND;
    outcome->price = arena_alloc(arena, market->pool_count, sizeof(double));
    if (outcome->price == NULL)
        return no_room(fault);
    outcome->pool_rent = result->pool_rent_credits;
    outcome->row_rent = result->row_rent_credits;
    outcome->job_surplus = result->job_surplus_credits;
    for (uint32_t p = 0; p < market->pool_count; p++) {
        double const rent = result->pool_rent_credits[p] / round * NANOS_PER_CREDIT;
        double const nanos = (double)market->pools[p].cost.nanos + floor(rent + 0.5);
        outcome->price[p] = nanos / NANOS_PER_CREDIT;
    }
    outcome->method = result->method;
    outcome->upper_bound = result->upper_bound_credits;
    outcome->iterations += result->iterations;
    outcome->passes += result->passes;
    outcome->warm |= result->warm;
    for (int phase = 0; phase < SESSION_PHASE_COUNT; phase++)
        outcome->seconds[phase] += result->seconds[phase];
    return STATUS_OK;
}

/* The uses as parts, with what they pay; payoffs; ε. */
static enum status take_plan(const struct market *market, const struct session_result *rents,
                             const struct session_use *uses, uint32_t use_count,
                             struct arena *arena, struct outcome *outcome, struct fault *fault)
{
    struct repricing repricing;
    enum status const status =
        repricing_make(market, rents, uses, use_count, arena, &repricing, fault);
    if (status != STATUS_OK)
        return status;
    outcome->parts = arena_alloc(arena, use_count, sizeof *outcome->parts);
    if (outcome->parts == NULL)
        return no_room(fault);
    outcome->objective = 0;
    for (uint32_t u = 0; u < use_count; u++) {
        outcome->objective +=
            credits_to_double(market->columns[uses[u].column].worth) * uses[u].share;
        if (uses[u].share >= SHARE_SHOWN)
            outcome->parts[outcome->part_count++] = (struct outcome_part){
                .column = uses[u].column, .share = uses[u].share, .payment = repricing.payment[u]};
    }
    outcome->gap = gap_of(outcome->objective, outcome->upper_bound);
    outcome->core = outcome->gap <= TOLERANCE_ANSWER;
    outcome->payoff = outcome->core ? repricing.owen : repricing.payoff;
    outcome->epsilon = outcome->core ? 0 : repricing.epsilon;
    outcome->epsilon_exact = outcome->core;
    return STATUS_OK;
}

/* Solved, and the rents that are quoted. */
static enum status solve_welfare(const struct market *market, struct session *session,
                                 const struct outcome_options *options, struct arena *arena,
                                 struct outcome *outcome, struct session_result *result,
                                 struct fault *fault)
{
    const struct session_clock *clock = &options->session.clock;
    enum status const status =
        session_solve(session, market, &options->session, arena, result, fault);
    if (status != STATUS_OK)
        return status;
    double const start = clock->seconds != NULL ? clock->seconds(clock->context) : 0;
    enum status const averaged = averaging_run(market, arena, result, fault);
    if (clock->seconds != NULL)
        outcome->average_seconds = clock->seconds(clock->context) - start;
    return averaged;
}

static enum status find_welfare(const struct market *market, struct session *session,
                                const struct outcome_options *options, struct arena *arena,
                                struct outcome *outcome, struct fault *fault)
{
    struct session_result result;
    enum status status = solve_welfare(market, session, options, arena, outcome, &result, fault);
    if (status == STATUS_OK)
        status = take_rents(market, &result, arena, outcome, fault);
    if (status == STATUS_OK)
        status = take_plan(market, &result, result.uses, result.use_count, arena, outcome, fault);
    return status;
}

/* -- Fair and guaranteed plans ----------------------------------------------------------------- */

static enum status find_fair(const struct market *market, struct session *session,
                             const struct outcome_options *options, struct arena *arena,
                             struct outcome *outcome, struct fault *fault)
{
    if (options->objective == OUTCOME_MAX_MIN)
        return fairness_max_min(market, session, &options->session, arena, &outcome->fair, fault);
    return fairness_proportional(market, session, &options->session, arena, &outcome->fair, fault);
}

/* The plan by one LP, its money by the welfare LP. */
static enum status find_other(const struct market *market, struct session *session,
                              const struct outcome_options *options, struct arena *arena,
                              struct outcome *outcome, struct fault *fault)
{
    struct session_options guaranteed = options->session;
    struct session_result chosen = {0};
    struct session_result welfare;
    guaranteed.guarantee_standalone = true;
    enum status status = solve_welfare(market, session, options, arena, outcome, &welfare, fault);
    if (status == STATUS_OK)
        status = take_rents(market, &welfare, arena, outcome, fault);
    if (status != STATUS_OK)
        return status;
    if (options->guarantee) {
        status = session_solve(session, market, &guaranteed, arena, &chosen, fault);
        outcome->iterations += chosen.iterations;
    } else {
        status = find_fair(market, session, options, arena, outcome, fault);
        outcome->iterations += outcome->fair.iterations;
        chosen.uses = outcome->fair.uses;
        chosen.use_count = outcome->fair.use_count;
    }
    session_forget(session); /* what it keeps is of other worths */
    return status == STATUS_OK
               ? take_plan(market, &welfare, chosen.uses, chosen.use_count, arena, outcome, fault)
               : status;
}

/* -- Whole GPUs -------------------------------------------------------------------------------- */

static enum status take_members(const struct market *market, const struct plan *plan,
                                struct arena *arena, struct outcome *outcome, struct fault *fault)
{
    outcome->payoff = arena_alloc(arena, market->member_count, sizeof(double));
    outcome->alone = arena_alloc(arena, market->member_count, sizeof(double));
    outcome->price = arena_alloc(arena, market->pool_count, sizeof(double));
    outcome->parts = arena_alloc(arena, plan->placement_count, sizeof *outcome->parts);
    if (outcome->payoff == NULL || outcome->alone == NULL || outcome->price == NULL ||
        outcome->parts == NULL)
        return no_room(fault);
    for (uint32_t i = 0; i < market->member_count; i++) {
        outcome->payoff[i] = credits_to_double(plan->members[i].payoff);
        outcome->alone[i] = credits_to_double(plan->members[i].alone);
    }
    for (uint32_t p = 0; p < market->pool_count; p++)
        outcome->price[p] = price_to_double(plan->pool_price[p]);
    outcome->part_count = plan->placement_count;
    for (uint32_t i = 0; i < plan->placement_count; i++)
        outcome->parts[i] =
            (struct outcome_part){.column = plan->placements[i].column,
                                  .share = 1,
                                  .payment = credits_to_double(plan->placements[i].payment)};
    return STATUS_OK;
}

static enum status find_whole(const struct market *market, struct session *session,
                              const struct outcome_options *options, struct arena *arena,
                              struct outcome *outcome, struct fault *fault)
{
    struct plan plan;
    enum status status = plan_make_with(market, session, &options->session, arena, &plan, fault);
    if (status == STATUS_OK)
        status = plan_check(market, &plan, fault);
    if (status == STATUS_OK)
        status = take_members(market, &plan, arena, outcome, fault);
    if (status != STATUS_OK)
        return status;
    outcome->objective = credits_to_double(plan.objective);
    outcome->upper_bound = credits_to_double(plan.bound);
    outcome->gap = gap_of(outcome->objective, outcome->upper_bound);
    outcome->iterations = plan.iterations;
    outcome->method = plan.method;
    outcome->passes = plan.passes;
    outcome->warm = plan.warm;
    for (int phase = 0; phase < SESSION_PHASE_COUNT; phase++)
        outcome->seconds[phase] += plan.seconds[phase];
    outcome->pool_rent = plan.pool_rent_credits;
    outcome->row_rent = plan.row_rent_credits;
    outcome->job_surplus = plan.job_surplus_credits;
    outcome->epsilon = credits_to_double(plan.epsilon);
    outcome->epsilon_exact = plan.epsilon_exact;
    outcome->core = plan.epsilon.micros == 0;
    return STATUS_OK;
}
