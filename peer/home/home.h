/*
 * Home: a member's own jobs, from submission to their end, wherever they run.
 *
 * A job's life is one table (home_state.c). Under a lease home brings the job to its host (Accept,
 * bundle, checkpoint, Start), watches it, receives checkpoints and results, and countersigns what
 * it can confirm. A job whose lease ended without completion goes back to the market with its
 * checkpoint. While the broker is away jobs that may run at home do: under a lease that the peer
 * grants to itself, so that there is one way to run a job. Guarantees: what was submitted and what
 * was received survives kill -9; a restarted home watches its jobs again. Thread rule: the loop's
 * thread. Complexity: O(jobs) a tick.
 */
#ifndef ENTENTE_PEER_HOME_HOME_H
#define ENTENTE_PEER_HOME_HOME_H

#include "peer/peer.h"
#include "proto/wire/messages.h"

struct home;
struct home_job;

MUST_USE enum status home_open(struct peer *peer, struct home **home, struct fault *fault);
void home_tick(struct home *home);
void home_close(struct home *home);

/* --- from the owner */

/* Copies the files; *job is acknowledged only when it is in the spool. */
MUST_USE enum status home_submit(struct home *home, const struct job_submission *submission,
                                 struct name *job, struct fault *fault);
MUST_USE enum status home_cancel(struct home *home, const struct name *job, struct fault *fault);
MUST_USE enum status home_row(struct home *home, const struct name *job, struct local_job_row *row,
                              struct fault *fault);
MUST_USE enum status home_rows(struct home *home, struct arena *arena,
                               struct local_jobs_response *response, struct fault *fault);
MUST_USE enum status home_fetch(struct home *home, const struct fetch_request *request,
                                struct arena *arena, struct fetch_response *response,
                                struct fault *fault);
/* The path of a job's log; *final: nothing will be added. */
MUST_USE enum status home_log(struct home *home, const struct name *job,
                              char path[static FILE_PATH_MAX], bool *final, struct fault *fault);
struct home_counts {
    uint32_t queued;
    uint32_t running;
};
struct home_counts home_counts(const struct home *home);

/* --- from the broker */

void home_lease_event(struct home *home, const struct lease_event *event);
/* Jobs at that member go back to the market; what it streams about them is cut off. */
void home_revoked(struct home *home, const struct name *member);

/* --- from hosts, over TLS as `caller`: checkpoints, results (fault is needed), receipts */

MUST_USE enum status home_offer_files(struct home *home, const struct name *caller,
                                      const struct offer_files_request *request,
                                      struct arena *arena, struct offer_files_response *response,
                                      struct fault *fault);
MUST_USE enum status home_put_chunk(struct home *home, const struct name *caller,
                                    const struct push_chunk_request *request, struct fault *fault);
MUST_USE enum status home_commit_files(struct home *home, const struct name *caller,
                                       const struct commit_files_request *request,
                                       struct fault *fault);
MUST_USE enum status home_countersign(struct home *home, const struct name *caller,
                                      const struct signed_receipt *receipt,
                                      struct signed_receipt *signed_receipt, struct fault *fault);

/* --- for the link: what the broker must hear of demands */

enum demand_word { DEMAND_SUBMIT, DEMAND_CANCEL };

/* Calls `tell` for each job of which the broker has an old picture. */
void home_demands(struct home *home,
                  bool (*tell)(void *context, struct home_job *job, enum demand_word word),
                  void *context);
/* The demand as it is now, in the arena; *version tells whether it changed since. */
MUST_USE enum status home_demand(struct home_job *job, struct arena *arena, struct demand *demand,
                                 uint64_t *version, struct fault *fault);
const struct name *home_job_name(const struct home_job *job);
bool home_job_completed(const struct home_job *job);
/* The broker answered (OK), refused (fault), or must be asked again later (retry). */
void home_demand_told(struct home *home, const struct name *job, enum demand_word word,
                      uint64_t version, enum status status, const struct fault *fault);
/* The owner disputes a receipt, or withdraws that: home signs it only when it is not disputed. */
MUST_USE enum status home_dispute_note(struct home *home, const struct dispute_request *request,
                                       struct fault *fault);
/* What home measured of the job, to be sent with its demand; borrowed until it was told. */
const struct profile_row *home_profile(const struct home_job *job, uint32_t *count);
/* sent: what home measured has arrived. wanted: the broker knows nothing of that job. */
void home_profile_told(struct home *home, const struct name *job, bool sent, bool wanted);
/* A run under an own lease was metered. */
void home_measured(struct home *home, const struct receipt *receipt, const struct lease *lease);
/* The broker may have forgotten: tell it everything again. */
void home_tell_all(struct home *home);

#endif
