/* See book.h. Steps: read the tables, see who is here, then class every lease and every demand. */
#include "broker/round/book.h"

#include <stdlib.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/money/settlement.h"

struct gathering {
    const struct core *core;
    struct arena *arena;
    struct book *book;
    struct fault *fault;
};

static enum status gather_members(struct gathering *gathering);
static enum status gather_leases(struct gathering *gathering);
static enum status gather_demands(struct gathering *gathering);
static enum status mark_newest(struct gathering *gathering);
static void link_demands(struct book *book);
static void class_leases(struct book *book);
static void choose_demands(struct book *book);

enum status book_gather(const struct core *core, int64_t ends_ms, struct arena *arena,
                        struct book *book, struct fault *fault)
{
    *book = (struct book){
        .now_ms = core_now_ms(core),
        .wall_ms = clock_wall_ms(core->clock),
        .round_ms = core->config->round_ms,
        .ends_ms = ends_ms,
        .incarnation = core->incarnation,
    };
    struct gathering gathering = {core, arena, book, fault};
    enum status status = gather_members(&gathering);
    if (status == STATUS_OK)
        status = gather_leases(&gathering);
    if (status == STATUS_OK)
        status = gather_demands(&gathering);
    if (status == STATUS_OK)
        status = mark_newest(&gathering);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "round");
    link_demands(book);
    class_leases(book);
    choose_demands(book);
    return STATUS_OK;
}

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
}

/* One member: its record, whether it is here, its offer and funds. */
static enum status read_member(struct gathering *gathering, const struct store_member *record,
                               struct book_member *member)
{
    const struct core *core = gathering->core;
    const struct registry_entry *entry = registry_find(&core->registry, &record->member);
    *member = (struct book_member){
        .record = *record,
        .active = record->state == MEMBER_ACTIVE,
        .gone = !registry_heard_within(&core->registry, entry, core->config->round_ms),
    };
    member->here = member->active && registry_live(&core->registry, entry);
    if (entry != NULL && entry->offer != NULL) {
        member->offer = offer_copy(gathering->arena, entry->offer);
        if (member->offer == NULL)
            return no_memory(gathering->fault);
    }
    struct ledger_position position;
    enum status status = ledger_position(core->store, &record->member, &position, gathering->fault);
    struct credits overdue = {0};
    if (status == STATUS_OK)
        status = settlement_overdue(core->store, &record->member, gathering->book->now_ms, &overdue,
                                    gathering->fault);
    if (status == STATUS_OK && overdue.micros == 0)
        member->funds = position.funds; /* who is overdue gets no new lease as home */
    return status;
}

static enum status gather_members(struct gathering *gathering)
{
    struct book *book = gathering->book;
    struct store_member *records = NULL;
    enum status status = store_member_list(gathering->core->store, gathering->arena, &records,
                                           &book->member_count, gathering->fault);
    if (status != STATUS_OK)
        return status;
    book->members = arena_alloc(gathering->arena, book->member_count, sizeof *book->members);
    if (book->members == NULL)
        return no_memory(gathering->fault);
    for (uint32_t i = 0; i < book->member_count && status == STATUS_OK; i++)
        status = read_member(gathering, &records[i], &book->members[i]);
    return status;
}

static enum status gather_leases(struct gathering *gathering)
{
    struct book *book = gathering->book;
    struct store_lease *records = NULL;
    enum status status = store_lease_list_open(
        gathering->core->store, LEASE_STATES_HOLDING | LEASE_STATE_BIT(LEASE_STATE_PLANNED),
        gathering->arena, &records, &book->lease_count, gathering->fault);
    if (status != STATUS_OK)
        return status;
    book->leases = arena_alloc(gathering->arena, book->lease_count, sizeof *book->leases);
    if (book->leases == NULL)
        return no_memory(gathering->fault);
    for (uint32_t i = 0; i < book->lease_count; i++)
        book->leases[i] = (struct book_lease){.record = records[i], .reason = ""};
    return STATUS_OK;
}

static enum status gather_demands(struct gathering *gathering)
{
    struct book *book = gathering->book;
    struct store_demand *records = NULL;
    enum status status = store_demand_list_open(gathering->core->store, gathering->arena, &records,
                                                &book->demand_count, gathering->fault);
    if (status != STATUS_OK)
        return status;
    book->demands = arena_alloc(gathering->arena, book->demand_count, sizeof *book->demands);
    if (book->demands == NULL)
        return no_memory(gathering->fault);
    for (uint32_t i = 0; i < book->demand_count; i++)
        book->demands[i] = (struct book_demand){.record = records[i]};
    return STATUS_OK;
}

static int compare_member(const void *key, const void *element)
{
    return name_compare(key, &((const struct book_member *)element)->record.member);
}

const struct book_member *book_member(const struct book *book, const struct name *name)
{
    if (book->member_count == 0)
        return NULL;
    return bsearch(name, book->members, book->member_count, sizeof *book->members, compare_member);
}

struct demand_key {
    const struct name *home;
    const struct name *job;
};

static int compare_demand(const void *key, const void *element)
{
    const struct demand_key *wanted = key;
    const struct demand *demand = ((const struct book_demand *)element)->record.demand;
    int by_home = name_compare(wanted->home, &demand->home);
    return by_home != 0 ? by_home : name_compare(wanted->job, &demand->job);
}

const struct book_demand *book_demand(const struct book *book, const struct name *home,
                                      const struct name *job)
{
    struct demand_key key = {home, job};
    if (book->demand_count == 0)
        return NULL;
    return bsearch(&key, book->demands, book->demand_count, sizeof *book->demands, compare_demand);
}

struct chain_place {
    uint64_t chain;
    uint64_t row;
    uint32_t at;
};

static int compare_chain(const void *a, const void *b)
{
    const struct chain_place *left = a;
    const struct chain_place *right = b;
    if (left->chain != right->chain)
        return left->chain < right->chain ? -1 : 1;
    return left->row < right->row ? -1 : left->row > right->row;
}

/* Rows grow, so within a chain the highest row is the newest. */
static enum status mark_newest(struct gathering *gathering)
{
    struct book *book = gathering->book;
    uint32_t count = book->lease_count;
    struct chain_place *places = arena_alloc(gathering->arena, count, sizeof *places);
    if (places == NULL)
        return no_memory(gathering->fault);
    for (uint32_t i = 0; i < count; i++)
        places[i] =
            (struct chain_place){book->leases[i].record.chain, book->leases[i].record.row, i};
    if (count > 0)
        qsort(places, count, sizeof *places, compare_chain);
    for (uint32_t i = 0; i < count; i++)
        book->leases[places[i].at].newest =
            i + 1 == count || places[i + 1].chain != places[i].chain;
    return STATUS_OK;
}

/* A job's newest open lease; of several, a planned one counts least. */
static void link_demands(struct book *book)
{
    for (uint32_t i = 0; i < book->lease_count; i++) {
        struct book_lease *lease = &book->leases[i];
        const struct lease *terms = lease->record.lease;
        struct demand_key key = {&terms->home, &terms->job};
        struct book_demand *demand = book->demand_count == 0
                                         ? NULL
                                         : bsearch(&key, book->demands, book->demand_count,
                                                   sizeof *book->demands, compare_demand);
        if (demand == NULL || !lease->newest)
            continue;
        bool planned = lease->record.state == LEASE_STATE_PLANNED;
        if (demand->lease == NULL || !planned)
            demand->lease = lease;
    }
}

static enum book_lease_class leaving(struct book_lease *lease, const char *reason)
{
    lease->reason = reason;
    return BOOK_LEAVING;
}

/* A host that is revoked can't report any more. One that is silent may yet come back; when the
 * home, which can reach it directly, says since then that the job does not run, that is believed.
 */
static bool is_lost(const struct book *book, const struct book_lease *lease)
{
    const struct lease *terms = lease->record.lease;
    const struct book_member *host = book_member(book, &terms->host);
    const struct book_demand *demand = book_demand(book, &terms->home, &terms->job);
    if (host == NULL || host->here || demand == NULL)
        return false;
    return host->record.state == MEMBER_REVOKED ||
           (!demand->record.demand->position.running && lease->record.running_wall_ms > 0 &&
            demand->record.changed_wall_ms > lease->record.running_wall_ms);
}

static enum book_lease_class class_of(const struct book *book, struct book_lease *lease)
{
    const struct lease *terms = lease->record.lease;
    bool ends_now = lease->record.ends_wall_ms <= book->ends_ms - book->round_ms;
    if (lease->record.state == LEASE_STATE_PLANNED)
        return ends_now ? BOOK_OVERTAKEN : BOOK_PLANNED;
    if (lease->newest && is_lost(book, lease)) {
        lease->reason = "its host is gone and its home has given it up";
        return BOOK_LOST;
    }
    if (!ends_now || !lease->newest)
        return BOOK_LATER;
    const struct book_member *home = book_member(book, &terms->home);
    const struct book_member *host = book_member(book, &terms->host);
    if (home == NULL || !home->active)
        return leaving(lease, "home may not get leases");
    if (host == NULL || !host->active)
        return leaving(lease, "host may not get leases");
    if (lease->record.ending)
        return leaving(lease, "was told to end");
    if (book_demand(book, &terms->home, &terms->job) == NULL)
        return leaving(lease, "the job is over");
    if (!host->here || (!home->here && !home->gone))
        return BOOK_ADRIFT;
    if (!home->here)
        return leaving(lease, "home is gone");
    if (!offer_covers(host->offer, &terms->gpu, terms->nodes, terms->node_count))
        return leaving(lease, "host offers these GPUs no more");
    return BOOK_RENEWABLE;
}

static void class_leases(struct book *book)
{
    for (uint32_t i = 0; i < book->lease_count; i++)
        book->leases[i].class = class_of(book, &book->leases[i]);
}

/* A demand is in the market where its home is here and no lease of it goes on, waits or drifts. One
 * that was told to end waits until it was released. */
static void choose_demands(struct book *book)
{
    for (uint32_t i = 0; i < book->demand_count; i++) {
        struct book_demand *demand = &book->demands[i];
        const struct book_member *home = book_member(book, &demand->record.demand->home);
        demand->in_market = home != NULL && home->here;
        if (demand->lease == NULL)
            continue;
        switch (demand->lease->class) {
        case BOOK_LATER:
        case BOOK_ADRIFT:
        case BOOK_PLANNED: demand->in_market = false; break;
        case BOOK_LEAVING:
            demand->in_market = demand->in_market && !demand->lease->record.ending;
            break;
        case BOOK_RENEWABLE:
        case BOOK_LOST:
        case BOOK_OVERTAKEN: break;
        }
    }
}

bool lease_nodes_overlap(const struct lease *lease, const struct lease_node *nodes,
                         uint32_t node_count)
{
    for (uint32_t i = 0; i < lease->node_count; i++)
        for (uint32_t n = 0; n < node_count; n++)
            if (lease->nodes[i].node == nodes[n].node && (lease->nodes[i].gpus & nodes[n].gpus))
                return true;
    return false;
}

bool lease_nodes_same(const struct lease *lease, const struct lease_node *nodes,
                      uint32_t node_count)
{
    if (lease->node_count != node_count)
        return false;
    for (uint32_t i = 0; i < node_count; i++)
        if (lease->nodes[i].node != nodes[i].node || lease->nodes[i].gpus != nodes[i].gpus)
            return false;
    return true;
}

bool offer_covers(const struct offer *offer, const struct name *gpu, const struct lease_node *nodes,
                  uint32_t node_count)
{
    const struct pool_offer *pool = offer == NULL ? NULL : offer_pool(offer, gpu);
    if (pool == NULL)
        return false;
    for (uint32_t i = 0; i < node_count; i++) {
        if (nodes[i].node >= pool->node_count)
            return false;
        const struct offer_node *node = &pool->nodes[nodes[i].node];
        if ((nodes[i].gpus & ~(node->free_gpus | node->leased_gpus)) != 0)
            return false;
    }
    return true;
}
