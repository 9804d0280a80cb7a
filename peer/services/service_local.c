/* LocalService: what the owners of jobs ask over the Unix socket. */
#include <stdio.h>

#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/link/link.h"
#include "peer/services/service.h"
#include "peer/services/service_local.h"
#include "proto/wire/methods.h"

static const struct empty_message done = {0};

static void answer(struct rpc_call *call, enum status status, const void *response,
                   const struct fault *fault)
{
    if (status == STATUS_OK)
        rpc_call_reply(call, response);
    else
        rpc_call_fail(call, status, fault);
}

static void handle_submit(struct rpc_call *call, const void *submission)
{
    struct peer *peer = call->service;
    struct job_request response = {0};
    struct fault fault;
    enum status status = home_submit(peer->home, submission, &response.job, &fault);
    answer(call, status, &response, &fault);
}

static void handle_list(struct rpc_call *call, const void *request)
{
    struct peer *peer = call->service;
    struct local_jobs_response response = {0};
    struct fault fault;
    (void)request;
    enum status status = home_rows(peer->home, call->arena, &response, &fault);
    answer(call, status, &response, &fault);
}

static void handle_show(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct job_request *request = message;
    struct local_job_row response = {0};
    struct fault fault;
    enum status status = home_row(peer->home, &request->job, &response, &fault);
    answer(call, status, &response, &fault);
}

static void handle_cancel(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct job_request *request = message;
    struct fault fault;
    enum status status = home_cancel(peer->home, &request->job, &fault);
    answer(call, status, &done, &fault);
}

static void handle_fetch(struct rpc_call *call, const void *request)
{
    struct peer *peer = call->service;
    struct fetch_response response = {0};
    struct fault fault;
    enum status status = home_fetch(peer->home, request, call->arena, &response, &fault);
    answer(call, status, &response, &fault);
}

static void handle_drain(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct drain_request *request = message;
    struct fault fault;
    enum status status = spool_put_number(peer->spool, "draining", request->drain, &fault);
    if (status == STATUS_OK)
        peer->inventory.draining = request->drain;
    answer(call, status, &done, &fault);
}

static enum status fill_pools(const struct peer *peer, struct arena *arena,
                              struct peer_status_response *response, struct fault *fault)
{
    const struct inventory *inventory = &peer->inventory;
    response->pools = arena_alloc(arena, inventory->pool_count, sizeof *response->pools);
    if (response->pools == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the pools");
    for (uint32_t p = 0; p < inventory->pool_count; p++) {
        struct pool_count count = inventory_count(&inventory->pools[p]);
        response->pools[response->pool_count++] = (struct peer_pool_row){
            .gpu = inventory->pools[p].config->gpu,
            .gpus = count.gpus,
            .gpus_local = count.local,
            .gpus_leased = count.leased,
            .gpus_free = count.gpus - count.local - count.leased,
        };
    }
    return STATUS_OK;
}

static void handle_status(struct rpc_call *call, const void *request)
{
    struct peer *peer = call->service;
    struct home_counts counts = home_counts(peer->home);
    struct fault fault;
    (void)request;
    struct peer_status_response response = {
        .member = peer->config->member,
        .federation = peer->identity.federation,
        .version = ENTENTE_VERSION,
        .incarnation = spool_incarnation(peer->spool),
        .broker_connected = link_connected(peer->link),
        .draining = peer->inventory.draining,
        .broker_address = peer->config->broker,
        .certificate_until_wall_ms = peer->identity.certificate_until_wall_ms,
        .balance = link_balance(peer->link),
        .escrow = link_escrow(peer->link),
        .jobs_queued = counts.queued,
        .jobs_running = counts.running,
        .receipts_unsettled = spool_receipts_count(peer->spool),
    };
    const struct delivery_row *deliveries = link_deliveries(peer->link, &response.delivery_count);
    enum status status = fill_pools(peer, call->arena, &response, &fault);
    response.deliveries =
        arena_copy(call->arena, deliveries, response.delivery_count * sizeof *deliveries);
    if (status == STATUS_OK && response.deliveries == NULL)
        status = fault_set(&fault, STATUS_NO_MEMORY, "no memory for the status");
    if (status == STATUS_OK)
        status =
            host_rows(peer->host, call->arena, &response.hosted, &response.hosted_count, &fault);
    answer(call, status, &response, &fault);
}

static void handle_statement(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    link_ask(peer->link, call, &method_statement, message);
}

/* A job that stays at home never meets the market, so the broker does not know it. */
static void handle_explain(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct explain_request *request = message;
    struct local_job_row row;
    struct fault fault;
    if (home_row(peer->home, &request->job, &row, NULL) == STATUS_OK &&
        row.placement == JOB_LOCAL) {
        enum status status =
            fault_set(&fault, STATUS_PRECONDITION,
                      "job %s runs at home only ('placement: local'): the market does not see it",
                      request->job.text);
        rpc_call_fail(call, status, &fault);
        return;
    }
    link_ask(peer->link, call, &method_explain, request);
}

/* What is disputed is not signed meanwhile; what is withdrawn may be. */
static void handle_dispute(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    struct fault fault;
    enum status status = home_dispute_note(peer->home, message, &fault);
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &fault);
        return;
    }
    link_ask(peer->link, call, &method_dispute, message);
}

static void handle_disputes(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    link_ask(peer->link, call, &method_list_disputes, message);
}

const struct rpc_handler local_service_handlers[] = {
    {&method_job_submit, handle_submit},
    {&method_job_list, handle_list},
    {&method_job_show, handle_show},
    {&method_job_cancel, handle_cancel},
    {&method_job_logs, handle_job_logs},
    {&method_job_fetch, handle_fetch},
    {&method_peer_drain, handle_drain},
    {&method_peer_status, handle_status},
    {&method_local_statement, handle_statement},
    {&method_local_explain, handle_explain},
    {&method_local_dispute, handle_dispute},
    {&method_local_disputes, handle_disputes},
};
const size_t local_service_handler_count =
    sizeof local_service_handlers / sizeof local_service_handlers[0];
