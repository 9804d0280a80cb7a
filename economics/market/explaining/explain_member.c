#include "economics/market/explaining/explain_member.h"

#include <math.h>
#include <string.h>

/* Gains per GPU are the same within this part of the objective (the solver's own 1e-6 is of it). */
#define SAME_GAIN 2e-6

struct explaining {
    struct draft *draft;
    struct session *session;
    const struct session_options *options;
    struct arena *arena;
    struct explained_member *explained;
    struct trial trial;
    uint32_t member; /* of the instance */
};

static enum status count_jobs(struct explaining *e, struct fault *fault);
static enum status look_at_pools(struct explaining *e, struct fault *fault);
static enum status copy_jobs(struct explaining *e, struct fault *fault);

enum status explain_market_member(struct draft *draft, struct session *session,
                                  const struct session_options *options, const char *id,
                                  struct arena *arena, struct explained_member *explained,
                                  struct fault *fault)
{
    struct explaining e = {.draft = draft,
                           .session = session,
                           .options = options,
                           .arena = arena,
                           .explained = explained};
    *explained = (struct explained_member){0};
    enum status status = trial_open(draft, session, options, &e.trial, fault);
    if (status == STATUS_OK)
        status = trial_find_member(&e.trial.instance, id, &e.member, fault);
    enum status (*const steps[])(struct explaining *, struct fault *) = {count_jobs, look_at_pools,
                                                                         copy_jobs};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&e, fault);
    trial_close(&e.trial);
    return status;
}

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "no memory to explain a member");
}

static enum status count_jobs(struct explaining *e, struct fault *fault)
{
    const struct market *market = &e->trial.instance.market;
    struct explained_member *explained = e->explained;
    const char *id = e->trial.instance.member_ids[e->member];
    explained->member = arena_copy_text(e->arena, id, strlen(id));
    if (explained->member == NULL)
        return no_room(fault);
    explained->payoff = e->trial.outcome.payoff[e->member];
    for (uint32_t j = 0; j < market->job_count; j++)
        explained->jobs += market->jobs[j].home == (int32_t)e->member;
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < e->trial.outcome.part_count; i++) {
        const struct outcome_part *part = &e->trial.outcome.parts[i];
        uint32_t const j = market->columns[part->column].job;
        if (market->jobs[j].home != (int32_t)e->member)
            continue;
        explained->own_jobs += credits_to_double(market->columns[part->column].worth) * part->share;
        explained->placed += j != last;
        last = j;
    }
    return STATUS_OK;
}

/* -- Pools ------------------------------------------------------------------------------------- */

/* The market's worth with so many GPUs in the pool. */
static enum status worth_with(struct explaining *e, struct draft_pool *pool, int64_t change,
                              double *worth, struct fault *fault)
{
    struct trial trial;
    uint32_t const had = pool->gpus;
    pool->gpus = (uint32_t)((int64_t)had + change);
    enum status const status = trial_open(e->draft, e->session, e->options, &trial, fault);
    pool->gpus = had;
    *worth = trial.outcome.objective;
    trial_close(&trial);
    return status;
}

/* More and more GPUs, until each no longer gains what the first one did. */
static enum status find_range(struct explaining *e, struct draft_pool *pool,
                              struct explained_pool *explained, struct fault *fault)
{
    double const base = e->trial.outcome.objective;
    double const same = SAME_GAIN * fmax(1, base);
    uint32_t const most = (uint32_t)NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX;
    enum status status = STATUS_OK;
    explained->holds_up = 1;
    explained->holds_on = true;
    uint32_t more = 2;
    for (int i = 0; i < EXPLAIN_RANGE_MAX && status == STATUS_OK && pool->gpus + more <= most;
         i++) {
        double worth = 0;
        status = worth_with(e, pool, more, &worth, fault);
        explained->holds_on = worth - base >= explained->gain * more - same;
        if (!explained->holds_on)
            break;
        explained->holds_up = more;
        more *= 2;
    }
    return status;
}

static enum status look_at_pool(struct explaining *e, uint32_t p, struct explained_pool *explained,
                                struct fault *fault)
{
    const char *id = e->trial.instance.pool_ids[p];
    struct draft_pool *pool = trial_pool_of(e->draft, id);
    double const base = e->trial.outcome.objective;
    double worth = 0;
    *explained = (struct explained_pool){.pool = arena_copy_text(e->arena, id, strlen(id)),
                                         .gpus = pool->gpus,
                                         .rent = e->trial.outcome.pool_rent[p]};
    if (explained->pool == NULL)
        return no_room(fault);
    for (uint32_t i = 0; i < e->trial.outcome.part_count; i++) {
        const struct outcome_part *part = &e->trial.outcome.parts[i];
        const struct market_column *column = &e->trial.instance.market.columns[part->column];
        if (column->pool == p)
            explained->used += part->share * column->gpus;
    }
    enum status status = worth_with(e, pool, 1, &worth, fault);
    explained->gain = fmax(0, worth - base);
    if (status == STATUS_OK && pool->gpus > 0) {
        status = worth_with(e, pool, -1, &worth, fault);
        explained->loss = fmax(0, base - worth);
    }
    return status == STATUS_OK ? find_range(e, pool, explained, fault) : status;
}

static enum status look_at_pools(struct explaining *e, struct fault *fault)
{
    const struct market *market = &e->trial.instance.market;
    uint32_t count = 0;
    for (uint32_t p = 0; p < market->pool_count; p++)
        count += market->pools[p].owner == (int32_t)e->member;
    e->explained->pools = arena_alloc(e->arena, count, sizeof *e->explained->pools);
    if (e->explained->pools == NULL)
        return no_room(fault);
    enum status status = STATUS_OK;
    for (uint32_t p = 0; p < market->pool_count && status == STATUS_OK; p++)
        if (market->pools[p].owner == (int32_t)e->member)
            status = look_at_pool(e, p, &e->explained->pools[e->explained->pool_count++], fault);
    return status;
}

/* -- Jobs -------------------------------------------------------------------------------------- */

/* The member's jobs with the greatest surplus, the first of equals. */
static uint32_t greatest(const struct explaining *e, uint32_t jobs[static EXPLAIN_JOBS_MAX])
{
    const struct market *market = &e->trial.instance.market;
    const double *surplus = e->trial.outcome.job_surplus;
    uint32_t count = 0;
    for (uint32_t j = 0; j < market->job_count; j++) {
        if (market->jobs[j].home != (int32_t)e->member || surplus[j] <= 0)
            continue;
        if (count == EXPLAIN_JOBS_MAX && surplus[j] <= surplus[jobs[count - 1]])
            continue;
        uint32_t at = count < EXPLAIN_JOBS_MAX ? count++ : count - 1;
        for (; at > 0 && surplus[jobs[at - 1]] < surplus[j]; at--)
            jobs[at] = jobs[at - 1];
        jobs[at] = j;
    }
    return count;
}

static enum status copy_job(struct explaining *e, uint32_t j, struct explained_copy *copy,
                            struct fault *fault)
{
    const char *id = e->trial.instance.job_ids[j];
    struct trial trial;
    struct draft_job another = *trial_job_of(e->draft, id);
    *copy = (struct explained_copy){.job = arena_copy_text(e->arena, id, strlen(id)),
                                    .surplus = e->trial.outcome.job_surplus[j]};
    if (copy->job == NULL)
        return no_room(fault);
    uint32_t const configurations = e->draft->configurations.count;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < another.count && status == STATUS_OK; i++) {
        struct draft_configuration const same = e->draft->configurations.items[another.first + i];
        status = draft_add_configuration(e->draft, &same, fault);
    }
    another.id = "another job like it"; /* no file's name: they hold no spaces in a federation */
    another.first = configurations;
    if (status == STATUS_OK)
        status = draft_add_job(e->draft, &another, fault);
    if (status == STATUS_OK) {
        e->draft->jobs.items[e->draft->jobs.count - 1] = another;
        status = trial_open(e->draft, e->session, e->options, &trial, fault);
        e->draft->jobs.count--;
    }
    e->draft->configurations.count = configurations;
    if (status != STATUS_OK)
        return status;
    copy->gain = fmax(0, trial.outcome.objective - e->trial.outcome.objective);
    trial_close(&trial);
    return STATUS_OK;
}

static enum status copy_jobs(struct explaining *e, struct fault *fault)
{
    uint32_t jobs[EXPLAIN_JOBS_MAX];
    enum status status = STATUS_OK;
    uint32_t const count = greatest(e, jobs);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = copy_job(e, jobs[i], &e->explained->copies[e->explained->copy_count++], fault);
    return status;
}
