#include "broker/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/money/ledger_heads.h"
#include "broker/money/settlement.h"
#include "broker/store/demands.h"
#include "broker/store/disputes.h"
#include "broker/store/leases.h"
#include "broker/store/members.h"
#include "broker/store/rounds.h"

enum { LEDGER_WARNING_BYTES = 1024 };

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the listing exceeds a message's memory");
}

/* --- jobs */

/* Where a job is or was: planned and void leases tell nothing of it. */
#define LEASE_STATES_USED                                                                          \
    (LEASE_STATES_HOLDING | LEASE_STATE_BIT(LEASE_STATE_RELEASED) |                                \
     LEASE_STATE_BIT(LEASE_STATE_SETTLED))

static enum status fill_job(const struct core *core, const struct store_demand *demand,
                            struct arena *arena, struct job_row *row, struct fault *fault)
{
    *row = (struct job_row){
        .job = demand->demand->job,
        .home = demand->demand->home,
        .state = demand->state == DEMAND_OPEN ? "waiting" : "ended",
        .work_left_examples =
            demand->state == DEMAND_COMPLETED ? 0.0 : demand->demand->work_left_examples,
        .measured_examples_per_second = demand->measured_examples_per_second,
    };
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    enum status status = store_lease_list_job(core->store, &demand->demand->job, LEASE_STATES_USED,
                                              arena, &leases, &count, fault);
    if (status != STATUS_OK || count == 0)
        return status;
    struct store_lease lease = leases[count - 1];
    bool holds = (LEASE_STATE_BIT(lease.state) & LEASE_STATES_HOLDING) != 0;
    if (demand->state == DEMAND_OPEN && holds)
        row->state = "placed";
    if (!holds && demand->state == DEMAND_OPEN)
        return STATUS_OK;
    row->host = lease.lease->host;
    row->gpu = lease.lease->gpu;
    row->gpus = lease.lease->gpu_count;
    row->lease = lease.lease->id;
    row->predicted_examples_per_second = lease.lease->predicted_examples_per_second;
    row->price = lease.lease->price;
    return STATUS_OK;
}

enum status listing_jobs(const struct core *core, const struct name *home,
                         const struct page_request *page, struct arena *arena,
                         struct jobs_response *jobs, struct fault *fault)
{
    struct store_demand *demands = NULL;
    uint32_t count = 0;
    enum status status = store_demand_page(core->store, home, page->after, page->rows, arena,
                                           &demands, &count, &jobs->next_after, fault);
    if (status != STATUS_OK)
        return status;
    jobs->jobs = arena_alloc(arena, count, sizeof *jobs->jobs);
    if (jobs->jobs == NULL)
        return no_memory(fault);
    jobs->job_count = count;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        status = fill_job(core, &demands[i], arena, &jobs->jobs[i], fault);
    return status;
}

/* --- leases */

static struct lease_row lease_row_of(const struct store_lease *lease)
{
    return (struct lease_row){
        .lease = lease->lease->id,
        .state = lease->state,
        .job = lease->lease->job,
        .home = lease->lease->home,
        .pool = {.member = lease->lease->host, .gpu = lease->lease->gpu},
        .gpus = lease->lease->gpu_count,
        .price = lease->lease->price,
        .cap = lease->lease->cap,
        .paid = lease->paid,
        .granted_wall_ms = lease->granted_wall_ms,
        .ends_wall_ms = lease->ends_wall_ms,
    };
}

enum status listing_leases(const struct core *core, const struct page_request *page,
                           struct arena *arena, struct leases_response *leases, struct fault *fault)
{
    static const struct name everybody = {0};
    struct store_lease *records = NULL;
    uint32_t count = 0;
    enum status status =
        store_lease_page(core->store, &everybody, LEASE_STATES_ALL, page->after, page->rows, arena,
                         &records, &count, &leases->next_after, fault);
    if (status != STATUS_OK)
        return status;
    leases->leases = arena_alloc(arena, count, sizeof *leases->leases);
    if (leases->leases == NULL)
        return no_memory(fault);
    leases->lease_count = count;
    for (uint32_t i = 0; i < count; i++)
        leases->leases[i] = lease_row_of(&records[i]);
    return STATUS_OK;
}

/* --- members */

static void count_gpus(const struct offer *offer, uint32_t *offered, uint32_t *unused)
{
    for (uint32_t p = 0; p < offer->pool_count; p++)
        for (uint32_t n = 0; n < offer->pools[p].node_count; n++) {
            const struct offer_node *node = &offer->pools[p].nodes[n];
            *offered += (uint32_t)__builtin_popcountll(node->free_gpus | node->leased_gpus);
            *unused += (uint32_t)__builtin_popcountll(node->free_gpus);
        }
}

static enum status fill_member(const struct core *core, const struct store_member *record,
                               struct member_row *row, struct fault *fault)
{
    const struct registry_entry *entry = registry_find(&core->registry, &record->member);
    *row = (struct member_row){
        .member = record->member,
        .state = record->state,
        .joined_wall_ms = record->joined_wall_ms,
        .last_heartbeat_wall_ms = entry == NULL ? 0 : entry->heard_wall_ms,
        .incarnation = record->incarnation,
        .version = entry == NULL ? "" : entry->version,
        .certificate_serial = record->certificate_serial,
        .certificate_until_wall_ms = record->certificate_until_wall_ms,
        .credit_limit = record->credit_limit,
    };
    if (registry_live(&core->registry, entry))
        count_gpus(entry->offer, &row->gpus_offered, &row->gpus_free);
    struct ledger_position position;
    enum status status =
        store_demand_count_open(core->store, &record->member, &row->jobs_open, fault);
    if (status == STATUS_OK)
        status = ledger_position(core->store, &record->member, &position, fault);
    if (status == STATUS_OK) {
        row->balance = position.balance;
        row->escrow = position.escrow;
        status = settlement_overdue(core->store, &record->member, core_now_ms(core), &row->overdue,
                                    fault);
    }
    return status;
}

enum status listing_members(const struct core *core, struct arena *arena,
                            struct members_response *members, struct fault *fault)
{
    struct store_member *records = NULL;
    enum status status =
        store_member_list(core->store, arena, &records, &members->member_count, fault);
    if (status != STATUS_OK)
        return status;
    members->members = arena_alloc(arena, members->member_count, sizeof *members->members);
    if (members->members == NULL)
        return no_memory(fault);
    for (uint32_t i = 0; status == STATUS_OK && i < members->member_count; i++)
        status = fill_member(core, &records[i], &members->members[i], fault);
    return status;
}

/* --- status */

static int by_chain(const void *a, const void *b)
{
    uint64_t left = ((const struct store_lease *)a)->chain;
    uint64_t right = ((const struct store_lease *)b)->chain;
    return left < right ? -1 : left > right;
}

static enum status count_jobs(const struct core *core, struct arena *arena,
                              struct broker_status_response *response, struct fault *fault)
{
    struct store_demand *demands = NULL;
    struct store_lease *leases = NULL;
    uint32_t open = 0;
    uint32_t holding = 0;
    enum status status = store_demand_list_open(core->store, arena, &demands, &open, fault);
    if (status == STATUS_OK)
        status = store_lease_list_open(core->store, LEASE_STATES_HOLDING, arena, &leases, &holding,
                                       fault);
    if (status == STATUS_OK && holding > 0)
        qsort(leases, holding, sizeof *leases, by_chain);
    for (uint32_t i = 0; status == STATUS_OK && i < holding; i++) {
        if (i > 0 && leases[i].chain == leases[i - 1].chain)
            continue; /* a renewal beside its forerunner: the same GPUs */
        response->gpus_leased += leases[i].lease->gpu_count;
        response->jobs_placed++;
    }
    response->jobs_waiting = open > response->jobs_placed ? open - response->jobs_placed : 0;
    return status;
}

/* What members' heads prove against this ledger. */
static enum status warn_of_ledger(const struct core *core, struct arena *arena,
                                  struct broker_status_response *response, struct fault *fault)
{
    struct ledger_verify_response result = {.verified = true, .problem = ""};
    struct store_head *heads = NULL;
    uint32_t count = 0;
    char text[LEDGER_WARNING_BYTES] = "";
    enum status status = store_head_list(core->store, arena, &heads, &count, fault);
    if (status == STATUS_OK)
        status = ledger_heads_compare(core->store, heads, count, arena, &result, fault);
    if (status != STATUS_OK)
        return status;
    if (!result.verified)
        snprintf(text, sizeof text, "%s", result.problem);
    else if (result.entries_lost > 0)
        snprintf(text, sizeof text,
                 "%" PRIu64 " ledger entries that members saw were lost with a restore; what they "
                 "report is posted anew",
                 result.entries_lost);
    response->ledger_warning = arena_copy_text(arena, text, strlen(text));
    return response->ledger_warning != NULL ? STATUS_OK : no_memory(fault);
}

enum status listing_status(const struct core *core, struct arena *arena,
                           struct broker_status_response *response, struct fault *fault)
{
    struct members_response members = {0};
    *response = (struct broker_status_response){
        .federation = core->config->federation,
        .version = ENTENTE_VERSION,
        .ledger_warning = "",
        .incarnation = core->incarnation,
        .round_ms = core->config->round_ms,
    };
    enum status status = listing_members(core, arena, &members, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < members.member_count; i++) {
        const struct member_row *row = &members.members[i];
        response->members_active += row->state == MEMBER_ACTIVE ? 1 : 0;
        response->members_connected +=
            registry_live(&core->registry, registry_find(&core->registry, &row->member)) ? 1 : 0;
        response->gpus_offered += row->gpus_offered;
    }
    if (status == STATUS_OK)
        status = count_jobs(core, arena, response, fault);
    if (status == STATUS_OK)
        status = store_round_newest(core->store, &response->rounds, fault);
    if (status == STATUS_OK)
        status = store_dispute_count_open(core->store, 0, "", &response->disputes_open, fault);
    if (status == STATUS_OK)
        status =
            recovery_awaited(core, &response->members_awaited, &response->recovery_ms_left, fault);
    return status == STATUS_OK ? warn_of_ledger(core, arena, response, fault) : status;
}
