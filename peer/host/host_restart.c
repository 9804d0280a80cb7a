/*
 * Host, restart: runs are read back from the spool; what still runs is adopted, what does not is
 * metered up to where it was last seen and said to be lost. What runs and is not in the spool ends.
 */
#include "peer/executor/run.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "peer/files/tree.h"
#include "proto/wire/methods.h"

static enum status restore(void *context, const struct spool_run *row, struct fault *fault);
static enum status restore_lease(struct run *run, struct lease_id id, struct run_lease *into,
                                 struct fault *fault);
static enum status restore_specification(struct run *run, struct fault *fault);
static void adopt(struct run *run);
static void end_unknown(struct host *host);

enum status host_restart(struct host *host, struct fault *fault)
{
    enum status status = spool_runs_visit(host->peer->spool, restore, host, fault);
    for (struct run *run = host->runs; status == STATUS_OK && run != NULL; run = run->next)
        adopt(run);
    if (status == STATUS_OK)
        end_unknown(host);
    return status;
}

static enum status restore(void *context, const struct spool_run *row, struct fault *fault)
{
    struct host *host = context;
    struct run *run = NULL;
    enum status status = run_make(host, row, &run, fault);
    if (status == STATUS_OK)
        status = restore_lease(run, row->lease, &run->current, fault);
    if (status == STATUS_OK && !lease_id_none(row->next))
        status = restore_lease(run, row->next, &run->next_lease, fault);
    if (status == STATUS_OK && row->state > RUN_GRANTED && row->state < RUN_OVER)
        status = restore_specification(run, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "run of job %s", row->job.text);
    /* What was made meanwhile isn't known: the newest is offered again, most of it is there. */
    run->checkpoint_number = row->delivered_number + (row->state == RUN_DELIVERING);
    run->status.steps = row->meter.steps;
    run->status.examples = row->meter.examples;
    run->checkpoint_examples = row->meter.examples;
    return STATUS_OK;
}

static enum status restore_lease(struct run *run, struct lease_id id, struct run_lease *into,
                                 struct fault *fault)
{
    struct spool_lease known;
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        spool_lease_get(run->peer->spool, id, LEASE_AS_HOST, &arena, &known, fault);
    if (status == STATUS_OK)
        status = run_keep_lease(run, &known.signed_lease, into, fault);
    if (status == STATUS_OK)
        into->accepted_boot_ms = known.taken_boot_ms;
    arena_fini(&arena);
    return status;
}

static enum status restore_specification(struct run *run, struct fault *fault)
{
    struct bytes body;
    void *decoded = NULL;
    char id[LEASE_ID_TEXT_MAX];
    enum status status = spool_body_get(run->peer->spool, lease_id_format(run->row.run, id),
                                        SPOOL_RUN_SPECIFICATION, &run->arena, &body, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_job_specification, body, &run->arena, &decoded, fault);
    run->specification = decoded;
    return status;
}

static void take_gpus_again(struct run *run)
{
    struct fault fault;
    struct gpu_set set = run_gpus(run);
    enum status status = inventory_check(&run->peer->inventory, &set, &fault);
    if (status == STATUS_OK)
        status = inventory_take(&run->peer->inventory, &set, run_use(run), &fault);
    run->gpus_taken = status == STATUS_OK;
    if (status != STATUS_OK)
        peer_trouble(run->peer, "GPUs of a run (was the configuration changed?)", &fault);
}

/* Staging starts over from home's side: Accept again, then only the chunks that lack. Not after a
 * restart of the machine: the lease runs from a moment on the former boot clock, and would seem to
 * last for as long as that had run. */
static void adopt(struct run *run)
{
    struct executor *executor = run->peer->executor;
    struct fault fault;
    if (run->row.state < RUN_DELIVERING)
        take_gpus_again(run);
    if (run->peer->rebooted && run->row.state < RUN_RUNNING) {
        run_refuse(run, "the host's machine was restarted");
        return;
    }
    if (run->row.state != RUN_RUNNING && run->row.state != RUN_STOPPING)
        return;
    if (executor->operations->adopt(executor, run->directory, &fault) != STATUS_OK) {
        run->row.lost = true;
        log_warning(run->peer->log, "run of job %s can't be adopted: %s", run->row.job.text,
                    fault.text);
        run_gone(run, LEASE_OUTCOME_HOST_FAILED, "the host lost the job (it was restarted)");
        return;
    }
    log_info(run->peer->log, "adopted the run of job %s", run->row.job.text);
    if (run->row.state == RUN_STOPPING &&
        executor->operations->stop(executor, run->directory, run->row.stop_grace_ms, &fault) !=
            STATUS_OK)
        peer_trouble(run->peer, "stopping a run again", &fault);
}

/* --- runs that only the executor knows */

static void end_one(struct host *host, const char *name)
{
    struct executor *executor = host->peer->executor;
    char directory[FILE_PATH_MAX], chunks[FILE_PATH_MAX];
    struct fault fault;
    enum status status = peer_path(host->peer, "runs", name, directory, &fault);
    if (status == STATUS_OK)
        status = peer_path(host->peer, "run-chunks", name, chunks, &fault);
    if (status == STATUS_OK) {
        log_warning(host->peer->log,
                    "run %s is not in the spool (was it restored from a backup?): it is ended here",
                    name);
        executor->operations->release(executor, directory);
        status = tree_remove(directory, &fault);
    }
    if (status == STATUS_OK)
        status = tree_remove(chunks, &fault);
    if (status != STATUS_OK)
        peer_trouble(host->peer, "ending a run that is not in the spool", &fault);
}

/* A spool from an old backup does not know what was started since; nobody pays for that, and its
 * GPUs count as free. */
static void end_unknown(struct host *host)
{
    char path[FILE_PATH_MAX];
    struct lease_id id;
    if (path_join(path, host->peer->config->state_directory, "runs", NULL) != STATUS_OK)
        return;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *item; (item = readdir(directory)) != NULL;) {
        bool known = !lease_id_parse(item->d_name, &id);
        for (const struct run *run = host->runs; run != NULL && !known; run = run->next)
            known = lease_id_equal(run->row.run, id);
        if (!known)
            end_one(host, item->d_name);
    }
    closedir(directory);
}
