/*
 * Join: how a datacenter becomes a member: the pin of the token is compared with the broker's root
 * before anything is sent; then token, request and signing key go over TLS to that very broker.
 *
 * May be repeated: the same token with the same key asks again, also while an operator's approval
 * is awaited. Thread rule: blocks; not inside a loop.
 */
#ifndef ENTENTE_PEER_JOIN_H
#define ENTENTE_PEER_JOIN_H

#include "peer/config.h"
#include "proto/identity/identity.h"

struct join_request {
    const struct peer_config *config;
    const char *enrolment_address; /* the broker's */
    const char *token;
    int64_t wait_ms;                   /* for approval */
    void (*on_waiting)(void *context); /* once, when it begins to wait */
    void *context;
};

/* *facts: of the certificate that was stored. PRECONDITION: not approved in time; ask again. */
MUST_USE enum status join_federation(const struct join_request *request,
                                     struct certificate_facts *facts, struct fault *fault);

#endif
