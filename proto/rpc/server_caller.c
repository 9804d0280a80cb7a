/*
 * Caller: who is at the other end of a call, from what TLS proved.
 *
 * The certificate reaches us as PEM text with every call; parsing it costs far more than an echo,
 * so parsed ones are kept (RPC_CALLERS_CACHED_MAX, RPC_CALLER_WAYS to a hash, replaced in turn) and
 * found again by their whole text. A certificate that expires while its connection lives stops
 * being one. Unix sockets prove the user at accept. Complexity: O(PEM text).
 */
#include "proto/rpc/server_internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t fnv1a(const char *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return hash;
}

static const grpc_auth_property *property(const grpc_auth_context *context, const char *name)
{
    grpc_auth_property_iterator at = grpc_auth_context_find_properties_by_name(context, name);
    return grpc_auth_property_iterator_next(&at);
}

static void forget(struct cached_caller *cached)
{
    free(cached->pem);
    *cached = (struct cached_caller){0};
}

static struct cached_caller *ways_of(const struct rpc_server *server, uint64_t hash)
{
    return &server->callers[hash % (RPC_CALLERS_CACHED_MAX / RPC_CALLER_WAYS) * RPC_CALLER_WAYS];
}

/* A free way, or the one whose turn it is. */
static struct cached_caller *place_for(struct rpc_server *server, uint64_t hash)
{
    struct cached_caller *ways = ways_of(server, hash);
    for (size_t i = 0; i < RPC_CALLER_WAYS; i++)
        if (ways[i].pem == NULL)
            return &ways[i];
    return &ways[server->callers_next++ % RPC_CALLER_WAYS];
}

static struct cached_caller *find(struct rpc_server *server, const grpc_auth_property *pem,
                                  uint64_t hash)
{
    struct cached_caller *ways = ways_of(server, hash);
    for (size_t i = 0; i < RPC_CALLER_WAYS; i++) {
        struct cached_caller *cached = &ways[i];
        if (cached->pem != NULL && cached->hash == hash && cached->pem_bytes == pem->value_length &&
            memcmp(cached->pem, pem->value, pem->value_length) == 0)
            return cached;
    }
    return NULL;
}

/* The certificate's URI says who; gRPC shows the same URI on its own, and they must agree. */
static enum status read_certificate(const grpc_auth_context *context, const grpc_auth_property *pem,
                                    struct cached_caller *cached, struct fault *fault)
{
    struct pem *text = calloc(1, sizeof *text);
    if (text == NULL || pem->value_length >= sizeof text->text) {
        free(text);
        return fault_set(fault, STATUS_EXHAUSTED, "a certificate of %zu bytes", pem->value_length);
    }
    memcpy(text->text, pem->value, pem->value_length);
    struct certificate_facts facts;
    enum status status = identity_read_certificate(text, &facts, fault);
    free(text);
    if (status != STATUS_OK)
        return status;
    const grpc_auth_property *uri = property(context, GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
    char own[IDENTITY_TEXT_MAX];
    identity_uri(&facts.subject, own);
    if (uri == NULL || strlen(own) != uri->value_length ||
        memcmp(own, uri->value, uri->value_length) != 0)
        return fault_set(fault, STATUS_UNAUTHENTICATED, "the certificate's URI is not ours");
    cached->caller = (struct rpc_caller){.authenticated = true, .subject = facts.subject};
    memcpy(cached->caller.serial, facts.serial, sizeof facts.serial);
    cached->until_wall_ms = facts.validity.until_wall_ms;
    return STATUS_OK;
}

static struct cached_caller *add(struct rpc_server *server, const grpc_auth_context *context,
                                 const grpc_auth_property *pem, uint64_t hash)
{
    struct cached_caller fresh = {.hash = hash, .pem_bytes = pem->value_length};
    struct fault fault;
    if (read_certificate(context, pem, &fresh, &fault) != STATUS_OK) {
        log_warning(rpc_loop_log(server->loop), "a caller's certificate: %s", fault.text);
        return NULL;
    }
    fresh.pem = malloc(pem->value_length);
    if (fresh.pem == NULL)
        return NULL;
    memcpy(fresh.pem, pem->value, pem->value_length);
    struct cached_caller *place = place_for(server, hash);
    forget(place);
    *place = fresh;
    return place;
}

void server_caller_read(struct rpc_server *server, grpc_call *grpc, struct rpc_caller *caller)
{
    *caller = (struct rpc_caller){0};
    if (server->security == RPC_UNIX_SOCKET) {
        caller->authenticated = true;
        caller->local = true;
        return;
    }
    if (server->security == RPC_CLEAR)
        return;
    grpc_auth_context *context = grpc_call_auth_context(grpc);
    if (context == NULL)
        return;
    const grpc_auth_property *pem = property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (grpc_auth_context_peer_is_authenticated(context) && pem != NULL) {
        uint64_t hash = fnv1a(pem->value, pem->value_length);
        const struct cached_caller *cached = find(server, pem, hash);
        if (cached == NULL)
            cached = add(server, context, pem, hash);
        if (cached != NULL && clock_wall_ms(rpc_loop_clock(server->loop)) < cached->until_wall_ms)
            *caller = cached->caller;
    }
    grpc_auth_context_release(context);
}

void server_callers_forget(struct rpc_server *server)
{
    for (size_t i = 0; server->callers != NULL && i < RPC_CALLERS_CACHED_MAX; i++)
        forget(&server->callers[i]);
    free(server->callers);
}
