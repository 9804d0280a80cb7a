/*
 * Heartbeat: a member says what it offers, what it hosts and what it has seen; it hears the time of
 * rounds, who is revoked, the lease keys, the ledger's head and its balance.
 *
 * Writes to the store only what changed: the incarnation, the events seen, and now and then the
 * ledger head that the member holds.
 */
#include <inttypes.h>

#include "broker/daemon.h"
#include "broker/learning/learning_show.h"
#include "broker/lease/lease_adopt.h"
#include "broker/money/ledger.h"
#include "broker/money/ledger_heads.h"
#include "broker/services/service.h"
#include "broker/store/events.h"
#include "broker/store/members.h"

enum { HEAD_EVERY_MS = 3600 * 1000 }; /* a member's ledger head is kept at most so often */

struct beat {
    struct daemon *daemon;
    const struct name *member;
    const struct heartbeat_request *request;
    struct arena *arena;
    struct fault *fault;
};

static enum status check_caller(const struct beat *beat);
static enum status note_incarnation(const struct beat *beat);
static void note_events_seen(const struct beat *beat);
static void compare_ledger_head(const struct beat *beat);
static enum status take_offer(const struct beat *beat);
static enum status note_reported(const struct beat *beat);
static enum status answer(const struct beat *beat, struct heartbeat_response *response);

void service_heartbeat(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct beat beat = {daemon_of(call), caller_of(call), request, call->arena, &fault};
    struct heartbeat_response response;
    enum status status = check_caller(&beat);
    if (status == STATUS_OK)
        status = note_incarnation(&beat);
    if (status == STATUS_OK) {
        note_events_seen(&beat);
        status = take_offer(&beat);
    }
    if (status == STATUS_OK) {
        compare_ledger_head(&beat);
        status = note_reported(&beat);
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

/* A spool that knows less than was acknowledged is an older one, put back. */
static enum status check_age(const struct beat *beat)
{
    const struct core *core = &beat->daemon->core;
    const struct heartbeat_request *request = beat->request;
    uint64_t newest = 0;
    uint64_t acknowledged = 0;
    enum status status =
        store_event_head(core->store, beat->member, &newest, &acknowledged, beat->fault);
    if (status != STATUS_OK || request->broker_incarnation != core->incarnation ||
        request->lease_events_seen >= acknowledged)
        return status;
    return fault_set(beat->fault, STATUS_PRECONDITION,
                     "member %s has seen lease event %" PRIu64 ", and had acknowledged %" PRIu64
                     ": its state was put back from a backup; stop the peer, run 'entente-peer "
                     "restored', and start it again",
                     beat->member->text, request->lease_events_seen, acknowledged);
}

/* What its earlier incarnation held it does not hold any more, but where it says so. */
static enum status begin_incarnation(const struct beat *beat)
{
    struct core *core = &beat->daemon->core;
    const struct heartbeat_request *request = beat->request;
    uint32_t released = 0;
    const struct lease_holding holding = {
        .host = *beat->member,
        .held = request->held,
        .held_count = request->held_count,
        .below_incarnation = UINT64_MAX,
        .below_host_incarnation = request->offer.incarnation,
    };
    enum status status = store_member_set_incarnation(core->store, beat->member,
                                                      request->offer.incarnation, beat->fault);
    if (status == STATUS_OK)
        status =
            store_event_restart(core->store, beat->member, request->lease_events_seen, beat->fault);
    if (status == STATUS_OK)
        status =
            lease_release_unheld(core->store, &holding, core_now_ms(core), &released, beat->fault);
    if (status == STATUS_OK)
        status = lease_stop_forgotten(core->store, beat->member, request->offer.incarnation,
                                      core->config->grace_ms, beat->fault);
    if (status == STATUS_OK && released > 0)
        log_warning(core->log, "member %s began anew: %" PRIu32 " leases are not held any more",
                    beat->member->text, released);
    return status;
}

static enum status note_incarnation(const struct beat *beat)
{
    struct store *store = beat->daemon->core.store;
    struct store_member member;
    enum status status = store_member_find(store, beat->member, &member, beat->fault);
    if (status != STATUS_OK)
        return status;
    if (member.incarnation == beat->request->offer.incarnation)
        return check_age(beat);
    status = store_begin(store, beat->fault);
    if (status == STATUS_OK)
        status = begin_incarnation(beat);
    if (status == STATUS_OK)
        status = store_commit(store, beat->fault);
    store_rollback(store);
    return status;
}

/* A member that does not know this incarnation yet counts the events of the one before. */
static void note_events_seen(const struct beat *beat)
{
    const struct core *core = &beat->daemon->core;
    struct fault fault;
    uint64_t newest = 0;
    uint64_t acknowledged = 0;
    uint64_t seen = beat->request->lease_events_seen;
    if (core->recovery.restored && beat->request->broker_incarnation != core->incarnation)
        return;
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

static void keep_head(const struct beat *beat)
{
    struct core *core = &beat->daemon->core;
    struct arena arena;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (recovery_take_head(core, beat->member, &beat->request->signed_head, &arena, &fault) !=
        STATUS_OK)
        log_warning(core->log, "the ledger head that member %s holds: %s", beat->member->text,
                    fault.text);
    arena_fini(&arena);
}

/* A ledger that lacks what a member saw was truncated or restored: the operator must know. Which
 * incarnation the head is of is known from its signature alone; ours is the strictest guess. */
static void compare_ledger_head(const struct beat *beat)
{
    struct core *core = &beat->daemon->core;
    const struct heartbeat_request *request = beat->request;
    struct fault fault;
    enum ledger_head_verdict verdict = LEDGER_HEAD_AGREES;
    const struct ledger_head head = {
        .incarnation =
            request->broker_incarnation != 0 ? request->broker_incarnation : core->incarnation,
        .sequence = request->ledger_head_sequence,
        .hash = request->ledger_head,
    };
    if (head.sequence == 0)
        return;
    if (ledger_head_judge(core->store, &head, &verdict, NULL, &fault) != STATUS_OK) {
        log_error(core->log, "the ledger head of %s: %s", beat->member->text, fault.text);
        return;
    }
    if (!registry_head_due(&core->registry, beat->member, head.sequence,
                           verdict == LEDGER_HEAD_AGREES ? HEAD_EVERY_MS : 0))
        return;
    if (request->signed_head.body.size > 0)
        keep_head(beat);
    if (verdict != LEDGER_HEAD_AGREES)
        log_error(core->log, "member %s saw entry %" PRIu64 " of the ledger, which %s",
                  beat->member->text, head.sequence,
                  verdict == LEDGER_HEAD_LOST
                      ? "the restore took away"
                      : "is not in it: was an old copy put back? Run 'entente-broker ledger "
                        "verify'");
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

static enum status note_reported(const struct beat *beat)
{
    struct core *core = &beat->daemon->core;
    if (!beat->request->reported || beat->request->broker_incarnation != core->incarnation)
        return STATUS_OK;
    bool waited = core->recovery.waiting;
    enum status status = recovery_reported(core, beat->member, beat->fault);
    if (status == STATUS_OK && waited && !recovery_waits(core))
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
        status = learning_deliveries(&daemon->core, beat->member, POOLS_PER_MEMBER_MAX, beat->arena,
                                     &response->deliveries, &response->delivery_count, beat->fault);
    if (status == STATUS_OK)
        status = core_ledger_head(&daemon->core, &response->signed_head, beat->fault);
    if (status == STATUS_OK)
        status = ledger_position(daemon->core.store, beat->member, &position, beat->fault);
    if (status == STATUS_OK) {
        response->balance = position.balance;
        response->escrow = position.escrow;
    }
    return status;
}
