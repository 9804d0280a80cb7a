/*
 * Daemon, renewal: at two thirds of its life the certificate is replaced by a fresh one with a
 * fresh key. Servers take it for new handshakes, new connections are made with it, calls under way
 * go on.
 */
#include <string.h>

#include "peer/daemon.h"
#include "peer/link/link.h"
#include "proto/wire/methods.h"

enum { RENEW_CALL_MS = 15 * 1000, RENEW_RETRY_MS = 10 * 1000 };

static void renewed(void *context, enum status status, const void *response,
                    const struct fault *fault);

static int64_t due_wall_ms(const struct daemon *daemon)
{
    const struct certificate_validity *validity = &daemon->files.facts.validity;
    return validity->from_wall_ms + (validity->until_wall_ms - validity->from_wall_ms) / 3 * 2;
}

static void later(struct daemon *daemon)
{
    daemon->renew_boot_ms = clock_boot_ms(clock_real()) + RENEW_RETRY_MS;
}

void daemon_renew(void *context, struct transport *broker)
{
    struct daemon *daemon = context;
    struct pem csr;
    struct fault fault;
    if (daemon->renew_call != NULL || clock_wall_ms(clock_real()) < due_wall_ms(daemon) ||
        clock_boot_ms(clock_real()) < daemon->renew_boot_ms)
        return;
    enum status status = identity_make_key(&daemon->renew_key, &fault);
    if (status == STATUS_OK)
        status = identity_make_request(&daemon->renew_key, &csr, &fault);
    if (status != STATUS_OK) {
        log_error(daemon->log, "renewing the certificate: %s", fault.text);
        later(daemon);
        return;
    }
    struct renew_request request = {.csr_pem = csr.text};
    struct transport_callbacks callbacks = {.on_done = renewed, .context = daemon};
    daemon->renew_call =
        transport_start(broker, &method_renew, &request, RENEW_CALL_MS, &callbacks);
}

static enum status take(struct daemon *daemon, const struct renew_response *answer,
                        struct fault *fault)
{
    struct pem chain = {0};
    struct certificate_facts facts;
    size_t length = strlen(answer->chain_pem);
    if (length > PEM_BYTES_MAX)
        return fault_set(fault, STATUS_CORRUPT, "the broker's answer is too long");
    memcpy(chain.text, answer->chain_pem, length);
    enum status status = identity_verify_chain(&chain, &daemon->files.root, &daemon->renew_key,
                                               clock_wall_ms(clock_real()), fault);
    if (status == STATUS_OK)
        status = identity_read_certificate(&chain, &facts, fault);
    if (status == STATUS_OK && !name_equal(&facts.subject.member, &daemon->config->member))
        status = fault_set(fault, STATUS_CORRUPT, "the broker certified another name");
    if (status == STATUS_OK)
        status = identity_files_save_member(daemon->config, &daemon->renew_key, &chain, fault);
    if (status != STATUS_OK)
        return status;
    daemon->files.key = daemon->renew_key;
    daemon->files.chain = chain;
    daemon->files.facts = facts;
    struct rpc_credentials credentials = daemon_credentials(daemon);
    return rpc_server_set_credentials(daemon->peer_server, &credentials, fault);
}

static void renewed(void *context, enum status status, const void *response,
                    const struct fault *fault)
{
    struct daemon *daemon = context;
    struct fault own;
    daemon->renew_call = NULL;
    if (status == STATUS_OK) {
        status = take(daemon, response, &own);
        fault = &own;
    }
    pem_wipe(&daemon->renew_key);
    if (status != STATUS_OK) {
        log_warning(daemon->log, "renewing the certificate failed: %s", fault->text);
        later(daemon);
        return;
    }
    char date[CLOCK_TEXT_MAX];
    daemon->peer->identity.certificate_until_wall_ms = daemon->files.facts.validity.until_wall_ms;
    contacts_renew(&daemon->peer->contacts);
    link_redial(daemon->peer->link);
    log_info(daemon->log, "the certificate was renewed; it holds until %s",
             clock_format_wall(daemon->files.facts.validity.until_wall_ms, date));
}
