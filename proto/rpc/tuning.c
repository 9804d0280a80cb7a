#include "proto/rpc/tuning.h"

#include <assert.h>
#include <stddef.h>

#include "proto/rpc/call.h"

struct setting {
    const char *key;
    int value;
};

static const struct setting both[] = {
    {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RPC_MESSAGE_BYTES_MAX},
    {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, RPC_MESSAGE_BYTES_MAX},
    {GRPC_ARG_KEEPALIVE_TIME_MS, RPC_KEEPALIVE_TIME_MS},
    {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, RPC_KEEPALIVE_TIMEOUT_MS},
    {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
    {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0}, /* 2 would leave a dead peer unnoticed for 20 s */
    {GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0},
    {GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},
    {GRPC_ARG_ENABLE_CHANNELZ, 0},
};

static const struct setting server_only[] = {
    {GRPC_ARG_ALLOW_REUSEPORT, 0}, /* else two daemons share one port and nobody is told */
    {GRPC_ARG_MAX_CONCURRENT_STREAMS, RPC_STREAMS_PER_CONNECTION_MAX},
    {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, RPC_PING_INTERVAL_MS_MIN},
    {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, RPC_HANDSHAKE_MS_MAX},
};

static const struct setting client_only[] = {
    {GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1}, /* one connection a transport, with its own keys */
    {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RPC_BACKOFF_MS_MIN},
    {GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, RPC_CONNECT_MS_MAX},
    {GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RPC_BACKOFF_MS_MAX},
    {GRPC_ARG_ENABLE_RETRIES, 0}, /* callers repeat by request key, and know that they did */
    {GRPC_ARG_ENABLE_HTTP_PROXY, 0},
    {GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void add(struct tuning *tuning, grpc_arg argument)
{
    assert(tuning->list.num_args < TUNING_ARGUMENTS_MAX);
    tuning->arguments[tuning->list.num_args++] = argument;
}

/* gRPC's struct wants char *, and only reads. */
static char *borrowed(const char *text)
{
    union {
        const char *in;
        char *out;
    } pointer = {text};
    return pointer.out;
}

static void add_settings(struct tuning *tuning, const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(tuning, (grpc_arg){.type = GRPC_ARG_INTEGER,
                               .key = borrowed(settings[i].key),
                               .value.integer = settings[i].value});
}

static void begin(struct tuning *tuning)
{
    *tuning = (struct tuning){.list = {.num_args = 0}};
    tuning->list.args = tuning->arguments;
    add_settings(tuning, both, COUNT(both));
}

void tuning_server(struct tuning *tuning, grpc_resource_quota *quota)
{
    begin(tuning);
    add(tuning, (grpc_arg){.type = GRPC_ARG_POINTER,
                           .key = borrowed(GRPC_ARG_RESOURCE_QUOTA),
                           .value.pointer = {quota, grpc_resource_quota_arg_vtable()}});
    add_settings(tuning, server_only, COUNT(server_only));
}

void tuning_client(struct tuning *tuning, const char *server_name)
{
    begin(tuning);
    add_settings(tuning, client_only, COUNT(client_only));
    if (server_name != NULL)
        add(tuning, (grpc_arg){.type = GRPC_ARG_STRING,
                               .key = borrowed(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG),
                               .value.string = borrowed(server_name)});
}
