/*
 * Markets as games: worths by the coalition LP equal GLPK's, on random markets with policy rows;
 * the table, Owen's split and its ranges.
 */
#include "tests/support/support.h"

#include <math.h>

#include "base/tolerance.h"
#include "economics/games/coalition_lp.h"
#include "economics/games/core.h"
#include "economics/games/market_core.h"
#include "economics/games/market_objection.h"
#include "economics/games/market_owen.h"
#include "economics/games/market_table.h"
#include "economics/games/market_relaxation.h"
#include "economics/games/nucleolus.h"
#include "economics/market/plan.h"
#include "tests/economics/random_market.h"

enum { MARKETS = 150 };

static void for_all(void (*check)(const struct market *market, uint64_t seed))
{
    uint64_t first = support_seed(1);
    for (uint64_t seed = first; seed < first + MARKETS; seed++) {
        struct arena arena;
        struct market market;
        arena_init(&arena, ARENA_ROUND_BYTES);
        random_market(seed, 11, &arena, &market);
        check(&market, seed);
        arena_fini(&arena);
    }
}

/* To 1e-9 of the worth; where it is (next to) nothing, to 1e-12 of the dearest column. */
static bool agree(const struct market *market, double worth, double expected)
{
    double dearest = 0.0;
    for (uint32_t c = 0; c < market->column_count; c++)
        dearest = fmax(dearest, credits_to_double(market->columns[c].worth));
    return fabs(worth - expected) <= fmax(1e-9 * fabs(expected), 1e-12 * dearest);
}

static void set_coalition(struct coalition_lp *lp, const struct market *market, uint64_t coalition)
{
    for (uint32_t i = 0; i < market->member_count; i++)
        coalition_lp_set(lp, i, (coalition >> i & 1) != 0 ? 1.0 : 0.0);
}

/* A walk at random: what a worth is doesn't depend on how one came there. */
static void compare_worths(const struct market *market, uint64_t seed)
{
    struct coalition_lp *lp;
    struct rng rng;
    rng_init(&rng, seed, 12);
    assert_ok(coalition_lp_open(market, &lp, NULL));
    for (uint32_t k = 0; k < 3u << market->member_count; k++) {
        uint64_t coalition = rng_below(&rng, UINT64_C(1) << market->member_count);
        double worth;
        double expected;
        set_coalition(lp, market, coalition);
        assert_ok(coalition_lp_solve(lp, &worth, NULL));
        assert_ok(market_worth(market, &coalition, &expected, NULL));
        if (!agree(market, worth, expected))
            fail_msg("seed %llu, coalition %llx: %.15g, GLPK says %.15g", (unsigned long long)seed,
                     (unsigned long long)coalition, worth, expected);
    }
    if (coalition_lp_rescues(lp) > 0)
        fail_msg("seed %llu: %llu worths had to be rescued", (unsigned long long)seed,
                 (unsigned long long)coalition_lp_rescues(lp));
    coalition_lp_close(lp);
}

static void worths_equal_the_reference_whatever_the_path(void **state)
{
    (void)state;
    for_all(compare_worths);
}

static void compare_tables(const struct market *market, uint64_t seed)
{
    double worth[1 << RANDOM_MEMBERS_MAX];
    double alone[1 << RANDOM_MEMBERS_MAX];
    assert_ok(market_table(market, 3, worth, NULL));
    assert_ok(market_table(market, 1, alone, NULL));
    assert_memory_equal(worth, alone, sizeof(double) << market->member_count); /* to the bit */
    for (uint64_t s = 1; s < UINT64_C(1) << market->member_count; s++) {
        double expected;
        assert_ok(market_worth(market, &s, &expected, NULL));
        if (!agree(market, worth[s], expected))
            fail_msg("seed %llu, coalition %llx: %.15g, GLPK says %.15g", (unsigned long long)seed,
                     (unsigned long long)s, worth[s], expected);
    }
}

static void the_table_holds_every_worth(void **state)
{
    (void)state;
    for_all(compare_tables);
}

/* In the core by enumeration, within everyone's range; ranges reach no further than the core does.
 */
static void check_owen(const struct market *market, uint64_t seed)
{
    struct arena arena;
    struct owen owen;
    bool ranged;
    double worth[1 << RANDOM_MEMBERS_MAX];
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(market_table(market, 1, worth, NULL));
    assert_ok(market_owen(market, &arena, &owen, &ranged, NULL));
    uint32_t grand = (1u << market->member_count) - 1;
    double nanos = 1e-9 * (market->job_count + market->pool_count * 64 + market->row_count + 1);
    double slack = fmax(1e-9 * worth[grand], nanos);
    if (!ranged)
        fail_msg("seed %llu: no ranges, %.17g", (unsigned long long)seed, worth[grand]);
    for (uint32_t s = 1; s <= grand; s++) {
        double sum = 0.0;
        for (uint32_t i = 0; i < market->member_count; i++)
            sum += (s >> i & 1) != 0 ? owen.split[i] : 0.0;
        if (sum < worth[s] - slack || (s == grand && sum > worth[s] + slack))
            fail_msg("seed %llu: %x gets %.12g of %.12g", (unsigned long long)seed, s, sum,
                     worth[s]);
    }
    for (uint32_t i = 0; i < market->member_count; i++)
        if (owen.split[i] < owen.least[i] - slack || owen.split[i] > owen.greatest[i] + slack ||
            owen.least[i] < worth[1u << i] - slack ||
            owen.greatest[i] > worth[grand] - worth[grand ^ (1u << i)] + slack)
            fail_msg("seed %llu: member %u gets %.12g, range %.12g to %.12g",
                     (unsigned long long)seed, i, owen.split[i], owen.least[i], owen.greatest[i]);
    arena_fini(&arena);
}

static void owen_is_in_the_core_and_within_its_ranges(void **state)
{
    (void)state;
    for_all(check_owen);
}

/* ε as from the table; the split falls short of no worth by more; the proof from below meets it. */
static void check_least_core(const struct market *market, uint64_t seed)
{
    struct arena arena;
    struct arena scratch;
    struct market_core core;
    struct least_core expected;
    struct game_objection objection;
    double worth[1 << RANDOM_MEMBERS_MAX];
    arena_init(&arena, ARENA_ROUND_BYTES);
    arena_init(&scratch, ARENA_ROUND_BYTES);
    assert_ok(market_table(market, 1, worth, NULL));
    struct game game = {.players = market->member_count, .worth = worth};
    double slack = 1e-8 * worth[game_grand(&game)] + 1e-12;
    assert_ok(game_least_core(&game, &arena, &expected, NULL));
    assert_ok(market_least_core(market, NULL, NULL, &arena, &scratch, &core, NULL));
    if (game.players > 1) {
        game_objection(&game, core.split, &objection);
        if (!core.exact || fabs(core.upper - expected.epsilon) > slack ||
            core.lower > expected.epsilon + slack || objection.by > core.upper + slack)
            fail_msg(
                "seed %llu: between %.12g and %.12g, the table says %.12g; %x objects by %.12g",
                (unsigned long long)seed, core.lower, core.upper, expected.epsilon,
                objection.coalition, objection.by);
    }
    arena_fini(&scratch);
    arena_fini(&arena);
}

static void the_least_core_by_bounds_is_that_of_the_table(void **state)
{
    (void)state;
    for_all(check_least_core);
}

/* Random splits: the exact search finds what the table says. */
static void check_objection(const struct market *market, uint64_t seed)
{
    struct arena arena;
    struct market_objection found;
    struct game_objection expected;
    struct rng rng;
    double worth[1 << RANDOM_MEMBERS_MAX];
    double split[RANDOM_MEMBERS_MAX];
    if (market->member_count < 2)
        return;
    arena_init(&arena, ARENA_ROUND_BYTES);
    rng_init(&rng, seed, 13);
    assert_ok(market_table(market, 1, worth, NULL));
    struct game game = {.players = market->member_count, .worth = worth};
    for (uint32_t i = 0; i < market->member_count; i++)
        split[i] = 2.0 * rng_unit(&rng) * worth[game_grand(&game)] / market->member_count;
    game_objection(&game, split, &expected);
    assert_ok(market_objection(market, split, NULL, NULL, &arena, &found, NULL));
    double sum = 0.0;
    uint32_t coalition = 0;
    for (uint32_t i = 0; i < market->member_count; i++) {
        sum += found.in[i] ? split[i] : 0.0;
        coalition |= found.in[i] ? 1u << i : 0;
    }
    double slack = 1e-9 * worth[game_grand(&game)] + 1e-12;
    if (fabs(found.by - expected.by) > slack || found.at_most > found.by + slack ||
        fabs(worth[coalition] - sum - found.by) > slack)
        fail_msg("seed %llu: %x by %.12g, at most %.12g; the table says %x by %.12g",
                 (unsigned long long)seed, coalition, found.by, found.at_most, expected.coalition,
                 expected.by);
    arena_fini(&arena);
}

static double relaxed(const struct market *market, const double *split, double total)
{
    struct coalition_lp *lp;
    double at_most = HUGE_VAL;
    assert_ok(coalition_lp_open(market, &lp, NULL));
    struct fault fault = {.text = ""};
    if (market_relaxation(lp, market->member_count, split, total, 0.0, NULL, NULL, &at_most,
                          &fault) != STATUS_OK)
        fail_msg("%s, at most %g of %g", fault.text, at_most, total);
    coalition_lp_close(lp);
    return at_most;
}

static uint32_t owens_looked_at;
static uint32_t owens_cleared;

/* At Owen's split nobody objects, parts of members included; elsewhere nobody by more than said. */
static void check_relaxation(const struct market *market, uint64_t seed)
{
    struct arena arena;
    struct market_objection found;
    struct owen owen;
    bool ranged;
    struct rng rng;
    double split[RANDOM_MEMBERS_MAX];
    if (market->member_count < 2)
        return;
    arena_init(&arena, ARENA_ROUND_BYTES);
    rng_init(&rng, seed, 14);
    assert_ok(market_owen(market, &arena, &owen, &ranged, NULL));
    double nanos = 1e-9 * (market->job_count + market->pool_count * 64 + market->row_count + 1);
    if (owen.total > 1e3 * nanos) { /* else Owen's split is rounded too coarsely for it */
        owens_looked_at++;
        owens_cleared += relaxed(market, owen.split, owen.total) <= 1e-7 * owen.total + nanos;
        for (uint32_t i = 0; i < market->member_count; i++)
            split[i] = 2.0 * rng_unit(&rng) * owen.total / market->member_count;
        assert_ok(market_objection(market, split, NULL, NULL, &arena, &found, NULL));
        if (relaxed(market, split, owen.total) < found.by - 1e-7 * owen.total)
            fail_msg("seed %llu: the relaxation is below an objection", (unsigned long long)seed);
    }
    arena_fini(&arena);
}

/* Where GLPK's numbers give out the bound stands where it was, which is above nothing: seldom. */
static void the_relaxation_bounds_every_objection_and_is_nothing_at_owens_split(void **state)
{
    (void)state;
    owens_looked_at = 0;
    owens_cleared = 0;
    for_all(check_relaxation);
    assert_true(owens_looked_at > 20);
    assert_true(owens_cleared * 100 >= owens_looked_at * 90);
}

static void the_objection_by_bounds_is_that_of_the_table(void **state)
{
    (void)state;
    for_all(check_objection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worths_equal_the_reference_whatever_the_path),
        cmocka_unit_test(the_table_holds_every_worth),
        cmocka_unit_test(owen_is_in_the_core_and_within_its_ranges),
        cmocka_unit_test(the_least_core_by_bounds_is_that_of_the_table),
        cmocka_unit_test(the_objection_by_bounds_is_that_of_the_table),
        cmocka_unit_test(the_relaxation_bounds_every_objection_and_is_nothing_at_owens_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
