/*
 * Explain: answered from the newest round that had the job, or from a what-if round of now; the
 * solving is done by the advisor, a worker of its own, and the call waits. Solving is dear, so a
 * member may have few questions waiting, and all members together not many.
 */
#include <stdio.h>
#include <stdlib.h>

#include "broker/daemon.h"
#include "broker/round/explain.h"
#include "broker/services/service.h"
#include "broker/store/demands.h"

enum { INQUIRIES_MAX = 64, INQUIRIES_PER_MEMBER_MAX = 4 };

struct inquiry {
    struct daemon *daemon;
    struct name home; /* who asks; "": the operator */
    struct inquiry *next;
    struct rpc_call *call; /* NULL: gave up */
    struct name job;
    struct round *round; /* held */
    bool committed;
    struct arena arena;
    struct explain_response response;
    enum status status;
    struct fault fault;
    struct worker_task task;
};

static void on_work(void *context)
{
    struct inquiry *inquiry = context;
    struct round *round = inquiry->round;
    if (!inquiry->committed)
        round_solve(round);
    inquiry->status = round->solved;
    if (inquiry->status != STATUS_OK)
        inquiry->fault = round->fault;
    else
        inquiry->status = explain_job(round, inquiry->committed, &inquiry->job, &inquiry->arena,
                                      &inquiry->response, &inquiry->fault);
}

static enum status check_quota(const struct daemon *daemon, const struct name *home,
                               struct fault *fault)
{
    uint32_t all = 0;
    uint32_t own = 0;
    for (const struct inquiry *other = daemon->inquiries; other != NULL; other = other->next) {
        all++;
        own += name_equal(&other->home, home);
    }
    if (own >= INQUIRIES_PER_MEMBER_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%u explanations are being worked out for you, as many as one may have "
                         "waiting: ask again when one is answered",
                         own);
    if (all >= INQUIRIES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%u explanations are being worked out, as many as may wait: try again "
                         "later",
                         all);
    return STATUS_OK;
}

static void unlist(struct inquiry *inquiry)
{
    for (struct inquiry **link = &inquiry->daemon->inquiries; *link != NULL; link = &(*link)->next)
        if (*link == inquiry) {
            *link = inquiry->next;
            return;
        }
}

static void on_done(void *context)
{
    struct inquiry *inquiry = context;
    unlist(inquiry);
    if (inquiry->call != NULL) {
        inquiry->call->context = NULL;
        service_answer(inquiry->call, inquiry->status, &inquiry->response, &inquiry->fault);
    }
    round_close(inquiry->round);
    arena_fini(&inquiry->arena);
    free(inquiry);
}

static void on_gone(struct rpc_call *call)
{
    struct inquiry *inquiry = call->context;
    if (inquiry != NULL)
        inquiry->call = NULL;
}

/* The newest round where it had the job; else a round of now that is never committed. */
static enum status choose_round(struct inquiry *inquiry)
{
    struct daemon *daemon = inquiry->daemon;
    struct round *newest = daemon->rounds.newest;
    if (newest != NULL && explain_knows(newest, &inquiry->job)) {
        inquiry->round = round_hold(newest);
        inquiry->committed = true;
        return STATUS_OK;
    }
    enum status status = round_open(&daemon->core, true, NULL, &inquiry->round, &inquiry->fault);
    if (status != STATUS_OK || explain_knows(inquiry->round, &inquiry->job))
        return status;
    return fault_set(&inquiry->fault, STATUS_NOT_FOUND,
                     "job %s is not in the market now: its home is not connected or suspended, or "
                     "a lease of it is just ending",
                     inquiry->job.text);
}

/* Under a lease, and not in the newest round: there is nothing to weigh up. */
static bool answer_by_lease(struct rpc_call *call, const struct name *job)
{
    const struct daemon *daemon = daemon_of(call);
    struct store_lease lease;
    char text[512];
    char end[CLOCK_TEXT_MAX];
    if (daemon->rounds.newest != NULL && explain_knows(daemon->rounds.newest, job))
        return false;
    if (store_lease_newest(daemon->core.store, job, call->arena, &lease, NULL) != STATUS_OK ||
        (LEASE_STATE_BIT(lease.state) & LEASE_STATES_HOLDING) == 0)
        return false;
    snprintf(text, sizeof text,
             "Placed on %u %s of %s at %.6f credits per GPU-second; the lease ends at %s unless it "
             "is renewed.",
             lease.lease->gpu_count, lease.lease->gpu.text, lease.lease->host.text,
             price_to_double(lease.lease->price), clock_format_wall(lease.ends_wall_ms, end));
    struct explain_response response = {
        .job = *job, .round = lease.lease->id.round, .placed = true, .summary = text};
    rpc_call_reply(call, &response);
    return true;
}

static enum status find_demand(struct rpc_call *call, const struct name *home,
                               const struct name *job, struct fault *fault)
{
    struct store_demand demand;
    enum status status =
        store_demand_find(daemon_of(call)->core.store, job, call->arena, &demand, fault);
    bool theirs = status == STATUS_OK && home != NULL && !name_equal(&demand.demand->home, home);
    if (home != NULL && (theirs || status == STATUS_NOT_FOUND)) /* one answer: nobody can probe */
        return fault_set(fault, STATUS_NOT_FOUND, "there is no job %s of %s", job->text,
                         home->text);
    if (status != STATUS_OK)
        return status;
    if (demand.state != DEMAND_OPEN)
        return fault_set(fault, STATUS_PRECONDITION, "job %s is over: it was %s", job->text,
                         demand.state == DEMAND_COMPLETED ? "completed" : "cancelled");
    return STATUS_OK;
}

static void explain(struct rpc_call *call, const struct name *home,
                    const struct explain_request *request)
{
    struct fault fault = {0};
    enum status status = find_demand(call, home, &request->job, &fault);
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &fault);
        return;
    }
    if (answer_by_lease(call, &request->job))
        return;
    struct name asker = home != NULL ? *home : (struct name){0};
    status = check_quota(daemon_of(call), &asker, &fault);
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &fault);
        return;
    }
    struct inquiry *inquiry = calloc(1, sizeof *inquiry);
    if (inquiry == NULL) {
        rpc_call_fail(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    inquiry->daemon = daemon_of(call);
    inquiry->home = asker;
    inquiry->job = request->job;
    arena_init(&inquiry->arena, ARENA_MESSAGE_BYTES);
    status = choose_round(inquiry);
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &inquiry->fault);
        on_done(inquiry);
        return;
    }
    inquiry->next = inquiry->daemon->inquiries;
    inquiry->daemon->inquiries = inquiry;
    inquiry->call = call;
    call->context = inquiry;
    call->on_closed = on_gone;
    inquiry->task = (struct worker_task){.work = on_work, .done = on_done, .context = inquiry};
    worker_submit(inquiry->daemon->advisor, &inquiry->task);
}

void service_explain(struct rpc_call *call, const void *request)
{
    explain(call, caller_of(call), request);
}

void service_operator_explain(struct rpc_call *call, const void *request)
{
    explain(call, NULL, request);
}
