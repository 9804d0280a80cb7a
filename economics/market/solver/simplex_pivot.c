/* One iteration: what moves, what stops it first, and the basis after it (simplex.h). */
#include <assert.h>
#include <math.h>

#include "economics/market/solver/simplex.h"

/* Rates below this are rounding errors; shares and usages may be this far out of bounds. */
#define RATE_MIN 1e-9
#define OUT_MAX  1e-10

enum leaving_kind { LEAVES_NOTHING, LEAVES_SLOT, LEAVES_KEY, LEAVES_SLACK };

struct leaving {
    enum leaving_kind kind;
    uint32_t index; /* slot, job or resource */
    double rate;
    double step;
};

static void spread(struct simplex *s);
static struct leaving find_leaving(const struct simplex *s);
static void step(struct simplex *s, double by);
static uint32_t swap_key(struct simplex *s, uint32_t job);
static void multiply_row(struct simplex *s, uint32_t resource);

/* -- What moves -------------------------------------------------------------------------------- */

static void move_job(struct simplex *s, uint32_t job, double by)
{
    struct simplex_move *move = &s->move;
    if (!move->job_touched[job]) {
        move->job_touched[job] = true;
        move->jobs[move->job_count++] = job;
        move->rest[job] = 0;
    }
    move->rest[job] += by;
}

/* From the direction of the slots to keys and slack resources. */
static void spread(struct simplex *s)
{
    for (uint32_t n = 0; n < s->kernel.size; n++) {
        double const d = s->move.d[n];
        if (fabs(d) <= 1e-14)
            continue;
        const struct simplex_slot *slot = &s->slots[n];
        move_job(s, slot->job, d);
        simplex_add_difference(s, slot->column, s->key[slot->job], -d);
    }
}

/* -- What stops it ----------------------------------------------------------------------------- */

struct stopping {
    double least; /* of the relaxed steps, in the first look */
    struct leaving best;
    bool second;
};

static void consider(struct stopping *stopping, struct leaving candidate, double left, double scale)
{
    double const rate = candidate.rate / scale;
    if (rate <= RATE_MIN)
        return;
    double const room = left / scale;
    if (!stopping->second) {
        stopping->least = fmin(stopping->least, (fmax(room, 0) + OUT_MAX) / rate);
        return;
    }
    if (room / rate > stopping->least || rate <= stopping->best.step)
        return;
    stopping->best = candidate;
    stopping->best.step = rate; /* of the greatest rate, while looking */
}

static void look(const struct simplex *s, struct stopping *stopping)
{
    const struct simplex_move *move = &s->move;
    for (uint32_t n = 0; n < s->kernel.size; n++)
        consider(stopping, (struct leaving){LEAVES_SLOT, n, move->d[n], 0}, s->slots[n].share, 1);
    for (uint32_t i = 0; i < move->job_count; i++) {
        uint32_t const j = move->jobs[i];
        consider(stopping, (struct leaving){LEAVES_KEY, j, -move->rest[j], 0}, s->rest[j], 1);
    }
    for (uint32_t i = 0; i < move->resource_count; i++) {
        uint32_t const r = move->resources[i];
        if (s->tight_at[r] == SIMPLEX_NONE)
            consider(stopping, (struct leaving){LEAVES_SLACK, r, move->used[r], 0},
                     s->capacity[r] - s->usage[r], s->typical[r]);
    }
}

/* Two looks [Harris 1973]: how far at most, a little out of bounds allowed; and of what stops it
 * by then the one with the greatest rate, for the numbers' sake. */
static struct leaving find_leaving(const struct simplex *s)
{
    struct stopping stopping = {.least = HUGE_VAL};
    look(s, &stopping);
    stopping.second = true;
    look(s, &stopping);
    struct leaving found = stopping.best;
    double left = 0;
    switch (found.kind) {
    case LEAVES_NOTHING: return found;
    case LEAVES_SLOT: left = s->slots[found.index].share; break;
    case LEAVES_KEY: left = s->rest[found.index]; break;
    case LEAVES_SLACK: left = s->capacity[found.index] - s->usage[found.index]; break;
    }
    found.step = fmax(0, left / found.rate);
    return found;
}

static void step(struct simplex *s, double by)
{
    const struct simplex_move *move = &s->move;
    for (uint32_t n = 0; n < s->kernel.size; n++)
        s->slots[n].share -= by * move->d[n];
    for (uint32_t i = 0; i < move->job_count; i++)
        s->rest[move->jobs[i]] += by * move->rest[move->jobs[i]];
    for (uint32_t i = 0; i < move->resource_count; i++)
        s->usage[move->resources[i]] += by * move->used[move->resources[i]];
}

/* -- The basis after it ------------------------------------------------------------------------ */

/* The job's key, which leaves, changes places with one of its slots; returns that slot. */
static uint32_t swap_key(struct simplex *s, uint32_t job)
{
    uint32_t others[64];
    uint32_t count = 0;
    int32_t best = s->job_slot[job];
    for (int32_t n = s->job_slot[job]; n != SIMPLEX_NONE; n = s->slots[n].next)
        if (s->slots[n].share > s->slots[best].share)
            best = n;
    for (int32_t n = s->job_slot[job]; n != SIMPLEX_NONE; n = s->slots[n].next)
        if (n != best && count < 64)
            others[count++] = (uint32_t)n;
    assert(count < 64);
    struct simplex_slot *slot = &s->slots[best];
    uint32_t const key = s->key[job];
    double const rest = s->rest[job];
    s->key[job] = slot->column;
    s->rest[job] = slot->share;
    slot->column = key;
    slot->share = rest;
    kernel_flip(&s->kernel, (uint32_t)best, others, count);
    s->move.d[best] = -s->move.rest[job];
    return (uint32_t)best;
}

/* s->row = (the resource's row of the basis) × W. */
static void multiply_row(struct simplex *s, uint32_t resource)
{
    uint32_t count = 0;
    uint32_t *at = s->kernel.list;
    for (uint32_t n = 0; n < s->kernel.size; n++) {
        double const v = s->work[n];
        if (v != 0)
            at[count++] = n;
    }
    for (uint32_t l = 0; l < s->kernel.size; l++) {
        const double *w = kernel_column(&s->kernel, l);
        double sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += s->work[at[i]] * w[at[i]];
        s->row[l] = sum;
    }
    (void)resource;
}

static double part_of(const struct columns *columns, uint32_t column, uint32_t resource)
{
    if (column == SIMPLEX_IDLE)
        return 0;
    if (resource < columns->pool_count)
        return columns_pool(columns, column) == resource
                   ? columns_gpus(columns, column) * columns->unit[resource]
                   : 0;
    for (uint32_t e = columns->first_entry[column]; e < columns->first_entry[column + 1]; e++)
        if (columns->entry_resource[e] == resource)
            return columns->entry_part[e];
    return 0;
}

/* s->work = the resource's row of the basis. */
static void gather_row(struct simplex *s, uint32_t resource)
{
    for (uint32_t n = 0; n < s->kernel.size; n++)
        s->work[n] = part_of(s->columns, s->slots[n].column, resource) -
                     part_of(s->columns, s->key[s->slots[n].job], resource);
}

static void add_to_prices(struct simplex *s, double factor)
{
    for (uint32_t l = 0; l < s->kernel.size; l++)
        if (s->row[l] != 0)
            simplex_set_price(s, s->tight[l], s->price[s->tight[l]] + factor * s->row[l]);
}

static void unlink_slot(struct simplex *s, uint32_t n)
{
    int32_t *at = &s->job_slot[s->slots[n].job];
    while (*at != (int32_t)n)
        at = &s->slots[*at].next;
    *at = s->slots[n].next;
}

static void put_slot(struct simplex *s, uint32_t n, uint32_t job, uint32_t column, double share)
{
    s->slots[n] = (struct simplex_slot){
        .column = column, .job = job, .next = s->job_slot[job], .share = share};
    s->job_slot[job] = (int32_t)n;
}

/* The last slot takes the place of n; the kernel has done so already. */
static void close_slot(struct simplex *s, uint32_t n)
{
    uint32_t const last = s->kernel.size; /* after shrinking */
    if (n == last)
        return;
    int32_t *at = &s->job_slot[s->slots[last].job];
    while (*at != (int32_t)last)
        at = &s->slots[*at].next;
    *at = (int32_t)n;
    s->slots[n] = s->slots[last];
}

static bool make_tight(struct simplex *s, uint32_t resource)
{
    if (s->kernel.size >= s->slot_room || !kernel_reserve(&s->kernel)) {
        s->stuck = true;
        return false;
    }
    gather_row(s, resource);
    multiply_row(s, resource);
    return true;
}

void simplex_enter_column(struct simplex *s, uint32_t job, uint32_t column, double reduced)
{
    struct simplex_move *move = &s->move;
    simplex_clear_move(s);
    simplex_add_difference(s, column, s->key[job], 1);
    for (uint32_t n = 0; n < s->kernel.size; n++)
        move->d[n] = 0;
    for (uint32_t i = 0; i < move->resource_count; i++) {
        int32_t const l = s->tight_at[move->resources[i]];
        double const u = move->used[move->resources[i]];
        if (l == SIMPLEX_NONE || u == 0)
            continue;
        const double *w = kernel_column(&s->kernel, (uint32_t)l);
        for (uint32_t n = 0; n < s->kernel.size; n++)
            move->d[n] += u * w[n];
    }
    move_job(s, job, -1);
    spread(s);
    struct leaving leaving = find_leaving(s);
    assert(leaving.kind != LEAVES_NOTHING); /* its own job's round ends */
    if (leaving.kind == LEAVES_SLACK && !make_tight(s, leaving.index))
        return;
    step(s, leaving.step);
    if (leaving.kind == LEAVES_KEY && s->job_slot[leaving.index] == SIMPLEX_NONE) {
        s->key[job] = column; /* its own: no other job's key moves without a slot */
        s->rest[job] = leaving.step;
        return;
    }
    if (leaving.kind == LEAVES_SLACK) {
        uint32_t const n = s->kernel.size;
        add_to_prices(s, -reduced / leaving.rate);
        simplex_set_price(s, leaving.index, s->floor[leaving.index] + reduced / leaving.rate);
        kernel_grow(&s->kernel, move->d, s->row, leaving.rate);
        s->tight[n] = leaving.index;
        s->tight_at[leaving.index] = (int32_t)n;
        put_slot(s, n, job, column, leaving.step);
        return;
    }
    uint32_t const n = leaving.kind == LEAVES_KEY ? swap_key(s, leaving.index) : leaving.index;
    kernel_row(&s->kernel, n, s->row);
    add_to_prices(s, reduced / move->d[n]);
    kernel_replace_column(&s->kernel, n, move->d, s->row);
    unlink_slot(s, n);
    put_slot(s, n, job, column, leaving.step);
}

void simplex_enter_slack(struct simplex *s, uint32_t l, double reduced)
{
    struct simplex_move *move = &s->move;
    uint32_t const resource = s->tight[l];
    const double *w = kernel_column(&s->kernel, l);
    simplex_clear_move(s);
    for (uint32_t n = 0; n < s->kernel.size; n++)
        move->d[n] = w[n];
    spread(s);
    struct leaving const leaving = find_leaving(s);
    if (leaving.kind == LEAVES_NOTHING) { /* numbers, not the market: nothing else bounds a share */
        s->stuck = true;
        return;
    }
    if (leaving.kind == LEAVES_SLACK && !make_tight(s, leaving.index))
        return;
    step(s, leaving.step);
    s->usage[resource] = s->capacity[resource] - leaving.step;
    if (leaving.kind == LEAVES_SLACK) {
        add_to_prices(s, -reduced / leaving.rate);
        simplex_set_price(s, leaving.index, s->floor[leaving.index] + reduced / leaving.rate);
        kernel_replace_row(&s->kernel, l, s->row);
        s->tight[l] = leaving.index;
        s->tight_at[leaving.index] = (int32_t)l;
    } else {
        uint32_t const n = leaving.kind == LEAVES_KEY ? swap_key(s, leaving.index) : leaving.index;
        uint32_t const last = s->kernel.size - 1;
        kernel_row(&s->kernel, n, s->row);
        add_to_prices(s, reduced / move->d[n]);
        kernel_shrink(&s->kernel, n, l, s->row);
        unlink_slot(s, n);
        close_slot(s, n);
        s->tight[l] = s->tight[last];
        s->tight_at[s->tight[l]] = (int32_t)l;
    }
    s->tight_at[resource] = SIMPLEX_NONE;
    simplex_set_price(s, resource, s->floor[resource]);
}
