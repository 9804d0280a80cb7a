/*
 * Home, files: what hosts bring: checkpoints as they are made, results at the end.
 *
 * A checkpoint counts when all its chunks are here and its list of files is in the spool: the chunk
 * store holds it, and the next host gets it from there. Results are laid out for the owner.
 */
#include "peer/home/home_job.h"

#include <string.h>

#include "proto/wire/methods.h"

enum { MISSING_PER_ANSWER_MAX = 4096 };

enum status job_open_chunks(struct home_job *job, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    if (job->chunks != NULL)
        return STATUS_OK;
    enum status status = job_path(job, "chunks", true, path, fault);
    return status == STATUS_OK ? chunks_open(path, 0, &job->chunks, fault) : status;
}

/* --- the set a host announces */

static enum status copy_set(struct arena *arena, const struct file_set *from, struct file_set *to,
                            struct fault *fault)
{
    to->count = 0;
    to->files = arena_alloc(arena, from->count, sizeof *to->files);
    bool complete = to->files != NULL;
    for (uint32_t f = 0; complete && f < from->count; f++) {
        struct bundle_file *kept = &to->files[to->count++];
        *kept = from->files[f];
        kept->path = arena_copy_text(arena, kept->path, strlen(kept->path));
        kept->chunks = arena_copy(arena, kept->chunks, kept->chunk_count * sizeof *kept->chunks);
        complete = kept->path != NULL && kept->chunks != NULL;
    }
    return complete ? STATUS_OK
                    : fault_set(fault, STATUS_EXHAUSTED, "the list of files is too long");
}

static bool below(const char *path, const char *place)
{
    size_t length = strlen(place);
    return length > 0 && strncmp(path, place, length) == 0 &&
           (path[length] == '\0' || path[length] == '/');
}

/* Only what the job said it would make. */
static enum status check_paths(const struct home_job *job,
                               const struct offer_files_request *request, struct fault *fault)
{
    const struct job_specification *specification = &job->submission->specification;
    for (uint32_t f = 0; f < request->file_count; f++) {
        const char *path = request->files[f].path;
        bool expected =
            request->purpose == FILES_CHECKPOINT && below(path, specification->checkpoint_path);
        for (uint32_t r = 0; request->purpose == FILES_RESULT && r < specification->result_count;
             r++)
            expected |= below(path, specification->results[r]);
        if (!expected)
            return fault_set(fault, STATUS_INVALID, "'%.200s' is nothing that job %s makes", path,
                             job->row.job.text);
    }
    return STATUS_OK;
}

/* The job, where it is at that host now: one that has moved on takes nothing from its old host. */
static struct home_job *find_present(struct home *home, const struct name *caller,
                                     struct lease_id lease, struct fault *fault)
{
    struct home_job *job = home_find_hosted(home, caller, lease, fault);
    if (job == NULL)
        return NULL;
    bool present = job->lease != NULL && name_equal(&job->lease->host, caller) &&
                   job->row.state != JOB_STATE_STAGING;
    if (!present)
        (void)fault_set(fault, STATUS_DENIED, "job %s is not at %s any more", job->row.job.text,
                        caller->text);
    return present ? job : NULL;
}

enum status home_offer_files(struct home *home, const struct name *caller,
                             const struct offer_files_request *request, struct arena *arena,
                             struct offer_files_response *response, struct fault *fault)
{
    struct home_job *job = find_present(home, caller, request->lease, fault);
    if (job == NULL)
        return fault->status;
    struct file_set offered = {request->files, request->file_count};
    if (request->purpose == FILES_BUNDLE)
        return fault_set(fault, STATUS_INVALID, "a home takes checkpoints and results only");
    enum status status = check_paths(job, request, fault);
    if (status == STATUS_OK)
        status = file_set_check(&offered, fault);
    if (status == STATUS_OK)
        status = job_open_chunks(job, fault);
    if (status != STATUS_OK)
        return status;
    struct arena *kept = &job->incoming_arena[request->purpose];
    arena_reset(kept);
    job->incoming[request->purpose] = (struct file_set){0};
    job->offered[request->purpose] = false;
    status = copy_set(kept, &offered, &job->incoming[request->purpose], fault);
    if (status != STATUS_OK)
        return status;
    job->offered[request->purpose] = true;
    if (request->purpose == FILES_CHECKPOINT)
        job->incoming_examples = request->examples;
    return chunks_missing(job->chunks, &offered, MISSING_PER_ANSWER_MAX, arena, &response->missing,
                          &response->missing_count, fault);
}

static bool announced(const struct file_set *set, const struct digest *digest)
{
    for (uint32_t f = 0; f < set->count; f++)
        for (uint32_t c = 0; c < set->files[f].chunk_count; c++)
            if (memcmp(set->files[f].chunks[c].bytes, digest->bytes, DIGEST_BYTES) == 0)
                return true;
    return false;
}

enum status home_put_chunk(struct home *home, const struct name *caller,
                           const struct push_chunk_request *request, struct fault *fault)
{
    struct home_job *job = find_present(home, caller, request->lease, fault);
    if (job == NULL)
        return fault->status;
    if (job->chunks == NULL || (!announced(&job->incoming[FILES_CHECKPOINT], &request->digest) &&
                                !announced(&job->incoming[FILES_RESULT], &request->digest)))
        return fault_set(fault, STATUS_UNAVAILABLE,
                         "a chunk that no file announced has: offer the files again");
    return chunks_put(job->chunks, &request->digest, request->data, fault);
}

/* --- all is here */

static enum status check_complete(struct home_job *job, const struct file_set *set,
                                  struct fault *fault)
{
    struct arena arena;
    struct digest *missing = NULL;
    uint32_t count = 0;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = chunks_missing(job->chunks, set, 1, &arena, &missing, &count, fault);
    arena_fini(&arena);
    if (status == STATUS_OK && count > 0)
        return fault_set(fault, STATUS_UNAVAILABLE, "chunks still lack: offer the files again");
    return status;
}

static void forget_older_chunks(struct home_job *job)
{
    struct fault fault;
    uint64_t freed = 0;
    chunks_mark_begin(job->chunks);
    if (spool_sync(job->home->peer->spool, &fault) != STATUS_OK || /* which checkpoint is newest */
        chunks_mark(job->chunks, &job->checkpoint, &fault) != STATUS_OK ||
        chunks_mark(job->chunks, &job->incoming[FILES_RESULT], &fault) != STATUS_OK ||
        chunks_sweep(job->chunks, 0, &freed, &fault) != STATUS_OK)
        peer_trouble(job->home->peer, "sweeping chunks", &fault);
}

static void count_checkpoint(struct home_job *job, struct lease_id lease)
{
    struct arena arena;
    struct spool_lease known;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        spool_lease_get(job->home->peer->spool, lease, LEASE_AS_HOME, &arena, &known, &fault);
    if (status == STATUS_OK) {
        known.checkpoints++;
        status = spool_lease_put(job->home->peer->spool, &known, &fault);
    }
    if (status != STATUS_OK)
        peer_trouble(job->home->peer, "counting a checkpoint", &fault);
    arena_fini(&arena);
}

static enum status keep_checkpoint(struct home_job *job, struct lease_id lease, struct fault *fault)
{
    struct spool *spool = job->home->peer->spool;
    struct offer_files_request record = {
        .lease = lease,
        .purpose = FILES_CHECKPOINT,
        .files = job->incoming[FILES_CHECKPOINT].files,
        .file_count = job->incoming[FILES_CHECKPOINT].count,
        .examples = job->incoming_examples,
    };
    struct arena arena;
    struct bytes body;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = wire_encode(&message_offer_files_request, &record, &arena, &body, fault);
    if (status == STATUS_OK)
        status = spool_begin(spool, fault);
    if (status == STATUS_OK) {
        job->row.checkpoint_examples = job->incoming_examples;
        job->row.checkpoint_bytes = file_set_bytes(&job->incoming[FILES_CHECKPOINT]);
        status = spool_body_put(spool, job->row.job.text, SPOOL_CHECKPOINT, body, fault);
        if (status == STATUS_OK)
            status = spool_job_put(spool, &job->row, fault);
        if (status == STATUS_OK)
            status = spool_commit(spool, fault);
        else
            spool_rollback(spool);
    }
    arena_fini(&arena);
    return status;
}

/* Not while the former one is on its way to another host, which reads it: a host that was given up
 * may still come with one, and comes again. */
static enum status take_checkpoint(struct home_job *job, struct lease_id lease, struct fault *fault)
{
    if (transfer_busy(&job->transfer) && job->transfer.purpose == FILES_CHECKPOINT)
        return fault_set(fault, STATUS_UNAVAILABLE,
                         "an earlier checkpoint of the job is on its way to a host: try again");
    enum status status = keep_checkpoint(job, lease, fault);
    if (status != STATUS_OK)
        return status;
    arena_reset(&job->checkpoint_arena);
    job->checkpoint = (struct file_set){0};
    status =
        copy_set(&job->checkpoint_arena, &job->incoming[FILES_CHECKPOINT], &job->checkpoint, fault);
    if (status != STATUS_OK)
        return status;
    count_checkpoint(job, lease);
    forget_older_chunks(job);
    job_demand_changed(job);
    return STATUS_OK;
}

enum status home_commit_files(struct home *home, const struct name *caller,
                              const struct commit_files_request *request, struct fault *fault)
{
    struct home_job *job = home_find_hosted(home, caller, request->lease, fault);
    if (job == NULL)
        return fault->status;
    if (request->purpose == FILES_BUNDLE || !job->offered[request->purpose])
        return fault_set(fault, STATUS_UNAVAILABLE, "offer the files first");
    const struct file_set *set = &job->incoming[request->purpose];
    enum status status = check_complete(job, set, fault);
    if (status != STATUS_OK)
        return status;
    if (request->purpose == FILES_CHECKPOINT)
        return take_checkpoint(job, request->lease, fault);
    char path[FILE_PATH_MAX];
    status = job_path(job, "results", true, path, fault);
    if (status == STATUS_OK)
        status = directory_make(path, 0700, fault);
    return status == STATUS_OK ? chunks_assemble(job->chunks, set, path, fault) : status;
}

/* --- after a restart */

bool job_has_chunks(const struct chunks *chunks, const struct file_set *set)
{
    for (uint32_t f = 0; f < set->count; f++)
        for (uint32_t c = 0; c < set->files[f].chunk_count; c++)
            if (!chunks_has(chunks, &set->files[f].chunks[c]))
                return false;
    return true;
}

/* A spool from an old backup speaks of files that were swept since: the job begins anew. */
static void forget_checkpoint(struct home_job *job)
{
    log_warning(job->home->peer->log, "job %s: its newest checkpoint is not here any more",
                job->row.job.text);
    job->checkpoint = (struct file_set){0};
    job->row.checkpoint_examples = 0;
    job->row.checkpoint_bytes = 0;
    job_save(job);
}

enum status job_restore_checkpoint(struct home_job *job, struct fault *fault)
{
    struct bytes body;
    void *decoded = NULL;
    if (job_state_final(job->row.state))
        return STATUS_OK;
    enum status status = spool_body_get(job->home->peer->spool, job->row.job.text, SPOOL_CHECKPOINT,
                                        &job->checkpoint_arena, &body, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = wire_decode(&message_offer_files_request, body, &job->checkpoint_arena, &decoded,
                             fault);
    if (status == STATUS_OK)
        status = job_open_chunks(job, fault);
    if (status != STATUS_OK)
        return status;
    const struct offer_files_request *record = decoded;
    job->checkpoint = (struct file_set){record->files, record->file_count};
    if (!job_has_chunks(job->chunks, &job->checkpoint))
        forget_checkpoint(job);
    return STATUS_OK;
}
