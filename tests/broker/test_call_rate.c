/* Call rates: what a member may ask for, second by second, and that it is nobody else's loss. */
#include "tests/support/support.h"

#include <string.h>

#include "base/units.h"
#include "broker/call_rate.h"

enum { PER_SECOND = 10, BURST = PER_SECOND * CALL_RATE_BURST_SECONDS };

static const struct name eve = {"eve"}, isi = {"isi"};

struct fixture {
    struct clock_simulated clock;
    struct call_rates rates;
    struct fault fault;
};

static uint32_t taken_of(struct fixture *fixture, const struct name *member, uint32_t wanted)
{
    uint32_t taken = 0;
    for (uint32_t n = 0; n < wanted; n++)
        taken += call_rate_take(&fixture->rates, &fixture->clock.clock, member, PER_SECOND,
                                &fixture->fault) == STATUS_OK;
    return taken;
}

static void open_rates(struct fixture *fixture)
{
    *fixture = (struct fixture){.fault = {.text = ""}};
    clock_simulated_init(&fixture->clock, INT64_C(1795410000000));
}

static void beyond_its_burst_a_member_gets_its_rate_and_is_told_the_quota(void **state)
{
    struct fixture fixture;
    (void)state;
    open_rates(&fixture);
    assert_int_equal(taken_of(&fixture, &eve, 1000), BURST);
    assert_non_null(strstr(fixture.fault.text, "quotas.calls_per_second"));
    assert_non_null(strstr(fixture.fault.text, "eve"));
    uint32_t taken = 0;
    for (int step = 0; step < 50; step++) { /* five seconds, asked forty times as fast as allowed */
        clock_simulated_advance(&fixture.clock, 100);
        taken += taken_of(&fixture, &eve, 40);
    }
    assert_int_equal(taken, 5 * PER_SECOND);
    call_rates_fini(&fixture.rates);
}

static void one_members_haste_is_not_anothers_loss(void **state)
{
    struct fixture fixture;
    (void)state;
    open_rates(&fixture);
    taken_of(&fixture, &eve, 1000);
    assert_int_equal(taken_of(&fixture, &isi, BURST), BURST);
    call_rates_fini(&fixture.rates);
}

static void a_long_silence_saves_up_no_more_than_the_burst(void **state)
{
    struct fixture fixture;
    (void)state;
    open_rates(&fixture);
    taken_of(&fixture, &eve, 1);
    clock_simulated_advance(&fixture.clock, INT64_C(100) * 24 * 3600 * MS_PER_SECOND);
    assert_int_equal(taken_of(&fixture, &eve, 1000), BURST);
    call_rates_fini(&fixture.rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beyond_its_burst_a_member_gets_its_rate_and_is_told_the_quota),
        cmocka_unit_test(one_members_haste_is_not_anothers_loss),
        cmocka_unit_test(a_long_silence_saves_up_no_more_than_the_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
