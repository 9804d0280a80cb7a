#include "economics/games/sampling.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "economics/games/controls.h"
#include "economics/games/orders.h"

#define NORMAL_95 1.959963984540054

/* A stop is looked at between rounds: shorter ones where a pair takes long. */
enum { PAIRS_PER_ROUND = 32, PAIRS_PER_LONG_ROUND = 8, LONG_PLAYERS = 64, STOPPED_PAIRS_MIN = 16 };

struct sampling {
    const struct input_game *input;
    const struct sampling_settings *settings;
    uint32_t players;
    uint32_t round_pairs;
    struct controls controls;
    struct observation *round; /* [PAIRS_PER_ROUND × players] */
    uint64_t first_pair;       /* of the round */
    atomic_uint next;          /* in the round */
    bool done;
    pthread_mutex_t gate; /* held until the barrier knows how many threads there are */
    pthread_barrier_t barrier;
    struct regression *regressions; /* [players] */
};

struct sampler {
    struct sampling *sampling;
    struct oracle oracle;
    pthread_t thread;
    uint32_t *order; /* [players] */
    double *gain;    /* [players] a run's contributions */
    double *before;  /* [players] where in the order, 0 to players − 1 */
    enum status status;
    struct fault fault;
};

static enum status reserve(struct sampling *sampling, struct arena *arena, struct fault *fault);
static enum status make_controls(struct sampling *sampling, struct arena *arena, double *total,
                                 struct fault *fault);
static void draw_rounds(struct sampling *sampling, struct sampler *samplers, uint32_t wanted,
                        double total, struct sampled *sampled);
static void conclude(const struct sampling *sampling, double total, struct sampled *sampled);
static void *work(void *argument);
static void draw_round(struct sampler *sampler);

static uint32_t thread_count(uint32_t wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t count = wanted != 0 ? wanted : cores > 0 ? (uint32_t)cores : 1;
    count = count < PAIRS_PER_ROUND ? count : PAIRS_PER_ROUND;
    return count < SAMPLING_THREADS_MAX ? count : SAMPLING_THREADS_MAX;
}

static enum status prepare(struct sampler *samplers, uint32_t count, struct sampling *sampling,
                           struct arena *arena, struct fault *fault)
{
    for (uint32_t t = 0; t < count; t++) {
        samplers[t] = (struct sampler){.sampling = sampling, .status = STATUS_OK};
        samplers[t].order = arena_alloc(arena, sampling->players, sizeof *samplers[t].order);
        samplers[t].gain = arena_alloc(arena, sampling->players, sizeof *samplers[t].gain);
        samplers[t].before = arena_alloc(arena, sampling->players, sizeof *samplers[t].before);
        if (samplers[t].order == NULL || samplers[t].gain == NULL || samplers[t].before == NULL)
            return fault_set(fault, STATUS_EXHAUSTED, "no memory to sample orders");
    }
    return STATUS_OK;
}

enum status sampling_shapley(const struct input_game *input,
                             const struct sampling_settings *settings, struct arena *arena,
                             struct sampled *sampled, struct fault *fault)
{
    struct sampling sampling = {
        .input = input,
        .settings = settings,
        .players = input->game.players,
        .round_pairs = input->game.players > LONG_PLAYERS ? PAIRS_PER_LONG_ROUND : PAIRS_PER_ROUND};
    struct sampler samplers[SAMPLING_THREADS_MAX];
    uint32_t count = thread_count(settings->threads);
    double total = 0.0;
    *sampled = (struct sampled){
        .split = arena_alloc(arena, sampling.players, sizeof *sampled->split),
        .standard_error = arena_alloc(arena, sampling.players, sizeof *sampled->standard_error)};
    if (sampled->split == NULL || sampled->standard_error == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to sample orders");
    if (sampling.players > SAMPLING_PLAYERS_MAX)
        return fault_set(fault, STATUS_INVALID, "%u players: at most %d can be sampled",
                         sampling.players, SAMPLING_PLAYERS_MAX);
    enum status status = reserve(&sampling, arena, fault);
    if (status == STATUS_OK)
        status = prepare(samplers, count, &sampling, arena, fault);
    if (status == STATUS_OK)
        status = make_controls(&sampling, arena, &total, fault);
    if (status != STATUS_OK)
        return status;
    draw_rounds(&sampling, samplers, count, total, sampled);
    for (uint32_t t = 0; t < count; t++)
        if (samplers[t].status != STATUS_OK)
            return fault_set(fault, samplers[t].status, "%s", samplers[t].fault.text);
    return STATUS_OK;
}

static enum status reserve(struct sampling *sampling, struct arena *arena, struct fault *fault)
{
    size_t n = sampling->players;
    sampling->round = arena_alloc(arena, PAIRS_PER_ROUND * n, sizeof *sampling->round);
    sampling->regressions = arena_alloc(arena, n, sizeof *sampling->regressions);
    if (sampling->round == NULL || sampling->regressions == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to sample orders");
    return STATUS_OK;
}

/* --- Pairs of orders ------------------------------------------------------------------------- */

/* v(N) and the controls. */
static enum status make_controls(struct sampling *sampling, struct arena *arena, double *total,
                                 struct fault *fault)
{
    struct oracle oracle;
    enum status status = oracle_open(sampling->input, &oracle, fault);
    for (uint32_t i = 0; i < sampling->players && status == STATUS_OK; i++)
        oracle_set(&oracle, i, true);
    if (status == STATUS_OK)
        status = oracle_worth(&oracle, total, fault);
    if (status == STATUS_OK)
        status = controls_make(&sampling->controls, &oracle, arena, fault);
    oracle_close(&oracle);
    return status;
}

static enum status draw_pair(struct sampler *sampler, uint64_t pair,
                             struct observation *observations)
{
    struct rng rng;
    const struct sampling *sampling = sampler->sampling;
    rng_init(&rng, sampling->settings->seed, pair);
    orders_draw(&rng, sampling->players, sampler->order, sampler->before);
    for (uint32_t i = 0; i < sampling->players; i++)
        sampler->gain[i] = 0.0;
    enum status status =
        orders_gains(&sampler->oracle, sampler->order, sampler->gain, &sampler->fault);
    if (status == STATUS_OK)
        controls_observe(&sampling->controls, sampler->before, sampler->gain, observations);
    return status;
}

static void draw_round(struct sampler *sampler)
{
    struct sampling *sampling = sampler->sampling;
    for (;;) {
        uint32_t k = atomic_fetch_add(&sampling->next, 1);
        if (k >= sampling->round_pairs || sampler->status != STATUS_OK)
            return;
        sampler->status = draw_pair(sampler, sampling->first_pair + k,
                                    sampling->round + (size_t)k * sampling->players);
    }
}

static void *work(void *argument)
{
    struct sampler *sampler = argument;
    pthread_mutex_lock(&sampler->sampling->gate);
    pthread_mutex_unlock(&sampler->sampling->gate);
    sampler->status = oracle_open(sampler->sampling->input, &sampler->oracle, &sampler->fault);
    for (;;) {
        pthread_barrier_wait(&sampler->sampling->barrier); /* a round begins, or all is done */
        if (sampler->sampling->done)
            break;
        draw_round(sampler);
        pthread_barrier_wait(&sampler->sampling->barrier); /* its pairs are drawn */
    }
    oracle_close(&sampler->oracle);
    return NULL;
}

/* --- Rounds ---------------------------------------------------------------------------------- */

static void conclude(const struct sampling *sampling, double total, struct sampled *sampled)
{
    uint32_t n = sampling->players;
    double rest = total;
    double widest = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        regression_estimate(&sampling->regressions[i],
                            sampling->controls.expected + (size_t)i * REGRESSION_CONTROLS,
                            &sampled->split[i], &sampled->standard_error[i]);
        rest -= sampled->split[i];
        widest = fmax(widest, sampled->standard_error[i]);
    }
    for (uint32_t i = 0; i < n; i++)
        sampled->split[i] += rest / n;
    double unit = total != 0.0 ? fabs(total) / n : 1.0;
    sampled->half_width = NORMAL_95 * widest / unit;
    sampled->total = total;
    sampled->reached = sampled->half_width <= sampling->settings->half_width;
}

static void add_round(struct sampling *sampling)
{
    for (uint32_t k = 0; k < sampling->round_pairs; k++)
        for (uint32_t i = 0; i < sampling->players; i++) {
            const struct observation *one = &sampling->round[(size_t)k * sampling->players + i];
            regression_add(&sampling->regressions[i], one->mean, one->control);
        }
    sampling->first_pair += sampling->round_pairs;
}

static bool enough(const struct sampling *sampling, const struct sampled *sampled)
{
    const struct sampling_settings *settings = sampling->settings;
    if (settings->stop != NULL && sampled->pairs >= STOPPED_PAIRS_MIN &&
        settings->stop(settings->context))
        return true;
    if (sampled->pairs < SAMPLING_PAIRS_MIN)
        return false;
    if (settings->half_width > 0.0 && sampled->reached)
        return true;
    return settings->pairs_max != 0 && sampled->pairs >= settings->pairs_max;
}

static bool any_failed(const struct sampler *samplers, uint32_t count)
{
    for (uint32_t t = 0; t < count; t++)
        if (samplers[t].status != STATUS_OK)
            return true;
    return false;
}

/* As many threads as can be had; 0: none, not even the barrier. */
static uint32_t start_threads(struct sampling *sampling, struct sampler *samplers, uint32_t wanted)
{
    uint32_t started = 1;
    pthread_mutex_init(&sampling->gate, NULL);
    pthread_mutex_lock(&sampling->gate);
    while (started < wanted &&
           pthread_create(&samplers[started].thread, NULL, work, &samplers[started]) == 0)
        started++;
    int failed = pthread_barrier_init(&sampling->barrier, NULL, started);
    assert(failed == 0); /* it has no way to fail but a wrong count */
    pthread_mutex_unlock(&sampling->gate);
    return started;
}

/* The calling thread samples too. */
static void draw_rounds(struct sampling *sampling, struct sampler *samplers, uint32_t wanted,
                        double total, struct sampled *sampled)
{
    uint32_t count = start_threads(sampling, samplers, wanted);
    samplers[0].status = oracle_open(sampling->input, &samplers[0].oracle, &samplers[0].fault);
    while (!sampling->done) {
        atomic_store(&sampling->next, 0);
        pthread_barrier_wait(&sampling->barrier);
        draw_round(&samplers[0]);
        pthread_barrier_wait(&sampling->barrier);
        sampling->done = any_failed(samplers, count);
        if (sampling->done)
            break;
        add_round(sampling);
        sampled->pairs = sampling->first_pair;
        conclude(sampling, total, sampled);
        sampling->done = enough(sampling, sampled);
    }
    pthread_barrier_wait(&sampling->barrier);
    for (uint32_t t = 1; t < count; t++)
        pthread_join(samplers[t].thread, NULL);
    oracle_close(&samplers[0].oracle);
    pthread_barrier_destroy(&sampling->barrier);
    pthread_mutex_destroy(&sampling->gate);
}
