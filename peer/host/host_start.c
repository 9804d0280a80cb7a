/*
 * Host, start and stop: files taken from home into the run's directory, the start at "both ready",
 * and the ways to stop.
 */
#include "peer/executor/run.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MISSING_PER_ANSWER_MAX = 4096, VARIABLE_BYTES_MAX = FILE_PATH_MAX + 128 };

struct run *host_staging(struct host *host, const struct name *caller, struct lease_id lease)
{
    struct run *run = host_find(host, lease);
    if (run == NULL || run->row.state != RUN_STAGING || !name_equal(&run->row.home, caller))
        return NULL;
    return run;
}

enum status host_check_staging(const struct peer *peer, const struct name *home,
                               const struct file_set *files, struct fault *fault)
{
    uint64_t limit = peer->config->executor.staging_bytes;
    uint64_t bytes = file_set_bytes(files);
    if (limit == 0 || bytes <= limit || name_equal(home, &peer->config->member))
        return STATUS_OK;
    return fault_set(fault, STATUS_DENIED,
                     "the job's files have %" PRIu64 " bytes, where %s takes %" PRIu64
                     " at most of another member's job (executor.staging)",
                     bytes, peer->config->member.text, limit);
}

/* Room for the bundle and a checkpoint: sets that are offered one after the other share it. */
enum status run_open_chunks(struct run *run, struct fault *fault)
{
    const struct peer_config *config = run->peer->config;
    bool foreign = !name_equal(&run->row.home, &config->member);
    if (run->chunks != NULL)
        return STATUS_OK;
    uint64_t quota_bytes = foreign ? 2 * config->executor.staging_bytes : 0;
    return chunks_open(run->chunk_directory, quota_bytes, &run->chunks, fault);
}

static enum status keep_checkpoint_set(struct run *run, const struct offer_files_request *request,
                                       struct fault *fault)
{
    struct file_set set = {request->files, request->file_count};
    enum status status = file_set_check(&set, fault);
    if (status == STATUS_OK)
        status = host_check_staging(run->peer, &run->row.home, &set, fault);
    if (status != STATUS_OK)
        return status;
    const char *where = run->specification->checkpoint_path;
    size_t length = strlen(where);
    run->checkpoint.count = 0;
    arena_reset(&run->checkpoint_arena);
    run->checkpoint.files = arena_alloc(&run->checkpoint_arena, set.count, sizeof *set.files);
    for (uint32_t f = 0; f < set.count && run->checkpoint.files != NULL; f++) {
        struct bundle_file *kept = &run->checkpoint.files[f];
        const char *path = set.files[f].path;
        bool within =
            strncmp(path, where, length) == 0 && (path[length] == '\0' || path[length] == '/');
        if (!within)
            return fault_set(fault, STATUS_INVALID, "'%.200s' is not the job's checkpoint, '%s'",
                             path, where);
        *kept = set.files[f];
        kept->path = arena_copy_text(&run->checkpoint_arena, path, strlen(path));
        kept->chunks = arena_copy(&run->checkpoint_arena, set.files[f].chunks,
                                  set.files[f].chunk_count * sizeof *kept->chunks);
        if (kept->path == NULL || kept->chunks == NULL)
            return fault_set(fault, STATUS_EXHAUSTED, "the checkpoint has too many parts");
        run->checkpoint.count++;
    }
    run->resumed_examples = request->examples;
    return run->checkpoint.files != NULL
               ? STATUS_OK
               : fault_set(fault, STATUS_NO_MEMORY, "no memory for the checkpoint's parts");
}

/* The bundle's files are those of the specification, whose digest the lease binds; what the offer
 * says of them is not read. */
static struct file_set set_of(const struct run *run, enum files_purpose purpose)
{
    if (purpose == FILES_CHECKPOINT)
        return run->checkpoint;
    return (struct file_set){run->specification->files, run->specification->file_count};
}

enum status host_offer_files(struct run *run, const struct offer_files_request *request,
                             struct arena *arena, struct offer_files_response *response,
                             struct fault *fault)
{
    enum status status = STATUS_OK;
    if (request->purpose == FILES_RESULT)
        return fault_set(fault, STATUS_INVALID, "a host takes bundles and checkpoints only");
    if (request->purpose == FILES_CHECKPOINT)
        status = keep_checkpoint_set(run, request, fault);
    if (status != STATUS_OK)
        return status;
    struct file_set set = set_of(run, request->purpose);
    status = run_open_chunks(run, fault);
    if (status != STATUS_OK)
        return status;
    return chunks_missing(run->chunks, &set, MISSING_PER_ANSWER_MAX, arena, &response->missing,
                          &response->missing_count, fault);
}

/* Only chunks that were announced: a home can't fill the disk with others. */
static bool announced(const struct file_set *set, const struct digest *digest)
{
    for (uint32_t f = 0; f < set->count; f++)
        for (uint32_t c = 0; c < set->files[f].chunk_count; c++)
            if (memcmp(set->files[f].chunks[c].bytes, digest->bytes, DIGEST_BYTES) == 0)
                return true;
    return false;
}

enum status host_put_chunk(struct run *run, const struct push_chunk_request *request,
                           struct fault *fault)
{
    struct file_set bundle = set_of(run, FILES_BUNDLE);
    if (!announced(&bundle, &request->digest) && !announced(&run->checkpoint, &request->digest))
        return fault_set(fault, STATUS_INVALID, "a chunk that no file announced has");
    enum status status = run_open_chunks(run, fault);
    if (status != STATUS_OK)
        return status;
    return chunks_put(run->chunks, &request->digest, request->data, fault);
}

enum status host_commit_files(struct run *run, enum files_purpose purpose, struct fault *fault)
{
    char work[FILE_PATH_MAX];
    struct file_set set = set_of(run, purpose);
    enum status status = path_join(work, run->directory, "work", fault);
    if (status == STATUS_OK)
        status = run_open_chunks(run, fault);
    if (status == STATUS_OK)
        status = chunks_assemble(run->chunks, &set, work, fault);
    if (status == STATUS_OK && purpose == FILES_BUNDLE)
        run->bundle_ready = true;
    return status;
}

/* --- start */

/* ENTENTE_DATA_NAME=path: letters and digits of the data set's name, upper case. */
static void data_variable(const struct config_data_set *data_set,
                          char text[static VARIABLE_BYTES_MAX])
{
    int length = snprintf(text, VARIABLE_BYTES_MAX, "ENTENTE_DATA_");
    for (const char *c = data_set->name.text; *c != '\0'; c++)
        text[length++] = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
    snprintf(text + length, VARIABLE_BYTES_MAX - (size_t)length, "=%s", data_set->path);
}

struct environment {
    const char *variables[VARIABLES_PER_JOB_MAX + DATA_SETS_PER_JOB_MAX];
    const char *paths[DATA_SETS_PER_JOB_MAX];
    char data_variables[DATA_SETS_PER_JOB_MAX][VARIABLE_BYTES_MAX];
    uint32_t variable_count;
    uint32_t path_count;
};

static enum status gather_environment(const struct run *run, struct environment *environment,
                                      struct fault *fault)
{
    const struct peer_config *config = run->peer->config;
    const struct config_pool *pool = config_pool_find(config, &run->current.lease->gpu);
    for (uint32_t v = 0; v < pool->variable_count; v++)
        environment->variables[environment->variable_count++] = pool->variables[v];
    for (uint32_t d = 0; d < run->specification->data_set_count; d++) {
        const struct name *name = &run->specification->data_sets[d].name;
        const struct config_data_set *data_set = config_data_set_find(config, name);
        if (data_set == NULL)
            return fault_set(fault, STATUS_PRECONDITION,
                             "host %s has no data set %s: its operator can add it to data_sets, or "
                             "name it among the job's files",
                             config->member.text, name->text);
        char *text = environment->data_variables[environment->path_count];
        data_variable(data_set, text);
        environment->variables[environment->variable_count++] = text;
        environment->paths[environment->path_count++] = data_set->path;
    }
    return STATUS_OK;
}

static enum status start_process(struct run *run, struct fault *fault)
{
    struct environment environment = {0};
    enum status status = gather_environment(run, &environment, fault);
    if (status != STATUS_OK)
        return status;
    const struct lease *lease = run->current.lease;
    const struct config_pool *pool = config_pool_find(run->peer->config, &lease->gpu);
    struct executor_run start = {
        .directory = run->directory,
        .specification = run->specification,
        .gpu = &lease->gpu,
        .nodes = lease->nodes,
        .node_count = lease->node_count,
        .gpu_count = lease->gpu_count,
        .extra_variables = environment.variables,
        .extra_count = environment.variable_count,
        .read_only_paths = environment.paths,
        .path_count = environment.path_count,
        .first_device = pool->first_device,
        .gpus_per_node = pool->gpus_per_node,
    };
    return run->peer->executor->operations->start(run->peer->executor, &start, fault);
}

static enum status ready_to_start(struct run *run, struct fault *fault)
{
    if (!run->bundle_ready)
        return fault_set(fault, STATUS_UNAVAILABLE,
                         "the job's files are not all here; this host was restarted: stage again");
    if (run->gpus_taken)
        return STATUS_OK;
    struct gpu_set set = run_gpus(run);
    enum status status = inventory_take(&run->peer->inventory, &set, run_use(run), fault);
    run->gpus_taken = status == STATUS_OK;
    return status == STATUS_PRECONDITION
               ? fault_set(fault, STATUS_UNAVAILABLE,
                           "the GPUs are being released by the job before; try again")
               : status;
}

/* Both or neither: kept as staged though it was reported as running, a run would be refused after a
 * restart, and no lease that runs can be. */
void run_move_told(struct run *run, enum run_event event, enum lease_report_kind kind,
                   const char *text)
{
    struct fault fault;
    struct spool *spool = run->peer->spool;
    enum status status = spool_begin(spool, &fault);
    if (status == STATUS_OK) {
        run_report(run, run->row.lease, kind, text);
        run_move(run, event, text);
        status = spool_commit(spool, &fault);
    }
    if (status == STATUS_OK)
        return;
    spool_rollback(spool);
    peer_fail(run->peer, "keeping a run and what is said of it", &fault);
}

enum status host_start(struct host *host, const struct name *caller, struct lease_id lease,
                       struct fault *fault)
{
    struct run *run = host_find_job(host, lease);
    char id[LEASE_ID_TEXT_MAX];
    if (run == NULL || !name_equal(&run->row.home, caller))
        return fault_set(fault, STATUS_NOT_FOUND, "no run of lease %s of %s here",
                         lease_id_format(lease, id), caller->text);
    if (run->row.state > RUN_STAGING)
        return STATUS_OK; /* asked again */
    if (run->row.state == RUN_GRANTED)
        return fault_set(fault, STATUS_PRECONDITION, "present the lease first (Accept)");
    enum status status = ready_to_start(run, fault);
    if (status == STATUS_OK)
        status = start_process(run, fault);
    if (status != STATUS_OK)
        return status;
    struct meter_reading reading = {clock_boot_ms(host->peer->clock), 0, run->resumed_examples};
    meter_start(&run->row.meter, run->current.lease, run->current.accepted_boot_ms, &reading);
    run_move_told(run, RUN_EVENT_STARTED, LEASE_REPORT_RUNNING, NULL);
    return STATUS_OK;
}

/* --- stop */

void run_stop(struct run *run, int64_t grace_ms, const char *why)
{
    if (run->row.state != RUN_RUNNING)
        return;
    struct fault fault;
    run->row.stop_grace_ms = grace_ms > 0 ? grace_ms : run->peer->config->stop_grace_ms;
    enum status status = run->peer->executor->operations->stop(run->peer->executor, run->directory,
                                                               run->row.stop_grace_ms, &fault);
    if (status != STATUS_OK)
        peer_trouble(run->peer, "stopping a run", &fault);
    run_move(run, RUN_EVENT_STOP, why);
}

enum status host_stop(struct host *host, const struct name *caller,
                      const struct stop_request *request, struct fault *fault)
{
    struct run *run = host_find_job(host, request->lease);
    char id[LEASE_ID_TEXT_MAX];
    if (run == NULL || !name_equal(&run->row.home, caller))
        return fault_set(fault, STATUS_NOT_FOUND, "no run of lease %s of %s here",
                         lease_id_format(request->lease, id), caller->text);
    if (run->row.state == RUN_GRANTED || run->row.state == RUN_STAGING)
        run_refuse(run, request->reason);
    else
        run_stop(run, request->grace_ms, request->reason);
    return STATUS_OK;
}

void host_stop_all(struct host *host, const char *why)
{
    for (struct run *run = host->runs; run != NULL; run = run->next)
        if (run->row.state == RUN_GRANTED || run->row.state == RUN_STAGING)
            run_refuse(run, why);
        else
            run_stop(run, host->peer->config->stop_grace_ms, why);
}

bool host_busy(const struct host *host)
{
    for (const struct run *run = host->runs; run != NULL; run = run->next)
        if (run->row.state >= RUN_RUNNING && run->row.state < RUN_OVER)
            return true;
    return false;
}
