/*
 * Submit: a demand joins the market, or replaces the job's former one (work left, price, position).
 *
 * Repeatable by its request key. Pokes a round only where the demand is new to the market and the
 * job is not under a lease.
 */
#include <string.h>

#include "broker/daemon.h"
#include "broker/request.h"
#include "broker/services/service.h"
#include "broker/store/demands.h"
#include "proto/wire/methods.h"

struct submission {
    struct daemon *daemon;
    const struct name *member;
    const struct submit_request *request;
    struct arena *arena;
    struct bytes encoded; /* the demand as it is stored */
    bool changes;         /* something a round should see */
    bool learned;         /* it brought measurements */
    struct fault *fault;
};

static enum status check(struct submission *submission);
static enum status look_at_former(struct submission *submission);
static enum status reopen(const struct submission *submission, const struct store_demand *former);
static enum status admit_and_put(struct submission *submission);

void service_submit(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct submit_response response = {0};
    struct submission submission = {
        .daemon = daemon_of(call),
        .member = caller_of(call),
        .request = request,
        .arena = call->arena,
        .fault = &fault,
    };
    struct store *store = submission.daemon->core.store;
    enum status status = check(&submission);
    if (status == STATUS_OK)
        status = store_begin(store, &fault);
    if (status == STATUS_OK)
        status = look_at_former(&submission);
    if (status == STATUS_OK)
        status = admit_and_put(&submission);
    if (status == STATUS_OK)
        status =
            learning_take_profile(&submission.daemon->core, request, &submission.learned, &fault);
    if (status == STATUS_OK)
        status = store_commit(store, &fault);
    store_rollback(store);
    /* One that still says that it runs was sent before its home saw the end. */
    if (status == STATUS_OK && !submission.request->demand.position.running)
        rounds_wanted(&submission.daemon->rounds, &submission.request->demand.job);
    if (status == STATUS_OK && submission.changes)
        rounds_poke(&submission.daemon->rounds);
    if (status == STATUS_OK && submission.learned)
        learning_poke(&submission.daemon->learning);
    response.profile_wanted =
        submission.request->profile_count == 0 &&
        !learning_knows(&submission.daemon->core, &submission.request->demand);
    service_answer(call, status, &response, &fault);
}

static enum status check(struct submission *submission)
{
    const struct demand *demand = &submission->request->demand;
    if (!name_equal(&demand->home, submission->member))
        return fault_set(submission->fault, STATUS_DENIED, "demand.home: %s submits for %s",
                         submission->member->text, demand->home.text);
    return wire_encode(&message_demand, demand, submission->arena, &submission->encoded,
                       submission->fault);
}

/* A home that ran a job itself called its demand off, and now offers the job again. A submission
 * from before that, late on its way, must not do so: it was issued before, whatever the clocks
 * differ. */
static enum status reopen(const struct submission *submission, const struct store_demand *former)
{
    const struct core *core = &submission->daemon->core;
    int64_t after_ms = former->changed_wall_ms + core->config->skew_ms_max;
    if (former->state != DEMAND_CANCELLED || submission->request->issued_wall_ms <= after_ms ||
        !name_equal(&former->demand->home, submission->member))
        return STATUS_OK;
    return store_demand_reopen(core->store, &submission->request->demand.job, core_now_ms(core),
                               submission->fault);
}

/* Is it new, or other than before? And is there room for one more? */
static enum status look_at_former(struct submission *submission)
{
    const struct core *core = &submission->daemon->core;
    const struct name *job = &submission->request->demand.job;
    struct store_demand former;
    struct bytes encoded;
    uint32_t open = 0;
    enum status status =
        store_demand_find(core->store, job, submission->arena, &former, submission->fault);
    submission->changes = true;
    if (status == STATUS_OK) {
        status = wire_encode(&message_demand, former.demand, submission->arena, &encoded,
                             submission->fault);
        submission->changes =
            status == STATUS_OK &&
            (former.state != DEMAND_OPEN || encoded.size != submission->encoded.size ||
             memcmp(encoded.data, submission->encoded.data, encoded.size) != 0);
        return status == STATUS_OK ? reopen(submission, &former) : status;
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    status = store_demand_count_open(core->store, submission->member, &open, submission->fault);
    if (status == STATUS_OK && open >= core->config->jobs_per_member_max)
        return fault_set(submission->fault, STATUS_EXHAUSTED,
                         "member %s has %u open jobs, as many as the federation allows; wait for "
                         "one to end or cancel one",
                         submission->member->text, open);
    return status;
}

static enum status admit_and_put(struct submission *submission)
{
    const struct core *core = &submission->daemon->core;
    struct store_request record = {
        .caller = *submission->member,
        .key = submission->request->request_key,
        .issued_wall_ms = submission->request->issued_wall_ms,
    };
    struct store_lease *leases = NULL;
    uint32_t lease_count = 0;
    bool repeated = false;
    digest_bytes(submission->encoded.data, submission->encoded.size, &record.content);
    enum status status = request_admit(core->store, &record, clock_wall_ms(core->clock), &repeated,
                                       submission->fault);
    if (status == STATUS_OK && !repeated)
        status = store_demand_put(core->store, &submission->request->demand, core_now_ms(core),
                                  submission->fault);
    if (status == STATUS_OK)
        status = store_lease_list_job(core->store, &submission->request->demand.job,
                                      LEASE_STATES_HOLDING | LEASE_STATE_BIT(LEASE_STATE_PLANNED),
                                      submission->arena, &leases, &lease_count, submission->fault);
    submission->changes = submission->changes && !repeated && lease_count == 0;
    return status;
}
