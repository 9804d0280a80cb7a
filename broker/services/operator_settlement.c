/* Operator, settlement: periods, net positions, write-offs. */
#include "broker/daemon.h"
#include "broker/money/settlement.h"
#include "broker/services/service.h"

void service_settlement_list(struct rpc_call *call, const void *request)
{
    struct core *core = &daemon_of(call)->core;
    struct fault fault = {0};
    struct settlements_response response = {0};
    enum status status =
        settlement_list(core->store, request, core_now_ms(core), call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

static void answer_period(struct rpc_call *call, enum status status, uint64_t period,
                          struct fault *fault)
{
    struct core *core = &daemon_of(call)->core;
    struct settlement_response response = {0};
    if (status == STATUS_OK)
        status =
            settlement_show(core->store, period, core_now_ms(core), call->arena, &response, fault);
    service_answer(call, status, &response, fault);
}

void service_settlement_show(struct rpc_call *call, const void *message)
{
    const struct settlement_request *request = message;
    struct fault fault = {0};
    answer_period(call, STATUS_OK, request->period, &fault);
}

void service_settlement_close(struct rpc_call *call, const void *request)
{
    struct daemon *daemon = daemon_of(call);
    struct store *store = daemon->core.store;
    struct fault fault = {0};
    uint64_t period = 0;
    (void)request;
    enum status status = store_begin(store, &fault);
    if (status == STATUS_OK)
        status =
            settlement_close(store, daemon->config, core_now_ms(&daemon->core), &period, &fault);
    if (status == STATUS_OK)
        status = store_commit(store, &fault);
    store_rollback(store);
    answer_period(call, status, period, &fault);
}

void service_member_write_off(struct rpc_call *call, const void *message)
{
    const struct write_off_request *request = message;
    struct core *core = &daemon_of(call)->core;
    struct fault fault = {0};
    struct empty_message response = {0};
    enum status status = store_begin(core->store, &fault);
    if (status == STATUS_OK)
        status = settlement_write_off(core->store, &request->member, request->reference,
                                      core_now_ms(core), &fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, &fault);
    store_rollback(core->store);
    if (status == STATUS_OK)
        log_info(core->log, "operator: wrote off what member %s owed", request->member.text);
    service_answer(call, status, &response, &fault);
}
