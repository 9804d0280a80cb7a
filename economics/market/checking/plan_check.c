/*
 * Plan, checked by code of its own: nothing here is shared with the solver but the structs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/market/checking/checking.h"

/* Doubles that stand for whole nano-credits are exact to this, relatively. */
#define CHECK_EXACT 1e-12

static enum status check_placements(struct checking *c, struct fault *fault);
static enum status check_gpus(struct checking *c, struct fault *fault);
static enum status check_rows(struct checking *c, struct fault *fault);
static enum status check_duals(struct checking *c, struct fault *fault);
static enum status check_shares(struct checking *c, struct fault *fault);
static enum status check_bound(struct checking *c, struct fault *fault);
static enum status check_owen(struct checking *c, struct fault *fault);

static size_t node_total(const struct market *market)
{
    size_t nodes = 0;
    for (uint32_t p = 0; p < market->pool_count; p++)
        nodes += market->pools[p].node_count;
    return nodes;
}

static void free_all(struct checking *c)
{
    free(c->taken);
    free(c->leaving);
    free(c->first_node);
    free(c->placed);
    free(c->row_rent);
    free(c->payoff);
}

enum status plan_check(const struct market *market, const struct plan *plan, struct fault *fault)
{
    enum status status = market_validate(market, fault);
    if (status != STATUS_OK)
        return status;
    size_t const nodes = node_total(market) + 1;
    struct checking c = {
        .market = market,
        .plan = plan,
        .taken = calloc(nodes, sizeof *c.taken),
        .leaving = calloc(nodes, sizeof *c.leaving),
        .first_node = calloc((size_t)market->pool_count + 1, sizeof *c.first_node),
        .placed = calloc((size_t)market->job_count + 1, sizeof *c.placed),
        .row_rent = calloc((size_t)market->column_count + 1, sizeof *c.row_rent),
        .payoff = calloc((size_t)market->member_count + 1, sizeof *c.payoff),
    };
    if (c.taken == NULL || c.leaving == NULL || c.first_node == NULL || c.placed == NULL ||
        c.row_rent == NULL || c.payoff == NULL) {
        free_all(&c);
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to check a plan");
    }
    enum status (*const steps[])(struct checking *, struct fault *) = {
        check_placements, check_gpus, check_rows,      check_duals,      check_shares,
        check_bound,      check_owen, checking_prices, checking_payoffs, checking_epsilon};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&c, fault);
    free_all(&c);
    return status;
}

enum status checking_wrong(struct fault *fault, uint32_t placement, const char *what)
{
    return fault_set(fault, STATUS_CORRUPT, "plan: placements[%u].%s", placement, what);
}

const struct market_column *checking_column(const struct checking *c, uint32_t placement)
{
    return &c->market->columns[c->plan->placements[placement].column];
}

/* -- Feasibility ------------------------------------------------------------------------------- */

static enum status check_placements(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    for (uint32_t j = 0; j < market->job_count; j++)
        c->placed[j] = MARKET_NONE;
    for (uint32_t i = 0; i < c->plan->placement_count; i++) {
        uint32_t const k = c->plan->placements[i].column;
        if (k >= market->column_count)
            return checking_wrong(fault, i, "column: no such column");
        if (i > 0 && c->plan->placements[i - 1].column >= k)
            return checking_wrong(fault, i, "column: not in ascending order");
        if (market->columns[k].worth.micros <= 0)
            return checking_wrong(fault, i, "column: worth nothing");
        int32_t *placed = &c->placed[market->columns[k].job];
        if (*placed != MARKET_NONE)
            return checking_wrong(fault, i, "column: its job has another column already");
        *placed = (int32_t)i;
    }
    return STATUS_OK;
}

static bool same_nodes(const struct plan_placement *placement, const struct market_job *job)
{
    if (placement->node_count != job->held_node_count)
        return false;
    for (uint32_t n = 0; n < placement->node_count; n++)
        if (placement->nodes[n].node != job->held_nodes[n].node ||
            placement->nodes[n].gpus != job->held_nodes[n].gpus)
            return false;
    return true;
}

static void mark_leaving(struct checking *c)
{
    const struct market *market = c->market;
    uint32_t next = 0;
    for (uint32_t p = 0; p < market->pool_count; p++) {
        c->first_node[p] = next;
        next += market->pools[p].node_count;
    }
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        if (job->held_column == MARKET_NONE)
            continue;
        if (c->placed[j] != MARKET_NONE && c->plan->placements[c->placed[j]].renewed)
            continue;
        uint64_t *leaving = c->leaving + c->first_node[market->columns[job->held_column].pool];
        for (uint32_t n = 0; n < job->held_node_count; n++)
            leaving[job->held_nodes[n].node] |= job->held_nodes[n].gpus;
    }
}

static enum status check_nodes(struct checking *c, uint32_t index, struct fault *fault)
{
    const struct plan_placement *placement = &c->plan->placements[index];
    const struct market_column *column = checking_column(c, index);
    const struct market_pool *pool = &c->market->pools[column->pool];
    uint32_t gpus = 0;
    bool waits = false;
    for (uint32_t n = 0; n < placement->node_count; n++) {
        const struct lease_node *node = &placement->nodes[n];
        if (node->node >= pool->node_count || (n > 0 && node[-1].node >= node->node))
            return checking_wrong(fault, index, "nodes: not the pool's nodes in ascending order");
        uint64_t *taken = &c->taken[c->first_node[column->pool] + node->node];
        if ((node->gpus & ~pool->nodes[node->node].gpus) != 0)
            return checking_wrong(fault, index, "nodes: GPUs that the pool does not offer");
        if ((node->gpus & *taken) != 0)
            return checking_wrong(fault, index, "nodes: GPUs that another job has");
        *taken |= node->gpus;
        gpus += (uint32_t)__builtin_popcountll(node->gpus);
        waits |= (node->gpus & c->leaving[c->first_node[column->pool] + node->node]) != 0;
    }
    if (gpus != column->gpus)
        return checking_wrong(fault, index, "nodes: not as many GPUs as the column says");
    if (placement->waits != waits)
        return checking_wrong(fault, index, "waits: not what the GPUs named say");
    return STATUS_OK;
}

static enum status check_gpus(struct checking *c, struct fault *fault)
{
    mark_leaving(c);
    for (uint32_t i = 0; i < c->plan->placement_count; i++) {
        const struct plan_placement *placement = &c->plan->placements[i];
        const struct market_job *job = &c->market->jobs[checking_column(c, i)->job];
        bool const held = job->held_column == (int32_t)placement->column;
        if (placement->renewed != held || (held && !same_nodes(placement, job)))
            return checking_wrong(fault, i,
                                  "renewed: a held column goes with the GPUs held, and only it");
        if (job->one_node && !held && placement->node_count != 1)
            return checking_wrong(fault, i, "nodes: the job needs one node");
        if (placement->node_count > NODES_PER_LEASE_MAX)
            return checking_wrong(fault, i, "nodes: more than a lease can name");
        enum status const status = check_nodes(c, i, fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status check_rows(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        double used = 0;
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            const struct market_entry *entry = &market->entries[e];
            int32_t const placed = c->placed[market->columns[entry->column].job];
            if (placed != MARKET_NONE && c->plan->placements[placed].column == entry->column)
                used += entry->coefficient;
        }
        if (used > row->limit * (1 + 2 * TOLERANCE_LP))
            return fault_set(fault, STATUS_CORRUPT, "plan: rows[%u]: %g used of %g", r, used,
                             row->limit);
    }
    return STATUS_OK;
}

/* -- Duals ------------------------------------------------------------------------------------- */

static bool is_rent(double rent)
{
    return rent >= 0 && isfinite(rent);
}

/* λ_j + n_k μ_p + Σ a_r π_r >= w_jk for EVERY column. */
static enum status check_duals(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    const struct plan *plan = c->plan;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        if (!is_rent(plan->row_rent_credits[r]))
            return fault_set(fault, STATUS_CORRUPT, "plan: row_rent_credits[%u]", r);
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++)
            c->row_rent[market->entries[e].column] +=
                market->entries[e].coefficient * plan->row_rent_credits[r];
    }
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (!is_rent(plan->pool_rent_credits[p]))
            return fault_set(fault, STATUS_CORRUPT, "plan: pool_rent_credits[%u]", p);
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        double const surplus = plan->job_surplus_credits[column->job];
        if (!is_rent(surplus))
            return fault_set(fault, STATUS_CORRUPT, "plan: job_surplus_credits[%u]", column->job);
        double const cover =
            surplus + column->gpus * plan->pool_rent_credits[column->pool] + c->row_rent[k];
        double const worth = credits_to_double(column->worth);
        if (cover < worth - CHECK_EXACT * fmax(fabs(worth), 1e-3))
            return fault_set(fault, STATUS_CORRUPT,
                             "plan: columns[%u] is worth %.9g, above its prices' %.9g", k, worth,
                             cover);
    }
    return STATUS_OK;
}

/* x of the LP: feasible, give or take its tolerance. */
static enum status check_shares(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    double *pools = calloc((size_t)market->pool_count + 1, sizeof *pools);
    if (pools == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to check a plan");
    enum status status = STATUS_OK;
    for (uint32_t j = 0; j < market->job_count && status == STATUS_OK; j++) {
        const struct market_job *job = &market->jobs[j];
        double sum = 0;
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            double const share = c->plan->lp_share[k];
            if (!(share >= 0 && share <= 1))
                status = fault_set(fault, STATUS_CORRUPT, "plan: lp_share[%u]: not 0 to 1", k);
            sum += share;
            pools[market->columns[k].pool] += share * market->columns[k].gpus;
        }
        if (sum > 1 + TOLERANCE_ANSWER)
            status = fault_set(fault, STATUS_CORRUPT, "plan: jobs[%u] has shares above 1", j);
    }
    for (uint32_t p = 0; p < market->pool_count && status == STATUS_OK; p++)
        if (!nearly_at_most(pools[p], market->pools[p].gpu_count, TOLERANCE_ANSWER))
            status = fault_set(fault, STATUS_CORRUPT, "plan: lp_share overfills pools[%u]", p);
    free(pools);
    return status;
}

double checking_lp_worth(const struct checking *c)
{
    double worth = 0;
    for (uint32_t k = 0; k < c->market->column_count; k++)
        worth += c->plan->lp_share[k] * (double)c->market->columns[k].worth.micros;
    return worth / MICROS_PER_CREDIT;
}

/* Σ w <= bound = the duals' sum, rounded down = the LP's optimum, give or take rounding. */
static enum status check_bound(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    const struct plan *plan = c->plan;
    int64_t objective = 0;
    for (uint32_t i = 0; i < plan->placement_count; i++)
        objective += checking_column(c, i)->worth.micros;
    if (objective != plan->objective.micros)
        return fault_set(fault, STATUS_CORRUPT, "plan: objective is not its placements' worth");
    if (plan->objective.micros > plan->bound.micros)
        return fault_set(fault, STATUS_CORRUPT, "plan: objective above bound");
    double dual = 0;
    for (uint32_t j = 0; j < market->job_count; j++)
        dual += plan->job_surplus_credits[j];
    for (uint32_t p = 0; p < market->pool_count; p++)
        dual += market->pools[p].gpu_count * plan->pool_rent_credits[p];
    for (uint32_t r = 0; r < market->row_count; r++)
        dual += market->rows[r].limit * plan->row_rent_credits[r];
    double const bound = credits_to_double(plan->bound);
    if (fabs(dual - bound) > 1.1e-6 + TOLERANCE_LP * fabs(bound))
        return fault_set(fault, STATUS_CORRUPT, "plan: bound %.6f is not the duals' sum %.6f",
                         bound, dual);
    bool const within = nearly_at_most(checking_lp_worth(c), bound, TOLERANCE_ANSWER * 10);
    bool const equal = within && nearly_at_most(bound, checking_lp_worth(c), TOLERANCE_ANSWER * 10);
    if (!within || (plan->lp_optimal && !equal))
        return fault_set(fault, STATUS_CORRUPT,
                         "plan: the LP's shares are worth %.6f, its duals %.6f",
                         checking_lp_worth(c), bound);
    return STATUS_OK;
}

static enum status check_owen(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    const struct plan *plan = c->plan;
    int64_t sum = 0;
    for (uint32_t i = 0; i < market->member_count; i++) {
        double owen = 0;
        for (uint32_t j = 0; j < market->job_count; j++)
            if (market->jobs[j].home == (int32_t)i)
                owen += plan->job_surplus_credits[j];
        for (uint32_t p = 0; p < market->pool_count; p++)
            if (market->pools[p].owner == (int32_t)i)
                owen += market->pools[p].gpu_count * plan->pool_rent_credits[p];
        for (uint32_t r = 0; r < market->row_count; r++)
            if (market->rows[r].owner == (int32_t)i)
                owen += market->rows[r].limit * plan->row_rent_credits[r];
        double const stated = credits_to_double(plan->members[i].owen);
        if (fabs(owen - stated) > 1.1e-6 + TOLERANCE_LP * fabs(owen))
            return fault_set(fault, STATUS_CORRUPT, "plan: members[%u].owen is not its duals' sum",
                             i);
        sum += plan->members[i].owen.micros;
    }
    if (sum != plan->bound.micros)
        return fault_set(fault, STATUS_CORRUPT, "plan: the members' owen do not add up to bound");
    return STATUS_OK;
}
