#include "peer/host/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/executor/run.h"
#include "peer/files/tree.h"

enum {
    UNREPORTED_MAX = 512,     /* of which a heartbeat speaks */
    RUN_SAVE_EVERY_MS = 5000, /* of a running one: bounds what a lost machine can't prove */
    RUN_TOLD_KEEP_MS = 10 * 60 * 1000,    /* home knows the end */
    RUNS_TOLD_MAX = HOST_RUNS_MAX / 2,    /* of those, the newest: the others make room */
    RUN_UNTOLD_KEEP_MS = 24 * 3600 * 1000 /* home has not asked */
};

static void look_at(struct run *run);
static void watch_process(struct run *run);
static void prune(struct host *host);

enum status host_open(struct peer *peer, struct host **host, struct fault *fault)
{
    struct host *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the host");
    opened->peer = peer;
    *host = opened;
    return host_restart(opened, fault);
}

void host_tick(struct host *host)
{
    for (struct run *run = host->runs; run != NULL; run = run->next)
        look_at(run);
    host_countersign(host);
    prune(host);
}

void host_close(struct host *host)
{
    if (host == NULL)
        return;
    host_countersign_close(host);
    while (host->runs != NULL) {
        struct run *run = host->runs;
        run_unlink(host, &host->runs);
        run_free(run);
    }
    free(host);
}

static void look_at(struct run *run)
{
    if (run->row.state == RUN_RUNNING || run->row.state == RUN_STOPPING)
        watch_process(run);
    run_lease_time(run);
    run_deliver(run);
    run_tell(run);
}

static enum lease_outcome outcome_of(const struct executor_status *status)
{
    if (status->phase == EXECUTOR_STOPPED) /* it may have come to its end meanwhile */
        return status->exit_code == 0 ? LEASE_OUTCOME_COMPLETED : LEASE_OUTCOME_STOPPED;
    if (status->phase != EXECUTOR_EXITED)
        return LEASE_OUTCOME_HOST_FAILED;
    return status->exit_code == 0 ? LEASE_OUTCOME_COMPLETED : LEASE_OUTCOME_JOB_FAILED;
}

static void describe_end(const struct executor_status *status, char text[static SPOOL_TEXT_MAX])
{
    text[0] = '\0';
    if (status->phase == EXECUTOR_LOST || status->phase == EXECUTOR_ABSENT)
        snprintf(text, SPOOL_TEXT_MAX, "the host lost the job (it was restarted)");
    else if (status->phase == EXECUTOR_STOPPED && status->exit_code != 0)
        snprintf(text, SPOOL_TEXT_MAX, "stopped");
    else if (status->out_of_memory)
        snprintf(text, SPOOL_TEXT_MAX, "out of memory: raise limits.memory in the job file");
    else if (status->exit_code != 0)
        snprintf(text, SPOOL_TEXT_MAX, "exited with code %d; its log says why", status->exit_code);
}

/* What the processes did since the last look. */
static void watch_process(struct run *run)
{
    struct executor *executor = run->peer->executor;
    struct executor_status status = {0};
    executor->operations->watch(executor, run->directory, &status);
    int64_t now = clock_boot_ms(run->peer->clock);
    if (status.phase == EXECUTOR_ABSENT)
        status.phase = EXECUTOR_LOST;
    if (status.phase != EXECUTOR_LOST) {
        run->status = status;
        struct meter_reading reading = {now, status.steps, status.examples};
        meter_observe(&run->row.meter, &reading);
    }
    if (status.checkpoint_number > run->checkpoint_number) {
        run->checkpoint_number = status.checkpoint_number;
        run->checkpoint_made_boot_ms = now;
        run->checkpoint_examples = status.examples;
    }
    if (status.phase != EXECUTOR_RUNNING) {
        char text[SPOOL_TEXT_MAX];
        describe_end(&status, text);
        run->row.exit_code = status.phase == EXECUTOR_EXITED ? status.exit_code : 0;
        run_gone(run, outcome_of(&status), text);
    } else if (now - run->saved_boot_ms >= RUN_SAVE_EVERY_MS) {
        run_save(run);
    }
}

/* --- finding and keeping runs */

static struct run_key key_of(struct lease_id lease)
{
    return (struct run_key){lease.incarnation, lease.round, lease.index};
}

/* By its first lease at once; runs that were renewed are looked through. */
struct run *host_find(struct host *host, struct lease_id lease)
{
    struct run_key key = key_of(lease);
    struct run *found = NULL;
    HASH_FIND(hh, host->by_first_lease, &key, sizeof key, found);
    if (found != NULL || host->renewed_count == 0)
        return found;
    for (struct run *run = host->runs; run != NULL; run = run->next)
        if (lease_id_equal(run->row.lease, lease) || lease_id_equal(run->row.next, lease) ||
            lease_id_equal(run->row.run, lease))
            return run;
    return NULL;
}

void run_note_renewal(struct run *run)
{
    run->peer->host->renewed_count += !run->renewed;
    run->renewed = true;
}

void run_unlink(struct host *host, struct run **link)
{
    struct run *run = *link;
    *link = run->next;
    HASH_DELETE(hh, host->by_first_lease, run);
    host->run_count--;
    host->renewed_count -= run->renewed;
}

/* Also by a lease that was renewed since: the spool knows whose it was. */
struct run *host_find_job(struct host *host, struct lease_id lease)
{
    struct run *run = host_find(host, lease);
    if (run != NULL)
        return run;
    struct arena arena;
    struct spool_lease known;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (spool_lease_get(host->peer->spool, lease, LEASE_AS_HOST, &arena, &known, NULL) == STATUS_OK)
        run = host_find(host, known.run);
    arena_fini(&arena);
    return run;
}

enum status run_make(struct host *host, const struct spool_run *row, struct run **run,
                     struct fault *fault)
{
    if (host->run_count >= HOST_RUNS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "this host has %d runs at once; try later",
                         HOST_RUNS_MAX);
    struct run *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a run");
    made->row = *row;
    made->peer = host->peer;
    made->stage_since_boot_ms = clock_boot_ms(host->peer->clock);

    arena_init(&made->arena, ARENA_MESSAGE_BYTES);
    arena_init(&made->checkpoint_arena, ARENA_MESSAGE_BYTES);
    char id[LEASE_ID_TEXT_MAX];
    lease_id_format(row->run, id);
    enum status status = peer_path(host->peer, "runs", id, made->directory, fault);
    if (status == STATUS_OK)
        status = peer_path(host->peer, "run-chunks", id, made->chunk_directory, fault);
    if (status != STATUS_OK) {
        run_free(made);
        return status;
    }
    made->next = host->runs;
    made->key = key_of(row->run);
    HASH_ADD(hh, host->by_first_lease, key, sizeof made->key, made);
    host->runs = made;
    host->run_count++;
    made->renewed = !lease_id_equal(row->run, row->lease) || !lease_id_none(row->next);
    host->renewed_count += made->renewed;
    *run = made;
    return STATUS_OK;
}

void run_free(struct run *run)
{
    run_forget_watchers(run);
    contacts_give(&run->peer->contacts, &run->contact);
    chunks_close(run->chunks);

    arena_fini(&run->arena);
    arena_fini(&run->checkpoint_arena);
    arena_fini(&run->delivery_arena);
    run_lease_clear(&run->current);
    run_lease_clear(&run->next_lease);
    free(run);
}

void run_save(struct run *run)
{
    struct fault fault;
    run->saved_boot_ms = clock_boot_ms(run->peer->clock);
    if (spool_run_put(run->peer->spool, &run->row, &fault) != STATUS_OK)
        peer_fail(run->peer, "saving a run", &fault);
}

/* Callers have looked at the state: an unlisted pair is a defect of ours. */
void run_move(struct run *run, enum run_event event, const char *text)
{
    bool listed = run_next(run->row.state, event, &run->row.state);
    assert(listed);
    run->row.changed_wall_ms = clock_wall_ms(run->peer->clock);
    if (text != NULL)
        snprintf(run->row.text, sizeof run->row.text, "%s", text);
    run_save(run);
    char id[LEASE_ID_TEXT_MAX];
    log_info(run->peer->log, "run %s of job %s: %s%s%s", lease_id_format(run->row.run, id),
             run->row.job.text, run_state_name(run->row.state),
             run->row.text[0] != '\0' ? ": " : "", run->row.text);
}

/* Leases that this peer granted to itself are nobody else's business. */
void run_report(struct run *run, struct lease_id lease, enum lease_report_kind kind,
                const char *text)
{
    if (run->row.own)
        return;
    struct lease_report report = {
        .lease = lease,
        .kind = kind,
        .text = text != NULL ? text : "",
        .examples = run->status.examples,
        .examples_per_second = run->status.examples_per_second,
    };
    struct fault fault;
    if (spool_report_put(run->peer->spool, &report, &fault) != STATUS_OK)
        peer_fail(run->peer, "keeping a report", &fault);
}

struct gpu_set run_gpus(const struct run *run)
{
    const struct lease *lease = run->current.lease;
    return (struct gpu_set){&lease->gpu, lease->nodes, lease->node_count};
}

enum gpu_use run_use(const struct run *run)
{
    return run->row.own ? GPU_LOCAL : GPU_LEASED;
}

void run_give_gpus(struct run *run)
{
    if (!run->gpus_taken)
        return;
    struct gpu_set set = run_gpus(run);
    inventory_give(&run->peer->inventory, &set, run_use(run));
    run->gpus_taken = false;
}

/* --- forgetting what is over */

static void remove_files(struct run *run, bool log_too)
{
    struct fault fault;
    chunks_close(run->chunks);
    run->chunks = NULL;
    char work[FILE_PATH_MAX + 16];
    static const char *const parts[] = {"work", "scratch"};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        snprintf(work, sizeof work, "%s/%s", run->directory, parts[p]);
        if (tree_remove(work, &fault) != STATUS_OK)
            peer_trouble(run->peer, "removing a run's files", &fault);
    }
    if (tree_remove(run->chunk_directory, &fault) != STATUS_OK ||
        (log_too && tree_remove(run->directory, &fault) != STATUS_OK))
        peer_trouble(run->peer, "removing a run's files", &fault);
    run->files_removed = true;
}

static void prune(struct host *host)
{
    int64_t now = clock_wall_ms(host->peer->clock);
    uint32_t told = 0; /* the list begins with the newest */
    struct fault fault;
    if (spool_sync(host->peer->spool, &fault) != STATUS_OK) { /* which runs are over */
        peer_trouble(host->peer, "removing runs' files", &fault);
        return;
    }
    for (struct run **link = &host->runs; *link != NULL;) {
        struct run *run = *link;
        if (run->row.state == RUN_OVER && !run->files_removed && !transfer_busy(&run->transfer))
            remove_files(run, false);
        int64_t keep = run->told ? RUN_TOLD_KEEP_MS : RUN_UNTOLD_KEEP_MS;
        bool crowded = run->told && ++told > RUNS_TOLD_MAX;
        bool old = run->row.state == RUN_OVER && (crowded || now - run->row.changed_wall_ms > keep);
        if (!old || run->watchers != NULL || transfer_busy(&run->transfer)) {
            link = &run->next;
            continue;
        }
        run_unlink(host, link);
        remove_files(run, true);
        if (spool_run_delete(host->peer->spool, run->row.run, &fault) != STATUS_OK)
            peer_trouble(host->peer, "forgetting a run", &fault);
        run_free(run);
    }
}

/* --- what others want to know */

void host_report_again(struct host *host)
{
    for (struct run *run = host->runs; run != NULL; run = run->next)
        if (run->row.state == RUN_RUNNING || run->row.state == RUN_STOPPING)
            run_report(run, run->row.lease, LEASE_REPORT_RUNNING, "");
}

static bool holds(const struct run *run)
{
    return !run->row.own && (run->gpus_taken || run->row.state < RUN_STOPPING);
}

/* Ran here, and the broker was not told yet: so far as it knows nobody took it up. */
static enum status unreported(struct host *host, struct arena *arena, struct lease_id *held,
                              uint32_t *count, struct fault *fault)
{
    struct lease_report *reports = NULL;
    uint32_t report_count = 0;
    enum status status =
        spool_reports(host->peer->spool, UNREPORTED_MAX, arena, &reports, &report_count, fault);
    for (uint32_t r = 0; status == STATUS_OK && r < report_count; r++)
        if (reports[r].kind != LEASE_REPORT_REFUSED && *count < LEASES_PER_HEARTBEAT_MAX)
            held[(*count)++] = reports[r].lease;
    return status;
}

enum status host_held(struct host *host, struct arena *arena, struct lease_id **held,
                      uint32_t *count, struct fault *fault)
{
    *count = 0;
    *held = arena_alloc(arena, 2 * host->run_count + UNREPORTED_MAX, sizeof **held);
    if (*held == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the leases held");
    for (const struct run *run = host->runs; run != NULL; run = run->next) {
        if (holds(run) && *count < LEASES_PER_HEARTBEAT_MAX)
            (*held)[(*count)++] = run->row.lease;
        if (holds(run) && !lease_id_none(run->row.next) && *count < LEASES_PER_HEARTBEAT_MAX)
            (*held)[(*count)++] = run->row.next;
    }
    return unreported(host, arena, *held, count, fault);
}

static void fill_row(const struct run *run, struct hosted_row *row)
{
    int64_t now = clock_boot_ms(run->peer->clock);
    const struct lease *lease = run->current.lease;
    *row = (struct hosted_row){
        .lease = run->row.lease,
        .job = run->row.job,
        .home = run->row.home,
        .state = run_job_state(&run->row),
        .examples_per_second = run->status.examples_per_second,
    };
    if (run->row.state >= RUN_RUNNING && run->row.state < RUN_OVER)
        row->held_ms = meter_held_ms(&run->row.meter, now);
    if (lease == NULL)
        return;
    row->gpu = lease->gpu;
    row->gpus = lease->gpu_count;
    row->ends_in_ms =
        run->current.accepted_boot_ms + lease->starts_in_ms + lease->duration_ms - now;
}

enum status host_rows(struct host *host, struct arena *arena, struct hosted_row **rows,
                      uint32_t *count, struct fault *fault)
{
    *count = 0;
    *rows = arena_alloc(arena, host->run_count, sizeof **rows);
    if (*rows == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the hosted runs");
    for (const struct run *run = host->runs; run != NULL; run = run->next)
        if (run->row.state != RUN_OVER && run->current.lease != NULL)
            fill_row(run, &(*rows)[(*count)++]);
    return STATUS_OK;
}
