/*
 * Spool: what a peer must not forget: its own jobs and their leases, the runs it hosts, reports and
 * receipts the broker has not taken yet, lease events handled, settings, its incarnation.
 *
 * SQLite with synchronous=FULL (or spool_defer_sync() and spool_sync()), so that what was
 * acknowledged survives kill -9 and power loss at any instant. The one home of sqlite3.h in peer/.
 * Writes outside spool_begin/commit are one transaction each. Reading hands rows to a visitor; what
 * a row points to is borrowed for the visit. Errors: IO with what SQLite says; CORRUPT where a
 * stored value can't be; NOT_FOUND. Thread rule: the loop's thread. Complexity: O(log rows) a row.
 */
#ifndef ENTENTE_PEER_SPOOL_SPOOL_H
#define ENTENTE_PEER_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/domain/lease.h"
#include "peer/host/meter.h"
#include "proto/wire/messages.h"

struct spool;

enum { SPOOL_TEXT_MAX = 512, SPOOL_KEY_MAX = 128 };

/* Makes the file where it lacks. A fresh spool's incarnation is the wall clock's seconds, so that
 * one that was lost and made again is higher. */
MUST_USE enum status spool_open(const char *path, const struct clock *clock, struct spool **spool,
                                struct fault *fault);
void spool_close(struct spool *spool); /* NULL is fine */

/* From now on each write that fails is told, besides its status: what is in memory is then ahead of
 * what a restart would find. */
void spool_tell_failures(struct spool *spool,
                         void (*failed)(void *context, const struct fault *fault), void *context);

uint64_t spool_incarnation(const struct spool *spool);
/* The file was put back from a backup: the next incarnation; and job names that may have been given
 * since are passed over. */
MUST_USE enum status spool_restored(struct spool *spool, struct fault *fault);

/* Takes disk for the next writes beforehand (reserve.c); cheap where it is there. IO: the disk is
 * full. */
MUST_USE enum status spool_reserve(struct spool *spool, struct fault *fault);
/* How many statements failed since it was opened: whoever did several can see whether all were
 * kept. */
uint64_t spool_troubles(const struct spool *spool);

/* Several writes as one: all or nothing. Not nested. */
MUST_USE enum status spool_begin(struct spool *spool, struct fault *fault);
MUST_USE enum status spool_commit(struct spool *spool, struct fault *fault);
/* After any failure between the two; nothing happens where none is open. */
void spool_rollback(struct spool *spool);

/*
 * From here on a write is whole or not there at all, and survives kill -9; what makes it survive
 * power loss is the next spool_sync(), for all writes before it at once. Nothing that rests on a
 * write may leave the process, and no file that the former state needs may be removed, while
 * spool_unsynced() (rpc_loop_set_barrier()). A failed sync has no second try: the process must end
 * without another word.
 */
MUST_USE enum status spool_defer_sync(struct spool *spool, struct fault *fault);
bool spool_unsynced(const struct spool *spool);
MUST_USE enum status spool_sync(struct spool *spool, struct fault *fault);

/* --- settings: small values by name */

MUST_USE enum status spool_put(struct spool *spool, const char *key, struct bytes value,
                               struct fault *fault);
MUST_USE enum status spool_get(struct spool *spool, const char *key, struct arena *arena,
                               struct bytes *value, struct fault *fault);
MUST_USE enum status spool_put_number(struct spool *spool, const char *key, uint64_t value,
                                      struct fault *fault);
/* fallback where there is none. */
uint64_t spool_get_number(struct spool *spool, const char *key, uint64_t fallback);

/* --- own jobs */

struct spool_job {
    struct name job;
    enum job_state state;
    enum job_placement placement;
    bool cancelled;               /* the owner called it off */
    bool demand_open;             /* the broker may hold a demand of it */
    struct lease_id lease;        /* under which it was staged; none: not placed */
    struct lease_id renewal;      /* the newest that continues it; none */
    struct lease_id next;         /* granted, to be used when the job has left the present one */
    uint64_t examples_done;       /* newest progress seen, in all */
    uint64_t checkpoint_examples; /* done when the newest checkpoint at home was made */
    uint64_t checkpoint_bytes;    /* 0: no checkpoint */
    uint64_t log_base;            /* bytes of the job's log from earlier starts */
    uint32_t starts;
    uint32_t retries_left;
    int32_t exit_code;
    int64_t submitted_wall_ms;
    int64_t started_wall_ms;
    int64_t ended_wall_ms;
    struct credits paid;
    char text[SPOOL_TEXT_MAX]; /* newest reason or error */
};

/* Where a job was last, and how fast it went there: written when it leaves. */
struct spool_place {
    struct lease_id lease; /* the newest it had there; none: the job never was anywhere */
    struct name host;
    struct name gpu;
    uint32_t gpus;
    struct price price;
    double predicted_examples_per_second;
    double measured_examples_per_second; /* the newest that was above 0; 0: never measured */
};

/* The larger values of a job, kept apart so that a state change writes little. */
enum spool_body {
    SPOOL_SUBMISSION,        /* encoded struct job_submission */
    SPOOL_CHECKPOINT,        /* encoded struct offer_files_request: the newest checkpoint's files */
    SPOOL_RUN_SPECIFICATION, /* of a hosted run, under its run id: struct job_specification */
    SPOOL_COUNTERSIGNED /* of a lease, under its id: digest of the newest receipt home signed */
};

MUST_USE enum status spool_job_put(struct spool *spool, const struct spool_job *job,
                                   struct fault *fault);
MUST_USE enum status spool_jobs_visit(struct spool *spool,
                                      enum status (*visit)(void *context,
                                                           const struct spool_job *job,
                                                           struct fault *fault),
                                      void *context, struct fault *fault);
MUST_USE enum status spool_place_put(struct spool *spool, const struct name *job,
                                     const struct spool_place *place, struct fault *fault);
/* All zero where there is none. */
MUST_USE enum status spool_place_get(struct spool *spool, const struct name *job,
                                     struct spool_place *place, struct fault *fault);
MUST_USE enum status spool_body_put(struct spool *spool, const char *owner, enum spool_body kind,
                                    struct bytes body, struct fault *fault);
MUST_USE enum status spool_body_get(struct spool *spool, const char *owner, enum spool_body kind,
                                    struct arena *arena, struct bytes *body, struct fault *fault);

/* --- leases: of own jobs, as home; of hosted runs, as host */

enum lease_side { LEASE_AS_HOME, LEASE_AS_HOST };

/* A lease and what this side saw of it. */
struct spool_lease {
    struct lease_id id;
    enum lease_side side;
    struct name job;
    struct lease_id run; /* host: the run's first lease */
    struct signed_bytes signed_lease;
    int64_t taken_boot_ms;   /* granted (home) or accepted (host) */
    int64_t started_boot_ms; /* home: Start was sent, or the renewal's start; 0: never */
    int64_t ended_boot_ms;   /* home: saw it end; 0: not yet */
    uint64_t checkpoints;    /* home: received under it */
    int64_t signed_held_ms;  /* home: in receipts countersigned */
    uint64_t signed_checkpoints;
    uint32_t signed_sequence; /* home: newest receipt countersigned */
};

MUST_USE enum status spool_lease_put(struct spool *spool, const struct spool_lease *lease,
                                     struct fault *fault);
/* What it points to lies in the arena. */
MUST_USE enum status spool_lease_get(struct spool *spool, struct lease_id id, enum lease_side side,
                                     struct arena *arena, struct spool_lease *lease,
                                     struct fault *fault);
/* The boot clock began again: home's starts, on the former one, are moments this one never reaches
 * (INT64_MAX). O(leases). */
MUST_USE enum status spool_leases_forget_starts(struct spool *spool, struct fault *fault);
bool spool_lease_known(struct spool *spool, struct lease_id id, enum lease_side side);

/* --- hosted runs */

enum run_state {
    RUN_GRANTED, /* the broker said so; home has not come yet */
    RUN_STAGING, /* accepted; files on their way */
    RUN_RUNNING,
    RUN_STOPPING,   /* asked to stop */
    RUN_DELIVERING, /* processes gone, GPUs free; checkpoint and results on their way home */
    RUN_OVER,       /* kept for a while, so that home can still ask what became of it */
    RUN_STATE_COUNT
};

struct spool_run {
    struct lease_id run;   /* the first lease: the run's name */
    struct lease_id lease; /* under which it is held now */
    struct lease_id next;  /* a renewal not begun yet; none */
    enum run_state state;
    struct name job;
    struct name home;
    bool own;  /* granted by this peer to itself: nothing to report or to bill */
    bool ends; /* the broker said: not renewed */
    bool lost; /* nothing of it was left after a restart */
    int64_t stop_grace_ms;
    int64_t changed_wall_ms;
    int32_t exit_code;
    enum lease_outcome outcome;
    uint64_t delivered_number; /* newest checkpoint delivered */
    struct meter meter;        /* from RUNNING on */
    char text[SPOOL_TEXT_MAX];
};

MUST_USE enum status spool_run_put(struct spool *spool, const struct spool_run *run,
                                   struct fault *fault);
MUST_USE enum status spool_run_delete(struct spool *spool, struct lease_id run,
                                      struct fault *fault);
MUST_USE enum status spool_runs_visit(struct spool *spool,
                                      enum status (*visit)(void *context,
                                                           const struct spool_run *run,
                                                           struct fault *fault),
                                      void *context, struct fault *fault);

/* --- what the broker has yet to be told */

MUST_USE enum status spool_report_put(struct spool *spool, const struct lease_report *report,
                                      struct fault *fault);
MUST_USE enum status spool_report_delete(struct spool *spool, struct lease_id lease,
                                         enum lease_report_kind kind, struct fault *fault);
/* Up to limit reports, oldest first, into the arena. */
MUST_USE enum status spool_reports(struct spool *spool, uint32_t limit, struct arena *arena,
                                   struct lease_report **reports, uint32_t *count,
                                   struct fault *fault);

enum receipt_state {
    RECEIPT_UNSIGNED, /* home has not countersigned yet */
    RECEIPT_READY,    /* to be reported */
    RECEIPT_REFUSED,  /* the broker said no; kept for a ruling, reported again now and then */
    RECEIPT_TAKEN,    /* settled; kept for a while, for a broker that is restored from a backup */
    RECEIPT_STATE_COUNT
};

struct spool_receipt {
    struct lease_id lease;
    uint32_t sequence;
    struct signed_receipt receipt;
    enum receipt_state state;
    int64_t made_wall_ms;
    int64_t made_boot_ms;
};

MUST_USE enum status spool_receipt_put(struct spool *spool, const struct spool_receipt *receipt,
                                       struct fault *fault);
/* The broker took it. */
MUST_USE enum status spool_receipt_taken(struct spool *spool, struct lease_id lease,
                                         uint32_t sequence, struct fault *fault);
/* Those that it took and that were made before that time are forgotten. O(forgotten). */
MUST_USE enum status spool_receipts_forget(struct spool *spool, int64_t before_wall_ms,
                                           struct fault *fault);
/* All that were taken or refused are to be reported again. O(kept). */
MUST_USE enum status spool_receipts_again(struct spool *spool, struct fault *fault);
/* Is any to be reported? */
MUST_USE enum status spool_receipts_ready(struct spool *spool, bool *ready, struct fault *fault);
/* The signed leases of the receipts kept, a page of them from *after on, which moves on; leases
 * has room for limit. A lease may come twice. */
MUST_USE enum status spool_receipt_leases(struct spool *spool, uint64_t *after, uint32_t limit,
                                          struct arena *arena, struct signed_bytes *leases,
                                          uint32_t *count, struct fault *fault);
/* Up to limit receipts in that state, oldest first, into the arena. */
MUST_USE enum status spool_receipts(struct spool *spool, enum receipt_state state, uint32_t limit,
                                    struct arena *arena, struct spool_receipt **receipts,
                                    uint32_t *count, struct fault *fault);
/* NOT_FOUND where it is not kept (any more). */
MUST_USE enum status spool_receipt_get(struct spool *spool, struct lease_id lease,
                                       uint32_t sequence, struct arena *arena,
                                       struct spool_receipt *receipt, struct fault *fault);
/* Those that the broker has not taken. */
uint32_t spool_receipts_count(struct spool *spool);

/* --- disputes that home opened, until the broker has them */

/* One a receipt: a second one changes nothing. by_owner: the owner tells the broker itself, and
 * home signs the receipt no more. */
MUST_USE enum status spool_dispute_put(struct spool *spool, const struct dispute_request *dispute,
                                       bool by_owner, struct fault *fault);
/* The oldest that the broker was not told of; its text lies in `text`. NOT_FOUND: none. */
MUST_USE enum status spool_dispute_next(struct spool *spool, struct dispute_request *dispute,
                                        char text[static DISPUTE_TEXT_BYTES_MAX + 1],
                                        struct fault *fault);
/* Does the owner dispute that receipt? */
bool spool_dispute_by_owner(struct spool *spool, struct lease_id lease, uint32_t sequence);
/* Withdrawn: home may sign. */
MUST_USE enum status spool_dispute_forget(struct spool *spool, struct lease_id lease,
                                          uint32_t sequence, struct fault *fault);
MUST_USE enum status spool_dispute_told(struct spool *spool, struct lease_id lease,
                                        uint32_t sequence, struct fault *fault);

/* --- ledger heads: what the broker signed of its ledger, the newest of each incarnation */

/* An older one than is kept changes nothing. */
MUST_USE enum status spool_head_put(struct spool *spool, const struct ledger_head *head,
                                    const struct signed_bytes *signed_head, struct fault *fault);
/* Of that incarnation: sequence 0 where none is kept. */
MUST_USE enum status spool_head_get(struct spool *spool, uint64_t incarnation, struct arena *arena,
                                    struct ledger_head *head, struct signed_bytes *signed_head,
                                    struct fault *fault);
/* At most HEADS_PER_MEMBER_MAX, the newest incarnation first. */
MUST_USE enum status spool_heads(struct spool *spool, struct arena *arena,
                                 struct signed_bytes **heads, uint32_t *count, struct fault *fault);

#endif
