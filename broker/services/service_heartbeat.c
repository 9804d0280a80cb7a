/*
 * Heartbeat: a member says what it offers, what it hosts and what it has seen; it hears the time of
 * rounds, who is revoked, the lease keys, the ledger's head and its balance.
 *
 * Writes to the store only what changed: the incarnation, and the events seen.
 */
#include <inttypes.h>

#include "broker/daemon.h"
#include "broker/money/ledger.h"
#include "broker/services/service.h"
#include "broker/store/events.h"

struct beat {
    struct daemon *daemon;
    const struct name *member;
    const struct heartbeat_request *request;
    struct fault *fault;
};

static enum status check_caller(const struct beat *beat);
static enum status note_incarnation(const struct beat *beat);
static void note_events_seen(const struct beat *beat);
static void compare_ledger_head(const struct beat *beat);
static enum status take_offer(const struct beat *beat);
static enum status answer(const struct beat *beat, struct heartbeat_response *response);

void service_heartbeat(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct beat beat = {daemon_of(call), caller_of(call), request, &fault};
    struct heartbeat_response response;
    enum status status = check_caller(&beat);
    if (status == STATUS_OK)
        status = note_incarnation(&beat);
    if (status == STATUS_OK) {
        note_events_seen(&beat);
        compare_ledger_head(&beat);
        status = take_offer(&beat);
    }
    if (status == STATUS_OK)
        status = answer(&beat, &response);
    service_answer(call, status, &response, &fault);
}

static enum status check_caller(const struct beat *beat)
{
    const struct core *core = &beat->daemon->core;
    int64_t skew_ms = beat->request->sent_wall_ms - clock_wall_ms(core->clock);
    if (!name_equal(&beat->request->offer.member, beat->member))
        return fault_set(beat->fault, STATUS_DENIED, "offer.member: %s offers for %s",
                         beat->member->text, beat->request->offer.member.text);
    if (skew_ms > core->config->skew_ms_max || skew_ms < -core->config->skew_ms_max)
        return fault_set(beat->fault, STATUS_PRECONDITION,
                         "sent_wall_ms: your clock is %" PRId64
                         " ms %s the broker's, at most %" PRId64
                         " are allowed: synchronise it (NTP)",
                         skew_ms < 0 ? -skew_ms : skew_ms, skew_ms < 0 ? "behind" : "ahead of",
                         core->config->skew_ms_max);
    return STATUS_OK;
}

static enum status note_incarnation(const struct beat *beat)
{
    struct store *store = beat->daemon->core.store;
    struct store_member member;
    enum status status = store_member_find(store, beat->member, &member, beat->fault);
    if (status != STATUS_OK || member.incarnation == beat->request->offer.incarnation)
        return status;
    status = store_begin(store, beat->fault);
    if (status == STATUS_OK)
        status = store_member_set_incarnation(store, beat->member, beat->request->offer.incarnation,
                                              beat->fault);
    if (status == STATUS_OK)
        status = store_commit(store, beat->fault);
    store_rollback(store);
    return status;
}

/* A member that has seen more than was ever sent knows a broker from before a restore: it is told
 * by the incarnation, and the log. */
static void note_events_seen(const struct beat *beat)
{
    const struct core *core = &beat->daemon->core;
    struct fault fault;
    uint64_t newest = 0;
    uint64_t acknowledged = 0;
    uint64_t seen = beat->request->lease_events_seen;
    enum status status =
        store_event_head(core->store, beat->member, &newest, &acknowledged, &fault);
    if (status == STATUS_OK && seen <= acknowledged)
        return;
    if (status == STATUS_OK)
        status = store_begin(core->store, &fault);
    if (status == STATUS_OK)
        status = store_event_acknowledge(core->store, beat->member, seen, &fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, &fault);
    store_rollback(core->store);
    if (status != STATUS_OK)
        log_error(core->log, "events seen by %s: %s", beat->member->text, fault.text);
}

/* A ledger that lacks what a member saw was truncated or restored: the operator must know. */
static void compare_ledger_head(const struct beat *beat)
{
    const struct core *core = &beat->daemon->core;
    struct fault fault;
    struct digest hash;
    uint64_t sequence = beat->request->ledger_head_sequence;
    if (sequence == 0)
        return;
    enum status status = ledger_hash_at(core->store, sequence, &hash, &fault);
    if (status == STATUS_NOT_FOUND)
        log_error(core->log,
                  "member %s saw ledger entry %" PRIu64 ", which this ledger does not have: was it "
                  "restored from a backup?",
                  beat->member->text, sequence);
    else if (status == STATUS_OK && !digest_equal(&hash, &beat->request->ledger_head))
        log_error(core->log,
                  "member %s saw another ledger entry %" PRIu64 " than this ledger has: run "
                  "'entente-broker ledger verify'",
                  beat->member->text, sequence);
}

static enum status take_offer(const struct beat *beat)
{
    bool news = false;
    enum status status =
        registry_hear(&beat->daemon->core.registry, beat->request, &news, beat->fault);
    if (status == STATUS_OK && news)
        rounds_poke(&beat->daemon->rounds);
    return status;
}

static enum status answer(const struct beat *beat, struct heartbeat_response *response)
{
    struct daemon *daemon = beat->daemon;
    struct ledger_position position;
    *response = (struct heartbeat_response){
        .broker_incarnation = daemon->core.incarnation,
        .broker_wall_ms = clock_wall_ms(daemon->core.clock),
        .round_ms = daemon->config->round_ms,
        .next_round_in_ms = rounds_next_in_ms(&daemon->rounds),
        .heartbeat_every_ms = daemon->config->heartbeat_ms,
        .revocations = daemon->revocations,
        .lease_keys = &daemon->core.lease_key,
        .lease_key_count = 1,
    };
    enum status status = ledger_head(daemon->core.store, &response->ledger_head_sequence,
                                     &response->ledger_head, beat->fault);
    if (status == STATUS_OK)
        status = ledger_position(daemon->core.store, beat->member, &position, beat->fault);
    if (status == STATUS_OK) {
        response->balance = position.balance;
        response->escrow = position.escrow;
    }
    return status;
}
