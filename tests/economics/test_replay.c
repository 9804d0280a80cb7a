/* Replay: a world small enough to be computed by hand, and what must hold under every policy. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/experiments/observations.h"
#include "economics/experiments/replay_policies.h"
#include "economics/experiments/shipped.h"

/* One member, one node of 8 slow GPUs; rounds of 100 s, restarts cost 10 s. */
struct small {
    struct arena arena;
    struct replay_pool pools[REPLAY_KINDS];
    struct replay_job jobs[2];
    uint32_t open[2];
    struct replay_world world;
};

static void small_init(struct small *small)
{
    memset(small, 0, sizeof *small);
    small->pools[0] = (struct replay_pool){.node_count = 1, .gpus = 8, .free = {0xff}, .cost = 1};
    small->pools[1].kind = 1;
    small->pools[2].kind = 2;
    for (int j = 0; j < 2; j++)
        small->jobs[j] = (struct replay_job){.gpus = 8,
                                             .arrival = 10.0 * j,
                                             .work = 8 * 150, /* 150 s on its 8 GPUs */
                                             .left = 8 * 150,
                                             .value = 2,
                                             .began = -1,
                                             .ended = -1,
                                             .pool = REPLAY_UNPLACED,
                                             .told = {1, 1, 1}};
    small->world = (struct replay_world){.member_count = 1,
                                         .pool_count = REPLAY_KINDS,
                                         .pools = small->pools,
                                         .jobs = small->jobs,
                                         .job_count = 2,
                                         .open = small->open,
                                         .round_seconds = 100,
                                         .restart_seconds = 10,
                                         .affinity = 1};
}

static void run_to_the_end(struct small *small, const struct replay_policy *policy)
{
    struct replay_job before[2];
    double price[2] = {0};
    struct fault fault;
    struct replay_deciding deciding = {.world = &small->world, .before = before, .price = price};
    rng_init(&deciding.rng, 1, 0);
    arena_init(&small->arena, ARENA_ROUND_BYTES);
    assert_ok(replay_market_open(&small->world, &small->arena, &deciding.market, &fault));
    for (int round = 0; round < 20 && replay_world_begin_round(&small->world); round++) {
        memcpy(before, small->jobs, sizeof before);
        assert_ok(policy->decide(&deciding, &fault));
        replay_world_end_round(&small->world, before, price);
    }
    replay_market_close(deciding.market);
    arena_fini(&small->arena);
}

/* The first runs 0-100 (10 s lost, 90 done) and ends after 60 more of the second round; the second
 * may start at 200, loses 10, and ends 60 s into its second round. */
static void queues_end_when_computed_by_hand(void **state)
{
    (void)state;
    for (size_t p = 0; p < replay_policy_count; p++) {
        struct small small;
        if (strcmp(replay_policies[p].name, "max-min") == 0 ||
            strcmp(replay_policies[p].name, "market") == 0)
            continue; /* the one takes turns; the other prefers the job that fills the round */
        small_init(&small);
        run_to_the_end(&small, &replay_policies[p]);
        if (!nearly_equal(small.jobs[0].ended, 160, 1e-9) ||
            !nearly_equal(small.jobs[1].ended, 360, 1e-9))
            fail_msg("%s: ends at %g and %g", replay_policies[p].name, small.jobs[0].ended,
                     small.jobs[1].ended);
        assert_near(small.world.tallies[0].value, 2 * 2 * 8 * 150, 1e-12);
        assert_near(small.world.tallies[0].busy, 8 * 2 * 160, 1e-12); /* restarts hold GPUs too */
    }
}

static void a_job_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    struct small small;
    small_init(&small);
    assert_true(replay_place(&small.world, &small.jobs[0], 0));
    assert_int_equal(small.pools[0].free[0], 0);
    assert_false(replay_place(&small.world, &small.jobs[1], 0));
    assert_int_equal(small.jobs[1].pool, REPLAY_UNPLACED);
    replay_unplace(&small.world, &small.jobs[0]);
    assert_int_equal(small.pools[0].free[0], 0xff);
}

/* Standard setting with few jobs; observations by (series, metric) of all members added up. */
static double total(const struct observations *seen, const char *series, const char *metric)
{
    double sum = 0;
    size_t at = 0;
    while (at < seen->size) {
        struct observation one;
        assert_ok(observations_next(seen->bytes, seen->size, &at, &one));
        if (strcmp(one.series, series) == 0 && one.subject[0] != '\0' &&
            strcmp(experiment_replay.metrics[one.metric].name, metric) == 0)
            sum += one.value;
    }
    return sum;
}

static void what_is_paid_is_received_and_alone_nobody_pays(void **state)
{
    (void)state;
    struct arena arena;
    struct observations seen;
    struct fault fault = {.status = STATUS_OK};
    struct setting setting = {.experiment = &experiment_replay, .directory = "."};
    static const double numbers[] = {0, 0, 3, 60, 16, 0.8, 600, 60, 0.95, 0.1};
    for (size_t i = 0; i < experiment_replay.parameter_count; i++)
        setting.values[i] = (struct parameter_value){.real = numbers[i], .word = "drawn"};
    arena_init(&arena, ARENA_ROUND_BYTES);
    observations_init(&seen);
    const struct experiment_run run = {
        .setting = &setting, .seed = 5, .arena = &arena, .observations = &seen};
    if (experiment_replay.run(&run, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    for (size_t p = 0; p < replay_policy_count; p++) {
        const char *name = replay_policies[p].name;
        assert_near(total(&seen, name, "paid"), total(&seen, name, "received"), 1e-9);
        assert_true(isfinite(total(&seen, name, "completion_mean")));
    }
    assert_true(total(&seen, "none", "paid") == 0);
    assert_true(total(&seen, "market", "paid") > 0);
    observations_fini(&seen);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_end_when_computed_by_hand),
        cmocka_unit_test(a_job_that_does_not_fit_changes_nothing),
        cmocka_unit_test(what_is_paid_is_received_and_alone_nobody_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
