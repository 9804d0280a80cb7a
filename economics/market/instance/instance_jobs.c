/* Jobs and their configurations, and the policy rows of an instance. */
#include "economics/market/instance/instance_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_PER_DAY 86400.0
#define VALUE_MAX       1e9
#define THROUGHPUT_MAX  9e9 /* as micro-examples/s it fits 64 bits */

/* A job as in the file. */
struct raw_job {
    const char *id;
    int32_t home;
    double value;
    double work_left;
    double gigabytes;
    double remaining_seconds; /* < 0: not stated */
    double price_max;         /* 0: none */
    bool one_node;
    size_t file_index;
};

static enum status read_job(struct reading *reading, const struct json_place *place,
                            struct raw_job *raw, struct fault *fault)
{
    static const char *const keys[] = {"id",
                                       "home",
                                       "value",
                                       "work_left",
                                       "one_node",
                                       "data_gigabytes",
                                       "price_max",
                                       "remaining_seconds",
                                       "configurations",
                                       NULL};
    raw->work_left = HUGE_VAL;
    raw->remaining_seconds = -1;
    enum status status = json_allow(place, keys, fault);
    if (status == STATUS_OK)
        status = json_get_text(place, "id", true, INSTANCE_NAME_BYTES_MAX, &raw->id, fault);
    if (status == STATUS_OK)
        status = reading_member(reading, place, "home", &raw->home, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "value", true, 0, VALUE_MAX, &raw->value, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "work_left", false, 0, 1e300, &raw->work_left, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "data_gigabytes", false, 0, 1e9, &raw->gigabytes, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "remaining_seconds", false, 0, 1e300,
                                 &raw->remaining_seconds, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "price_max", false, 0, VALUE_MAX, &raw->price_max, fault);
    if (status == STATUS_OK)
        status = json_get_boolean(place, "one_node", false, &raw->one_node, fault);
    return status;
}

static int compare_raw(const void *left, const void *right)
{
    const struct raw_job *a = left;
    const struct raw_job *b = right;
    if (a->home != b->home)
        return a->home < b->home ? -1 : 1;
    int const by_id = strcmp(a->id, b->id);
    return by_id != 0 ? by_id : (a->file_index > b->file_index) - (a->file_index < b->file_index);
}

static enum status grow_columns(struct reading *reading, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    if (market->column_count < reading->column_room)
        return STATUS_OK;
    uint32_t const wider = reading->column_room == 0 ? 1024 : reading->column_room * 2;
    struct market_column *columns = realloc(market->columns, wider * sizeof *columns);
    if (columns != NULL)
        market->columns = columns;
    double *moved = realloc(reading->moved_bytes, wider * sizeof *moved);
    if (moved != NULL)
        reading->moved_bytes = moved;
    if (columns == NULL || moved == NULL)
        return reading_no_room(fault);
    reading->column_room = wider;
    return STATUS_OK;
}

static int64_t micros_of(double credits)
{
    double const most = (double)MARKET_WORTH_MICROS_MAX;
    return (int64_t)llround(fmin(fmax(credits * MICROS_PER_CREDIT, -most), most));
}

/* w and its parts, DESIGN §3. */
static void judge(const struct reading *reading, const struct raw_job *raw,
                  const struct instance_pair *pair, double affinity, struct market_column *column)
{
    const struct market *market = &reading->instance->market;
    double const throughput = (double)column->micro_examples_per_second / 1e6;
    double const round = (double)market->round_ms / MS_PER_SECOND;
    double const examples = fmin(round * throughput, raw->work_left);
    column->value.micros = micros_of(affinity * raw->value * examples);
    struct credits cost;
    if (!price_amount(market->pools[column->pool].cost, column->gpus, market->round_ms, &cost) ||
        cost.micros > MARKET_WORTH_MICROS_MAX)
        cost.micros = MARKET_WORTH_MICROS_MAX;
    double remaining = raw->remaining_seconds;
    if (remaining < 0)
        remaining = throughput > 0 ? raw->work_left / throughput : SECONDS_PER_DAY;
    double const bears = round / fmax(round, fmin(remaining, SECONDS_PER_DAY));
    double const moving = pair != NULL ? raw->gigabytes * pair->cost_per_gigabyte * bears : 0;
    column->worth.micros = column->value.micros - cost.micros - micros_of(moving);
    if (column->worth.micros < -MARKET_WORTH_MICROS_MAX)
        column->worth.micros = -MARKET_WORTH_MICROS_MAX;
    column->price_room = column->value;
    struct price limit;
    struct credits most;
    if (raw->price_max > 0 && price_from_double(raw->price_max, &limit) &&
        price_amount(limit, column->gpus, market->round_ms, &most) &&
        most.micros < column->price_room.micros)
        column->price_room = most;
    if (column->price_room.micros < cost.micros && column->worth.micros > 0)
        column->worth.micros = 0; /* the price limit is below the pool's cost */
}

/* Reads one configuration; it becomes a column unless affinity or one_node forbids it. */
static enum status read_configuration(struct reading *reading, const struct json_place *place,
                                      const struct raw_job *raw, uint32_t job, struct fault *fault)
{
    static const char *const keys[] = {"pool", "gpus", "throughput", NULL};
    struct market *market = &reading->instance->market;
    uint32_t pool = 0;
    int64_t gpus = 0;
    double throughput = 0;
    enum status status = json_allow(place, keys, fault);
    if (status == STATUS_OK)
        status = reading_pool(reading, place, "pool", &pool, fault);
    if (status == STATUS_OK)
        status = json_get_integer(place, "gpus", true, 1, MARKET_GPUS_PER_COLUMN_MAX, &gpus, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "throughput", true, 0, THROUGHPUT_MAX, &throughput, fault);
    if (status != STATUS_OK)
        return status;
    int32_t const host = market->pools[pool].owner;
    const struct instance_pair *pair = reading_pair(reading, raw->home, host);
    double affinity = raw->home == host ? 1 : 0;
    if (pair != NULL && pair->has_affinity)
        affinity = pair->affinity;
    if (affinity == 0 || (raw->one_node && gpus > market->pools[pool].gpus_per_node))
        return STATUS_OK;
    status = grow_columns(reading, fault);
    if (status != STATUS_OK)
        return status;
    struct market_column *column = &market->columns[market->column_count];
    *column =
        (struct market_column){.job = job,
                               .pool = pool,
                               .gpus = (uint32_t)gpus,
                               .micro_examples_per_second = (int64_t)llround(throughput * 1e6)};
    if (raw->home == host)
        pair = NULL; /* nothing moves */
    judge(reading, raw, pair, affinity, column);
    reading->moved_bytes[market->column_count++] = raw->home == host ? 0 : raw->gigabytes * 1e9;
    return STATUS_OK;
}

/* By pool and GPUs, with the bytes each moves: insertion, since a job has tens of columns. */
static enum status sort_columns(struct reading *reading, const struct market_job *job,
                                size_t file_index, struct fault *fault)
{
    struct market_column *columns = reading->instance->market.columns;
    double *moved = reading->moved_bytes;
    for (uint32_t k = job->first_column + 1; k < job->first_column + job->column_count; k++) {
        struct market_column const column = columns[k];
        double const bytes = moved[k];
        uint32_t at = k;
        for (; at > job->first_column; at--) {
            const struct market_column *former = &columns[at - 1];
            if (former->pool == column.pool && former->gpus == column.gpus)
                return fault_set(fault, STATUS_INVALID,
                                 "jobs[%zu].configurations: '%s' with %u GPUs is there twice",
                                 file_index, reading->instance->pool_ids[column.pool], column.gpus);
            if (former->pool < column.pool ||
                (former->pool == column.pool && former->gpus < column.gpus))
                break;
            columns[at] = *former;
            moved[at] = moved[at - 1];
        }
        columns[at] = column;
        moved[at] = bytes;
    }
    return STATUS_OK;
}

static enum status read_configurations(struct reading *reading, const struct json_place *array,
                                       const struct raw_job *raw, uint32_t job, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    struct json_place const place = json_element(array, raw->file_index);
    struct json_place configurations;
    size_t count;
    enum status status =
        json_get_array(&place, "configurations", true, &configurations, &count, fault);
    struct market_job *of = &market->jobs[job];
    *of = (struct market_job){.home = raw->home,
                              .first_column = market->column_count,
                              .one_node = raw->one_node,
                              .held_column = MARKET_NONE};
    snprintf(of->job.text, sizeof of->job.text, "%s", raw->id);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&configurations, i);
        status = read_configuration(reading, &element, raw, job, fault);
    }
    of->column_count = market->column_count - of->first_column;
    return status == STATUS_OK ? sort_columns(reading, of, raw->file_index, fault) : status;
}

static enum status check_ids(struct reading *reading, const struct raw_job *raw, size_t count,
                             struct fault *fault)
{
    struct instance_name *names = malloc((count + 1) * sizeof *names);
    if (names == NULL)
        return reading_no_room(fault);
    for (size_t i = 0; i < count; i++)
        names[i] = (struct instance_name){.text = raw[i].id, .file_index = raw[i].file_index};
    enum status status = reading_sort(names, count, "jobs", fault);
    free(names);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        reading->instance->job_ids[i] =
            arena_copy_text(reading->arena, raw[i].id, strlen(raw[i].id));
        if (reading->instance->job_ids[i] == NULL)
            status = reading_no_room(fault);
    }
    return status;
}

static enum status read_all_jobs(struct reading *reading, const struct json_place *array,
                                 struct raw_job *raw, size_t count, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(array, i);
        raw[i].file_index = i;
        status = read_job(reading, &element, &raw[i], fault);
    }
    if (status != STATUS_OK)
        return status;
    if (count > 0)
        qsort(raw, count, sizeof *raw, compare_raw);
    status = check_ids(reading, raw, count, fault);
    for (uint32_t j = 0; j < count && status == STATUS_OK; j++)
        status = read_configurations(reading, array, &raw[j], j, fault);
    market->job_count = (uint32_t)count;
    return status;
}

/* From malloc'd to the arena, now that the number is known. */
static enum status keep_columns(struct reading *reading, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    struct market_column *grown = market->columns;
    double *moved = reading->moved_bytes;
    market->columns = arena_copy(reading->arena, grown, market->column_count * sizeof *grown);
    reading->moved_bytes = arena_copy(reading->arena, moved, market->column_count * sizeof *moved);
    free(grown);
    free(moved);
    if (market->columns == NULL || reading->moved_bytes == NULL)
        return reading_no_room(fault);
    return STATUS_OK;
}

enum status reading_jobs(struct reading *reading, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    struct json_place array;
    size_t count;
    enum status status = json_get_array(&reading->root, "jobs", false, &array, &count, fault);
    if (status != STATUS_OK)
        return status;
    if (count > MARKET_JOBS_MAX)
        return json_fault(&array, fault, "more than 2000000 jobs");
    struct raw_job *raw = arena_alloc(reading->arena, count, sizeof *raw);
    market->jobs = arena_alloc(reading->arena, count, sizeof *market->jobs);
    reading->instance->job_ids = arena_alloc(reading->arena, count, sizeof(char *));
    if (raw == NULL || market->jobs == NULL || reading->instance->job_ids == NULL)
        return reading_no_room(fault);
    status = read_all_jobs(reading, &array, raw, count, fault);
    enum status const kept = keep_columns(reading, fault);
    return status == STATUS_OK ? kept : status;
}
