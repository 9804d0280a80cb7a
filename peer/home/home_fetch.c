/* Home, fetch: hands the owner what came home: the results, and the newest checkpoint. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "peer/home/home_job.h"

/* Results lie in the job's directory; scanning them into chunks and assembling those elsewhere
 * copies a tree safely, with what is at hand. */
static enum status copy_results(struct home_job *job, const char *to, struct arena *arena,
                                struct file_set *set, struct fault *fault)
{
    char from[FILE_PATH_MAX];
    enum status status = job_path(job, "results", false, from, fault);
    if (status == STATUS_OK)
        status = job_open_chunks(job, fault);
    if (status != STATUS_OK)
        return status;
    struct stat about;
    if (stat(from, &about) != 0)
        return STATUS_OK; /* none came */
    struct chunks_source source = {
        .directory = from,
        .paths = job->submission->specification.results,
        .path_count = job->submission->specification.result_count,
        .absent = CHUNKS_ABSENT_SKIPPED,
    };
    status = chunks_scan(job->chunks, &source, arena, set, fault);
    return status == STATUS_OK ? chunks_assemble(job->chunks, set, to, fault) : status;
}

static enum status list_paths(const struct file_set *sets, size_t set_count, struct arena *arena,
                              struct fetch_response *response, struct fault *fault)
{
    uint32_t total = 0;
    for (size_t s = 0; s < set_count; s++)
        total += sets[s].count;
    if (total > FILES_PER_BUNDLE_MAX)
        total = FILES_PER_BUNDLE_MAX;
    response->paths = arena_alloc(arena, total, sizeof *response->paths);
    if (response->paths == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the list of files");
    for (size_t s = 0; s < set_count; s++) {
        response->size_bytes += file_set_bytes(&sets[s]);
        for (uint32_t f = 0; f < sets[s].count && response->path_count < total; f++)
            response->paths[response->path_count++] = sets[s].files[f].path;
    }
    return STATUS_OK;
}

enum status home_fetch(struct home *home, const struct fetch_request *request, struct arena *arena,
                       struct fetch_response *response, struct fault *fault)
{
    struct home_job *job = home_find(home, &request->job);
    struct file_set sets[2] = {{0}, {0}};
    if (job == NULL)
        return fault_set(fault, STATUS_NOT_FOUND, "no job %s here; 'entente-peer jobs' lists them",
                         request->job.text);
    enum status status = directory_make(request->directory, 0755, fault);
    if (status == STATUS_OK)
        status = copy_results(job, request->directory, arena, &sets[0], fault);
    sets[1] = job->checkpoint;
    if (status == STATUS_OK && job->checkpoint.count > 0)
        status = chunks_assemble(job->chunks, &job->checkpoint, request->directory, fault);
    if (status != STATUS_OK)
        return status;
    if (sets[0].count + sets[1].count == 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "nothing of job %s has come home yet: it is %s", request->job.text,
                         job_state_name(job->row.state));
    return list_paths(sets, 2, arena, response, fault);
}
