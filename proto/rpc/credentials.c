/*
 * Credentials: the server's keys as gRPC's handshakes ask for them.
 *
 * gRPC calls fetch() at every handshake, on its own threads; it hands out a new configuration only
 * when credential_store_set() brought one since, so a reload touches no connection that is open.
 * Thread rule: the store's lock guards everything in it. Ownership: the PEM texts are copies, the
 * key wiped when it goes.
 */
#include "proto/rpc/server_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct credential_store {
    const struct clock *clock;
    pthread_mutex_t lock;
    char *roots_pem;
    char *chain_pem;
    char *key_pem;
    bool fetched;
};

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static enum status copy_part(struct pem *pem, const char *text, size_t size, const char *what,
                             struct fault *fault)
{
    if (size >= sizeof pem->text)
        return fault_set(fault, STATUS_CONFIG, "%s is larger than %d bytes", what, PEM_BYTES_MAX);
    memcpy(pem->text, text, size);
    pem->text[size] = '\0';
    return STATUS_OK;
}

static enum status copy_pem(struct pem *pem, const char *text, const char *what,
                            struct fault *fault)
{
    return copy_part(pem, text, strlen(text), what, fault);
}

struct parts {
    struct pem root, chain, key;
};

/* While a root is replaced there are two: the chain must lead to one of them. */
static enum status verify(struct parts *parts, const char *roots, int64_t wall_ms,
                          struct fault *fault)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    enum status status = fault_set(fault, STATUS_CONFIG, "there is no certificate in the roots");
    for (const char *at = strstr(roots, begin); at != NULL;) {
        const char *next = strstr(at + 1, begin);
        size_t size = next != NULL ? (size_t)(next - at) : strlen(at);
        status = copy_part(&parts->root, at, size, "the root", fault);
        if (status == STATUS_OK)
            status =
                identity_verify_chain(&parts->chain, &parts->root, &parts->key, wall_ms, fault);
        if (status == STATUS_OK)
            return STATUS_OK;
        at = next;
    }
    return status;
}

/* gRPC would find out at a handshake, and tell nobody but its log. */
static enum status check(const struct rpc_credentials *credentials, int64_t wall_ms,
                         struct fault *fault)
{
    assert(credentials->roots_pem != NULL && credentials->chain_pem != NULL &&
           credentials->key_pem != NULL);
    struct parts *parts = calloc(1, sizeof *parts);
    if (parts == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the server's certificate");
    enum status status = copy_pem(&parts->chain, credentials->chain_pem, "the certificate", fault);
    if (status == STATUS_OK)
        status = copy_pem(&parts->key, credentials->key_pem, "the key", fault);
    if (status == STATUS_OK)
        status = verify(parts, credentials->roots_pem, wall_ms, fault);
    pem_wipe(&parts->key);
    free(parts);
    return status;
}

enum status credential_store_set(struct credential_store *store,
                                 const struct rpc_credentials *credentials, struct fault *fault)
{
    enum status status = check(credentials, clock_wall_ms(store->clock), fault);
    if (status != STATUS_OK)
        return status;
    char *roots = strdup(credentials->roots_pem);
    char *chain = strdup(credentials->chain_pem);
    char *key = strdup(credentials->key_pem);
    if (roots == NULL || chain == NULL || key == NULL) {
        free(roots);
        free(chain);
        wipe(key);
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the server's certificate");
    }
    pthread_mutex_lock(&store->lock);
    free(store->roots_pem);
    free(store->chain_pem);
    wipe(store->key_pem);
    store->roots_pem = roots;
    store->chain_pem = chain;
    store->key_pem = key;
    store->fetched = false;
    pthread_mutex_unlock(&store->lock);
    return STATUS_OK;
}

enum status credential_store_open(struct credential_store **out, const struct clock *clock,
                                  const struct rpc_credentials *credentials, struct fault *fault)
{
    struct credential_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the server's certificate");
    store->clock = clock;
    pthread_mutex_init(&store->lock, NULL);
    enum status status = credential_store_set(store, credentials, fault);
    if (status != STATUS_OK) {
        credential_store_close(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

void credential_store_close(struct credential_store *store)
{
    if (store == NULL)
        return;
    free(store->roots_pem);
    free(store->chain_pem);
    wipe(store->key_pem);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static grpc_ssl_certificate_config_reload_status fetch(void *user_data,
                                                       grpc_ssl_server_certificate_config **config)
{
    struct credential_store *store = user_data;
    grpc_ssl_certificate_config_reload_status answer = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    pthread_mutex_lock(&store->lock);
    if (!store->fetched) {
        grpc_ssl_pem_key_cert_pair pair = {store->key_pem, store->chain_pem};
        *config = grpc_ssl_server_certificate_config_create(store->roots_pem, &pair, 1);
        store->fetched = true;
        answer = *config != NULL ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW
                                 : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    }
    pthread_mutex_unlock(&store->lock);
    return answer;
}

grpc_server_credentials *credential_store_server(struct credential_store *store,
                                                 bool certificate_required)
{
    grpc_ssl_server_credentials_options *options =
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            certificate_required ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                 : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY,
            fetch, store);
    return grpc_ssl_server_credentials_create_with_options(options);
}
