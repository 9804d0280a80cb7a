#include "economics/games/nearest_generated.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "economics/games/climbing.h"
#include "economics/games/separation.h"

#define BROKEN  1e-9  /* of v(N): a coalition that is short by less breaks nothing */
#define SETTLED 1e-13 /* of v(N): multipliers that move less stay */

enum { ROWS_MAX = 4096, PASSES_MAX = 4096, SWEEPS_MAX = 20000, STARTS = 4 };

struct nearing {
    const struct input_game *input;
    const double *from;
    bool (*stop)(void *context);
    void *context;
    uint32_t n;
    double total;
    struct oracle oracle;
    struct separation *separation;
    struct rng rng;
    bool *in;           /* [n] a coalition at hand */
    bool *rows;         /* [ROWS_MAX × n] coalitions */
    uint32_t *size;     /* [ROWS_MAX] of each */
    double *worth;      /* [ROWS_MAX] */
    double *multiplier; /* [ROWS_MAX] >= 0 */
    struct nearest_generated *nearest;
};

static enum status open_nearing(struct nearing *g, struct arena *arena, struct fault *fault);
static enum status first_rows(struct nearing *g, struct fault *fault);
static void solve(struct nearing *g);
static enum status search(struct nearing *g, uint32_t *added, struct fault *fault);
static enum status separate(struct nearing *g, uint32_t *added, struct fault *fault);

static bool is_over(const struct nearing *g)
{
    return g->stop != NULL && g->stop(g->context);
}

enum status nearest_generate(const struct input_game *input, const double *from,
                             bool (*stop)(void *context), void *context, struct arena *arena,
                             struct nearest_generated *nearest, struct fault *fault)
{
    struct nearing g = {.input = input,
                        .from = from,
                        .stop = stop,
                        .context = context,
                        .n = input->game.players,
                        .nearest = nearest};
    *nearest = (struct nearest_generated){.at_most = HUGE_VAL};
    enum status status = open_nearing(&g, arena, fault);
    bool const nothing = status == STATUS_OK && g.total <= 0.0; /* no coalition reaches anything */
    if (nothing) {
        nearest->at_most = 0.0;
        for (uint32_t i = 0; i < g.n; i++)
            nearest->x[i] = 0.0;
    }
    if (status == STATUS_OK && !nothing)
        status = first_rows(&g, fault);
    for (uint32_t pass = 0; pass < PASSES_MAX && status == STATUS_OK && !nothing; pass++) {
        uint32_t added = 0;
        solve(&g);
        nearest->at_most = HUGE_VAL;
        if (is_over(&g))
            break;
        status = search(&g, &added, fault);
        if (status == STATUS_OK && added == 0 && !is_over(&g))
            status = separate(&g, &added, fault);
        if (added == 0)
            break;
    }
    nearest->certified =
        status == STATUS_OK && nearest->at_most <= 2.0 * SEPARATION_SLACK * fmax(g.total, 0.0);
    separation_close(g.separation);
    oracle_close(&g.oracle);
    return status;
}

/* --- Opening */

static enum status open_nearing(struct nearing *g, struct arena *arena, struct fault *fault)
{
    size_t const n = g->n;
    g->nearest->x = arena_alloc(arena, n, sizeof *g->nearest->x);
    g->in = arena_alloc(arena, n, sizeof *g->in);
    g->rows = arena_alloc(arena, ROWS_MAX * n, sizeof *g->rows);
    g->size = arena_alloc(arena, ROWS_MAX, sizeof *g->size);
    g->worth = arena_alloc(arena, ROWS_MAX, sizeof *g->worth);
    g->multiplier = arena_alloc(arena, ROWS_MAX, sizeof *g->multiplier);
    if (g->nearest->x == NULL || g->in == NULL || g->rows == NULL || g->size == NULL ||
        g->worth == NULL || g->multiplier == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the nearest core point");
    rng_init(&g->rng, 1, 2);
    enum status status = oracle_open(g->input, &g->oracle, fault);
    for (uint32_t i = 0; i < g->n && status == STATUS_OK; i++)
        oracle_set(&g->oracle, i, true);
    if (status == STATUS_OK)
        status = oracle_worth(&g->oracle, &g->total, fault);
    double paid = 0.0;
    for (uint32_t i = 0; i < g->n; i++)
        paid += g->from[i];
    for (uint32_t i = 0; i < g->n; i++)
        g->nearest->x[i] = g->from[i] + (g->total - paid) / g->n;
    return status;
}

/* in[], unless there is no room for more. */
static void add_row(struct nearing *g, double worth)
{
    uint32_t const at = g->nearest->count;
    if (at == ROWS_MAX)
        return;
    memcpy(g->rows + (size_t)at * g->n, g->in, g->n * sizeof *g->in);
    for (uint32_t i = 0; i < g->n; i++)
        g->size[at] += g->in[i] ? 1u : 0u;
    g->worth[at] = worth;
    g->nearest->count++;
}

static enum status first_rows(struct nearing *g, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < 2 * g->n && status == STATUS_OK; k++) {
        double worth = 0.0;
        for (uint32_t i = 0; i < g->n; i++) {
            g->in[i] = (i == k / 2) == (k % 2 == 0);
            oracle_set(&g->oracle, i, g->in[i]);
        }
        status = oracle_worth(&g->oracle, &worth, fault);
        add_row(g, worth);
    }
    return status;
}

/* --- The nearest point under the rows there are */

/* One row's multiplier moves to where the row is met, or to 0. On x(N) = v(N) a row's normal is the
 * coalition less its mean: members gain (1 − s/n) a unit, the others lose s/n. */
static double adjust(struct nearing *g, uint32_t row)
{
    const bool *in = g->rows + (size_t)row * g->n;
    double const part = (double)g->size[row] / g->n;
    double const square = g->size[row] * (1.0 - part); /* of the normal */
    double paid = 0.0;
    for (uint32_t i = 0; i < g->n; i++)
        paid += in[i] ? g->nearest->x[i] : 0.0;
    double step = (g->worth[row] - paid) / square;
    step = step < -g->multiplier[row] ? -g->multiplier[row] : step;
    g->multiplier[row] += step;
    for (uint32_t i = 0; i < g->n && step != 0.0; i++)
        g->nearest->x[i] += step * ((in[i] ? 1.0 : 0.0) - part);
    return fabs(step);
}

static void solve(struct nearing *g)
{
    for (uint32_t sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        double moved = 0.0;
        for (uint32_t row = 0; row < g->nearest->count; row++)
            moved = fmax(moved, adjust(g, row));
        if (moved <= SETTLED * g->total || (sweep % 64 == 63 && is_over(g)))
            break;
    }
}

/* --- Coalitions that object */

static void take(struct nearing *g, const struct climbing *climbing, uint32_t *added)
{
    double worth = climbing->excess;
    if (climbing->size == 0 || climbing->size == g->n || climbing->excess <= BROKEN * g->total ||
        g->nearest->count == ROWS_MAX)
        return;
    for (uint32_t i = 0; i < g->n; i++)
        worth += g->in[i] ? g->nearest->x[i] : 0.0;
    add_row(g, worth);
    (*added)++;
}

static struct climbing climb_here(struct nearing *g)
{
    return (struct climbing){.oracle = &g->oracle,
                             .split = g->nearest->x,
                             .scale = g->total,
                             .stop = g->stop,
                             .context = g->context,
                             .in = g->in};
}

/* From rows that bind, and from coalitions at random. */
static enum status search(struct nearing *g, uint32_t *added, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t start = 0; start < STARTS && status == STATUS_OK && !is_over(g); start++) {
        struct climbing climbing = climb_here(g);
        uint32_t const row = (uint32_t)rng_below(&g->rng, g->nearest->count);
        for (uint32_t i = 0; i < g->n; i++)
            g->in[i] =
                start % 2 == 0 ? g->rows[(size_t)row * g->n + i] : rng_below(&g->rng, 2) == 0;
        status = climbing_run(&climbing, fault);
        if (status == STATUS_OK)
            take(g, &climbing, added);
    }
    return status;
}

static enum status separate(struct nearing *g, uint32_t *added, struct fault *fault)
{
    struct separated separated = {.in = g->in};
    struct climbing climbing = climb_here(g);
    enum status status = STATUS_OK;
    if (g->separation == NULL)
        status = separation_open(g->input, g->total, &g->separation, fault);
    if (status == STATUS_OK)
        status =
            separation_find(g->separation, g->nearest->x, g->stop, g->context, &separated, fault);
    if (status != STATUS_OK)
        return status;
    g->nearest->at_most = separated.at_most;
    if (!separated.found)
        return STATUS_OK;
    status = climbing_evaluate(&climbing, fault);
    if (status == STATUS_OK && g->nearest->at_most > 2.0 * SEPARATION_SLACK * g->total)
        take(g, &climbing, added);
    return status;
}
