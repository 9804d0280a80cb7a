/*
 * Daemon: a peer with everything real: loop, gRPC servers and clients, identity files, spool,
 * process executor.
 *
 * Opens it all in order, prints one `ready` line, writes STATE/address, runs until SIGINT or
 * SIGTERM, closes in reverse. Jobs run on when it stops; the next daemon adopts them. Thread rule:
 * the main thread, before any other exists.
 */
#ifndef ENTENTE_PEER_DAEMON_H
#define ENTENTE_PEER_DAEMON_H

#include "base/log.h"
#include "peer/config.h"
#include "peer/identity_files.h"
#include "peer/peer.h"
#include "proto/rpc/client.h"
#include "proto/rpc/server.h"

MUST_USE enum status daemon_run(const struct peer_config *config, const struct log *log,
                                struct fault *fault);

/* --- for the files daemon*.c */

struct daemon {
    struct dialer dialer; /* must stay first */
    const struct peer_config *config;
    const struct log *log;
    int lock_fd;
    struct identity_files files;
    struct rpc_loop *loop;
    struct executor *executor;
    struct spool *spool;
    struct peer *peer;
    struct rpc_server *peer_server;
    struct rpc_server *local_server;
    struct rpc_timer tick;
    int64_t stop_boot_ms;    /* stopping: when at the latest; 0: not stopping */
    int64_t reserve_boot_ms; /* when the spool's room is looked at again */
    /* certificate renewal */
    struct transport_call *renew_call;
    struct pem renew_key;
    int64_t renew_boot_ms; /* not before */
};

extern const struct dialer_operations daemon_dialer;
struct rpc_credentials daemon_credentials(const struct daemon *daemon);

/* peer_settings.on_broker_contact: renews the certificate at two thirds of its life. */
void daemon_renew(void *context, struct transport *broker);

#endif
