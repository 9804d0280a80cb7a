/*
 * Learning: when the broker learns. Rows come with settled receipts and with submissions; some time
 * after the first new one (learning.update) a fit of all that is kept is made on a worker beside
 * the rounds, stored under the next version, and is what later rounds predict with.
 *
 * Guarantee: one fit at a time, over a bounded number of rows; a fit that fails leaves the former
 * one in force and says so in the log. Ownership: core->learned is replaced here alone. Thread
 * rule: the loop's thread; only the fitting itself runs on the worker, over its own copy.
 */
#ifndef ENTENTE_BROKER_LEARNING_LEARNING_H
#define ENTENTE_BROKER_LEARNING_LEARNING_H

#include "broker/core.h"
#include "broker/worker.h"
#include "proto/rpc/loop.h"
#include "proto/wire/messages.h"

struct learning_task;

struct learning {
    struct core *core;
    struct rpc_loop *loop;
    struct worker *worker;
    void (*on_learned)(void *context); /* rounds may find more now */
    void *context;
    struct arena arena;                   /* the operator's files */
    struct measurements *given;           /* NULL: none */
    const struct throughput_model *model; /* NULL: none */
    struct rpc_timer timer;
    struct learning_task *running; /* with the worker; NULL: none */
    bool dirty;                    /* rows came since it began */
};

/* Reads the operator's files, and takes up the newest stored fit. What is wrong with the files is
 * refused with file and line. */
MUST_USE enum status learning_open(struct learning *learning, struct core *core,
                                   struct fault *fault);
/* From now on it learns. */
void learning_start(struct learning *learning, struct rpc_loop *loop, struct worker *worker,
                    void (*on_learned)(void *context), void *context);
/* After worker_close(). */
void learning_stop(struct learning *learning);

/* What a settled receipt says of throughput is kept, in the caller's open transaction. *added: a
 * new row. A receipt without a usable measurement is fine. */
MUST_USE enum status learning_take_receipt(struct core *core, const struct receipt *receipt,
                                           bool home_signed, bool *added, struct fault *fault);
/* What a home measured of its job, likewise. */
MUST_USE enum status learning_take_profile(struct core *core, const struct submit_request *request,
                                           bool *added, struct fault *fault);
/* Rows were added and committed. */
void learning_poke(struct learning *learning);

/* Is there any offered pool, of the kinds the job allows, for which its speed is known? */
bool learning_knows(const struct core *core, const struct demand *demand);

#endif
