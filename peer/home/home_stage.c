/*
 * Home, staging: brings a placed job to its host, step by step; each step may be repeated, and a
 * try that failed for want of the network begins again at the front, sending only what lacks. Once
 * Start was sent home goes on so until the lease is over, as if the job ran: its host alone knows.
 */
#include "peer/home/home_job.h"

#include <string.h>

#include "proto/wire/methods.h"

enum { STAGE_CALL_MS = 30 * 1000, RETRY_MS = 500, RETRY_DOUBLINGS_MAX = 5, STAGE_STOP_MS = 1000 };

static void accept_lease(struct home_job *job);
static void send_files(struct home_job *job, enum files_purpose purpose);
static void start(struct home_job *job);
static void give_up(struct home_job *job, const struct fault *fault);
static void called(void *context, enum status status, const void *response,
                   const struct fault *fault);
static void files_sent(void *context, enum status status, const struct fault *fault);

void job_advance(struct home_job *job)
{
    if (job->row.state != JOB_STATE_STAGING || job->call != NULL || transfer_busy(&job->transfer))
        return;
    struct fault fault;
    if (job->lost || job->row.cancelled) {
        (void)fault_set(&fault, STATUS_CANCELLED, "the lease was called off");
        give_up(job, &fault);
        return;
    }
    if (clock_boot_ms(job->home->peer->clock) < job->retry_boot_ms)
        return;
    if (job_contact(job, &fault) != STATUS_OK) {
        job_retry(job, &fault);
        return;
    }
    switch (job->step) {
    case STEP_ACCEPT: accept_lease(job); break;
    case STEP_BUNDLE: send_files(job, FILES_BUNDLE); break;
    case STEP_CHECKPOINT: send_files(job, FILES_CHECKPOINT); break;
    case STEP_START: start(job); break;
    case STEP_WATCH: break;
    }
}

static void call(struct home_job *job, const struct wire_method *method, const void *request)
{
    struct transport_callbacks callbacks = {.on_done = called, .context = job};
    job->call =
        transport_start(job->contact->transport, method, request, STAGE_CALL_MS, &callbacks);
    struct fault fault;
    if (job->call == NULL) {
        (void)fault_set(&fault, STATUS_NO_MEMORY, "no memory for a call");
        job_retry(job, &fault);
    }
}

static void accept_lease(struct home_job *job)
{
    struct accept_request request = {
        .signed_lease = job->signed_lease,
        .specification = job->submission->specification,
    };
    call(job, &method_accept, &request);
}

static void send_files(struct home_job *job, enum files_purpose purpose)
{
    const struct job_specification *specification = &job->submission->specification;
    job->transfer.transport = job->contact->transport;
    job->transfer.lease = job->row.lease;
    job->transfer.purpose = purpose;
    job->transfer.done = files_sent;
    job->transfer.context = job;
    job->transfer.examples = job->row.checkpoint_examples;
    if (purpose == FILES_BUNDLE) {
        job->transfer.chunks = job->home->chunks;
        job->transfer.set = (struct file_set){specification->files, specification->file_count};
    } else {
        job->transfer.chunks = job->chunks;
        job->transfer.set = job->checkpoint;
    }
    transfer_start(&job->transfer);
}

static void note_start(struct home_job *job)
{
    struct arena arena;
    struct spool_lease known;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = spool_lease_get(job->home->peer->spool, job->row.lease, LEASE_AS_HOME,
                                         &arena, &known, &fault);
    if (status == STATUS_OK && known.started_boot_ms == 0) {
        known.started_boot_ms = clock_boot_ms(job->home->peer->clock);
        status = spool_lease_put(job->home->peer->spool, &known, &fault);
    }
    if (status != STATUS_OK)
        peer_trouble(job->home->peer, "keeping a lease", &fault);
    arena_fini(&arena);
}

/* Metering can't begin before this moment: home remembers it, to judge receipts. */
static void start(struct home_job *job)
{
    struct lease_request request = {.lease = job->row.lease};
    note_start(job);
    job->start_sent = true;
    call(job, &method_start, &request);
}

static bool worth_trying_again(enum status status)
{
    return status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE || status == STATUS_IO ||
           status == STATUS_NO_MEMORY || status == STATUS_EXHAUSTED || status == STATUS_CANCELLED ||
           status == STATUS_INTERNAL;
}

void job_retry(struct home_job *job, const struct fault *fault)
{
    struct peer *peer = job->home->peer;
    uint32_t doublings = job->failures < RETRY_DOUBLINGS_MAX ? job->failures : RETRY_DOUBLINGS_MAX;
    int64_t pause = (int64_t)RETRY_MS << doublings;
    bool late = job->step == STEP_ACCEPT && !job->start_sent &&
                clock_wall_ms(peer->clock) + pause > job->lease->accept_until_wall_ms;
    if (late || clock_boot_ms(peer->clock) > job->expires_boot_ms) {
        give_up(job, fault);
        return;
    }
    job->failures++;
    job->step = STEP_ACCEPT;
    job->retry_boot_ms = clock_boot_ms(peer->clock) + pause;
    log_info(peer->log, "job %s: again in %lld ms: %s", job->row.job.text, (long long)pause,
             fault->text);
}

static void stopped(void *context, enum status status, const void *response,
                    const struct fault *fault)
{
    (void)context;
    (void)status;
    (void)response;
    (void)fault;
}

/* Not where the spool was restored from before the job ended and its files were swept. */
static bool bundle_is_here(const struct home_job *job)
{
    const struct job_specification *specification = &job->submission->specification;
    struct file_set set = {specification->files, specification->file_count};
    return job_has_chunks(job->home->chunks, &set);
}

/* The host may hold GPUs for it: tell it and the broker; but where Start was sent and not refused
 * the job may run unheard, so home can't say that the lease is unused: its host does, or time. A
 * start that the host refuses counts as a failure of the job, so that it isn't placed for ever
 * where it can't start. */
static void give_up(struct home_job *job, const struct fault *fault)
{
    bool start_refused = job->step == STEP_START && !worth_trying_again(fault->status);
    bool files_lost = job->step == STEP_BUNDLE && !bundle_is_here(job);
    char text[FAULT_TEXT_MAX];
    memcpy(text, fault->text, sizeof text);
    if (job->contact != NULL && !job->home->peer->closing) {
        struct stop_request request = {.lease = job->row.lease, .reason = text};
        struct transport_callbacks callbacks = {.on_done = stopped};
        struct transport_call *ignored = transport_start(job->contact->transport, &method_stop,
                                                         &request, STAGE_STOP_MS, &callbacks);
        (void)ignored;
    }
    if (!job_own_lease(job) && (start_refused || !job->start_sent))
        home_decline(job->home, job->row.lease, text);
    job_left(job, start_refused || files_lost ? JOB_STATE_FAILED : JOB_STATE_QUEUED, text);
}

static void started(struct home_job *job)
{
    job->step = STEP_WATCH;
    job->failures = 0;
    job->row.starts++;
    job_move(job, HOME_EVENT_STARTED, "");
}

static void failed(struct home_job *job, enum status status, const struct fault *fault)
{
    if (status == STATUS_EXISTS && job->step == STEP_ACCEPT)
        started(job); /* before home was restarted */
    else if (worth_trying_again(status))
        job_retry(job, fault);
    else
        give_up(job, fault);
}

/* Sets without files need not be sent. */
static enum home_step next_step(const struct home_job *job, enum home_step done)
{
    if (done == STEP_ACCEPT && job->submission->specification.file_count > 0)
        return STEP_BUNDLE;
    if (done <= STEP_BUNDLE && job->checkpoint.count > 0)
        return STEP_CHECKPOINT;
    return STEP_START;
}

static void called(void *context, enum status status, const void *response,
                   const struct fault *fault)
{
    struct home_job *job = context;
    (void)response;
    job->call = NULL;
    if (job->row.state == JOB_STATE_STOPPING)
        return; /* cancelled meanwhile: the stop is on its way */
    if (status != STATUS_OK)
        failed(job, status, fault);
    else if (job->step == STEP_START)
        started(job);
    else
        job->step = next_step(job, STEP_ACCEPT);
}

static void files_sent(void *context, enum status status, const struct fault *fault)
{
    struct home_job *job = context;
    if (job->row.state == JOB_STATE_STOPPING)
        return;
    if (status != STATUS_OK)
        failed(job, status, fault);
    else
        job->step = next_step(job, job->step);
}
