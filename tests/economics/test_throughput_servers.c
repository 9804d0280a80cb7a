/* Parameter servers as a closed queueing network: known answers, and analysis against simulation.
 */
#include "tests/support/support.h"

#include <math.h>

#include "economics/throughput/servers.h"

enum { PUSHES = 400000 };

static double analysed(const struct server_training *training)
{
    double rate = 0;
    assert_ok(servers_analyse(training, &rate, NULL));
    return rate;
}

static double simulated(const struct server_training *training, enum service_law law)
{
    struct server_simulation const simulation = {law, 0.5, PUSHES, support_seed(1)};
    double rate = 0;
    assert_ok(servers_simulate(training, &simulation, &rate, NULL));
    return rate;
}

static struct server_training training_of(uint32_t workers, bool synchronous)
{
    return (struct server_training){workers, synchronous, {0.2, 1, 0.3, 0.05}};
}

static void one_worker_goes_round_in_the_sum_of_its_times(void **state)
{
    (void)state;
    for (int synchronous = 0; synchronous < 2; synchronous++) {
        struct server_training const training = training_of(1, synchronous != 0);
        assert_near(analysed(&training), 1 / 1.55, 1e-9);
        assert_near(simulated(&training, SERVICE_DETERMINISTIC), 1 / 1.55, 1e-9);
    }
}

/* The machine repairman's problem, 2 machines, one repairman, both rates 1: busy 4/5 of the time.
 */
static void the_machine_repairman_is_solved(void **state)
{
    (void)state;
    struct server_training const training = {2, false, {0, 1, 1, 0}};
    assert_near(analysed(&training), 0.8, 1e-9);
}

/* The slower of two exponential times with mean one is 1.5 on average. */
static void a_synchronous_step_takes_as_long_as_its_slowest_worker(void **state)
{
    (void)state;
    struct server_training const training = {2, true, {0, 1, 0, 0}};
    assert_near(analysed(&training), 2 / 1.5, 1e-6);
}

static void many_workers_are_held_up_by_the_busiest_station(void **state)
{
    (void)state;
    struct server_training const training = training_of(200, false);
    assert_near(analysed(&training), 1 / 0.3, 1e-3);
}

static void analysis_is_within_three_percent_of_simulation_for_exponential_times(void **state)
{
    (void)state;
    static const uint32_t workers[] = {1, 2, 4, 8, 16, 32};
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++)
        for (int synchronous = 0; synchronous < 2; synchronous++) {
            struct server_training const training = training_of(workers[i], synchronous != 0);
            double const from = analysed(&training);
            double const to = simulated(&training, SERVICE_EXPONENTIAL);
            if (fabs(from / to - 1) > 0.03)
                fail_msg("%u workers, synchronous %d: analysed %g, simulated %g, seed %llu",
                         workers[i], synchronous, from, to, (unsigned long long)support_seed(1));
        }
}

/* The less times vary around one mean the less anybody waits; 1% is left to the simulation's noise.
 */
static void deterministic_times_are_at_least_as_fast_as_exponential_ones(void **state)
{
    (void)state;
    for (uint32_t workers = 2; workers <= 16; workers *= 2)
        for (int synchronous = 0; synchronous < 2; synchronous++) {
            struct server_training const training = training_of(workers, synchronous != 0);
            double const steady = simulated(&training, SERVICE_DETERMINISTIC);
            double const lognormal = simulated(&training, SERVICE_LOGNORMAL);
            assert_true(steady >= lognormal * 0.99);
            assert_true(lognormal >= simulated(&training, SERVICE_EXPONENTIAL) * 0.99);
        }
}

static void waiting_for_the_slowest_never_pays(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 32; workers *= 2) {
        struct server_training const free_running = training_of(workers, false);
        struct server_training const in_step = training_of(workers, true);
        assert_true(analysed(&free_running) >= analysed(&in_step) * (1 - 1e-9));
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    double rate;
    struct server_training training = training_of(0, false);
    assert_int_equal(servers_analyse(&training, &rate, NULL), STATUS_INVALID);
    training = training_of(4, false);
    training.mean_seconds[STATION_COMPUTE] = 0;
    assert_int_equal(servers_analyse(&training, &rate, NULL), STATUS_INVALID);
    training = training_of(SERVERS_WORKERS_EXACT + 1, true);
    assert_int_equal(servers_analyse(&training, &rate, NULL), STATUS_EXHAUSTED);
    training.mean_seconds[STATION_UPLINK] = (double)NAN;
    assert_int_equal(servers_analyse(&training, &rate, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_goes_round_in_the_sum_of_its_times),
        cmocka_unit_test(the_machine_repairman_is_solved),
        cmocka_unit_test(a_synchronous_step_takes_as_long_as_its_slowest_worker),
        cmocka_unit_test(many_workers_are_held_up_by_the_busiest_station),
        cmocka_unit_test(analysis_is_within_three_percent_of_simulation_for_exponential_times),
        cmocka_unit_test(deterministic_times_are_at_least_as_fast_as_exponential_ones),
        cmocka_unit_test(waiting_for_the_slowest_never_pays),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("throughput_servers", tests, NULL, NULL);
}
