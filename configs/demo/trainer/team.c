#include "configs/demo/trainer/team.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/rng.h"

struct worker {
    struct team *team;
    pthread_t thread;
    uint32_t number;
    struct network gradient;
    double loss;
};

struct team {
    const struct dataset *data;
    struct network *weights;
    uint64_t seed;
    struct worker *workers; /* [worker_count] */
    uint32_t worker_count;
    pthread_barrier_t begin;
    pthread_barrier_t end;
    uint32_t *order; /* [data->count], of the present epoch */
    uint64_t epoch;
    /* the present step; written between end and begin */
    uint64_t done;
    uint32_t batch;
    bool closing;
    bool threaded; /* workers 1 and up have threads */
};

static void *work(void *argument);
static void shuffle(struct team *team, uint64_t epoch);
static void learn_share(struct worker *worker);

enum status team_open(struct team **opened, const struct dataset *data, struct network *weights,
                      uint32_t workers, uint64_t seed, struct fault *fault)
{
    assert(workers > 0 && workers <= TEAM_WORKERS_MAX && data->count > 0);
    struct team *team = calloc(1, sizeof *team);
    if (team == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for workers");
    *team = (struct team){.data = data, .weights = weights, .seed = seed};
    team->workers = calloc(workers, sizeof *team->workers);
    team->order = calloc(data->count, sizeof *team->order);
    pthread_barrier_init(&team->begin, NULL, workers);
    pthread_barrier_init(&team->end, NULL, workers);
    enum status status = STATUS_OK;
    if (team->workers == NULL || team->order == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for workers");
    for (uint32_t w = 0; status == STATUS_OK && w < workers; w++) {
        team->workers[w] = (struct worker){.team = team, .number = w};
        status = network_init(&team->workers[w].gradient, weights->hidden, fault);
        team->worker_count = w + 1;
    }
    if (status != STATUS_OK) {
        team_close(team);
        return status;
    }
    team->epoch = UINT64_MAX;
    /* Signals are for the thread that waits in pace_wait. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t w = 1; w < workers; w++)
        if (pthread_create(&team->workers[w].thread, NULL, work, &team->workers[w]) != 0)
            abort(); /* the others wait at a barrier of this many */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    team->threaded = workers > 1;
    *opened = team;
    return STATUS_OK;
}

void team_close(struct team *team)
{
    if (team == NULL)
        return;
    team->closing = true;
    if (team->threaded)
        pthread_barrier_wait(&team->begin);
    for (uint32_t w = 0; w < team->worker_count; w++) {
        if (team->threaded && w > 0)
            pthread_join(team->workers[w].thread, NULL);
        network_fini(&team->workers[w].gradient);
    }
    pthread_barrier_destroy(&team->begin);
    pthread_barrier_destroy(&team->end);
    free(team->workers);
    free(team->order);
    free(team);
}

double team_step(struct team *team, uint64_t done, uint32_t batch, float rate)
{
    /* A batch lies within one epoch's order; the next epoch's begins with the batch that would
     * cross over. */
    uint64_t const epoch = done / team->data->count;
    if (epoch != team->epoch)
        shuffle(team, epoch);
    team->done = done;
    team->batch = batch;
    if (team->threaded)
        pthread_barrier_wait(&team->begin);
    learn_share(&team->workers[0]);
    if (team->threaded)
        pthread_barrier_wait(&team->end);
    double loss = team->workers[0].loss;
    for (uint32_t w = 1; w < team->worker_count; w++) {
        network_add(&team->workers[0].gradient, &team->workers[w].gradient);
        loss += team->workers[w].loss;
    }
    network_step(team->weights, &team->workers[0].gradient, rate / (float)batch);
    return loss / batch;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct team *team = worker->team;
    for (;;) {
        pthread_barrier_wait(&team->begin);
        if (team->closing)
            return NULL;
        learn_share(worker);
        pthread_barrier_wait(&team->end);
    }
}

static void learn_share(struct worker *worker)
{
    const struct team *team = worker->team;
    uint64_t const batch = team->batch;
    uint64_t const first = batch * worker->number / team->worker_count;
    uint64_t const behind = batch * (worker->number + 1) / team->worker_count;
    network_clear(&worker->gradient);
    worker->loss = 0;
    for (uint64_t e = first; e < behind; e++) {
        uint32_t const image = team->order[(team->done + e) % team->data->count];
        worker->loss +=
            network_learn(team->weights, team->data->pixels + (size_t)image * IMAGE_PIXELS,
                          team->data->labels[image], &worker->gradient);
    }
}

/* Fisher and Yates; each epoch has its own stream, so that it can be made without the ones before.
 */
static void shuffle(struct team *team, uint64_t epoch)
{
    struct rng rng;
    rng_init(&rng, team->seed, epoch + 1);
    for (uint32_t i = 0; i < team->data->count; i++)
        team->order[i] = i;
    for (uint32_t i = team->data->count - 1; i > 0; i--) {
        uint32_t const j = (uint32_t)rng_below(&rng, (uint64_t)i + 1);
        uint32_t const kept = team->order[i];
        team->order[i] = team->order[j];
        team->order[j] = kept;
    }
    team->epoch = epoch;
}

double team_accuracy(const struct network *weights, const struct dataset *data)
{
    uint32_t right = 0;
    for (uint32_t i = 0; i < data->count; i++)
        if (network_classify(weights, data->pixels + (size_t)i * IMAGE_PIXELS) == data->labels[i])
            right++;
    return (double)right / data->count;
}
