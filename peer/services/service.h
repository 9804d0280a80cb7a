/*
 * Service: the handlers of a peer's two servers, for whatever carries the calls (gRPC, or a
 * simulated network in tests). call->service is the struct peer.
 *
 * PeerService: other members, proved by TLS; each gets only what its leases give. LocalService: the
 * owners of jobs on this machine, proved by the Unix socket. Thread rule: the loop's thread.
 */
#ifndef ENTENTE_PEER_SERVICES_SERVICE_H
#define ENTENTE_PEER_SERVICES_SERVICE_H

#include "peer/peer.h"

extern const struct rpc_handler peer_service_handlers[];
extern const size_t peer_service_handler_count;

/* Members only, and none that was revoked. For rpc_server_settings.admit. */
enum status peer_service_admit(void *service, const struct rpc_caller *caller,
                               const struct wire_method *method, struct fault *fault);

extern const struct rpc_handler local_service_handlers[];
extern const size_t local_service_handler_count;

/* Feeds the log streams; peer_tick calls it. */
void log_streams_tick(struct peer *peer);

#endif
