/*
 * Daemon: everything of a running broker around one loop: core, authority, listeners, rounds,
 * dispatch, timers. Handlers get it as call->service.
 *
 * Thread rule: the loop's thread; only a round's solving runs beside it, over its own data.
 */
#ifndef ENTENTE_BROKER_DAEMON_H
#define ENTENTE_BROKER_DAEMON_H

#include "broker/authority.h"
#include "broker/call_rate.h"
#include "broker/core.h"
#include "broker/lease/dispatch.h"
#include "broker/learning/learning.h"
#include "broker/round/rounds.h"
#include "broker/worker.h"
#include "proto/rpc/server.h"
#include "proto/wire/messages.h"

/* The setting that keeps the number of the newest revocation list. */
#define DAEMON_REVOCATIONS "revocations"

struct daemon {
    struct core core;
    const struct broker_config *config;
    struct authority *authority;
    struct rpc_loop *loop;
    struct worker *worker;  /* solves rounds */
    struct worker *advisor; /* solves explanations: no round waits for them */
    struct worker *learner; /* fits */
    struct learning learning;
    struct inquiry *inquiries; /* explanations under way (service_explain.c) */
    struct rounds rounds;
    struct dispatch dispatch;
    struct rpc_server *enrolment;
    struct rpc_server *members;
    struct rpc_server *operators;
    struct rpc_timer sweep_timer;
    int64_t started_boot_ms;
    int enrolment_port;
    struct arena revocations_arena;
    struct signed_bytes revocations; /* the newest list, signed */
    int64_t enrolment_window_boot_ms;
    uint32_t enrolments_in_window;
    struct call_rates call_rates;
};

/* Runs until SIGTERM or SIGINT. Prints "ready ..." on stdout when all three listeners serve. */
MUST_USE enum status daemon_run(const struct broker_config *config, const struct log *log,
                                struct fault *fault);

/* The pieces that handlers and timers share. */

/* Starts rounds, dispatch of what they commit, and the sweep, on the daemon's loop. */
void daemon_start_work(struct daemon *daemon);

/* What its listeners show; borrowed from the authority. */
struct rpc_credentials daemon_credentials(const struct daemon *daemon);

/* Signs the list of revoked members anew; raise: under the next number, in the caller's
 * transaction. */
MUST_USE enum status daemon_sign_revocations(struct daemon *daemon, bool raise,
                                             struct fault *fault);

/* What time moves: overrun and expired leases, grants nobody took up, planned leases that may
 * start. */
void daemon_sweep(struct daemon *daemon);

/* Has a caller of the members' port a place in the federation now? */
enum status daemon_admit_member(void *service, const struct rpc_caller *caller,
                                const struct wire_method *method, struct fault *fault);

/* Everybody may knock at the enrolment listener. */
enum status daemon_admit_joiner(void *service, const struct rpc_caller *caller,
                                const struct wire_method *method, struct fault *fault);

static inline struct daemon *daemon_of(const struct rpc_call *call)
{
    return call->service;
}

static inline const struct name *caller_of(const struct rpc_call *call)
{
    return &call->caller.subject.member;
}

#endif
