/*
 * Home, sweep: the files of ended jobs leave the bundle store. What open jobs need stays; jobs
 * share what is alike, so all of them are marked before anything goes.
 */
#include "peer/home/home_job.h"

enum { SWEEP_EVERY_MS = 60 * 1000 };

/* A bundle on its way is an open job's, so it is marked. */
static enum status mark_all(struct home *home, struct fault *fault)
{
    enum status status = STATUS_OK;
    chunks_mark_begin(home->chunks);
    for (const struct home_job *job = home->jobs; status == STATUS_OK && job != NULL;
         job = job->next) {
        const struct job_specification *specification = &job->submission->specification;
        struct file_set set = {specification->files, specification->file_count};
        if (!job_state_final(job->row.state))
            status = chunks_mark(home->chunks, &set, fault);
    }
    return status;
}

void home_sweep(struct home *home)
{
    int64_t now = clock_boot_ms(home->peer->clock);
    struct fault fault;
    uint64_t freed = 0;
    if (!home->sweep_wanted || now < home->sweep_boot_ms)
        return;
    home->sweep_wanted = false;
    home->sweep_boot_ms = now + SWEEP_EVERY_MS;
    enum status status = spool_sync(home->peer->spool, &fault); /* that those jobs have ended */
    if (status == STATUS_OK)
        status = mark_all(home, &fault);
    if (status == STATUS_OK)
        status = chunks_sweep(home->chunks, 0, &freed, &fault);
    if (status != STATUS_OK)
        peer_trouble(home->peer, "sweeping the bundle store", &fault);
}
