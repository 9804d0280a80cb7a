/*
 * Host, leases: what gives a run its right to be here: the broker's grant, home's visit with the
 * signed lease, renewals, and the words that end it.
 *
 * The broker's GRANT reserves the GPUs; home's Accept makes the run. Either may come first. A lease
 * known here is never honoured again: the spool keeps them all.
 */
#include "peer/executor/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/room.h"
#include "proto/wire/methods.h"

static enum status check_visit(struct host *host, const struct name *caller,
                               const struct accept_request *request, const struct lease *lease,
                               struct fault *fault);
static enum status check_once(struct host *host, const struct name *caller,
                              const struct lease *lease, struct run **run, bool *repeated,
                              struct fault *fault);
static enum status check_policy(const struct peer *peer, const struct lease *lease,
                                const struct job_specification *specification, struct fault *fault);
static enum status take_gpus(struct host *host, struct run *run, struct fault *fault);
static enum status take_in(struct host *host, const struct accept_request *request,
                           const struct lease *lease, struct run **run, struct fault *fault);

enum status host_accept(struct host *host, const struct name *caller,
                        const struct accept_request *request, struct fault *fault)
{
    struct arena arena;
    struct lease *lease = NULL;
    struct run *run = NULL;
    bool own = false, repeated = false;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        lease_check_signature(&host->peer->keys, &request->signed_lease,
                              clock_wall_ms(host->peer->clock), &arena, &lease, &own, fault);
    if (status == STATUS_OK)
        status = check_once(host, caller, lease, &run, &repeated, fault);
    if (status == STATUS_OK && !repeated)
        status = check_visit(host, caller, request, lease, fault);
    if (status == STATUS_OK && !repeated && !lease_id_none(lease->continues))
        host_renew(host, &request->signed_lease, lease);
    else if (status == STATUS_OK && !repeated)
        status = room_check(host->peer, fault);
    if (status == STATUS_OK && !repeated && lease_id_none(lease->continues))
        status = take_in(host, request, lease, &run, fault);
    arena_fini(&arena);
    return status;
}

static enum status check_visit(struct host *host, const struct name *caller,
                               const struct accept_request *request, const struct lease *lease,
                               struct fault *fault)
{
    struct peer *peer = host->peer;
    char key[SPOOL_KEY_MAX];
    snprintf(key, sizeof key, "home-incarnation/%s", caller->text);
    struct digest bundle;
    bundle_digest(&request->specification, &bundle);
    struct lease_visit visit = {
        .caller = caller,
        .host = &peer->config->member,
        .host_incarnation = spool_incarnation(peer->spool),
        .home_incarnation_seen = spool_get_number(peer->spool, key, 0),
        .bundle = &bundle,
        .now_wall_ms = clock_wall_ms(peer->clock),
    };
    enum status status = lease_check_visit(lease, &visit, fault);
    if (status == STATUS_OK)
        status = check_policy(peer, lease, &request->specification, fault);
    if (status == STATUS_OK && lease->home_incarnation > visit.home_incarnation_seen)
        status = spool_put_number(peer->spool, key, lease->home_incarnation, fault);
    return status;
}

/* A lease is honoured once; only the very same visit may be repeated while files are staged. */
static enum status check_once(struct host *host, const struct name *caller,
                              const struct lease *lease, struct run **run, bool *repeated,
                              struct fault *fault)
{
    *run = host_find(host, lease->id);
    bool known = spool_lease_known(host->peer->spool, lease->id, LEASE_AS_HOST);
    if (*run != NULL && (*run)->row.state == RUN_GRANTED)
        return STATUS_OK;
    *repeated = *run != NULL && name_equal(&lease->home, caller) &&
                ((*run)->row.state == RUN_STAGING || !lease_id_none(lease->continues));
    if (*repeated || (*run == NULL && !known))
        return STATUS_OK;
    char id[LEASE_ID_TEXT_MAX];
    bool started = *run != NULL && name_equal(&lease->home, caller) &&
                   (*run)->row.outcome != LEASE_OUTCOME_UNUSED;
    if (started)
        return fault_set(fault, STATUS_EXISTS, "lease %s has been honoured: its job was started",
                         lease_id_format(lease->id, id));
    return fault_set(fault, STATUS_PRECONDITION,
                     "lease %s was honoured already; a lease is good "
                     "for one start",
                     lease_id_format(lease->id, id));
}

static enum status check_policy(const struct peer *peer, const struct lease *lease,
                                const struct job_specification *specification, struct fault *fault)
{
    struct gpu_set set = {&lease->gpu, lease->nodes, lease->node_count};
    enum status status = inventory_check(&peer->inventory, &set, fault);
    if (status != STATUS_OK)
        return status;
    if (!name_equal(&specification->job, &lease->job) ||
        !name_equal(&specification->home, &lease->home))
        return fault_set(fault, STATUS_DENIED,
                         "the specification is of job %s of %s, the lease of "
                         "job %s of %s",
                         specification->job.text, specification->home.text, lease->job.text,
                         lease->home.text);
    const struct config_pool *pool = config_pool_find(peer->config, &lease->gpu);
    bool foreign = !name_equal(&lease->home, &lease->host);
    if (foreign && !peer->inventory.enforces_limits && !pool->accept_unenforced)
        return fault_set(fault, STATUS_DENIED,
                         "pool %s can't enforce limits and takes no foreign jobs: its operator may "
                         "set accept_unenforced",
                         lease->gpu.text);
    struct file_set files = {specification->files, specification->file_count};
    status = file_set_check(&files, fault);
    return status == STATUS_OK ? host_check_staging(peer, &lease->home, &files, fault) : status;
}

void run_lease_clear(struct run_lease *lease)
{
    arena_fini(&lease->arena);
    *lease = (struct run_lease){0};
}

/* Keeps the lease in the run's memory; the spool has it already or gets it with the run. */
enum status run_keep_lease(struct run *run, const struct signed_bytes *signed_lease,
                           struct run_lease *into, struct fault *fault)
{
    void *decoded = NULL;

    run_lease_clear(into);
    arena_init(&into->arena, ARENA_MESSAGE_BYTES);
    enum status status =
        wire_decode(&message_lease, signed_lease->body, &into->arena, &decoded, fault);
    if (status != STATUS_OK)
        return status;
    into->lease = decoded;
    into->accepted_boot_ms = clock_boot_ms(run->peer->clock);
    return STATUS_OK;
}

static enum status spool_lease(const struct peer *peer, struct lease_id run,
                               const struct lease *lease, const struct signed_bytes *signed_lease,
                               struct fault *fault)
{
    struct spool_lease kept = {
        .id = lease->id,
        .side = LEASE_AS_HOST,
        .job = lease->job,
        .run = run,
        .signed_lease = *signed_lease,
        .taken_boot_ms = clock_boot_ms(peer->clock),
    };
    return spool_lease_put(peer->spool, &kept, fault);
}

/* GPUs held by a run that is about to end will be free before this one can start. */
static bool only_ending_runs_hold(const struct host *host, const struct gpu_set *set)
{
    for (const struct run *other = host->runs; other != NULL; other = other->next) {
        if (!other->gpus_taken || !name_equal(&other->current.lease->gpu, set->gpu))
            continue;
        bool overlaps = false;
        for (uint32_t a = 0; a < set->node_count; a++)
            for (uint32_t b = 0; b < other->current.lease->node_count; b++)
                overlaps |= set->nodes[a].node == other->current.lease->nodes[b].node &&
                            (set->nodes[a].gpus & other->current.lease->nodes[b].gpus) != 0;
        if (overlaps && !other->row.ends && other->row.state != RUN_STOPPING)
            return false;
    }
    return true;
}

static enum status take_gpus(struct host *host, struct run *run, struct fault *fault)
{
    if (run->gpus_taken)
        return STATUS_OK;
    struct gpu_set set = run_gpus(run);
    enum status status = inventory_take(&host->peer->inventory, &set, run_use(run), fault);
    run->gpus_taken = status == STATUS_OK;
    if (status == STATUS_PRECONDITION && only_ending_runs_hold(host, &set))
        return STATUS_OK;
    return status;
}

static struct spool_run new_row(const struct peer *peer, const struct lease *lease)
{
    return (struct spool_run){
        .run = lease->id,
        .lease = lease->id,
        .state = RUN_GRANTED,
        .job = lease->job,
        .home = lease->home,
        .own = lease->id.incarnation == LEASE_OWN_INCARNATION,
        .changed_wall_ms = clock_wall_ms(peer->clock),
    };
}

/* A granted run that is not in the spool yet leaves no trace where this fails. */
static enum status make_granted(struct host *host, const struct signed_bytes *signed_lease,
                                const struct lease *lease, struct run **run, struct fault *fault)
{
    struct spool_run row = new_row(host->peer, lease);
    enum status status = run_make(host, &row, run, fault);
    if (status != STATUS_OK)
        return status;
    status = run_keep_lease(*run, signed_lease, &(*run)->current, fault);
    if (status == STATUS_OK)
        status = take_gpus(host, *run, fault);
    if (status == STATUS_OK)
        status = spool_begin(host->peer->spool, fault);
    if (status == STATUS_OK) {
        status = spool_lease(host->peer, row.run, lease, signed_lease, fault);
        if (status == STATUS_OK)
            status = spool_run_put(host->peer->spool, &(*run)->row, fault);
        if (status == STATUS_OK)
            status = spool_commit(host->peer->spool, fault);
        else
            spool_rollback(host->peer->spool);
    }
    if (status == STATUS_OK)
        return STATUS_OK;
    run_give_gpus(*run);
    run_unlink(host, &host->runs); /* it was just put first */
    run_free(*run);
    *run = NULL;
    return status;
}

static enum status keep_specification(struct run *run,
                                      const struct job_specification *specification,
                                      struct fault *fault)
{
    struct bytes body;
    void *decoded = NULL;
    enum status status =
        wire_encode(&message_job_specification, specification, &run->arena, &body, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_job_specification, body, &run->arena, &decoded, fault);
    if (status != STATUS_OK)
        return status;
    char id[LEASE_ID_TEXT_MAX];
    run->specification = decoded;
    return spool_body_put(run->peer->spool, lease_id_format(run->row.run, id),
                          SPOOL_RUN_SPECIFICATION, body, fault);
}

static enum status take_in(struct host *host, const struct accept_request *request,
                           const struct lease *lease, struct run **run, struct fault *fault)
{
    struct executor *executor = host->peer->executor;
    enum status status = STATUS_OK;
    if (*run == NULL)
        status = make_granted(host, &request->signed_lease, lease, run, fault);
    if (status != STATUS_OK)
        return status;
    status = keep_specification(*run, &request->specification, fault);
    if (status == STATUS_OK)
        status = executor->operations->prepare(executor, (*run)->directory, fault);
    if (status != STATUS_OK)
        return status;
    (*run)->bundle_ready = request->specification.file_count == 0;
    (*run)->current.accepted_boot_ms = clock_boot_ms(host->peer->clock);
    (*run)->stage_since_boot_ms = (*run)->current.accepted_boot_ms;
    run_move(*run, RUN_EVENT_ACCEPTED, NULL);
    return STATUS_OK;
}

/* --- the broker's words */

/* For good: a home that comes with it later, when the GPUs are free, would run under a lease that
 * the broker has voided. */
static void refuse_lease(struct host *host, const struct signed_bytes *signed_lease,
                         const struct lease *lease, const char *why)
{
    char id[LEASE_ID_TEXT_MAX];
    struct fault fault;
    struct spool *spool = host->peer->spool;
    struct lease_report report = {.lease = lease->id, .kind = LEASE_REPORT_REFUSED, .text = why};
    log_warning(host->peer->log, "lease %s refused: %s", lease_id_format(lease->id, id), why);
    enum status status = spool_begin(spool, &fault);
    if (status == STATUS_OK)
        status = spool_lease(host->peer, lease->id, lease, signed_lease, &fault);
    if (status == STATUS_OK)
        status = spool_report_put(spool, &report, &fault);
    if (status == STATUS_OK)
        status = spool_commit(spool, &fault);
    if (status == STATUS_OK)
        return;
    spool_rollback(spool);
    peer_fail(host->peer, "refusing a lease", &fault);
}

/* The same job goes on, on the same GPUs: nothing is touched but the papers. */
void host_renew(struct host *host, const struct signed_bytes *signed_lease,
                const struct lease *lease)
{
    if (host_find(host, lease->id) != NULL)
        return; /* told twice */
    struct fault fault;
    struct run *run = host_find_job(host, lease->continues);
    if (run == NULL || run->row.state > RUN_RUNNING) {
        refuse_lease(host, signed_lease, lease, "the job has left these GPUs");
        return;
    }
    enum status status = run_keep_lease(run, signed_lease, &run->next_lease, &fault);
    if (status == STATUS_OK)
        status = spool_lease(run->peer, run->row.run, lease, signed_lease, &fault);
    if (status != STATUS_OK) {
        run_lease_clear(&run->next_lease); /* what is not kept is not begun */
        peer_fail(host->peer, "keeping a renewal", &fault);
        return;
    }
    run->row.next = lease->id;
    run_note_renewal(run);
    run->row.ends = false;
    run_save(run);
}

static void granted(struct host *host, const struct lease_event *event)
{
    struct arena arena;
    struct lease *lease = NULL;
    struct run *run = NULL;
    struct fault fault;
    bool own = false;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    const struct name *self = &host->peer->config->member;
    enum status status =
        lease_check_signature(&host->peer->keys, &event->signed_lease,
                              clock_wall_ms(host->peer->clock), &arena, &lease, &own, &fault);
    if (status != STATUS_OK)
        peer_trouble(host->peer, "a granted lease", &fault);
    bool ours = status == STATUS_OK && name_equal(&lease->host, self);
    if (ours && !lease_id_none(lease->continues)) {
        host_renew(host, &event->signed_lease, lease);
    } else if (ours && !spool_lease_known(host->peer->spool, lease->id, LEASE_AS_HOST)) {
        struct gpu_set set = {&lease->gpu, lease->nodes, lease->node_count};
        status = inventory_check(&host->peer->inventory, &set, &fault);
        if (status == STATUS_OK)
            status = make_granted(host, &event->signed_lease, lease, &run, &fault);
        if (status == STATUS_IO) /* it comes again */
            peer_fail(host->peer, "keeping a granted lease", &fault);
        else if (status != STATUS_OK)
            refuse_lease(host, &event->signed_lease, lease, fault.text);
    }
    arena_fini(&arena);
}

void run_refuse(struct run *run, const char *why)
{
    run_give_gpus(run);
    if (run->row.state == RUN_STAGING)
        run->peer->executor->operations->release(run->peer->executor, run->directory);
    run->row.outcome = LEASE_OUTCOME_UNUSED;
    run_move_told(run, RUN_EVENT_REFUSED, LEASE_REPORT_REFUSED, why);
}

static bool not_started(const struct run *run)
{
    return run->row.state == RUN_GRANTED || run->row.state == RUN_STAGING;
}

/* A renewal that is called off: the present lease ends after all. */
static void drop_renewal(struct run *run)
{
    run->row.next = (struct lease_id){0};

    run_lease_clear(&run->next_lease);
    run->row.ends = true;
    run_save(run);
}

static void ended(struct run *run, const struct lease_event *event)
{
    bool of_renewal = lease_id_equal(run->row.next, event->lease);
    if (event->kind == LEASE_EVENT_VOID && of_renewal) {
        drop_renewal(run);
    } else if (event->kind == LEASE_EVENT_VOID && not_started(run)) {
        run_refuse(run, event->reason);
    } else if (event->kind == LEASE_EVENT_STOP && not_started(run)) {
        run_refuse(run, event->reason);
    } else if (event->kind == LEASE_EVENT_STOP || event->kind == LEASE_EVENT_VOID) {
        run_stop(run, event->grace_ms, event->reason); /* void: it isn't paid for */
    } else if (event->kind == LEASE_EVENT_END && run->row.state < RUN_STOPPING) {
        run->row.ends = lease_id_none(run->row.next) || of_renewal;
        run->row.stop_grace_ms = event->grace_ms;
        run_save(run);
    }
}

void host_lease_event(struct host *host, const struct lease_event *event)
{
    if (event->kind == LEASE_EVENT_GRANT) {
        granted(host, event);
        return;
    }
    struct run *run = host_find(host, event->lease);
    if (run != NULL && run->row.state != RUN_OVER)
        ended(run, event);
}

static void turn_out(struct run *run, const char *why)
{
    if (run->row.state == RUN_OVER)
        return;
    if (not_started(run))
        run_refuse(run, why);
    else
        run_stop(run, run->peer->config->stop_grace_ms, why);
}

void host_revoked(struct host *host, const struct name *member)
{
    for (struct run *run = host->runs; run != NULL; run = run->next)
        if (name_equal(&run->row.home, member))
            turn_out(run, "its home was revoked");
}

void host_shut_out(struct host *host)
{
    for (struct run *run = host->runs; run != NULL; run = run->next)
        if (!name_equal(&run->row.home, &run->peer->config->member))
            turn_out(run, "this member was shut out of the federation");
}
