#include "tests/support/support.h"

#include "base/apportion.h"
#include "base/rng.h"

static void parts_are_floors_and_the_largest_remainders_get_the_rest(void **state)
{
    (void)state;
    /* shares of 10: 4.28, 2.85, 2.85: floors 4, 2, 2; the two equal remainders get one each */
    int64_t const weights[] = {3, 2, 2};
    int64_t parts[3];
    apportion(10, weights, 3, parts);
    assert_int_equal(parts[0], 4);
    assert_int_equal(parts[1], 3);
    assert_int_equal(parts[2], 3);
    /* of equal remainders the earlier is first */
    int64_t const equal[] = {1, 1, 1};
    apportion(2, equal, 3, parts);
    assert_int_equal(parts[0], 1);
    assert_int_equal(parts[1], 1);
    assert_int_equal(parts[2], 0);
}

static void nothing_is_shared_by_weights_of_zero(void **state)
{
    (void)state;
    int64_t const weights[] = {0, 0};
    int64_t parts[] = {7, 7};
    apportion(0, weights, 2, parts);
    assert_int_equal(parts[0], 0);
    assert_int_equal(parts[1], 0);
}

static void any_amount_is_shared_out_in_whole_within_one_of_its_proportion(void **state)
{
    (void)state;
    enum { COUNT = 9 };
    struct rng rng;
    uint64_t const seed = support_seed(3);
    rng_init(&rng, seed, 1);
    for (int trial = 0; trial < 2000; trial++) {
        int64_t weights[COUNT];
        int64_t parts[COUNT];
        int64_t sum = 0;
        long double total = 0;
        int64_t const amount = (int64_t)rng_below(&rng, UINT64_C(1) << 62);
        for (int i = 0; i < COUNT; i++) {
            weights[i] = (int64_t)(rng_below(&rng, UINT64_C(1) << 62) >> rng_below(&rng, 62));
            total += (long double)weights[i];
        }
        weights[0]++;
        apportion(amount, weights, COUNT, parts);
        for (int i = 0; i < COUNT; i++) {
            /* both floats are exact to 2^-64 of 2^62: to less than one */
            long double const exact = (long double)amount * (long double)weights[i] / (total + 1);
            long double const apart = (long double)parts[i] - exact;
            if (apart > 3 || apart < -3)
                fail_msg("seed %llu, trial %d, part %d", (unsigned long long)seed, trial, i);
            sum += parts[i];
        }
        assert_int_equal(sum, amount);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_floors_and_the_largest_remainders_get_the_rest),
        cmocka_unit_test(nothing_is_shared_by_weights_of_zero),
        cmocka_unit_test(any_amount_is_shared_out_in_whole_within_one_of_its_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
