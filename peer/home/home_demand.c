/*
 * Home, demands: what the market must know of a job, and when it must hear of a change.
 *
 * A demand is open from submission until the job ends, but for jobs that stay at home. The version
 * grows with every change; the broker's answer to a version tells that it knows it.
 */
#include <math.h>
#include <string.h>

#include "peer/home/home_job.h"

/* What is left of a job is worth nothing if it is never finished: a remainder that would not pay
 * for another start would wait for ever. So a job that has begun bids as if finishing it were worth
 * at least this share of the whole; configs/job.yaml says so. */
#define FINISH_SHARE    0.2
#define LEFT_SHARE_MIN  0.01 /* of the whole: the least that is taken to be left */
#define VALUE_NANOS_MAX INT64_C(1000000000000000)

enum { REFUSED_AGAIN_MS = 30 * 1000, FAILED_AGAIN_MS = 1000, PROGRESS_TOLD_EVERY_MS = 2000 };

void job_demand_changed(struct home_job *job)
{
    job->demand_version++;
}

/* A job that is on its way, or runs, is out of the market: a short one ends before anybody is told
 * where it is. */
void job_demand_stale(struct home_job *job)
{
    job->demand_stale = true;
    job->progress_boot_ms = clock_boot_ms(job->home->peer->clock) + PROGRESS_TOLD_EVERY_MS;
}

static bool wanted(const struct home_job *job)
{
    if (job->row.placement == JOB_LOCAL || job_state_final(job->row.state) || job->row.cancelled)
        return false;
    return job->lease == NULL || !job_own_lease(job);
}

/* Work left is part of the demand: progress is a change, told now and then. */
static void notice_progress(struct home_job *job, int64_t now)
{
    bool news = job->demand_stale || job->row.examples_done != job->reported_examples;
    if (!news || now < job->progress_boot_ms)
        return;
    job->demand_stale = false;
    job->reported_examples = job->row.examples_done;
    job_demand_changed(job);
}

static void tell_one(struct home_job *job, int64_t now,
                     bool (*tell)(void *context, struct home_job *job, enum demand_word word),
                     void *context)
{
    if (job->demand_busy || now < job->demand_retry_boot_ms)
        return;
    if (wanted(job)) {
        notice_progress(job, now);
        if (job->demand_told != job->demand_version)
            job->demand_busy = tell(context, job, DEMAND_SUBMIT);
    } else if (job->row.demand_open) {
        job->demand_busy = tell(context, job, DEMAND_CANCEL);
    }
}

void home_demands(struct home *home,
                  bool (*tell)(void *context, struct home_job *job, enum demand_word word),
                  void *context)
{
    int64_t now = clock_boot_ms(home->peer->clock);
    for (struct home_job *job = home->live; job != NULL; job = job->next_live)
        tell_one(job, now, tell, context);
}

/* Work left, and the value of an example of it. */
static void bid(const struct home_job *job, struct demand *demand)
{
    double work = job->work_examples;
    double left = work - (double)job->row.examples_done;
    if (job->row.starts == 0) {
        demand->work_left_examples = work;
        return;
    }
    demand->work_left_examples = fmax(left, fmax(1.0, LEFT_SHARE_MIN * work));
    double raise = FINISH_SHARE * work / demand->work_left_examples;
    if (raise > 1.0)
        demand->value_nanos_per_example =
            (int64_t)fmin((double)demand->value_nanos_per_example * raise, (double)VALUE_NANOS_MAX);
}

enum status home_demand(struct home_job *job, struct arena *arena, struct demand *demand,
                        uint64_t *version, struct fault *fault)
{
    (void)arena;
    *demand = job->submission->demand;
    *version = job->demand_version;
    bid(job, demand);
    demand->checkpoint_bytes = job->row.checkpoint_bytes;
    if (job->lease != NULL && job->row.state == JOB_STATE_RUNNING)
        demand->position = (struct job_position){
            .running = true,
            .pool = {.member = job->lease->host, .gpu = job->lease->gpu},
            .gpus = job->lease->gpu_count,
        };
    /* The broker may know of it from this moment on, whatever becomes of the call. */
    if (job->row.demand_open)
        return STATUS_OK;
    job->row.demand_open = true;
    return spool_job_put(job->home->peer->spool, &job->row, fault);
}

const struct name *home_job_name(const struct home_job *job)
{
    return &job->row.job;
}

bool home_job_completed(const struct home_job *job)
{
    return job->row.state == JOB_STATE_DONE;
}

static bool refused(enum status status)
{
    return status == STATUS_INVALID || status == STATUS_DENIED || status == STATUS_PRECONDITION ||
           status == STATUS_EXHAUSTED || status == STATUS_EXISTS;
}

static void submitted(struct home_job *job, uint64_t version, enum status status,
                      const struct fault *fault, int64_t now)
{
    if (status == STATUS_OK) {
        job->demand_told = version;
        job->progress_boot_ms = now + PROGRESS_TOLD_EVERY_MS;
        return;
    }
    if (status == STATUS_EXISTS && job->row.state == JOB_STATE_QUEUED) {
        job_move(job, HOME_EVENT_FAILED, fault->text);
        return;
    }
    job->demand_retry_boot_ms = now + (refused(status) ? REFUSED_AGAIN_MS : FAILED_AGAIN_MS);
    if (!refused(status) || job->row.state != JOB_STATE_QUEUED)
        return;
    size_t length = strnlen(fault->text, sizeof job->row.text - 1);
    memset(job->row.text, 0, sizeof job->row.text);
    memcpy(job->row.text, fault->text, length);
    job_save(job);
}

void home_demand_told(struct home *home, const struct name *name, enum demand_word word,
                      uint64_t version, enum status status, const struct fault *fault)
{
    struct home_job *job = home_find(home, name);
    if (job == NULL)
        return;
    int64_t now = clock_boot_ms(home->peer->clock);
    job->demand_busy = false;
    if (word == DEMAND_SUBMIT) {
        submitted(job, version, status, fault, now);
        return;
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        job->demand_retry_boot_ms = now + FAILED_AGAIN_MS;
        return;
    }
    job->demand_told = 0;
    job->row.demand_open = wanted(job);
    job_save(job);
}

void home_tell_all(struct home *home)
{
    for (struct home_job *job = home->jobs; job != NULL; job = job->next)
        job->demand_told = 0;
}
