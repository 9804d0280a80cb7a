/*
 * Home, leases: a job gets a place and leaves it.
 *
 * The broker's GRANT places a waiting job, renews a placed one, or is kept as the next place of one
 * that is leaving. What home can't use is declined at once, so that its GPUs go back to the market.
 */
#include "peer/home/home_job.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/methods.h"

static void granted(struct home *home, const struct signed_bytes *signed_lease,
                    const struct lease *lease);
static void renewed(struct home_job *job, const struct signed_bytes *signed_lease,
                    const struct lease *lease);
static void wait_for_turn(struct home_job *job, const struct signed_bytes *signed_lease,
                          const struct lease *lease);
static void called_off(struct home_job *job, const struct lease_event *event);

static enum status read_lease(struct home *home, const struct signed_bytes *signed_lease,
                              struct arena *arena, struct lease **lease, struct fault *fault)
{
    bool own = false;
    return lease_check_signature(&home->peer->keys, signed_lease, clock_wall_ms(home->peer->clock),
                                 arena, lease, &own, fault);
}

void home_lease_event(struct home *home, const struct lease_event *event)
{
    struct arena arena;
    struct fault fault;
    struct lease *lease = NULL;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (event->kind == LEASE_EVENT_GRANT) {
        if (read_lease(home, &event->signed_lease, &arena, &lease, &fault) != STATUS_OK)
            peer_trouble(home->peer, "a granted lease", &fault);
        else if (name_equal(&lease->home, &home->peer->config->member))
            granted(home, &event->signed_lease, lease);
    } else {
        struct spool_lease known;
        struct home_job *job = NULL;
        if (spool_lease_get(home->peer->spool, event->lease, LEASE_AS_HOME, &arena, &known, NULL) ==
            STATUS_OK)
            job = home_find(home, &known.job);
        if (job != NULL)
            called_off(job, event);
    }
    arena_fini(&arena);
}

/* --- granted */

static enum status keep_lease(struct home_job *job, const struct signed_bytes *signed_lease,
                              const struct lease *lease, int64_t started_boot_ms,
                              struct fault *fault)
{
    struct spool_lease kept = {
        .id = lease->id,
        .side = LEASE_AS_HOME,
        .job = lease->job,
        .signed_lease = *signed_lease,
        .taken_boot_ms = clock_boot_ms(job->home->peer->clock),
        .started_boot_ms = started_boot_ms,
    };
    return spool_lease_put(job->home->peer->spool, &kept, fault);
}

void home_decline(struct home *home, struct lease_id lease, const char *why)
{
    char id[LEASE_ID_TEXT_MAX];
    struct fault fault;
    struct lease_report report = {.lease = lease, .kind = LEASE_REPORT_REFUSED, .text = why};
    log_info(home->peer->log, "lease %s declined: %s", lease_id_format(lease, id), why);
    if (spool_report_put(home->peer->spool, &report, &fault) != STATUS_OK)
        peer_fail(home->peer, "keeping a report", &fault);
}

/* Home keeps the lease: its host may have begun it, and comes with receipts. */
static void decline_known(struct home_job *job, const struct signed_bytes *signed_lease,
                          const struct lease *lease, const char *why)
{
    struct fault fault;
    if (keep_lease(job, signed_lease, lease, 0, &fault) != STATUS_OK)
        peer_fail(job->home->peer, "keeping a lease", &fault);
    home_decline(job->home, lease->id, why);
}

static void granted(struct home *home, const struct signed_bytes *signed_lease,
                    const struct lease *lease)
{
    struct home_job *job = home_find(home, &lease->job);
    struct fault fault;
    if (spool_lease_known(home->peer->spool, lease->id, LEASE_AS_HOME))
        return; /* told twice */
    if (lease->home_incarnation != spool_incarnation(home->peer->spool))
        home_decline(home, lease->id, "home has another incarnation now");
    else if (job == NULL)
        home_decline(home, lease->id, "home does not know the job");
    else if (job_state_final(job->row.state) || job->row.cancelled)
        decline_known(job, signed_lease, lease, "the job has ended");
    else if (!lease_id_none(lease->continues))
        renewed(job, signed_lease, lease);
    else if (job->row.state != JOB_STATE_QUEUED)
        wait_for_turn(job, signed_lease, lease);
    else if (job_place(job, signed_lease, lease, &fault) != STATUS_OK)
        home_decline(home, lease->id, fault.text);
}

static int64_t expiry(const struct home_job *job, const struct lease *lease, int64_t taken_boot_ms)
{
    return taken_boot_ms + lease->starts_in_ms + lease->duration_ms + lease->holdover_ms +
           job->home->peer->config->stop_grace_ms;
}

static void renewed(struct home_job *job, const struct signed_bytes *signed_lease,
                    const struct lease *lease)
{
    struct fault fault;
    void *decoded = NULL;
    if (job->lease == NULL || job_own_lease(job)) {
        decline_known(job, signed_lease, lease,
                      "the job is not under the lease that this one continues");
        return;
    }
    int64_t now = clock_boot_ms(job->home->peer->clock);
    job->renewal = NULL;
    arena_reset(&job->renewal_arena);
    enum status status = keep_lease(job, signed_lease, lease, now + lease->starts_in_ms, &fault);
    if (status == STATUS_OK)
        status =
            wire_decode(&message_lease, signed_lease->body, &job->renewal_arena, &decoded, &fault);
    if (status != STATUS_OK) {
        peer_fail(job->home->peer, "keeping a renewal", &fault);
        return;
    }
    job->renewal = decoded;
    job->row.renewal = lease->id;
    job->expires_boot_ms = expiry(job, lease, now);
    job_save(job);
}

/* A move: the job must first leave where it is. */
static void wait_for_turn(struct home_job *job, const struct signed_bytes *signed_lease,
                          const struct lease *lease)
{
    struct fault fault;
    if (!lease_id_none(job->row.next))
        home_decline(job->home, job->row.next, "a newer lease was granted");
    if (keep_lease(job, signed_lease, lease, 0, &fault) != STATUS_OK) {
        peer_fail(job->home->peer, "keeping a lease", &fault);
        return;
    }
    job->row.next = lease->id;
    job_save(job);
}

static enum status remember_place(struct home_job *job, const struct signed_bytes *signed_lease,
                                  struct fault *fault)
{
    void *decoded = NULL;
    void *body = arena_copy(&job->lease_arena, signed_lease->body.data, signed_lease->body.size);
    if (body == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a lease");
    job->signed_lease = *signed_lease;
    job->signed_lease.body.data = body;
    enum status status =
        wire_decode(&message_lease, job->signed_lease.body, &job->lease_arena, &decoded, fault);
    job->lease = decoded;
    return status;
}

static uint64_t log_size(const struct home_job *job)
{
    char path[FILE_PATH_MAX];
    if (job_path(job, "log", false, path, NULL) != STATUS_OK)
        return 0;
    FILE *file = fopen(path, "re");
    long size = 0;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (file != NULL)
        fclose(file);
    return size > 0 ? (uint64_t)size : 0;
}

enum status job_place(struct home_job *job, const struct signed_bytes *signed_lease,
                      const struct lease *lease, struct fault *fault)
{
    enum status status = keep_lease(job, signed_lease, lease, 0, fault);
    if (status == STATUS_OK)
        status = remember_place(job, signed_lease, fault);
    if (status != STATUS_OK) {
        job->lease = NULL;
        arena_reset(&job->lease_arena);
        return status;
    }
    int64_t now = clock_boot_ms(job->home->peer->clock);
    job->expires_boot_ms = expiry(job, lease, now);
    job->step = STEP_ACCEPT;
    job->start_sent = false;
    job->failures = 0;
    job->retry_boot_ms = job->watch_boot_ms = job->stop_boot_ms = 0;
    job->ended = job->lost = job->stop_wanted = false;
    job->row.lease = lease->id;
    job->row.renewal = (struct lease_id){0};
    job->row.log_base = log_size(job);
    char text[SPOOL_TEXT_MAX];
    snprintf(text, sizeof text, "on its way to %s (%u x %s)", lease->host.text, lease->gpu_count,
             lease->gpu.text);
    job_move(job, HOME_EVENT_PLACED, text);
    return STATUS_OK;
}

/* After a restart: the same place, looked at with what the spool remembers. */
enum status job_restore_place(struct home_job *job, struct fault *fault)
{
    struct spool_lease known;
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = spool_lease_get(job->home->peer->spool, job->row.lease, LEASE_AS_HOME,
                                         &arena, &known, fault);
    if (status == STATUS_OK)
        status = remember_place(job, &known.signed_lease, fault);
    int64_t taken = known.taken_boot_ms;
    job->start_sent = known.started_boot_ms != 0;
    const struct lease *newest = job->lease;
    if (status == STATUS_OK && !lease_id_none(job->row.renewal)) {
        void *decoded = NULL;
        status = spool_lease_get(job->home->peer->spool, job->row.renewal, LEASE_AS_HOME,
                                 &job->renewal_arena, &known, fault);
        if (status == STATUS_OK)
            status = wire_decode(&message_lease, known.signed_lease.body, &job->renewal_arena,
                                 &decoded, fault);
        job->renewal = decoded;
        newest = job->renewal;
        taken = known.taken_boot_ms;
    }
    arena_fini(&arena);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "job %s", job->row.job.text);
    int64_t now = clock_boot_ms(job->home->peer->clock);
    job->expires_boot_ms = expiry(job, newest, taken < now ? taken : now);
    job->step = job->row.state == JOB_STATE_STAGING ? STEP_ACCEPT : STEP_WATCH;
    job->stop_wanted = job->row.cancelled;
    return STATUS_OK;
}

/* --- left */

static void mark_ended(struct home_job *job)
{
    struct lease_id ids[] = {job->row.lease, job->row.renewal};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct arena arena;
        struct spool_lease known;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        if (!lease_id_none(ids[i]) && spool_lease_get(job->home->peer->spool, ids[i], LEASE_AS_HOME,
                                                      &arena, &known, NULL) == STATUS_OK) {
            struct fault fault;
            known.ended_boot_ms = clock_boot_ms(job->home->peer->clock);
            if (spool_lease_put(job->home->peer->spool, &known, &fault) != STATUS_OK)
                peer_fail(job->home->peer, "keeping a lease", &fault);
        }
        arena_fini(&arena);
    }
}

/* Only where it was started, or failed to: where it never arrived says nothing. */
static void remember_last(struct home_job *job, enum job_state how)
{
    const struct lease *lease = job->renewal != NULL ? job->renewal : job->lease;
    struct fault fault;
    if (lease == NULL || (job->step != STEP_WATCH && how == JOB_STATE_QUEUED))
        return;
    job->last = (struct spool_place){
        .lease = lease->id,
        .host = lease->host,
        .gpu = lease->gpu,
        .gpus = lease->gpu_count,
        .price = lease->price,
        .predicted_examples_per_second = lease->predicted_examples_per_second,
        .measured_examples_per_second = job->measured_examples_per_second,
    };
    if (spool_place_put(job->home->peer->spool, &job->row.job, &job->last, &fault) != STATUS_OK)
        peer_trouble(job->home->peer, "keeping where a job was", &fault);
}

static void clear_place(struct home_job *job)
{
    contacts_give(&job->home->peer->contacts, &job->contact);
    job->lease = NULL;
    job->renewal = NULL;
    job->row.lease = (struct lease_id){0};
    job->row.renewal = (struct lease_id){0};
    job->row.examples_done = job->row.checkpoint_examples;
    job->examples_per_second = job->measured_examples_per_second = 0.0;
    job->stop_wanted = false;
    arena_reset(&job->lease_arena);
    arena_reset(&job->renewal_arena);
}

/* The lease that waited for the job's leaving. */
static void take_next(struct home_job *job)
{
    struct lease_id next = job->row.next;
    struct arena arena;
    struct spool_lease known;
    struct lease *lease = NULL;
    struct fault fault;
    if (lease_id_none(next))
        return;
    job->row.next = (struct lease_id){0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        spool_lease_get(job->home->peer->spool, next, LEASE_AS_HOME, &arena, &known, &fault);
    if (status == STATUS_OK)
        status = read_lease(job->home, &known.signed_lease, &arena, &lease, &fault);
    if (status == STATUS_OK && job->row.state != JOB_STATE_QUEUED)
        status = fault_set(&fault, STATUS_PRECONDITION, "the job has ended");
    if (status == STATUS_OK && clock_wall_ms(job->home->peer->clock) > lease->accept_until_wall_ms)
        status = fault_set(&fault, STATUS_DEADLINE, "the job left its former place too late");
    if (status == STATUS_OK)
        status = job_place(job, &known.signed_lease, lease, &fault);
    if (status != STATUS_OK) {
        home_decline(job->home, next, fault.text);
        job_save(job); /* or a restart would find it waiting again, long past */
    }
    arena_fini(&arena);
}

static enum home_event event_of(struct home_job *job, enum job_state how)
{
    if (how == JOB_STATE_DONE)
        return HOME_EVENT_COMPLETED;
    if (job->row.cancelled)
        return HOME_EVENT_CANCELLED;
    if (how != JOB_STATE_FAILED)
        return HOME_EVENT_BACK;
    if (job->row.retries_left == 0)
        return HOME_EVENT_FAILED;
    job->row.retries_left--;
    return HOME_EVENT_BACK;
}

/* how: DONE, FAILED, or QUEUED for a job that neither completed nor failed. */
void job_left(struct home_job *job, enum job_state how, const char *text)
{
    if (how == JOB_STATE_DONE && job->row.state == JOB_STATE_STAGING)
        job_move(job, HOME_EVENT_STARTED, NULL);
    uint64_t seen = job->row.examples_done;
    if (job->ended || job->lost) /* else the host may hold its GPUs until it hears of it */
        mark_ended(job);
    remember_last(job, how);
    clear_place(job);
    job_profile_left(job);
    if (how == JOB_STATE_DONE)
        job->row.examples_done = seen;
    job_move(job, event_of(job, how), text);
    take_next(job);
}

static void called_off(struct home_job *job, const struct lease_event *event)
{
    if (event->kind == LEASE_EVENT_VOID && lease_id_equal(job->row.next, event->lease)) {
        job->row.next = (struct lease_id){0};
        job_save(job);
        return;
    }
    bool here = lease_id_equal(job->row.lease, event->lease);
    if (event->kind == LEASE_EVENT_VOID && here && job->row.state == JOB_STATE_STAGING &&
        job->call == NULL && !transfer_busy(&job->transfer))
        job_left(job, JOB_STATE_QUEUED, event->reason);
    else if (event->kind == LEASE_EVENT_VOID && here && job->row.state == JOB_STATE_STAGING)
        job->lost = true; /* its calls are under way: leave when they have ended */
}

enum status job_contact(struct home_job *job, struct fault *fault)
{
    struct peer *peer = job->home->peer;
    const struct lease *lease = job->renewal != NULL ? job->renewal : job->lease;
    if (job->contact != NULL)
        return STATUS_OK;
    return peer_contact(peer, &lease->host, lease->host_address, &job->contact, fault);
}
