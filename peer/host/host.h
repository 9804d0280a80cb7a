/*
 * Host: the runs of jobs on this peer's GPUs, from the grant of a lease to the receipt's way home.
 *
 * A run is one job from start to release; renewals continue it. Its life is one table
 * (run_state.c). Guarantees: a lease is honoured once, only for the home it names, only while its
 * window is open, only on GPUs that are this peer's and free (or about to be); a renewal never
 * touches the process; without the broker's word a run goes on to its holdover limit; every state
 * that was acknowledged is in the spool first. Thread rule: the loop's thread. Complexity: O(runs)
 * a tick.
 */
#ifndef ENTENTE_PEER_HOST_HOST_H
#define ENTENTE_PEER_HOST_HOST_H

#include "peer/peer.h"
#include "proto/wire/messages.h"

struct host;
struct run;

enum { HOST_RUNS_MAX = LEASES_PER_HEARTBEAT_MAX };

MUST_USE enum status host_open(struct peer *peer, struct host **host, struct fault *fault);
void host_tick(struct host *host);
void host_close(struct host *host);

/* --- from home, over TLS as `caller` */

MUST_USE enum status host_accept(struct host *host, const struct name *caller,
                                 const struct accept_request *request, struct fault *fault);
/* The run that takes files from home under this lease now: accepted, not started, of that home;
 * NULL otherwise. */
struct run *host_staging(struct host *host, const struct name *caller, struct lease_id lease);
MUST_USE enum status host_offer_files(struct run *run, const struct offer_files_request *request,
                                      struct arena *arena, struct offer_files_response *response,
                                      struct fault *fault);
MUST_USE enum status host_put_chunk(struct run *run, const struct push_chunk_request *request,
                                    struct fault *fault);
MUST_USE enum status host_commit_files(struct run *run, enum files_purpose purpose,
                                       struct fault *fault);
MUST_USE enum status host_start(struct host *host, const struct name *caller, struct lease_id lease,
                                struct fault *fault);
MUST_USE enum status host_stop(struct host *host, const struct name *caller,
                               const struct stop_request *request, struct fault *fault);
/* Answers by the call, now and later. */
void host_watch(struct host *host, struct rpc_call *call, const struct watch_job_request *request);

/* --- from the broker */

void host_lease_event(struct host *host, const struct lease_event *event);
/* A member is out: its runs stop after a checkpoint. */
void host_revoked(struct host *host, const struct name *member);
/* We are out: all runs of others stop after a checkpoint. */
void host_shut_out(struct host *host);

/* --- from the operator */

/* Every run stops after a checkpoint; what has not started is refused. */
void host_stop_all(struct host *host, const char *why);
/* Is a process of ours running, or something of one still on its way home? */
bool host_busy(const struct host *host);

/* A restored broker may not know what runs here: reports it again. */
void host_report_again(struct host *host);

/* --- for heartbeat and status */

/* Leases held now, with the renewals of them that have not begun; the broker's only; in the
 * arena. */
MUST_USE enum status host_held(struct host *host, struct arena *arena, struct lease_id **held,
                               uint32_t *count, struct fault *fault);
MUST_USE enum status host_rows(struct host *host, struct arena *arena, struct hosted_row **rows,
                               uint32_t *count, struct fault *fault);

#endif
