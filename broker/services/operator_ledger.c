/* Operator, ledger and listings: verify, entries, statements, jobs, leases, status. */
#include "broker/daemon.h"
#include "broker/money/ledger.h"
#include "broker/listing.h"
#include "broker/services/service.h"

void service_ledger_verify(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct ledger_verify_response response = {0};
    (void)request;
    enum status status = ledger_verify(daemon_of(call)->core.store, call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

void service_ledger_page(struct rpc_call *call, const void *message)
{
    const struct page_request *request = message;
    struct fault fault = {0};
    struct ledger_page_response response = {0};
    enum status status = ledger_page(daemon_of(call)->core.store, request->after, request->rows,
                                     call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

void service_operator_statement(struct rpc_call *call, const void *message)
{
    struct fault fault = {0};
    struct statement_response response = {0};
    enum status status =
        ledger_statement(daemon_of(call)->core.store, message, call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

void service_operator_jobs(struct rpc_call *call, const void *message)
{
    static const struct name everybody = {0};
    struct fault fault = {0};
    struct jobs_response response = {0};
    enum status status =
        listing_jobs(&daemon_of(call)->core, &everybody, message, call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

void service_lease_list(struct rpc_call *call, const void *message)
{
    struct fault fault = {0};
    struct leases_response response = {0};
    enum status status =
        listing_leases(&daemon_of(call)->core, message, call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

void service_broker_status(struct rpc_call *call, const void *request)
{
    struct daemon *daemon = daemon_of(call);
    struct fault fault = {0};
    struct broker_status_response response;
    (void)request;
    enum status status = listing_status(&daemon->core, call->arena, &response, &fault);
    if (status == STATUS_OK)
        status = health_list(&daemon->rounds.health, core_now_ms(&daemon->core), call->arena,
                             &response.quarantined, &response.quarantined_count, &fault);
    response.up_ms = clock_boot_ms(daemon->core.clock) - daemon->started_boot_ms;
    response.next_round_in_ms = rounds_next_in_ms(&daemon->rounds);
    service_answer(call, status, &response, &fault);
}

void service_quarantine_release(struct rpc_call *call, const void *request)
{
    struct daemon *daemon = daemon_of(call);
    struct fault fault = {0};
    struct empty_message response = {0};
    enum status status = health_release(&daemon->rounds.health, request, &fault);
    if (status == STATUS_OK)
        rounds_poke(&daemon->rounds);
    service_answer(call, status, &response, &fault);
}
