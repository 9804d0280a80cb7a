/* Daemon, state: who is admitted, who is revoked, and what time moves. */
#include <inttypes.h>

#include "broker/daemon.h"
#include "broker/money/dispute.h"
#include "broker/money/settlement.h"
#include "proto/wire/methods.h"

/* --- admission */

enum status daemon_admit_joiner(void *service, const struct rpc_caller *caller,
                                const struct wire_method *method, struct fault *fault)
{
    (void)service;
    (void)caller;
    (void)method;
    (void)fault;
    return STATUS_OK; /* the token decides */
}

enum status daemon_admit_member(void *service, const struct rpc_caller *caller,
                                const struct wire_method *method, struct fault *fault)
{
    struct daemon *daemon = service;
    struct store_member member;
    struct store_certificate certificate;
    (void)method;
    if (caller->subject.role != IDENTITY_MEMBER ||
        !name_equal(&caller->subject.federation, &daemon->authority->federation))
        return fault_set(fault, STATUS_DENIED, "the caller is no member of federation %s",
                         daemon->authority->federation.text);
    const struct name *name = &caller->subject.member;
    enum status status =
        store_certificate_find(daemon->core.store, caller->serial, &certificate, NULL);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && !name_equal(&certificate.member, name)))
        return fault_set(fault, STATUS_UNAUTHENTICATED,
                         "member %s: this broker did not issue certificate %s; join again",
                         name->text, caller->serial);
    if (status == STATUS_OK)
        status = store_member_find(daemon->core.store, name, &member, fault);
    if (status != STATUS_OK)
        return status;
    if (member.state == MEMBER_PENDING || member.state == MEMBER_REVOKED)
        return fault_set(fault, STATUS_DENIED, "member %s is %s", name->text,
                         member_state_name(member.state));
    return call_rate_take(&daemon->call_rates, daemon->core.clock, name,
                          daemon->config->calls_per_second_max, fault);
}

/* --- revocations */

static enum status list_revoked(struct daemon *daemon, struct revocation_list *list,
                                struct fault *fault)
{
    struct store_member *members = NULL;
    uint32_t count = 0;
    enum status status =
        store_member_list(daemon->core.store, &daemon->revocations_arena, &members, &count, fault);
    if (status != STATUS_OK)
        return status;
    list->revoked = arena_alloc(&daemon->revocations_arena, count, sizeof *list->revoked);
    if (list->revoked == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the revocation list");
    for (uint32_t i = 0; i < count; i++)
        if (members[i].state == MEMBER_REVOKED)
            list->revoked[list->revoked_count++].member = members[i].member;
    return STATUS_OK;
}

enum status daemon_sign_revocations(struct daemon *daemon, bool raise, struct fault *fault)
{
    struct core *core = &daemon->core;
    struct revocation_list list = {.issued_wall_ms = core_now_ms(core)};
    int64_t number = 0;
    arena_reset(&daemon->revocations_arena);
    enum status status = store_number_get(core->store, DAEMON_REVOCATIONS, 1, &number, fault);
    if (status == STATUS_OK && raise)
        status = store_number_put(core->store, DAEMON_REVOCATIONS, ++number, fault);
    if (status == STATUS_OK)
        status = list_revoked(daemon, &list, fault);
    if (status != STATUS_OK)
        return status;
    list.number = (uint64_t)number;
    struct signed_bytes *out = &daemon->revocations;
    status =
        wire_encode(&message_revocation_list, &list, &daemon->revocations_arena, &out->body, fault);
    if (status == STATUS_OK)
        status =
            signing_sign(&core->lease_secret, SIGN_REVOCATIONS, out->body, &out->signature, fault);
    out->key_id = core->lease_key.key_id;
    return status;
}

/* --- the sweep */

/* Does its host say that it holds this lease? */
static bool host_holds(const struct registry_entry *entry, struct lease_id id)
{
    for (uint32_t i = 0; entry != NULL && i < entry->held_count; i++)
        if (lease_id_equal(entry->held[i], id))
            return true;
    return false;
}

/* A grant whose window is over, and which its host did not hold when it spoke after that: nobody
 * took it. Its word may have been on its way for a while; when it was spoken counts. */
static bool nobody_took(const struct core *core, const struct store_lease *lease)
{
    const struct registry_entry *entry = registry_find(&core->registry, &lease->lease->host);
    int64_t over_ms = lease->lease->accept_until_wall_ms + core->config->skew_ms_max;
    bool renewal = !lease_id_none(lease->lease->continues);
    return lease->state == LEASE_STATE_GRANTED && !renewal &&
           clock_wall_ms(core->clock) > over_ms && registry_live(&core->registry, entry) &&
           entry->sent_wall_ms > over_ms && !host_holds(entry, lease->lease->id);
}

static enum status void_untaken(struct daemon *daemon, struct arena *arena, uint32_t *voided,
                                struct fault *fault)
{
    struct core *core = &daemon->core;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    enum status status = store_lease_list_open(core->store, LEASE_STATE_BIT(LEASE_STATE_GRANTED),
                                               arena, &leases, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        if (!nobody_took(core, &leases[i]))
            continue;
        status = lease_void(core->store, leases[i].lease->id, "nobody took the lease up in time",
                            core_now_ms(core), fault);
        rounds_failed(&daemon->rounds, leases[i].lease, false, "nobody took the lease up");
        *voided += 1;
    }
    return status;
}

static enum status sweep(struct daemon *daemon, struct arena *arena, struct lease_sweep *swept,
                         struct fault *fault)
{
    struct core *core = &daemon->core;
    struct lease_limits limits = core_lease_limits(core);
    uint32_t untaken = 0;
    uint32_t lapsed = 0;
    bool closed = false;
    enum status status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status = void_untaken(daemon, arena, &untaken, fault);
    if (status == STATUS_OK)
        status = lease_sweep(core->store, &limits, core_now_ms(core), arena, swept, fault);
    if (status == STATUS_OK)
        status = dispute_sweep(core->store, &limits, core_now_ms(core), arena, &lapsed, fault);
    if (status == STATUS_OK)
        status = settlement_sweep(core->store, core->config, core_now_ms(core), &closed, fault);
    if (status == STATUS_OK)
        status = store_requests_forget(core->store, core_now_ms(core) - REQUEST_KEPT_MS, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    swept->voided += untaken;
    return status;
}

void daemon_sweep(struct daemon *daemon)
{
    struct arena arena;
    struct fault fault = {0};
    struct lease_sweep swept = {0};
    if (recovery_waits(&daemon->core))
        return; /* what time would end may have ended, or been renewed, before the restore */
    arena_init(&arena, ARENA_ROUND_BYTES);
    if (sweep(daemon, &arena, &swept, &fault) != STATUS_OK)
        log_error(daemon->core.log, "sweep: %s", fault.text);
    arena_fini(&arena);
    if (swept.overrun + swept.expired + swept.voided > 0) {
        log_info(daemon->core.log,
                 "leases: %" PRIu32 " went into holdover, %" PRIu32 " expired, %" PRIu32 " void",
                 swept.overrun, swept.expired, swept.voided);
        rounds_poke(&daemon->rounds);
        dispatch_wake_all(&daemon->dispatch);
    }
    dispatch_grant_ready(&daemon->dispatch);
}
