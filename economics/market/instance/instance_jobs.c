/* Jobs and their configurations: from what the draft states to columns, what each is worth. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/instance/instance_internal.h"

#define SECONDS_PER_DAY 86400.0

/* A job's host: stated pair and affinity. */
struct placing {
    const struct building *building;
    const struct draft_job *job;
    uint32_t home; /* of the market */
    uint32_t host;
    const struct instance_pair *pair; /* NULL: nothing is stated, or nothing moves */
    double affinity;
};

struct sorted_job {
    const struct draft_job *job;
    uint32_t home;
};

static int compare_jobs(const void *left, const void *right)
{
    const struct sorted_job *a = left;
    const struct sorted_job *b = right;
    if (a->home != b->home)
        return a->home < b->home ? -1 : 1;
    return strcmp(a->job->id, b->job->id);
}

static int compare_ids(const void *left, const void *right)
{
    const struct sorted_job *a = left;
    const struct sorted_job *b = right;
    int const by_id = strcmp(a->job->id, b->job->id);
    return by_id != 0 ? by_id : (a->job->at > b->job->at) - (a->job->at < b->job->at);
}

/* Ids are unique over all homes. Leaves the jobs sorted by home and id. */
static enum status sort_jobs(const struct building *building, struct sorted_job *jobs,
                             uint32_t count, struct fault *fault)
{
    if (count == 0)
        return STATUS_OK;
    qsort(jobs, count, sizeof *jobs, compare_ids);
    for (uint32_t i = 1; i < count; i++)
        if (strcmp(jobs[i - 1].job->id, jobs[i].job->id) == 0) {
            char text[NAME_BYTES_MAX + 32];
            snprintf(text, sizeof text, "'%s' is there already", jobs[i].job->id);
            return draft_fault(building->draft, "jobs", jobs[i].job->at, "", fault, text);
        }
    qsort(jobs, count, sizeof *jobs, compare_jobs);
    return STATUS_OK;
}

static int64_t micros_of(double credits)
{
    double const most = (double)MARKET_WORTH_MICROS_MAX;
    return (int64_t)llround(fmin(fmax(credits * MICROS_PER_CREDIT, -most), most));
}

/* w and its parts, DESIGN §3. */
static void judge(const struct placing *placing, struct market_column *column)
{
    const struct market *market = &placing->building->instance->market;
    const struct draft_job *job = placing->job;
    double const throughput = (double)column->micro_examples_per_second / 1e6;
    double const round = (double)market->round_ms / MS_PER_SECOND;
    double const examples = fmin(round * throughput, job->work_left);
    column->value.micros = micros_of(placing->affinity * job->value * examples);
    struct credits cost;
    if (!price_amount(market->pools[column->pool].cost, column->gpus, market->round_ms, &cost) ||
        cost.micros > MARKET_WORTH_MICROS_MAX)
        cost.micros = MARKET_WORTH_MICROS_MAX;
    double remaining = job->remaining_seconds;
    if (remaining < 0)
        remaining = throughput > 0 ? job->work_left / throughput : SECONDS_PER_DAY;
    double const bears = round / fmax(round, fmin(remaining, SECONDS_PER_DAY));
    double const moving =
        placing->pair != NULL ? job->gigabytes * placing->pair->cost_per_gigabyte * bears : 0;
    column->worth.micros = column->value.micros - cost.micros - micros_of(moving);
    if (column->worth.micros < -MARKET_WORTH_MICROS_MAX)
        column->worth.micros = -MARKET_WORTH_MICROS_MAX;
    column->price_room = column->value;
    struct price limit;
    struct credits most;
    if (job->price_max > 0 && price_from_double(job->price_max, &limit) &&
        price_amount(limit, column->gpus, market->round_ms, &most) &&
        most.micros < column->price_room.micros)
        column->price_room = most;
    if (column->price_room.micros < cost.micros && column->worth.micros > 0)
        column->worth.micros = 0; /* the price limit is below the pool's cost */
}

static void look_at_host(struct placing *placing, uint32_t host)
{
    placing->host = host;
    placing->pair = building_pair(placing->building, placing->home, host);
    placing->affinity = placing->home == host ? 1 : 0;
    if (placing->pair != NULL && placing->pair->has_affinity)
        placing->affinity = placing->pair->affinity;
    if (placing->home == host)
        placing->pair = NULL; /* nothing moves */
}

/* Columns of a job, but those that affinity or one_node forbids. columns: room for all. */
static uint32_t make_columns(const struct building *building, const struct sorted_job *sorted,
                             uint32_t index, struct market_column *columns)
{
    const struct market_pool *pools = building->instance->market.pools;
    const struct draft_job *job = sorted->job;
    struct placing placing = {
        .building = building, .job = job, .home = sorted->home, .host = UINT32_MAX};
    uint32_t made = 0;
    for (uint32_t i = 0; i < job->count; i++) {
        const struct draft_configuration *from =
            &building->draft->configurations.items[job->first + i];
        uint32_t const pool = building->pool_of[from->pool];
        if ((uint32_t)pools[pool].owner != placing.host)
            look_at_host(&placing, (uint32_t)pools[pool].owner);
        if (placing.affinity == 0 || (job->one_node && from->gpus > pools[pool].gpus_per_node))
            continue;
        struct market_column *column = &columns[made++];
        *column = (struct market_column){.job = index,
                                         .pool = pool,
                                         .gpus = from->gpus,
                                         .micro_examples_per_second =
                                             (int64_t)llround(from->throughput * 1e6)};
        judge(&placing, column);
    }
    return made;
}

static int compare_columns(const void *left, const void *right)
{
    const struct market_column *a = left;
    const struct market_column *b = right;
    if (a->pool != b->pool)
        return a->pool < b->pool ? -1 : 1;
    return (a->gpus > b->gpus) - (a->gpus < b->gpus);
}

/* By pool and GPUs. Files mostly have them so. */
static enum status sort_columns(const struct building *building, const struct draft_job *job,
                                struct market_column *columns, uint32_t count, struct fault *fault)
{
    bool sorted = true;
    for (uint32_t k = 1; k < count && sorted; k++)
        sorted = compare_columns(&columns[k - 1], &columns[k]) < 0;
    if (sorted)
        return STATUS_OK;
    qsort(columns, count, sizeof *columns, compare_columns);
    for (uint32_t k = 1; k < count; k++)
        if (compare_columns(&columns[k - 1], &columns[k]) == 0) {
            char text[DRAFT_ID_BYTES_MAX + 64];
            snprintf(text, sizeof text, "'%s' with %u GPUs is there twice",
                     building->instance->pool_ids[columns[k].pool], columns[k].gpus);
            return draft_fault(building->draft, "jobs", job->at, ".configurations", fault, text);
        }
    return STATUS_OK;
}

static enum status take_job(struct building *building, const struct sorted_job *sorted,
                            uint32_t index, struct fault *fault)
{
    struct market *market = &building->instance->market;
    const struct draft_job *job = sorted->job;
    struct market_job *of = &market->jobs[index];
    *of = (struct market_job){.home = (int32_t)sorted->home,
                              .first_column = market->column_count,
                              .one_node = job->one_node,
                              .held_column = MARKET_NONE};
    snprintf(of->job.text, sizeof of->job.text, "%s", job->id);
    building->instance->job_ids[index] = arena_copy_text(building->arena, job->id, strlen(job->id));
    if (building->instance->job_ids[index] == NULL)
        return draft_no_room(fault);
    building->job_bytes[index] = job->gigabytes * 1e9;
    struct market_column *columns = market->columns + market->column_count;
    of->column_count = make_columns(building, sorted, index, columns);
    market->column_count += of->column_count;
    return sort_columns(building, job, columns, of->column_count, fault);
}

enum status building_jobs(struct building *building, struct fault *fault)
{
    struct draft *draft = building->draft;
    struct market *market = &building->instance->market;
    uint32_t const count = draft->jobs.count;
    struct sorted_job *jobs = arena_alloc(&building->scratch, count, sizeof *jobs);
    building->job_bytes = arena_alloc(&building->scratch, count, sizeof(double));
    building->home_column =
        arena_alloc(&building->scratch, (size_t)market->member_count + 1, sizeof(uint32_t));
    market->jobs = arena_alloc(building->arena, count, sizeof *market->jobs);
    building->instance->job_ids = arena_alloc(building->arena, count, sizeof(char *));
    market->columns =
        arena_alloc(building->arena, draft->configurations.count, sizeof *market->columns);
    if (jobs == NULL || building->job_bytes == NULL || building->home_column == NULL ||
        market->jobs == NULL || building->instance->job_ids == NULL || market->columns == NULL)
        return draft_no_room(fault);
    for (uint32_t i = 0; i < count; i++)
        jobs[i] = (struct sorted_job){.job = &draft->jobs.items[i],
                                      .home = building->member_of[draft->jobs.items[i].home]};
    enum status status = sort_jobs(building, jobs, count, fault);
    for (uint32_t j = 0; j < count && status == STATUS_OK; j++)
        status = take_job(building, &jobs[j], j, fault);
    market->job_count = count;
    for (uint32_t j = 0, home = 0; home <= market->member_count; home++) {
        while (j < count && jobs[j].home < home)
            j++;
        building->home_column[home] =
            j < count && status == STATUS_OK ? market->jobs[j].first_column : market->column_count;
    }
    return status;
}
