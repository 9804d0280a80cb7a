/*
 * Kohlberg's criterion: does a split have the least sorted excesses? Checked level by level, from
 * the highest excess down.
 *
 * D(α) = the coalitions with excess at least α. x is the (pre)nucleolus exactly when for every
 * level that occurs, every y with y(N) = 0 and y(S) >= 0 on D(α) (and y_i >= 0 for players held at
 * v({i})) has y(S) = 0 on D(α). Levels whose coalitions are in the span of higher ones hold by
 * themselves, and at full rank all the rest hold: so at most n levels need an LP.
 */
#include <math.h>
#include <stdlib.h>

#include "economics/games/nucleolus.h"
#include "economics/games/span.h"
#include "economics/lp/lp.h"

#define LEVEL_WIDTH 1e-7 /* of the largest worth: excesses nearer than this are one level */
#define BALANCED    1e-6 /* an LP optimum up to this is zero */

enum { ITERATIONS_MAX = 1000000 };

struct ranked {
    double excess;
    uint32_t coalition;
};

struct check {
    const struct game *game;
    struct nucleolus_settings settings;
    const double *x;
    double sign;
    double width;
    struct ranked *ranked; /* [coalitions − 2], by excess descending */
    uint32_t count;
    uint32_t *members; /* D so far, without those in the span of the others */
    uint32_t member_count;
    uint32_t held; /* mask of players at v({i}) */
};

static int by_excess(const void *a, const void *b)
{
    const struct ranked *one = a;
    const struct ranked *two = b;
    if (one->excess != two->excess)
        return one->excess > two->excess ? -1 : 1;
    return one->coalition < two->coalition ? -1 : one->coalition > two->coalition;
}

static enum status rank_coalitions(struct check *check, struct arena *arena, struct fault *fault)
{
    const struct game *game = check->game;
    uint32_t coalitions = game_coalitions(game);
    double *sums = arena_alloc(arena, coalitions, sizeof *sums);
    check->ranked = arena_alloc(arena, coalitions, sizeof *check->ranked);
    check->members = arena_alloc(arena, coalitions, sizeof *check->members);
    if (sums == NULL || check->ranked == NULL || check->members == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         coalitions);
    game_split_sums(game->players, check->x, sums);
    double largest = 0.0;
    for (uint32_t s = 1; s < game_grand(game); s++) {
        double excess = check->sign * (game->worth[s] - sums[s]);
        if (check->settings.per_capita)
            excess /= (double)__builtin_popcount(s);
        check->ranked[check->count++] = (struct ranked){.excess = excess, .coalition = s};
        largest = fmax(largest, fabs(game->worth[s]));
    }
    check->width = LEVEL_WIDTH * fmax(largest, fabs(game->worth[game_grand(game)]));
    qsort(check->ranked, check->count, sizeof *check->ranked, by_excess);
    for (uint32_t i = 0; i < game->players && check->settings.individually_rational; i++)
        if (fabs(check->x[i] - game->worth[1u << i]) <= check->width)
            check->held |= 1u << i;
    return STATUS_OK;
}

/* y(S) >= 0 over D and the held players, y(N) = 0, Σ_D y(S) as large as can be: is there one above
 * zero? */
static enum status balanced(struct check *check, bool *answer, struct fault *fault)
{
    uint32_t n = check->game->players;
    struct lp_environment *environment;
    struct lp *lp;
    enum status status = lp_environment_open(&environment, fault);
    if (status != STATUS_OK)
        return status;
    status = lp_open(environment, LP_MAXIMISE, &lp, fault);
    if (status != STATUS_OK) {
        lp_environment_close(environment);
        return status;
    }
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        double total = 0.0;
        for (uint32_t d = 0; d < check->member_count; d++)
            total += (double)(check->members[d] >> i & 1);
        double lower = (check->held >> i & 1) != 0 ? 0.0 : -1.0; /* a cone: any bound will do */
        status = lp_add_column(lp, total / check->member_count, (struct lp_bounds){lower, 1.0},
                               NULL, 0, fault);
    }
    for (uint32_t d = 0; d <= check->member_count && status == STATUS_OK; d++) {
        uint32_t coalition = d < check->member_count ? check->members[d] : game_grand(check->game);
        struct lp_entry entries[GAME_PLAYERS_MAX];
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++)
            if ((coalition >> i & 1) != 0)
                entries[count++] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
        status = lp_add_row(lp, d < check->member_count ? LP_AT_LEAST : LP_EQUAL, 0.0, entries,
                            count, fault);
    }
    enum lp_answer solved = LP_STOPPED;
    if (status == STATUS_OK)
        status = lp_solve(lp, ITERATIONS_MAX, &solved, fault);
    if (status == STATUS_OK && solved != LP_OPTIMAL)
        status = fault_set(fault, STATUS_INTERNAL, "Kohlberg's criterion: an LP has no optimum");
    *answer = status == STATUS_OK && lp_objective(lp) * check->member_count <= BALANCED;
    lp_close(lp);
    lp_environment_close(environment);
    return status;
}

static bool efficient(const struct check *check)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < check->game->players; i++)
        sum += check->x[i];
    return fabs(sum - check->game->worth[game_grand(check->game)]) <=
           check->width * check->game->players;
}

static bool rational(const struct check *check)
{
    for (uint32_t i = 0; i < check->game->players && check->settings.individually_rational; i++)
        if (check->sign * (check->game->worth[1u << i] - check->x[i]) > check->width)
            return false;
    return true;
}

/* Takes all coalitions of the next level; true where they reach beyond the span of what was there.
 */
static bool take_level(struct check *check, uint32_t *next, struct span *span)
{
    bool wider = false;
    double level = check->ranked[*next].excess;
    for (; *next < check->count && check->ranked[*next].excess >= level - check->width; (*next)++) {
        uint32_t coalition = check->ranked[*next].coalition;
        if (span_contains(span, coalition) && !wider)
            continue; /* y is 0 on it already */
        check->members[check->member_count++] = coalition;
        wider = true;
    }
    return wider;
}

enum status game_certify_nucleolus(const struct game *game, struct nucleolus_settings settings,
                                   const double *x, struct arena *arena, bool *certified,
                                   double *failing_level, struct fault *fault)
{
    struct check check = {
        .game = game, .settings = settings, .x = x, .sign = game->kind == GAME_COST ? -1.0 : 1.0};
    enum status status = rank_coalitions(&check, arena, fault);
    if (status != STATUS_OK)
        return status;
    struct span span;
    span_init(&span, game->players);
    span_add(&span, game_grand(game));
    *failing_level = check.count > 0 ? check.ranked[0].excess : 0.0;
    *certified = efficient(&check) && rational(&check);
    for (uint32_t next = 0; *certified && next < check.count && span.rank < game->players;) {
        uint32_t before = check.member_count;
        *failing_level = check.ranked[next].excess;
        if (!take_level(&check, &next, &span))
            continue;
        status = balanced(&check, certified, fault);
        if (status != STATUS_OK)
            return status;
        for (uint32_t d = before; d < check.member_count; d++)
            span_add(&span, check.members[d]);
    }
    return STATUS_OK;
}
