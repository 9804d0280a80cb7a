#include "tests/broker/store_fixture.h"

#include "base/rng.h"

static void a_split_gives_the_odd_micro_credits_to_the_largest_remainders(void **state)
{
    (void)state;
    const struct lease_share shares[] = {
        {name_of("a"), {1}}, {name_of("b"), {1}}, {name_of("c"), {4}}};
    struct credits parts[3];
    /* 10 / 6: 1.67, 1.67, 6.67: floors 1 + 1 + 6, two left, to the first two of equal remainders */
    settle_split(MICROS(10), shares, 3, parts);
    assert_int_equal(parts[0].micros, 2);
    assert_int_equal(parts[1].micros, 2);
    assert_int_equal(parts[2].micros, 6);
    const struct lease_share free_of_charge[] = {{name_of("a"), {0}}};
    settle_split(MICROS(0), free_of_charge, 1, parts);
    assert_int_equal(parts[0].micros, 0);
}

static void random_splits_sum_to_the_amount_and_are_within_one_of_proportion(void **state)
{
    (void)state;
    uint64_t seed = support_seed(7);
    struct rng rng;
    rng_init(&rng, seed, 1);
    for (int round = 0; round < 5000; round++) {
        struct lease_share shares[SHARES_PER_LEASE_MAX];
        struct credits parts[SHARES_PER_LEASE_MAX];
        uint32_t count = 1 + (uint32_t)rng_below(&rng, SHARES_PER_LEASE_MAX);
        int64_t amount = (int64_t)rng_below(&rng, round % 2 == 0 ? 1000 : UINT64_C(1) << 60);
        double total = 0;
        int64_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            shares[i].price.nanos = (int64_t)rng_below(&rng, 1000000000) + (i == 0);
            total += (double)shares[i].price.nanos;
        }
        settle_split(MICROS(amount), shares, count, parts);
        for (uint32_t i = 0; i < count; i++) {
            double fair = (double)amount * ((double)shares[i].price.nanos / total);
            sum += parts[i].micros;
            /* double precision at 2^60 is 256 micro-credits */
            if (parts[i].micros < 0 || (double)parts[i].micros - fair > 1024.0 ||
                fair - (double)parts[i].micros > 1024.0 ||
                (amount < 1000 && ((double)parts[i].micros - fair > 1.0 + 1e-6 ||
                                   fair - (double)parts[i].micros > 1.0 + 1e-6)))
                fail_msg("share %u is %lld, fair %f; ENTENTE_TEST_SEED=%llu", (unsigned)i,
                         (long long)parts[i].micros, fair, (unsigned long long)seed);
        }
        if (sum != amount)
            fail_msg("sum %lld of %lld; ENTENTE_TEST_SEED=%llu", (long long)sum, (long long)amount,
                     (unsigned long long)seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_split_gives_the_odd_micro_credits_to_the_largest_remainders),
        cmocka_unit_test(random_splits_sum_to_the_amount_and_are_within_one_of_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
