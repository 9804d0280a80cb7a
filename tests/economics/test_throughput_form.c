/* The law of a step: its derivatives, its limits, and what a change of configuration does. */
#include "tests/support/support.h"

#include <math.h>

#include "base/rng.h"
#include "economics/throughput/efficiency.h"
#include "economics/throughput/form.h"

static const double theta[FORM_PARAMETERS] = {-2, .4, .05, -1, .1, -.5, .12, .03, .1, .15, .3, 1.5};
static const double centre = 3.4657359027997265; /* log 32 */

static double seconds_of(const struct configuration *of)
{
    struct form_input const input = form_prepare(of, centre);
    return exp(form_log_seconds(&input, theta, NULL));
}

static void assert_derivatives(const struct configuration *of)
{
    struct form_input const input = form_prepare(of, centre);
    double by[FORM_PARAMETERS];
    (void)form_log_seconds(&input, theta, by);
    for (int i = 0; i < FORM_PARAMETERS; i++) {
        double up[FORM_PARAMETERS];
        double down[FORM_PARAMETERS];
        double const h = 1e-5;
        for (int k = 0; k < FORM_PARAMETERS; k++)
            up[k] = down[k] = theta[k];
        up[i] += h;
        down[i] -= h;
        double const difference =
            (form_log_seconds(&input, up, NULL) - form_log_seconds(&input, down, NULL)) / (2 * h);
        /* central differences are good to h² */
        assert_near(by[i], difference, 1e-7);
    }
}

static void derivatives_are_those_of_the_law(void **state)
{
    (void)state;
    struct configuration of = configuration_even(1, 1, 8);
    assert_derivatives(&of);
    of = configuration_even(6, 1, 100);
    assert_derivatives(&of);
    of = configuration_even(6, 2, 32);
    assert_derivatives(&of);
    of = configuration_even(13, 4, 500);
    of.network_gbps = 25;
    of.accumulation = 3;
    assert_derivatives(&of);
    of.servers = 3;
    assert_derivatives(&of);
}

static void one_gpu_only_computes(void **state)
{
    (void)state;
    struct configuration const one = configuration_even(1, 1, 32);
    /* at the centre batch a pass takes e^t */
    assert_near(seconds_of(&one), exp(-2), 1e-12);
}

static void a_slower_link_makes_steps_on_several_nodes_slower_and_no_other(void **state)
{
    (void)state;
    struct configuration several = configuration_even(8, 4, 32);
    struct configuration one = configuration_even(8, 1, 32);
    double const before = seconds_of(&several);
    double const before_one = seconds_of(&one);
    several.network_gbps = FORM_REFERENCE_GBPS;
    assert_near(seconds_of(&several), before, 1e-12);
    several.network_gbps = FORM_REFERENCE_GBPS / 4;
    one.network_gbps = FORM_REFERENCE_GBPS / 4;
    assert_true(seconds_of(&several) > before * 1.1);
    assert_near(seconds_of(&one), before_one, 1e-12);
    several.network_gbps = FORM_REFERENCE_GBPS * 10;
    assert_true(seconds_of(&several) < before);
}

static void accumulation_saves_synchronisations(void **state)
{
    (void)state;
    struct configuration of = configuration_even(8, 2, 32);
    double const once = seconds_of(&of);
    struct form_input const input = form_prepare(&of, centre);
    double const gradient = form_gradient_seconds(&input, theta);
    of.accumulation = 4;
    assert_near(seconds_of(&of), 3 * gradient + once, 1e-12);
    assert_true(seconds_of(&of) < 4 * once);
}

/* With as many servers as workers a link carries the model twice: the ring's 2 (K−1)/K, nearly. */
static void more_parameter_servers_relieve_their_links(void **state)
{
    (void)state;
    struct configuration ring = configuration_even(8, 4, 32);
    struct configuration of = ring;
    double last = HUGE_VAL;
    for (uint32_t servers = 1; servers <= 8; servers *= 2) {
        of.servers = servers;
        assert_true(seconds_of(&of) < last);
        last = seconds_of(&of);
    }
    assert_true(last > seconds_of(&ring));
    assert_near(last, seconds_of(&ring), 0.15);
}

static void an_example_is_worth_less_in_a_larger_batch(void **state)
{
    (void)state;
    struct noise_scale const noise = {1000, 100};
    assert_near(statistical_efficiency(&noise, 100), 1, 1e-12);
    /* (1000 + 100) / (1000 + 1200) [Pollux, equation 7] */
    assert_near(statistical_efficiency(&noise, 1200), 0.5, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_are_those_of_the_law),
        cmocka_unit_test(one_gpu_only_computes),
        cmocka_unit_test(a_slower_link_makes_steps_on_several_nodes_slower_and_no_other),
        cmocka_unit_test(accumulation_saves_synchronisations),
        cmocka_unit_test(more_parameter_servers_relieve_their_links),
        cmocka_unit_test(an_example_is_worth_less_in_a_larger_batch),
    };
    return cmocka_run_group_tests_name("throughput_form", tests, NULL, NULL);
}
