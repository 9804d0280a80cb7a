#include "tests/support/support.h"

#include "base/units.h"

static void an_amount_survives_being_written_and_read(void **state)
{
    (void)state;
    int64_t const micros[] = {0, 1, -1, 999999, 1000000, -123456789, 999999999999999999};
    for (size_t i = 0; i < sizeof micros / sizeof micros[0]; i++) {
        char text[CREDITS_TEXT_MAX];
        struct credits back;
        credits_format((struct credits){micros[i]}, text);
        assert_true(credits_parse(text, &back));
        assert_int_equal(back.micros, micros[i]);
    }
}

static void what_is_no_amount_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"",    "-",   ".5", "1.", "1.0000001",
                                 "1e3", "nan", " 1", "1 ", "1234567890123"};
    struct credits amount;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(credits_parse(wrong[i], &amount));
}

static void sums_that_overflow_are_reported(void **state)
{
    (void)state;
    struct credits sum = {7};
    assert_false(credits_add((struct credits){INT64_MAX}, (struct credits){1}, &sum));
    assert_false(credits_subtract((struct credits){INT64_MIN}, (struct credits){1}, &sum));
    assert_int_equal(sum.micros, 7);
}

static void an_hour_of_eight_gpus_costs_its_price(void **state)
{
    (void)state;
    struct credits amount;
    /* 0.0004 credits per GPU-second × 8 × 3600 s = 11.52 credits */
    assert_true(price_amount((struct price){400000}, 8, 3600000, &amount));
    assert_int_equal(amount.micros, 11520000);
    /* half a micro-credit rounds away from zero */
    assert_true(price_amount((struct price){500}, 1, 1000, &amount));
    assert_int_equal(amount.micros, 1);
    /* a product beyond 64 bits of pico-credits still comes out: 1000 credits × 64 GPUs × 30 days */
    assert_true(price_amount((struct price){1000000000000}, 64, 2592000000, &amount));
    assert_int_equal(amount.micros, (int64_t)1000 * 64 * 2592000 * 1000000);
    assert_false(price_amount((struct price){INT64_MAX}, INT64_MAX, 1000, &amount));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_amount_survives_being_written_and_read),
        cmocka_unit_test(what_is_no_amount_is_refused),
        cmocka_unit_test(sums_that_overflow_are_reported),
        cmocka_unit_test(an_hour_of_eight_gpus_costs_its_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
