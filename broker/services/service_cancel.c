/*
 * Cancel: a job leaves the market: done, or called off. A cancelled job's leases are stopped, a
 * planned one of either is void. Repeatable by its request key, and by itself.
 */
#include <string.h>

#include "broker/daemon.h"
#include "broker/request.h"
#include "broker/services/service.h"
#include "broker/store/demands.h"

struct cancelling {
    struct daemon *daemon;
    const struct name *member;
    const struct cancel_request *request;
    struct arena *arena;
    struct store_lease *leases;
    uint32_t lease_count;
    struct fault *fault;
};

static enum status check(struct cancelling *cancelling, bool *repeated);
static enum status end_demand(struct cancelling *cancelling);
static enum status end_leases(struct cancelling *cancelling);

void service_cancel(struct rpc_call *call, const void *request)
{
    struct fault fault = {0};
    struct empty_message response = {0};
    bool repeated = false;
    struct cancelling cancelling = {
        .daemon = daemon_of(call),
        .member = caller_of(call),
        .request = request,
        .arena = call->arena,
        .fault = &fault,
    };
    struct store *store = cancelling.daemon->core.store;
    enum status status = store_begin(store, &fault);
    if (status == STATUS_OK)
        status = check(&cancelling, &repeated);
    if (status == STATUS_OK && !repeated)
        status = end_demand(&cancelling);
    if (status == STATUS_OK && !repeated)
        status = end_leases(&cancelling);
    if (status == STATUS_OK)
        status = store_commit(store, &fault);
    store_rollback(store);
    for (uint32_t i = 0; status == STATUS_OK && i < cancelling.lease_count; i++) {
        dispatch_wake(&cancelling.daemon->dispatch, &cancelling.leases[i].lease->home);
        dispatch_wake(&cancelling.daemon->dispatch, &cancelling.leases[i].lease->host);
    }
    if (status == STATUS_OK)
        rounds_succeeded(&cancelling.daemon->rounds, &cancelling.request->job);
    service_answer(call, status, &response, &fault);
}

static enum status check(struct cancelling *cancelling, bool *repeated)
{
    const struct core *core = &cancelling->daemon->core;
    struct store_demand demand;
    enum status status = store_demand_find(core->store, &cancelling->request->job,
                                           cancelling->arena, &demand, cancelling->fault);
    bool theirs = status == STATUS_OK && !name_equal(&demand.demand->home, cancelling->member);
    if (theirs || status == STATUS_NOT_FOUND) /* one answer: nobody can probe */
        return fault_set(cancelling->fault, STATUS_NOT_FOUND, "there is no job %s of %s",
                         cancelling->request->job.text, cancelling->member->text);
    if (status != STATUS_OK)
        return status;
    struct store_request record = {
        .caller = *cancelling->member,
        .key = cancelling->request->request_key,
        .issued_wall_ms = cancelling->request->issued_wall_ms,
    };
    struct digest_state state;
    uint8_t completed = cancelling->request->completed ? 1 : 0;
    digest_begin(&state);
    digest_add(&state, &completed, 1);
    digest_add(&state, cancelling->request->job.text, strlen(cancelling->request->job.text));
    digest_end(&state, &record.content);
    return request_admit(core->store, &record, clock_wall_ms(core->clock), repeated,
                         cancelling->fault);
}

static enum status end_demand(struct cancelling *cancelling)
{
    const struct core *core = &cancelling->daemon->core;
    enum demand_state state = cancelling->request->completed ? DEMAND_COMPLETED : DEMAND_CANCELLED;
    return store_demand_end(core->store, &cancelling->request->job, state, core_now_ms(core),
                            cancelling->fault);
}

/* A completed job's host releases by itself; a cancelled one's is told to stop. */
static enum status end_leases(struct cancelling *cancelling)
{
    const struct core *core = &cancelling->daemon->core;
    enum status status = store_lease_list_job(
        core->store, &cancelling->request->job,
        LEASE_STATES_HOLDING | LEASE_STATE_BIT(LEASE_STATE_PLANNED), cancelling->arena,
        &cancelling->leases, &cancelling->lease_count, cancelling->fault);
    for (uint32_t i = 0; status == STATUS_OK && i < cancelling->lease_count; i++) {
        const struct store_lease *lease = &cancelling->leases[i];
        if (lease->state == LEASE_STATE_PLANNED)
            status = lease_void(core->store, lease->lease->id, "the job is over", core_now_ms(core),
                                cancelling->fault);
        else if (!cancelling->request->completed)
            status =
                lease_end(core->store, lease->lease->id, LEASE_EVENT_STOP, core->config->grace_ms,
                          "its home called the job off", cancelling->fault);
    }
    return status;
}
