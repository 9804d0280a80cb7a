/*
 * Enrol: a token and a signing request become a member and its certificate.
 *
 * Repeatable: the same token with the same key gets another certificate; with another key it is
 * refused as used. A member whose token does not admit it waits for the operator and asks again.
 * At most so many attempts a minute, over all callers: tokens can't be guessed anyway (32 random
 * bytes), so this bounds work, not luck.
 */
#include <string.h>

#include "broker/daemon.h"
#include "broker/services/service.h"
#include "broker/token.h"

enum { WINDOW_MS = 60 * 1000 };

struct enrolling {
    struct daemon *daemon;
    struct rpc_call *call;
    const struct enrol_request *request;
    struct digest request_key;
    struct store_token token;
    struct store_member member;
    struct enrol_response *response;
    struct fault *fault;
};

static enum status limit_rate(struct enrolling *enrolling);
static enum status present_token(struct enrolling *enrolling);
static enum status take_in(struct enrolling *enrolling);
static enum status certify(struct enrolling *enrolling);

static enum status enrol(struct enrolling *enrolling)
{
    struct store *store = enrolling->daemon->core.store;
    enum status status = limit_rate(enrolling);
    if (status == STATUS_OK)
        status = store_begin(store, enrolling->fault);
    if (status == STATUS_OK)
        status = present_token(enrolling);
    if (status == STATUS_OK)
        status = take_in(enrolling);
    if (status == STATUS_OK && enrolling->member.state != MEMBER_PENDING)
        status = certify(enrolling);
    if (status == STATUS_OK)
        status = store_commit(store, enrolling->fault);
    store_rollback(store);
    return status;
}

void service_enrol(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct daemon *daemon = daemon_of(call);
    struct enrolling enrolling = {
        .daemon = daemon, .call = call, .request = request, .fault = &fault};
    enrolling.response = arena_alloc(call->arena, 1, sizeof *enrolling.response);
    if (enrolling.response == NULL) {
        rpc_call_fail(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    *enrolling.response = (struct enrol_response){
        .federation = daemon->authority->federation,
        .chain_pem = "",
        .lease_keys = &daemon->core.lease_key,
        .lease_key_count = 1,
    };
    enum status status = enrol(&enrolling);
    if (status == STATUS_OK)
        log_info(daemon->core.log, "member %s: %s", enrolling.request->member.text,
                 enrolling.response->approved ? "got a certificate" : "waits for approval");
    else
        log_warning(daemon->core.log, "enrolment as %s refused: %s", enrolling.request->member.text,
                    fault.text);
    service_answer(call, status, enrolling.response, &fault);
}

static enum status limit_rate(struct enrolling *enrolling)
{
    struct daemon *daemon = enrolling->daemon;
    int64_t now_ms = clock_boot_ms(daemon->core.clock);
    if (now_ms - daemon->enrolment_window_boot_ms >= WINDOW_MS) {
        daemon->enrolment_window_boot_ms = now_ms;
        daemon->enrolments_in_window = 0;
    }
    if (daemon->enrolments_in_window >= daemon->config->enrolments_per_minute_max)
        return fault_set(enrolling->fault, STATUS_EXHAUSTED,
                         "too many enrolments: try again in a minute");
    daemon->enrolments_in_window++;
    return STATUS_OK;
}

static enum status present_token(struct enrolling *enrolling)
{
    struct join_token token;
    struct digest digest;
    struct pem request = {0};
    size_t length = strlen(enrolling->request->csr_pem);
    if (length > PEM_BYTES_MAX)
        return fault_set(enrolling->fault, STATUS_INVALID, "csr_pem: longer than %d bytes",
                         PEM_BYTES_MAX);
    memcpy(request.text, enrolling->request->csr_pem, length);
    enum status status =
        identity_request_key_digest(&request, &enrolling->request_key, enrolling->fault);
    if (status == STATUS_OK)
        status = join_token_parse(enrolling->request->token, &token, enrolling->fault);
    if (status != STATUS_OK)
        return status;
    join_token_digest(&token, &digest);
    explicit_bzero(&token, sizeof token);
    return token_use(enrolling->daemon->core.store, &digest, &enrolling->request->member,
                     &enrolling->request_key, core_now_ms(&enrolling->daemon->core),
                     &enrolling->token, enrolling->fault);
}

static enum status add_member(struct enrolling *enrolling)
{
    enrolling->member = (struct store_member){
        .member = enrolling->request->member,
        .state = enrolling->token.approved ? MEMBER_ACTIVE : MEMBER_PENDING,
        .joined_wall_ms = core_now_ms(&enrolling->daemon->core),
        .signing_key = enrolling->request->signing_key,
        .request_key = enrolling->request_key,
        .credit_limit = enrolling->daemon->config->credit_limit_default,
    };
    return store_member_add(enrolling->daemon->core.store, &enrolling->member, enrolling->fault);
}

/* A member that is there comes again: with the key it enrolled with, or (it lost its key) with
 * another one under a new token that an operator approved beforehand. */
static enum status take_in(struct enrolling *enrolling)
{
    struct store *store = enrolling->daemon->core.store;
    const struct name *name = &enrolling->request->member;
    enum status status = store_member_find(store, name, &enrolling->member, enrolling->fault);
    if (status == STATUS_NOT_FOUND)
        return add_member(enrolling);
    if (status != STATUS_OK)
        return status;
    if (enrolling->member.state == MEMBER_REVOKED)
        return fault_set(enrolling->fault, STATUS_DENIED, "member %s is revoked", name->text);
    bool same_key = digest_equal(&enrolling->member.request_key, &enrolling->request_key);
    bool same_signer = memcmp(&enrolling->member.signing_key, &enrolling->request->signing_key,
                              sizeof(struct signing_key)) == 0;
    if (!(same_key && same_signer) && !enrolling->token.approved)
        return fault_set(enrolling->fault, STATUS_DENIED,
                         "member %s enrolled with another key; to replace it, the operator makes a "
                         "token with --approved",
                         name->text);
    if (!(same_key && same_signer))
        status = store_member_set_keys(store, name, &enrolling->request->signing_key,
                                       &enrolling->request_key, enrolling->fault);
    if (status == STATUS_OK && enrolling->member.state == MEMBER_PENDING &&
        enrolling->token.approved) {
        enrolling->member.state = MEMBER_ACTIVE;
        status = store_member_set_state(store, name, MEMBER_ACTIVE, enrolling->fault);
    }
    return status;
}

static enum status certify(struct enrolling *enrolling)
{
    struct pem *chain = arena_alloc(enrolling->call->arena, 1, sizeof *chain);
    enum status status = chain == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (status == STATUS_OK)
        status = service_certify(enrolling->daemon, &enrolling->request->member,
                                 enrolling->request->csr_pem, chain, enrolling->fault);
    if (status != STATUS_OK)
        return status;
    enrolling->response->approved = true;
    enrolling->response->chain_pem = chain->text;
    return STATUS_OK;
}
