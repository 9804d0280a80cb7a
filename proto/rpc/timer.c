/*
 * Timer: a list sorted by due time in the callers' own storage. Starting and stopping cost O(timers
 * started), a few dozen in a daemon; firing O(1) each.
 */
#include "proto/rpc/loop_internal.h"

#include <assert.h>
#include <stddef.h>

void rpc_timer_start(struct rpc_loop *loop, struct rpc_timer *timer, int64_t delay_ms,
                     void (*fire)(void *context), void *context)
{
    assert(delay_ms >= 0 && fire != NULL);
    rpc_timer_stop(timer);
    *timer = (struct rpc_timer){
        .loop = loop,
        .due_boot_ms = clock_boot_ms(rpc_loop_clock(loop)) + delay_ms,
        .fire = fire,
        .context = context,
    };
    struct rpc_timer **at = rpc_loop_timers(loop);
    while (*at != NULL && (*at)->due_boot_ms <= timer->due_boot_ms)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

void rpc_timer_stop(struct rpc_timer *timer)
{
    if (timer->loop == NULL)
        return;
    struct rpc_timer **at = rpc_loop_timers(timer->loop);
    while (*at != timer) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = timer->next;
    timer->loop = NULL;
    timer->next = NULL;
}

bool rpc_timers_fire(struct rpc_loop *loop)
{
    struct rpc_timer **first = rpc_loop_timers(loop);
    if (*first == NULL)
        return false;
    int64_t now_boot_ms = clock_boot_ms(rpc_loop_clock(loop));
    for (int i = 0; i < RPC_TIMERS_PER_STEP_MAX; i++) {
        struct rpc_timer *timer = *first;
        if (timer == NULL || timer->due_boot_ms > now_boot_ms)
            return i > 0;
        rpc_timer_stop(timer);
        timer->fire(timer->context);
    }
    return true;
}
