/* Home job: one own job in memory, for the files home*.c. What must survive is in `row`; the rest
 * is made again from the spool. */
#ifndef ENTENTE_PEER_HOME_HOME_JOB_H
#define ENTENTE_PEER_HOME_HOME_JOB_H

#include "base/hash.h"

#include "peer/files/chunks.h"
#include "peer/home/home.h"
#include "peer/home/home_state.h"
#include "peer/files/transfer.h"

/* How far a placed job has come on its way to the host; every try begins at the front, each step
 * may be repeated. */
enum home_step { STEP_ACCEPT, STEP_BUNDLE, STEP_CHECKPOINT, STEP_START, STEP_WATCH };

/* What home measures of a job that nobody knows; in memory alone: a peer that restarts begins
 * again.
 */
enum { PROFILES_PER_JOB_MAX = 2 };

struct home_profile {
    bool wanted;   /* the broker knows nothing of it, and there is a size left to try */
    bool running;  /* the present lease is a profile's */
    uint32_t runs; /* so far */
    struct profile_row rows[PROFILES_PER_JOB_MAX]; /* not told yet */
    uint32_t row_count;
};

struct home_job {
    struct spool_job row;
    struct home *home;
    struct arena arena; /* the job's lifetime: its submission */
    struct job_submission *submission;
    double work_examples; /* asked for in all */
    /* its place */
    struct arena lease_arena;   /* from placed to left */
    struct arena renewal_arena; /* of the newest renewal alone */
    struct signed_bytes signed_lease;
    struct lease *lease;     /* NULL: not placed */
    struct lease *renewal;   /* the newest; NULL: none */
    int64_t expires_boot_ms; /* after this the host has no right to run it */
    enum home_step step;
    bool start_sent; /* the host may have begun, whatever was heard since */
    struct contact *contact;
    struct transport_call *call;       /* Accept or Start */
    struct transport_call *watch_call; /* WatchJob */
    struct transport_call *stop_call;
    struct transfer transfer;
    struct file_set checkpoint; /* the newest at home, in checkpoint_arena */
    struct arena checkpoint_arena;
    bool ended; /* the host said the final state; the stream is about to close */
    enum job_state ended_state;
    bool lost; /* the host does not know it */
    bool stop_wanted;
    int64_t retry_boot_ms;
    int64_t watch_boot_ms;
    int64_t stop_boot_ms;
    uint32_t failures;
    double examples_per_second;
    double measured_examples_per_second; /* here, the newest above 0 */
    struct spool_place last;             /* where it was before; no lease: nowhere */
    uint64_t reported_examples;          /* progress that the broker was told of */
    int64_t saved_boot_ms;
    /* what a host sends */
    struct chunks *chunks; /* opened when first needed */
    struct arena incoming_arena[FILES_PURPOSE_COUNT];
    struct file_set incoming[FILES_PURPOSE_COUNT];
    bool offered[FILES_PURPOSE_COUNT]; /* since home was started: what can be complete */
    uint64_t incoming_examples;
    /* its demand */
    uint64_t demand_version;      /* grows with each change */
    uint64_t demand_told;         /* the broker knows this one */
    bool demand_busy;             /* a call is under way */
    bool demand_stale;            /* to be told when progress is */
    int64_t demand_retry_boot_ms; /* after a failure, not before */
    int64_t progress_boot_ms;     /* progress is news again from then on */
    struct home_profile profile;
    struct home_job *next;
    UT_hash_handle hh; /* by row.job */
    struct home_job *next_live;
    bool live; /* in the list of those that a tick looks at */
};

struct home {
    struct peer *peer;
    struct home_job *jobs; /* in order of submission */
    struct home_job *last;
    struct home_job *by_name;
    struct home_job *live; /* those that are not at rest, in order of submission */
    struct home_job *live_last;
    uint32_t job_count;
    uint32_t open_count;
    bool profiling;        /* a job is measured now */
    struct chunks *chunks; /* bundles of all own jobs */
    bool sweep_wanted;     /* a job ended: its bundle may go */
    int64_t sweep_boot_ms; /* not before */
};

/* --- home.c */
struct home_job *home_find(struct home *home, const struct name *job);
/* A lease of a job of ours, in the arena. One that isn't known is UNAVAILABLE, not NOT_FOUND: a
 * host may hear of a renewal before home does. */
MUST_USE enum status home_lease_get(struct home *home, struct lease_id id, struct arena *arena,
                                    struct spool_lease *known, struct fault *fault);
/* The job of any lease that home ever had for it, and the host's name; NULL where there is none or
 * the caller is not that lease's host. */
struct home_job *home_find_hosted(struct home *home, const struct name *caller,
                                  struct lease_id lease, struct fault *fault);
MUST_USE enum status home_add(struct home *home, const struct spool_job *row, struct home_job **job,
                              struct fault *fault);
void job_save(struct home_job *job);
void job_move(struct home_job *job, enum home_event event, const char *text);
void job_demand_changed(struct home_job *job);
/* Something changed that the market need not hear of at once: it is told with the progress. */
void job_demand_stale(struct home_job *job);
/* Of something in the job's directory, which is made where `make`: most jobs never have one. */
MUST_USE enum status job_path(const struct home_job *job, const char *name, bool make,
                              char path[static FILE_PATH_MAX], struct fault *fault);
bool job_own_lease(const struct home_job *job);

/* --- home_lease.c */
MUST_USE enum status job_place(struct home_job *job, const struct signed_bytes *signed_lease,
                               const struct lease *lease, struct fault *fault);
void job_left(struct home_job *job, enum job_state how, const char *text);
void home_decline(struct home *home, struct lease_id lease, const char *why);
MUST_USE enum status job_restore_place(struct home_job *job, struct fault *fault);

/* The host as the newest lease knows it: an address may change between two. */
MUST_USE enum status job_contact(struct home_job *job, struct fault *fault);

/* --- home_stage.c */
void job_advance(struct home_job *job);
void job_retry(struct home_job *job, const struct fault *fault);

/* --- home_watch.c */
void job_watch(struct home_job *job);
void job_request_stop(struct home_job *job);

/* --- home_files.c */
/* Are all its chunks stored here? */
bool job_has_chunks(const struct chunks *chunks, const struct file_set *set);
MUST_USE enum status job_restore_checkpoint(struct home_job *job, struct fault *fault);
MUST_USE enum status job_open_chunks(struct home_job *job, struct fault *fault);

/* --- home_profile.c */
bool job_profile_due(const struct home_job *job);
/* Its demand, for just the size to be measured. */
struct demand job_profile_demand(const struct home_job *job);
void job_profile_began(struct home_job *job);
void job_profile_left(struct home_job *job);
/* No GPUs of that size are free. */
void job_profile_passed_over(struct home_job *job);

/* --- home_sweep.c */
void home_sweep(struct home *home);

/* --- home_local.c */
void home_place_locally(struct home *home);

/* --- home_dispute.c */
/* Home does not sign that receipt; it saw seen_ms. */
void home_dispute(struct home *home, const struct receipt *receipt, int64_t seen_ms,
                  const char *why);

#endif
