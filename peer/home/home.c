#include "peer/home/home.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/home/home_job.h"
#include "peer/host/host.h"
#include "proto/wire/methods.h"

enum { JOB_SAVE_EVERY_MS = 5000 };

static enum status restore(void *context, const struct spool_job *row, struct fault *fault);

static void drop_resting(struct home *home);

enum status home_open(struct peer *peer, struct home **home, struct fault *fault)
{
    struct home *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the own jobs");
    opened->peer = peer;
    *home = opened;
    char path[FILE_PATH_MAX];
    enum status status = peer_path(peer, "chunks", "bundles", path, fault);
    if (status == STATUS_OK)
        status = chunks_open(path, 0, &opened->chunks, fault);
    if (status == STATUS_OK)
        status = spool_jobs_visit(peer->spool, restore, opened, fault);
    return status;
}

static void tick_one(struct home_job *job)
{
    job_advance(job);
    if (job->lease == NULL)
        return;
    job_watch(job);
    job_request_stop(job);
    int64_t now = clock_boot_ms(job->home->peer->clock);
    if (job->lease != NULL && now - job->saved_boot_ms >= JOB_SAVE_EVERY_MS)
        job_save(job);
}

void home_tick(struct home *home)
{
    for (struct home_job *job = home->live; job != NULL; job = job->next_live)
        if (!job_state_final(job->row.state))
            tick_one(job);
    drop_resting(home);
    home_place_locally(home);
    home_sweep(home);
}

void home_close(struct home *home)
{
    if (home == NULL)
        return;
    HASH_CLEAR(hh, home->by_name);
    while (home->jobs != NULL) {
        struct home_job *job = home->jobs;
        home->jobs = job->next;
        contacts_give(&home->peer->contacts, &job->contact);
        chunks_close(job->chunks);
        arena_fini(&job->arena);

        arena_fini(&job->lease_arena);
        arena_fini(&job->renewal_arena);
        arena_fini(&job->checkpoint_arena);
        for (size_t p = 0; p < FILES_PURPOSE_COUNT; p++)
            arena_fini(&job->incoming_arena[p]);
        free(job);
    }
    chunks_close(home->chunks);
    free(home);
}

/* --- the jobs */

struct home_job *home_find(struct home *home, const struct name *job)
{
    struct home_job *found = NULL;
    HASH_FIND_STR(home->by_name, job->text, found);
    return found;
}

static void put_live(struct home *home, struct home_job *job)
{
    job->live = true;
    job->next_live = NULL;
    if (home->live_last != NULL)
        home->live_last->next_live = job;
    else
        home->live = job;
    home->live_last = job;
}

/* Ended, and the broker knows it. */
static bool at_rest(const struct home_job *job)
{
    return job_state_final(job->row.state) && !job->row.demand_open && !job->demand_busy;
}

static void drop_resting(struct home *home)
{
    struct home_job **link = &home->live;
    home->live_last = NULL;
    while (*link != NULL) {
        struct home_job *job = *link;
        job->live = !at_rest(job);
        if (job->live) {
            home->live_last = job;
            link = &job->next_live;
        } else {
            *link = job->next_live;
        }
    }
}

enum status home_lease_get(struct home *home, struct lease_id id, struct arena *arena,
                           struct spool_lease *known, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    enum status status = spool_lease_get(home->peer->spool, id, LEASE_AS_HOME, arena, known, fault);
    return status != STATUS_NOT_FOUND
               ? status
               : fault_set(fault, STATUS_UNAVAILABLE,
                           "lease %s is not known here yet: the broker's word of it is on its way",
                           lease_id_format(id, text));
}

struct home_job *home_find_hosted(struct home *home, const struct name *caller,
                                  struct lease_id lease, struct fault *fault)
{
    struct arena arena;
    struct spool_lease known;
    void *decoded = NULL;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = home_lease_get(home, lease, &arena, &known, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_lease, known.signed_lease.body, &arena, &decoded, fault);
    const struct lease *of = decoded;
    struct home_job *job = NULL;
    if (status == STATUS_OK && !name_equal(&of->host, caller))
        (void)fault_set(fault, STATUS_DENIED, "the lease is for host %s, not %s", of->host.text,
                        caller->text);
    else if (status == STATUS_OK)
        job = home_find(home, &known.job);
    if (status == STATUS_OK && name_equal(&of->host, caller) && job == NULL)
        (void)fault_set(fault, STATUS_NOT_FOUND, "job %s is not known here", known.job.text);
    arena_fini(&arena);
    return job;
}

static enum status read_submission(struct home_job *job, struct fault *fault)
{
    struct bytes body;
    void *decoded = NULL;
    enum status status = spool_body_get(job->home->peer->spool, job->row.job.text, SPOOL_SUBMISSION,
                                        &job->arena, &body, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_job_submission, body, &job->arena, &decoded, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "job %s", job->row.job.text);
    job->submission = decoded;
    job->work_examples = job->submission->demand.work_left_examples;
    return STATUS_OK;
}

enum status home_add(struct home *home, const struct spool_job *row, struct home_job **job,
                     struct fault *fault)
{
    struct home_job *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a job");
    made->row = *row;
    made->home = home;
    made->demand_version = 1;
    arena_init(&made->arena, ARENA_MESSAGE_BYTES);

    arena_init(&made->lease_arena, ARENA_MESSAGE_BYTES);
    arena_init(&made->renewal_arena, ARENA_MESSAGE_BYTES);
    arena_init(&made->checkpoint_arena, ARENA_MESSAGE_BYTES);
    for (size_t p = 0; p < FILES_PURPOSE_COUNT; p++)
        arena_init(&made->incoming_arena[p], ARENA_MESSAGE_BYTES);
    enum status status = read_submission(made, fault);
    if (status != STATUS_OK) {
        arena_fini(&made->arena);
        free(made);
        return status;
    }
    if (home->last != NULL)
        home->last->next = made;
    else
        home->jobs = made;
    home->last = made;
    HASH_ADD_STR(home->by_name, row.job.text, made);
    put_live(home, made);
    home->job_count++;
    home->open_count += !job_state_final(row->state);
    *job = made;
    return STATUS_OK;
}

static enum status restore(void *context, const struct spool_job *row, struct fault *fault)
{
    struct home_job *job = NULL;
    enum status status = home_add(context, row, &job, fault);
    if (status == STATUS_OK)
        status = spool_place_get(job->home->peer->spool, &row->job, &job->last, fault);
    if (status == STATUS_OK)
        status = job_restore_checkpoint(job, fault);
    if (status == STATUS_OK && !lease_id_none(row->lease) && !job_state_final(row->state))
        status = job_restore_place(job, fault);
    return status;
}

void job_save(struct home_job *job)
{
    struct fault fault;
    job->saved_boot_ms = clock_boot_ms(job->home->peer->clock);
    if (spool_job_put(job->home->peer->spool, &job->row, &fault) != STATUS_OK)
        peer_trouble(job->home->peer, "saving a job", &fault);
}

/* Callers have looked at the state: an unlisted pair is a defect of ours. */
void job_move(struct home_job *job, enum home_event event, const char *text)
{
    struct home *home = job->home;
    bool listed = home_next(job->row.state, event, &job->row.state);
    assert(listed);
    int64_t now = clock_wall_ms(home->peer->clock);
    if (text != NULL)
        snprintf(job->row.text, sizeof job->row.text, "%s", text);
    if (job_state_final(job->row.state)) {
        job->row.ended_wall_ms = now;

        home->open_count--;
        home->sweep_wanted = true;
    }
    if (event == HOME_EVENT_STARTED && job->row.started_wall_ms == 0)
        job->row.started_wall_ms = now;
    if (event == HOME_EVENT_BACK)
        job_demand_changed(job);
    else
        job_demand_stale(job);
    job_save(job);
    log_info(home->peer->log, "job %s: %s%s%s", job->row.job.text, job_state_name(job->row.state),
             job->row.text[0] != '\0' ? ": " : "", job->row.text);
}

enum status job_path(const struct home_job *job, const char *name, bool make,
                     char path[static FILE_PATH_MAX], struct fault *fault)
{
    char directory[NAME_BYTES_MAX + 8];
    char inner[FILE_PATH_MAX];
    snprintf(directory, sizeof directory, "jobs/%s", job->row.job.text);
    if (make)
        return peer_path(job->home->peer, directory, name, path, fault);
    enum status status =
        path_join(inner, job->home->peer->config->state_directory, directory, fault);
    return status == STATUS_OK ? path_join(path, inner, name, fault) : status;
}

bool job_own_lease(const struct home_job *job)
{
    return job->row.lease.incarnation == LEASE_OWN_INCARNATION;
}

/* --- what the owner sees */

static void fill_last(const struct spool_place *last, struct local_job_row *row)
{
    row->host = last->host;
    row->gpu = last->gpu;
    row->gpus = last->gpus;
    row->lease = last->lease;
    row->price = last->price;
    row->predicted_examples_per_second = last->predicted_examples_per_second;
    row->examples_per_second = last->measured_examples_per_second;
}

static void fill_row(const struct home_job *job, struct local_job_row *row)
{
    const struct lease *lease = job->renewal != NULL ? job->renewal : job->lease;
    *row = (struct local_job_row){
        .job = job->row.job,
        .state = job->row.state,
        .placement = job->row.placement,
        .examples_done = job->row.examples_done,
        .work_examples = job->work_examples,
        .examples_per_second = job->lease != NULL ? job->examples_per_second : 0.0,
        .paid = job->row.paid,
        .starts = job->row.starts,
        .retries_left = job->row.retries_left,
        .exit_code = job->row.exit_code,
        .submitted_wall_ms = job->row.submitted_wall_ms,
        .started_wall_ms = job->row.started_wall_ms,
        .ended_wall_ms = job->row.ended_wall_ms,
        .text = job->row.text,
    };
    if (lease == NULL && job_state_final(job->row.state))
        fill_last(&job->last, row);
    if (lease == NULL)
        return;
    row->host = lease->host;
    row->gpu = lease->gpu;
    row->gpus = lease->gpu_count;
    row->lease = lease->id;
    row->price = lease->price;
    row->predicted_examples_per_second = lease->predicted_examples_per_second;
}

static enum status no_job(const struct name *job, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, "no job %s here; 'entente-peer jobs' lists them",
                     job->text);
}

enum status home_row(struct home *home, const struct name *job, struct local_job_row *row,
                     struct fault *fault)
{
    const struct home_job *found = home_find(home, job);
    if (found == NULL)
        return no_job(job, fault);
    fill_row(found, row);
    return STATUS_OK;
}

enum status home_rows(struct home *home, struct arena *arena, struct local_jobs_response *response,
                      struct fault *fault)
{
    uint32_t skip =
        home->job_count > JOBS_PER_MEMBER_MAX ? home->job_count - JOBS_PER_MEMBER_MAX : 0;
    response->jobs = arena_alloc(arena, home->job_count - skip, sizeof *response->jobs);
    if (response->jobs == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the list of jobs");
    for (const struct home_job *job = home->jobs; job != NULL; job = job->next) {
        if (skip > 0)
            skip--;
        else
            fill_row(job, &response->jobs[response->job_count++]);
    }
    return STATUS_OK;
}

enum status home_log(struct home *home, const struct name *job, char path[static FILE_PATH_MAX],
                     bool *final, struct fault *fault)
{
    const struct home_job *found = home_find(home, job);
    if (found == NULL)
        return no_job(job, fault);
    *final = job_state_final(found->row.state);
    return job_path(found, "log", false, path, fault);
}

enum status home_cancel(struct home *home, const struct name *name, struct fault *fault)
{
    struct home_job *job = home_find(home, name);
    if (job == NULL)
        return no_job(name, fault);
    if (job->row.cancelled || job->row.state == JOB_STATE_CANCELLED)
        return STATUS_OK;
    if (job_state_final(job->row.state))
        return fault_set(fault, STATUS_PRECONDITION, "job %s is %s already", name->text,
                         job_state_name(job->row.state));
    job->row.cancelled = true;
    if (job->row.state == JOB_STATE_QUEUED) {
        job_move(job, HOME_EVENT_CANCELLED, "cancelled by its owner");
        return STATUS_OK;
    }
    job->stop_wanted = true;
    if (job->row.state != JOB_STATE_STOPPING)
        job_move(job, HOME_EVENT_STOPPING, "cancelled by its owner");
    return STATUS_OK;
}

struct home_counts home_counts(const struct home *home)
{
    struct home_counts counts = {0};
    for (const struct home_job *job = home->live; job != NULL; job = job->next_live) {
        counts.queued += job->row.state == JOB_STATE_QUEUED;
        counts.running += job->row.state == JOB_STATE_STAGING ||
                          job->row.state == JOB_STATE_RUNNING ||
                          job->row.state == JOB_STATE_STOPPING;
    }
    return counts;
}
