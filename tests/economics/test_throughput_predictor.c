/* The predictor: who answers for a job, whose word counts for whom, and how hosts deliver. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

#include "economics/throughput/predictor.h"
#include "tests/economics/throughput_truth.h"

enum { RUN_BYTES_MAX = 1 << 30, SEED = 11, APART = 1 };

struct world {
    struct arena arena;
    struct measurements set;
    struct truth truth;
    struct rng rng;
    struct throughput_row table[2];
    struct throughput_table stated;
    struct throughput_hint hint;
    struct demand demand;
    struct predictor_scope scope;
    struct predictor predictor;
};

static struct name named(const char *text)
{
    struct name name = {.text = ""};
    snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    arena_init(&w->arena, RUN_BYTES_MAX);
    measurements_init(&w->set, &w->arena);
    rng_init(&w->rng, support_seed(SEED), 0);
    truth_make(&w->truth, &w->rng);
    w->table[0] = (struct throughput_row){named("model0"), named("cluster0"), 1, 1000};
    w->table[1] = (struct throughput_row){named("stated"), named("cluster0"), 1, 100};
    assert_ok(throughput_table_prepare(w->table, 2, NULL));
    w->stated = (struct throughput_table){w->table, 2};
    w->demand = (struct demand){
        .job = named("usc-1"), .home = named("usc"), .model = named("model0"), .batch = 32};
    w->predictor.table = &w->stated;
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    arena_fini(&w->arena);
    free(w);
    return 0;
}

static void fit(struct world *w, uint32_t apart)
{
    struct model_options const options = {.apart_models = apart};
    assert_ok(model_fit(&w->set, NULL, 0, &options, &w->arena, &w->predictor.fit, NULL));
}

static struct throughput_estimate asked(const struct world *w, const char *gpu, uint32_t gpus)
{
    struct predictor_question const question = {
        .demand = &w->demand,
        .pool = {named("isi"), named(gpu)},
        .configuration = predictor_configuration(&w->demand, gpus, 4),
    };
    return predictor_ask(&w->predictor, &question);
}

/* Rows as the truth has them, under another name of the model, `factor` times as long. */
static void measure_as(struct world *w, const char *model, int c, uint32_t gpus, double factor)
{
    char cluster[16];
    struct measurement row = {.configuration = configuration_even(gpus, 1, 32.0 / gpus)};
    snprintf(cluster, sizeof cluster, "cluster%d", c);
    row.seconds = factor * truth_seconds(&w->truth, 0, c, &row.configuration);
    assert_ok(measurements_add(&w->set, model, cluster, &row, NULL));
}

static double true_speed(const struct world *w, int c, uint32_t gpus)
{
    struct configuration const of = configuration_even(gpus, (gpus + 3) / 4, 32.0 / gpus);
    return 32 / truth_seconds(&w->truth, 0, c, &of);
}

static void what_was_measured_answers_before_what_was_stated(void **state)
{
    struct world *w = *state;
    assert_int_equal(asked(w, "cluster0", 1).basis, BASIS_TABLE);
    assert_near(asked(w, "cluster0", 1).examples_per_second, 1000, 1e-9);
    assert_near(asked(w, "cluster0", 1).high, 0, 1e-9); /* nobody says how sure */
    truth_measure_all(&w->truth, &w->rng, &w->set);
    fit(w, 0);
    struct throughput_estimate const said = asked(w, "cluster0", 1);
    assert_int_equal(said.basis, BASIS_FITTED);
    assert_near(said.examples_per_second / true_speed(w, 0, 1), 1, 0.15);
    assert_true(said.low < said.examples_per_second && said.examples_per_second < said.high);
}

static void a_statement_answers_before_a_pair_that_was_never_measured(void **state)
{
    struct world *w = *state;
    truth_measure_all(&w->truth, &w->rng, &w->set);
    measure_as(w, "stated", 1, 1, 1);
    fit(w, 0);
    w->demand.model = named("stated"); /* measured on cluster1, stated on cluster0 */
    assert_int_equal(asked(w, "cluster1", 1).basis, BASIS_FITTED);
    assert_int_equal(asked(w, "cluster0", 1).basis, BASIS_TABLE);
    assert_int_equal(asked(w, "cluster2", 1).basis, BASIS_POOLED);
    assert_int_equal(asked(w, "cluster9", 1).basis, BASIS_NONE); /* a kind nobody knows */
    w->hint = (struct throughput_hint){named("cluster2"), 1, 77};
    w->demand.hints = &w->hint;
    w->demand.hint_count = 1;
    assert_int_equal(asked(w, "cluster2", 1).basis, BASIS_JOB);
    assert_near(asked(w, "cluster2", 1).examples_per_second, 77, 1e-9);
}

static void a_job_without_a_batch_is_taken_at_the_mean_of_its_model(void **state)
{
    struct world *w = *state;
    truth_measure_all(&w->truth, &w->rng, &w->set);
    fit(w, 0);
    double const stated = asked(w, "cluster0", 1).examples_per_second;
    w->demand.batch = 0; /* the rows' mean is 32, which has a small effect of its own */
    assert_near(asked(w, "cluster0", 1).examples_per_second / stated, 1, 0.03);
}

static void a_batch_far_from_all_that_was_measured_is_left_to_what_is_stated(void **state)
{
    struct world *w = *state;
    truth_measure_all(&w->truth, &w->rng, &w->set); /* 8 to 128 */
    fit(w, 0);
    w->demand.batch = 1;
    assert_int_equal(asked(w, "cluster0", 1).basis, BASIS_FITTED);
    assert_int_equal(asked(w, "cluster0", 2).basis, BASIS_TABLE);  /* half an example each */
    assert_int_equal(asked(w, "cluster1", 2).basis, BASIS_POOLED); /* nothing better */
    w->demand.batch = 2048;
    assert_int_equal(asked(w, "cluster0", 1).basis, BASIS_TABLE);
}

static void beyond_what_was_measured_a_statement_shapes_what_the_fit_says(void **state)
{
    struct world *w = *state;
    struct throughput_row table[] = {{named("model0"), named("cluster0"), 1, 1000},
                                     {named("model0"), named("cluster0"), 8, 6000}};
    assert_ok(throughput_table_prepare(table, 2, NULL));
    w->stated = (struct throughput_table){table, 2};
    for (int i = 0; i < 4; i++)
        measure_as(w, "model0", 0, 1, 1);
    fit(w, 0);
    double const one = asked(w, "cluster0", 1).examples_per_second;
    struct throughput_estimate const eight = asked(w, "cluster0", 8);
    assert_near(one / true_speed(w, 0, 1), 1, 0.05);
    assert_near(eight.examples_per_second / one, 6, 1e-6); /* the table's ratio, the fit's level */
    assert_true(eight.low < eight.examples_per_second && eight.examples_per_second < eight.high);
}

/* --- apart */

static void a_model_apart_is_learned_and_teaches_nobody(void **state)
{
    struct world *w = *state;
    truth_measure_all(&w->truth, &w->rng, &w->set);
    fit(w, 0);
    const struct throughput_model *before = w->predictor.fit;
    for (uint32_t gpus = 1; gpus <= 2; gpus++)
        measure_as(w, "apart-usc", 0, gpus, 1e3); /* a lie, or a very slow model */
    fit(w, APART);
    const struct throughput_model *after = w->predictor.fit;
    assert_int_equal(after->model_count, before->model_count + APART);
    for (uint32_t m = 0; m < before->model_count; m++)
        for (uint32_t c = 0; c <= before->cluster_count; c++)
            assert_memory_equal(model_belief_of(before, m, c)->mean,
                                model_belief_of(after, m, c)->mean,
                                sizeof model_belief_of(before, m, c)->mean);
    assert_memory_equal(&before->factors, &after->factors, sizeof before->factors);

    uint32_t const index = model_find(after, "apart-usc");
    w->scope = (struct predictor_scope){named("usc"), named("mine"), index};
    w->predictor.scopes = &w->scope;
    w->predictor.scope_count = 1;
    w->demand.model = named("mine");
    assert_int_equal(asked(w, "cluster0", 1).basis, BASIS_OWN);
    assert_near(asked(w, "cluster0", 1).examples_per_second / true_speed(w, 0, 1), 1e-3, 0.2);
    assert_int_equal(asked(w, "cluster1", 1).basis, BASIS_POOLED);
    w->demand.home = named("isi"); /* another member's job of that name knows nothing of it */
    assert_int_equal(asked(w, "cluster0", 1).basis, BASIS_NONE);
}

static void apart_rows_alone_make_a_fit(void **state)
{
    struct world *w = *state;
    measure_as(w, "apart-usc", 0, 1, 1);
    measure_as(w, "apart-usc", 0, 2, 1);
    fit(w, APART);
    w->scope = (struct predictor_scope){named("usc"), named("model0"), 0};
    w->predictor.scopes = &w->scope;
    w->predictor.scope_count = 1;
    w->predictor.table = NULL;
    struct throughput_estimate const said = asked(w, "cluster0", 2);
    assert_int_equal(said.basis, BASIS_OWN);
    assert_near(said.examples_per_second / true_speed(w, 0, 2), 1, 0.1);
}

/* --- delivery */

static struct delivery_evidence evidence(const char *home, const char *job, double ratio)
{
    return (struct delivery_evidence){.pool = {named("isi"), named("V100")},
                                      .home = named(home),
                                      .job = named(job),
                                      .log_ratio = log(ratio)};
}

static double factor_for(struct world *w, const char *home)
{
    struct pool_id const pool = {named("isi"), named("V100")};
    struct name const member = named(home);
    return delivery_factor(w->predictor.deliveries, w->predictor.delivery_count, &pool, &member);
}

static void judge(struct world *w, struct delivery_evidence *given, uint32_t count)
{
    struct delivery *found = NULL;
    assert_ok(
        delivery_estimate(given, count, &w->arena, &found, &w->predictor.delivery_count, NULL));
    w->predictor.deliveries = found;
}

static void a_host_is_discounted_only_once_several_jobs_say_so(void **state)
{
    struct world *w = *state;
    struct delivery_evidence two[] = {evidence("usc", "usc-1", .5), evidence("usc", "usc-2", .5),
                                      evidence("usc", "usc-2", .5), evidence("usc", "usc-2", .5)};
    judge(w, two, 4); /* four receipts, but two jobs */
    assert_near(factor_for(w, "usc"), 1, 1e-12);
    struct delivery_evidence three[] = {evidence("usc", "usc-1", .5), evidence("usc", "usc-2", .52),
                                        evidence("usc", "usc-3", .49)};
    judge(w, three, 3);
    /* log .5 drawn towards none by 3 / 3.5 */
    assert_near(factor_for(w, "usc"), exp(log(.5) * 3 / 3.5), 0.02);
}

static void one_bad_job_does_not_discount_a_host(void **state)
{
    struct world *w = *state;
    struct delivery_evidence given[] = {
        evidence("usc", "usc-1", 1), evidence("usc", "usc-2", .98), evidence("usc", "usc-3", .02),
        evidence("usc", "usc-4", 1.03), evidence("usc", "usc-5", .97)};
    judge(w, given, 5);
    assert_near(factor_for(w, "usc"), 1, 1e-12);
}

static void one_home_alone_talks_a_pool_down_for_its_own_jobs_only(void **state)
{
    struct world *w = *state;
    struct delivery_evidence given[] = {
        evidence("usc", "usc-1", .3),   evidence("usc", "usc-2", .3),
        evidence("usc", "usc-3", .3),   evidence("ucla", "ucla-1", .8),
        evidence("ucla", "ucla-2", .8), evidence("ucla", "ucla-3", .8),
        evidence("isi", "isi-1", 1),    evidence("isi", "isi-2", 1),
        evidence("isi", "isi-3", 1)};
    judge(w, given, 3);
    assert_true(factor_for(w, "usc") < .4);
    assert_near(factor_for(w, "ucsd"), 1, 1e-12);
    judge(w, given, 9); /* two homes and the host itself: the milder of the two homes' counts */
    assert_near(factor_for(w, "ucsd"), exp(log(.8) * 3 / 3.5), 1e-9);
    assert_true(factor_for(w, "usc") < .4);
    assert_near(factor_for(w, "isi"), 1, 1e-12);
}

static void old_evidence_fades_and_the_host_recovers(void **state)
{
    struct world *w = *state;
    struct delivery_evidence given[] = {evidence("usc", "usc-1", .5), evidence("usc", "usc-2", .5),
                                        evidence("usc", "usc-3", .5)};
    double before = 0;
    for (int64_t days = 0; days <= 16; days += 4) {
        for (int i = 0; i < 3; i++)
            given[i].age_ms = days * DELIVERY_HALF_LIFE_MS;
        judge(w, given, 3);
        assert_true(factor_for(w, "usc") > before);
        before = factor_for(w, "usc");
    }
    assert_true(before > .99);
    struct delivery_evidence better[] = {evidence("usc", "usc-1", .5), evidence("usc", "usc-2", .5),
                                         evidence("usc", "usc-3", .5), evidence("usc", "usc-4", 1),
                                         evidence("usc", "usc-5", 1),  evidence("usc", "usc-6", 1)};
    for (int i = 0; i < 3; i++)
        better[i].age_ms = 2 * DELIVERY_HALF_LIFE_MS;
    judge(w, better, 6); /* what came after outweighs it */
    assert_near(factor_for(w, "usc"), 1, 1e-12);
}

static void a_factor_stays_within_its_bounds(void **state)
{
    struct world *w = *state;
    struct delivery_evidence given[] = {evidence("usc", "usc-1", 1e-9),
                                        evidence("usc", "usc-2", 1e-9),
                                        evidence("usc", "usc-3", 1e-9)};
    judge(w, given, 3);
    assert_near(factor_for(w, "usc"), DELIVERY_FACTOR_MIN, 1e-12);
    for (int i = 0; i < 3; i++)
        given[i].log_ratio = log(40); /* more than was predicted is no premium */
    judge(w, given, 3);
    assert_near(factor_for(w, "usc"), 1, 1e-12);
}

static void predictions_are_multiplied_by_the_factor(void **state)
{
    struct world *w = *state;
    struct delivery const delivery = {
        .pool = {named("isi"), named("cluster0")}, .home = named("usc"), .factor = .5, .jobs = 3};
    w->predictor.deliveries = &delivery;
    w->predictor.delivery_count = 1;
    assert_near(asked(w, "cluster0", 1).examples_per_second, 500, 1e-9);
    assert_near(asked(w, "cluster0", 1).delivery, .5, 1e-12);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_was_measured_answers_before_what_was_stated),
        WORLD_TEST(a_statement_answers_before_a_pair_that_was_never_measured),
        WORLD_TEST(a_job_without_a_batch_is_taken_at_the_mean_of_its_model),
        WORLD_TEST(a_batch_far_from_all_that_was_measured_is_left_to_what_is_stated),
        WORLD_TEST(beyond_what_was_measured_a_statement_shapes_what_the_fit_says),
        WORLD_TEST(a_model_apart_is_learned_and_teaches_nobody),
        WORLD_TEST(apart_rows_alone_make_a_fit),
        WORLD_TEST(a_host_is_discounted_only_once_several_jobs_say_so),
        WORLD_TEST(one_bad_job_does_not_discount_a_host),
        WORLD_TEST(one_home_alone_talks_a_pool_down_for_its_own_jobs_only),
        WORLD_TEST(old_evidence_fades_and_the_host_recovers),
        WORLD_TEST(a_factor_stays_within_its_bounds),
        WORLD_TEST(predictions_are_multiplied_by_the_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
