/*
 * Tuning: gRPC's channel arguments for both sides, in one place because they must fit together.
 */
#ifndef ENTENTE_PROTO_RPC_TUNING_H
#define ENTENTE_PROTO_RPC_TUNING_H

#include <grpc/grpc.h>

enum {
    RPC_STREAMS_PER_CONNECTION_MAX = 1024,
    RPC_KEEPALIVE_TIME_MS = 2000,    /* a ping after that much silence */
    RPC_KEEPALIVE_TIMEOUT_MS = 2500, /* dead after that long without an answer: 4.5 s in all */
    RPC_PING_INTERVAL_MS_MIN = 500,  /* below the client's period, else GOAWAY too_many_pings */
    RPC_CONNECT_MS_MAX = 5000,       /* one attempt to connect */
    RPC_BACKOFF_MS_MIN = 200,
    RPC_BACKOFF_MS_MAX = 5000,
    RPC_SERVER_MEMORY_MAX = 512 * 1024 * 1024, /* gRPC's buffers of one server, all callers */
    RPC_HANDSHAKE_MS_MAX = 10000,              /* TLS, on the server's side */
    TUNING_ARGUMENTS_MAX = 24
};

struct tuning {
    grpc_arg arguments[TUNING_ARGUMENTS_MAX];
    grpc_channel_args list;
};

/* The struct must stay where it is while list is used; the strings are borrowed. */
void tuning_server(struct tuning *tuning, grpc_resource_quota *quota);
/* server_name: NULL without TLS. */
void tuning_client(struct tuning *tuning, const char *server_name);

#endif
