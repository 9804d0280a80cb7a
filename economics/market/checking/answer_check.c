/* An answer checked: feasible, worth what it says, its bound proved, its money adding up. */
#include <math.h>
#include <stdio.h>

#include "base/tolerance.h"
#include "economics/market/checking/answer.h"

/* Prices are printed to the nano-credit: half of one may be missing, or too much. */
#define PRICE_ROUNDING 0.5e-9

struct verifying {
    const struct instance *instance;
    const struct market *market;
    const struct answer *answer;
    double round_seconds;
    double *share;    /* [column_count] */
    double *row_part; /* [column_count] Σ a π */
    double *surplus;  /* [job_count] λ, the least that covers every column */
    double *pool_use; /* [pool_count] */
    double *member;   /* [member_count] dual payoffs, then payoffs from payments */
    double objective;
    double bound;
    double rounding; /* credits that the printed prices' last digit can make */
};

static enum status check_shares(struct verifying *v, struct fault *fault);
static enum status check_pools(struct verifying *v, struct fault *fault);
static enum status check_rows(struct verifying *v, struct fault *fault);
static enum status check_objective(struct verifying *v, struct fault *fault);
static enum status check_rents(struct verifying *v, struct fault *fault);
static enum status check_bound(struct verifying *v, struct fault *fault);
static enum status check_gap(struct verifying *v, struct fault *fault);
static enum status check_payments(struct verifying *v, struct fault *fault);
static enum status check_payoffs(struct verifying *v, struct fault *fault);

enum status answer_check(const struct instance *instance, const struct answer *answer,
                         struct arena *arena, struct answer_verdict *verdict, struct fault *fault)
{
    const struct market *market = &instance->market;
    struct verifying v = {
        .instance = instance,
        .market = market,
        .answer = answer,
        .round_seconds = (double)market->round_ms / MS_PER_SECOND,
        .share = arena_alloc(arena, market->column_count, sizeof(double)),
        .row_part = arena_alloc(arena, market->column_count, sizeof(double)),
        .surplus = arena_alloc(arena, market->job_count, sizeof(double)),
        .pool_use = arena_alloc(arena, market->pool_count, sizeof(double)),
        .member = arena_alloc(arena, market->member_count, sizeof(double)),
    };
    if (v.share == NULL || v.row_part == NULL || v.surplus == NULL || v.pool_use == NULL ||
        v.member == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to check a plan");
    enum status (*const steps[])(struct verifying *, struct fault *) = {
        check_shares, check_pools, check_rows,     check_objective, check_rents,
        check_bound,  check_gap,   check_payments, check_payoffs};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&v, fault);
    if (verdict != NULL)
        *verdict = (struct answer_verdict){.objective = v.objective, .bound = v.bound};
    return status;
}

/* -- Feasibility ------------------------------------------------------------------------------- */

static const struct market_column *column_of(const struct verifying *v, size_t part)
{
    return &v->market->columns[v->answer->part[part].column];
}

/* Each configuration once; no job for more than the round; whole: all or nothing, once. */
static enum status check_shares(struct verifying *v, struct fault *fault)
{
    double *round = v->surplus; /* not needed yet */
    for (size_t i = 0; i < v->answer->part_count; i++) {
        const struct answer_part *part = &v->answer->part[i];
        uint32_t const job = column_of(v, i)->job;
        const char *id = v->instance->job_ids[job];
        if (!(part->share > 0 && part->share <= 1 + TOLERANCE_ANSWER))
            return fault_set(fault, STATUS_CORRUPT,
                             "plan[%zu].share: %g is not above 0 and at "
                             "most 1",
                             i, part->share);
        if (v->share[part->column] != 0)
            return fault_set(fault, STATUS_CORRUPT,
                             "plan[%zu]: '%s' has this configuration already", i, id);
        if (v->answer->whole && (part->share != 1 || round[job] != 0))
            return fault_set(fault, STATUS_CORRUPT,
                             "plan[%zu]: a plan of whole GPUs has one configuration a job, share "
                             "1; '%s' has more, or less",
                             i, id);
        v->share[part->column] = part->share;
        round[job] += part->share;
        if (round[job] > 1 + TOLERANCE_ANSWER)
            return fault_set(fault, STATUS_CORRUPT, "plan[%zu].share: '%s' has %.9g rounds in one",
                             i, id, round[job]);
    }
    return STATUS_OK;
}

static enum status check_pools(struct verifying *v, struct fault *fault)
{
    for (size_t i = 0; i < v->answer->part_count; i++)
        v->pool_use[column_of(v, i)->pool] += v->answer->part[i].share * column_of(v, i)->gpus;
    for (uint32_t p = 0; p < v->market->pool_count; p++)
        if (!nearly_at_most(v->pool_use[p], v->market->pools[p].gpu_count, TOLERANCE_ANSWER))
            return fault_set(fault, STATUS_CORRUPT, "plan: %.9g GPUs of '%s', which has %u",
                             v->pool_use[p], v->instance->pool_ids[p],
                             v->market->pools[p].gpu_count);
    return STATUS_OK;
}

static const char *row_words(const struct verifying *v, uint32_t r, char text[static 256])
{
    static const char *const kinds[MARKET_ROW_KIND_COUNT] = {
        [MARKET_ROW_FOREIGN_GPUS] = "max_foreign_gpus",
        [MARKET_ROW_LINK_BYTES] = "gigabytes_per_round",
        [MARKET_ROW_BUDGET] = "max_credits"};
    const struct market_row *row = &v->market->rows[r];
    bool const pair = row->partner != MARKET_NONE;
    snprintf(text, 256, "%s of '%s'%s%s%s", kinds[row->kind], v->instance->member_ids[row->owner],
             pair ? " to '" : "", pair ? v->instance->member_ids[row->partner] : "",
             pair ? "'" : "");
    return text;
}

static enum status check_rows(struct verifying *v, struct fault *fault)
{
    char words[256];
    for (uint32_t r = 0; r < v->market->row_count; r++) {
        const struct market_row *row = &v->market->rows[r];
        const struct market_entry *entries = v->market->entries + row->first_entry;
        double used = 0;
        for (uint32_t e = 0; e < row->entry_count; e++)
            used += entries[e].coefficient * v->share[entries[e].column];
        if (used > row->limit * (1 + TOLERANCE_ANSWER))
            return fault_set(fault, STATUS_CORRUPT, "plan: %s is %.9g, and the plan uses %.9g",
                             row_words(v, r, words), row->limit, used);
    }
    return STATUS_OK;
}

static enum status check_objective(struct verifying *v, struct fault *fault)
{
    for (size_t i = 0; i < v->answer->part_count; i++)
        v->objective += v->answer->part[i].share * credits_to_double(column_of(v, i)->worth);
    if (!nearly_equal(v->objective, v->answer->objective, TOLERANCE_ANSWER))
        return fault_set(fault, STATUS_CORRUPT, "objective: %.9g, but the plan is worth %.9g",
                         v->answer->objective, v->objective);
    return STATUS_OK;
}

/* -- The bound --------------------------------------------------------------------------------- */

/* Rents are not below 0, and say what prices say. */
static enum status check_rents(struct verifying *v, struct fault *fault)
{
    for (uint32_t p = 0; p < v->market->pool_count; p++) {
        double const cost = price_to_double(v->market->pools[p].cost);
        double const price = v->answer->price[p];
        double const rent = v->answer->pool_rent[p];
        double const slack = PRICE_ROUNDING + 1e-12 * fabs(price);
        v->rounding += slack * v->round_seconds * v->market->pools[p].gpu_count;
        if (price < cost - 2 * slack)
            return fault_set(fault, STATUS_CORRUPT, "prices.%s: %.9g is below the pool's cost %.9g",
                             v->instance->pool_ids[p], price, cost);
        if (v->answer->exact_rents && rent < 0)
            return fault_set(fault, STATUS_CORRUPT, "pool_rents.%s: %.9g is below 0",
                             v->instance->pool_ids[p], rent);
        if (fabs(price - cost - rent / v->round_seconds) > 2 * slack)
            return fault_set(fault, STATUS_CORRUPT,
                             "prices.%s: %.9g is not cost %.9g and rent %.9g over the round",
                             v->instance->pool_ids[p], price, cost, rent);
    }
    if (v->answer->exact_rents)
        v->rounding = 0;
    for (uint32_t r = 0; r < v->market->row_count; r++) {
        const struct market_row *row = &v->market->rows[r];
        const struct market_entry *entries = v->market->entries + row->first_entry;
        for (uint32_t e = 0; e < row->entry_count && v->answer->row_rent[r] > 0; e++)
            v->row_part[entries[e].column] += entries[e].coefficient * v->answer->row_rent[r];
    }
    return STATUS_OK;
}

/* λ_j: the least that makes the rents dual feasible in EVERY column. */
static void price_columns(struct verifying *v)
{
    for (uint32_t j = 0; j < v->market->job_count; j++)
        v->surplus[j] = 0;
    for (uint32_t k = 0; k < v->market->column_count; k++) {
        const struct market_column *column = &v->market->columns[k];
        double const rent = fmax(0, v->answer->pool_rent[column->pool]);
        double const left = credits_to_double(column->worth) - column->gpus * rent - v->row_part[k];
        v->surplus[column->job] = fmax(v->surplus[column->job], left);
    }
}

static enum status check_bound(struct verifying *v, struct fault *fault)
{
    const struct market *market = v->market;
    price_columns(v);
    for (uint32_t j = 0; j < market->job_count; j++)
        v->member[market->jobs[j].home] += v->surplus[j];
    for (uint32_t p = 0; p < market->pool_count; p++)
        v->member[market->pools[p].owner] +=
            fmax(0, v->answer->pool_rent[p]) * market->pools[p].gpu_count;
    for (uint32_t r = 0; r < market->row_count; r++)
        v->member[market->rows[r].owner] += v->answer->row_rent[r] * market->rows[r].limit;
    for (uint32_t i = 0; i < market->member_count; i++)
        v->bound += v->member[i];
    double const stated = v->answer->upper_bound;
    if (v->bound > stated + v->rounding + TOLERANCE_ANSWER * tolerance_scale(v->bound, stated))
        return fault_set(
            fault, STATUS_CORRUPT, "upper_bound: %.9g is not proved; the prices%s prove %.9g",
            stated,
            market->row_count > 0 && !v->answer->has_row_rents ? " (row_rents are not given)" : "",
            v->bound);
    if (!nearly_at_most(v->objective, stated, TOLERANCE_ANSWER))
        return fault_set(fault, STATUS_CORRUPT, "upper_bound: %.9g is below the plan's worth %.9g",
                         stated, v->objective);
    return STATUS_OK;
}

static enum status check_gap(struct verifying *v, struct fault *fault)
{
    const struct answer *answer = v->answer;
    double const gap =
        answer->upper_bound > 0 ? fmax(0, 1 - answer->objective / answer->upper_bound) : 0;
    if (answer->gap >= 0 && fabs(gap - answer->gap) > TOLERANCE_ANSWER)
        return fault_set(fault, STATUS_CORRUPT, "gap: %.9g, but objective and upper_bound say %.9g",
                         answer->gap, gap);
    return STATUS_OK;
}

/* -- Money ------------------------------------------------------------------------------------- */

/* What the pool costs its owner; credits. */
static double cost_of(const struct verifying *v, const struct market_column *column)
{
    double const seconds = (double)market_column_ms(v->market, column) / MS_PER_SECOND;
    return price_to_double(v->market->pools[column->pool].cost) * column->gpus * seconds;
}

/* No home pays more than the job is worth to it, none less than the pool costs. */
static enum status check_payments(struct verifying *v, struct fault *fault)
{
    for (size_t i = 0; i < v->answer->part_count; i++) {
        const struct answer_part *part = &v->answer->part[i];
        double const cost = cost_of(v, column_of(v, i)) * part->share;
        double const most = cost + credits_to_double(column_of(v, i)->worth) * part->share;
        if (part->payment < 0)
            continue;
        if (!nearly_at_most(cost, part->payment, TOLERANCE_ANSWER * 2))
            return fault_set(fault, STATUS_CORRUPT,
                             "plan[%zu].payment: %.9g is below the pool's cost %.9g", i,
                             part->payment, cost);
        if (!nearly_at_most(part->payment, most, TOLERANCE_ANSWER * 2))
            return fault_set(fault, STATUS_CORRUPT,
                             "plan[%zu].payment: %.9g is above what the job is worth there, %.9g",
                             i, part->payment, most);
    }
    return STATUS_OK;
}

/* Payoffs where each payment goes to the pool's owner: where no row has a rent. False: unknown. */
static bool payoffs_of_payments(struct verifying *v)
{
    for (uint32_t r = 0; r < v->market->row_count; r++)
        if (!v->answer->has_row_rents || v->answer->row_rent[r] > 0)
            return false;
    for (uint32_t i = 0; i < v->market->member_count; i++)
        v->member[i] = 0;
    for (size_t i = 0; i < v->answer->part_count; i++) {
        const struct market_column *column = column_of(v, i);
        double const share = v->answer->part[i].share;
        double const cost = cost_of(v, column) * share;
        double const payment = v->answer->part[i].payment;
        if (payment < 0)
            return false;
        v->member[v->market->jobs[column->job].home] +=
            credits_to_double(column->worth) * share + cost - payment;
        v->member[v->market->pools[column->pool].owner] += payment - cost;
    }
    return true;
}

/*
 * Whole GPUs: payoffs add up to the objective, and are what the payments leave. Shares: they add
 * up to the bound and are the rents' dual payoffs, or to the objective.
 */
static enum status check_payoffs(struct verifying *v, struct fault *fault)
{
    const struct answer *answer = v->answer;
    double const scale = tolerance_scale(answer->objective, answer->upper_bound);
    double const off = TOLERANCE_ANSWER * scale + v->rounding +
                       (double)v->market->member_count / MICROS_PER_CREDIT;
    double sum = 0;
    for (uint32_t i = 0; i < v->market->member_count; i++)
        sum += answer->payoff[i];
    bool const of_bound = !answer->whole && fabs(sum - answer->upper_bound) <= off;
    if (!of_bound && fabs(sum - answer->objective) > off)
        return fault_set(fault, STATUS_CORRUPT,
                         "payoffs: they add up to %.9g, not to the objective %.9g", sum,
                         answer->objective);
    if (!of_bound && !payoffs_of_payments(v))
        return STATUS_OK;
    for (uint32_t i = 0; i < v->market->member_count; i++)
        if (fabs(v->member[i] - answer->payoff[i]) > off)
            return fault_set(fault, STATUS_CORRUPT, "payoffs.%s: %.9g, but the %s say %.9g",
                             v->instance->member_ids[i], answer->payoff[i],
                             of_bound ? "prices" : "payments", v->member[i]);
    return STATUS_OK;
}
