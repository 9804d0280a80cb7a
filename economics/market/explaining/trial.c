#include "economics/market/explaining/trial.h"

#include <string.h>

#include "base/nearest.h"

enum status trial_open(struct draft *draft, struct session *session,
                       const struct session_options *options, struct trial *trial,
                       struct fault *fault)
{
    struct outcome_options const welfare = {.session = *options};
    *trial = (struct trial){0};
    arena_init(&trial->arena, (size_t)ARENA_ROUND_BYTES * 4);
    enum status status = instance_build(draft, &trial->arena, &trial->instance, fault);
    if (status == STATUS_OK)
        status = outcome_find(&trial->instance.market, session, &welfare, &trial->arena,
                              &trial->outcome, fault);
    if (status != STATUS_OK)
        trial_close(trial);
    return status;
}

void trial_close(struct trial *trial)
{
    if (trial->arena.limit_bytes > 0)
        arena_fini(&trial->arena);
    *trial = (struct trial){0};
}

static enum status find(const char **ids, uint32_t count, const char *kind, const char *id,
                        uint32_t *index, struct fault *fault)
{
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    nearest_begin(&nearest, id);
    for (*index = 0; *index < count; (*index)++) {
        if (strcmp(ids[*index], id) == 0)
            return STATUS_OK;
        nearest_offer(&nearest, ids[*index]);
    }
    nearest_hint(&nearest, hint);
    return fault_set(fault, STATUS_NOT_FOUND, "the instance has no %s '%s'%s", kind, id, hint);
}

enum status trial_find_job(const struct instance *instance, const char *id, uint32_t *index,
                           struct fault *fault)
{
    return find(instance->job_ids, instance->market.job_count, "job", id, index, fault);
}

enum status trial_find_member(const struct instance *instance, const char *id, uint32_t *index,
                              struct fault *fault)
{
    return find(instance->member_ids, instance->market.member_count, "member", id, index, fault);
}

struct draft_job *trial_job_of(struct draft *draft, const char *id)
{
    for (uint32_t j = 0; j < draft->jobs.count; j++)
        if (strcmp(draft->jobs.items[j].id, id) == 0)
            return &draft->jobs.items[j];
    return NULL;
}

struct draft_pool *trial_pool_of(struct draft *draft, const char *id)
{
    uint32_t number;
    return draft_pool_known(draft, id, &number) ? &draft->pools.items[number] : NULL;
}

double trial_share(const struct trial *trial, uint32_t job)
{
    double share = 0;
    for (uint32_t i = 0; i < trial->outcome.part_count; i++)
        if (trial->instance.market.columns[trial->outcome.parts[i].column].job == job)
            share += trial->outcome.parts[i].share;
    return share;
}

double trial_rent(const struct trial *trial, uint32_t column)
{
    const struct market *market = &trial->instance.market;
    double rent =
        trial->outcome.pool_rent[market->columns[column].pool] * market->columns[column].gpus;
    for (uint32_t r = 0; r < market->row_count; r++) {
        if (trial->outcome.row_rent[r] <= 0)
            continue;
        const struct market_entry *entry = market->entries + market->rows[r].first_entry;
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++)
            if (entry[e].column == column)
                rent += entry[e].coefficient * trial->outcome.row_rent[r];
    }
    return rent;
}

/* -- Changes ----------------------------------------------------------------------------------- */

enum status trial_add_configuration(struct draft *draft, struct draft_job *job,
                                    struct draft_configuration configuration, struct fault *fault)
{
    uint32_t const first = draft->configurations.count;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < job->count && status == STATUS_OK; i++) {
        struct draft_configuration const copy = draft->configurations.items[job->first + i];
        status = draft_add_configuration(draft, &copy, fault);
    }
    if (status == STATUS_OK)
        status = draft_add_configuration(draft, &configuration, fault);
    if (status != STATUS_OK)
        return status;
    job->first = first;
    job->count++;
    return STATUS_OK;
}

void trial_remove_member(struct draft *draft, uint32_t member)
{
    uint32_t kept = 0;
    for (uint32_t p = 0; p < draft->pools.count; p++)
        if (draft->pools.items[p].member == member)
            draft->pools.items[p].gpus = 0;
    for (uint32_t j = 0; j < draft->jobs.count; j++)
        if (draft->jobs.items[j].home != member)
            draft->jobs.items[kept++] = draft->jobs.items[j];
    draft->jobs.count = kept;
}

/* The member's pool of the kind; NULL: none. */
static struct draft_pool *pool_of_kind(struct draft *draft, uint32_t member, const char *gpu)
{
    for (uint32_t p = 0; p < draft->pools.count; p++)
        if (draft->pools.items[p].member == member && strcmp(draft->pools.items[p].gpu, gpu) == 0)
            return &draft->pools.items[p];
    return NULL;
}

static enum status change_pool(struct draft_pool *pool, int64_t gpus, struct fault *fault)
{
    int64_t const after = (int64_t)pool->gpus + gpus;
    if (after < 0 || after > (int64_t)NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX)
        return fault_set(fault, STATUS_INVALID, "'%s' has %u GPUs: %lld can't be added", pool->id,
                         pool->gpus, (long long)gpus);
    pool->gpus = (uint32_t)after;
    return STATUS_OK;
}

/* Each job that runs on a pool of the kind runs on the new one, as on the first such. */
static enum status run_jobs_on(struct draft *draft, uint32_t pool, struct fault *fault)
{
    const char *gpu = draft->pools.items[pool].gpu;
    for (uint32_t j = 0; j < draft->jobs.count; j++) {
        uint32_t like = UINT32_MAX;
        struct draft_job *job = &draft->jobs.items[j];
        uint32_t const first = job->first;
        uint32_t const count = job->count;
        for (uint32_t i = 0; i < count; i++) {
            struct draft_configuration copy = draft->configurations.items[first + i];
            if (strcmp(draft->pools.items[copy.pool].gpu, gpu) != 0)
                continue;
            if (like == UINT32_MAX)
                like = copy.pool;
            if (copy.pool != like)
                continue;
            copy.pool = pool;
            enum status const status = trial_add_configuration(draft, job, copy, fault);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

static enum status welcome(struct draft *draft, uint32_t member, double affinity,
                           struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < draft->members.count && status == STATUS_OK; i++) {
        struct draft_affinity const towards = {.home = i, .host = member, .value = affinity};
        if (i != member)
            status = draft_add_affinity(draft, &towards, fault);
    }
    return status;
}

static enum status new_pool(struct draft *draft, const struct trial_capacity *capacity,
                            uint32_t member, struct fault *fault)
{
    char id[DRAFT_ID_BYTES_MAX + 1];
    if (strlen(capacity->gpu) > NAME_BYTES_MAX || strlen(capacity->member) > NAME_BYTES_MAX)
        return fault_set(fault, STATUS_INVALID, "'%s/%s': a name has at most %d bytes",
                         capacity->member, capacity->gpu, NAME_BYTES_MAX);
    snprintf(id, sizeof id, "%.*s/%.*s", NAME_BYTES_MAX - 1, capacity->member, NAME_BYTES_MAX - 1,
             capacity->gpu);
    struct draft_pool const pool = {.id = id,
                                    .gpu = draft_text(draft, capacity->gpu),
                                    .member = member,
                                    .gpus_per_node = 8,
                                    .cost = capacity->cost};
    uint32_t const number = draft->pools.count;
    if (pool.gpu == NULL)
        return draft_no_room(fault);
    enum status status = draft_add_pool(draft, &pool, fault);
    if (status == STATUS_OK)
        status = change_pool(&draft->pools.items[number], capacity->gpus, fault);
    return status == STATUS_OK ? run_jobs_on(draft, number, fault) : status;
}

enum status trial_change_capacity(struct draft *draft, const struct trial_capacity *capacity,
                                  struct fault *fault)
{
    uint32_t member;
    enum status status = STATUS_OK;
    if (!draft_member_known(draft, capacity->member, &member)) {
        member = draft->members.count;
        status = draft_add_member(draft, capacity->member, 0, fault);
        if (status == STATUS_OK)
            status = welcome(draft, member, capacity->affinity, fault);
    }
    if (status != STATUS_OK)
        return status;
    struct draft_pool *pool = pool_of_kind(draft, member, capacity->gpu);
    return pool != NULL ? change_pool(pool, capacity->gpus, fault)
                        : new_pool(draft, capacity, member, fault);
}
