/* Operator, throughput: predicted against measured. */
#include "broker/daemon.h"
#include "broker/learning/learning_show.h"
#include "broker/services/service.h"

void service_throughput(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct throughput_response response;
    struct arena arena; /* what it is made of may be larger than a message */
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        learning_report(&daemon_of(call)->core, request, &arena, &response, &fault);
    service_answer(call, status, &response, &fault);
    arena_fini(&arena);
}
