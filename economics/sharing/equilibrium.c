#include "economics/sharing/equilibrium.h"

#include <math.h>
#include <string.h>

#include "base/elementary.h"

enum { EXACT_ARENA_BYTES = 1024 * 1024 * 1024 };

static enum status respond(struct sharing_judge *judge, uint32_t member, uint32_t *shares,
                           bool *moved, struct fault *fault);

enum status sharing_judge_open(struct sharing_judge *judge, const struct sharing_game *game,
                               enum sharing_method method, struct arena *arena, struct fault *fault)
{
    *judge =
        (struct sharing_judge){.game = game, .method = method, .arena_bytes = EXACT_ARENA_BYTES};
    if (method == SHARING_APPROXIMATE)
        return sharing_approximation_open(game, arena, &judge->approximation, fault);
    return sharing_check(game, fault);
}

enum status sharing_judge_utilities(struct sharing_judge *judge, const uint32_t *shares,
                                    double *utilities, struct fault *fault)
{
    struct sharing_evaluation evaluation;
    if (judge->method == SHARING_APPROXIMATE) {
        sharing_approximate(judge->approximation, shares, &evaluation);
    } else {
        struct arena arena;
        arena_init(&arena, judge->arena_bytes);
        enum status status = sharing_exact(judge->game, shares, &arena, &evaluation, fault);
        arena_fini(&arena);
        if (status != STATUS_OK)
            return status;
    }
    for (uint32_t i = 0; i < judge->game->member_count; i++)
        utilities[i] = sharing_utility(judge->game, i, &evaluation.flows[i]);
    return STATUS_OK;
}

/* --- best responses */

static enum status respond(struct sharing_judge *judge, uint32_t member, uint32_t *shares,
                           bool *moved, struct fault *fault)
{
    uint32_t before = shares[member];
    uint32_t best = 0;
    double best_utility = -HUGE_VAL;
    for (uint32_t share = 0; share <= judge->game->members[member].gpus; share++) {
        double utilities[SHARING_MEMBERS_MAX];
        shares[member] = share;
        enum status status = sharing_judge_utilities(judge, shares, utilities, fault);
        if (status != STATUS_OK)
            return status;
        double tie = SHARING_TIE * fmax(1, fabs(best_utility));
        if (best_utility <= -HUGE_VAL || utilities[member] > best_utility + tie) {
            best_utility = utilities[member];
            best = share;
        }
    }
    shares[member] = best;
    *moved = *moved || best != before;
    return STATUS_OK;
}

enum status sharing_settle(struct sharing_judge *judge, struct sharing_outcome *outcome,
                           struct fault *fault)
{
    uint32_t visited[SHARING_ROUNDS_MAX][SHARING_MEMBERS_MAX];
    uint32_t count = judge->game->member_count;
    outcome->rest = SHARING_UNDECIDED;
    outcome->cycle_length = 0;
    for (outcome->rounds = 0;
         outcome->rounds < SHARING_ROUNDS_MAX && outcome->rest == SHARING_UNDECIDED;
         outcome->rounds++) {
        bool moved = false;
        memcpy(visited[outcome->rounds], outcome->shares, count * sizeof outcome->shares[0]);
        for (uint32_t i = 0; i < count; i++) {
            enum status status = respond(judge, i, outcome->shares, &moved, fault);
            if (status != STATUS_OK)
                return status;
        }
        if (!moved) {
            outcome->rest = SHARING_AT_REST;
            continue;
        }
        for (uint32_t round = 0; round <= outcome->rounds; round++)
            if (memcmp(visited[round], outcome->shares, count * sizeof outcome->shares[0]) == 0) {
                outcome->rest = SHARING_CYCLE;
                outcome->cycle_length = outcome->rounds + 1 - round;
            }
    }
    return sharing_judge_utilities(judge, outcome->shares, outcome->utilities, fault);
}

/* --- welfare */

double sharing_welfare_of(enum sharing_welfare welfare, const double *utilities, uint32_t count)
{
    double sum = 0;
    double least = HUGE_VAL;
    double logarithms = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += utilities[i];
        least = fmin(least, utilities[i]);
        logarithms += utilities[i] > 0 ? elementary_log(utilities[i]) : -HUGE_VAL;
    }
    if (welfare == WELFARE_UTILITARIAN)
        return sum;
    return welfare == WELFARE_MAX_MIN ? least : logarithms;
}

static enum status judge_welfare(struct sharing_judge *judge, enum sharing_welfare welfare,
                                 const uint32_t *shares, double *value, struct fault *fault)
{
    double utilities[SHARING_MEMBERS_MAX];
    enum status status = sharing_judge_utilities(judge, shares, utilities, fault);
    if (status == STATUS_OK)
        *value = sharing_welfare_of(welfare, utilities, judge->game->member_count);
    return status;
}

static void keep_better(struct sharing_optimum *optimum, const uint32_t *shares, uint32_t count,
                        double welfare)
{
    if (welfare <= optimum->welfare + SHARING_TIE * fmax(1, fabs(optimum->welfare)) &&
        optimum->welfare > -HUGE_VAL)
        return;
    optimum->welfare = welfare;
    memcpy(optimum->shares, shares, count * sizeof *shares);
}

/* The next choice in counting order; false after the last. */
static bool count_up(const struct sharing_game *game, uint32_t *shares)
{
    for (uint32_t i = 0; i < game->member_count; i++) {
        if (shares[i] < game->members[i].gpus) {
            shares[i]++;
            return true;
        }
        shares[i] = 0;
    }
    return false;
}

static enum status try_everything(struct sharing_judge *judge, enum sharing_welfare welfare,
                                  struct sharing_optimum *optimum, struct fault *fault)
{
    uint32_t shares[SHARING_MEMBERS_MAX] = {0};
    do {
        double value;
        enum status status = judge_welfare(judge, welfare, shares, &value, fault);
        if (status != STATUS_OK)
            return status;
        keep_better(optimum, shares, judge->game->member_count, value);
    } while (count_up(judge->game, shares));
    return STATUS_OK;
}

/* The best share of one member for all, the others' fixed; again until nothing moves. */
static enum status climb(struct sharing_judge *judge, enum sharing_welfare welfare,
                         uint32_t *shares, struct sharing_optimum *optimum, struct fault *fault)
{
    uint32_t count = judge->game->member_count;
    struct sharing_optimum here = {.welfare = -HUGE_VAL};
    bool moved = true;
    for (uint32_t round = 0; moved && round < SHARING_ROUNDS_MAX; round++) {
        double before = here.welfare;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t present = shares[i];
            for (uint32_t share = 0; share <= judge->game->members[i].gpus; share++) {
                double value;
                shares[i] = share;
                enum status status = judge_welfare(judge, welfare, shares, &value, fault);
                if (status != STATUS_OK)
                    return status;
                keep_better(&here, shares, count, value);
            }
            shares[i] = here.welfare > -HUGE_VAL ? here.shares[i] : present;
        }
        moved = here.welfare > before;
    }
    keep_better(optimum, here.shares, count, here.welfare);
    return STATUS_OK;
}

enum status sharing_optimise(struct sharing_judge *judge, enum sharing_welfare welfare,
                             const uint32_t *starts, uint32_t start_count,
                             struct sharing_optimum *optimum, struct fault *fault)
{
    uint64_t choices = 1;
    uint32_t count = judge->game->member_count;
    for (uint32_t i = 0; i < count && choices <= SHARING_TRIES_MAX; i++)
        choices *= judge->game->members[i].gpus + 1;
    *optimum =
        (struct sharing_optimum){.exhaustive = choices <= SHARING_TRIES_MAX, .welfare = -HUGE_VAL};
    if (optimum->exhaustive)
        return try_everything(judge, welfare, optimum, fault);
    enum status status = STATUS_OK;
    for (uint32_t s = 0; s < start_count && status == STATUS_OK; s++) {
        uint32_t shares[SHARING_MEMBERS_MAX];
        memcpy(shares, starts + (size_t)s * count, count * sizeof shares[0]);
        status = climb(judge, welfare, shares, optimum, fault);
    }
    return status;
}
