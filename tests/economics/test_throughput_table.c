#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "economics/throughput/table.h"

static struct name named(const char *text)
{
    struct name name = {.text = ""};
    snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

static struct throughput_row row(const char *model, const char *gpu, uint32_t gpus, double speed)
{
    return (struct throughput_row){named(model), named(gpu), gpus, speed};
}

static double predict(const struct throughput_table *table, const char *model, const char *gpu,
                      uint32_t gpus)
{
    struct demand const demand = {.model = named(model)};
    struct name const kind = named(gpu);
    return throughput_predict(table, &demand, &kind, gpus);
}

static void between_stated_counts_the_curve_is_a_power_law(void **state)
{
    (void)state;
    struct throughput_row rows[] = {row("resnet", "A100", 4, 360), row("resnet", "A100", 1, 100),
                                    row("bert", "V100", 1, 7)};
    struct throughput_table const table = {rows, 3};
    assert_ok(throughput_table_prepare(rows, 3, NULL)); /* sorts */
    assert_near(predict(&table, "resnet", "A100", 1), 100, 0);
    assert_near(predict(&table, "resnet", "A100", 4), 360, 0);
    /* log-log: half way between 1 and 4 is sqrt(100 × 360) */
    assert_near(predict(&table, "resnet", "A100", 2), 189.73665961010276, 1e-12);
}

static void beyond_the_largest_count_efficiency_falls(void **state)
{
    (void)state;
    struct throughput_row rows[] = {row("bert", "V100", 1, 10), row("resnet", "A100", 1, 100),
                                    row("resnet", "A100", 2, 180)};
    struct throughput_table const table = {rows, 3};
    assert_ok(throughput_table_prepare(rows, 3, NULL));
    /* the last doubling gave 1.8: the next gives 1.8 × 0.95 */
    assert_near(predict(&table, "resnet", "A100", 4), 180 * 1.8 * 0.95, 1e-12);
    /* one count alone: linear, times 0.95 */
    assert_near(predict(&table, "bert", "V100", 2), 19, 1e-12);
    assert_near(predict(&table, "bert", "V100", 4), 40 * 0.95 * 0.95, 1e-12);
}

static void more_gpus_than_stated_never_scale_better_than_linear(void **state)
{
    (void)state;
    struct throughput_row rows[] = {row("odd", "A100", 1, 10), row("odd", "A100", 2, 50),
                                    row("slow", "A100", 1, 10), row("slow", "A100", 2, 5)};
    struct throughput_table const table = {rows, 4};
    assert_ok(throughput_table_prepare(rows, 4, NULL));
    assert_near(predict(&table, "odd", "A100", 4), 50 * 2 * 0.95, 1e-12);
    /* a slow-down doesn't go on for ever: flat, times 0.95 */
    assert_near(predict(&table, "slow", "A100", 4), 5 * 0.95, 1e-12);
}

static void below_the_smallest_count_it_is_proportional(void **state)
{
    (void)state;
    struct throughput_row rows[] = {row("gpt", "H100", 8, 80)};
    struct throughput_table const table = {rows, 1};
    assert_ok(throughput_table_prepare(rows, 1, NULL));
    assert_near(predict(&table, "gpt", "H100", 2), 20, 1e-12);
}

static void a_hint_of_the_job_goes_before_the_table(void **state)
{
    (void)state;
    struct throughput_row rows[] = {row("resnet", "A100", 1, 100), row("resnet", "V100", 1, 40)};
    struct throughput_table const table = {rows, 2};
    assert_ok(throughput_table_prepare(rows, 2, NULL));
    struct throughput_hint hints[] = {{named("A100"), 1, 120}};
    struct demand const demand = {.model = named("resnet"), .hints = hints, .hint_count = 1};
    struct name const a100 = named("A100");
    struct name const v100 = named("V100");
    assert_near(throughput_predict(&table, &demand, &a100, 1), 120, 0);
    assert_near(throughput_predict(&table, &demand, &v100, 1), 40, 0); /* no hint for that kind */
    assert_near(throughput_predict(NULL, &demand, &v100, 1), 0, 0);
}

static void a_pair_never_stated_has_no_prediction(void **state)
{
    (void)state;
    struct throughput_row rows[] = {row("resnet", "A100", 1, 100)};
    struct throughput_table const table = {rows, 1};
    assert_near(predict(&table, "resnet", "H100", 1), 0, 0);
    assert_near(predict(&table, "bert", "A100", 1), 0, 0);
    assert_near(predict(&table, "", "A100", 1), 0, 0); /* only hints count */
}

static void rows_that_repeat_or_are_no_speed_are_refused(void **state)
{
    (void)state;
    struct fault fault = {.text = ""};
    struct throughput_row twice[] = {row("a", "A100", 1, 1), row("b", "A100", 1, 1),
                                     row("a", "A100", 1, 2)};
    assert_int_equal(throughput_table_prepare(twice, 3, &fault), STATUS_INVALID);
    assert_non_null(strstr(fault.text, "twice"));
    double const wrong[] = {0, -1, (double)NAN, HUGE_VAL};
    for (size_t i = 0; i < 4; i++) {
        struct throughput_row rows[] = {row("a", "A100", 1, wrong[i])};
        assert_int_equal(throughput_table_prepare(rows, 1, &fault), STATUS_INVALID);
    }
    struct throughput_row none[] = {row("a", "A100", 0, 1)};
    assert_int_equal(throughput_table_prepare(none, 1, &fault), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_stated_counts_the_curve_is_a_power_law),
        cmocka_unit_test(beyond_the_largest_count_efficiency_falls),
        cmocka_unit_test(more_gpus_than_stated_never_scale_better_than_linear),
        cmocka_unit_test(below_the_smallest_count_it_is_proportional),
        cmocka_unit_test(a_hint_of_the_job_goes_before_the_table),
        cmocka_unit_test(a_pair_never_stated_has_no_prediction),
        cmocka_unit_test(rows_that_repeat_or_are_no_speed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
