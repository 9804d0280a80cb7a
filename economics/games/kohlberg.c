/*
 * Kohlberg's criterion: does a split have the least sorted excesses? Checked level by level, from
 * the highest excess down.
 *
 * D(α) = the coalitions with excess at least α. x is the (pre)nucleolus exactly when for every
 * level that occurs, every y with y(N) = 0 and y(S) >= 0 on D(α) (and y_i >= 0 for players held at
 * v({i})) has y(S) = 0 on D(α) [Kohlberg 1971, theorem 4]. What follows is ours: once it holds at a
 * level, y is zero on the span of D there, so that at the next level only coalitions outside that
 * span need be looked at, those inside being equations; at full rank all the rest hold. So at most
 * n levels need an LP, and rows come into an LP on demand: a level may hold 2^n coalitions.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "economics/games/nucleolus.h"
#include "economics/games/ranking.h"
#include "economics/lp/lp.h"

#define DEPENDENT 1e-7 /* a 0/1 vector whose remainder is shorter lies in the span */
#define NEGATIVE  1e-7 /* of y, whose entries are within −1 and 1 */

static const double tolerances[] = {1e-9, 1e-8, 1e-7};

enum { ITERATIONS_MAX = 1000000, ROWS_AT_ONCE = 64, PASSES_MAX = 100000 };

/* An orthonormal basis of D's span [Gram & Schmidt]. */
struct basis {
    uint32_t rank;
    double vector[GAME_PLAYERS_MAX][GAME_PLAYERS_MAX];
    uint32_t coalition[GAME_PLAYERS_MAX]; /* it was made from */
};

struct check {
    const struct game *game;
    struct nucleolus_settings settings;
    const double *x;
    double sign;
    double surplus; /* the yardstick of tolerances */
    double noise;   /* absolute, from the digits of the worths */
    uint32_t held;  /* mask of players at v({i}) */
    struct ranking ranking;
    struct basis basis;
    uint32_t
        *level; /* [level_count] coalitions of this level outside the span of the higher ones */
    uint32_t level_count;
    struct lp_environment *environment;
};

static double *excesses(struct check *check, struct arena *arena, struct fault *fault);
static bool feasible(const struct check *check);
static void hold_players(struct check *check, double width);
static enum status check_levels(struct check *check, double tolerance, bool *holds,
                                double *failing_level, struct fault *fault);

enum status game_certify_nucleolus(const struct game *game, struct nucleolus_settings settings,
                                   const double *x, struct arena *arena,
                                   struct game_certificate *certificate, struct fault *fault)
{
    struct check check = {
        .game = game, .settings = settings, .x = x, .sign = game->kind == GAME_COST ? -1.0 : 1.0};
    *certificate = (struct game_certificate){.certified = false, .failing_level = 0.0};
    double *excess = excesses(&check, arena, fault);
    check.level = arena_alloc(arena, game_coalitions(game), sizeof *check.level);
    if (excess == NULL || check.level == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         game_coalitions(game));
    if (!feasible(&check))
        return STATUS_OK;
    enum status status = ranking_open(&check.ranking, excess, game_coalitions(game), fault);
    if (status == STATUS_OK)
        status = lp_environment_open(&check.environment, fault);
    size_t count = sizeof tolerances / sizeof tolerances[0];
    for (size_t t = 0; t < count && status == STATUS_OK && !certificate->certified; t++) {
        certificate->tolerance = tolerances[t];
        status = check_levels(&check, tolerances[t], &certificate->certified,
                              &certificate->failing_level, fault);
    }
    lp_environment_close(check.environment);
    ranking_close(&check.ranking);
    return status;
}

/* --- The steps ------------------------------------------------------------------------------- */

/* Fills surplus and noise too. */
static double *excesses(struct check *check, struct arena *arena, struct fault *fault)
{
    const struct game *game = check->game;
    double *excess = arena_alloc(arena, game_coalitions(game), sizeof *excess);
    (void)fault;
    if (excess == NULL)
        return NULL;
    double largest = 0.0;
    double alone = 0.0;
    for (uint32_t i = 0; i < game->players; i++)
        alone += game->worth[1u << i];
    for (uint32_t s = 1; s < game_coalitions(game); s++) {
        uint32_t rest = s & (s - 1);
        excess[s] = excess[rest] + check->x[__builtin_ctz(s)];
        largest = fmax(largest, fabs(game->worth[s]));
    }
    for (uint32_t s = 1; s < game_coalitions(game); s++) {
        excess[s] = check->sign * (game->worth[s] - excess[s]);
        if (check->settings.per_capita)
            excess[s] /= (double)__builtin_popcount(s);
    }
    double most = 0.0;
    for (uint32_t s = 1; s < game_grand(game); s++)
        most = fmax(most, excess[s]);
    check->noise = 4.0 * DBL_EPSILON * largest * game->players;
    check->surplus = fmax(fabs(game->worth[game_grand(game)] - alone), most);
    if (check->surplus <= check->noise)
        check->surplus = largest;
    return excess;
}

static double width_of(const struct check *check, double tolerance)
{
    return tolerance * check->surplus + check->noise;
}

/* Efficient, and nobody below v({i}) where that is asked. */
static bool feasible(const struct check *check)
{
    double width = width_of(check, tolerances[0]) * 4.0;
    double sum = 0.0;
    for (uint32_t i = 0; i < check->game->players; i++) {
        sum += check->x[i];
        if (!isfinite(check->x[i]) ||
            (check->settings.individually_rational &&
             check->sign * (check->game->worth[1u << i] - check->x[i]) > width))
            return false;
    }
    return fabs(sum - check->game->worth[game_grand(check->game)]) <= width;
}

static void hold_players(struct check *check, double width)
{
    check->held = 0;
    for (uint32_t i = 0; i < check->game->players; i++)
        if (check->settings.individually_rational &&
            fabs(check->x[i] - check->game->worth[1u << i]) <= width)
            check->held |= 1u << i;
}

/* The coalition's part orthogonal to the basis, in rest; its length. */
static double remainder_of(const struct check *check, uint32_t coalition, double *rest)
{
    uint32_t n = check->game->players;
    for (uint32_t i = 0; i < n; i++)
        rest[i] = (double)(coalition >> i & 1);
    for (uint32_t round = 0; round < 2; round++) /* twice is enough [Kahan, in Parlett 1980] */
        for (uint32_t b = 0; b < check->basis.rank; b++) {
            double along = 0.0;
            for (uint32_t i = 0; i < n; i++)
                along += check->basis.vector[b][i] * rest[i];
            for (uint32_t i = 0; i < n; i++)
                rest[i] -= along * check->basis.vector[b][i];
        }
    double square = 0.0;
    for (uint32_t i = 0; i < n; i++)
        square += rest[i] * rest[i];
    return sqrt(square);
}

static bool outside(const struct check *check, uint32_t coalition)
{
    double rest[GAME_PLAYERS_MAX];
    return check->basis.rank < check->game->players &&
           remainder_of(check, coalition, rest) > DEPENDENT;
}

static void widen(struct check *check, uint32_t coalition)
{
    double rest[GAME_PLAYERS_MAX];
    if (check->basis.rank == check->game->players)
        return;
    double length = remainder_of(check, coalition, rest);
    if (length <= DEPENDENT)
        return;
    for (uint32_t i = 0; i < check->game->players; i++)
        check->basis.vector[check->basis.rank][i] = rest[i] / length;
    check->basis.coalition[check->basis.rank++] = coalition;
}

/* The coalitions from *next on that are of one level, those inside the span left out. */
static enum status take_level(struct check *check, double width, uint32_t *next,
                              struct fault *fault)
{
    struct ranking *ranking = &check->ranking;
    uint32_t end = *next;
    for (;; end++) {
        if (end == ranking->head_count && !ranking->complete) {
            enum status status = ranking_grow(ranking, fault);
            if (status != STATUS_OK)
                return status;
        }
        if (end >= ranking->head_count ||
            (end > *next && ranking->head[end - 1].excess - ranking->head[end].excess > width))
            break;
    }
    check->level_count = 0;
    for (uint32_t k = *next; k < end; k++)
        if (outside(check, ranking->head[k].coalition))
            check->level[check->level_count++] = ranking->head[k].coalition;
    *next = end;
    return STATUS_OK;
}

static enum status add_row(struct lp *lp, uint32_t players, uint32_t coalition,
                           enum lp_row_kind kind, struct fault *fault)
{
    struct lp_entry entries[GAME_PLAYERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < players; i++)
        if ((coalition >> i & 1) != 0)
            entries[count++] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
    return lp_add_row(lp, kind, 0.0, entries, count, fault);
}

/* y within −1 and 1 (a cone: any bound will do), zero on the span, Σ over the level as large as can
 * be; the first rows of the level. */
static enum status build(struct check *check, struct lp *lp, double *most, struct fault *fault)
{
    uint32_t n = check->game->players;
    enum status status = STATUS_OK;
    double total[GAME_PLAYERS_MAX] = {0};
    *most = 1.0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t d = 0; d < check->level_count; d++)
            total[i] += (double)(check->level[d] >> i & 1);
        *most = fmax(*most, total[i]);
    }
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        double lower = (check->held >> i & 1) != 0 ? 0.0 : -1.0;
        status =
            lp_add_column(lp, total[i] / *most, (struct lp_bounds){lower, 1.0}, NULL, 0, fault);
    }
    for (uint32_t b = 0; b < check->basis.rank && status == STATUS_OK; b++)
        status = add_row(lp, n, check->basis.coalition[b], LP_EQUAL, fault);
    for (uint32_t d = 0; d < check->level_count && d < ROWS_AT_ONCE && status == STATUS_OK; d++)
        status = add_row(lp, n, check->level[d], LP_AT_LEAST, fault);
    return status;
}

/* Adds up to ROWS_AT_ONCE rows that y violates, starting the search at *from and going round. */
static enum status add_violated(struct check *check, struct lp *lp, uint32_t *from, uint32_t *added,
                                struct fault *fault)
{
    uint32_t n = check->game->players;
    double y[GAME_PLAYERS_MAX];
    for (uint32_t i = 0; i < n; i++)
        y[i] = lp_primal(lp, (int32_t)i);
    *added = 0;
    for (uint32_t k = 0; k < check->level_count && *added < ROWS_AT_ONCE; k++) {
        uint32_t coalition = check->level[(*from + k) % check->level_count];
        double sum = 0.0;
        for (uint32_t i = 0; i < n; i++)
            sum += (coalition >> i & 1) != 0 ? y[i] : 0.0;
        if (sum >= -NEGATIVE)
            continue;
        enum status status = add_row(lp, n, coalition, LP_AT_LEAST, fault);
        if (status != STATUS_OK)
            return status;
        (*added)++;
    }
    *from = (*from + check->level_count / 3 + 1) % check->level_count;
    return STATUS_OK;
}

/* An optimum of zero over some of the rows is one over all of them; above zero it must stand when
 * none is violated. */
static enum status balanced(struct check *check, bool *holds, struct fault *fault)
{
    struct lp *lp;
    double most = 1.0;
    uint32_t from = ROWS_AT_ONCE;
    *holds = false;
    enum status status = lp_open(check->environment, LP_MAXIMISE, &lp, fault);
    if (status != STATUS_OK)
        return status;
    status = build(check, lp, &most, fault);
    for (uint32_t pass = 0; pass < PASSES_MAX && status == STATUS_OK; pass++) {
        enum lp_answer answer = LP_STOPPED;
        uint32_t added = 0;
        status = lp_solve(lp, ITERATIONS_MAX, &answer, fault);
        if (status == STATUS_OK && answer != LP_OPTIMAL)
            status = fault_set(fault, STATUS_INTERNAL, "Kohlberg's criterion: no optimum");
        *holds = status == STATUS_OK && lp_objective(lp) <= fmin(1e-6, 0.05 / most);
        if (status != STATUS_OK || *holds)
            break;
        status = add_violated(check, lp, &from, &added, fault);
        if (added == 0)
            break;
    }
    lp_close(lp);
    return status;
}

static enum status check_levels(struct check *check, double tolerance, bool *holds,
                                double *failing_level, struct fault *fault)
{
    double width = width_of(check, tolerance);
    uint32_t next = 0;
    *holds = true;
    check->basis.rank = 0;
    widen(check, game_grand(check->game));
    hold_players(check, width);
    while (*holds && check->basis.rank < check->game->players) {
        uint32_t first = next;
        enum status status = take_level(check, width, &next, fault);
        if (status != STATUS_OK)
            return status;
        if (next == first)
            return STATUS_OK; /* every level is done */
        if (check->level_count == 0)
            continue;
        *failing_level = check->ranking.head[first].excess;
        status = balanced(check, holds, fault);
        if (status != STATUS_OK)
            return status;
        for (uint32_t d = 0; d < check->level_count; d++)
            widen(check, check->level[d]);
    }
    return STATUS_OK;
}
