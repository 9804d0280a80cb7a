/*
 * Leases: the stream of lease events, hosts' reports of their leases, and receipts.
 *
 * Each report and each receipt is its own transaction: one that is refused does not hold up the
 * others. A report of a lease the broker doesn't know, or that its state doesn't allow, is logged
 * and passed over: sending it again could not help.
 */
#include "broker/daemon.h"
#include "broker/services/service.h"
#include "proto/wire/methods.h"
#include "broker/money/settle.h"
#include "broker/store/demands.h"

void service_watch_leases(struct rpc_call *call, const void *message)
{
    const struct watch_leases_request *request = message;
    dispatch_watch(&daemon_of(call)->dispatch, call, caller_of(call), request->after_sequence);
}

/* --- reports */

struct reporting {
    struct daemon *daemon;
    const struct name *member;
    const struct lease_report *report;
    struct arena *arena;
    struct store_lease lease;
    struct fault *fault;
};

static enum status write_report(const struct reporting *reporting)
{
    struct store *store = reporting->daemon->core.store;
    const struct lease_report *report = reporting->report;
    enum status status = store_begin(store, reporting->fault);
    if (status == STATUS_OK)
        status = lease_report(store, reporting->member, report,
                              core_now_ms(&reporting->daemon->core), reporting->fault);
    if (status == STATUS_OK && report->examples_per_second > 0) {
        status = store_demand_set_measured(store, &reporting->lease.lease->job,
                                           report->examples_per_second, reporting->fault);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = store_commit(store, reporting->fault);
    store_rollback(store);
    return status;
}

/* What the rest of the daemon makes of it. */
static void follow_report(const struct reporting *reporting)
{
    struct daemon *daemon = reporting->daemon;
    const struct lease *lease = reporting->lease.lease;
    switch (reporting->report->kind) {
    case LEASE_REPORT_RUNNING:
        rounds_succeeded(&daemon->rounds, &lease->job);
        health_start_worked(&daemon->rounds.health, lease);
        break;
    case LEASE_REPORT_REFUSED:
        if (!lease_id_none(lease->continues))
            break; /* its job ended before the renewal began: nothing failed */
        log_info(daemon->core.log, "job %s not started at %s: %s", lease->job.text,
                 lease->host.text, reporting->report->text);
        rounds_failed(&daemon->rounds, lease,
                      name_equal(reporting->member, &lease->host) &&
                          !name_equal(&lease->home, &lease->host),
                      reporting->report->text);
        break;
    case LEASE_REPORT_RELEASED:
        registry_release(&daemon->core.registry, &lease->host, &lease->gpu, lease->nodes,
                         lease->node_count);
        rounds_released(&daemon->rounds, &lease->job);
        rounds_poke(&daemon->rounds);
        break;
    case LEASE_REPORT_KIND_COUNT: break;
    }
    dispatch_wake(&daemon->dispatch, &lease->home);
    dispatch_wake(&daemon->dispatch, &lease->host);
}

static enum status take_report(struct reporting *reporting)
{
    char id[LEASE_ID_TEXT_MAX];
    enum status status = store_lease_find(reporting->daemon->core.store, reporting->report->lease,
                                          reporting->arena, &reporting->lease, reporting->fault);
    if (status == STATUS_OK)
        status = write_report(reporting);
    if (status == STATUS_OK) {
        follow_report(reporting);
        return STATUS_OK;
    }
    log_warning(reporting->daemon->core.log, "report of lease %s by %s: %s",
                lease_id_format(reporting->report->lease, id), reporting->member->text,
                reporting->fault->text);
    bool passed_over = status == STATUS_NOT_FOUND || status == STATUS_PRECONDITION;
    return passed_over ? STATUS_OK : status;
}

void service_report_leases(struct rpc_call *call, const void *message)
{
    const struct report_leases_request *request = message;
    struct daemon *daemon = daemon_of(call);
    struct fault fault = {0};
    struct empty_message response = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < request->report_count; i++) {
        struct reporting reporting = {
            .daemon = daemon,
            .member = caller_of(call),
            .report = &request->reports[i],
            .arena = call->arena,
            .fault = &fault,
        };
        status = take_report(&reporting);
    }
    dispatch_grant_ready(&daemon->dispatch);
    service_answer(call, status, &response, &fault);
}

/* --- receipts */

/* How fast the job ran is part of what was settled. */
static enum status learn_from(struct daemon *daemon, const struct signed_receipt *signed_receipt,
                              bool *learned, struct fault *fault)
{
    struct arena arena;
    void *receipt = NULL;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        wire_decode(&message_receipt, signed_receipt->body, &arena, &receipt, fault);
    if (status == STATUS_OK)
        status = learning_take_receipt(&daemon->core, receipt, signed_receipt->home_signed, learned,
                                       fault);
    arena_fini(&arena);
    return status;
}

static enum status take_receipt(struct daemon *daemon, const struct name *member,
                                const struct signed_receipt *receipt,
                                struct settle_verdict *verdict, struct fault *fault)
{
    struct store *store = daemon->core.store;
    struct lease_limits limits = core_lease_limits(&daemon->core);
    bool learned = false;
    enum status status = store_begin(store, fault);
    if (status == STATUS_OK)
        status = settle_receipt(store, member, receipt, &limits, core_now_ms(&daemon->core),
                                verdict, fault);
    if (status == STATUS_OK && verdict->accepted)
        status = learn_from(daemon, receipt, &learned, fault);
    if (status == STATUS_OK)
        status = store_commit(store, fault);
    store_rollback(store);
    if (status == STATUS_OK && learned)
        learning_poke(&daemon->learning);
    if (status == STATUS_OK && !verdict->accepted)
        log_warning(daemon->core.log, "receipt of %s not accepted: %s", member->text,
                    verdict->reason);
    return status;
}

/* How the use of a lease ended says something of its pool. */
static void note_use(struct daemon *daemon, const struct signed_receipt *sent, struct arena *arena)
{
    void *decoded = NULL;
    struct store_lease lease;
    if (wire_decode(&message_receipt, sent->body, arena, &decoded, NULL) != STATUS_OK)
        return;
    const struct receipt *receipt = decoded;
    if (receipt->last &&
        store_lease_find(daemon->core.store, receipt->lease, arena, &lease, NULL) == STATUS_OK)
        health_use_ended(&daemon->rounds.health, lease.lease, receipt->outcome, receipt->held_ms);
}

void service_report_receipts(struct rpc_call *call, const void *message)
{
    const struct report_receipts_request *request = message;
    struct daemon *daemon = daemon_of(call);
    struct fault fault = {0};
    uint32_t count = request->receipt_count;
    struct settle_verdict *verdicts = arena_alloc(call->arena, count, sizeof *verdicts);
    struct receipt_verdict *rows = arena_alloc(call->arena, count, sizeof *rows);
    enum status status = verdicts == NULL || rows == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        status = take_receipt(daemon, caller_of(call), &request->receipts[i], &verdicts[i], &fault);
        if (status == STATUS_OK && verdicts[i].accepted)
            note_use(daemon, &request->receipts[i], call->arena);
        rows[i] = (struct receipt_verdict){
            .lease = verdicts[i].lease,
            .sequence = verdicts[i].sequence,
            .accepted = verdicts[i].accepted,
            .reason = verdicts[i].reason,
        };
    }
    struct report_receipts_response response = {.verdicts = rows, .verdict_count = count};
    dispatch_wake_all(&daemon->dispatch);
    dispatch_grant_ready(&daemon->dispatch);
    service_answer(call, status, &response, &fault);
}
