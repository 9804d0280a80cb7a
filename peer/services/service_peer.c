/* PeerService: what other members may ask. Each handler finds whose turn it is (host or home) and
 * answers at once, but for WatchJob. */
#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/services/service.h"
#include "proto/wire/methods.h"

/* Home and host both ask for so many at once: a push that goes on for ever ends here. */
enum { CHUNKS_PER_PUSH_MAX = 4096 };

static const struct empty_message done = {0};

static const struct name *caller_of(const struct rpc_call *call)
{
    return &call->caller.subject.member;
}

enum status peer_service_admit(void *service, const struct rpc_caller *caller,
                               const struct wire_method *method, struct fault *fault)
{
    const struct peer *peer = service;
    (void)method;
    if (!caller->authenticated || caller->local || caller->subject.role != IDENTITY_MEMBER ||
        !name_equal(&caller->subject.federation, &peer->identity.federation))
        return fault_set(fault, STATUS_UNAUTHENTICATED,
                         "peers answer members of the federation only");
    if (peer_is_revoked(peer, &caller->subject.member))
        return fault_set(fault, STATUS_DENIED, "member %s was revoked",
                         caller->subject.member.text);
    return STATUS_OK;
}

static void answer(struct rpc_call *call, enum status status, const void *response,
                   const struct fault *fault)
{
    if (status == STATUS_OK)
        rpc_call_reply(call, response);
    else
        rpc_call_fail(call, status, fault);
}

static void handle_accept(struct rpc_call *call, const void *request)
{
    struct peer *peer = call->service;
    struct fault fault;
    enum status status = host_accept(peer->host, caller_of(call), request, &fault);
    answer(call, status, &done, &fault);
}

/* To a host while it stages the caller's job, to a home otherwise. */
static void handle_offer_files(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct offer_files_request *request = message;
    struct offer_files_response response = {0};
    struct fault fault;
    struct run *run = host_staging(peer->host, caller_of(call), request->lease);
    enum status status = run != NULL
                             ? host_offer_files(run, request, call->arena, &response, &fault)
                             : home_offer_files(peer->home, caller_of(call), request, call->arena,
                                                &response, &fault);
    answer(call, status, &response, &fault);
}

static void take_chunk(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct push_chunk_request *request = message;
    struct push_chunks_response *response = call->context;
    struct fault fault;
    if (call->answered)
        return;
    if (response->received >= CHUNKS_PER_PUSH_MAX) {
        rpc_call_fail(call,
                      fault_set(&fault, STATUS_EXHAUSTED,
                                "%d chunks in one push, as many as one answer of OfferFiles asks "
                                "for: offer the files again",
                                CHUNKS_PER_PUSH_MAX),
                      &fault);
        return;
    }
    struct run *run = host_staging(peer->host, caller_of(call), request->lease);
    enum status status = run != NULL ? host_put_chunk(run, request, &fault)
                                     : home_put_chunk(peer->home, caller_of(call), request, &fault);
    if (status == STATUS_OK)
        response->received++;
    else
        rpc_call_fail(call, status, &fault);
}

static void took_chunks(struct rpc_call *call)
{
    if (!call->answered)
        rpc_call_reply(call, call->context);
}

static void handle_push_chunks(struct rpc_call *call, const void *request)
{
    (void)request;
    call->context = arena_alloc(call->arena, 1, sizeof(struct push_chunks_response));
    if (call->context == NULL) {
        rpc_call_fail(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    call->on_message = take_chunk;
    call->on_half_close = took_chunks;
}

static void handle_commit_files(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct commit_files_request *request = message;
    struct fault fault;
    struct run *run = host_staging(peer->host, caller_of(call), request->lease);
    enum status status = run != NULL
                             ? host_commit_files(run, request->purpose, &fault)
                             : home_commit_files(peer->home, caller_of(call), request, &fault);
    answer(call, status, &done, &fault);
}

static void handle_start(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct lease_request *request = message;
    struct fault fault;
    enum status status = host_start(peer->host, caller_of(call), request->lease, &fault);
    answer(call, status, &done, &fault);
}

static void handle_watch_job(struct rpc_call *call, const void *request)
{
    struct peer *peer = call->service;
    host_watch(peer->host, call, request);
}

static void handle_stop(struct rpc_call *call, const void *request)
{
    struct peer *peer = call->service;
    struct fault fault;
    enum status status = host_stop(peer->host, caller_of(call), request, &fault);
    answer(call, status, &done, &fault);
}

static void handle_countersign(struct rpc_call *call, const void *message)
{
    struct peer *peer = call->service;
    const struct countersign_request *request = message;
    struct countersign_response response = {0};
    struct fault fault;
    enum status status =
        home_countersign(peer->home, caller_of(call), &request->receipt, &response.receipt, &fault);
    answer(call, status, &response, &fault);
}

const struct rpc_handler peer_service_handlers[] = {
    {&method_accept, handle_accept},
    {&method_offer_files, handle_offer_files},
    {&method_push_chunks, handle_push_chunks},
    {&method_commit_files, handle_commit_files},
    {&method_start, handle_start},
    {&method_watch_job, handle_watch_job},
    {&method_stop, handle_stop},
    {&method_countersign, handle_countersign},
};
const size_t peer_service_handler_count =
    sizeof peer_service_handlers / sizeof peer_service_handlers[0];
