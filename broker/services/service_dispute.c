/* Disputes: what members do about receipts of their leases, and what the operator rules. */
#include "broker/daemon.h"
#include "broker/money/dispute.h"
#include "broker/services/service.h"

static enum status act(struct core *core, const struct name *member,
                       const struct dispute_request *request, struct store_dispute *dispute,
                       struct fault *fault)
{
    const struct lease_limits limits = core_lease_limits(core);
    enum status status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status =
            dispute_act(core->store, member, request, &limits, core_now_ms(core), dispute, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    return status;
}

static void answer_action(struct rpc_call *call, const struct name *member,
                          const struct dispute_request *request)
{
    struct core *core = &daemon_of(call)->core;
    struct fault fault = {0};
    struct dispute_row row;
    char id[LEASE_ID_TEXT_MAX];
    struct store_dispute *dispute = arena_alloc(call->arena, 1, sizeof *dispute);
    enum status status = dispute == NULL ? fault_set(&fault, STATUS_NO_MEMORY, "no memory")
                                         : act(core, member, request, dispute, &fault);
    if (status == STATUS_OK)
        status = dispute_show(core->store, dispute, &row, &fault);
    if (status == STATUS_OK)
        log_info(core->log, "dispute over receipt %u of lease %s: %s", (unsigned)row.sequence,
                 lease_id_format(row.lease, id), dispute_state_name(row.state));
    service_answer(call, status, &row, &fault);
}

static void answer_page(struct rpc_call *call, const struct name *member,
                        const struct page_request *request)
{
    struct core *core = &daemon_of(call)->core;
    struct fault fault = {0};
    struct disputes_response response = {0};
    struct store_dispute *disputes = NULL;
    enum status status =
        store_dispute_page(core->store, member, request->after, request->rows, call->arena,
                           &disputes, &response.dispute_count, &response.next_after, &fault);
    response.disputes = arena_alloc(call->arena, response.dispute_count, sizeof *response.disputes);
    if (status == STATUS_OK && response.disputes == NULL)
        status = fault_set(&fault, STATUS_NO_MEMORY, "no memory for the disputes");
    for (uint32_t i = 0; i < response.dispute_count && status == STATUS_OK; i++)
        status = dispute_show(core->store, &disputes[i], &response.disputes[i], &fault);
    service_answer(call, status, &response, &fault);
}

void service_dispute(struct rpc_call *call, const void *request)
{
    answer_action(call, caller_of(call), request);
}

void service_list_disputes(struct rpc_call *call, const void *request)
{
    answer_page(call, caller_of(call), request);
}

void service_dispute_rule(struct rpc_call *call, const void *request)
{
    static const struct name nobody = {.text = ""};
    answer_action(call, &nobody, request);
}

void service_operator_disputes(struct rpc_call *call, const void *request)
{
    static const struct name everybody = {.text = ""};
    answer_page(call, &everybody, request);
}
