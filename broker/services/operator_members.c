/*
 * Operator, members: tokens, who is admitted, suspended or revoked, deposits and credit limits.
 *
 * Suspended: no new leases, running ones finish. Revoked: running leases stop after the grace,
 * streams are cut, the numbered revocation list goes out with the next heartbeats; receipts of it
 * stay payable.
 */
#include "broker/daemon.h"
#include "broker/money/ledger.h"
#include "broker/listing.h"
#include "broker/request.h"
#include "broker/services/service.h"
#include "broker/store/demands.h"
#include "broker/token.h"

#include <stdio.h>
#include <string.h>

void service_token_create(struct rpc_call *call, const void *message)
{
    const struct token_create_request *request = message;
    struct daemon *daemon = daemon_of(call);
    struct store *store = daemon->core.store;
    struct fault fault = {0};
    struct join_token token;
    char text[TOKEN_BYTES_MAX];
    char address[ADDRESS_BYTES_MAX + 1];
    int64_t now_ms = core_now_ms(&daemon->core);
    enum status status = store_begin(store, &fault);
    if (status == STATUS_OK)
        status = token_create(store, &daemon->authority->pin, &request->member, now_ms,
                              request->ttl_ms, request->approved, &token, &fault);
    if (status == STATUS_OK)
        status = store_commit(store, &fault);
    store_rollback(store);
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &fault);
        return;
    }
    snprintf(address, sizeof address, "%.240s:%d", daemon->config->public_host,
             daemon->enrolment_port);
    struct token_create_response response = {
        .token = join_token_format(&token, text),
        .enrol_address = address,
        .expires_wall_ms = now_ms + request->ttl_ms,
    };
    log_info(daemon->core.log, "made a join token for member %s", request->member.text);
    rpc_call_reply(call, &response);
    explicit_bzero(text, sizeof text);
    explicit_bzero(&token, sizeof token);
}

void service_member_list(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct members_response response = {0};
    (void)request;
    enum status status = listing_members(&daemon_of(call)->core, call->arena, &response, &fault);
    service_answer(call, status, &response, &fault);
}

/* --- states */

struct acting {
    struct daemon *daemon;
    struct arena *arena;
    const struct member_action_request *request;
    struct store_member member;
    struct fault *fault;
};

/* The one table of moves; false for a pair that is not listed. */
static bool next_state(enum member_state state, enum member_action action, enum member_state *next)
{
    static const struct {
        enum member_state from;
        enum member_action action;
        enum member_state to;
    } moves[] = {
        {MEMBER_PENDING, MEMBER_APPROVE, MEMBER_ACTIVE},
        {MEMBER_ACTIVE, MEMBER_SUSPEND, MEMBER_SUSPENDED},
        {MEMBER_SUSPENDED, MEMBER_RESUME, MEMBER_ACTIVE},
        {MEMBER_PENDING, MEMBER_REVOKE, MEMBER_REVOKED},
        {MEMBER_ACTIVE, MEMBER_REVOKE, MEMBER_REVOKED},
        {MEMBER_SUSPENDED, MEMBER_REVOKE, MEMBER_REVOKED},
    };
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (moves[i].from == state && moves[i].action == action) {
            *next = moves[i].to;
            return true;
        }
    return false;
}

static const char *action_name(enum member_action action)
{
    static const char *const names[MEMBER_ACTION_COUNT] = {"approve", "suspend", "resume",
                                                           "revoke"};
    return names[action];
}

/* A revoked member's leases, as home or host, stop; what is only planned is void. */
static enum status stop_leases(const struct acting *acting)
{
    const struct core *core = &acting->daemon->core;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    enum status status = store_lease_list_open(
        core->store, LEASE_STATES_HOLDING | LEASE_STATE_BIT(LEASE_STATE_PLANNED), acting->arena,
        &leases, &count, acting->fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct lease *lease = leases[i].lease;
        if (!name_equal(&lease->home, &acting->request->member) &&
            !name_equal(&lease->host, &acting->request->member))
            continue;
        if (leases[i].state == LEASE_STATE_PLANNED)
            status = lease_void(core->store, lease->id, "a member of it was revoked",
                                core_now_ms(core), acting->fault);
        else
            status = lease_end(core->store, lease->id, LEASE_EVENT_STOP, core->config->grace_ms,
                               "a member of it was revoked", acting->fault);
    }
    return status;
}

static enum status end_demands(const struct acting *acting)
{
    const struct core *core = &acting->daemon->core;
    struct store_demand *demands = NULL;
    uint32_t count = 0;
    enum status status =
        store_demand_list_open(core->store, acting->arena, &demands, &count, acting->fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        if (name_equal(&demands[i].demand->home, &acting->request->member))
            status = store_demand_end(core->store, &demands[i].demand->job, DEMAND_CANCELLED,
                                      core_now_ms(core), acting->fault);
    return status;
}

static enum status act(struct acting *acting)
{
    struct store *store = acting->daemon->core.store;
    const struct name *name = &acting->request->member;
    enum member_state next;
    enum status status = store_member_find(store, name, &acting->member, acting->fault);
    if (status != STATUS_OK)
        return status;
    if (!next_state(acting->member.state, acting->request->action, &next))
        return fault_set(acting->fault, STATUS_PRECONDITION, "can't %s member %s: it is %s",
                         action_name(acting->request->action), name->text,
                         member_state_name(acting->member.state));
    status = store_member_set_state(store, name, next, acting->fault);
    if (status != STATUS_OK || next != MEMBER_REVOKED)
        return status;
    status = stop_leases(acting);
    if (status == STATUS_OK)
        status = end_demands(acting);
    return status == STATUS_OK ? daemon_sign_revocations(acting->daemon, true, acting->fault)
                               : status;
}

static void follow_action(const struct acting *acting)
{
    struct daemon *daemon = acting->daemon;
    const struct name *name = &acting->request->member;
    log_info(daemon->core.log, "%s member %s", action_name(acting->request->action), name->text);
    if (acting->request->action == MEMBER_REVOKE) {
        dispatch_drop(&daemon->dispatch, name);
        if (daemon->members != NULL) /* NULL in a simulation, which has no sockets */
            rpc_server_cancel_member(daemon->members, name);
        registry_forget(&daemon->core.registry, name);
        dispatch_wake_all(&daemon->dispatch);
    }
    rounds_poke(&daemon->rounds);
}

enum status service_act_on_member(struct daemon *daemon,
                                  const struct member_action_request *request, struct arena *arena,
                                  struct fault *fault)
{
    struct acting acting = {.daemon = daemon, .arena = arena, .request = request, .fault = fault};
    struct store *store = daemon->core.store;
    enum status status = store_begin(store, fault);
    if (status == STATUS_OK)
        status = act(&acting);
    if (status == STATUS_OK)
        status = store_commit(store, fault);
    store_rollback(store);
    if (status == STATUS_OK)
        follow_action(&acting);
    return status;
}

void service_member_action(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct empty_message response = {0};
    enum status status = service_act_on_member(daemon_of(call), request, call->arena, &fault);
    service_answer(call, status, &response, &fault);
}

/* --- money */

static enum status apply_credit(struct daemon *daemon, const struct credit_request *request,
                                struct fault *fault)
{
    struct store *store = daemon->core.store;
    struct store_request record = {.key = request->request_key,
                                   .issued_wall_ms = clock_wall_ms(daemon->core.clock)};
    struct digest_state state;
    bool repeated = false;
    digest_begin(&state);
    digest_add(&state, request->member.text, sizeof request->member.text);
    digest_add(&state, &request->amount.micros, sizeof request->amount.micros);
    digest_add(&state, request->set_limit ? "L" : "D", 1);
    digest_end(&state, &record.content);
    enum status status =
        request_admit(store, &record, clock_wall_ms(daemon->core.clock), &repeated, fault);
    if (status != STATUS_OK || repeated)
        return status;
    if (!request->set_limit)
        return ledger_deposit(store, &request->member, request->amount, request->reference,
                              core_now_ms(&daemon->core), fault);
    if (request->amount.micros < 0)
        return fault_set(fault, STATUS_INVALID, "a credit limit is 0 or more");
    return store_member_set_credit_limit(store, &request->member, request->amount, fault);
}

void service_member_credit(struct rpc_call *call, const void *message)
{
    const struct credit_request *request = message;
    struct daemon *daemon = daemon_of(call);
    struct store *store = daemon->core.store;
    struct fault fault = {0};
    struct empty_message response = {0};
    char amount[CREDITS_TEXT_MAX];
    enum status status = store_begin(store, &fault);
    if (status == STATUS_OK)
        status = apply_credit(daemon, request, &fault);
    if (status == STATUS_OK)
        status = store_commit(store, &fault);
    store_rollback(store);
    if (status == STATUS_OK) {
        log_info(daemon->core.log, "operator: %s of member %s: %s credits",
                 request->set_limit ? "credit limit" : "deposit", request->member.text,
                 credits_format(request->amount, amount));
        rounds_poke(&daemon->rounds);
    }
    service_answer(call, status, &response, &fault);
}
