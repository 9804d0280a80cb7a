/*
 * Link: this peer and the broker: heartbeats, demands, lease events, reports, receipts, the
 * revocation list.
 *
 * Everything is repeated until the broker has answered, with back-off, and has its effect once:
 * demands and cancels carry request keys, events are numbered, receipts have natural keys. The
 * broker may be away for any time. Ownership: the transport is the link's. Thread rule: the loop's
 * thread.
 */
#ifndef ENTENTE_PEER_LINK_LINK_H
#define ENTENTE_PEER_LINK_LINK_H

#include "peer/peer.h"
#include "proto/wire/messages.h"

struct link;

MUST_USE enum status link_open(struct peer *peer, struct link **link, struct fault *fault);
void link_tick(struct link *link);
/* Closes the transport: calls under way end. The struct stays until link_free. */
void link_close(struct link *link);
void link_free(struct link *link);

bool link_connected(const struct link *link);
/* Not heard of for the configured time. */
bool link_away(const struct link *link);

/* Our certificate changed: calls under way go on, new ones use a new connection. */
void link_redial(struct link *link);

/* From the newest heartbeat. */
struct credits link_balance(const struct link *link);
struct credits link_escrow(const struct link *link);
/* How the broker finds that this host delivers; the link's. */
const struct delivery_row *link_deliveries(const struct link *link, uint32_t *count);

/*
 * Passes an owner's question on to the broker as `method` and its answer back to `call`, whose
 * response is the same message. Takes the call's context and on_closed. Nothing is repeated:
 * without a broker the call fails at once with UNAVAILABLE.
 */
void link_ask(struct link *link, struct rpc_call *call, const struct wire_method *method,
              const void *request);

/* Makes known keys and the revocation list that the spool has. */
MUST_USE enum status link_restore_trust(struct peer *peer, struct fault *fault);
/* Takes the broker's present lease keys. */
void link_take_keys(struct peer *peer, const struct lease_key *keys, uint32_t count);

#endif
