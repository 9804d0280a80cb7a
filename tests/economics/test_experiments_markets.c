/* What the market experiments stand on: drawn federations, true utilities, and partitions. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/experiments/clearing.h"
#include "economics/experiments/partition.h"

enum { SEEDS = 20, FEW = 4 };

#define ROUNDS_PER_HOUR (3600.0 * 1000 / FEDERATION_ROUND_MS)

struct drawn {
    struct arena arena;
    struct federation federation;
    struct clearing clearing;
    struct fault fault;
};

static void drawn_init(struct drawn *drawn, uint64_t seed, double heterogeneity)
{
    const struct federation_parameters parameters = {.members = FEW,
                                                     .kinds = 2,
                                                     .gpus = 8,
                                                     .load = 1.2,
                                                     .heterogeneity = heterogeneity,
                                                     .imbalance = 0.5,
                                                     .affinity = 0.9,
                                                     .cost = 1};
    arena_init(&drawn->arena, ARENA_ROUND_BYTES);
    const struct experiment_run run = {.seed = seed, .arena = &drawn->arena};
    assert_ok(federation_draw(&parameters, &run, &drawn->federation, &drawn->fault));
    clearing_init(&drawn->clearing, &drawn->federation);
}

static void drawn_fini(struct drawn *drawn)
{
    clearing_fini(&drawn->clearing);
    arena_fini(&drawn->arena);
}

static void honest_utilities_add_up_to_the_plans_surplus(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct drawn d;
        struct federation_report truth;
        drawn_init(&d, seed, 0.7);
        federation_report_truth(&truth);
        assert_ok(clearing_plan(&d.clearing, &truth, &d.fault));
        for (size_t m = 0; m < mechanism_count; m++) {
            double utilities[FEW];
            double sum = 0;
            struct split split;
            assert_ok(clearing_utilities(&d.clearing, &mechanisms[m], utilities, &d.fault));
            assert_ok(clearing_split(&d.clearing, &mechanisms[m], &split, &d.fault));
            for (int i = 0; i < FEW; i++)
                sum += utilities[i];
            double expected = (double)(d.clearing.plan.objective.micros + split.funding.micros) *
                              1e-6 * ROUNDS_PER_HOUR;
            if (!nearly_equal(sum, expected, 1e-5)) /* costs are whole nanos in the market */
                fail_msg("seed %llu, %s: %g instead of %g", (unsigned long long)seed,
                         mechanisms[m].name, sum, expected);
        }
        drawn_fini(&d);
    }
}

static void gpus_that_are_hidden_run_own_jobs(void **state)
{
    (void)state;
    struct drawn d;
    struct federation_report report;
    double utilities[FEW];
    drawn_init(&d, 3, 0.7);
    federation_report_truth(&report);
    for (int i = 0; i < FEW; i++)
        report.factors[i][FEDERATION_CAPACITY] = 0; /* nobody shows anything */
    assert_ok(clearing_plan(&d.clearing, &report, &d.fault));
    assert_int_equal(d.clearing.plan.placement_count, 0);
    assert_ok(clearing_utilities(&d.clearing, &mechanisms[0], utilities, &d.fault));
    for (int i = 0; i < FEW; i++)
        assert_true(utilities[i] > 0); /* each has jobs worth more than they cost */
    drawn_fini(&d);
}

/* With one kind of job everywhere nothing but load tells members apart: federating gains less than
 * where jobs differ in what they run well on. */
static void heterogeneity_makes_federating_pay_more(void **state)
{
    (void)state;
    double gain[2] = {0};
    for (int h = 0; h < 2; h++)
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct drawn d;
            struct federation_report truth;
            double alone = 0;
            drawn_init(&d, seed, h);
            federation_report_truth(&truth);
            assert_ok(clearing_plan(&d.clearing, &truth, &d.fault));
            for (int i = 0; i < FEW; i++)
                alone += (double)d.clearing.plan.members[i].alone.micros;
            gain[h] += (double)d.clearing.plan.bound.micros / alone;
            drawn_fini(&d);
        }
    assert_true(gain[1] > gain[0]);
    assert_true(gain[0] >= SEEDS); /* v(N) is at least the sum of v(i) */
}

/* --- partitions */

/* Bell's numbers. */
static void every_partition_is_met_once(void **state)
{
    (void)state;
    static const uint32_t bell[] = {1, 1, 2, 5, 15, 52, 203, 877};
    for (uint32_t n = 1; n < sizeof bell / sizeof bell[0]; n++) {
        uint32_t labels[PARTITION_MEMBERS_MAX] = {0};
        struct partition partition;
        uint32_t count = 0;
        partition_grand(n, &partition);
        do {
            uint32_t together = 0;
            for (uint32_t c = 0; c < partition.count; c++) {
                assert_int_equal(together & partition.coalitions[c], 0);
                together |= partition.coalitions[c];
            }
            assert_int_equal(together, (1u << n) - 1);
            count++;
        } while (partition_next(n, labels, &partition));
        assert_int_equal(count, bell[n]);
        assert_int_equal(partition.count, n); /* the last: everybody alone */
    }
}

/* Equal sharing of worths 0, 0, 0; 6, 5, 4; 6: {1,2} is where it ends from everybody alone: 3
 * joining would leave 1 and 2 with 2 instead of 3, and nobody splits. */
static void two_of_three_stay_together_where_the_third_adds_nothing(void **state)
{
    (void)state;
    static const double worth[] = {0, 0, 0, 6, 0, 5, 4, 6};
    double payoff[8 * 3] = {0};
    struct partition partition;
    for (uint32_t s = 1; s < 8; s++)
        for (uint32_t i = 0; i < 3; i++)
            payoff[s * 3 + i] = worth[s] / __builtin_popcount(s);
    const struct partition_payoffs payoffs = {.members = 3, .payoff = payoff, .tolerance = 1e-9};
    partition_alone(3, &partition);
    assert_int_equal(partition_settle(&payoffs, &partition), 1);
    assert_int_equal(partition.count, 2);
    assert_int_equal(partition.coalitions[0], 3);
    assert_int_equal(partition.coalitions[1], 4);
    assert_near(partition_welfare(&payoffs, &partition), 6, 1e-12);
    partition_grand(3, &partition);
    assert_int_equal(partition_settle(&payoffs, &partition), 0); /* 3 would lose by a split */
}

/* In a convex game Shapley gives everybody more in a larger coalition [Sprumont 1990], so everybody
 * ends together, and no other partition is stable where convexity is strict. */
static void strictly_convex_games_end_with_everybody_together(void **state)
{
    (void)state;
    enum { N = 5 };
    struct rng rng;
    rng_init(&rng, 11, 0);
    for (int game = 0; game < SEEDS; game++) {
        double weight[N];
        double payoff[(1 << N) * N] = {0};
        uint32_t labels[PARTITION_MEMBERS_MAX] = {0};
        uint32_t stable = 0;
        struct partition partition;
        for (int i = 0; i < N; i++)
            weight[i] = 0.1 + rng_unit(&rng);
        /* v(S) = (Σ w)², whose Shapley value is w_i Σ_S w */
        for (uint32_t s = 1; s < 1 << N; s++) {
            double sum = 0;
            for (int i = 0; i < N; i++)
                sum += (s >> i & 1) != 0 ? weight[i] : 0;
            for (int i = 0; i < N; i++)
                payoff[s * N + (uint32_t)i] = weight[i] * sum;
        }
        const struct partition_payoffs payoffs = {
            .members = N, .payoff = payoff, .tolerance = 1e-9};
        partition_alone(N, &partition);
        partition_settle(&payoffs, &partition);
        assert_int_equal(partition.count, 1);
        do {
            struct partition tried = partition;
            stable += !partition_step(&payoffs, &tried);
        } while (partition_next(N, labels, &partition));
        assert_int_equal(stable, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_utilities_add_up_to_the_plans_surplus),
        cmocka_unit_test(gpus_that_are_hidden_run_own_jobs),
        cmocka_unit_test(heterogeneity_makes_federating_pay_more),
        cmocka_unit_test(every_partition_is_met_once),
        cmocka_unit_test(two_of_three_stay_together_where_the_third_adds_nothing),
        cmocka_unit_test(strictly_convex_games_end_with_everybody_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
