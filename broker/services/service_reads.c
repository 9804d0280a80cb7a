/* Reads: what a member sees of its own: its jobs and its statement. And the listing of jobs that
 * operators share. */
#include "broker/daemon.h"
#include "broker/money/ledger.h"
#include "broker/listing.h"
#include "broker/services/service.h"

void service_list_jobs(struct rpc_call *call, const void *message)
{
    struct fault fault = {0};
    struct jobs_response response = {0};
    enum status status = listing_jobs(&daemon_of(call)->core, caller_of(call), message, call->arena,
                                      &response, &fault);
    service_answer(call, status, &response, &fault);
}

void service_statement(struct rpc_call *call, const void *message)
{
    struct statement_request request = *(const struct statement_request *)message;
    struct fault fault = {0};
    struct statement_response response = {0};
    if (!name_empty(&request.member) && !name_equal(&request.member, caller_of(call))) {
        fault_set(&fault, STATUS_DENIED, "member: %s may see its own statement only",
                  caller_of(call)->text);
        rpc_call_fail(call, STATUS_DENIED, &fault);
        return;
    }
    request.member = *caller_of(call);
    enum status status =
        ledger_statement(daemon_of(call)->core.store, &request, call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}
