/* The scripted broker: answers everything, remembers what it was told, sends what the test says. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/methods.h"
#include "tests/sim/broker.h"

static const struct empty_message done = {0};
static const struct submit_response taken = {0};

static int index_of(const struct sim *sim, const struct name *member)
{
    for (int p = 0; p < SIM_PEERS; p++)
        if (name_equal(&sim->peers[p].config.member, member))
            return p;
    fail_msg("no peer %s", member->text);
    return 0;
}

/* A deep copy into the test's arena: through the wire. */
static void *keep(struct sim *sim, const struct wire_message *message, const void *domain)
{
    struct bytes bytes;
    void *copy = NULL;
    assert_int_equal(wire_encode(message, domain, &sim->arena, &bytes, NULL), STATUS_OK);
    assert_int_equal(wire_decode(message, bytes, &sim->arena, &copy, NULL), STATUS_OK);
    return copy;
}

static void heartbeat(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct heartbeat_request *request = message;
    int p = index_of(sim, &call->caller.subject.member);
    struct fault fault;
    if (sim->broker.shuts_out[p]) {
        enum status status = fault_set(&fault, STATUS_DENIED, "member %s is revoked",
                                       call->caller.subject.member.text);
        rpc_call_fail(call, status, &fault);
        return;
    }
    struct offer *offer = keep(sim, &message_offer, &request->offer);
    sim->broker.newest[p] = *request;
    sim->broker.newest[p].offer = *offer;
    struct revocation_list list = {.number = 1, .issued_wall_ms = sim->clock.now_wall_ms};
    struct heartbeat_response response = {
        .broker_incarnation = 1,
        .broker_wall_ms = sim->clock.now_wall_ms,
        .round_ms = SIM_LEASE_MS,
        .next_round_in_ms = 1000,
        .heartbeat_every_ms = SIM_HEARTBEAT_MS,
        .lease_keys = &sim->broker.key,
        .lease_key_count = 1,
        .revocations.key_id = sim->broker.key.key_id,
    };
    struct signed_bytes *revocations = &response.revocations;
    assert_int_equal(
        wire_encode(&message_revocation_list, &list, call->arena, &revocations->body, NULL),
        STATUS_OK);
    assert_int_equal(signing_sign(&sim->broker.secret, SIGN_REVOCATIONS, revocations->body,
                                  &revocations->signature, NULL),
                     STATUS_OK);
    rpc_call_reply(call, &response);
}

static void submit(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct submit_request *request = message;
    assert_true(sim->broker.demand_count < SIM_TOLD_MAX);
    struct demand *demand = keep(sim, &message_demand, &request->demand);
    sim->broker.demands[sim->broker.demand_count++] = *demand;
    rpc_call_reply(call, &taken);
}

static void cancel(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct cancel_request *request = message;
    assert_true(sim->broker.cancel_count < SIM_TOLD_MAX);
    sim->broker.cancels[sim->broker.cancel_count++] = *request;
    rpc_call_reply(call, &done);
}

static void report_leases(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct report_leases_request *request = message;
    for (uint32_t r = 0; r < request->report_count; r++) {
        struct lease_report *kept = &sim->broker.reports[sim->broker.report_count++];
        assert_true(sim->broker.report_count < SIM_TOLD_MAX);
        *kept = request->reports[r];
        kept->text = arena_copy_text(&sim->arena, kept->text, strlen(kept->text));
    }
    rpc_call_reply(call, &done);
}

static void report_receipts(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct report_receipts_request *request = message;
    struct receipt_verdict verdicts[RECEIPTS_PER_REPORT_MAX];
    for (uint32_t r = 0; r < request->receipt_count; r++) {
        void *decoded = NULL;
        assert_int_equal(
            wire_decode(&message_receipt, request->receipts[r].body, &sim->arena, &decoded, NULL),
            STATUS_OK);
        const struct receipt *receipt = decoded;
        verdicts[r] = (struct receipt_verdict){receipt->lease, receipt->sequence,
                                               sim->broker.takes_receipts, ""};
        if (!sim->broker.takes_receipts)
            continue;
        sim->broker.receipt_signed[sim->broker.receipt_count] = request->receipts[r].home_signed;
        sim->broker.receipts[sim->broker.receipt_count++] = *receipt;
        assert_true(sim->broker.receipt_count < SIM_TOLD_MAX);
    }
    struct report_receipts_response response = {verdicts, request->receipt_count};
    rpc_call_reply(call, &response);
}

/* --- events */

void sim_broker_push(struct sim *sim)
{
    for (int p = 0; p < SIM_PEERS; p++) {
        uint64_t sequence = 0;
        for (uint32_t e = 0; e < sim->broker.event_count && sim->broker.watchers[p] != NULL; e++) {
            struct sim_outbox *outbox = &sim->broker.events[e];
            if (!name_equal(&outbox->member, &sim->peers[p].config.member))
                continue;
            outbox->event.sequence = ++sequence;
            if (sequence <= sim->broker.watched[p])
                continue;
            sim->broker.watched[p] = sequence;
            rpc_call_send(sim->broker.watchers[p], &outbox->event);
        }
    }
}

static void watch_closed(struct rpc_call *call)
{
    struct sim *sim = call->service;
    for (int p = 0; p < SIM_PEERS; p++)
        if (sim->broker.watchers[p] == call)
            sim->broker.watchers[p] = NULL;
}

static void watch_leases(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct watch_leases_request *request = message;
    int p = index_of(sim, &call->caller.subject.member);
    call->on_closed = watch_closed;
    sim->broker.watchers[p] = call;
    sim->broker.watched[p] = request->after_sequence;
    sim_broker_push(sim);
}

/* --- questions: a member gets its own, as the broker has it */

static void statement_closed(struct rpc_call *call)
{
    struct sim *sim = call->service;
    sim->broker.questions_waiting--;
}

static void statement(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct statement_request *request = message;
    struct ledger_entry entry = {
        .sequence = request->page.after + 1,
        .transaction = 1,
        .posted_wall_ms = sim->clock.now_wall_ms,
        .account = "member/alfa",
        .kind = "deposit",
        .reference = "start",
    };
    struct statement_response response = {
        .member = call->caller.subject.member,
        .opening = {1},
        .closing = {2},
        .entries = &entry,
        .entry_count = 1,
        .next_after = entry.sequence < 3 ? entry.sequence : 0,
    };
    if (sim->broker.keeps_waiting) {
        sim->broker.questions_waiting++;
        call->on_closed = statement_closed;
    } else {
        rpc_call_reply(call, &response);
    }
}

static void explain(struct rpc_call *call, const void *message)
{
    struct sim *sim = call->service;
    const struct explain_request *request = message;
    const struct demand *demand = sim_demand(sim, request->job);
    struct explain_response response = {.job = request->job, .summary = "Nobody offers enough."};
    struct fault fault;
    if (demand != NULL && name_equal(&demand->home, &call->caller.subject.member)) {
        rpc_call_reply(call, &response);
        return;
    }
    enum status status = fault_set(&fault, STATUS_DENIED, "job %s is not of %s", request->job.text,
                                   call->caller.subject.member.text);
    rpc_call_fail(call, status, &fault);
}

static const struct rpc_handler handlers[] = {
    {&method_heartbeat, heartbeat},
    {&method_submit, submit},
    {&method_cancel, cancel},
    {&method_report_leases, report_leases},
    {&method_watch_leases, watch_leases},
    {&method_report_receipts, report_receipts},
    {&method_statement, statement},
    {&method_explain, explain},
};

void sim_broker_open(struct sim *sim)
{
    struct sim_broker *broker = &sim->broker;
    assert_int_equal(signing_make(&broker->secret, &broker->key.key, NULL), STATUS_OK);
    signing_key_id(&broker->key.key, &broker->key.key_id);
    broker->takes_receipts = true;
    broker->listener = (struct sim_listener){
        .address = "broker:1",
        .handlers = handlers,
        .handler_count = sizeof handlers / sizeof handlers[0],
        .service = sim,
    };
    sim_listen(&sim->network, &broker->listener);
}

/* --- what the test says */

static void post(struct sim *sim, const struct name *member, const struct lease_event *event)
{
    assert_true(sim->broker.event_count < SIM_EVENTS_MAX);
    sim->broker.events[sim->broker.event_count++] = (struct sim_outbox){*member, *event};
}

static void post_both(struct sim *sim, const struct lease *lease, const struct lease_event *event)
{
    post(sim, &lease->home, event);
    if (!name_equal(&lease->home, &lease->host))
        post(sim, &lease->host, event);
    sim_broker_push(sim);
}

void sim_sign_lease(struct sim *sim, const struct lease *lease, struct signed_bytes *signed_lease)
{
    signed_lease->key_id = sim->broker.key.key_id;
    assert_int_equal(wire_encode(&message_lease, lease, &sim->arena, &signed_lease->body, NULL),
                     STATUS_OK);
    assert_int_equal(signing_sign(&sim->broker.secret, SIGN_LEASE, signed_lease->body,
                                  &signed_lease->signature, NULL),
                     STATUS_OK);
}

static struct sim_peer *peer_of(struct sim *sim, const struct name *member)
{
    return &sim->peers[index_of(sim, member)];
}

struct lease sim_make_lease(struct sim *sim, struct name job, struct sim_peer *host, uint64_t gpus,
                            struct signed_bytes *signed_lease)
{
    const struct demand *demand = sim_demand(sim, job);
    assert_non_null(demand);
    struct sim_peer *home = peer_of(sim, &demand->home);
    struct lease_node *node = arena_alloc(&sim->arena, 1, sizeof *node);
    *node = (struct lease_node){0, gpus};
    struct lease lease = {
        .id = {1, ++sim->broker.round, 1},
        .job = job,
        .home = demand->home,
        .host = host->config.member,
        .gpu = host->pool.gpu,
        .home_incarnation = spool_incarnation(home->spool),
        .host_incarnation = spool_incarnation(host->spool),
        .nodes = node,
        .node_count = 1,
        .gpu_count = (uint32_t)__builtin_popcountll(gpus),
        .bundle_digest = demand->bundle_digest,
        .price = {1000000},
        .predicted_examples_per_second = SIM_PREDICTED,
        .cap = {1000000000},
        .duration_ms = SIM_LEASE_MS,
        .holdover_ms = SIM_HOLDOVER_MS,
        .accept_from_wall_ms = sim->clock.now_wall_ms - 1000,
        .accept_until_wall_ms = sim->clock.now_wall_ms + 5000,
        .home_key = home->identity.key,
        .host_key = host->identity.key,
    };
    snprintf(lease.home_address, sizeof lease.home_address, "%s", home->listener.address);
    snprintf(lease.host_address, sizeof lease.host_address, "%s", host->listener.address);
    sim_sign_lease(sim, &lease, signed_lease);
    return lease;
}

struct lease_id sim_grant(struct sim *sim, struct name job, struct sim_peer *host, uint64_t gpus)
{
    struct lease_event event = {.kind = LEASE_EVENT_GRANT, .reason = ""};
    struct lease lease = sim_make_lease(sim, job, host, gpus, &event.signed_lease);
    event.lease = lease.id;
    post_both(sim, &lease, &event);
    return lease.id;
}

static const struct lease *find_lease(struct sim *sim, struct lease_id id)
{
    for (uint32_t e = 0; e < sim->broker.event_count; e++) {
        const struct lease_event *event = &sim->broker.events[e].event;
        void *decoded = NULL;
        if (event->kind != LEASE_EVENT_GRANT || !lease_id_equal(event->lease, id))
            continue;
        assert_int_equal(
            wire_decode(&message_lease, event->signed_lease.body, &sim->arena, &decoded, NULL),
            STATUS_OK);
        return decoded;
    }
    fail_msg("no such lease was granted");
    return NULL;
}

struct lease_id sim_renew(struct sim *sim, struct lease_id old, int64_t starts_in_ms)
{
    struct lease_event event = {.kind = LEASE_EVENT_GRANT, .reason = ""};
    struct lease lease = *find_lease(sim, old);
    lease.continues = old;
    lease.id = (struct lease_id){1, ++sim->broker.round, 1};
    lease.starts_in_ms = starts_in_ms;
    lease.accept_from_wall_ms = sim->clock.now_wall_ms - 1000;
    lease.accept_until_wall_ms = sim->clock.now_wall_ms + 5000;
    sim_sign_lease(sim, &lease, &event.signed_lease);
    event.lease = lease.id;
    post_both(sim, &lease, &event);
    return lease.id;
}

void sim_say(struct sim *sim, struct lease_id id, enum lease_event_kind kind)
{
    struct lease_event event = {
        .kind = kind, .lease = id, .grace_ms = SIM_GRACE_MS, .reason = "the test says so"};
    post_both(sim, find_lease(sim, id), &event);
}

/* --- what it was told */

const struct demand *sim_demand(const struct sim *sim, struct name job)
{
    for (uint32_t d = sim->broker.demand_count; d > 0; d--)
        if (name_equal(&sim->broker.demands[d - 1].job, &job))
            return &sim->broker.demands[d - 1];
    return NULL;
}

uint32_t sim_reports(const struct sim *sim, struct lease_id lease, enum lease_report_kind kind)
{
    uint32_t count = 0;
    for (uint32_t r = 0; r < sim->broker.report_count; r++)
        count += sim->broker.reports[r].kind == kind &&
                 lease_id_equal(sim->broker.reports[r].lease, lease);
    return count;
}

static int find_receipt(const struct sim *sim, struct lease_id lease, uint32_t sequence)
{
    for (uint32_t r = 0; r < sim->broker.receipt_count; r++)
        if (lease_id_equal(sim->broker.receipts[r].lease, lease) &&
            sim->broker.receipts[r].sequence == sequence)
            return (int)r;
    return -1;
}

const struct receipt *sim_receipt(const struct sim *sim, struct lease_id lease, uint32_t sequence)
{
    int found = find_receipt(sim, lease, sequence);
    return found >= 0 ? &sim->broker.receipts[found] : NULL;
}

bool sim_receipt_signed(const struct sim *sim, struct lease_id lease, uint32_t sequence)
{
    int found = find_receipt(sim, lease, sequence);
    return found >= 0 && sim->broker.receipt_signed[found];
}

bool sim_cancelled(const struct sim *sim, struct name job, bool completed)
{
    for (uint32_t c = 0; c < sim->broker.cancel_count; c++)
        if (name_equal(&sim->broker.cancels[c].job, &job) &&
            sim->broker.cancels[c].completed == completed)
            return true;
    return false;
}
