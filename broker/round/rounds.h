/*
 * Rounds: when rounds run. A full one a lead before each epoch's end, interim ones when something
 * changed while jobs wait, one at a time; the operator may ask for one now.
 *
 * After a start no round runs until the members have been heard again (or had the time to): a lease
 * must not end because its host was not asked yet; after a restore, until they have reported
 * (broker/recovery.h). A job whose start was refused sits out for a
 * while that doubles with each refusal; one that was released, until its home has spoken. Thread
 * rule: the loop's thread; solving runs on the worker. Ownership: keeps the newest round, for
 * explanations.
 */
#ifndef ENTENTE_BROKER_ROUND_ROUNDS_H
#define ENTENTE_BROKER_ROUND_ROUNDS_H

#include "base/hash.h"

#include "broker/round/health.h"
#include "broker/round/round.h"
#include "broker/worker.h"
#include "proto/rpc/loop.h"

enum {
    ROUNDS_WAITERS_MAX = 64,
    BACKOFF_MS_FIRST = 2000,
    BACKOFF_MS_MAX = 300000,
    BACKOFF_JOBS_MAX = 100000
};

/* Told when a round it asked for is over; report is NULL where it failed. */
struct rounds_waiter {
    bool full; /* an interim round is not enough */
    void (*done)(void *context, const struct round_response *report, const struct fault *fault);
    void *context;
};

struct rounds_backoff;

struct rounds {
    struct core *core;
    struct rpc_loop *loop;
    struct worker *worker;
    void (*on_commit)(void *context); /* leases and events are in the store: dispatch */
    void *context;

    struct round *running; /* with the worker; NULL: none */
    struct round *newest;  /* committed; NULL: none since the start */
    struct worker_task task;
    struct rpc_timer full_timer;
    struct rpc_timer interim_timer;
    bool full_due;
    bool interim_due;
    bool warm;
    int64_t warm_from_boot_ms;
    struct rounds_waiter asking[ROUNDS_WAITERS_MAX]; /* for the next round */
    uint32_t asking_count;
    struct rounds_waiter waiting[ROUNDS_WAITERS_MAX]; /* for the one that runs */
    uint32_t waiting_count;
    struct rounds_backoff *backoffs;
    struct health health;
};

void rounds_start(struct rounds *rounds, struct core *core, struct rpc_loop *loop,
                  struct worker *worker, void (*on_commit)(void *context), void *context);
/* After worker_close(). Waiters are told CANCELLED. */
void rounds_stop(struct rounds *rounds);

/* Something changed: an interim round soon, where jobs wait. */
void rounds_poke(struct rounds *rounds);

/* One round now, or the next full one, as the waiter says. EXHAUSTED where too many wait. */
MUST_USE enum status rounds_ask(struct rounds *rounds, const struct rounds_waiter *waiter,
                                struct fault *fault);

/* The waiter with that context waits no more. */
void rounds_forget(struct rounds *rounds, const void *context);

/* A start under that lease failed: the job is kept from that host for a while; where its home
 * refused it or nobody took it up, it sits out everywhere. */
void rounds_failed(struct rounds *rounds, const struct lease *lease, bool by_host,
                   const char *reason);
/* Its start went well, or it is over: forget that. */
void rounds_succeeded(struct rounds *rounds, const struct name *job);

/* Its host released it: it sits out until its home says what became of it, or for a while. */
void rounds_released(struct rounds *rounds, const struct name *job);
/* Its home said so: it wants GPUs again. */
void rounds_wanted(struct rounds *rounds, const struct name *job);

/* Milliseconds until the next full round. */
int64_t rounds_next_in_ms(const struct rounds *rounds);

#endif
