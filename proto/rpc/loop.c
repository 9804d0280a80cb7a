/*
 * Loop: one completion queue, the posts of other threads, the timers, and who comes first.
 *
 * A step = posted work, due timers, then one event of the queue, waited for until the next timer.
 * The C core has no alarm, so other threads wake the queue with an empty batch on a call that goes
 * nowhere (ENGINEERING_NOTES); at most one such batch is under way, so a flood of posts costs one
 * event. Posts are a list under a lock, at most RPC_POSTS_MAX.
 */
#include "proto/rpc/loop_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <grpc/support/time.h>

enum {
    RPC_POSTS_MAX = 65536,      /* work posted and not yet run */
    RPC_WAIT_MS_MAX = 60 * 1000 /* one wait for an event */
};

struct post {
    struct post *next;
    void (*work)(void *context);
    void *context;
};

struct rpc_loop {
    const struct clock *clock;
    const struct log *log;
    grpc_completion_queue *queue;
    struct rpc_timer *timers;
    struct rpc_signals *signals;

    uint32_t turn_events; /* since the queue last ran dry */
    bool pausing;
    uint32_t dry; /* polls in a row that brought nothing, in a pause */
    struct rpc_work *paused;
    struct rpc_work **paused_last;

    struct rpc_barrier barrier; /* needed is NULL: none */
    struct rpc_work *held;      /* waits for the barrier */
    struct rpc_work **held_last;
    uint32_t held_events; /* since the first of them */

    grpc_channel *nowhere; /* carries waker; never connects */
    grpc_call *waker;
    struct rpc_tag wake_tag;

    pthread_mutex_t lock; /* guards the next five */
    struct post *first;
    struct post **last;
    uint32_t posts;
    bool waking; /* an empty batch is under way */
    bool closed;

    atomic_bool stopping;
};

static enum status make_waker(struct rpc_loop *loop, struct fault *fault);
static void on_wake(void *owner, bool ok);
static void wake(struct rpc_loop *loop);
static void run_posted(struct rpc_loop *loop);
static void step(struct rpc_loop *loop, int64_t until_boot_ms);
static gpr_timespec next_deadline(const struct rpc_loop *loop, int64_t until_boot_ms);
static void end_turn(struct rpc_loop *loop);
static void let_out(struct rpc_loop *loop);

/* The usual soft limit of 1024 is used up by as many connections that never finish a handshake. */
static void take_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

enum status rpc_loop_open(struct rpc_loop **out, const struct clock *clock, const struct log *log,
                          struct fault *fault)
{
    rpc_signals_block();
    take_descriptors();
    struct rpc_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the event loop");
    grpc_init();
    rpc_grpc_log_open(log);
    loop->clock = clock;
    loop->log = log;
    loop->last = &loop->first;
    loop->paused_last = &loop->paused;
    loop->held_last = &loop->held;
    pthread_mutex_init(&loop->lock, NULL);
    loop->queue = grpc_completion_queue_create_for_next(NULL);
    enum status status = make_waker(loop, fault);
    if (status != STATUS_OK) {
        rpc_loop_close(loop);
        return status;
    }
    *out = loop;
    return STATUS_OK;
}

void rpc_loop_close(struct rpc_loop *loop)
{
    if (loop == NULL)
        return;
    rpc_signals_close(loop->signals);
    pthread_mutex_lock(&loop->lock);
    loop->closed = true;
    pthread_mutex_unlock(&loop->lock);
    run_posted(loop);
    end_turn(loop);
    let_out(loop);
    if (loop->waker != NULL)
        grpc_call_unref(loop->waker);
    if (loop->nowhere != NULL)
        grpc_channel_destroy(loop->nowhere);
    grpc_completion_queue_shutdown(loop->queue);
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(loop->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            break;
        struct rpc_tag *tag = event.tag;
        tag->done(tag->owner, event.success != 0);
    }
    grpc_completion_queue_destroy(loop->queue);
    while (loop->timers != NULL)
        rpc_timer_stop(loop->timers);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
    grpc_shutdown_blocking();
}

void rpc_loop_run(struct rpc_loop *loop)
{
    while (!atomic_load(&loop->stopping))
        step(loop, INT64_MAX);
    run_posted(loop);
    let_out(loop);
    atomic_store(&loop->stopping, false);
}

void rpc_loop_run_for(struct rpc_loop *loop, int64_t ms)
{
    int64_t until = clock_boot_ms(loop->clock) + ms;
    while (!atomic_load(&loop->stopping) && clock_boot_ms(loop->clock) < until)
        step(loop, until);
    run_posted(loop);
    let_out(loop);
    atomic_store(&loop->stopping, false);
}

bool rpc_loop_run_until(struct rpc_loop *loop, bool (*finished)(const void *context),
                        const void *context, int64_t timeout_ms, bool heed_stop)
{
    int64_t until = timeout_ms < 0 ? INT64_MAX : clock_boot_ms(loop->clock) + timeout_ms;
    while (!finished(context)) {
        if (heed_stop && atomic_load(&loop->stopping))
            return false;
        if (timeout_ms >= 0 && clock_boot_ms(loop->clock) >= until)
            return false;
        step(loop, until);
    }
    return true;
}

void rpc_loop_stop(struct rpc_loop *loop)
{
    atomic_store(&loop->stopping, true);
    pthread_mutex_lock(&loop->lock);
    wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

enum status rpc_loop_post(struct rpc_loop *loop, void (*work)(void *context), void *context)
{
    struct post *post = malloc(sizeof *post);
    if (post == NULL)
        return STATUS_NO_MEMORY;
    *post = (struct post){.work = work, .context = context};
    pthread_mutex_lock(&loop->lock);
    bool refused = loop->closed || loop->posts >= RPC_POSTS_MAX;
    if (!refused) {
        *loop->last = post;
        loop->last = &post->next;
        loop->posts++;
        wake(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    if (!refused)
        return STATUS_OK;
    free(post);
    return STATUS_EXHAUSTED;
}

static enum status make_waker(struct rpc_loop *loop, struct fault *fault)
{
    loop->wake_tag = (struct rpc_tag){.done = on_wake, .owner = loop};
    loop->nowhere = grpc_lame_client_channel_create("wake", GRPC_STATUS_UNAVAILABLE, "wake");
    if (loop->nowhere != NULL)
        loop->waker = grpc_channel_create_call(loop->nowhere, NULL, GRPC_PROPAGATE_DEFAULTS,
                                               loop->queue, grpc_slice_from_static_string("/wake"),
                                               NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    if (loop->waker == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "gRPC could not make the loop's wake-up call");
    return STATUS_OK;
}

/* The caller holds the lock. */
static void wake(struct rpc_loop *loop)
{
    if (loop->waking || loop->closed)
        return;
    loop->waking =
        grpc_call_start_batch(loop->waker, NULL, 0, &loop->wake_tag, NULL) == GRPC_CALL_OK;
}

static void on_wake(void *owner, bool ok)
{
    (void)ok;
    struct rpc_loop *loop = owner;
    pthread_mutex_lock(&loop->lock);
    loop->waking = false;
    pthread_mutex_unlock(&loop->lock);
    run_posted(loop);
}

/* One post at a time, so that work which runs the loop itself leaves no post behind. What is posted
 * meanwhile runs too, up to the bound; the rest has woken the queue again. */
static void run_posted(struct rpc_loop *loop)
{
    for (int i = 0; i < RPC_POSTS_MAX; i++) {
        pthread_mutex_lock(&loop->lock);
        struct post *post = loop->first;
        if (post != NULL) {
            loop->first = post->next;
            if (loop->first == NULL)
                loop->last = &loop->first;
            loop->posts--;
        }
        if (i == RPC_POSTS_MAX - 1 && loop->first != NULL)
            wake(loop);
        pthread_mutex_unlock(&loop->lock);
        if (post == NULL)
            return;
        post->work(post->context);
        free(post);
    }
}

static void step(struct rpc_loop *loop, int64_t until_boot_ms)
{
    /* What a timer did may be what the loop was run for: then don't wait, but look at once. */
    bool fired = rpc_timers_fire(loop);
    gpr_timespec deadline =
        fired ? gpr_inf_past(GPR_CLOCK_MONOTONIC) : next_deadline(loop, until_boot_ms);
    grpc_event event = grpc_completion_queue_next(loop->queue, deadline, NULL);
    if (event.type != GRPC_OP_COMPLETE) {
        let_out(loop);
        /* The first such poll may only take back a kick that an event left behind. */
        if ((!loop->pausing && !fired) || ++loop->dry >= RPC_DRY_POLLS)
            end_turn(loop);
        return;
    }
    struct rpc_tag *tag = event.tag;
    tag->done(tag->owner, event.success != 0);
    loop->dry = 0;
    if (loop->held != NULL && ++loop->held_events >= RPC_HELD_EVENTS_MAX)
        let_out(loop);
    loop->turn_events++;
    if (loop->turn_events >= RPC_EVENTS_PER_PAUSE_MAX)
        end_turn(loop);
    else if (loop->turn_events >= RPC_EVENTS_PER_TURN)
        loop->pausing = true;
}

static gpr_timespec next_deadline(const struct rpc_loop *loop, int64_t until_boot_ms)
{
    /* gRPC rounds a deadline up to its next millisecond; one long past polls once and waits not. */
    if (loop->pausing || loop->held != NULL)
        return gpr_inf_past(GPR_CLOCK_MONOTONIC);
    int64_t now_boot_ms = clock_boot_ms(loop->clock);
    int64_t wait_ms = RPC_WAIT_MS_MAX;
    if (until_boot_ms != INT64_MAX && until_boot_ms - now_boot_ms < wait_ms)
        wait_ms = until_boot_ms - now_boot_ms;
    if (loop->timers != NULL && loop->timers->due_boot_ms - now_boot_ms < wait_ms)
        wait_ms = loop->timers->due_boot_ms - now_boot_ms;
    if (wait_ms < 0)
        wait_ms = 0;
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(wait_ms, GPR_TIMESPAN));
}

void rpc_loop_go_on(struct rpc_loop *loop, struct rpc_work *work)
{
    if (!loop->pausing) {
        work->run(work->owner);
        return;
    }
    work->next = NULL;
    *loop->paused_last = work;
    loop->paused_last = &work->next;
}

static void end_turn(struct rpc_loop *loop)
{
    loop->turn_events = 0;
    loop->pausing = false;
    loop->dry = 0;
    while (loop->paused != NULL) {
        struct rpc_work *work = loop->paused;
        loop->paused = work->next;
        if (loop->paused == NULL)
            loop->paused_last = &loop->paused;
        work->run(work->owner);
    }
}

/* --- the barrier */

void rpc_loop_set_barrier(struct rpc_loop *loop, const struct rpc_barrier *barrier)
{
    assert(loop->barrier.needed == NULL);
    loop->barrier = *barrier;
}

/* Behind what is held already, so that nothing overtakes. */
void rpc_loop_send(struct rpc_loop *loop, struct rpc_work *work)
{
    bool needed = loop->barrier.needed != NULL && loop->barrier.needed(loop->barrier.context);
    if (loop->held == NULL && !needed) {
        work->run(work->owner);
        return;
    }
    work->next = NULL;
    *loop->held_last = work;
    loop->held_last = &work->next;
}

/* What the works hold back in their turn waits for the next time. */
static void let_out(struct rpc_loop *loop)
{
    struct rpc_work *held = loop->held;
    if (held == NULL)
        return;
    loop->barrier.sync(loop->barrier.context);
    loop->held = NULL;
    loop->held_last = &loop->held;
    loop->held_events = 0;
    while (held != NULL) {
        struct rpc_work *work = held;
        held = work->next;
        work->run(work->owner);
    }
}

grpc_completion_queue *rpc_loop_queue(const struct rpc_loop *loop)
{
    return loop->queue;
}

const struct clock *rpc_loop_clock(const struct rpc_loop *loop)
{
    return loop->clock;
}

const struct log *rpc_loop_log(const struct rpc_loop *loop)
{
    return loop->log;
}

struct rpc_signals **rpc_loop_signals(struct rpc_loop *loop)
{
    return &loop->signals;
}

struct rpc_timer **rpc_loop_timers(struct rpc_loop *loop)
{
    return &loop->timers;
}
