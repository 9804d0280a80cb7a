/* Renew: a member's next certificate, under the one it has; and the signing both ways in share. */
#include <string.h>

#include "broker/daemon.h"
#include "broker/services/service.h"

enum status service_certify(struct daemon *daemon, const struct name *member, const char *csr_pem,
                            struct pem *chain, struct fault *fault)
{
    struct certificate_facts facts;
    enum status status =
        authority_sign_member(daemon->authority, daemon->config, daemon->core.clock, member,
                              csr_pem, chain, &facts, fault);
    if (status != STATUS_OK)
        return status;
    struct store_certificate record = {
        .member = *member,
        .fingerprint = facts.fingerprint,
        .from_wall_ms = facts.validity.from_wall_ms,
        .until_wall_ms = facts.validity.until_wall_ms,
    };
    memcpy(record.serial, facts.serial, sizeof record.serial);
    return store_certificate_add(daemon->core.store, &record, fault);
}

void service_renew(struct rpc_call *call, const void *message)
{
    const struct renew_request *request = message;
    struct daemon *daemon = daemon_of(call);
    struct store *store = daemon->core.store;
    struct fault fault = {0};
    struct pem *chain = arena_alloc(call->arena, 1, sizeof *chain);
    enum status status = chain == NULL ? STATUS_NO_MEMORY : store_begin(store, &fault);
    if (status == STATUS_OK)
        status = service_certify(daemon, caller_of(call), request->csr_pem, chain, &fault);
    if (status == STATUS_OK)
        status = store_commit(store, &fault);
    store_rollback(store);
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &fault);
        return;
    }
    struct renew_response response = {.chain_pem = chain->text};
    log_info(daemon->core.log, "member %s renewed its certificate", caller_of(call)->text);
    rpc_call_reply(call, &response);
}
