/*
 * Home, profiles: a job of which nobody knows how fast it runs anywhere is run at home for a short
 * while, on as few GPUs as it takes, and on twice as many where those are free; what is measured
 * goes to the broker with its demand.
 *
 * A profile is a run like any other, under a short lease of the peer's own: what it makes counts,
 * its checkpoint is where the next run begins. One at a time; each job PROFILES_PER_JOB_MAX times
 * at most, so that a job that shows no progress is not tried for ever.
 */
#include "peer/home/home_job.h"

bool job_profile_due(const struct home_job *job)
{
    const struct peer_config *config = job->home->peer->config;
    return job->profile.wanted && !job->home->profiling && config->profile_ms > 0 &&
           job->row.state == JOB_STATE_QUEUED && !job->row.cancelled &&
           job->row.placement != JOB_LOCAL && !job->demand_busy &&
           job->profile.runs < PROFILES_PER_JOB_MAX;
}

struct demand job_profile_demand(const struct home_job *job)
{
    struct demand demand = job->submission->demand;
    uint64_t const most = demand.gpus_max;
    uint64_t const gpus = (uint64_t)demand.gpus_min << job->profile.runs;
    demand.gpus_min = demand.gpus_max = (uint32_t)(gpus < most ? gpus : most);
    return demand;
}

/* A second size only where it is free now, and another than the first. */
void job_profile_passed_over(struct home_job *job)
{
    if (job->profile.row_count > 0)
        job->profile.wanted = false;
}

void job_profile_began(struct home_job *job)
{
    job->profile.running = job->home->profiling = true;
    job->profile.runs++;
}

void job_profile_left(struct home_job *job)
{
    if (!job->profile.running)
        return;
    job->profile.running = job->home->profiling = false;
    if (job->submission->demand.gpus_min == job->submission->demand.gpus_max)
        job->profile.wanted = false; /* there is no second size */
}

void home_measured(struct home *home, const struct receipt *receipt, const struct lease *lease)
{
    struct home_job *job = home_find(home, &receipt->job);
    if (job == NULL || !job->profile.running || receipt->measured_steps == 0 ||
        receipt->measured_ms <= 0 || receipt->measured_examples == 0 ||
        job->profile.row_count == PROFILES_PER_JOB_MAX)
        return;
    double const steps = (double)receipt->measured_steps;
    struct profile_row row = {
        .gpu = lease->gpu,
        .gpus = lease->gpu_count,
        .nodes = lease->node_count,
        .batch = (double)receipt->measured_examples / steps / lease->gpu_count,
        .step_seconds = (double)receipt->measured_ms / MS_PER_SECOND / steps,
    };
    for (uint32_t n = 0; n < lease->node_count; n++) {
        uint32_t const gpus = (uint32_t)__builtin_popcountll(lease->nodes[n].gpus);
        row.gpus_on_fullest = gpus > row.gpus_on_fullest ? gpus : row.gpus_on_fullest;
    }
    job->profile.rows[job->profile.row_count++] = row;
    log_info(home->peer->log, "job %s was profiled on %u %s: %.4g s a step", receipt->job.text,
             row.gpus, row.gpu.text, row.step_seconds);
}

const struct profile_row *home_profile(const struct home_job *job, uint32_t *count)
{
    *count = job->profile.row_count;
    return job->profile.rows;
}

/* What went with that submission needs not go again. */
void home_profile_told(struct home *home, const struct name *name, bool sent, bool wanted)
{
    struct home_job *job = home_find(home, name);
    if (job == NULL)
        return;
    if (sent)
        job->profile.row_count = 0;
    if (wanted && job->profile.runs == 0)
        job->profile.wanted = true;
}
