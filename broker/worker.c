#include "broker/worker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
    struct rpc_loop *loop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct worker_task *first; /* under lock */
    struct worker_task *last;
    bool closing;
};

/* The next task, or NULL when closing with nothing left. */
static struct worker_task *take(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->first == NULL && !worker->closing)
        pthread_cond_wait(&worker->changed, &worker->lock);
    struct worker_task *task = worker->first;
    if (task != NULL)
        worker->first = task->next;
    pthread_mutex_unlock(&worker->lock);
    return task;
}

static void *run(void *context)
{
    struct worker *worker = context;
    for (struct worker_task *task = take(worker); task != NULL; task = take(worker)) {
        task->work(task->context);
        /* A post fails only without memory for a few words: then the daemon can't go on anyhow. */
        if (rpc_loop_post(worker->loop, task->done, task->context) != STATUS_OK)
            abort();
    }
    return NULL;
}

enum status worker_open(struct worker **worker, struct rpc_loop *loop, struct fault *fault)
{
    struct worker *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the worker");
    made->loop = loop;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    if (pthread_create(&made->thread, NULL, run, made) != 0) {
        pthread_cond_destroy(&made->changed);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return fault_set(fault, STATUS_EXHAUSTED, "this machine gives no more threads");
    }
    *worker = made;
    return STATUS_OK;
}

void worker_submit(struct worker *worker, struct worker_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&worker->lock);
    if (worker->first == NULL)
        worker->first = task;
    else
        worker->last->next = task;
    worker->last = task;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->closing = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
