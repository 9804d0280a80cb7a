/*
 * ReportHeld: a member tells a restored broker what that may have forgotten: leases, ledger heads,
 * and who was revoked.
 *
 * The list of the revoked is signed by this broker's own key, so a member can only repeat it. Who
 * is on it is revoked again; one that the backup does not know keeps the name, revoked, so that the
 * certificate it was given meanwhile is worth nothing.
 */
#include "broker/daemon.h"
#include "broker/services/service.h"
#include "proto/wire/methods.h"

static enum status read_list(const struct core *core, const struct signed_bytes *bytes,
                             struct arena *arena, const struct revocation_list **list,
                             struct fault *fault)
{
    void *decoded = NULL;
    enum status status = signing_verify(&core->lease_key.key, SIGN_REVOCATIONS, bytes->body,
                                        &bytes->signature, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_revocation_list, bytes->body, arena, &decoded, fault);
    *list = decoded;
    return status;
}

static enum status add_stranger(struct store *store, const struct name *name, int64_t now_ms,
                                struct fault *fault)
{
    const struct store_member member = {
        .member = *name, .state = MEMBER_PENDING, .joined_wall_ms = now_ms};
    enum status status = store_begin(store, fault);
    if (status == STATUS_OK)
        status = store_member_add(store, &member, fault);
    if (status == STATUS_OK)
        status = store_commit(store, fault);
    store_rollback(store);
    return status;
}

static enum status revoke_again(struct daemon *daemon, const struct name *name, struct arena *arena,
                                struct fault *fault)
{
    struct core *core = &daemon->core;
    struct store_member member;
    const struct member_action_request request = {.member = *name, .action = MEMBER_REVOKE};
    enum status status = store_member_find(core->store, name, &member, fault);
    if (status == STATUS_OK && member.state == MEMBER_REVOKED)
        return STATUS_OK;
    if (status == STATUS_NOT_FOUND)
        status = add_stranger(core->store, name, core_now_ms(core), fault);
    if (status == STATUS_OK)
        log_warning(core->log, "member %s was revoked before the restore", name->text);
    return status == STATUS_OK ? service_act_on_member(daemon, &request, arena, fault) : status;
}

/* Our next list must have a higher number than any that members have. */
static enum status number_raise(struct daemon *daemon, uint64_t number, struct fault *fault)
{
    struct store *store = daemon->core.store;
    enum status status = store_begin(store, fault);
    if (status == STATUS_OK)
        status = store_number_put(store, DAEMON_REVOCATIONS, (int64_t)number, fault);
    if (status == STATUS_OK)
        status = daemon_sign_revocations(daemon, true, fault);
    if (status == STATUS_OK)
        status = store_commit(store, fault);
    store_rollback(store);
    return status;
}

static enum status take_revocations(struct daemon *daemon, const struct signed_bytes *bytes,
                                    struct arena *arena, struct fault *fault)
{
    const struct core *core = &daemon->core;
    const struct revocation_list *list = NULL;
    int64_t number = 0;
    if (bytes->body.size == 0 || !core->recovery.restored)
        return STATUS_OK;
    enum status status = read_list(core, bytes, arena, &list, fault);
    if (status != STATUS_OK) {
        log_warning(core->log, "a list of revoked members: %s", fault->text);
        return STATUS_OK; /* of another key: its host loses nothing by it */
    }
    status = store_number_get(core->store, DAEMON_REVOCATIONS, 1, &number, fault);
    if (status != STATUS_OK || list->number <= (uint64_t)number)
        return status;
    status = number_raise(daemon, list->number, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < list->revoked_count; i++)
        status = revoke_again(daemon, &list->revoked[i].member, arena, fault);
    return status;
}

void service_report_held(struct rpc_call *call, const void *message)
{
    const struct report_held_request *request = message;
    struct daemon *daemon = daemon_of(call);
    struct fault fault = {0};
    struct empty_message response = {0};
    enum status status = take_revocations(daemon, &request->revocations, call->arena, &fault);
    if (status == STATUS_OK)
        status = recovery_take(&daemon->core, caller_of(call), request, call->arena, &fault);
    service_answer(call, status, &response, &fault);
}
