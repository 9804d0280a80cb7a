#include "broker/lease/dispatch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "broker/store/events.h"

struct dispatch_stream {
    struct name member; /* the hash key */
    struct dispatch *dispatch;
    struct rpc_call *call;
    uint64_t sent; /* newest sequence given to the stream */
    UT_hash_handle hh;
};

void dispatch_init(struct dispatch *dispatch, struct core *core)
{
    *dispatch = (struct dispatch){.core = core};
}

static struct dispatch_stream *find(const struct dispatch *dispatch, const struct name *member)
{
    struct dispatch_stream *stream = NULL;
    HASH_FIND_STR(dispatch->streams, member->text, stream);
    return stream;
}

/* The stream forgets its call first, so that on_closed finds nothing more to do. */
static void stream_free(struct dispatch_stream *stream)
{
    stream->call->context = NULL;
    HASH_DEL(stream->dispatch->streams, stream);
    free(stream);
}

static void stream_end(struct dispatch_stream *stream)
{
    struct rpc_call *call = stream->call;
    stream_free(stream);
    rpc_call_end(call);
}

void dispatch_fini(struct dispatch *dispatch)
{
    struct dispatch_stream *stream = NULL;
    struct dispatch_stream *next = NULL;
    HASH_ITER(hh, dispatch->streams, stream, next)
    stream_end(stream);
}

/* Sends up to the flow limit. */
static void send_some(struct dispatch_stream *stream)
{
    struct arena arena;
    struct fault fault;
    struct lease_event *events = NULL;
    uint32_t count = 0;
    uint32_t room = RPC_UNSENT_MAX - stream->call->unsent;
    if (stream->call->unsent >= RPC_UNSENT_MAX)
        return;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_event_list(stream->dispatch->core->store, &stream->member,
                                          stream->sent, room, &arena, &events, &count, &fault);
    if (status != STATUS_OK)
        log_error(stream->dispatch->core->log, "events of %s: %s", stream->member.text, fault.text);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        stream->sent = events[i].sequence;
        rpc_call_send(stream->call, &events[i]);
    }
    arena_fini(&arena);
}

static void on_drained(struct rpc_call *call)
{
    if (call->context != NULL)
        send_some(call->context);
}

static void on_closed(struct rpc_call *call)
{
    if (call->context != NULL)
        stream_free(call->context);
}

void dispatch_watch(struct dispatch *dispatch, struct rpc_call *call, const struct name *member,
                    uint64_t after)
{
    struct fault fault;
    uint64_t newest = 0;
    uint64_t acknowledged = 0;
    enum status status =
        store_event_head(dispatch->core->store, member, &newest, &acknowledged, &fault);
    struct dispatch_stream *stream = status == STATUS_OK ? calloc(1, sizeof *stream) : NULL;
    if (stream == NULL) {
        rpc_call_fail(call, status == STATUS_OK ? STATUS_NO_MEMORY : status, NULL);
        return;
    }
    dispatch_drop(dispatch, member);
    stream->member = *member;
    stream->dispatch = dispatch;
    stream->call = call;
    stream->sent = after > acknowledged ? after : acknowledged;
    if (stream->sent > newest)
        stream->sent = newest; /* the broker was restored: what it sends now is new to the member */
    HASH_ADD_STR(dispatch->streams, member.text, stream);
    if (!HASH_TOOK(stream)) {
        free(stream);
        rpc_call_fail(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    call->context = stream;
    call->on_drained = on_drained;
    call->on_closed = on_closed;
    send_some(stream);
}

void dispatch_wake(struct dispatch *dispatch, const struct name *member)
{
    struct dispatch_stream *stream = find(dispatch, member);
    if (stream != NULL)
        send_some(stream);
}

void dispatch_wake_all(struct dispatch *dispatch)
{
    struct dispatch_stream *stream = NULL;
    struct dispatch_stream *next = NULL;
    HASH_ITER(hh, dispatch->streams, stream, next)
    send_some(stream);
}

void dispatch_drop(struct dispatch *dispatch, const struct name *member)
{
    struct dispatch_stream *stream = find(dispatch, member);
    if (stream != NULL)
        stream_end(stream);
}

bool dispatch_watches(const struct dispatch *dispatch, const struct name *member)
{
    return find(dispatch, member) != NULL;
}

/* --- planned leases */

/* Does another lease of the same job still run? Then home could not start it here. One that was
 * told to end at a host that is not here is as good as over (BOOK_LOST). */
static enum status job_is_busy(const struct core *core, const struct name *job, struct arena *arena,
                               bool *busy, struct fault *fault)
{
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    enum status status =
        store_lease_list_job(core->store, job, LEASE_STATES_HOLDING, arena, &leases, &count, fault);
    *busy = false;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        *busy =
            *busy || !leases[i].ending ||
            registry_live(&core->registry, registry_find(&core->registry, &leases[i].lease->host));
    return status;
}

/* The same lease, from now to the same end: a new window and what is left of its duration. */
static struct lease begin_now(const struct core *core, const struct store_lease *planned)
{
    int64_t wall_ms = clock_wall_ms(core->clock);
    struct lease lease = *planned->lease;
    lease.duration_ms = planned->ends_wall_ms - core_now_ms(core);
    if (lease.duration_ms > planned->lease->duration_ms)
        lease.duration_ms = planned->lease->duration_ms;
    lease.accept_from_wall_ms = wall_ms - core->config->skew_ms_max;
    lease.accept_until_wall_ms =
        wall_ms + core->config->accept_within_ms + core->config->skew_ms_max;
    return lease;
}

static enum status grant_one(struct core *core, const struct store_lease *planned,
                             struct arena *arena, struct fault *fault)
{
    struct signed_bytes signed_lease;
    struct lease lease = begin_now(core, planned);
    struct lease_terms terms = {
        .lease = &lease,
        .signed_lease = &signed_lease,
        .shares = planned->shares,
        .share_count = planned->share_count,
        .ends_wall_ms = planned->ends_wall_ms,
        .now_wall_ms = core_now_ms(core),
    };
    enum status status = core_sign_lease(core, &lease, arena, &signed_lease, fault);
    if (status == STATUS_OK)
        status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status = lease_grant(core->store, &terms, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    return status;
}

static void grant_if_free(struct dispatch *dispatch, const struct store_lease *planned,
                          struct arena *arena)
{
    struct core *core = dispatch->core;
    struct fault fault;
    bool busy = false;
    enum status status = job_is_busy(core, &planned->lease->job, arena, &busy, &fault);
    bool too_late = planned->ends_wall_ms - core_now_ms(core) <= 0; /* the next round voids it */
    if (status == STATUS_OK && !busy && !too_late)
        status = grant_one(core, planned, arena, &fault);
    if (status != STATUS_OK) {
        log_warning(core->log, "planned lease of job %s: %s", planned->lease->job.text, fault.text);
        return;
    }
    dispatch_wake(dispatch, &planned->lease->home);
    dispatch_wake(dispatch, &planned->lease->host);
}

void dispatch_grant_ready(struct dispatch *dispatch)
{
    struct arena arena;
    struct fault fault;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    if (recovery_waits(dispatch->core))
        return; /* a lease that we forgot may hold those GPUs */
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (lease_list_ready(dispatch->core->store, &arena, &leases, &count, &fault) != STATUS_OK) {
        log_error(dispatch->core->log, "planned leases: %s", fault.text);
        count = 0;
    }
    for (uint32_t i = 0; i < count; i++)
        grant_if_free(dispatch, &leases[i], &arena);
    arena_fini(&arena);
}
