/*
 * Servers, by event simulation: the same network with any of three laws of service times.
 *
 * Events wait in a binary heap by time, then by number, so that one seed gives one run.
 */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "economics/throughput/servers.h"

enum { WARM_UP_SHARE = 10 };

struct event {
    double at;
    uint32_t worker;
    uint32_t station;
};

/* First come, first served; the first is being served. */
struct queue {
    uint32_t *workers; /* [capacity] a ring */
    uint32_t first;
    uint32_t count;
};

struct run {
    const struct server_training *training;
    const struct server_simulation *simulation;
    struct rng rng;
    double normal_mean; /* of the logarithm of a lognormal with mean one */
    double normal_deviation;
    double now;
    struct event *heap; /* [workers]: each worker is in at most one service */
    uint32_t heap_count;
    struct queue queues[STATION_COUNT];
    uint32_t done; /* of this synchronous step */
};

static double service_time(struct run *run, enum server_station station);
static void push_event(struct run *run, struct event event);
static struct event pop_event(struct run *run);

static void start_service(struct run *run, uint32_t worker, enum server_station station)
{
    push_event(run, (struct event){run->now + service_time(run, station), worker, station});
}

static void arrive(struct run *run, uint32_t worker, enum server_station station)
{
    if (station == STATION_COMPUTE) {
        start_service(run, worker, station);
        return;
    }
    struct queue *queue = &run->queues[station];
    queue->workers[(queue->first + queue->count) % run->training->workers] = worker;
    if (queue->count++ == 0)
        start_service(run, worker, station);
}

/* True where the worker's update is done. */
static bool depart(struct run *run, const struct event *event)
{
    enum server_station const station = (enum server_station)event->station;
    if (station != STATION_COMPUTE) {
        struct queue *queue = &run->queues[station];
        queue->first = (queue->first + 1) % run->training->workers;
        if (--queue->count > 0)
            start_service(run, queue->workers[queue->first], station);
    }
    if (station != STATION_SERVER) {
        arrive(run, event->worker, (enum server_station)(station + 1));
        return false;
    }
    if (!run->training->synchronous) {
        arrive(run, event->worker, STATION_DOWNLINK);
        return true;
    }
    if (++run->done == run->training->workers) {
        run->done = 0;
        for (uint32_t w = 0; w < run->training->workers; w++)
            arrive(run, w, STATION_DOWNLINK);
    }
    return true;
}

static double run_all(struct run *run)
{
    uint32_t const workers = run->training->workers;
    /* whole steps, so that a synchronous run is not cut in the middle of one */
    uint64_t const warm_up =
        ((uint64_t)run->simulation->pushes / WARM_UP_SHARE / workers + 1) * workers;
    uint64_t const counted = ((uint64_t)run->simulation->pushes / workers + 1) * workers;
    double started = 0;
    for (uint32_t w = 0; w < workers; w++)
        arrive(run, w, STATION_DOWNLINK);
    for (uint64_t pushes = 0; pushes < warm_up + counted;) {
        struct event const event = pop_event(run);
        run->now = event.at;
        if (!depart(run, &event))
            continue;
        pushes++;
        if (pushes == warm_up)
            started = run->now;
    }
    return (double)counted / (run->now - started);
}

enum status servers_simulate(const struct server_training *training,
                             const struct server_simulation *simulation, double *pushes_per_second,
                             struct fault *fault)
{
    enum status status = servers_check(training, fault);
    if (status != STATUS_OK)
        return status;
    if (simulation->pushes < 1 || simulation->pushes > SERVERS_PUSHES_MAX)
        return fault_set(fault, STATUS_INVALID, "%u pushes: give 1 to %d", simulation->pushes,
                         SERVERS_PUSHES_MAX);
    if (simulation->law == SERVICE_LOGNORMAL &&
        !(simulation->variation > 0 && simulation->variation <= 100))
        return fault_set(fault, STATUS_INVALID,
                         "a lognormal variation of %g: give one above 0, 100 at most",
                         simulation->variation);
    double const log_variance = log1p(simulation->variation * simulation->variation);
    struct run run = {.training = training,
                      .simulation = simulation,
                      .normal_mean = -log_variance / 2,
                      .normal_deviation = sqrt(log_variance)};
    rng_init(&run.rng, simulation->seed, 0);
    run.heap = calloc(training->workers, sizeof *run.heap);
    bool ready = run.heap != NULL;
    for (int s = 0; s < STATION_COUNT; s++) {
        run.queues[s].workers = calloc(training->workers, sizeof(uint32_t));
        ready = ready && run.queues[s].workers != NULL;
    }
    if (ready)
        *pushes_per_second = run_all(&run);
    else
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for %u workers", training->workers);
    free(run.heap);
    for (int s = 0; s < STATION_COUNT; s++)
        free(run.queues[s].workers);
    return status;
}

/* -- Service times ----------------------------------------------------------------------------- */

/* Box & Muller 1958, one of the two. */
static double normal(struct rng *rng)
{
    double const radius = sqrt(-2 * log(1 - rng_unit(rng)));
    return radius * cos(2 * M_PI * rng_unit(rng));
}

static double service_time(struct run *run, enum server_station station)
{
    double const mean = run->training->mean_seconds[station];
    switch (run->simulation->law) {
    case SERVICE_DETERMINISTIC: return mean;
    case SERVICE_LOGNORMAL:
        return mean * exp(run->normal_mean + run->normal_deviation * normal(&run->rng));
    case SERVICE_EXPONENTIAL: break;
    }
    return -mean * log(1 - rng_unit(&run->rng));
}

/* -- Events ------------------------------------------------------------------------------------ */

static bool before(const struct event *a, const struct event *b)
{
    if (a->at < b->at || a->at > b->at)
        return a->at < b->at;
    return a->worker < b->worker;
}

static void swap(struct event *a, struct event *b)
{
    struct event const kept = *a;
    *a = *b;
    *b = kept;
}

static void push_event(struct run *run, struct event event)
{
    uint32_t at = run->heap_count++;
    run->heap[at] = event;
    while (at > 0 && before(&run->heap[at], &run->heap[(at - 1) / 2])) {
        swap(&run->heap[at], &run->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct event pop_event(struct run *run)
{
    struct event const first = run->heap[0];
    run->heap[0] = run->heap[--run->heap_count];
    for (uint32_t at = 0, least;; at = least) {
        least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < run->heap_count; child++)
            if (before(&run->heap[child], &run->heap[least]))
                least = child;
        if (least == at)
            return first;
        swap(&run->heap[at], &run->heap[least]);
    }
}
