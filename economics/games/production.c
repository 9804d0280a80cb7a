#include "economics/games/production.h"

#include <assert.h>
#include <math.h>

#include "base/tolerance.h"
#include "economics/games/production_internal.h"
#include "economics/games/production_walk.h"

enum { ITERATIONS_MAX = 10000000 };

enum status production_validate(const struct production *production, struct fault *fault)
{
    uint32_t m = production->resources;
    uint32_t k = production->goods;
    if (production->players == 0 || production->players > PRODUCTION_PLAYERS_MAX || m == 0 ||
        m > PRODUCTION_ROWS_MAX || k == 0 || k > PRODUCTION_GOODS_MAX)
        return fault_set(fault, STATUS_INVALID,
                         "a production game has 1 to %d players, 1 to %d resources and 1 to %d "
                         "goods",
                         PRODUCTION_PLAYERS_MAX, PRODUCTION_ROWS_MAX, PRODUCTION_GOODS_MAX);
    for (uint32_t e = 0; e < m * k; e++)
        if (!isfinite(production->use[e]))
            return fault_set(fault, STATUS_INVALID, "A[%u][%u] is not a finite number", e / k,
                             e % k);
    for (uint32_t e = 0; e < k; e++)
        if (!isfinite(production->value[e]))
            return fault_set(fault, STATUS_INVALID, "c[%u] is not a finite number", e);
    for (uint32_t e = 0; e < production->players * m; e++)
        if (!isfinite(production->owned[e]) || production->owned[e] < 0.0)
            return fault_set(fault, STATUS_INVALID,
                             "b[%u][%u] must be a finite number and not negative", e / m, e % m);
    return STATUS_OK;
}

enum status production_build(const struct production *production, struct lp *lp,
                             struct fault *fault)
{
    static const struct lp_bounds any = {0.0, (double)INFINITY};
    enum status status = STATUS_OK;
    for (uint32_t r = 0; r < production->resources && status == STATUS_OK; r++)
        status = lp_add_row(lp, LP_AT_MOST, 0.0, NULL, 0, fault);
    for (uint32_t k = 0; k < production->goods && status == STATUS_OK; k++) {
        struct lp_entry entries[PRODUCTION_ROWS_MAX];
        uint32_t count = 0;
        for (uint32_t r = 0; r < production->resources; r++) {
            double use = production->use[r * production->goods + k];
            if (use != 0.0)
                entries[count++] = (struct lp_entry){.index = (int32_t)r, .value = use};
        }
        status = lp_add_column(lp, production->value[k], any, entries, count, fault);
    }
    return status;
}

enum status production_solve(struct lp *lp, double *worth, struct fault *fault)
{
    enum lp_answer answer = LP_STOPPED;
    enum status status = lp_solve(lp, ITERATIONS_MAX, &answer, fault);
    if (status != STATUS_OK)
        return status;
    if (answer == LP_UNBOUNDED || answer == LP_INFEASIBLE) /* of the dual, likewise */
        return fault_set(fault, STATUS_INVALID,
                         "production: a good of positive value can be made without end; give each "
                         "good a resource that it uses");
    if (answer != LP_OPTIMAL)
        return fault_set(fault, STATUS_INTERNAL, "production: the LP has no optimum");
    *worth = lp_objective(lp);
    return STATUS_OK;
}

/* One member joins or leaves between one coalition and the next [Gray 1953]. */
enum status production_table(const struct production *production, double *worth,
                             struct fault *fault)
{
    struct production_walk *walk;
    assert(production->players <= GAME_PLAYERS_MAX);
    enum status status = production_walk_open(production, &walk, fault);
    worth[0] = 0.0;
    for (uint32_t step = 1; step < 1u << production->players && status == STATUS_OK; step++) {
        uint32_t coalition = step ^ step >> 1;
        uint32_t player = (uint32_t)__builtin_ctz(step);
        production_walk_set(walk, player, (coalition >> player & 1) != 0);
        status = production_walk_worth(walk, &worth[coalition], fault);
    }
    production_walk_close(walk);
    return status;
}

/* --- Owen's split ---------------------------------------------------------------------------- */

/* The dual: prices y >= 0 with y A >= c; row 0 keeps the total cost at v(N) on the optimal face. */
struct face {
    const struct production *production;
    struct lp *lp;
    double *supply; /* [resources] of all */
};

static enum status build_face(struct face *face, struct fault *fault)
{
    const struct production *production = face->production;
    static const struct lp_bounds any = {0.0, (double)INFINITY};
    enum status status = STATUS_OK;
    for (uint32_t r = 0; r < production->resources && status == STATUS_OK; r++) {
        face->supply[r] = 0.0;
        for (uint32_t i = 0; i < production->players; i++)
            face->supply[r] += production_owned(production, i, r);
        status = lp_add_column(face->lp, face->supply[r], any, NULL, 0, fault);
    }
    for (uint32_t k = 0; k < production->goods && status == STATUS_OK; k++) {
        struct lp_entry entries[PRODUCTION_ROWS_MAX];
        uint32_t count = 0;
        for (uint32_t r = 0; r < production->resources; r++) {
            double use = production->use[r * production->goods + k];
            if (use != 0.0)
                entries[count++] = (struct lp_entry){.index = (int32_t)r, .value = use};
        }
        status = lp_add_row(face->lp, LP_AT_LEAST, production->value[k], entries, count, fault);
    }
    return status;
}

/* The present prices' payoffs; payoffs may be NULL. */
static double pay(const struct face *face, uint32_t player, double *payoffs)
{
    const struct production *production = face->production;
    double wanted = 0.0;
    for (uint32_t i = 0; i < production->players; i++) {
        double payoff = 0.0;
        for (uint32_t r = 0; r < production->resources; r++)
            payoff += production_owned(production, i, r) * lp_primal(face->lp, (int32_t)r);
        if (payoffs != NULL)
            payoffs[i] += payoff / production->players;
        if (i == player)
            wanted = payoff;
    }
    return wanted;
}

/* What a member gets where it gets least (most) on the face, which the pins keep us on. */
static enum status extreme(struct face *face, enum lp_direction direction, uint32_t player,
                           double *payoff, double *mean, struct fault *fault)
{
    enum status status = STATUS_OK;
    double ignored;
    lp_set_direction(face->lp, direction);
    for (uint32_t r = 0; r < face->production->resources && status == STATUS_OK; r++)
        status = lp_set_objective(face->lp, (int32_t)r,
                                  production_owned(face->production, player, r), fault);
    if (status == STATUS_OK)
        status = production_solve(face->lp, &ignored, fault);
    if (status == STATUS_OK)
        *payoff = pay(face, player, mean);
    return status;
}

static enum status explore(struct face *face, struct owen *owen, struct fault *fault)
{
    uint32_t n = face->production->players;
    enum status status = build_face(face, fault);
    if (status == STATUS_OK)
        status = production_solve(face->lp, &owen->total, fault);
    if (status != STATUS_OK)
        return status;
    owen->unique = lp_pin(face->lp);
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        status = extreme(face, LP_MINIMISE, i, &owen->least[i], NULL, fault);
        if (status == STATUS_OK)
            status = extreme(face, LP_MAXIMISE, i, &owen->greatest[i], owen->split, fault);
    }
    owen->unique = true;
    for (uint32_t i = 0; i < n; i++)
        owen->unique = owen->unique && owen->greatest[i] - owen->least[i] <=
                                           TOLERANCE_LP * fmax(fabs(owen->total), 1e-300);
    return status;
}

enum status production_owen(const struct production *production, struct arena *arena,
                            struct owen *owen, struct fault *fault)
{
    struct lp_environment *environment;
    struct face face = {.production = production,
                        .supply = arena_alloc(arena, production->resources, sizeof(double))};
    owen->split = arena_alloc(arena, production->players, sizeof *owen->split);
    owen->least = arena_alloc(arena, production->players, sizeof *owen->least);
    owen->greatest = arena_alloc(arena, production->players, sizeof *owen->greatest);
    if (face.supply == NULL || owen->split == NULL || owen->least == NULL || owen->greatest == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for Owen's split");
    enum status status = lp_environment_open(&environment, fault);
    if (status == STATUS_OK)
        status = lp_open(environment, LP_MINIMISE, &face.lp, fault);
    if (status == STATUS_OK)
        status = explore(&face, owen, fault);
    lp_close(face.lp);
    lp_environment_close(environment);
    return status;
}
