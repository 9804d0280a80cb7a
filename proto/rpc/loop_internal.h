/*
 * Loop, from inside proto/rpc: the completion queue and how its events find their object.
 *
 * Every batch given to gRPC carries a struct rpc_tag embedded in the object that waits for it; the
 * loop calls tag->done on its own thread. So one object's callbacks are never concurrent. An object
 * lives until each of its tags under way came back. Thread rule: the loop's thread.
 */
#ifndef ENTENTE_PROTO_RPC_LOOP_INTERNAL_H
#define ENTENTE_PROTO_RPC_LOOP_INTERNAL_H

#include <stdbool.h>

#include <grpc/grpc.h>

#include "proto/rpc/loop.h"

struct rpc_tag {
    void (*done)(void *owner, bool ok);
    void *owner;
};

/*
 * What an object does next after an event, when that may bring the next event at once (a stream's
 * next message). gRPC's queue polls its sockets only when it holds no event, so a stream whose
 * every event brings another would keep new connections and pings waiting for as long as its window
 * is open (seen: 16 MB of small messages). So after RPC_EVENTS_PER_TURN events such work waits
 * until the queue has run dry once. The object must live, and not start what the work starts, until
 * it ran.
 */
struct rpc_work {
    struct rpc_work *next;
    void (*run)(void *owner);
    void *owner;
};

enum {
    RPC_EVENTS_PER_TURN = 64,
    RPC_DRY_POLLS = 2,              /* in a row, each without waiting: then it ran dry */
    RPC_EVENTS_PER_PAUSE_MAX = 1024 /* and the work runs even if the queue never runs dry */
};

void rpc_loop_go_on(struct rpc_loop *loop, struct rpc_work *work);

/* Runs the work once the barrier lets it (at once where nothing has to be synced): whatever puts
 * bytes on the wire goes through here. The object must live until it ran. */
void rpc_loop_send(struct rpc_loop *loop, struct rpc_work *work);

grpc_completion_queue *rpc_loop_queue(const struct rpc_loop *loop);
const struct clock *rpc_loop_clock(const struct rpc_loop *loop);
const struct log *rpc_loop_log(const struct rpc_loop *loop);

/*
 * Runs callbacks until finished(context) holds, at most timeout_ms (negative: no limit). Returns
 * finished(context). Where heed_stop, rpc_loop_stop() ends it too (and stays pending).
 */
bool rpc_loop_run_until(struct rpc_loop *loop, bool (*finished)(const void *context),
                        const void *context, int64_t timeout_ms, bool heed_stop);

/* Signals blocked for every thread started after it; how the signal thread ends. loop_signals.c */
struct rpc_signals;
void rpc_signals_block(void);
void rpc_signals_close(struct rpc_signals *signals);
struct rpc_signals **rpc_loop_signals(struct rpc_loop *loop);

/* grpc_log.c */
void rpc_grpc_log_open(const struct log *log);

/* Timers, sorted by due time. timer.c */
enum { RPC_TIMERS_PER_STEP_MAX = 256 }; /* so that a timer that restarts at once starves nobody */
struct rpc_timer **rpc_loop_timers(struct rpc_loop *loop);
bool rpc_timers_fire(struct rpc_loop *loop); /* did any? */

#endif
