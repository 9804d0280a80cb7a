#include "economics/market/solver/simplex.h"

#include <math.h>
#include <string.h>

#define SIMPLEX_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)

/* Capacities are shortened by less than any job's round, so that jobs that fit still fit. */
#define CAPACITY_SHORTENED (SIMPLEX_SHORTENED / 100)

/* 0.5 to 1, from the index alone. */
static double part_of_one(uint64_t index)
{
    uint64_t z = (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return 0.5 + (double)(z >> 12) * 0x1p-53;
}

static double round_of(uint32_t job)
{
    return 1 - SIMPLEX_SHORTENED * part_of_one(job);
}

/* By a part of what one column uses, where a block has next to nothing of it. */
static double shortened(const struct simplex *s, uint32_t r)
{
    return s->full[r] * (1 - CAPACITY_SHORTENED * part_of_one(r));
}

static void find_typical(struct simplex *s);

static void *room(struct simplex *s, size_t count, size_t size)
{
    void *array = arena_alloc(&s->arena, count, size);
    if (array == NULL)
        s->stuck = true;
    return array;
}

enum status simplex_make(const struct columns *columns, struct simplex *s, struct fault *fault)
{
    *s = (struct simplex){.columns = columns};
    uint32_t const jobs = columns->job_count;
    uint32_t const resources = columns->resource_count;
    s->slot_room = resources < KERNEL_SIZE_MAX ? resources : KERNEL_SIZE_MAX;
    arena_init(&s->arena, SIMPLEX_BYTES_MAX);
    s->key = room(s, jobs, sizeof *s->key);
    s->job_slot = room(s, jobs, sizeof *s->job_slot);
    s->rest = room(s, jobs, sizeof *s->rest);
    s->full = room(s, resources, sizeof *s->full);
    s->capacity = room(s, resources, sizeof *s->capacity);
    s->usage = room(s, resources, sizeof *s->usage);
    s->floor = room(s, resources, sizeof *s->floor);
    s->price = room(s, resources, sizeof *s->price);
    s->typical = room(s, resources, sizeof *s->typical);
    s->gpu_price = room(s, columns->pool_count, sizeof *s->gpu_price);
    s->tight_at = room(s, resources, sizeof *s->tight_at);
    s->slots = room(s, s->slot_room, sizeof *s->slots);
    s->tight = room(s, s->slot_room, sizeof *s->tight);
    s->row = room(s, s->slot_room, sizeof *s->row);
    s->work = room(s, s->slot_room, sizeof *s->work);
    s->move.d = room(s, s->slot_room, sizeof *s->move.d);
    s->move.used = room(s, resources, sizeof *s->move.used);
    s->move.resources = room(s, resources, sizeof *s->move.resources);
    s->move.resource_touched = room(s, resources, sizeof *s->move.resource_touched);
    s->move.rest = room(s, jobs, sizeof *s->move.rest);
    s->move.jobs = room(s, jobs, sizeof *s->move.jobs);
    s->move.job_touched = room(s, jobs, sizeof *s->move.job_touched);
    if (!kernel_make(&s->kernel) || s->stuck)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the market's simplex");
    find_typical(s);
    return STATUS_OK;
}

void simplex_fini(struct simplex *s)
{
    kernel_fini(&s->kernel);
    arena_fini(&s->arena);
}

static void find_typical(struct simplex *s)
{
    const struct columns *columns = s->columns;
    double *count = s->usage; /* not yet in use */
    for (uint32_t p = 0; p < columns->pool_count; p++)
        s->typical[p] = columns->unit[p];
    for (uint32_t k = 0; k < columns->column_count; k++)
        for (uint32_t e = columns->first_entry[k]; e < columns->first_entry[k + 1]; e++) {
            s->typical[columns->entry_resource[e]] += columns->entry_part[e];
            count[columns->entry_resource[e]] += 1;
        }
    for (uint32_t r = columns->pool_count; r < columns->resource_count; r++)
        s->typical[r] = count[r] > 0 ? s->typical[r] / count[r] : 1;
}

/* -- Small steps shared with the pivots -------------------------------------------------------- */

double simplex_value(const struct simplex *s, uint32_t column)
{
    return column == SIMPLEX_IDLE ? 0 : columns_value(s->columns, column, s->gpu_price, s->price);
}

void simplex_set_price(struct simplex *s, uint32_t resource, double price)
{
    s->price[resource] = price;
    if (resource < s->columns->pool_count)
        s->gpu_price[resource] = price * s->columns->unit[resource];
}

void simplex_clear_move(struct simplex *s)
{
    struct simplex_move *move = &s->move;
    for (uint32_t i = 0; i < move->resource_count; i++)
        move->resource_touched[move->resources[i]] = false;
    for (uint32_t i = 0; i < move->job_count; i++)
        move->job_touched[move->jobs[i]] = false;
    move->resource_count = 0;
    move->job_count = 0;
}

void simplex_touch(struct simplex *s, uint32_t resource, double by)
{
    struct simplex_move *move = &s->move;
    if (!move->resource_touched[resource]) {
        move->resource_touched[resource] = true;
        move->resources[move->resource_count++] = resource;
        move->used[resource] = 0;
    }
    move->used[resource] += by;
}

static void add_column(struct simplex *s, uint32_t column, double factor)
{
    const struct columns *columns = s->columns;
    if (column == SIMPLEX_IDLE)
        return;
    uint32_t const pool = columns_pool(columns, column);
    simplex_touch(s, pool, factor * columns_gpus(columns, column) * columns->unit[pool]);
    for (uint32_t e = columns->first_entry[column]; e < columns->first_entry[column + 1]; e++)
        simplex_touch(s, columns->entry_resource[e], factor * columns->entry_part[e]);
}

void simplex_add_difference(struct simplex *s, uint32_t column, uint32_t key, double factor)
{
    add_column(s, column, factor);
    add_column(s, key, -factor);
}

static void use(const struct columns *columns, uint32_t column, double share, double *usage)
{
    if (column != SIMPLEX_IDLE)
        columns_use(columns, column, share, usage);
}

static double worth_of(const struct columns *columns, uint32_t column)
{
    return column == SIMPLEX_IDLE ? 0 : columns->worth[column];
}

double simplex_worth(const struct simplex *s)
{
    double worth = 0;
    for (uint32_t j = 0; j < s->columns->job_count; j++)
        worth += s->rest[j] * worth_of(s->columns, s->key[j]);
    for (uint32_t n = 0; n < s->kernel.size; n++)
        worth += s->slots[n].share * worth_of(s->columns, s->slots[n].column);
    return worth;
}

/* -- Starting ---------------------------------------------------------------------------------- */

void simplex_start(struct simplex *s, const uint32_t *choice, const double *capacity,
                   const double *floor)
{
    const struct columns *columns = s->columns;
    s->kernel.size = 0;
    memset(s->usage, 0, columns->resource_count * sizeof *s->usage);
    for (uint32_t j = 0; j < columns->job_count; j++) {
        s->key[j] = choice[j];
        s->job_slot[j] = SIMPLEX_NONE;
        s->rest[j] = round_of(j);
        use(columns, s->key[j], s->rest[j], s->usage);
    }
    for (uint32_t r = 0; r < columns->resource_count; r++) {
        s->full[r] = capacity != NULL ? capacity[r] : 1;
        s->capacity[r] = shortened(s, r);
        s->tight_at[r] = SIMPLEX_NONE;
    }
    simplex_set_floor(s, floor);
}

void simplex_set_floor(struct simplex *s, const double *floor)
{
    memcpy(s->floor, floor, s->columns->resource_count * sizeof *floor);
    simplex_refresh(s);
}

/* -- Afresh ------------------------------------------------------------------------------------ */

/* What one basic column less its key is worth, slack resources at their floors paid. */
static double slot_worth(const struct simplex *s, uint32_t n)
{
    const struct simplex_slot *slot = &s->slots[n];
    return simplex_value(s, slot->column) - simplex_value(s, s->key[slot->job]);
}

/* y_T += (c − y B) W: with only the floors in the prices this is c W; again, it refines. */
static void solve_prices(struct simplex *s)
{
    for (uint32_t n = 0; n < s->kernel.size; n++)
        s->work[n] = slot_worth(s, n);
    for (uint32_t l = 0; l < s->kernel.size; l++) {
        const double *w = kernel_column(&s->kernel, l);
        double sum = 0;
        for (uint32_t n = 0; n < s->kernel.size; n++)
            sum += s->work[n] * w[n];
        s->row[l] = sum;
    }
    for (uint32_t l = 0; l < s->kernel.size; l++)
        simplex_set_price(s, s->tight[l], s->price[s->tight[l]] + s->row[l]);
}

/* x_N += W (b − usage) on the tight resources; rests and usage follow. */
static void solve_shares(struct simplex *s, double (*round)(uint32_t job), const double *capacity)
{
    const struct columns *columns = s->columns;
    uint32_t const size = s->kernel.size;
    for (uint32_t j = 0; j < columns->job_count; j++)
        s->rest[j] = round(j);
    for (uint32_t n = 0; n < size; n++)
        s->rest[s->slots[n].job] -= s->slots[n].share;
    memset(s->usage, 0, columns->resource_count * sizeof *s->usage);
    for (uint32_t j = 0; j < columns->job_count; j++)
        use(columns, s->key[j], s->rest[j], s->usage);
    for (uint32_t n = 0; n < size; n++)
        use(columns, s->slots[n].column, s->slots[n].share, s->usage);
    for (uint32_t l = 0; l < size; l++) {
        uint32_t const r = s->tight[l];
        double const missing = capacity[r] - s->usage[r];
        const double *w = kernel_column(&s->kernel, l);
        for (uint32_t n = 0; n < size; n++)
            s->slots[n].share += w[n] * missing;
    }
}

static void settle(struct simplex *s, double (*round)(uint32_t job), const double *capacity)
{
    for (uint32_t n = 0; n < s->kernel.size; n++)
        s->slots[n].share = 0;
    for (int refinement = 0; refinement < 3; refinement++)
        solve_shares(s, round, capacity);
    double *share = s->work; /* the last refinement, seen in rests and usage too */
    for (uint32_t n = 0; n < s->kernel.size; n++)
        share[n] = s->slots[n].share;
    solve_shares(s, round, capacity);
    for (uint32_t n = 0; n < s->kernel.size; n++)
        s->slots[n].share = share[n];
}

void simplex_refresh(struct simplex *s)
{
    for (uint32_t r = 0; r < s->columns->resource_count; r++)
        simplex_set_price(s, r, s->floor[r]);
    for (int refinement = 0; refinement < 3; refinement++)
        solve_prices(s);
    settle(s, round_of, s->capacity);
}

static double whole_round(uint32_t job)
{
    (void)job;
    return 1;
}

/* Within rounding of what each may be; then put exactly there. */
static bool in_bounds(struct simplex *s)
{
    double const most = 1e-11;
    for (uint32_t n = 0; n < s->kernel.size; n++)
        if (s->slots[n].share < -most)
            return false;
    for (uint32_t j = 0; j < s->columns->job_count; j++)
        if (s->rest[j] < -most)
            return false;
    for (uint32_t r = 0; r < s->columns->resource_count; r++)
        if (s->usage[r] > s->full[r] + most)
            return false;
    return true;
}

void simplex_restore(struct simplex *s)
{
    settle(s, whole_round, s->full);
    if (!in_bounds(s))
        settle(s, round_of, s->capacity);
}

/* -- Iterating --------------------------------------------------------------------------------- */

struct entering {
    uint32_t job;
    uint32_t column;
    double gain;
};

static void ask_job(const struct simplex *s, uint32_t job, struct entering *entering)
{
    const struct columns *columns = s->columns;
    double const now = simplex_value(s, s->key[job]) + fmax(entering->gain, s->tolerance);
    double most = now;
    uint32_t best = SIMPLEX_IDLE;
    bool found = false;
    if (0 > most) {
        most = 0;
        found = true;
    }
    for (uint32_t k = columns->first[job]; k < columns->first[job + 1]; k++) {
        double const value = columns_value(columns, k, s->gpu_price, s->price);
        if (value > most) {
            most = value;
            best = k;
            found = true;
        }
    }
    if (found)
        *entering = (struct entering){job, best, fmax(entering->gain, s->tolerance) + most - now};
}

/* A tight resource whose price is below its floor gives way. */
static bool enter_slack(struct simplex *s, double gain)
{
    int32_t best = SIMPLEX_NONE;
    for (uint32_t l = 0; l < s->kernel.size; l++) {
        uint32_t const r = s->tight[l];
        double const reduced = s->floor[r] - s->price[r];
        if (reduced > s->tolerance && reduced * s->typical[r] > gain) {
            best = (int32_t)l;
            gain = reduced * s->typical[r];
        }
    }
    if (best == SIMPLEX_NONE)
        return false;
    uint32_t const r = s->tight[best];
    simplex_enter_slack(s, (uint32_t)best, s->floor[r] - s->price[r]);
    return true;
}

void simplex_run(struct simplex *s, const uint32_t *jobs, uint32_t count, uint64_t iterations_max,
                 double enough)
{
    uint32_t at = 0;
    uint32_t missed = 0;
    while (missed < count + SIMPLEX_CHUNK && !s->stuck && s->iterations < iterations_max) {
        struct entering entering = {.gain = 0};
        uint32_t const chunk = count < SIMPLEX_CHUNK ? count : SIMPLEX_CHUNK;
        for (uint32_t i = 0; i < chunk; i++) {
            ask_job(s, jobs[at], &entering);
            at = at + 1 < count ? at + 1 : 0;
        }
        missed += SIMPLEX_CHUNK;
        if (enter_slack(s, entering.gain)) {
            missed = 0;
        } else if (entering.gain > 0) {
            simplex_enter_column(s, entering.job, entering.column, entering.gain);
            missed = 0;
        }
        s->iterations += missed == 0;
        if (isfinite(enough) && s->iterations % 64 == 0 && missed == 0 &&
            simplex_worth(s) >= enough)
            return;
    }
}
