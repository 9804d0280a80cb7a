/*
 * Round, collect: which GPUs and which demands are in, as the market's input.
 *
 * Usable at a node = offered free and under no lease, plus what ending leases give up or keep
 * (RENEWABLE, LEAVING), less what is promised to planned ones. A lease that goes on or drifts keeps
 * its GPUs out. Pure but for the arena.
 */
#include <assert.h>

#include "broker/round/round.h"

struct collecting {
    const struct core *core;
    const struct book *book;
    struct arena *arena;
    struct collect_input *input;
    struct fault *fault;
};

static enum status collect_offers(struct collecting *collecting);
static void mask_lease(struct collect_input *input, const struct book_lease *lease);
static enum status collect_demands(struct collecting *collecting);

enum status round_collect(const struct core *core, const struct book *book, struct arena *arena,
                          struct collect_input *input, struct fault *fault)
{
    const struct broker_config *config = core->config;
    *input = (struct collect_input){
        .round_ms = book->round_ms,
        .now_wall_ms = book->now_ms,
        .predictor = core_predictor(core),
        .costs = {.restart_seconds = config->restart_seconds,
                  .transfer_bytes_per_second = config->transfer_bytes_per_second,
                  .credits_per_gigabyte = config->credits_per_gigabyte,
                  .grace_ms = config->grace_ms},
        .gpus_per_job_max = config->gpus_per_job_max,
    };
    struct collecting collecting = {core, book, arena, input, fault};
    enum status status = collect_offers(&collecting);
    /* First what comes back, then what stays out: a GPU of two leases is held by the later one. */
    for (uint32_t i = 0; status == STATUS_OK && i < book->lease_count; i++)
        if (book->leases[i].class == BOOK_RENEWABLE || book->leases[i].class == BOOK_LEAVING)
            mask_lease(input, &book->leases[i]);
    for (uint32_t i = 0; status == STATUS_OK && i < book->lease_count; i++)
        if (book->leases[i].class != BOOK_RENEWABLE && book->leases[i].class != BOOK_LEAVING)
            mask_lease(input, &book->leases[i]);
    if (status == STATUS_OK)
        status = collect_demands(&collecting);
    return status;
}

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
}

static enum status collect_offers(struct collecting *collecting)
{
    const struct book *book = collecting->book;
    const struct offer **offers =
        arena_alloc(collecting->arena, book->member_count, sizeof *offers);
    struct credits *funds = arena_alloc(collecting->arena, book->member_count, sizeof *funds);
    if (offers == NULL || funds == NULL)
        return no_memory(collecting->fault);
    uint32_t count = 0;
    for (uint32_t i = 0; i < book->member_count; i++) {
        const struct book_member *member = &book->members[i];
        if (!member->here)
            continue;
        offers[count] = offer_copy(collecting->arena, member->offer);
        if (offers[count] == NULL)
            return no_memory(collecting->fault);
        funds[count] = member->funds;
        count++;
    }
    collecting->input->offers = offers;
    collecting->input->funds = funds;
    collecting->input->offer_count = count;
    return STATUS_OK;
}

static const struct offer *find_offer(const struct collect_input *input, const struct name *member)
{
    uint32_t low = 0;
    uint32_t high = input->offer_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = name_compare(member, &input->offers[middle]->member);
        if (order == 0)
            return input->offers[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Sets or clears the free bits of a lease's GPUs in its host's offer, by its class. */
static void mask_lease(struct collect_input *input, const struct book_lease *lease)
{
    const struct lease *terms = lease->record.lease;
    const struct offer *offer = find_offer(input, &terms->host);
    struct pool_offer *pool = offer == NULL ? NULL : offer_pool(offer, &terms->gpu);
    bool usable = lease->class == BOOK_RENEWABLE || lease->class == BOOK_LEAVING;
    bool held = lease->class != BOOK_OVERTAKEN;
    for (uint32_t i = 0; pool != NULL && i < terms->node_count; i++) {
        if (terms->nodes[i].node >= pool->node_count)
            continue;
        struct offer_node *node = &pool->nodes[terms->nodes[i].node];
        uint64_t offered = terms->nodes[i].gpus & (node->free_gpus | node->leased_gpus);
        if (usable)
            node->free_gpus |= offered;
        else if (held)
            node->free_gpus &= ~terms->nodes[i].gpus;
    }
}

/* A demand as the market sees it: its position is what the broker's own leases say. */
static enum status place_demand(struct collecting *collecting, const struct book_demand *from,
                                struct collect_demand *to)
{
    struct demand *demand =
        arena_copy(collecting->arena, from->record.demand, sizeof *from->record.demand);
    if (demand == NULL)
        return no_memory(collecting->fault);
    demand->position = (struct job_position){0};
    *to = (struct collect_demand){.demand = demand, .age_rounds = from->record.age_rounds};
    if (from->lease == NULL || from->lease->class != BOOK_RENEWABLE)
        return STATUS_OK;
    const struct lease *lease = from->lease->record.lease;
    demand->position = (struct job_position){
        .running = true,
        .pool = {.member = lease->host, .gpu = lease->gpu},
        .gpus = lease->gpu_count,
    };
    to->held_nodes = lease->nodes;
    to->held_node_count = lease->node_count;
    return STATUS_OK;
}

static enum status collect_demands(struct collecting *collecting)
{
    const struct book *book = collecting->book;
    struct collect_demand *demands =
        arena_alloc(collecting->arena, book->demand_count, sizeof *demands);
    if (demands == NULL)
        return no_memory(collecting->fault);
    uint32_t count = 0;
    for (uint32_t i = 0; i < book->demand_count; i++) {
        if (!book->demands[i].in_market || book->demands[i].backing_off)
            continue;
        enum status status = place_demand(collecting, &book->demands[i], &demands[count]);
        if (status != STATUS_OK)
            return status;
        count++;
    }
    collecting->input->demands = demands;
    collecting->input->demand_count = count;
    return STATUS_OK;
}
