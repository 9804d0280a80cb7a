#include "peer/join.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "peer/identity_files.h"
#include "peer/peer.h"
#include "proto/rpc/client.h"
#include "proto/wire/methods.h"

enum { PIN_TIMEOUT_MS = 10 * 1000, ENROL_TIMEOUT_MS = 15 * 1000, ASK_AGAIN_MS = 1000 };

struct joining {
    const struct join_request *request;
    struct identity_files files;
    struct name federation;
    struct pem csr;
    struct rpc_loop *loop;
    struct transport *transport;
    struct arena arena;
    struct enrol_response *answer;
    struct fault *fault;
};

static enum status fetch_root(struct joining *joining);
static enum status make_request(struct joining *joining);
static enum status dial(struct joining *joining);
static enum status ask_until_approved(struct joining *joining);
static enum status keep(struct joining *joining, struct certificate_facts *facts);

enum status join_federation(const struct join_request *request, struct certificate_facts *facts,
                            struct fault *fault)
{
    struct joining joining = {.request = request, .fault = fault};
    arena_init(&joining.arena, ARENA_MESSAGE_BYTES);
    enum status status = identity_files_begin(request->config, &joining.files, fault);
    if (status == STATUS_OK)
        status = fetch_root(&joining);
    if (status == STATUS_OK)
        status = make_request(&joining);
    if (status == STATUS_OK)
        status = dial(&joining);
    if (status == STATUS_OK)
        status = ask_until_approved(&joining);
    if (status == STATUS_OK)
        status = keep(&joining, facts);
    transport_close(joining.transport);
    if (joining.loop != NULL)
        rpc_loop_close(joining.loop);
    arena_fini(&joining.arena);
    identity_files_wipe(&joining.files);
    return status;
}

/* Nothing but a handshake is sent before the pin was compared. */
static enum status fetch_root(struct joining *joining)
{
    struct join_token token;
    enum status status = join_token_parse(joining->request->token, &token, joining->fault);
    if (status == STATUS_OK)
        status = identity_fetch_pinned_root(joining->request->enrolment_address, &token.pin,
                                            PIN_TIMEOUT_MS, clock_real(), &joining->files.root,
                                            &joining->federation, joining->fault);
    explicit_bzero(&token, sizeof token);
    return status;
}

static enum status make_request(struct joining *joining)
{
    return identity_make_request(&joining->files.key, &joining->csr, joining->fault);
}

static enum status dial(struct joining *joining)
{
    char name[IDENTITY_TEXT_MAX];
    struct identity_subject broker = {.role = IDENTITY_BROKER, .federation = joining->federation};
    struct rpc_client_settings settings = {
        .security = RPC_SERVER_TLS,
        .address = joining->request->enrolment_address,
        .credentials = {.roots_pem = joining->files.root.text},
        .server_name = identity_dns_name(&broker, name),
    };
    enum status status = rpc_loop_open(&joining->loop, clock_real(), NULL, joining->fault);
    return status == STATUS_OK
               ? rpc_client_open(&joining->transport, joining->loop, &settings, joining->fault)
               : status;
}

static enum status ask(struct joining *joining)
{
    struct enrol_request request = {
        .token = joining->request->token,
        .member = joining->request->config->member,
        .csr_pem = joining->csr.text,
        .signing_key = joining->files.signing_key,
    };
    void *response = NULL;
    arena_reset(&joining->arena);
    enum status status =
        rpc_client_call(joining->loop, joining->transport, &method_enrol, &request,
                        ENROL_TIMEOUT_MS, &joining->arena, &response, joining->fault);
    joining->answer = response;
    return status;
}

static enum status ask_until_approved(struct joining *joining)
{
    int64_t until = clock_boot_ms(clock_real()) + joining->request->wait_ms;
    bool told = false;
    for (;;) {
        enum status status = ask(joining);
        if (status != STATUS_OK || joining->answer->approved)
            return status;
        if (clock_boot_ms(clock_real()) + ASK_AGAIN_MS > until)
            return fault_set(joining->fault, STATUS_PRECONDITION,
                             "an operator of the broker must approve %s first ('entente-broker "
                             "member approve %s'); then run the same command again",
                             joining->request->config->member.text,
                             joining->request->config->member.text);
        if (!told && joining->request->on_waiting != NULL)
            joining->request->on_waiting(joining->request->context);
        told = true;
        struct timespec pause = {.tv_sec = ASK_AGAIN_MS / MS_PER_SECOND};
        nanosleep(&pause, NULL);
    }
}

static enum status check_chain(struct joining *joining)
{
    const char *chain = joining->answer->chain_pem;
    if (strlen(chain) > PEM_BYTES_MAX)
        return fault_set(joining->fault, STATUS_CORRUPT, "the broker's answer is too long");
    memcpy(joining->files.chain.text, chain, strlen(chain) + 1);
    enum status status =
        identity_verify_chain(&joining->files.chain, &joining->files.root, &joining->files.key,
                              clock_wall_ms(clock_real()), joining->fault);
    if (status == STATUS_OK)
        status =
            identity_read_certificate(&joining->files.chain, &joining->files.facts, joining->fault);
    if (status == STATUS_OK &&
        !name_equal(&joining->files.facts.subject.member, &joining->request->config->member))
        return fault_set(joining->fault, STATUS_CORRUPT, "the broker certified another name, %s",
                         joining->files.facts.subject.member.text);
    return status;
}

/* The lease keys go into the spool: the peer can check leases before its first heartbeat. */
static enum status keep_lease_keys(struct joining *joining)
{
    char path[FILE_PATH_MAX];
    struct spool *spool = NULL;
    uint32_t count = joining->answer->lease_key_count;
    if (count > PEER_LEASE_KEYS_MAX)
        count = PEER_LEASE_KEYS_MAX;
    struct bytes bytes = {(const uint8_t *)joining->answer->lease_keys,
                          count * sizeof(struct lease_key)};
    enum status status =
        path_join(path, joining->request->config->state_directory, "spool.db", joining->fault);
    if (status == STATUS_OK)
        status = spool_open(path, clock_real(), &spool, joining->fault);
    if (status == STATUS_OK)
        status = spool_put(spool, "lease-keys", bytes, joining->fault);
    spool_close(spool);
    return status;
}

static enum status keep(struct joining *joining, struct certificate_facts *facts)
{
    const struct peer_config *config = joining->request->config;
    enum status status = check_chain(joining);
    if (status == STATUS_OK)
        status = keep_lease_keys(joining);
    if (status == STATUS_OK)
        status = identity_files_save_root(config, &joining->files.root, joining->fault);
    if (status == STATUS_OK)
        status = identity_files_save_member(config, &joining->files.key, &joining->files.chain,
                                            joining->fault);
    *facts = joining->files.facts;
    return status;
}
