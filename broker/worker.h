/*
 * Worker: a thread beside the loop, for what takes long (the LPs of a round or of an explanation).
 * Tasks run in order; each comes back to the loop by rpc_loop_post().
 *
 * Guarantee: every task handed over has `done` run on the loop exactly once. Ownership: the
 * caller's task, until its done ran. Thread rule: submit and close from the loop's thread; work
 * runs on the worker's, alone with its context.
 */
#ifndef ENTENTE_BROKER_WORKER_H
#define ENTENTE_BROKER_WORKER_H

#include "proto/rpc/loop.h"

struct worker;

struct worker_task {
    void (*work)(void *context); /* on the worker's thread */
    void (*done)(void *context); /* on the loop's */
    void *context;
    struct worker_task *next;
};

MUST_USE enum status worker_open(struct worker **worker, struct rpc_loop *loop,
                                 struct fault *fault);
void worker_submit(struct worker *worker, struct worker_task *task);

/* Waits for the task under way and drops none: the rest runs first. Their `done` run when the loop
 * runs next. NULL is fine. */
void worker_close(struct worker *worker);

#endif
