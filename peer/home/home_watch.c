/*
 * Home, watch: what the host says of the job: state, progress, log. When the stream breaks home
 * dials again; when the host no longer knows the job, or its right to run it is over, the job goes
 * back to the market with the newest checkpoint that reached home.
 */
#include "peer/home/home_job.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proto/wire/methods.h"

enum {
    WATCH_RETRY_MS = 500,
    WATCH_DOUBLINGS_MAX = 5,
    STOP_CALL_MS = 5 * 1000,
    STOP_RETRY_MS = 1000,
    HOME_LOG_BYTES_MAX = 256 * 1024 * 1024,
    MOVE_MARGIN_MS = 5000 /* of the next lease's acceptance window, to get there */
};

static void watched(void *context, const void *message);
static void watch_ended(void *context, enum status status, const void *response,
                        const struct fault *fault);

static bool underway(const struct home_job *job)
{
    return job->row.state == JOB_STATE_RUNNING || job->row.state == JOB_STATE_STOPPING;
}

static bool calls_open(const struct home_job *job)
{
    return job->call != NULL || job->watch_call != NULL || job->stop_call != NULL ||
           transfer_busy(&job->transfer);
}

/* The next lease can't wait any longer for the old host's last word. */
static bool next_is_urgent(const struct home_job *job)
{
    struct arena arena;
    struct spool_lease known;
    void *decoded = NULL;
    if (lease_id_none(job->row.next))
        return false;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    bool urgent = false;
    if (spool_lease_get(job->home->peer->spool, job->row.next, LEASE_AS_HOME, &arena, &known,
                        NULL) == STATUS_OK &&
        wire_decode(&message_lease, known.signed_lease.body, &arena, &decoded, NULL) == STATUS_OK) {
        const struct lease *next = decoded;
        urgent =
            clock_wall_ms(job->home->peer->clock) + MOVE_MARGIN_MS > next->accept_until_wall_ms;
    }
    arena_fini(&arena);
    return urgent;
}

static void look_for_end(struct home_job *job)
{
    struct peer *peer = job->home->peer;
    bool expired = clock_boot_ms(peer->clock) > job->expires_boot_ms;
    if (!job->ended && !job->lost && !expired && !next_is_urgent(job))
        return;
    if (calls_open(job)) {
        if (!job->ended && job->watch_call != NULL)
            transport_cancel(job->watch_call);
        return;
    }
    if (job->ended)
        job_left(job, job->ended_state, NULL);
    else
        job_left(job, JOB_STATE_QUEUED,
                 job->lost ? "the host lost the job; it goes on from its newest checkpoint"
                           : "the host was not heard of again; the job goes on elsewhere from its "
                             "newest checkpoint");
}

void job_watch(struct home_job *job)
{
    struct peer *peer = job->home->peer;
    if (!underway(job))
        return;
    look_for_end(job);
    if (!underway(job) || job->ended || job->lost || job->watch_call != NULL ||
        clock_boot_ms(peer->clock) < job->watch_boot_ms)
        return;
    struct fault fault;
    if (job_contact(job, &fault) != STATUS_OK) {
        job->watch_boot_ms = clock_boot_ms(peer->clock) + WATCH_RETRY_MS;
        return;
    }
    char path[FILE_PATH_MAX];
    struct watch_job_request request = {.lease = job->row.lease};
    if (job_path(job, "log", false, path, NULL) == STATUS_OK) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
        if (fd >= 0)
            close(fd);
        request.log_offset =
            size > (off_t)job->row.log_base ? (uint64_t)size - job->row.log_base : 0;
    }
    struct transport_callbacks callbacks = {
        .on_done = watch_ended, .on_message = watched, .context = job};
    job->watch_call =
        transport_start(job->contact->transport, &method_watch_job, &request, 0, &callbacks);
}

static void keep_log(struct home_job *job, const struct job_event *event)
{
    char path[FILE_PATH_MAX];
    uint64_t at = job->row.log_base + event->log_offset;
    if (event->data.size == 0 || at > HOME_LOG_BYTES_MAX ||
        job_path(job, "log", true, path, NULL) != STATUS_OK)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    ssize_t ignored = pwrite(fd, event->data.data, event->data.size, (off_t)at);
    (void)ignored;
    close(fd);
}

static void take_state(struct home_job *job, const struct job_event *event)
{
    bool final = event->state == JOB_STATE_DONE || event->state == JOB_STATE_FAILED ||
                 event->state == JOB_STATE_QUEUED;
    job->row.exit_code = event->exit_code;
    if (final) {
        size_t length = strnlen(event->text, sizeof job->row.text - 1);
        memset(job->row.text, 0, sizeof job->row.text);
        memcpy(job->row.text, event->text, length);
        job->ended = true;
        job->ended_state = event->state;
    } else if (event->state == JOB_STATE_STOPPING && job->row.state == JOB_STATE_RUNNING) {
        job_move(job, HOME_EVENT_STOPPING, event->text);
    }
}

static void watched(void *context, const void *message)
{
    struct home_job *job = context;
    const struct job_event *event = message;
    job->failures = 0;
    if (event->examples > job->row.examples_done)
        job->row.examples_done = event->examples;
    job->examples_per_second = event->examples_per_second;
    if (event->examples_per_second > 0)
        job->measured_examples_per_second = event->examples_per_second;
    if (event->kind == JOB_EVENT_LOG)
        keep_log(job, event);
    else if (event->kind == JOB_EVENT_STATE)
        take_state(job, event);
}

static void watch_ended(void *context, enum status status, const void *response,
                        const struct fault *fault)
{
    struct home_job *job = context;
    (void)response;
    job->watch_call = NULL;
    if (job->ended)
        return; /* the next tick takes it from here */
    if (status == STATUS_NOT_FOUND) {
        job->lost = true;
        return;
    }
    uint32_t doublings = job->failures < WATCH_DOUBLINGS_MAX ? job->failures : WATCH_DOUBLINGS_MAX;
    job->failures++;
    job->watch_boot_ms =
        clock_boot_ms(job->home->peer->clock) + ((int64_t)WATCH_RETRY_MS << doublings);
    if (status != STATUS_OK)
        log_info(job->home->peer->log, "job %s: watching %s broke: %s", job->row.job.text,
                 job->lease != NULL ? job->lease->host.text : "?", fault->text);
    /* The connection may be of an older certificate, or dead: take a fresh one. */
    if (job->call == NULL && job->stop_call == NULL && !transfer_busy(&job->transfer))
        contacts_give(&job->home->peer->contacts, &job->contact);
}

/* --- the host was revoked */

void home_revoked(struct home *home, const struct name *member)
{
    for (struct home_job *job = home->live; job != NULL; job = job->next_live) {
        if (!underway(job) || job->ended || job->lost || job->lease == NULL ||
            !name_equal(&job->lease->host, member) || job_own_lease(job))
            continue;
        log_warning(home->peer->log, "job %s: its host %s was revoked", job->row.job.text,
                    member->text);
        job->lost = true; /* the next look cancels what is open and gives the job back */
    }
}

/* --- the owner called it off */

static void stop_answered(void *context, enum status status, const void *response,
                          const struct fault *fault)
{
    struct home_job *job = context;
    (void)response;
    (void)fault;
    job->stop_call = NULL;
    if (status == STATUS_OK)
        job->stop_wanted = false;
    else if (status == STATUS_NOT_FOUND)
        job->lost = true;
    else
        job->stop_boot_ms = clock_boot_ms(job->home->peer->clock) + STOP_RETRY_MS;
}

void job_request_stop(struct home_job *job)
{
    struct peer *peer = job->home->peer;
    if (!job->stop_wanted || job->stop_call != NULL || job->lease == NULL ||
        job->row.state != JOB_STATE_STOPPING || job->contact == NULL ||
        clock_boot_ms(peer->clock) < job->stop_boot_ms)
        return;
    struct stop_request request = {
        .lease = job->row.lease,
        .grace_ms = peer->config->stop_grace_ms,
        .reason = "cancelled by its owner",
    };
    struct transport_callbacks callbacks = {.on_done = stop_answered, .context = job};
    job->stop_call =
        transport_start(job->contact->transport, &method_stop, &request, STOP_CALL_MS, &callbacks);
}
