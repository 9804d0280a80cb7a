/* Run: one hosted job in memory, for the files host*.c. What must survive is in `row`; the rest is
 * made again from the spool and the run's directory. */
#ifndef ENTENTE_PEER_EXECUTOR_RUN_H
#define ENTENTE_PEER_EXECUTOR_RUN_H

#include "base/hash.h"

#include "peer/files/chunks.h"
#include "peer/host/host.h"
#include "peer/executor/run_state.h"
#include "peer/files/transfer.h"

/* A lease in force, and when this host accepted it. Renewals come for as long as the job runs: each
 * has memory of its own. */
struct run_lease {
    struct arena arena;
    struct lease *lease; /* NULL: none */
    int64_t accepted_boot_ms;
};

struct run_watcher {
    struct rpc_call *call;
    struct run *run; /* NULL: the run is gone, or the watcher never had one */
    uint64_t log_offset;
    uint64_t examples_sent;
    int64_t progress_boot_ms;
    int state_sent; /* -1: none yet */
    bool ended;
    struct run_watcher *next;
};

enum run_delivery { DELIVERY_NONE, DELIVERY_CHECKPOINT, DELIVERY_RESULTS };

struct run {
    struct spool_run row;
    struct peer *peer;
    struct arena arena;                            /* the run's lifetime: specification */
    const struct job_specification *specification; /* NULL while RUN_GRANTED */
    struct run_lease current;
    struct run_lease next_lease;
    char directory[FILE_PATH_MAX];
    char chunk_directory[FILE_PATH_MAX];
    struct chunks *chunks;
    bool gpus_taken;
    bool released;              /* executor_release done */
    struct file_set checkpoint; /* as home offered it */
    struct arena checkpoint_arena;
    bool bundle_ready;
    uint64_t resumed_examples; /* the checkpoint's, as home said */
    struct executor_status status;
    int64_t saved_boot_ms;
    int64_t stage_since_boot_ms;
    /* delivery home */
    enum run_delivery delivery;
    struct transfer transfer;
    struct arena delivery_arena;
    struct contact *contact;
    uint64_t delivering_number;
    int64_t delivering_made_boot_ms;
    int64_t checkpoint_made_boot_ms; /* when the newest checkpoint number was first seen */
    uint64_t checkpoint_examples;
    uint64_t checkpoint_number;
    bool results_done;
    int64_t retry_boot_ms;
    uint32_t failures;
    /* those who look on */
    struct run_watcher *watchers;
    bool told; /* the end reached home */
    bool files_removed;
    bool renewed; /* other leases than its first may name it */
    struct run_key {
        uint64_t incarnation;
        uint64_t round;
        uint64_t index;
    } key; /* its first lease, without padding */
    UT_hash_handle hh;
    struct run *next;
};

enum { COUNTERSIGN_SLOTS = 32, COUNTERSIGN_PAUSES = 64 };

/* One receipt on its way to home and back. */
struct countersign {
    struct host *host;
    struct transport_call *call;
    struct contact *contact;
    struct name home;
    struct lease_id lease;
    uint32_t sequence;
};

struct countersign_pause {
    struct name home;
    int64_t until_boot_ms;
    uint32_t failures;
};

struct host {
    struct peer *peer;
    struct run *runs; /* newest first */
    struct run *by_first_lease;
    uint32_t run_count;
    uint32_t renewed_count;
    struct countersign slots[COUNTERSIGN_SLOTS];
    struct countersign_pause pauses[COUNTERSIGN_PAUSES];
    int64_t countersign_boot_ms; /* when to look at the spool again */
};

/* --- host.c */
struct run *host_find(struct host *host, struct lease_id lease); /* by present, next or first */
struct run *host_find_job(struct host *host, struct lease_id lease);
MUST_USE enum status run_make(struct host *host, const struct spool_run *row, struct run **run,
                              struct fault *fault);
/* Out of the host's tables; then run_free(). link: where the list points to it. */
void run_unlink(struct host *host, struct run **link);
void run_free(struct run *run); /* unlinked, no transfer under way */
/* From now on other leases than the first name it. */
void run_note_renewal(struct run *run);
void run_save(struct run *run); /* trouble goes to the log */
/* Its store of chunks, opened when files come or go for the first time; with a quota where a
 * foreign job may bring so much only. */
MUST_USE enum status run_open_chunks(struct run *run, struct fault *fault);
/* DENIED: the files are more than this host takes of another member (executor.staging). */
MUST_USE enum status host_check_staging(const struct peer *peer, const struct name *home,
                                        const struct file_set *files, struct fault *fault);
void run_move(struct run *run, enum run_event event, const char *text);
void run_report(struct run *run, struct lease_id lease, enum lease_report_kind kind,
                const char *text);
/* Both, or neither is kept: what is said of its present lease, and the move. Not within a
 * transaction. */
void run_move_told(struct run *run, enum run_event event, enum lease_report_kind kind,
                   const char *text);
void run_give_gpus(struct run *run);
struct gpu_set run_gpus(const struct run *run);
enum gpu_use run_use(const struct run *run);

/* --- host_lease.c */
void run_lease_clear(struct run_lease *lease);
MUST_USE enum status run_keep_lease(struct run *run, const struct signed_bytes *signed_lease,
                                    struct run_lease *into, struct fault *fault);
void host_renew(struct host *host, const struct signed_bytes *signed_lease,
                const struct lease *lease);
void run_refuse(struct run *run, const char *why);

/* --- host_start.c */
void run_stop(struct run *run, int64_t grace_ms, const char *why);

/* --- host_time.c: what the clock does to a run */
void run_lease_time(struct run *run);
void run_gone(struct run *run, enum lease_outcome outcome, const char *text);

/* --- host_deliver.c */
void run_deliver(struct run *run);

/* --- host_receipts.c */
void run_sign_receipt(struct run *run, const struct receipt *receipt);
void host_countersign(struct host *host);
void host_countersign_close(struct host *host);

/* --- host_watch.c */
void run_tell(struct run *run);
void run_forget_watchers(struct run *run);

/* --- host_restart.c */
MUST_USE enum status host_restart(struct host *host, struct fault *fault);

#endif
