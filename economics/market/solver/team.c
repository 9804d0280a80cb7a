#include "economics/market/solver/team.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { TEAM_THREADS_MAX = 64 };

struct helper {
    struct team *team;
    pthread_t thread;
    uint32_t worker;
};

struct team {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a run began, or the end */
    pthread_cond_t done; /* a helper has no part left */
    uint64_t run;        /* counts runs, so that a helper knows a new one */
    bool ending;
    team_function *function;
    void *context;
    uint32_t parts;
    uint32_t next_part;
    uint32_t busy; /* helpers in this run */
    uint32_t helper_count;
    struct helper helpers[TEAM_THREADS_MAX];
};

static void *help(void *argument);

enum status team_open(uint32_t threads, struct team **team, struct fault *fault)
{
    assert(threads >= 1 && threads <= TEAM_THREADS_MAX);
    struct team *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a team of threads");
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->work, NULL);
    pthread_cond_init(&made->done, NULL);
    for (uint32_t i = 0; i + 1 < threads; i++) {
        struct helper *helper = &made->helpers[i];
        *helper = (struct helper){.team = made, .worker = i + 1};
        if (pthread_create(&helper->thread, NULL, help, helper) != 0)
            break; /* fewer do it as well */
        made->helper_count++;
    }
    *team = made;
    return STATUS_OK;
}

void team_close(struct team *team)
{
    if (team == NULL)
        return;
    pthread_mutex_lock(&team->lock);
    team->ending = true;
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->lock);
    for (uint32_t i = 0; i < team->helper_count; i++)
        pthread_join(team->helpers[i].thread, NULL);
    pthread_cond_destroy(&team->done);
    pthread_cond_destroy(&team->work);
    pthread_mutex_destroy(&team->lock);
    free(team);
}

uint32_t team_size(const struct team *team)
{
    return team->helper_count + 1;
}

/* The lock is held, and released while a part is done. */
static void do_parts(struct team *team, uint32_t worker)
{
    while (team->next_part < team->parts) {
        uint32_t const part = team->next_part++;
        pthread_mutex_unlock(&team->lock);
        team->function(team->context, part, worker);
        pthread_mutex_lock(&team->lock);
    }
}

static void *help(void *argument)
{
    const struct helper *helper = argument;
    struct team *team = helper->team;
    uint64_t seen = 0;
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (team->run == seen && !team->ending)
            pthread_cond_wait(&team->work, &team->lock);
        if (team->ending)
            break;
        seen = team->run;
        team->busy++;
        do_parts(team, helper->worker);
        if (--team->busy == 0)
            pthread_cond_signal(&team->done);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

void team_run(struct team *team, team_function *function, void *context, uint32_t parts)
{
    if (team->helper_count == 0 || parts <= 1) {
        for (uint32_t part = 0; part < parts; part++)
            function(context, part, 0);
        return;
    }
    pthread_mutex_lock(&team->lock);
    team->function = function;
    team->context = context;
    team->parts = parts;
    team->next_part = 0;
    team->run++;
    pthread_cond_broadcast(&team->work);
    do_parts(team, 0);
    while (team->busy > 0)
        pthread_cond_wait(&team->done, &team->lock);
    pthread_mutex_unlock(&team->lock);
}
