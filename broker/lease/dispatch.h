/*
 * Dispatch: the outbox of lease events -> the members' WatchLeases streams.
 *
 * An event stays in the store until its member acknowledged it by a heartbeat, and is sent again
 * whenever the member's stream starts anew; so events repeat and are never lost. One stream a
 * member: a new one ends the old. Flow control: at most RPC_UNSENT_MAX under way a stream. Also
 * grants planned leases whose GPUs and job were released. Thread rule: the loop's thread.
 * Ownership: the calls are the carrier's; forgotten in their on_closed.
 */
#ifndef ENTENTE_BROKER_LEASE_DISPATCH_H
#define ENTENTE_BROKER_LEASE_DISPATCH_H

#include "broker/core.h"
#include "proto/rpc/call.h"

struct dispatch_stream;

struct dispatch {
    struct core *core;
    struct dispatch_stream *streams; /* by member */
};

void dispatch_init(struct dispatch *dispatch, struct core *core);
/* Ends all streams. */
void dispatch_fini(struct dispatch *dispatch);

/* Takes the call over as the member's stream; sends what is due. */
void dispatch_watch(struct dispatch *dispatch, struct rpc_call *call, const struct name *member,
                    uint64_t after);

/* Sends what is new to that member, where it watches. */
void dispatch_wake(struct dispatch *dispatch, const struct name *member);
void dispatch_wake_all(struct dispatch *dispatch);

/* Ends the member's stream (it was revoked). */
void dispatch_drop(struct dispatch *dispatch, const struct name *member);

bool dispatch_watches(const struct dispatch *dispatch, const struct name *member);

/* Grants planned leases that wait for nothing any more, and wakes their members. */
void dispatch_grant_ready(struct dispatch *dispatch);

#endif
