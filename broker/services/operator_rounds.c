/* Operator, rounds: run one, list them, show one. */
#include "broker/daemon.h"
#include "broker/services/service.h"
#include "broker/store/rounds.h"
#include "proto/wire/methods.h"

/* The call waits for its round; where it is given up first, the answer goes nowhere. */
static void on_round(void *context, const struct round_response *report, const struct fault *fault)
{
    struct rpc_call *call = context;
    if (report != NULL)
        rpc_call_reply(call, report);
    else
        rpc_call_fail(call, fault->status, fault);
}

static void on_gone(struct rpc_call *call)
{
    if (!call->answered)
        rounds_forget(&daemon_of(call)->rounds, call);
}

void service_round_run(struct rpc_call *call, const void *message)
{
    const struct round_run_request *request = message;
    struct fault fault = {0};
    struct rounds_waiter waiter = {
        .full = request->wait_for_period, .done = on_round, .context = call};
    call->on_closed = on_gone;
    if (rounds_ask(&daemon_of(call)->rounds, &waiter, &fault) != STATUS_OK)
        rpc_call_fail(call, fault.status, &fault);
}

void service_round_list(struct rpc_call *call, const void *message)
{
    const struct page_request *request = message;
    struct fault fault = {0};
    struct rounds_response response = {0};
    enum status status =
        store_round_list(daemon_of(call)->core.store, request->after, request->rows, call->arena,
                         &response.rounds, &response.round_count, &fault);
    service_answer(call, status, &response, &fault);
}

void service_round_show(struct rpc_call *call, const void *message)
{
    const struct round_request *request = message;
    struct fault fault = {0};
    struct store_round record;
    struct arena arena; /* snapshots may be larger than a message */
    void *response = NULL;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        store_round_find(daemon_of(call)->core.store, request->round, &arena, &record, &fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_round_response, record.report, &arena, &response, &fault);
    service_answer(call, status, response, &fault);
    arena_fini(&arena);
}
