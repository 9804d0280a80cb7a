/*
 * Mechanisms: shares and side payments of random markets, policy rows included, against worths
 * computed one by one.
 */
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/games/game.h"
#include "economics/market/epsilon.h"
#include "economics/mechanisms/mechanism.h"
#include "tests/economics/random_market.h"

enum { MARKETS = 60 };

/* One market with its plan. */
struct trial {
    struct market market;
    struct plan plan;
    struct arena arena;
    uint64_t seed;
};

static const struct split_purses no_bounds = {
    .member = NULL, .funder = MARKET_NONE, .outside = {INT64_MAX}};

static void for_all(void (*check)(struct trial *trial))
{
    uint64_t const first = support_seed(1);
    for (uint64_t seed = first; seed < first + MARKETS; seed++) {
        struct trial trial = {.seed = seed};
        arena_init(&trial.arena, ARENA_ROUND_BYTES);
        random_market(seed, 21, &trial.arena, &trial.market);
        assert_ok(plan_make(&trial.market, &trial.arena, &trial.plan, NULL));
        check(&trial);
        arena_fini(&trial.arena);
    }
}

static void share(struct trial *trial, const struct mechanism *mechanism,
                  const struct split_purses *purses, struct split *split)
{
    assert_ok(
        split_find(mechanism, &trial->market, &trial->plan, NULL, &trial->arena, split, NULL));
    assert_ok(split_fit(&trial->market, &trial->plan, purses, &trial->arena, split, NULL));
}

#define CHECK(trial, mechanism, condition)                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu, %s: %s", (unsigned long long)(trial)->seed, (mechanism)->name,    \
                     #condition);                                                                  \
    } while (0)

static void check_sums(struct trial *trial)
{
    for (size_t m = 0; m < mechanism_count; m++) {
        struct split split;
        int64_t sides = 0;
        int64_t payoffs = 0;
        share(trial, &mechanisms[m], &no_bounds, &split);
        for (uint32_t i = 0; i < trial->market.member_count; i++) {
            sides += split.side[i].micros;
            payoffs += split.payoff[i].micros;
            CHECK(trial, &mechanisms[m], !split.paid || split.payoff[i].micros >= 0);
            CHECK(trial, &mechanisms[m],
                  !split.paid || split.payoff[i].micros == split.wanted[i].micros);
        }
        CHECK(trial, &mechanisms[m], sides == split.funding.micros);
        CHECK(trial, &mechanisms[m],
              payoffs == trial->plan.objective.micros + split.funding.micros);
        CHECK(trial, &mechanisms[m], split.funding.micros == 0 || mechanisms[m].funded);
        CHECK(trial, &mechanisms[m], split.paid || split.funding.micros == 0);
    }
}

static void every_split_shares_the_plans_surplus_to_the_micro_credit(void **state)
{
    (void)state;
    for_all(check_sums);
}

static void check_purses(struct trial *trial)
{
    struct rng rng;
    struct credits purse[RANDOM_MEMBERS_MAX];
    rng_init(&rng, trial->seed, 22);
    for (uint32_t i = 0; i < trial->market.member_count; i++)
        purse[i].micros = (int64_t)rng_below(&rng, 3) * trial->plan.objective.micros / 20;
    for (size_t m = 0; m < mechanism_count; m++) {
        struct split split;
        struct split_purses const purses = {.member = purse,
                                            .funder = trial->market.member_count > 0
                                                          ? (int32_t)rng_below(&rng, 2) - 1
                                                          : MARKET_NONE,
                                            .outside = {trial->plan.objective.micros / 7}};
        int64_t sum = 0;
        share(trial, &mechanisms[m], &purses, &split);
        for (uint32_t i = 0; i < trial->market.member_count; i++) {
            CHECK(trial, &mechanisms[m], -split.side[i].micros <= purse[i].micros);
            sum += split.side[i].micros;
        }
        CHECK(trial, &mechanisms[m], sum == split.funding.micros);
        CHECK(trial, &mechanisms[m], split.funding.micros <= purses.outside.micros);
    }
}

static void nobody_pays_more_than_its_purse_and_payments_still_add_up(void **state)
{
    (void)state;
    for_all(check_purses);
}

static void check_epsilon(struct trial *trial)
{
    for (size_t m = 0; m < mechanism_count; m++) {
        struct split split;
        struct market_excess excess;
        share(trial, &mechanisms[m], &no_bounds, &split);
        if (!split.epsilon_exact)
            continue;
        assert_ok(market_greatest_excess(&trial->market, split.payoff, &excess, NULL));
        /* two LP codes, each rounding up: a micro-credit apart, or the noise of large worths */
        double const noise = 2 + 2e-9 * (double)trial->plan.bound.micros;
        double const apart = fabs((double)(excess.by.micros - split.epsilon.micros));
        CHECK(trial, &mechanisms[m], apart <= noise);
    }
}

static void epsilon_is_what_trying_every_coalition_gives(void **state)
{
    (void)state;
    for_all(check_epsilon);
}

/* v(N) − v(N∖i) and worths of single members, by the market's own LP. */
static double worth_of(const struct trial *trial, uint64_t mask)
{
    double worth;
    assert_ok(market_worth(&trial->market, &mask, &worth, NULL));
    return worth;
}

static const struct mechanism *named(const char *name)
{
    const struct mechanism *mechanism = NULL;
    assert_ok(mechanism_find(name, &mechanism, NULL));
    return mechanism;
}

static void check_shapley(struct trial *trial)
{
    uint32_t const n = trial->market.member_count;
    double worth[1 << RANDOM_MEMBERS_MAX] = {0.0};
    double x[RANDOM_MEMBERS_MAX];
    struct split split;
    for (uint64_t mask = 1; mask < UINT64_C(1) << n; mask++)
        worth[mask] = worth_of(trial, mask);
    struct game const game = {.kind = GAME_VALUE, .players = n, .worth = worth};
    game_shapley(&game, x);
    share(trial, named("shapley"), &no_bounds, &split);
    if (!split.paid)
        return;
    double const scale = (double)trial->plan.objective.micros / worth[game_grand(&game)];
    for (uint32_t i = 0; i < n; i++)
        CHECK(trial, named("shapley"),
              fabs((double)split.payoff[i].micros - x[i] * scale) <=
                  2 + 1e-8 * (double)trial->plan.bound.micros);
}

static void shapley_is_the_mean_marginal_contribution_scaled_to_the_plan(void **state)
{
    (void)state;
    for_all(check_shapley);
}

static void check_vcg(struct trial *trial)
{
    uint32_t const n = trial->market.member_count;
    uint64_t const all = (UINT64_C(1) << n) - 1;
    struct split split;
    double sum = 0.0;
    share(trial, named("vcg"), &no_bounds, &split);
    if (!split.paid)
        return;
    double const grand = worth_of(trial, all);
    double const noise = 2 + 1e-8 * (double)trial->plan.bound.micros;
    for (uint32_t i = 0; i < n; i++)
        sum += grand - worth_of(trial, all ^ (UINT64_C(1) << i));
    /* the deficit is what members add beyond what there is [Clarke 1971], scaled */
    double const deficit = (sum / grand - 1.0) * (double)trial->plan.objective.micros;
    CHECK(trial, named("vcg"), fabs((double)split.funding.micros - deficit) <= noise * n);
}

static void vcg_is_funded_by_what_members_add_beyond_the_surplus(void **state)
{
    (void)state;
    for_all(check_vcg);
}

static void owen_pays_nothing_beside_the_prices(void **state)
{
    (void)state;
    struct trial trial = {.seed = 5};
    struct split split;
    arena_init(&trial.arena, ARENA_ROUND_BYTES);
    random_market(5, 21, &trial.arena, &trial.market);
    assert_ok(plan_make(&trial.market, &trial.arena, &trial.plan, NULL));
    share(&trial, named("owen"), &no_bounds, &split);
    assert_false(split.paid);
    assert_int_equal(split.epsilon.micros, trial.plan.epsilon.micros);
    for (uint32_t i = 0; i < trial.market.member_count; i++) {
        assert_int_equal(split.side[i].micros, 0);
        assert_int_equal(split.payoff[i].micros, trial.plan.members[i].payoff.micros);
    }
    arena_fini(&trial.arena);
}

static void an_unknown_mechanism_is_refused_with_the_nearest_name(void **state)
{
    (void)state;
    struct fault fault;
    const struct mechanism *mechanism = NULL;
    assert_int_equal(mechanism_find("shapely", &mechanism, &fault), STATUS_INVALID);
    assert_non_null(strstr(fault.text, "did you mean 'shapley'?"));
    assert_non_null(strstr(fault.text, "nearest-core"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_shares_the_plans_surplus_to_the_micro_credit),
        cmocka_unit_test(nobody_pays_more_than_its_purse_and_payments_still_add_up),
        cmocka_unit_test(epsilon_is_what_trying_every_coalition_gives),
        cmocka_unit_test(shapley_is_the_mean_marginal_contribution_scaled_to_the_plan),
        cmocka_unit_test(vcg_is_funded_by_what_members_add_beyond_the_surplus),
        cmocka_unit_test(owen_pays_nothing_beside_the_prices),
        cmocka_unit_test(an_unknown_mechanism_is_refused_with_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
