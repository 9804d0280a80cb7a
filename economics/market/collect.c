#include "economics/market/collect.h"

#include <stdlib.h>

#include "economics/market/collect_rows.h"
#include "economics/market/option.h"

/* Everything a step needs; the offers and demands in the market's order. */
struct collecting {
    const struct collect_input *input;
    struct arena *arena;
    struct market *market;
    const struct offer **offers;           /* [member_count], NULL: a home without an offer */
    const struct collect_demand **demands; /* [job_count] */
    struct credits *budgets;               /* [member_count] what each may spend */
    const struct pool_offer **pools;       /* [pool_count] */
    struct market_column *columns;         /* malloc'd while it grows */
    uint32_t column_room;
};

static enum status order_members(struct collecting *c, struct fault *fault);
static enum status order_jobs(struct collecting *c, struct fault *fault);
static enum status make_pools(struct collecting *c, struct fault *fault);
static enum status use_held(struct collecting *c, struct fault *fault);
static enum status make_columns(struct collecting *c, struct fault *fault);
static enum status make_rows(struct collecting *c, struct fault *fault);

enum status market_collect(const struct collect_input *input, struct arena *arena,
                           struct market *market, struct fault *fault)
{
    *market = (struct market){.round_ms = input->round_ms};
    struct collecting c = {.input = input, .arena = arena, .market = market};
    enum status (*const steps[])(struct collecting *, struct fault *) = {
        order_members, order_jobs, make_pools, use_held, make_columns, make_rows};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&c, fault);
    free(c.columns);
    if (status != STATUS_OK)
        return status;
    status = market_validate(market, fault);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "collected market");
}

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

static int compare_names(const void *left, const void *right)
{
    return name_compare(left, right);
}

static int compare_demands(const void *left, const void *right)
{
    const struct collect_demand *const *a = left;
    const struct collect_demand *const *b = right;
    int const by_home = name_compare(&(*a)->demand->home, &(*b)->demand->home);
    return by_home != 0 ? by_home : name_compare(&(*a)->demand->job, &(*b)->demand->job);
}

/* Members: whoever offers, and whoever has a demand, by name. */
static enum status order_members(struct collecting *c, struct fault *fault)
{
    uint32_t const most = c->input->offer_count + c->input->demand_count;
    struct name *names = malloc(((size_t)most + 1) * sizeof *names);
    if (names == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the members' names");
    for (uint32_t i = 0; i < c->input->offer_count; i++)
        names[i] = c->input->offers[i]->member;
    for (uint32_t i = 0; i < c->input->demand_count; i++)
        names[c->input->offer_count + i] = c->input->demands[i].demand->home;
    qsort(names, most, sizeof *names, compare_names);
    uint32_t unique = 0;
    for (uint32_t i = 0; i < most; i++)
        if (unique == 0 || !name_equal(&names[unique - 1], &names[i]))
            names[unique++] = names[i];
    c->market->member_count = unique;
    c->market->members = arena_copy(c->arena, names, unique * sizeof *names);
    free(names);
    c->offers = arena_alloc(c->arena, unique, sizeof *c->offers);
    c->budgets = arena_alloc(c->arena, unique, sizeof *c->budgets);
    if (c->market->members == NULL || c->offers == NULL || c->budgets == NULL)
        return no_room(fault);
    for (uint32_t i = 0; i < c->input->offer_count; i++) {
        const struct offer *offer = c->input->offers[i];
        const struct market_member *member =
            bsearch(&offer->member, c->market->members, unique, sizeof *member, compare_names);
        const struct offer **place = &c->offers[member - c->market->members];
        if (*place != NULL)
            return fault_set(fault, STATUS_INVALID, "two offers of member '%s'",
                             offer->member.text);
        *place = offer;
        c->budgets[member - c->market->members] = option_budget(offer, c->input->funds[i]);
    }
    return STATUS_OK;
}

static int32_t member_index(const struct market *market, const struct name *name)
{
    const struct market_member *found = bsearch(name, market->members, market->member_count,
                                                sizeof *market->members, compare_names);
    return found == NULL ? MARKET_NONE : (int32_t)(found - market->members);
}

static enum status order_jobs(struct collecting *c, struct fault *fault)
{
    uint32_t const count = c->input->demand_count;
    c->demands = arena_alloc(c->arena, count, sizeof *c->demands);
    c->market->jobs = arena_alloc(c->arena, count, sizeof *c->market->jobs);
    if (c->demands == NULL || c->market->jobs == NULL)
        return no_room(fault);
    c->market->job_count = count;
    for (uint32_t j = 0; j < count; j++)
        c->demands[j] = &c->input->demands[j];
    qsort(c->demands, count, sizeof *c->demands, compare_demands);
    for (uint32_t j = 0; j < count; j++) {
        const struct demand *demand = c->demands[j]->demand;
        if (j > 0 && compare_demands(&c->demands[j - 1], &c->demands[j]) == 0)
            return fault_set(fault, STATUS_INVALID, "two demands for job '%s' of '%s'",
                             demand->job.text, demand->home.text);
        c->market->jobs[j] = (struct market_job){
            .job = demand->job,
            .home = member_index(c->market, &demand->home),
            .one_node = demand->one_node,
            .held_column = MARKET_NONE,
            .age_rounds = c->demands[j]->age_rounds,
        };
    }
    return STATUS_OK;
}

static enum status make_pool(struct collecting *c, uint32_t member, const struct pool_offer *offer,
                             struct fault *fault)
{
    struct market_pool *pool = &c->market->pools[c->market->pool_count];
    c->pools[c->market->pool_count++] = offer;
    *pool = (struct market_pool){
        .owner = (int32_t)member,
        .gpu = offer->gpu,
        .gpus_per_node = offer->gpus_per_node,
        .cost = option_cost(offer),
        .nodes = arena_alloc(c->arena, offer->node_count, sizeof *pool->nodes),
        .node_count = offer->node_count,
    };
    if (pool->nodes == NULL)
        return no_room(fault);
    for (uint32_t n = 0; n < offer->node_count; n++) {
        pool->nodes[n].gpus = offer->nodes[n].free_gpus;
        pool->gpu_count += (uint32_t)__builtin_popcountll(offer->nodes[n].free_gpus);
    }
    return STATUS_OK;
}

static enum status make_pools(struct collecting *c, struct fault *fault)
{
    uint32_t count = 0;
    for (uint32_t m = 0; m < c->market->member_count; m++)
        count += c->offers[m] != NULL ? c->offers[m]->pool_count : 0;
    c->market->pools = arena_alloc(c->arena, count, sizeof *c->market->pools);
    c->pools = arena_alloc(c->arena, count, sizeof *c->pools);
    if (c->market->pools == NULL || c->pools == NULL)
        return no_room(fault);
    for (uint32_t m = 0; m < c->market->member_count; m++) {
        for (uint32_t p = 0; c->offers[m] != NULL && p < c->offers[m]->pool_count; p++) {
            enum status const status = make_pool(c, m, &c->offers[m]->pools[p], fault);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

/* The pool where a running job is; NULL where its host no longer offers it. */
static struct market_pool *held_pool(const struct collecting *c, const struct demand *demand)
{
    if (!demand->position.running)
        return NULL;
    int32_t const host = member_index(c->market, &demand->position.pool.member);
    for (uint32_t p = 0; p < c->market->pool_count; p++)
        if (c->market->pools[p].owner == host &&
            name_equal(&c->market->pools[p].gpu, &demand->position.pool.gpu))
            return &c->market->pools[p];
    return NULL;
}

/* GPUs held under leases that end with this round are for this round to give, too. */
static enum status use_held(struct collecting *c, struct fault *fault)
{
    (void)fault;
    for (uint32_t j = 0; j < c->market->job_count; j++) {
        struct market_pool *pool = held_pool(c, c->demands[j]->demand);
        for (uint32_t n = 0; pool != NULL && n < c->demands[j]->held_node_count; n++) {
            const struct lease_node *held = &c->demands[j]->held_nodes[n];
            if (held->node >= pool->node_count)
                continue;
            uint64_t *mask = &pool->nodes[held->node].gpus;
            pool->gpu_count += (uint32_t)__builtin_popcountll(held->gpus & ~*mask);
            *mask |= held->gpus;
        }
    }
    return STATUS_OK;
}

static uint32_t fullest_node(const struct market_pool *pool)
{
    uint32_t most = 0;
    for (uint32_t n = 0; n < pool->node_count; n++) {
        uint32_t const gpus = (uint32_t)__builtin_popcountll(pool->nodes[n].gpus);
        if (gpus > most)
            most = gpus;
    }
    return most;
}

static bool grow_columns(struct collecting *c)
{
    if (c->market->column_count < c->column_room)
        return true;
    uint32_t const wider = c->column_room == 0 ? 1024 : c->column_room * 2;
    struct market_column *more = realloc(c->columns, wider * sizeof *more);
    if (more == NULL)
        return false;
    c->columns = more;
    c->column_room = wider;
    return true;
}

/* Adds a column where nothing stands against it. */
static enum status add_column(struct collecting *c, uint32_t job, uint32_t pool,
                              const struct option *option, struct fault *fault)
{
    if (c->market->column_count >= MARKET_COLUMNS_MAX || !grow_columns(c))
        return fault_set(fault, STATUS_EXHAUSTED, "too many configurations: %u",
                         c->market->column_count);
    struct market_column *column = &c->columns[c->market->column_count];
    *column = (struct market_column){.job = job, .pool = pool};
    if (*option_judge(option, column) != '\0')
        return STATUS_OK;
    uint32_t held = 0;
    for (uint32_t n = 0; n < c->demands[job]->held_node_count; n++)
        held += (uint32_t)__builtin_popcountll(c->demands[job]->held_nodes[n].gpus);
    struct market_job *of = &c->market->jobs[job];
    if (option_held(option) && held == option->gpus) {
        of->held_column = (int32_t)c->market->column_count;
        of->held_nodes = c->demands[job]->held_nodes;
        of->held_node_count = c->demands[job]->held_node_count;
    }
    c->market->column_count++;
    of->column_count++;
    return STATUS_OK;
}

/* Neither faster nor worth more than one of those in [first, end), which need fewer GPUs. */
static bool dominated(const struct collecting *c, const struct market_column *column,
                      uint32_t first, uint32_t end)
{
    for (uint32_t other = first; other < end; other++)
        if (c->columns[other].micro_examples_per_second >= column->micro_examples_per_second &&
            c->columns[other].worth.micros >= column->worth.micros)
            return true;
    return false;
}

/* A job's columns at one pool are [first, column_count), by GPUs ascending. */
static void prune_columns(struct collecting *c, uint32_t job, uint32_t first)
{
    struct market_job *of = &c->market->jobs[job];
    uint32_t kept = first;
    for (uint32_t k = first; k < c->market->column_count; k++) {
        bool const held = of->held_column == (int32_t)k;
        if (!held && dominated(c, &c->columns[k], first, kept))
            continue;
        if (held)
            of->held_column = (int32_t)kept;
        c->columns[kept++] = c->columns[k];
    }
    of->column_count -= c->market->column_count - kept;
    c->market->column_count = kept;
}

static enum status make_job_columns(struct collecting *c, uint32_t job, const uint32_t *fullest,
                                    struct fault *fault)
{
    const struct demand *demand = c->demands[job]->demand;
    uint32_t counts[OPTION_COUNTS_MAX];
    uint32_t const count = option_counts(demand, c->input->gpus_per_job_max, counts);
    struct option option = {.input = c->input,
                            .demand = demand,
                            .home = c->offers[c->market->jobs[job].home],
                            .budget = c->budgets[c->market->jobs[job].home]};
    c->market->jobs[job].first_column = c->market->column_count;
    for (uint32_t p = 0; p < c->market->pool_count; p++) {
        option.host = c->offers[c->market->pools[p].owner];
        option.pool = c->pools[p];
        option.usable_gpus = c->market->pools[p].gpu_count;
        option.usable_gpus_of_node = fullest[p];
        uint32_t const first = c->market->column_count;
        for (uint32_t i = 0; i < count; i++) {
            option.gpus = counts[i];
            enum status const status = add_column(c, job, p, &option, fault);
            if (status != STATUS_OK)
                return status;
        }
        prune_columns(c, job, first);
    }
    return STATUS_OK;
}

static enum status make_columns(struct collecting *c, struct fault *fault)
{
    uint32_t *fullest = arena_alloc(c->arena, c->market->pool_count, sizeof *fullest);
    if (fullest == NULL)
        return no_room(fault);
    for (uint32_t p = 0; p < c->market->pool_count; p++)
        fullest[p] = fullest_node(&c->market->pools[p]);
    for (uint32_t j = 0; j < c->market->job_count; j++) {
        enum status const status = make_job_columns(c, j, fullest, fault);
        if (status != STATUS_OK)
            return status;
    }
    c->market->columns =
        arena_copy(c->arena, c->columns, c->market->column_count * sizeof *c->columns);
    return c->market->columns != NULL ? STATUS_OK : no_room(fault);
}

static enum status make_rows(struct collecting *c, struct fault *fault)
{
    struct collect_limits limits = {
        .foreign_gpus_max =
            arena_alloc(c->arena, c->market->pool_count, sizeof *limits.foreign_gpus_max),
        .budget = c->budgets,
        .grace_ms = c->input->costs.grace_ms,
    };
    if (limits.foreign_gpus_max == NULL)
        return no_room(fault);
    for (uint32_t p = 0; p < c->market->pool_count; p++)
        limits.foreign_gpus_max[p] = c->pools[p]->foreign_gpus_max;
    return collect_rows(c->market, &limits, c->arena, fault);
}

const char *market_obstacle(const struct collect_input *input, const struct demand *demand,
                            const struct offer *offer, const struct pool_offer *pool, uint32_t gpus)
{
    struct option option = {
        .input = input, .demand = demand, .host = offer, .pool = pool, .gpus = gpus};
    for (uint32_t i = 0; i < input->offer_count; i++) {
        if (!name_equal(&input->offers[i]->member, &demand->home))
            continue;
        option.home = input->offers[i];
        option.budget = option_budget(option.home, input->funds[i]);
    }
    struct pool_id const id = {offer->member, pool->gpu};
    for (uint32_t n = 0; n < pool->node_count; n++) {
        uint64_t mask = pool->nodes[n].free_gpus;
        for (uint32_t j = 0; j < input->demand_count; j++) {
            const struct collect_demand *other = &input->demands[j];
            const struct job_position *position = &other->demand->position;
            if (!position->running || !name_equal(&position->pool.member, &id.member) ||
                !name_equal(&position->pool.gpu, &id.gpu))
                continue;
            for (uint32_t h = 0; h < other->held_node_count; h++)
                mask |= other->held_nodes[h].node == n ? other->held_nodes[h].gpus : 0;
        }
        uint32_t const usable = (uint32_t)__builtin_popcountll(mask);
        option.usable_gpus += usable;
        if (usable > option.usable_gpus_of_node)
            option.usable_gpus_of_node = usable;
    }
    struct market_column column = {0};
    return option_judge(&option, &column);
}
