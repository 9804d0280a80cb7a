#include "economics/market/solver/block.h"

#include <math.h>
#include <stdlib.h>

#include "economics/market/solver/simplex.h"

#define UNMAPPED UINT32_MAX

enum { ITERATIONS_BASE = 10000, ITERATIONS_EACH = 100 };

#define BLOCK_BYTES_MAX ((size_t)1024 * 1024 * 1024)

/* Columns that lose more than this part of the job's best worth are not looked at. */
#define FAR 0.06

/* Of the greatest worth in the block: what a column must gain to be taken. */
#define TOLERANCE 1e-10

/* Floors, as parts of the prices given. */
static const double floors[] = {0.97, 0};

struct cutting {
    const struct block_ground *ground;
    const struct block_task *task;
    uint32_t *map;
    struct arena arena;
    struct columns own;
    uint32_t *global; /* [own.resource_count] */
    uint32_t *choice; /* [own.job_count] */
    double *capacity; /* [own.resource_count] */
    double *floor;
    uint32_t *everyone; /* [own.job_count] 0, 1, ... */
    uint32_t entry_count;
};

static bool make_room(struct cutting *c);
static void map_pools(struct cutting *c);
static void cut_jobs(struct cutting *c);
static void find_capacity(struct cutting *c);
static enum status improve(struct cutting *c, struct block_answer *answer, struct fault *fault);

enum status block_solve(const struct block_ground *ground, const struct block_task *task,
                        uint32_t *map, struct block_answer *answer, struct fault *fault)
{
    struct cutting c = {.ground = ground, .task = task, .map = map};
    enum status status = STATUS_OK;
    *answer = (struct block_answer){0};
    arena_init(&c.arena, BLOCK_BYTES_MAX);
    if (make_room(&c)) {
        map_pools(&c);
        cut_jobs(&c);
        find_capacity(&c);
        status = improve(&c, answer, fault);
    } else {
        status = fault_set(fault, STATUS_EXHAUSTED, "no memory for a block of the market");
    }
    for (uint32_t r = 0; r < c.own.resource_count; r++)
        map[c.global[r]] = UNMAPPED;
    arena_fini(&c.arena);
    return status;
}

static bool make_room(struct cutting *c)
{
    const struct columns *all = c->ground->columns;
    const struct block_task *task = c->task;
    size_t columns = 0;
    size_t entries = 0;
    for (uint32_t i = 0; i < task->job_count; i++) {
        uint32_t const j = task->jobs[i];
        columns += all->first[j + 1] - all->first[j];
        entries += all->first_entry[all->first[j + 1]] - all->first_entry[all->first[j]];
    }
    size_t const resources =
        entries < all->resource_count ? entries + all->pool_count : all->resource_count;
    struct columns *own = &c->own;
    own->first = arena_alloc(&c->arena, (size_t)task->job_count + 1, sizeof *own->first);
    own->original = arena_alloc(&c->arena, columns, sizeof *own->original);
    own->worth = arena_alloc(&c->arena, columns, sizeof *own->worth);
    own->pool_gpus = arena_alloc(&c->arena, columns, sizeof *own->pool_gpus);
    own->first_entry = arena_alloc(&c->arena, columns + 1, sizeof *own->first_entry);
    own->entry_resource = arena_alloc(&c->arena, entries, sizeof *own->entry_resource);
    own->entry_part = arena_alloc(&c->arena, entries, sizeof *own->entry_part);
    own->unit = arena_alloc(&c->arena, resources, sizeof *own->unit);
    c->global = arena_alloc(&c->arena, resources, sizeof *c->global);
    c->capacity = arena_alloc(&c->arena, resources, sizeof *c->capacity);
    c->floor = arena_alloc(&c->arena, resources, sizeof *c->floor);
    c->choice = arena_alloc(&c->arena, task->job_count, sizeof *c->choice);
    c->everyone = arena_alloc(&c->arena, task->job_count, sizeof *c->everyone);
    return own->first != NULL && own->original != NULL && own->worth != NULL &&
           own->pool_gpus != NULL && own->first_entry != NULL && own->entry_resource != NULL &&
           own->entry_part != NULL && own->unit != NULL && c->global != NULL &&
           c->capacity != NULL && c->floor != NULL && c->choice != NULL && c->everyone != NULL;
}

static uint32_t map_resource(struct cutting *c, uint32_t resource)
{
    if (c->map[resource] == UNMAPPED) {
        c->own.unit[c->own.resource_count] = c->ground->columns->unit[resource];
        c->global[c->own.resource_count] = resource;
        c->map[resource] = c->own.resource_count++;
    }
    return c->map[resource];
}

static bool has_pool(const struct cutting *c, uint32_t pool)
{
    int32_t const owner = c->ground->columns->market->pools[pool].owner;
    return c->ground->partition->block[owner] == c->task->block;
}

static void map_pools(struct cutting *c)
{
    for (uint32_t p = 0; p < c->ground->columns->pool_count; p++)
        if (has_pool(c, p))
            (void)map_resource(c, p);
    c->own.pool_count = c->own.resource_count;
}

static void cut_column(struct cutting *c, uint32_t k)
{
    const struct columns *all = c->ground->columns;
    struct columns *own = &c->own;
    uint32_t const at = own->column_count++;
    own->original[at] = k;
    own->worth[at] = all->worth[k];
    own->pool_gpus[at] = c->map[columns_pool(all, k)] << 16 | (all->pool_gpus[k] & 0xffff);
    for (uint32_t e = all->first_entry[k]; e < all->first_entry[k + 1]; e++) {
        own->entry_resource[c->entry_count] = map_resource(c, all->entry_resource[e]);
        own->entry_part[c->entry_count++] = all->entry_part[e];
    }
    own->first_entry[at + 1] = c->entry_count;
}

static bool uses(const struct cutting *c, uint32_t job, uint32_t k, uint32_t *extra)
{
    while (*extra < c->task->extra_count && c->task->extras[*extra].job < job)
        (*extra)++;
    for (uint32_t i = *extra; i < c->task->extra_count && c->task->extras[i].job == job; i++)
        if (c->task->extras[i].column == k)
            return true;
    return c->ground->division->main[job] == k;
}

static void cut_job(struct cutting *c, uint32_t i, uint32_t *extra)
{
    const struct block_ground *ground = c->ground;
    const struct columns *all = ground->columns;
    uint32_t const job = c->task->jobs[i];
    double best = 0;
    double most = 0;
    for (uint32_t k = all->first[job]; k < all->first[job + 1]; k++)
        if (c->map[columns_pool(all, k)] != UNMAPPED) {
            double const value = columns_value(all, k, ground->gpu_price, ground->price);
            if (value > best)
                best = value;
            most = fmax(most, all->worth[k]);
        }
    c->choice[i] = SIMPLEX_IDLE;
    for (uint32_t k = all->first[job]; k < all->first[job + 1]; k++) {
        if (c->map[columns_pool(all, k)] == UNMAPPED)
            continue;
        bool const used = uses(c, job, k, extra);
        double const value = columns_value(all, k, ground->gpu_price, ground->price);
        if (!used && !ground->whole && value < best - FAR * most)
            continue;
        if (used && !ground->division->mixed[job])
            c->choice[i] = c->own.column_count;
        cut_column(c, k);
    }
}

static void cut_jobs(struct cutting *c)
{
    uint32_t extra = 0;
    c->own.market = c->ground->columns->market;
    c->own.scale = c->ground->columns->scale;
    for (uint32_t i = 0; i < c->task->job_count; i++) {
        c->everyone[i] = i;
        c->own.first[i] = c->own.column_count;
        cut_job(c, i, &extra);
    }
    c->own.job_count = c->task->job_count;
    c->own.first[c->own.job_count] = c->own.column_count;
}

static void count(struct cutting *c, uint32_t k, double share)
{
    const struct columns *all = c->ground->columns;
    if (k == DIVISION_IDLE)
        return;
    uint32_t const pool = columns_pool(all, k);
    c->capacity[c->map[pool]] += share * (columns_gpus(all, k) * all->unit[pool]);
    for (uint32_t e = all->first_entry[k]; e < all->first_entry[k + 1]; e++)
        c->capacity[c->map[all->entry_resource[e]]] += share * all->entry_part[e];
}

static void find_capacity(struct cutting *c)
{
    const struct block_ground *ground = c->ground;
    for (uint32_t i = 0; i < c->task->job_count; i++)
        count(c, ground->division->main[c->task->jobs[i]],
              ground->division->rest[c->task->jobs[i]]);
    for (uint32_t i = 0; i < c->task->extra_count; i++)
        count(c, c->task->extras[i].column, c->task->extras[i].share);
    for (uint32_t r = 0; r < c->own.resource_count; r++)
        if (ground->row_home[c->global[r]] == c->task->block)
            c->capacity[r] += fmax(0, ground->left[c->global[r]]);
}

static enum status read_answer(const struct cutting *c, const struct simplex *simplex,
                               struct block_answer *answer, struct fault *fault)
{
    uint32_t const jobs = c->own.job_count;
    answer->main = calloc((size_t)jobs + 1, sizeof *answer->main);
    answer->extras = calloc((size_t)simplex->kernel.size + 1, sizeof *answer->extras);
    if (answer->main == NULL || answer->extras == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a block's answer");
    answer->iterations = simplex->iterations;
    answer->price = calloc((size_t)c->own.resource_count + 1, sizeof *answer->price);
    answer->resource = calloc((size_t)c->own.resource_count + 1, sizeof *answer->resource);
    if (answer->price == NULL || answer->resource == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a block's answer");
    for (uint32_t r = 0; r < c->own.resource_count; r++) {
        answer->price[r] = fmax(0, simplex->price[r]);
        answer->resource[r] = c->global[r];
    }
    answer->resource_count = c->own.resource_count;
    for (uint32_t i = 0; i < jobs; i++) {
        uint32_t const key = simplex->key[i];
        answer->main[i] = (struct division_extra){
            .job = c->task->jobs[i],
            .column = key == SIMPLEX_IDLE ? DIVISION_IDLE : c->own.original[key],
            .share = fmin(fmax(simplex->rest[i], 0), 1)};
    }
    for (uint32_t n = 0; n < simplex->kernel.size; n++) {
        const struct simplex_slot *slot = &simplex->slots[n];
        if (slot->share > 0)
            answer->extras[answer->extra_count++] = (struct division_extra){
                .job = c->task->jobs[slot->job],
                .column =
                    slot->column == SIMPLEX_IDLE ? DIVISION_IDLE : c->own.original[slot->column],
                .share = fmin(slot->share, 1)};
    }
    return STATUS_OK;
}

static enum status improve(struct cutting *c, struct block_answer *answer, struct fault *fault)
{
    struct simplex simplex;
    double largest = 0;
    for (uint32_t k = 0; k < c->own.column_count; k++)
        largest = fmax(largest, c->own.worth[k]);
    enum status status = simplex_make(&c->own, &simplex, fault);
    for (size_t phase = 0; status == STATUS_OK && phase < sizeof floors / sizeof floors[0];
         phase++) {
        for (uint32_t r = 0; r < c->own.resource_count; r++)
            c->floor[r] = floors[phase] * c->ground->price[c->global[r]];
        if (phase == 0)
            simplex_start(&simplex, c->choice, c->capacity, c->floor);
        else
            simplex_set_floor(&simplex, c->floor);
        simplex.tolerance = TOLERANCE * largest;
        simplex_run(&simplex, c->everyone, c->own.job_count,
                    ITERATIONS_BASE + ITERATIONS_EACH * (uint64_t)c->own.job_count, HUGE_VAL);
    }
    if (status == STATUS_OK) {
        simplex_restore(&simplex);
        status = read_answer(c, &simplex, answer, fault);
    }
    simplex_fini(&simplex);
    return status;
}

void block_answer_fini(struct block_answer *answer)
{
    free(answer->main);
    free(answer->extras);
    free(answer->price);
    free(answer->resource);
    *answer = (struct block_answer){0};
}
