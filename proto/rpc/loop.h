/*
 * Loop: the one thread of a daemon. Calls in, calls out, timers and posted work all run on it, one
 * after the other.
 *
 * So daemon state needs no locks. It wraps one gRPC completion queue; servers and clients are
 * opened on a loop and their callbacks run inside rpc_loop_run(). Work that takes long (a big LP)
 * runs on a thread of its own and comes back with rpc_loop_post(). Ownership: rpc_loop_close()
 * after every server and client on it is closed. Thread rule: everything from the loop's thread but
 * rpc_loop_post() and rpc_loop_stop(), which any thread may call (a signal handler must not: block
 * signals, use a thread with sigwait; rpc_loop_stop_on_signals() does just that).
 */
#ifndef ENTENTE_PROTO_RPC_LOOP_H
#define ENTENTE_PROTO_RPC_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

struct rpc_loop;

/* Blocks SIGINT, SIGTERM and SIGPIPE in the calling (main) thread, then starts gRPC. Call before
 * any other thread exists. Raises the process' soft limit of descriptors to the hard one. Children
 * inherit the blocked set: reset it when spawning one (POSIX_SPAWN_SETSIGMASK). gRPC's own warnings
 * go to standard error where log takes warnings. */
MUST_USE enum status rpc_loop_open(struct rpc_loop **loop, const struct clock *clock,
                                   const struct log *log, struct fault *fault);
void rpc_loop_close(struct rpc_loop *loop);

/* Runs callbacks until rpc_loop_stop(). */
void rpc_loop_run(struct rpc_loop *loop);
/* Runs callbacks for at most that long or until stopped; for tests. */
void rpc_loop_run_for(struct rpc_loop *loop, int64_t ms);
void rpc_loop_stop(struct rpc_loop *loop);

/*
 * A barrier before the wire: what callbacks said (answers, messages, new calls) is held back while
 * `needed`, until `sync` returned. So a store that is written in small transactions is synced to
 * disk once for many callbacks, and still nothing leaves the process that rests on what a power
 * failure could take back. `sync` runs on the loop when no more event waits, or after
 * RPC_HELD_EVENTS_MAX; where it can't do its work it must not return.
 */
struct rpc_barrier {
    bool (*needed)(const void *context);
    void (*sync)(void *context);
    void *context;
};

enum { RPC_HELD_EVENTS_MAX = 256 };

/* At most one; before the first server or client opens on the loop. */
void rpc_loop_set_barrier(struct rpc_loop *loop, const struct rpc_barrier *barrier);

/* SIGINT or SIGTERM: on_signal runs on the loop (default where NULL: rpc_loop_stop). */
void rpc_loop_stop_on_signals(struct rpc_loop *loop, void (*on_signal)(void *context),
                              void *context);

/* A timer; the caller's storage, zeroed before first use. Starting one that is started moves it. */
struct rpc_timer {
    struct rpc_loop *loop; /* NULL: not started */
    int64_t due_boot_ms;
    void (*fire)(void *context);
    void *context;
    struct rpc_timer *next;
};

void rpc_timer_start(struct rpc_loop *loop, struct rpc_timer *timer, int64_t delay_ms,
                     void (*fire)(void *context), void *context);
void rpc_timer_stop(struct rpc_timer *timer);

/* Runs work(context) on the loop soon; every post runs exactly once, in order, also those made
 * before a stop. */
MUST_USE enum status rpc_loop_post(struct rpc_loop *loop, void (*work)(void *context),
                                   void *context);

#endif
