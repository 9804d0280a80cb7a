#include "broker/recovery.h"

#include <inttypes.h>

#include "broker/core.h"
#include "broker/lease/lease_adopt.h"
#include "broker/money/ledger.h"
#include "broker/store/members.h"
#include "proto/wire/methods.h"

/* --- beginning */

static enum status begin(struct store *store, struct store_restore *restore, uint64_t least,
                         struct fault *fault)
{
    struct store_ledger_head head;
    enum status status = store_incarnation_raise(store, least, &restore->incarnation, fault);
    if (status == STATUS_OK)
        status = store_ledger_head(store, &head, fault);
    if (status != STATUS_OK)
        return status;
    restore->sequence = head.sequence;
    return store_restore_add(store, restore, fault);
}

enum status recovery_begin(struct store *store, const struct broker_config *config, uint64_t least,
                           int64_t now_wall_ms, uint64_t *incarnation, struct fault *fault)
{
    struct store_restore restore = {
        .restored_wall_ms = now_wall_ms,
        .until_wall_ms = now_wall_ms + config->round_ms + config->holdover_ms + config->grace_ms +
                         config->skew_ms_max,
    };
    enum status status = store_begin(store, fault);
    if (status == STATUS_OK)
        status = begin(store, &restore, least, fault);
    if (status == STATUS_OK)
        status = store_commit(store, fault);
    store_rollback(store);
    *incarnation = restore.incarnation;
    return status;
}

enum status recovery_load(struct core *core, struct fault *fault)
{
    struct arena arena;
    struct store_restore *restores = NULL;
    uint32_t count = 0;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_restore_list(core->store, &arena, &restores, &count, fault);
    core->recovery = (struct recovery){.restored = false};
    if (status == STATUS_OK && count > 0 && restores[count - 1].incarnation == core->incarnation)
        core->recovery = (struct recovery){true, true, restores[count - 1].until_wall_ms};
    arena_fini(&arena);
    return status;
}

/* --- waiting */

static bool must_report(const struct store_member *member)
{
    return member->state == MEMBER_ACTIVE || member->state == MEMBER_SUSPENDED;
}

enum status recovery_awaited(const struct core *core, uint32_t *members, int64_t *left_ms,
                             struct fault *fault)
{
    struct arena arena;
    struct store_member *all = NULL;
    uint32_t count = 0;
    *members = 0;
    *left_ms = 0;
    if (!core->recovery.waiting || core_now_ms(core) >= core->recovery.until_wall_ms)
        return STATUS_OK;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_member_list(core->store, &arena, &all, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        bool reported = true;
        if (must_report(&all[i]))
            status =
                store_reported(core->store, &all[i].member, core->incarnation, &reported, fault);
        *members += reported ? 0 : 1;
    }
    arena_fini(&arena);
    if (*members > 0)
        *left_ms = core->recovery.until_wall_ms - core_now_ms(core);
    return status;
}

bool recovery_waits(struct core *core)
{
    uint32_t members = 0;
    int64_t left_ms = 0;
    struct fault fault;
    if (!core->recovery.waiting)
        return false;
    if (recovery_awaited(core, &members, &left_ms, &fault) != STATUS_OK) {
        log_error(core->log, "after the restore: %s", fault.text);
        return true;
    }
    if (members > 0)
        return true;
    core->recovery.waiting = false;
    log_info(core->log, "after the restore: %s; the market opens",
             core_now_ms(core) < core->recovery.until_wall_ms
                 ? "every member has reported"
                 : "every lease of before is over by now");
    return false;
}

/* --- what members tell */

static struct lease_holding holding_of(const struct core *core, const struct name *member)
{
    const struct registry_entry *entry = registry_find(&core->registry, member);
    struct lease_holding holding = {.host = *member, .below_incarnation = core->incarnation};
    if (entry != NULL) {
        holding.held = entry->held;
        holding.held_count = entry->held_count;
    }
    return holding;
}

static enum status read_signed(const struct core *core, const struct signed_bytes *bytes,
                               enum signature_domain domain, const struct wire_message *message,
                               struct arena *arena, void **decoded, struct fault *fault)
{
    enum status status =
        signing_verify(&core->lease_key.key, domain, bytes->body, &bytes->signature, fault);
    return status == STATUS_OK ? wire_decode(message, bytes->body, arena, decoded, fault) : status;
}

/* What one lease or head is wrong with must not lose the others. */
static enum status pass_over(const struct core *core, const struct name *member, const char *what,
                             enum status status, const struct fault *fault)
{
    bool passed = status == STATUS_CORRUPT || status == STATUS_INVALID ||
                  status == STATUS_NOT_FOUND || status == STATUS_PRECONDITION ||
                  status == STATUS_DENIED || status == STATUS_UNAUTHENTICATED;
    if (status != STATUS_OK)
        log_warning(core->log, "%s that member %s reported after the restore: %s", what,
                    member->text, fault->text);
    return passed ? STATUS_OK : status;
}

static enum status read_lease(const struct core *core, const struct name *host,
                              const struct signed_bytes *bytes, struct arena *arena,
                              const struct lease **lease, struct fault *fault)
{
    void *decoded = NULL;
    char id[LEASE_ID_TEXT_MAX];
    enum status status =
        read_signed(core, bytes, SIGN_LEASE, &message_lease, arena, &decoded, fault);
    if (status != STATUS_OK)
        return status;
    *lease = decoded;
    if (!name_equal(&(*lease)->host, host))
        return fault_set(fault, STATUS_DENIED, "lease %s is hosted by %s",
                         lease_id_format((*lease)->id, id), (*lease)->host.text);
    if ((*lease)->id.incarnation >= core->incarnation)
        return fault_set(fault, STATUS_INVALID, "lease %s is not of a broker before this one",
                         lease_id_format((*lease)->id, id));
    return STATUS_OK;
}

/* Each in a transaction of its own: one that can't be taken in leaves nothing behind. */
static enum status take_lease(struct core *core, const struct lease_holding *holding,
                              const struct signed_bytes *bytes, struct arena *arena,
                              struct fault *fault)
{
    const struct lease *lease = NULL;
    bool adopted = false;
    char id[LEASE_ID_TEXT_MAX];
    enum status status = read_lease(core, &holding->host, bytes, arena, &lease, fault);
    if (status == STATUS_OK)
        status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status =
            lease_adopt(core->store, lease, bytes, holding, core_now_ms(core), &adopted, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    if (status == STATUS_OK && adopted)
        log_info(core->log, "lease %s of job %s at %s was lost with the restore: known again",
                 lease_id_format(lease->id, id), lease->job.text, lease->host.text);
    return status;
}

static enum status release_unheld(struct core *core, const struct lease_holding *holding,
                                  struct fault *fault)
{
    uint32_t released = 0;
    enum status status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status = lease_release_unheld(core->store, holding, core_now_ms(core), &released, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    if (status == STATUS_OK && released > 0)
        log_info(core->log, "%" PRIu32 " leases are not held by %s any more", released,
                 holding->host.text);
    return status;
}

enum status recovery_take(struct core *core, const struct name *member,
                          const struct report_held_request *request, struct arena *arena,
                          struct fault *fault)
{
    const struct lease_holding holding = holding_of(core, member);
    if (!core->recovery.restored)
        return STATUS_OK; /* this broker forgot nothing */
    enum status status = release_unheld(core, &holding, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < request->lease_count; i++) {
        status = take_lease(core, &holding, &request->leases[i], arena, fault);
        status = pass_over(core, member, "a lease", status, fault);
    }
    for (uint32_t i = 0; status == STATUS_OK && i < request->head_count; i++) {
        status = recovery_take_head(core, member, &request->heads[i], arena, fault);
        status = pass_over(core, member, "a ledger head", status, fault);
    }
    return status;
}

enum status recovery_take_head(struct core *core, const struct name *member,
                               const struct signed_bytes *bytes, struct arena *arena,
                               struct fault *fault)
{
    void *decoded = NULL;
    enum status status =
        read_signed(core, bytes, SIGN_LEDGER_HEAD, &message_ledger_head, arena, &decoded, fault);
    if (status != STATUS_OK)
        return status;
    const struct ledger_head *head = decoded;
    const struct store_head kept = {.member = *member, .head = *head, .signed_head = *bytes};
    status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status = store_head_put(core->store, &kept, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    return status;
}

enum status recovery_reported(struct core *core, const struct name *member, struct fault *fault)
{
    bool reported = true;
    if (!core->recovery.restored)
        return STATUS_OK;
    enum status status = store_reported(core->store, member, core->incarnation, &reported, fault);
    if (status != STATUS_OK || reported)
        return status;
    const struct lease_holding holding = holding_of(core, member);
    status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status = store_reported_add(core->store, member, core->incarnation, fault);
    if (status == STATUS_OK)
        status = lease_void_unreceipted(core->store, &holding, core_now_ms(core), fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    if (status == STATUS_OK)
        log_info(core->log, "after the restore: member %s has reported everything", member->text);
    return status;
}
