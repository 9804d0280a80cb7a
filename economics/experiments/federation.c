#include "economics/experiments/federation.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GPUS_PER_NODE = 8, GANG_SIZES = 3 };

#define SECONDS_PER_HOUR  3600.0
#define ROUND_SECONDS     (FEDERATION_ROUND_MS / 1000.0)
#define MICROS_PER_CREDIT 1e6
#define NANOS_PER_CREDIT  1e9
#define OWN_KIND_PART     0.75 /* of a member's GPUs */
#define FAVOURITE_SPEED   3.0  /* of a favourite kind, at heterogeneity 1 */
#define OTHER_SPEED       0.4  /* of another, at most */

const char *const federation_dimension_names[FEDERATION_DIMENSIONS] = {
    [FEDERATION_COST] = "cost",
    [FEDERATION_VALUE] = "value",
    [FEDERATION_CAPACITY] = "capacity",
    [FEDERATION_AFFINITY] = "affinity",
};

const char *federation_member_name(uint32_t member, char text[static 16])
{
    snprintf(text, 16, "m%02u", member + 1);
    return text;
}

void federation_parameters_of(const struct setting *setting,
                              struct federation_parameters *parameters)
{
    *parameters = (struct federation_parameters){
        .members = setting_count(setting, "members"),
        .kinds = setting_count(setting, "kinds"),
        .gpus = setting_count(setting, "gpus"),
        .load = setting_real(setting, "load"),
        .heterogeneity = setting_real(setting, "heterogeneity"),
        .imbalance = setting_real(setting, "imbalance"),
        .affinity = setting_real(setting, "affinity"),
        .cost = setting_real(setting, "cost"),
    };
}

/* --- the truth */

static void draw_member(const struct federation_parameters *parameters, uint32_t i, struct rng *rng,
                        struct federation_member *member)
{
    uint32_t own = i % parameters->kinds;
    uint32_t main = (uint32_t)(parameters->gpus * OWN_KIND_PART + 0.5);
    *member = (struct federation_member){0};
    if (parameters->kinds == 1)
        main = parameters->gpus;
    member->gpus[own] = main;
    for (uint32_t gpu = main; gpu < parameters->gpus; gpu++)
        member->gpus[(own + 1 + rng_below(rng, parameters->kinds - 1)) % parameters->kinds]++;
    member->cost = parameters->cost / SECONDS_PER_HOUR * (0.5 + rng_unit(rng));
}

/* Values are such that a typical job gains two to eight times the cost of its GPUs. */
static void draw_job(const struct federation_parameters *parameters, uint32_t home,
                     uint32_t favourite, struct rng *rng, struct federation_job *job)
{
    double h = parameters->heterogeneity;
    double cost = fmax(parameters->cost, 0.01) / SECONDS_PER_HOUR;
    *job = (struct federation_job){.home = home};
    job->gpus = 1u << rng_below(rng, GANG_SIZES);
    if (job->gpus > parameters->gpus)
        job->gpus = 1;
    job->value = cost * (2 + 6 * rng_unit(rng) * rng_unit(rng));
    for (uint32_t kind = 0; kind < parameters->kinds; kind++) {
        double match = kind == favourite ? FAVOURITE_SPEED * (0.7 + 0.3 * rng_unit(rng))
                                         : OTHER_SPEED * (0.5 + rng_unit(rng));
        job->speeds[kind] = (1 - h) + h * match;
    }
}

enum status federation_draw(const struct federation_parameters *parameters,
                            const struct experiment_run *run, struct federation *federation,
                            struct fault *fault)
{
    struct rng rng;
    double wanted = parameters->load * parameters->gpus * parameters->members;
    *federation = (struct federation){.parameters = *parameters};
    if (wanted > FEDERATION_JOBS_MAX)
        return fault_set(fault, STATUS_CONFIG, "load: more than %d GPUs are wanted; lower it",
                         FEDERATION_JOBS_MAX);
    federation->jobs = arena_alloc(run->arena, FEDERATION_JOBS_MAX, sizeof *federation->jobs);
    if (federation->jobs == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for jobs");
    experiment_stream(run, "federation", &rng);
    for (uint32_t i = 0; i < parameters->members; i++) {
        struct rng own; /* a stream a member: one more of them leaves the others as they were */
        rng_init(&own, rng_next(&rng), i);
        draw_member(parameters, i, &own, &federation->members[i]);
        uint32_t favourite = (uint32_t)rng_below(&own, parameters->kinds);
        federation->members[i].favourite = favourite;
        double load = parameters->load * (1 + parameters->imbalance * (2 * rng_unit(&own) - 1));
        double left = load * parameters->gpus;
        while (left > 0 && federation->job_count < FEDERATION_JOBS_MAX) {
            struct federation_job *job = &federation->jobs[federation->job_count++];
            draw_job(parameters, i, favourite, &own, job);
            left -= job->gpus;
        }
    }
    return STATUS_OK;
}

void federation_report_truth(struct federation_report *report)
{
    for (uint32_t i = 0; i < FEDERATION_MEMBERS_MAX; i++)
        for (int d = 0; d < FEDERATION_DIMENSIONS; d++)
            report->factors[i][d] = 1;
}

/* --- the market as reported */

struct making {
    const struct federation *federation;
    const struct federation_report *report;
    uint64_t present;
    struct arena *arena;
    struct federation_market *into;
    struct fault *fault;
};

static enum status allocate(struct making *making);
static void add_pools(struct making *making);
static void add_jobs(struct making *making);

static bool is_present(const struct making *making, uint32_t member)
{
    return (making->present >> member & 1) != 0;
}

static uint32_t reported_gpus(const struct making *making, uint32_t member, uint32_t kind)
{
    double factor = making->report->factors[member][FEDERATION_CAPACITY];
    return (uint32_t)floor(making->federation->members[member].gpus[kind] * factor + 1e-9);
}

static void set_name(struct name *name, const char *prefix, uint32_t number)
{
    int length = snprintf(name->text, sizeof name->text, "%s%05u", prefix, number + 1);
    assert(length > 0 && (size_t)length < sizeof name->text);
}

enum status federation_to_market(const struct federation *federation,
                                 const struct federation_report *report, uint64_t present,
                                 struct arena *arena, struct federation_market *market,
                                 struct fault *fault)
{
    struct making making = {.federation = federation,
                            .report = report,
                            .present = present,
                            .arena = arena,
                            .into = market,
                            .fault = fault};
    enum status status = allocate(&making);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < federation->parameters.members; i++) {
        if (!is_present(&making, i))
            continue;
        char name[16];
        struct market_member *member = &market->market.members[market->market.member_count];
        snprintf(member->name.text, sizeof member->name.text, "%s",
                 federation_member_name(i, name));
        market->member_of[market->market.member_count++] = i;
    }
    add_pools(&making);
    add_jobs(&making);
    return market_validate(&market->market, fault);
}

static enum status allocate(struct making *making)
{
    const struct federation_parameters *parameters = &making->federation->parameters;
    struct market *market = &making->into->market;
    struct arena *arena = making->arena;
    size_t pools = (size_t)parameters->members * parameters->kinds;
    size_t jobs = making->federation->job_count;
    *making->into = (struct federation_market){.market = {.round_ms = FEDERATION_ROUND_MS}};
    market->members = arena_alloc(arena, parameters->members, sizeof *market->members);
    market->pools = arena_alloc(arena, pools, sizeof *market->pools);
    market->jobs = arena_alloc(arena, jobs, sizeof *market->jobs);
    market->columns = arena_alloc(arena, jobs * pools, sizeof *market->columns);
    market->rows = arena_alloc(arena, 0, sizeof *market->rows);
    market->entries = arena_alloc(arena, 0, sizeof *market->entries);
    making->into->member_of = arena_alloc(arena, parameters->members, sizeof(uint32_t));
    making->into->kind_of = arena_alloc(arena, pools, sizeof(uint32_t));
    making->into->job_of = arena_alloc(arena, jobs, sizeof(uint32_t));
    if (market->members == NULL || market->pools == NULL || market->jobs == NULL ||
        market->columns == NULL || market->rows == NULL || market->entries == NULL ||
        making->into->member_of == NULL || making->into->kind_of == NULL ||
        making->into->job_of == NULL)
        return fault_set(making->fault, STATUS_NO_MEMORY, "no memory for a market");
    for (size_t p = 0; p < pools; p++) {
        uint32_t nodes = parameters->gpus / GPUS_PER_NODE + 1;
        market->pools[p].nodes = arena_alloc(arena, nodes, sizeof(struct market_node));
        if (market->pools[p].nodes == NULL)
            return fault_set(making->fault, STATUS_NO_MEMORY, "no memory for a market");
    }
    return STATUS_OK;
}

static void add_pools(struct making *making)
{
    const struct federation *federation = making->federation;
    struct market *market = &making->into->market;
    for (uint32_t m = 0; m < market->member_count; m++) {
        uint32_t i = making->into->member_of[m];
        double cost = federation->members[i].cost * making->report->factors[i][FEDERATION_COST];
        for (uint32_t kind = 0; kind < federation->parameters.kinds; kind++) {
            struct market_pool *pool = &market->pools[market->pool_count];
            uint32_t gpus = reported_gpus(making, i, kind);
            if (gpus == 0)
                continue;
            pool->owner = (int32_t)m;
            set_name(&pool->gpu, "gpu", kind);
            pool->gpu_count = gpus;
            pool->gpus_per_node = GPUS_PER_NODE;
            pool->cost = (struct price){.nanos = llround(cost * NANOS_PER_CREDIT)};
            for (uint32_t left = gpus; left > 0; pool->node_count++) {
                uint32_t here = left < GPUS_PER_NODE ? left : GPUS_PER_NODE;
                pool->nodes[pool->node_count].gpus = (UINT64_C(1) << here) - 1;
                left -= here;
            }
            making->into->kind_of[market->pool_count++] = kind;
        }
    }
}

/* Of one job where it runs on one GPU-second: by the truth, but for the factors. */
static double value_rate(const struct federation *federation, const struct federation_job *job,
                         uint32_t host, uint32_t kind, const double *factors)
{
    double affinity =
        host == job->home ? 1 : federation->parameters.affinity * factors[FEDERATION_AFFINITY];
    return affinity * job->value * factors[FEDERATION_VALUE] * job->speeds[kind];
}

static void add_column(struct making *making, const struct federation_job *job, uint32_t p)
{
    struct market *market = &making->into->market;
    const struct market_pool *pool = &market->pools[p];
    uint32_t host = making->into->member_of[pool->owner];
    uint32_t kind = making->into->kind_of[p];
    double gpu_seconds = job->gpus * ROUND_SECONDS;
    double value = gpu_seconds * value_rate(making->federation, job, host, kind,
                                            making->report->factors[job->home]);
    /* cost in whole nanos times whole seconds: exact in integers, so that worth + cost <= value */
    int64_t cost_micros =
        (pool->cost.nanos * (int64_t)job->gpus * (FEDERATION_ROUND_MS / 1000) + 999) / 1000;
    int64_t value_micros = llround(value * MICROS_PER_CREDIT);
    if (value_micros <= cost_micros || job->gpus > pool->gpu_count)
        return;
    market->columns[market->column_count++] = (struct market_column){
        .job = market->job_count,
        .pool = p,
        .gpus = job->gpus,
        .micro_examples_per_second = llround(job->gpus * job->speeds[kind] * 1e6),
        .worth = {.micros = value_micros - cost_micros},
        .value = {.micros = value_micros},
        .price_room = {.micros = value_micros},
    };
}

static void add_jobs(struct making *making)
{
    struct market *market = &making->into->market;
    uint32_t home = 0; /* in the market's numbering */
    for (uint32_t j = 0; j < making->federation->job_count; j++) {
        const struct federation_job *job = &making->federation->jobs[j];
        if (!is_present(making, job->home))
            continue;
        while (making->into->member_of[home] != job->home)
            home++;
        struct market_job *placed = &market->jobs[market->job_count];
        set_name(&placed->job, "job", j);
        placed->home = (int32_t)home;
        placed->first_column = market->column_count;
        placed->held_column = MARKET_NONE;
        for (uint32_t p = 0; p < market->pool_count; p++)
            add_column(making, job, p);
        placed->column_count = market->column_count - placed->first_column;
        making->into->job_of[market->job_count++] = j;
    }
}

/* --- utilities by the truth */

struct use {
    uint32_t spare[FEDERATION_MEMBERS_MAX][FEDERATION_KINDS_MAX]; /* GPUs nobody reported */
    bool placed[FEDERATION_JOBS_MAX];
};

static void add_placement(const struct federation *federation,
                          const struct federation_market *market,
                          const struct plan_placement *placement, struct use *use,
                          double *utilities)
{
    static const double truth[FEDERATION_DIMENSIONS] = {1, 1, 1, 1};
    const struct market_column *column = &market->market.columns[placement->column];
    const struct federation_job *job = &federation->jobs[market->job_of[column->job]];
    uint32_t host = market->member_of[market->market.pools[column->pool].owner];
    uint32_t kind = market->kind_of[column->pool];
    double gpu_seconds = column->gpus * ROUND_SECONDS;
    use->placed[market->job_of[column->job]] = true;
    utilities[job->home] += gpu_seconds * value_rate(federation, job, host, kind, truth);
    utilities[host] -= gpu_seconds * federation->members[host].cost;
    double paid = (double)placement->payment.micros / MICROS_PER_CREDIT;
    double rate = (double)placement->price.nanos;
    utilities[job->home] -= paid;
    for (uint32_t s = 0; s < placement->share_count; s++) {
        double part = rate > 0 ? (double)placement->shares[s].price.nanos / rate : 0;
        utilities[market->member_of[placement->shares[s].member]] += paid * part;
    }
}

/* GPUs kept back run own jobs that the market left out, the most valuable a GPU first. */
static void use_spare(const struct federation *federation, struct use *use, uint32_t member,
                      double *utilities)
{
    static const double truth[FEDERATION_DIMENSIONS] = {1, 1, 1, 1};
    double cost = federation->members[member].cost;
    for (uint32_t kind = 0; kind < federation->parameters.kinds; kind++) {
        for (;;) {
            uint32_t best = federation->job_count;
            double best_rate = cost;
            for (uint32_t j = 0; j < federation->job_count; j++) {
                const struct federation_job *job = &federation->jobs[j];
                if (job->home != member || use->placed[j] || job->gpus > use->spare[member][kind])
                    continue;
                double rate = value_rate(federation, job, member, kind, truth);
                if (rate > best_rate) {
                    best_rate = rate;
                    best = j;
                }
            }
            if (best == federation->job_count)
                break;
            use->placed[best] = true;
            use->spare[member][kind] -= federation->jobs[best].gpus;
            utilities[member] += (best_rate - cost) * federation->jobs[best].gpus * ROUND_SECONDS;
        }
    }
}

void federation_utilities(const struct federation *federation,
                          const struct federation_market *market, const struct plan *plan,
                          const struct split *split, double *utilities)
{
    struct use use = {0};
    uint32_t members = federation->parameters.members;
    memset(utilities, 0, members * sizeof *utilities);
    for (uint32_t i = 0; i < members; i++)
        memcpy(use.spare[i], federation->members[i].gpus, sizeof use.spare[i]);
    for (uint32_t p = 0; p < market->market.pool_count; p++) {
        const struct market_pool *pool = &market->market.pools[p];
        use.spare[market->member_of[pool->owner]][market->kind_of[p]] -= pool->gpu_count;
    }
    for (uint32_t p = 0; p < plan->placement_count; p++)
        add_placement(federation, market, &plan->placements[p], &use, utilities);
    for (uint32_t m = 0; m < market->market.member_count; m++) {
        uint32_t i = market->member_of[m];
        use_spare(federation, &use, i, utilities);
        if (split != NULL && split->paid)
            utilities[i] += (double)split->side[m].micros / MICROS_PER_CREDIT;
    }
}
