/*
 * Fixture: a broker in one process on a simulated clock and an in-memory store, spoken to through
 * its handlers as members and operators would. No socket, no thread: rounds are opened, solved and
 * finished by hand.
 */
#ifndef ENTENTE_TESTS_BROKER_BROKER_FIXTURE_H
#define ENTENTE_TESTS_BROKER_BROKER_FIXTURE_H

#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/daemon.h"
#include "broker/money/ledger.h"
#include "broker/services/service.h"
#include "broker/store/demands.h"
#include "broker/store/events.h"
#include "broker/store/rounds.h"
#include "proto/wire/methods.h"

/* A moment just after an epoch's end: 2026-11-23, a multiple of the 60 s round. */
#define FED_START_WALL_MS INT64_C(1795392000000)

enum {
    FED_ROUND_MS = 60000,
    FED_LEAD_MS = 6000,
    FED_HEARTBEAT_MS = 5000,
    FED_GRACE_MS = 10000,
    FED_HOLDOVER_MS = 3600000,
    FED_MEMBERS_MAX = 4,
    FED_POOLS_MAX = 2
};

/* One member as its peer would keep it: what it offers, in plain words. */
struct fed_member {
    struct name name;
    struct pool_offer pools[FED_POOLS_MAX];
    struct offer_node nodes[FED_POOLS_MAX];
    uint32_t pool_count;
    uint64_t incarnation;
};

struct fed {
    struct clock_simulated clock;
    struct broker_config config;
    struct throughput_row throughputs[4];
    struct log log;
    struct daemon daemon;
    struct fed_member members[FED_MEMBERS_MAX];
    uint32_t member_count;
    struct round *round; /* the newest finished */
    struct arena arena;  /* the test's own */
    struct fault fault;
    uint32_t requests;
};

/* --- a call without a carrier */

struct fed_call {
    struct rpc_call call; /* first */
    struct arena arena;
    enum status status;
    bool finished;
    void *response; /* a copy; pointers in it live as long as the call */
    char text[FAULT_TEXT_MAX];
    uint32_t sent;
    struct lease_event events[64]; /* what a stream sent; texts and bytes are not kept */
};

static void fed_call_send(struct rpc_call *call, const void *response)
{
    struct fed_call *fed_call = (struct fed_call *)(void *)call;
    assert_true(fed_call->sent < 64);
    fed_call->events[fed_call->sent++] = *(const struct lease_event *)response;
}

static void fed_call_finish(struct rpc_call *call, const void *response, enum status status,
                            const char *text)
{
    struct fed_call *fed_call = (struct fed_call *)(void *)call;
    assert_false(fed_call->finished);
    fed_call->finished = true;
    fed_call->status = status;
    snprintf(fed_call->text, sizeof fed_call->text, "%s", text == NULL ? "" : text);
    if (response != NULL)
        fed_call->response =
            arena_copy(&fed_call->arena, response, wire_message_size(call->method->response));
}

static const struct rpc_call_operations fed_call_operations = {fed_call_send, fed_call_finish};

/* Calls a handler as that member (NULL: the operator). fed_done() when the answer was read. */
static inline struct fed_call *fed_ask(struct fed *fed, const struct name *member,
                                       const struct wire_method *method,
                                       void (*handler)(struct rpc_call *, const void *),
                                       const void *request)
{
    struct fed_call *call = calloc(1, sizeof *call);
    assert_non_null(call);
    arena_init(&call->arena, ARENA_MESSAGE_BYTES);
    call->call.operations = &fed_call_operations;
    call->call.method = method;
    call->call.arena = &call->arena;
    call->call.service = &fed->daemon;
    call->call.caller.authenticated = true;
    call->call.caller.local = member == NULL;
    if (member != NULL) {
        call->call.caller.subject.role = IDENTITY_MEMBER;
        call->call.caller.subject.federation = fed->config.federation;
        call->call.caller.subject.member = *member;
    }
    handler(&call->call, request);
    return call;
}

static inline void fed_done(struct fed_call *call)
{
    if (call->call.on_closed != NULL)
        call->call.on_closed(&call->call);
    arena_fini(&call->arena);
    free(call);
}

/* Calls and expects that status. */
static inline void fed_expect(struct fed *fed, enum status status, const struct name *member,
                              const struct wire_method *method,
                              void (*handler)(struct rpc_call *, const void *), const void *request)
{
    struct fed_call *call = fed_ask(fed, member, method, handler, request);
    assert_true(call->finished);
    if (call->status != status)
        fail_msg("%s: %s, not %s: %s", method->path, status_name(call->status), status_name(status),
                 call->text);
    fed_done(call);
}

/* --- the federation */

static inline struct name fed_name(const char *text)
{
    struct name name = {0};
    snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

static inline void fed_on_commit(void *context)
{
    (void)context;
}

static inline int fed_open(void **state)
{
    struct fed *fed = calloc(1, sizeof *fed);
    assert_non_null(fed);
    clock_simulated_init(&fed->clock, FED_START_WALL_MS);
    fed->clock.now_boot_ms = 1000000;
    fed->log = (struct log){.fd = -1, .clock = &fed->clock.clock, .component = "test"};
    fed->throughputs[0] = (struct throughput_row){fed_name("net"), fed_name("a100"), 1, 100.0};
    fed->throughputs[1] = (struct throughput_row){fed_name("net"), fed_name("v100"), 1, 50.0};
    assert_ok(throughput_table_prepare(fed->throughputs, 2, &fed->fault));
    fed->config = (struct broker_config){
        .federation = fed_name("demo"),
        .public_host = "localhost",
        .operator_gid = -1,
        .round_ms = FED_ROUND_MS,
        .lead_ms = FED_LEAD_MS,
        .interim_delay_ms = 1000,
        .heartbeat_ms = FED_HEARTBEAT_MS,
        .holdover_ms = FED_HOLDOVER_MS,
        .grace_ms = FED_GRACE_MS,
        .skew_ms_max = 5000,
        .accept_within_ms = 30000,
        .member_certificate_ms = 3600000,
        .broker_certificate_ms = 3600000,
        .intermediate_certificate_ms = 36000000,
        .root_certificate_ms = 360000000,
        .mechanism = &mechanisms[0],
        .jobs_per_member_max = 3,
        .calls_per_second_max = CALL_RATE_DEFAULT,
        .gpus_per_job_max = 8,
        .enrolments_per_minute_max = 10,
        .quarantine_failures = 3,
        .quarantine_window_ms = 600000,
        .quarantine_pause_ms = 900000,
        .settlement_period_ms = INT64_C(30) * 24 * 3600 * 1000,
        .settlement_due_ms = INT64_C(14) * 24 * 3600 * 1000,
        .restart_seconds = 2.0,
        .transfer_bytes_per_second = 1e9,
        .throughputs = {.rows = fed->throughputs, .row_count = 2},
    };
    struct store *store = NULL;
    struct signing_secret secret;
    struct signing_key key;
    assert_ok(store_open("", STORE_MEMORY, &store, &fed->fault));
    assert_ok(signing_make(&secret, &key, &fed->fault));
    fed->daemon.config = &fed->config;
    assert_ok(core_open(&fed->daemon.core, &fed->config, &fed->clock.clock, &fed->log, store,
                        &secret, &fed->fault));
    arena_init(&fed->arena, ARENA_ROUND_BYTES);
    arena_init(&fed->daemon.revocations_arena, ARENA_MESSAGE_BYTES);
    assert_ok(daemon_sign_revocations(&fed->daemon, false, &fed->fault));
    assert_ok(rpc_loop_open(&fed->daemon.loop, &fed->clock.clock, &fed->log, &fed->fault));
    assert_ok(worker_open(&fed->daemon.worker, fed->daemon.loop, &fed->fault));
    assert_ok(worker_open(&fed->daemon.advisor, fed->daemon.loop, &fed->fault));
    dispatch_init(&fed->daemon.dispatch, &fed->daemon.core);
    rounds_start(&fed->daemon.rounds, &fed->daemon.core, fed->daemon.loop, fed->daemon.worker,
                 fed_on_commit, NULL);
    *state = fed;
    return 0;
}

static inline int fed_close(void **state)
{
    struct fed *fed = *state;
    round_close(fed->round);
    worker_close(fed->daemon.advisor);
    worker_close(fed->daemon.worker);
    rounds_stop(&fed->daemon.rounds);
    dispatch_fini(&fed->daemon.dispatch);
    call_rates_fini(&fed->daemon.call_rates);
    rpc_loop_close(fed->daemon.loop);
    arena_fini(&fed->daemon.revocations_arena);
    core_close(&fed->daemon.core);
    free(fed->daemon.authority);
    arena_fini(&fed->arena);
    free(fed);
    return 0;
}

static inline void fed_advance(struct fed *fed, int64_t ms)
{
    clock_simulated_advance(&fed->clock, ms);
}

/* An active member with that much money; offers nothing yet. */
static inline struct fed_member *fed_add(struct fed *fed, const char *name, int64_t credits)
{
    struct fed_member *member = &fed->members[fed->member_count++];
    struct store *store = fed->daemon.core.store;
    member->name = fed_name(name);
    member->incarnation = 1;
    struct store_member record = {
        .member = member->name, .state = MEMBER_ACTIVE, .joined_wall_ms = FED_START_WALL_MS};
    memset(record.signing_key.bytes, 7, sizeof record.signing_key.bytes);
    memset(record.request_key.bytes, 9, sizeof record.request_key.bytes);
    assert_ok(store_begin(store, &fed->fault));
    assert_ok(store_member_add(store, &record, &fed->fault));
    if (credits > 0)
        assert_ok(ledger_deposit(store, &member->name,
                                 (struct credits){credits * MICROS_PER_CREDIT}, "start",
                                 FED_START_WALL_MS, &fed->fault));
    assert_ok(store_commit(store, &fed->fault));
    return member;
}

/* One node of `gpus` free GPUs of a kind at that cost. */
static inline void fed_pool(struct fed_member *member, const char *gpu, uint32_t gpus, double cost)
{
    uint32_t at = member->pool_count++;
    member->nodes[at] = (struct offer_node){.free_gpus = (UINT64_C(1) << gpus) - 1};
    member->pools[at] = (struct pool_offer){
        .gpu = fed_name(gpu),
        .gpus_per_node = gpus,
        .node_count = 1,
        .nodes = &member->nodes[at],
        .foreign_gpus_max = UINT32_MAX,
        .enforces_limits = true,
    };
    assert_true(price_from_double(cost, &member->pools[at].cost));
}

static inline struct heartbeat_request fed_heartbeat(struct fed *fed,
                                                     const struct fed_member *member)
{
    struct heartbeat_request request = {
        .offer = {.member = member->name,
                  .incarnation = member->incarnation,
                  .pool_count = member->pool_count,
                  .default_affinity_ppm = PPM,
                  .budget_per_round = {-1},
                  .peer_address = "127.0.0.1:7700"},
        .sent_wall_ms = fed->clock.now_wall_ms,
        .version = "0.1.0",
    };
    request.offer.pools = (struct pool_offer *)(uintptr_t)member->pools;
    return request;
}

static inline void fed_beat(struct fed *fed, const struct fed_member *member)
{
    struct heartbeat_request request = fed_heartbeat(fed, member);
    fed_expect(fed, STATUS_OK, &member->name, &method_heartbeat, service_heartbeat, &request);
}

static inline void fed_beat_all(struct fed *fed)
{
    for (uint32_t i = 0; i < fed->member_count; i++)
        fed_beat(fed, &fed->members[i]);
}

/* A job of model "net" that wants exactly so many GPUs, worth `value` credits an example. */
static inline struct submit_request fed_job(struct fed *fed, const struct fed_member *home,
                                            const char *job, uint32_t gpus, double value)
{
    struct submit_request request = {
        .issued_wall_ms = fed->clock.now_wall_ms,
        .demand = {.job = fed_name(job),
                   .home = home->name,
                   .model = fed_name("net"),
                   .gpus_min = gpus,
                   .gpus_max = gpus,
                   .batch = 32,
                   .one_node = true,
                   .value_nanos_per_example = (int64_t)(value * 1e9),
                   .work_left_examples = 1e9,
                   .bundle_bytes = 1000,
                   .submitted_wall_ms = fed->clock.now_wall_ms},
    };
    fed->requests++;
    memcpy(request.request_key.bytes, &fed->requests, sizeof fed->requests);
    request.request_key.bytes[31] = 1;
    memset(request.demand.bundle_digest.bytes, 5, DIGEST_BYTES);
    return request;
}

static inline void fed_submit(struct fed *fed, const struct fed_member *home, const char *job,
                              uint32_t gpus, double value)
{
    struct submit_request request = fed_job(fed, home, job, gpus, value);
    fed_expect(fed, STATUS_OK, &home->name, &method_submit, service_submit, &request);
}

/* One round now, to its commit. */
static inline struct round *fed_round(struct fed *fed)
{
    round_close(fed->round);
    fed->round = NULL;
    struct round *round = NULL;
    assert_ok(round_open(&fed->daemon.core, false, NULL, &round, &fed->fault));
    round_solve(round);
    if (round_finish(&fed->daemon.core, round, &fed->fault) != STATUS_OK)
        fail_msg("round: %s", fed->fault.text);
    dispatch_grant_ready(&fed->daemon.dispatch);
    fed->round = round;
    return round;
}

/* The newest lease of a job; fails where it never had one. */
static inline struct store_lease fed_lease(struct fed *fed, const char *job)
{
    struct store_lease lease;
    struct name name = fed_name(job);
    assert_ok(store_lease_newest(fed->daemon.core.store, &name, &fed->arena, &lease, &fed->fault));
    return lease;
}

static inline bool fed_has_lease(struct fed *fed, const char *job)
{
    struct store_lease lease;
    struct name name = fed_name(job);
    return store_lease_newest(fed->daemon.core.store, &name, &fed->arena, &lease, NULL) ==
           STATUS_OK;
}

/* Its host reports of a lease. */
static inline void fed_report(struct fed *fed, const struct store_lease *lease,
                              enum lease_report_kind kind)
{
    struct lease_report report = {.lease = lease->lease->id, .kind = kind, .text = "as asked"};
    struct report_leases_request request = {.reports = &report, .report_count = 1};
    fed_expect(fed, STATUS_OK, &lease->lease->host, &method_report_leases, service_report_leases,
               &request);
}

/* A member's offer says that a lease's GPUs are in use, or free again. */
static inline void fed_occupy(struct fed_member *host, const struct store_lease *lease, bool used)
{
    for (uint32_t p = 0; p < host->pool_count; p++) {
        if (!name_equal(&host->pools[p].gpu, &lease->lease->gpu))
            continue;
        struct offer_node *node = &host->nodes[p];
        uint64_t gpus = lease->lease->nodes[0].gpus;
        node->free_gpus = used ? node->free_gpus & ~gpus : node->free_gpus | gpus;
        node->leased_gpus = used ? node->leased_gpus | gpus : node->leased_gpus & ~gpus;
    }
}

/* Starts what was granted: the host reports it running, its next offer says so. */
static inline struct store_lease fed_start(struct fed *fed, struct fed_member *host,
                                           const char *job)
{
    struct store_lease lease = fed_lease(fed, job);
    assert_int_equal(lease.state, LEASE_STATE_GRANTED);
    fed_report(fed, &lease, LEASE_REPORT_RUNNING);
    fed_occupy(host, &lease, true);
    fed_beat(fed, host);
    return fed_lease(fed, job);
}

/* To the lead before the end of the present epoch: when the full round runs. */
static inline void fed_to_full_round(struct fed *fed)
{
    int64_t now_ms = core_now_ms(&fed->daemon.core);
    fed_advance(fed, epoch_next_full_ms(now_ms, FED_ROUND_MS, FED_LEAD_MS) - now_ms);
    fed_beat_all(fed);
}

#endif
