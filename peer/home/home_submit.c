/* Home, submission: the owner's files are copied into the chunk store, the job gets its name and
 * its bundle digest, and is acknowledged when all that is in the spool. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "peer/home/home_job.h"
#include "peer/room.h"
#include "proto/wire/methods.h"

static enum status copy_files(struct home *home, const struct job_submission *submission,
                              struct arena *arena, struct file_set *set, struct fault *fault);
static void name_job(struct home *home, uint64_t number, struct job_submission *job);
static enum status keep(struct home *home, const struct job_submission *job, uint64_t number,
                        struct arena *arena, struct spool_job *row, struct fault *fault);

enum status home_submit(struct home *home, const struct job_submission *submission,
                        struct name *name, struct fault *fault)
{
    if (home->open_count >= JOBS_PER_MEMBER_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%d jobs are open here; wait until some have ended", JOBS_PER_MEMBER_MAX);
    struct arena arena;
    struct file_set set = {0};
    struct job_submission job = *submission;
    struct spool_job row;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    uint64_t number = spool_get_number(home->peer->spool, "next-job", 1);
    enum status status = room_check(home->peer, fault);
    if (status == STATUS_OK)
        status = copy_files(home, submission, &arena, &set, fault);
    if (status == STATUS_OK) {
        job.specification.files = set.files;
        job.specification.file_count = set.count;
        name_job(home, number, &job);
        status = keep(home, &job, number, &arena, &row, fault);
    }
    struct home_job *added = NULL;
    if (status == STATUS_OK)
        status = home_add(home, &row, &added, fault);
    if (status == STATUS_OK)
        *name = row.job;
    arena_fini(&arena);
    return status;
}

static enum status copy_files(struct home *home, const struct job_submission *submission,
                              struct arena *arena, struct file_set *set, struct fault *fault)
{
    const struct job_specification *specification = &submission->specification;
    const char **paths = arena_alloc(arena, specification->file_count, sizeof *paths);
    if (paths == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the list of files");
    for (uint32_t f = 0; f < specification->file_count; f++)
        paths[f] = specification->files[f].path;
    struct chunks_source source = {
        .directory = submission->directory,
        .paths = paths,
        .path_count = specification->file_count,
        .absent = CHUNKS_ABSENT_REFUSED,
    };
    return chunks_scan(home->chunks, &source, arena, set, fault);
}

static void name_job(struct home *home, uint64_t number, struct job_submission *job)
{
    struct demand *demand = &job->demand;
    const struct name *member = &home->peer->config->member;
    int digits = 0;
    for (uint64_t rest = number; rest > 0; rest /= 10)
        digits++;
    int room = NAME_BYTES_MAX - 1 - digits;
    snprintf(demand->job.text, sizeof demand->job.text, "%.*s-%llu", room, member->text,
             (unsigned long long)number);
    demand->home = *member;
    job->specification.job = demand->job;
    job->specification.home = *member;
    struct file_set set = {job->specification.files, job->specification.file_count};
    demand->bundle_bytes = file_set_bytes(&set);
    bundle_digest(&job->specification, &demand->bundle_digest);
    demand->submitted_wall_ms = clock_wall_ms(home->peer->clock);
    demand->position = (struct job_position){0};
}

static enum status keep(struct home *home, const struct job_submission *job, uint64_t number,
                        struct arena *arena, struct spool_job *row, struct fault *fault)
{
    struct spool *spool = home->peer->spool;
    struct bytes body;
    enum status status = wire_encode(&message_job_submission, job, arena, &body, fault);
    if (status == STATUS_OK)
        status = spool_begin(spool, fault);
    if (status != STATUS_OK)
        return status;
    *row = (struct spool_job){
        .job = job->demand.job,
        .state = JOB_STATE_QUEUED,
        .placement = job->placement,
        .retries_left = job->retries,
        .submitted_wall_ms = job->demand.submitted_wall_ms,
    };
    status = spool_put_number(spool, "next-job", number + 1, fault);
    if (status == STATUS_OK)
        status = spool_body_put(spool, row->job.text, SPOOL_SUBMISSION, body, fault);
    if (status == STATUS_OK)
        status = spool_job_put(spool, row, fault);
    if (status == STATUS_OK)
        status = spool_commit(spool, fault);
    if (status != STATUS_OK)
        spool_rollback(spool);
    return status;
}
