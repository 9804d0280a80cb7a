#include "economics/market/solver/answers.h"

#include <math.h>
#include <string.h>

enum { GROUP_JOBS = 1024 };

#define ANSWERS_BYTES_MAX ((size_t)1024 * 1024 * 1024)

/* Parts of a policy row are counted in these; at most COUNTED_MAX of a job. */
#define COUNTED_UNIT 4294967296.0
#define COUNTED_MAX  1e12

static void ask_group(void *context, uint32_t group, uint32_t worker);

static uint32_t group_count(const struct columns *columns)
{
    return (columns->job_count + GROUP_JOBS - 1) / GROUP_JOBS;
}

enum status answers_make(const struct columns *columns, struct team *team, struct answers *answers,
                         struct fault *fault)
{
    *answers = (struct answers){.columns = columns, .team = team, .stride = 1};
    arena_init(&answers->arena, ANSWERS_BYTES_MAX);
    struct arena *arena = &answers->arena;
    answers->best = arena_alloc(arena, columns->job_count, sizeof(uint32_t));
    answers->surplus = arena_alloc(arena, columns->job_count, sizeof(double));
    answers->usage = arena_alloc(arena, columns->resource_count, sizeof(double));
    answers->gpu_price = arena_alloc(arena, columns->pool_count, sizeof(double));
    answers->group_surplus = arena_alloc(arena, group_count(columns), sizeof(double));
    answers->counted = arena_alloc(
        arena, (size_t)team_size(team) * ((size_t)columns->resource_count + 1), sizeof(int64_t));
    if (answers->best == NULL || answers->surplus == NULL || answers->usage == NULL ||
        answers->gpu_price == NULL || answers->group_surplus == NULL || answers->counted == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to ask the jobs");
    return STATUS_OK;
}

void answers_fini(struct answers *answers)
{
    arena_fini(&answers->arena);
}

void answers_ask(struct answers *answers, const double *price, uint32_t stride)
{
    const struct columns *columns = answers->columns;
    uint32_t const resources = columns->resource_count;
    uint32_t const workers = team_size(answers->team);
    uint32_t const groups = group_count(columns);
    answers->price = price;
    answers->stride = stride;
    for (uint32_t p = 0; p < columns->pool_count; p++)
        answers->gpu_price[p] = price[p] * columns->unit[p];
    memset(answers->counted, 0, (size_t)workers * resources * sizeof(int64_t));
    team_run(answers->team, ask_group, answers, groups);
    answers->bound = 0;
    for (uint32_t r = 0; r < resources; r++)
        answers->bound += price[r];
    for (uint32_t g = 0; g < groups; g++)
        answers->bound += answers->group_surplus[g];
    for (uint32_t r = 0; r < resources; r++) {
        int64_t counted = 0;
        for (uint32_t w = 0; w < workers; w++)
            counted += answers->counted[(size_t)w * resources + r];
        double const unit = r < columns->pool_count ? columns->unit[r] : 1 / COUNTED_UNIT;
        answers->usage[r] = (double)counted * unit * stride;
    }
}

static void count(const struct columns *columns, uint32_t k, int64_t *counted)
{
    counted[columns_pool(columns, k)] += columns_gpus(columns, k);
    for (uint32_t e = columns->first_entry[k]; e < columns->first_entry[k + 1]; e++)
        counted[columns->entry_resource[e]] +=
            (int64_t)(fmin(columns->entry_part[e], COUNTED_MAX / COUNTED_UNIT) * COUNTED_UNIT);
}

static void ask_group(void *context, uint32_t group, uint32_t worker)
{
    struct answers *answers = context;
    const struct columns *columns = answers->columns;
    int64_t *counted = answers->counted + (size_t)worker * columns->resource_count;
    uint32_t const begin = group * GROUP_JOBS;
    uint32_t const end =
        begin + GROUP_JOBS < columns->job_count ? begin + GROUP_JOBS : columns->job_count;
    double sum = 0;
    for (uint32_t j = begin; j < end; j += answers->stride) {
        uint32_t best = ANSWERS_IDLE;
        double most = 0;
        for (uint32_t k = columns->first[j]; k < columns->first[j + 1]; k++) {
            double const value = columns_value(columns, k, answers->gpu_price, answers->price);
            if (value > most) {
                most = value;
                best = k;
            }
        }
        answers->best[j] = best;
        answers->surplus[j] = most;
        sum += most;
        if (best != ANSWERS_IDLE)
            count(columns, best, counted);
    }
    answers->group_surplus[group] = sum;
}
