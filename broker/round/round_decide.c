/*
 * Round, decide: which placements of the plan still stand against a fresh book, as leases; and
 * which leases end. Pure: the same plan and book give the same decision.
 *
 * A placement stands where the demand is open and in the market, home and host are here, the GPUs
 * are still offered and every lease on them gives them up, and the home's funds reach. Otherwise it
 * is dropped and its job waits for the next round. A renewal `continues` the lease of the same job
 * on the very same GPUs; what must first be left by somebody is planned.
 */

#include <string.h>

#include "broker/round/round.h"

struct deciding {
    const struct round_ground *ground;
    struct arena *arena;
    struct round_decision *decision;
    struct credits *funds; /* [members of the book] left for this round's caps */
    bool *kept;            /* [leases of the book] renewed here */
};

/* One placement with what the book says of it. */
struct standing {
    const struct plan_placement *placement;
    const struct market_column *column;
    const struct market_pool *pool;
    const struct book_demand *demand;
    const struct book_member *home;
    const struct book_member *host;
    const struct book_lease *continues; /* NULL: a new start */
    bool waits;
};

static enum status make_room(struct deciding *deciding, struct fault *fault);
static const char *stand(const struct deciding *deciding, const struct plan_placement *placement,
                         struct standing *standing);
static enum status grant(struct deciding *deciding, const struct standing *standing,
                         const char **drop);
static void end_leases(struct deciding *deciding);

enum status round_decide(const struct round_ground *ground, struct arena *arena,
                         struct round_decision *decision, struct fault *fault)
{
    struct deciding deciding = {.ground = ground, .arena = arena, .decision = decision};
    enum status status = make_room(&deciding, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < ground->plan->placement_count; i++) {
        struct standing standing = {0};
        const char *drop = stand(&deciding, &ground->plan->placements[i], &standing);
        if (drop == NULL)
            status = grant(&deciding, &standing, &drop);
        if (drop != NULL)
            decision->drops[decision->drop_count++] =
                (struct round_drop){.placement = i, .reason = drop};
    }
    if (status != STATUS_OK)
        return fault_set(fault, status, "the round exceeds its memory bound");
    end_leases(&deciding);
    decision->funds_left = deciding.funds;
    return STATUS_OK;
}

static enum status make_room(struct deciding *deciding, struct fault *fault)
{
    const struct book *book = deciding->ground->now;
    uint32_t placements = deciding->ground->plan->placement_count;
    struct round_decision *decision = deciding->decision;
    *decision = (struct round_decision){
        .grants = arena_alloc(deciding->arena, placements, sizeof *decision->grants),
        .drops = arena_alloc(deciding->arena, placements, sizeof *decision->drops),
        .endings = arena_alloc(deciding->arena, book->lease_count, sizeof *decision->endings),
        .voids = arena_alloc(deciding->arena, book->lease_count, sizeof *decision->voids),
    };
    deciding->funds = arena_alloc(deciding->arena, book->member_count, sizeof *deciding->funds);
    deciding->kept = arena_alloc(deciding->arena, book->lease_count, sizeof *deciding->kept);
    if (decision->grants == NULL || decision->drops == NULL || decision->endings == NULL ||
        decision->voids == NULL || deciding->funds == NULL || deciding->kept == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
    for (uint32_t i = 0; i < book->member_count; i++)
        deciding->funds[i] = book->members[i].funds;
    return STATUS_OK;
}

/* Are all these GPUs free, or given up by the leases on them? NULL where so; *waits: not yet. */
static const char *stand_gpus(const struct deciding *deciding, struct standing *standing)
{
    const struct book *book = deciding->ground->now;
    const struct plan_placement *placement = standing->placement;
    if (!offer_covers(standing->host->offer, &standing->pool->gpu, placement->nodes,
                      placement->node_count))
        return "its host offers these GPUs no more";
    for (uint32_t i = 0; i < book->lease_count; i++) {
        const struct book_lease *lease = &book->leases[i];
        const struct lease *terms = lease->record.lease;
        if (lease->class == BOOK_OVERTAKEN ||
            !name_equal(&terms->host, &standing->host->record.member) ||
            !name_equal(&terms->gpu, &standing->pool->gpu) ||
            !lease_nodes_overlap(terms, placement->nodes, placement->node_count))
            continue;
        if (deciding->kept[i] || (lease->class != BOOK_RENEWABLE && lease->class != BOOK_LEAVING))
            return "its GPUs are held by another lease";
        standing->waits = true;
    }
    return NULL;
}

/* Fills *standing; NULL where the placement stands, else why it doesn't. */
static const char *stand(const struct deciding *deciding, const struct plan_placement *placement,
                         struct standing *standing)
{
    const struct market *market = deciding->ground->market;
    const struct book *book = deciding->ground->now;
    const struct market_column *column = &market->columns[placement->column];
    const struct market_job *job = &market->jobs[column->job];
    const struct market_pool *pool = &market->pools[column->pool];
    const struct name *home = &market->members[job->home].name;
    *standing = (struct standing){
        .placement = placement,
        .column = column,
        .pool = pool,
        .demand = book_demand(book, home, &job->job),
        .home = book_member(book, home),
        .host = book_member(book, &market->members[pool->owner].name),
    };
    if (standing->demand == NULL)
        return "the job is over";
    if (standing->home == NULL || !standing->home->here)
        return "its home is not here any more";
    if (standing->host == NULL || !standing->host->here)
        return "its host is not here any more";
    if (!standing->demand->in_market)
        return "a lease of it goes on";
    const struct demand *demand = standing->demand->record.demand;
    if (column->gpus < demand->gpus_min || column->gpus > demand->gpus_max)
        return "its demand has changed";
    const struct book_lease *lease = standing->demand->lease;
    bool runs = lease != NULL && lease->class == BOOK_RENEWABLE;
    bool same = runs && name_equal(&lease->record.lease->host, &standing->host->record.member) &&
                name_equal(&lease->record.lease->gpu, &pool->gpu) &&
                lease_nodes_same(lease->record.lease, placement->nodes, placement->node_count);
    if (same) {
        standing->continues = lease;
        return NULL;
    }
    standing->waits = lease != NULL && lease->class != BOOK_OVERTAKEN && lease->class != BOOK_LOST;
    return stand_gpus(deciding, standing);
}

/* The cap: price × GPUs × (duration + grace), within what the home has left. NULL where it fits. */
static const char *escrow(struct deciding *deciding, const struct standing *standing,
                          struct lease *lease)
{
    const struct broker_config *config = deciding->ground->config;
    int64_t gpus = (int64_t)lease->gpu_count;
    struct credits least;
    if (!price_amount(lease->price, gpus, lease->duration_ms, &least) ||
        !price_amount(lease->price, gpus, lease->duration_ms + config->grace_ms, &lease->cap))
        return "its price is too large to bill";
    if (name_equal(&lease->home, &lease->host))
        return NULL;
    struct credits *funds = &deciding->funds[standing->home - deciding->ground->now->members];
    if (least.micros > funds->micros)
        return "its home's funds do not reach";
    if (lease->cap.micros > funds->micros)
        lease->cap = *funds;
    funds->micros -= lease->cap.micros;
    return NULL;
}

static void time_lease(const struct deciding *deciding, const struct standing *standing,
                       struct lease *lease)
{
    const struct broker_config *config = deciding->ground->config;
    const struct book *book = deciding->ground->now;
    int64_t starts_ms = book->now_ms;
    if (standing->continues != NULL && standing->continues->record.ends_wall_ms > starts_ms)
        starts_ms = standing->continues->record.ends_wall_ms;
    lease->starts_in_ms = starts_ms - book->now_ms;
    lease->duration_ms = book->ends_ms - starts_ms;
    lease->holdover_ms = config->holdover_ms;
    lease->accept_from_wall_ms = book->wall_ms - config->skew_ms_max;
    lease->accept_until_wall_ms = book->wall_ms + config->accept_within_ms + config->skew_ms_max;
}

static struct lease_share *copy_shares(struct deciding *deciding,
                                       const struct plan_placement *placement)
{
    const struct market *market = deciding->ground->market;
    struct lease_share *shares =
        arena_alloc(deciding->arena, placement->share_count, sizeof *shares);
    for (uint32_t i = 0; shares != NULL && i < placement->share_count; i++)
        shares[i] = (struct lease_share){
            .member = market->members[placement->shares[i].member].name,
            .price = placement->shares[i].price,
        };
    return shares;
}

static struct lease lease_of(const struct deciding *deciding, const struct standing *standing)
{
    const struct round_ground *ground = deciding->ground;
    const struct plan_placement *placement = standing->placement;
    const struct demand *demand = standing->demand->record.demand;
    struct lease lease = {
        .id = {.incarnation = ground->now->incarnation,
               .round = ground->number,
               .index = (uint32_t)(placement - ground->plan->placements) + 1},
        .job = demand->job,
        .home = demand->home,
        .host = standing->host->record.member,
        .gpu = standing->pool->gpu,
        .home_incarnation = standing->home->offer->incarnation,
        .host_incarnation = standing->host->offer->incarnation,
        .nodes = placement->nodes,
        .node_count = placement->node_count,
        .gpu_count = standing->column->gpus,
        .bundle_digest = demand->bundle_digest,
        .price = placement->price,
        .predicted_examples_per_second = (double)standing->column->micro_examples_per_second / 1e6,
        .home_key = standing->home->record.signing_key,
        .host_key = standing->host->record.signing_key,
    };
    if (standing->continues != NULL)
        lease.continues = standing->continues->record.lease->id;
    memcpy(lease.home_address, standing->home->offer->peer_address, sizeof lease.home_address);
    memcpy(lease.host_address, standing->host->offer->peer_address, sizeof lease.host_address);
    return lease;
}

/* Adds the lease to the decision, or says in *drop why it can't be. */
static enum status grant(struct deciding *deciding, const struct standing *standing,
                         const char **drop)
{
    struct round_decision *decision = deciding->decision;
    struct lease lease = lease_of(deciding, standing);
    time_lease(deciding, standing, &lease);
    *drop = escrow(deciding, standing, &lease);
    if (*drop != NULL)
        return STATUS_OK;
    struct lease_share *shares = copy_shares(deciding, standing->placement);
    if (shares == NULL)
        return STATUS_EXHAUSTED;
    if (standing->continues != NULL)
        deciding->kept[standing->continues - deciding->ground->now->leases] = true;
    decision->grants[decision->grant_count++] = (struct round_grant){
        .placement = (uint32_t)(standing->placement - deciding->ground->plan->placements),
        .planned = standing->waits,
        .lease = lease,
        .shares = shares,
        .share_count = standing->placement->share_count,
    };
    return STATUS_OK;
}

/* Why a lease ends in this round; NULL where it goes on, or was told before. */
static const char *ending_reason(const struct book_lease *lease, bool kept)
{
    if (lease->class == BOOK_RENEWABLE)
        return kept ? NULL : "another use of these GPUs is worth more";
    bool ends = lease->class == BOOK_LEAVING || lease->class == BOOK_LOST;
    return ends && !lease->record.ending ? lease->reason : NULL;
}

static void end_leases(struct deciding *deciding)
{
    const struct book *book = deciding->ground->now;
    struct round_decision *decision = deciding->decision;
    for (uint32_t i = 0; i < book->lease_count; i++) {
        const struct book_lease *lease = &book->leases[i];
        if (lease->class == BOOK_OVERTAKEN)
            decision->voids[decision->void_count++] = lease->record.lease->id;
        const char *reason = ending_reason(lease, deciding->kept[i]);
        if (reason != NULL)
            decision->endings[decision->ending_count++] = (struct round_ending){
                .lease = lease->record.lease->id,
                .kind = lease->class == BOOK_LOST ? LEASE_EVENT_STOP : LEASE_EVENT_END,
                .reason = reason,
            };
    }
}
