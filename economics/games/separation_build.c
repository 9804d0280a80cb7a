/*
 * Separation: the rows and columns of the program, from a market or a production game. Rows are
 * divided by their largest coefficient, so that the program is well scaled.
 */
#include <math.h>

#include "base/tolerance.h"
#include "economics/games/production_internal.h"
#include "economics/games/separation_internal.h"

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_NO_MEMORY, "no memory to look for objections");
}

/* A row in the making. */
struct drafting {
    struct lp_entry *entries;
    uint32_t count;
    double largest;
};

static void draft_add(struct drafting *draft, int32_t column, double value)
{
    if (value == 0.0)
        return;
    draft->entries[draft->count++] = (struct lp_entry){.index = column, .value = value};
    draft->largest = fmax(draft->largest, fabs(value));
}

/* Row <= 0, with whoever owns it on the left. */
static enum status draft_close(struct separation *separation, struct drafting *draft,
                               struct fault *fault)
{
    for (uint32_t e = 0; e < draft->count; e++)
        draft->entries[e].value /= draft->largest;
    enum status status = draft->count == 0 ? STATUS_OK
                                           : lp_add_row(separation->lp, LP_AT_MOST, 0.0,
                                                        draft->entries, draft->count, fault);
    draft->count = 0;
    draft->largest = 0.0;
    return status;
}

static enum status add_columns(struct separation *separation, const double *value, uint32_t count,
                               struct fault *fault)
{
    static const struct lp_bounds part = {0.0, HUGE_VAL};
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < count && status == STATUS_OK; k++)
        status = lp_add_column(separation->lp, value[k] / separation->scale, part, NULL, 0, fault);
    return status;
}

/* y, and 1 <= Σ y <= n − 1. */
static enum status add_players(struct separation *separation, struct drafting *draft,
                               struct fault *fault)
{
    static const struct lp_bounds in_or_out = {0.0, 1.0};
    uint32_t const n = separation->players;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
        status = lp_add_column(separation->lp, 0.0, in_or_out, NULL, 0, fault);
    for (uint32_t i = 0; i < n; i++)
        draft->entries[i] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
    if (status == STATUS_OK)
        status = lp_add_row(separation->lp, LP_AT_LEAST, 1.0, draft->entries, n, fault);
    if (status == STATUS_OK)
        status = lp_add_row(separation->lp, LP_AT_MOST, n - 1.0, draft->entries, n, fault);
    return status;
}

/* --- A production game */

static enum status build_production(struct separation *separation, struct drafting *draft,
                                    struct fault *fault)
{
    const struct production *production = separation->input->production;
    uint32_t const n = separation->players;
    enum status status = add_columns(separation, production->value, production->goods, fault);
    for (uint32_t r = 0; r < production->resources && status == STATUS_OK; r++) {
        for (uint32_t k = 0; k < production->goods; k++)
            draft_add(draft, (int32_t)(n + k), production->use[r * production->goods + k]);
        for (uint32_t i = 0; i < n; i++)
            draft_add(draft, (int32_t)i, -production_owned(production, i, r));
        status = draft_close(separation, draft, fault);
    }
    return status;
}

/* --- A market */

/* Only columns that gain something; what each job's and each pool's are. */
static enum status add_market_columns(struct separation *separation, struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    int32_t next = (int32_t)separation->players;
    enum status status = STATUS_OK;
    for (uint32_t c = 0; c < market->column_count && status == STATUS_OK; c++) {
        double const worth = credits_to_double(market->columns[c].worth);
        separation->column[c] = worth > 0.0 ? next++ : MARKET_NONE;
        if (worth > 0.0)
            status = add_columns(separation, &worth, 1, fault);
    }
    return status;
}

/* Σ x <= y of its home. */
static enum status add_jobs(struct separation *separation, struct drafting *draft,
                            struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    enum status status = STATUS_OK;
    for (uint32_t j = 0; j < market->job_count && status == STATUS_OK; j++) {
        const struct market_job *job = &market->jobs[j];
        for (uint32_t c = job->first_column; c < job->first_column + job->column_count; c++)
            if (separation->column[c] != MARKET_NONE)
                draft_add(draft, separation->column[c], 1.0);
        if (draft->count > 0)
            draft_add(draft, job->home, -1.0);
        status = draft_close(separation, draft, fault);
    }
    return status;
}

static enum status add_pools(struct separation *separation, struct drafting *draft,
                             struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    enum status status = STATUS_OK;
    for (uint32_t p = 0; p < market->pool_count && status == STATUS_OK; p++) {
        for (uint32_t c = 0; c < market->column_count; c++)
            if (market->columns[c].pool == p && separation->column[c] != MARKET_NONE)
                draft_add(draft, separation->column[c], market->columns[c].gpus);
        if (draft->count > 0)
            draft_add(draft, market->pools[p].owner, -(double)market->pools[p].gpu_count);
        status = draft_close(separation, draft, fault);
    }
    return status;
}

static enum status add_limit(struct separation *separation, struct drafting *draft,
                             const struct market_row *row, int32_t member, struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++)
        if (separation->column[market->entries[e].column] != MARKET_NONE)
            draft_add(draft, separation->column[market->entries[e].column],
                      market->entries[e].coefficient);
    if (draft->count > 0)
        draft_add(draft, member, -row->limit);
    return draft_close(separation, draft, fault);
}

static enum status add_limits(struct separation *separation, struct drafting *draft,
                              struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    enum status status = STATUS_OK;
    for (uint32_t r = 0; r < market->row_count && status == STATUS_OK; r++) {
        const struct market_row *row = &market->rows[r];
        status = add_limit(separation, draft, row, row->owner, fault);
        if (status == STATUS_OK && row->partner != MARKET_NONE)
            status = add_limit(separation, draft, row, row->partner, fault);
    }
    return status;
}

static enum status build_market(struct separation *separation, struct drafting *draft,
                                struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    size_t const ties = ((size_t)market->job_count * separation->players + 7) / 8 + 1;
    separation->column =
        arena_alloc(&separation->arena, market->column_count + 1u, sizeof *separation->column);
    separation->tied = arena_alloc(&separation->arena, ties, 1);
    if (separation->column == NULL || separation->tied == NULL)
        return no_memory(fault);
    enum status status = add_market_columns(separation, fault);
    if (status == STATUS_OK)
        status = add_jobs(separation, draft, fault);
    if (status == STATUS_OK)
        status = add_pools(separation, draft, fault);
    return status == STATUS_OK ? add_limits(separation, draft, fault) : status;
}

enum status separation_build(struct separation *separation, struct fault *fault)
{
    const struct instance *instance = separation->input->instance;
    size_t const columns =
        instance != NULL ? instance->market.column_count : separation->input->production->goods;
    struct drafting draft = {.entries =
                                 arena_alloc(&separation->arena, columns + separation->players + 1u,
                                             sizeof *draft.entries)};
    if (draft.entries == NULL)
        return no_memory(fault);
    enum status status = add_players(separation, &draft, fault);
    if (status != STATUS_OK)
        return status;
    return instance != NULL ? build_market(separation, &draft, fault)
                            : build_production(separation, &draft, fault);
}

/* --- A job's part at one host is at most that host's y */

static enum status tie(struct separation *separation, uint32_t job_index, uint32_t first,
                       uint32_t *last, uint32_t *added, struct fault *fault)
{
    const struct market *market = &separation->input->instance->market;
    const struct market_job *job = &market->jobs[job_index];
    struct lp_entry entries[LP_TIE_ENTRIES_MAX];
    uint32_t const end = job->first_column + job->column_count;
    int32_t const owner = market->pools[market->columns[first].pool].owner;
    double part = 0.0;
    uint32_t count = 0;
    uint32_t c = first;
    for (; c < end && market->pools[market->columns[c].pool].owner == owner; c++) {
        if (separation->column[c] == MARKET_NONE || count + 1 >= LP_TIE_ENTRIES_MAX)
            continue;
        entries[count++] = (struct lp_entry){.index = separation->column[c], .value = 1.0};
        part += lp_primal(separation->lp, separation->column[c]);
    }
    *last = c;
    size_t const bit = (size_t)job_index * separation->players + (uint32_t)owner;
    bool const there = (separation->tied[bit / 8] >> (bit % 8) & 1) != 0;
    if (there || owner == job->home || part <= lp_primal(separation->lp, owner) + TOLERANCE_ANSWER)
        return STATUS_OK;
    separation->tied[bit / 8] = (uint8_t)(separation->tied[bit / 8] | 1u << (bit % 8));
    entries[count++] = (struct lp_entry){.index = owner, .value = -1.0};
    (*added)++;
    return lp_add_row(separation->lp, LP_AT_MOST, 0.0, entries, count, fault);
}

enum status separation_tie(struct separation *separation, uint32_t *added, struct fault *fault)
{
    enum status status = STATUS_OK;
    *added = 0;
    if (separation->input->instance == NULL)
        return STATUS_OK;
    const struct market *market = &separation->input->instance->market;
    for (uint32_t j = 0; j < market->job_count && status == STATUS_OK; j++) {
        uint32_t c = market->jobs[j].first_column;
        uint32_t const end = c + market->jobs[j].column_count;
        while (c < end && status == STATUS_OK)
            status = tie(separation, j, c, &c, added, fault);
    }
    return status;
}
