/*
 * Replay: a cluster's trace through the federation's round code on virtual time, against simpler
 * ways of sharing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/elementary.h"
#include "base/file.h"
#include "economics/experiments/replay_policies.h"
#include "economics/experiments/shipped.h"
#include "economics/market/instance/trace.h"

static const char note[] =
    "Jobs of a trace (arrival, GPUs, duration, member) run on a federation of pools\n"
    "of three kinds of GPU, under each policy with the same jobs, GPUs and random\n"
    "numbers. The market is the broker's round code: offers and demands, prediction,\n"
    "LP, whole GPUs, prices, a warm session. Others: no federation, one queue (first\n"
    "come first served), cheapest host, first to admit, heterogeneity-aware max-min.\n"
    "Arrivals are scaled in time so that jobs want `load` of the GPUs; durations are\n"
    "the trace's, on the home's own GPUs. A job's model (how much it gains from\n"
    "faster GPUs) and value are drawn, since traces don't tell.\n"
    "\n"
    "Theory: Jeon et al. (ATC 2019) for the Philly trace; Narayanan et al. (OSDI\n"
    "2020, Gavel) for speeds by kind and max-min; Jain, Chiu, Hawe (1984).\n"
    "\n"
    "Expected picture: everything beats standing alone in waiting; the market has\n"
    "the highest surplus, since it places what gains most on what is scarce; max-min\n"
    "is fairest in attained service and moves jobs most.";

static const char *const sources[] = {"drawn", "philly", NULL};
enum { SOURCE_DRAWN, SOURCE_PHILLY };

static const struct experiment_parameter parameters[] = {
    {"source", PARAMETER_CHOICE, "drawn", 0, 0, sources, "",
     "drawn: arrivals and durations from distributions; philly: from `file`"},
    {"file", PARAMETER_WORD, "-", 0, 0, NULL, "",
     "philly: a job list (timestamp, duration, num_gpus, cluster), or Muri's"},
    {"members", PARAMETER_INTEGER, "6", 1, REPLAY_MEMBERS_MAX, NULL, "",
     "drawn: how many; philly: its largest clusters"},
    {"jobs", PARAMETER_INTEGER, "1000", 1, REPLAY_JOBS_MAX, NULL, "jobs", "the first ones"},
    {"gpus", PARAMETER_INTEGER, "64", 8, REPLAY_GPUS_PER_NODE *REPLAY_NODES_MAX, NULL, "GPUs",
     "of each member"},
    {"load", PARAMETER_REAL, "0.8", 0.05, 5, NULL, "",
     "GPU time wanted / GPU time there is, by scaling arrivals in time"},
    {"round_seconds", PARAMETER_REAL, "600", 1, 86400, NULL, "s", "between decisions"},
    {"restart_seconds", PARAMETER_REAL, "60", 0, 3600, NULL, "s", "lost at each start or move"},
    {"affinity", PARAMETER_REAL, "0.95", 0.01, 1, NULL, "", "to every other member"},
    {"prediction_error", PARAMETER_REAL, "0.1", 0, 2, NULL, "",
     "spread (in logarithms) of predicted around true speed"},
};

static const struct experiment_metric metrics[] = {
    {"completion_mean", "h", "from arrival to end; a subject's: its own jobs", false},
    {"completion_p50", "h", "the median", false},
    {"completion_p99", "h", "99 of 100 are faster", false},
    {"waiting_mean", "h", "from arrival to first start", false},
    {"utilisation", "%", "of all GPUs, until the last job's end", false},
    {"surplus", "credits", "value of training less cost of GPUs; a subject's: after payments",
     false},
    {"paid", "credits", "by a member to others", false},
    {"received", "credits", "by a member from others", false},
    {"jain", "", "Jain's index of members' speed-ups against no federation", false},
    {"worst_gain", "%", "of a member's surplus against no federation, the least", false},
    {"envy", "%", "largest less least of those gains", false},
    {"starts", "", "of a job, moves included, mean", false},
    {"rounds", "", "that decided anything", false},
    {"seconds", "s", "CPU time of all rounds", true},
};

enum { ARRIVAL_TERMS = 12, ROUNDS_MAX = 200000 };

#define SECONDS_PER_HOUR 3600.0
#define COST_PER_HOUR    1.0 /* of a GPU of the slowest kind */
#define COST_LEAST       0.8 /* of members, relative to their kinds' */
#define COST_MOST        1.2
#define VALUE_OVER_COST                                                                            \
    1.5 /* at home at least, at the dearest member's cost: every job pays there */

/* What GPUs of each kind cost, relative: about as clouds price them. */
static const double kind_costs[REPLAY_KINDS] = {1, 2, 3.5};

struct replaying {
    const struct experiment_run *run;
    struct replay_world start; /* as it begins under every policy */
    double completion_none[REPLAY_MEMBERS_MAX];
    double surplus_none[REPLAY_MEMBERS_MAX];
};

static enum status make_jobs(struct replaying *replaying, struct fault *fault);
static enum status make_pools(struct replaying *replaying, struct fault *fault);
static void scale_arrivals(struct replaying *replaying);
static enum status run_policy(struct replaying *replaying, const struct replay_policy *policy,
                              struct fault *fault);
static enum status report(struct replaying *replaying, const struct replay_policy *policy,
                          const struct replay_world *world, struct fault *fault);

static enum status run(const struct experiment_run *run, struct fault *fault)
{
    struct replaying *replaying = arena_alloc(run->arena, 1, sizeof *replaying);
    if (replaying == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a replay");
    replaying->run = run;
    replaying->start.round_seconds = setting_real(run->setting, "round_seconds");
    replaying->start.restart_seconds = setting_real(run->setting, "restart_seconds");
    replaying->start.affinity = setting_real(run->setting, "affinity");
    enum status status = make_jobs(replaying, fault);
    if (status == STATUS_OK)
        status = make_pools(replaying, fault);
    if (status != STATUS_OK)
        return status;
    scale_arrivals(replaying);
    for (size_t p = 0; p < replay_policy_count && status == STATUS_OK; p++)
        status = run_policy(replaying, &replay_policies[p], fault);
    return status;
}

const struct experiment experiment_replay = {
    .name = "replay",
    .title = "a cluster's trace through the broker's round code, against simpler ways of sharing",
    .note = note,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof parameters[0],
    .metrics = metrics,
    .metric_count = sizeof metrics / sizeof metrics[0],
    .baseline = "none",
    .run = run,
};

/* --- jobs */

static int by_arrival(const void *one, const void *other)
{
    const struct replay_job *a = one;
    const struct replay_job *b = other;
    if (a->arrival < b->arrival || a->arrival > b->arrival)
        return a->arrival < b->arrival ? -1 : 1;
    return 0;
}

/* Sizes and durations like those that cluster studies report: most jobs small and short, most GPU
 * time in few long ones. Members' shares are uneven. */
static void draw_jobs(struct replaying *replaying, uint32_t count, struct rng *rng)
{
    static const uint32_t sizes[] = {1, 1, 1, 1, 2, 4, 8, 16};
    struct replay_world *world = &replaying->start;
    double now = 0;
    for (uint32_t j = 0; j < count; j++) {
        double normal = -ARRIVAL_TERMS / 2.0;
        for (int term = 0; term < ARRIVAL_TERMS; term++)
            normal += rng_unit(rng);
        now += -elementary_log(1 - rng_unit(rng));
        double first = rng_unit(rng);
        world->jobs[world->job_count++] = (struct replay_job){
            .home = (uint32_t)(first * first * world->member_count),
            .gpus = sizes[rng_below(rng, sizeof sizes / sizeof sizes[0])],
            .arrival = now,
            .work = elementary_exp(7.5 + 1.6 * normal),
        };
    }
}

struct cluster {
    uint32_t member;
    uint32_t jobs;
};

static int by_jobs(const void *one, const void *other)
{
    const struct cluster *a = one;
    const struct cluster *b = other;
    if (a->jobs != b->jobs)
        return a->jobs > b->jobs ? -1 : 1;
    return a->member < b->member ? -1 : a->member > b->member;
}

/* The clusters with most jobs are the members, in that order. */
static enum status read_jobs(struct replaying *replaying, uint32_t count, struct fault *fault)
{
    const struct setting *setting = replaying->run->setting;
    struct replay_world *world = &replaying->start;
    struct trace_jobs trace;
    char path[FILE_PATH_MAX];
    const char *file = setting_word(setting, "file");
    enum status status = STATUS_OK;
    if (file[0] == '/')
        snprintf(path, sizeof path, "%s", file);
    else
        status = path_join(path, setting->directory, file, fault);
    if (status == STATUS_OK)
        status = trace_philly_jobs(path, world->member_count, replaying->run->arena, &trace, fault);
    if (status != STATUS_OK)
        return status;
    struct cluster *clusters =
        arena_alloc(replaying->run->arena, trace.member_count, sizeof *clusters);
    uint32_t *member = arena_alloc(replaying->run->arena, trace.member_count, sizeof *member);
    if (clusters == NULL || member == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for clusters");
    for (uint32_t m = 0; m < trace.member_count; m++)
        clusters[m].member = m;
    for (uint32_t j = 0; j < trace.job_count; j++)
        clusters[trace.jobs[j].member].jobs++;
    qsort(clusters, trace.member_count, sizeof *clusters, by_jobs);
    for (uint32_t m = 0; m < trace.member_count; m++)
        member[clusters[m].member] = m;
    if (world->member_count > trace.member_count)
        world->member_count = trace.member_count;
    for (uint32_t j = 0; j < trace.job_count && world->job_count < count; j++) {
        const struct trace_job *job = &trace.jobs[j];
        if (member[job->member] >= world->member_count || job->seconds < 1)
            continue;
        world->jobs[world->job_count++] = (struct replay_job){.home = member[job->member],
                                                              .gpus = job->gpus,
                                                              .arrival = job->start,
                                                              .work = job->seconds};
    }
    if (world->job_count == 0)
        return fault_set(fault, STATUS_CONFIG, "%s: no job with GPUs and a duration", path);
    return STATUS_OK;
}

static uint32_t own_kind(uint32_t member)
{
    return member % REPLAY_KINDS;
}

/* What no trace tells: model, value, and how predictions err. `work` comes in seconds at home. */
static void complete_jobs(struct replaying *replaying)
{
    struct replay_world *world = &replaying->start;
    struct rng rng;
    double error = setting_real(replaying->run->setting, "prediction_error");
    uint32_t most = setting_count(replaying->run->setting, "gpus") / REPLAY_GPUS_PER_NODE *
                    REPLAY_GPUS_PER_NODE;
    experiment_stream(replaying->run, "models", &rng);
    qsort(world->jobs, world->job_count, sizeof *world->jobs, by_arrival);
    for (uint32_t j = 0; j < world->job_count; j++) {
        struct replay_job *job = &world->jobs[j];
        job->gpus = job->gpus < most / 2 ? job->gpus : most / 2;
        job->model = (uint32_t)rng_below(&rng, replay_model_count());
        job->value = VALUE_OVER_COST * kind_costs[own_kind(job->home)] * COST_MOST /
                     replay_speed(job->model, own_kind(job->home)) * COST_PER_HOUR /
                     SECONDS_PER_HOUR * (1 + 2.5 * rng_unit(&rng) * rng_unit(&rng));
        /* an owner values a job at no less than what starting it costs, too */
        job->value *= 1 + replaying->start.restart_seconds / fmax(job->work, 1);
        job->work *= job->gpus * replay_speed(job->model, own_kind(job->home));
        job->left = job->work;
        job->began = job->ended = -1;
        job->pool = REPLAY_UNPLACED;
        for (uint32_t kind = 0; kind < REPLAY_KINDS; kind++) {
            double deviation = error * (rng_unit(&rng) + rng_unit(&rng) + rng_unit(&rng) - 1.5) * 2;
            job->told[kind] = replay_speed(job->model, kind) * elementary_exp(deviation);
        }
    }
}

static enum status make_jobs(struct replaying *replaying, struct fault *fault)
{
    const struct setting *setting = replaying->run->setting;
    struct replay_world *world = &replaying->start;
    uint32_t count = setting_count(setting, "jobs");
    struct rng rng;
    world->member_count = setting_count(setting, "members");
    world->jobs = arena_alloc(replaying->run->arena, count, sizeof *world->jobs);
    if (world->jobs == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u jobs", count);
    experiment_stream(replaying->run, "jobs", &rng);
    enum status status = STATUS_OK;
    if (setting_choice(setting, "source") == SOURCE_DRAWN)
        draw_jobs(replaying, count, &rng);
    else
        status = read_jobs(replaying, count, fault);
    if (status == STATUS_OK)
        complete_jobs(replaying);
    return status;
}

/* --- GPUs: three quarters of a member's are of its own kind, the rest of the next one. */

static enum status make_pools(struct replaying *replaying, struct fault *fault)
{
    struct replay_world *world = &replaying->start;
    uint32_t nodes = setting_count(replaying->run->setting, "gpus") / REPLAY_GPUS_PER_NODE;
    struct rng rng;
    experiment_stream(replaying->run, "pools", &rng);
    world->pool_count = world->member_count * REPLAY_KINDS;
    world->pools = arena_alloc(replaying->run->arena, world->pool_count, sizeof *world->pools);
    if (world->pools == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for pools");
    for (uint32_t p = 0; p < world->pool_count; p++) {
        struct replay_pool *pool = &world->pools[p];
        uint32_t member = p / REPLAY_KINDS;
        uint32_t kind = p % REPLAY_KINDS;
        uint32_t own = nodes - nodes / 4;
        pool->owner = member;
        pool->kind = kind;
        pool->node_count = kind == own_kind(member)       ? own
                           : kind == own_kind(member + 1) ? nodes - own
                                                          : 0;
        pool->gpus = pool->node_count * REPLAY_GPUS_PER_NODE;
        pool->cost = COST_PER_HOUR / SECONDS_PER_HOUR * kind_costs[kind] *
                     (COST_LEAST + (COST_MOST - COST_LEAST) * rng_unit(&rng));
        for (uint32_t n = 0; n < pool->node_count; n++)
            pool->free[n] = (UINT64_C(1) << REPLAY_GPUS_PER_NODE) - 1;
    }
    return STATUS_OK;
}

/* Arrivals keep their pattern; the time between them is stretched so that the load is as wanted. */
static void scale_arrivals(struct replaying *replaying)
{
    struct replay_world *world = &replaying->start;
    double wanted = 0;
    double gpus = 0;
    double first = world->jobs[0].arrival;
    double span = fmax(world->jobs[world->job_count - 1].arrival - first, 1e-9);
    for (uint32_t j = 0; j < world->job_count; j++) {
        const struct replay_job *job = &world->jobs[j];
        wanted += job->work / replay_speed(job->model, own_kind(job->home));
    }
    for (uint32_t p = 0; p < world->pool_count; p++)
        gpus += world->pools[p].gpus;
    double stretched = wanted / (gpus * setting_real(replaying->run->setting, "load"));
    for (uint32_t j = 0; j < world->job_count; j++)
        world->jobs[j].arrival = (world->jobs[j].arrival - first) / span * stretched;
}

/* --- one policy */

static enum status run_policy(struct replaying *replaying, const struct replay_policy *policy,
                              struct fault *fault)
{
    const struct experiment_run *run = replaying->run;
    struct arena arena;
    struct replay_world world;
    struct replay_deciding deciding = {.world = &world};
    double began = run->seconds != NULL ? run->seconds() : 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    experiment_stream(run, "policy", &deciding.rng);
    enum status status = replay_world_copy(&replaying->start, &arena, &world, fault);
    uint32_t jobs = replaying->start.job_count;
    struct replay_job *before = arena_alloc(&arena, jobs, sizeof *before);
    deciding.before = before;
    deciding.price = arena_alloc(&arena, jobs, sizeof *deciding.price);
    if (status == STATUS_OK && (before == NULL || deciding.price == NULL))
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for %u jobs", jobs);
    if (status == STATUS_OK)
        status = replay_market_open(&world, &arena, &deciding.market, fault);
    while (status == STATUS_OK && replay_world_begin_round(&world)) {
        for (uint32_t o = 0; o < world.open_count; o++)
            before[world.open[o]] = world.jobs[world.open[o]];
        status = policy->decide(&deciding, fault);
        if (status == STATUS_OK)
            replay_world_end_round(&world, before, deciding.price);
        if (status == STATUS_OK && world.rounds > ROUNDS_MAX)
            status = fault_set(fault, STATUS_EXHAUSTED,
                               "%s: %u jobs are still there after %d rounds; lower the load or the "
                               "prediction error, or lengthen round_seconds",
                               policy->name, world.open_count, ROUNDS_MAX);
    }
    if (status == STATUS_OK && run->seconds != NULL)
        experiment_observe(run, policy->name, "", "seconds", run->seconds() - began);
    if (status == STATUS_OK)
        status = report(replaying, policy, &world, fault);
    replay_market_close(deciding.market);
    arena_fini(&arena);
    return status;
}

/* --- what became of it */

static int by_number(const void *one, const void *other)
{
    double a = *(const double *)one;
    double b = *(const double *)other;
    return (a > b) - (a < b);
}

static void report_times(const struct replaying *replaying, const struct replay_policy *policy,
                         const struct replay_world *world, double *times)
{
    const struct experiment_run *run = replaying->run;
    double sum = 0;
    double waiting = 0;
    double starts = 0;
    double last = 0;
    double busy = 0;
    double gpus = 0;
    for (uint32_t j = 0; j < world->job_count; j++) {
        const struct replay_job *job = &world->jobs[j];
        times[j] = (job->ended - job->arrival) / SECONDS_PER_HOUR;
        sum += times[j];
        waiting += (job->began - job->arrival) / SECONDS_PER_HOUR;
        starts += job->starts;
        last = fmax(last, job->ended);
    }
    for (uint32_t m = 0; m < world->member_count; m++)
        busy += world->tallies[m].busy;
    for (uint32_t p = 0; p < world->pool_count; p++)
        gpus += world->pools[p].gpus;
    qsort(times, world->job_count, sizeof *times, by_number);
    experiment_observe(run, policy->name, "", "completion_mean", sum / world->job_count);
    experiment_observe(run, policy->name, "", "completion_p50", times[world->job_count / 2]);
    experiment_observe(run, policy->name, "", "completion_p99",
                       times[(uint32_t)((world->job_count - 1) * 0.99)]);
    experiment_observe(run, policy->name, "", "waiting_mean", waiting / world->job_count);
    experiment_observe(run, policy->name, "", "starts", starts / world->job_count);
    experiment_observe(run, policy->name, "", "utilisation", 100 * busy / (gpus * last));
    experiment_observe(run, policy->name, "", "rounds", (double)world->rounds);
}

static void report_members(struct replaying *replaying, const struct replay_policy *policy,
                           const struct replay_world *world)
{
    const struct experiment_run *run = replaying->run;
    bool is_none = strcmp(policy->name, "none") == 0;
    double total = 0;
    double ratios = 0;
    double squares = 0;
    double worst = HUGE_VAL;
    double best = -HUGE_VAL;
    for (uint32_t m = 0; m < world->member_count; m++) {
        const struct replay_tally *tally = &world->tallies[m];
        char member[16];
        double sum = 0;
        uint32_t count = 0;
        for (uint32_t j = 0; j < world->job_count; j++) {
            if (world->jobs[j].home != m)
                continue;
            sum += (world->jobs[j].ended - world->jobs[j].arrival) / SECONDS_PER_HOUR;
            count++;
        }
        double completion = count > 0 ? sum / count : (double)NAN;
        double surplus = tally->value - tally->cost + tally->received - tally->paid;
        if (is_none) {
            replaying->completion_none[m] = completion;
            replaying->surplus_none[m] = surplus;
        }
        snprintf(member, sizeof member, "m%02u", m + 1);
        experiment_observe(run, policy->name, member, "completion_mean", completion);
        experiment_observe(run, policy->name, member, "surplus", surplus);
        experiment_observe(run, policy->name, member, "paid", tally->paid);
        experiment_observe(run, policy->name, member, "received", tally->received);
        total += surplus;
        double gain = 100 * (surplus - replaying->surplus_none[m]) /
                      fmax(fabs(replaying->surplus_none[m]), 1e-9);
        worst = fmin(worst, gain);
        best = fmax(best, gain);
        double ratio = count > 0 ? replaying->completion_none[m] / completion : 1;
        ratios += ratio;
        squares += ratio * ratio;
    }
    experiment_observe(run, policy->name, "", "surplus", total);
    experiment_observe(run, policy->name, "", "jain",
                       ratios * ratios / (world->member_count * squares));
    experiment_observe(run, policy->name, "", "worst_gain", worst);
    experiment_observe(run, policy->name, "", "envy", best - worst);
}

static enum status report(struct replaying *replaying, const struct replay_policy *policy,
                          const struct replay_world *world, struct fault *fault)
{
    double *times = calloc(world->job_count, sizeof *times);
    if (times == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u jobs", world->job_count);
    report_times(replaying, policy, world, times);
    report_members(replaying, policy, world);
    free(times);
    return STATUS_OK;
}
