/*
 * Forgery: certificates as whoever holds a key could make them, and doors at which they are shown.
 */
#ifndef ENTENTE_TESTS_BROKER_FORGERY_H
#define ENTENTE_TESTS_BROKER_FORGERY_H

#include "tests/broker/daemon_fixture.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* Where to knock, and what to ask there. */
struct door {
    const char *address;
    const char *server_name;
    const struct wire_method *method;
    const void *request;
};

/* One call with these papers (NULL: none); what it says is in the stage's fault. */
static inline enum status knock_at(const struct door *door, struct peer *as, const char *chain,
                                   const char *key)
{
    struct stage *stage = as->stage;
    struct rpc_client_settings settings = {
        .security = chain != NULL ? RPC_MUTUAL_TLS : RPC_SERVER_TLS,
        .address = door->address,
        .credentials = {.roots_pem = as->root.text, .chain_pem = chain, .key_pem = key},
        .server_name = door->server_name,
    };
    struct transport *transport = NULL;
    assert_ok(rpc_client_open(&transport, stage->loop, &settings, &stage->fault));
    void *ignored = NULL;
    enum status status = rpc_client_call(stage->loop, transport, door->method, door->request, 3000,
                                         &stage->arena, &ignored, &stage->fault);
    transport_close(transport);
    return status;
}

static inline void read_state(struct stage *stage, const char *name, struct pem *pem)
{
    char path[400];
    struct bytes bytes;
    snprintf(path, sizeof path, "%s/state/%s", stage->directory, name);
    assert_ok(file_read(path, PEM_BYTES_MAX, &stage->arena, &bytes, &stage->fault));
    memcpy(pem->text, bytes.data, bytes.size);
    pem->text[bytes.size] = '\0';
}

/* A leaf for the member from these keys, as whoever holds them could make it. */
static inline void forge_as(struct peer *member, const struct name *federation,
                            const struct pem *issuer_key, const struct pem *issuer,
                            struct certificate_validity validity, struct pem *chain)
{
    struct pem *csr = arena_alloc(&member->stage->arena, 1, sizeof *csr);
    struct identity_subject subject = {
        .role = IDENTITY_MEMBER, .federation = *federation, .member = member->name};
    assert_non_null(csr);
    assert_ok(identity_make_request(&member->key, csr, &member->stage->fault));
    if (identity_sign_request(issuer_key, issuer, csr, &subject, "", validity, chain,
                              &member->stage->fault) != STATUS_OK)
        fail_msg("%s", member->stage->fault.text);
}

#endif
