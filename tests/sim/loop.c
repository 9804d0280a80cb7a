#include "tests/sim/loop.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/worker.h"
#include "proto/rpc/server.h"

enum { FIRED_MAX = 100000 };

struct posted {
    void (*work)(void *context);
    void *context;
    struct posted *next;
};

struct rpc_loop {
    const struct clock *clock;
    struct rpc_timer *timers; /* by due time, then by when they were started */
    struct posted *first;
    struct posted *last;
    bool killed;
};

/* --- the loop */

enum status rpc_loop_open(struct rpc_loop **loop, const struct clock *clock, const struct log *log,
                          struct fault *fault)
{
    struct rpc_loop *made = calloc(1, sizeof *made);
    (void)log;
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a loop");
    made->clock = clock;
    *loop = made;
    return STATUS_OK;
}

void rpc_loop_close(struct rpc_loop *loop)
{
    while (loop->first != NULL) {
        struct posted *posted = loop->first;
        loop->first = posted->next;
        free(posted);
    }
    while (loop->timers != NULL)
        rpc_timer_stop(loop->timers);
    free(loop);
}

static bool work_posted(struct rpc_loop *loop)
{
    struct posted *posted = loop->first;
    if (posted == NULL)
        return false;
    loop->first = posted->next;
    if (loop->first == NULL)
        loop->last = NULL;
    posted->work(posted->context);
    free(posted);
    return true;
}

static bool fire_due(struct rpc_loop *loop)
{
    struct rpc_timer *timer = loop->timers;
    if (timer == NULL || timer->due_boot_ms > clock_boot_ms(loop->clock))
        return false;
    rpc_timer_stop(timer);
    timer->fire(timer->context);
    return true;
}

void sim_loop_run(struct rpc_loop *loop)
{
    for (int fired = 0; !loop->killed && (work_posted(loop) || fire_due(loop)); fired++)
        assert(fired < FIRED_MAX);
}

void sim_loop_kill(struct rpc_loop *loop)
{
    loop->killed = true;
}

enum status rpc_loop_post(struct rpc_loop *loop, void (*work)(void *context), void *context)
{
    struct posted *posted = calloc(1, sizeof *posted);
    if (posted == NULL)
        return STATUS_NO_MEMORY; /* as the real one says */
    *posted = (struct posted){work, context, NULL};
    if (loop->last != NULL)
        loop->last->next = posted;
    else
        loop->first = posted;
    loop->last = posted;
    return STATUS_OK;
}

/* --- timers */

void rpc_timer_start(struct rpc_loop *loop, struct rpc_timer *timer, int64_t delay_ms,
                     void (*fire)(void *context), void *context)
{
    rpc_timer_stop(timer);
    timer->loop = loop;
    timer->due_boot_ms = clock_boot_ms(loop->clock) + (delay_ms > 0 ? delay_ms : 0);
    timer->fire = fire;
    timer->context = context;
    struct rpc_timer **link = &loop->timers;
    while (*link != NULL && (*link)->due_boot_ms <= timer->due_boot_ms)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
}

void rpc_timer_stop(struct rpc_timer *timer)
{
    if (timer->loop == NULL)
        return;
    struct rpc_timer **link = &timer->loop->timers;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    timer->loop = NULL;
    timer->next = NULL;
}

/* --- the worker: its tasks run one after the other, each for a while */

struct worker {
    struct rpc_loop *loop;
    struct worker_task *first;
    struct rpc_timer timer;
};

static void finish_first(void *context)
{
    struct worker *worker = context;
    struct worker_task *task = worker->first;
    worker->first = task->next;
    if (worker->first != NULL)
        rpc_timer_start(worker->loop, &worker->timer, SIM_WORK_MS, finish_first, worker);
    task->work(task->context);
    task->done(task->context);
}

enum status worker_open(struct worker **worker, struct rpc_loop *loop, struct fault *fault)
{
    struct worker *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the worker");
    made->loop = loop;
    *worker = made;
    return STATUS_OK;
}

void worker_submit(struct worker *worker, struct worker_task *task)
{
    struct worker_task **link = &worker->first;
    task->next = NULL;
    while (*link != NULL)
        link = &(*link)->next;
    *link = task;
    if (worker->first == task)
        rpc_timer_start(worker->loop, &worker->timer, SIM_WORK_MS, finish_first, worker);
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    rpc_timer_stop(&worker->timer);
    while (worker->first != NULL && !worker->loop->killed) {
        struct worker_task *task = worker->first;
        worker->first = task->next;
        task->work(task->context);
        if (rpc_loop_post(worker->loop, task->done, task->context) != STATUS_OK)
            abort();
    }
    free(worker);
}

/* --- servers: the simulated network listens instead */

void rpc_server_cancel_member(struct rpc_server *server, const struct name *member)
{
    (void)server;
    (void)member;
}

enum status rpc_server_set_credentials(struct rpc_server *server,
                                       const struct rpc_credentials *credentials,
                                       struct fault *fault)
{
    (void)server;
    (void)credentials;
    return fault_set(fault, STATUS_UNIMPLEMENTED, "no certificates in a simulation");
}
