/*
 * Home, local work: jobs that run at home without the broker's word: local ones always, others that
 * may while the broker is away, and the short runs that measure an unknown job (home_profile.c).
 *
 * The peer grants itself a lease, signed with its own key, at no price and without end, and the job
 * then goes the one way that all jobs go. Such a lease is good at this peer only and is reported to
 * nobody.
 */
#include <stdio.h>

#include "peer/home/home_job.h"
#include "peer/link/link.h"
#include "proto/wire/methods.h"

enum { OWN_LEASE_DAYS = 3000, OWN_ACCEPT_MS = 60 * 1000 };

static bool may_run_locally(const struct home_job *job)
{
    if (job->row.state != JOB_STATE_QUEUED || job->row.cancelled)
        return false;
    return job->row.placement == JOB_LOCAL ||
           (job->row.placement == JOB_ANY && link_away(job->home->peer->link));
}

static enum status grant(struct home_job *job, const struct gpu_set *set, uint32_t gpus,
                         int64_t duration_ms, struct fault *fault)
{
    struct peer *peer = job->home->peer;
    uint64_t number = spool_get_number(peer->spool, "own-lease", 1);
    int64_t now = clock_wall_ms(peer->clock);
    struct lease_node nodes[NODES_PER_LEASE_MAX];
    for (uint32_t n = 0; n < set->node_count; n++)
        nodes[n] = set->nodes[n];
    struct lease lease = {
        .id = {.incarnation = LEASE_OWN_INCARNATION, .round = number, .index = 1},
        .job = job->row.job,
        .home = peer->config->member,
        .host = peer->config->member,
        .gpu = *set->gpu,
        .home_incarnation = spool_incarnation(peer->spool),
        .host_incarnation = spool_incarnation(peer->spool),
        .nodes = nodes,
        .node_count = set->node_count,
        .gpu_count = gpus,
        .bundle_digest = job->submission->demand.bundle_digest,
        .duration_ms = duration_ms,
        .accept_from_wall_ms = now > OWN_ACCEPT_MS ? now - OWN_ACCEPT_MS : 0,
        .accept_until_wall_ms = now + OWN_ACCEPT_MS,
        .home_key = peer->identity.key,
        .host_key = peer->identity.key,
    };
    snprintf(lease.home_address, sizeof lease.home_address, "%s", peer->address);
    snprintf(lease.host_address, sizeof lease.host_address, "%s", peer->address);
    struct arena arena;
    struct signed_bytes signed_lease = {.key_id = peer->keys.own_id};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = spool_put_number(peer->spool, "own-lease", number + 1, fault);
    if (status == STATUS_OK)
        status = wire_encode(&message_lease, &lease, &arena, &signed_lease.body, fault);
    if (status == STATUS_OK)
        status = signing_sign(&peer->identity.secret, SIGN_LEASE, signed_lease.body,
                              &signed_lease.signature, fault);
    if (status == STATUS_OK)
        status = job_place(job, &signed_lease, &lease, fault);
    arena_fini(&arena);
    return status;
}

/* Tries to place it on free GPUs; false where there are none. */
static bool place(struct home_job *job, const struct demand *demand, int64_t duration_ms)
{
    struct lease_node nodes[NODES_PER_LEASE_MAX];
    struct name gpu;
    struct fault fault;
    uint32_t node_count = 0;
    uint32_t gpus = inventory_find(&job->home->peer->inventory, demand, &gpu, nodes, &node_count);
    if (gpus == 0)
        return false;
    struct gpu_set set = {&gpu, nodes, node_count};
    if (grant(job, &set, gpus, duration_ms, &fault) != STATUS_OK)
        peer_trouble(job->home->peer, "a local start", &fault);
    return true;
}

static bool place_for_profile(struct home_job *job)
{
    struct demand const demand = job_profile_demand(job);
    if (!place(job, &demand, job->home->peer->config->profile_ms)) {
        job_profile_passed_over(job);
        return false;
    }
    job_profile_began(job);
    return true;
}

void home_place_locally(struct home *home)
{
    int64_t const for_long = (int64_t)OWN_LEASE_DAYS * 24 * 3600 * MS_PER_SECOND;
    for (struct home_job *job = home->live; job != NULL; job = job->next_live) {
        bool const placed = may_run_locally(job)   ? place(job, &job->submission->demand, for_long)
                            : job_profile_due(job) ? place_for_profile(job)
                                                   : false;
        if (placed)
            return; /* its GPUs are taken when it is accepted: one at a time */
    }
}
