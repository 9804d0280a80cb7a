/* The fitted model: what it says of what was and was not measured, its file, its speed limits. */
#include "tests/support/support.h"

#include <stdlib.h>

#include "base/file.h"
#include "economics/throughput/model.h"
#include "economics/throughput/probe.h"
#include "economics/throughput/recommend.h"
#include "tests/economics/throughput_truth.h"

enum { RUN_BYTES_MAX = 1 << 30, SEED = 7 };

static struct arena arena;
static struct measurements set;
static struct truth truth;
static struct rng rng;

static int open_world(void **state)
{
    (void)state;
    arena_init(&arena, RUN_BYTES_MAX);
    measurements_init(&set, &arena);
    rng_init(&rng, support_seed(SEED), 0);
    truth_make(&truth, &rng);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const struct throughput_model *fitted(const double *links)
{
    const struct throughput_model *model = NULL;
    struct model_options const options = {.link_gbps = links};
    assert_ok(model_fit(&set, NULL, 0, &options, &arena, &model, NULL));
    return model;
}

static struct prediction asked(const struct throughput_model *model, const char *job,
                               const char *cluster, uint32_t gpus, uint32_t nodes)
{
    struct prediction prediction;
    struct configuration const of = configuration_even(gpus, nodes, 32);
    assert_ok(model_predict(model, model_find(model, job), model_find_cluster(model, cluster), &of,
                            &prediction, NULL));
    return prediction;
}

static double width(struct prediction of)
{
    assert_true(of.seconds_low < of.seconds && of.seconds < of.seconds_high);
    return of.seconds_high / of.seconds_low;
}

/* The truth without noise lies in 90% intervals of measurements nearly always. */
static void predictions_are_near_the_truth_and_intervals_hold_it(void **state)
{
    (void)state;
    truth_measure_all(&truth, &rng, &set);
    const struct throughput_model *model = fitted(NULL);
    for (int m = 0; m < TRUTH_MODELS; m++)
        for (uint32_t gpus = 1; gpus <= 16; gpus *= 2) {
            char job[16];
            snprintf(job, sizeof job, "model%d", m);
            struct configuration const of = configuration_even(gpus, (gpus + 3) / 4, 32);
            double const seconds = truth_seconds(&truth, m, 1, &of);
            struct prediction const said = asked(model, job, "cluster1", gpus, (gpus + 3) / 4);
            assert_near(said.seconds / seconds, 1, 0.1);
            assert_near(said.examples_per_second * said.seconds, gpus * 32.0, 1e-9);
        }
}

static void the_less_is_known_the_wider_the_interval(void **state)
{
    (void)state;
    truth_measure_all(&truth, &rng, &set);
    const struct throughput_model *model = fitted(NULL);
    struct prediction const measured = asked(model, "model0", "cluster0", 8, 4);
    struct prediction const beyond = asked(model, "model0", "cluster0", 64, 16);
    struct prediction const new_job = asked(model, "nobody", "cluster0", 8, 4);
    struct prediction const nothing = asked(model, "nobody", "nowhere", 8, 4);
    assert_int_equal(measured.reach, REACH_MEASURED);
    assert_int_equal(beyond.reach, REACH_BEYOND);
    assert_int_equal(new_job.reach, REACH_NEW);
    assert_true(width(measured) < width(beyond));
    assert_true(width(beyond) < width(new_job));
    assert_true(width(new_job) <= width(nothing) * 1.001);
    /* a job of unknown size may take ten times as long or as short */
    assert_true(width(new_job) > 10);
}

static void parameters_that_no_row_tells_stay_at_their_prior_and_are_named(void **state)
{
    (void)state;
    truth_measure(&truth, 0, 0, 1, 1, &rng, &set);
    const struct throughput_model *model = fitted(NULL);
    const struct model_belief *belief = model_belief_of(model, 0, 0);
    uint32_t const told = 1U << FORM_T | 1U << FORM_L;
    assert_int_equal(belief->at_prior, (1U << FORM_PARAMETERS) - 1 - told);
    struct pair_prior prior;
    pooling_prior_between(&prior);
    for (int i = FORM_S1; i < FORM_PARAMETERS; i++)
        assert_near(belief->mean[i], prior.mean[i], 1e-6);
}

static void a_change_of_link_changes_what_crosses_it_where_the_link_is_known(void **state)
{
    (void)state;
    truth_measure_all(&truth, &rng, &set);
    double const links[THROUGHPUT_CLUSTERS_MAX] = {25};
    const struct throughput_model *model = fitted(links);
    struct configuration of = configuration_even(16, 4, 32);
    struct prediction as_it_is;
    struct prediction slower;
    struct fault fault;
    assert_ok(model_predict(model, 0, 0, &of, &as_it_is, NULL));
    of.network_gbps = 5;
    assert_ok(model_predict(model, 0, 0, &of, &slower, NULL));
    assert_true(slower.seconds > as_it_is.seconds * 1.1);
    of.network_gbps = 25;
    assert_ok(model_predict(model, 0, 0, &of, &slower, NULL));
    assert_near(slower.seconds, as_it_is.seconds, 1e-12);
    assert_int_equal(model_predict(model, 0, 1, &of, &slower, &fault), STATUS_PRECONDITION);
    assert_non_null(strstr(fault.text, "--link cluster1=GBPS"));
}

/* Rows at two capacities tell how much of a synchronisation is transfer: the law's own link share.
 */
static void rows_at_two_capacities_teach_what_the_link_is_worth(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++)
        for (uint32_t nodes = 2; nodes <= 4; nodes++) {
            truth.link_gbps[0] = round % 2 == 0 ? 2 : 40;
            truth_measure(&truth, 0, 0, nodes * (1 + (uint32_t)round), nodes, &rng, &set);
        }
    const struct throughput_model *model = fitted(NULL);
    const struct model_belief *belief = model_belief_of(model, 0, 0);
    assert_int_equal(belief->at_prior & 1U << FORM_LINK, 0);
    struct configuration of = configuration_even(4, 4, 32);
    of.network_gbps = 10; /* between the two */
    struct prediction said;
    assert_ok(model_predict(model, 0, 0, &of, &said, NULL));
    assert_near(said.seconds / truth_seconds(&truth, 0, 0, &of), 1, 0.1);
}

static void a_written_model_reads_back_and_says_the_same(void **state)
{
    (void)state;
    truth_measure_all(&truth, &rng, &set);
    double const links[THROUGHPUT_CLUSTERS_MAX] = {25};
    const struct throughput_model *model = fitted(links);
    const struct throughput_model *again;
    char directory[256];
    char path[300];
    struct fault fault = {.text = ""};
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/model.json", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_ok(model_write(model, file, NULL));
    assert_int_equal(fclose(file), 0);
    if (model_read(path, &arena, &again, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    for (uint32_t gpus = 1; gpus <= 64; gpus *= 4)
        for (int job = 0; job <= TRUTH_MODELS; job++) {
            char name[16];
            snprintf(name, sizeof name, "model%d", job); /* the last is never seen */
            struct prediction const a = asked(model, name, "cluster2", gpus, 1);
            struct prediction const b = asked(again, name, "cluster2", gpus, 1);
            assert_memory_equal(&a, &b, sizeof a);
        }
    support_remove_tree(directory);
}

static void a_file_that_is_no_model_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}", "[]", "{\"format\": \"x\"}",
        "{\"format\": \"entente-throughput-model\", \"version\": 2}",
        "{\"format\": \"entente-throughput-model\", \"version\": 1, \"rows\": 3}"};
    char directory[256];
    char path[300];
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/model.json", directory);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct throughput_model *model;
        struct fault fault = {.text = ""};
        assert_ok(
            file_write(path, (struct bytes){(const uint8_t *)bad[i], strlen(bad[i])}, 0600, NULL));
        assert_int_equal(model_read(path, &arena, &model, &fault), STATUS_INVALID);
        assert_true(strlen(fault.text) > 0);
    }
    support_remove_tree(directory);
}

/* Two rows: the first says how fast, the second must not repeat it. */
static void probes_are_few_distinct_and_cover_both_phases(void **state)
{
    (void)state;
    struct configuration available[] = {configuration_even(1, 1, 32), configuration_even(1, 1, 64),
                                        configuration_even(4, 1, 32), configuration_even(4, 4, 32),
                                        configuration_even(8, 4, 32), configuration_even(8, 4, 64)};
    bool chosen[6];
    struct probe probe;
    probe_begin(&probe, PROBE_NEW_PAIR);
    assert_int_equal(probe_choose(&probe, available, 6, 3, chosen), 3);
    int count = 0;
    bool several = false;
    bool one = false;
    for (int i = 0; i < 6; i++) {
        count += chosen[i] ? 1 : 0;
        several = several || (chosen[i] && available[i].nodes > 1);
        one = one || (chosen[i] && available[i].nodes == 1);
    }
    assert_int_equal(count, 3);
    assert_true(several && one);
    assert_int_equal(probe_choose(&probe, available, 6, 10, chosen), 6);
}

/* A new model on two known clusters: what the first has told of it, the second need not repeat. */
static void probes_of_a_new_models_second_cluster_ask_something_else(void **state)
{
    (void)state;
    struct configuration available[] = {
        configuration_even(1, 1, 8),  configuration_even(1, 1, 128),
        configuration_even(4, 1, 8),  configuration_even(4, 1, 128),
        configuration_even(4, 4, 32), configuration_even(8, 4, 128)};
    bool first[6];
    bool second[6];
    struct probe probe;
    probe_begin(&probe, PROBE_NEW_MODEL);
    assert_int_equal(probe_choose(&probe, available, 6, 2, first), 2);
    assert_int_equal(probe_choose(&probe, available, 6, 2, second), 2);
    assert_memory_not_equal(first, second, sizeof first);
    probe_begin(&probe, PROBE_NEW_PAIR); /* pairs that share nothing are asked the same */
    assert_int_equal(probe_choose(&probe, available, 6, 2, first), 2);
    assert_int_equal(probe_choose(&probe, available, 6, 2, second), 2);
    assert_memory_equal(first, second, sizeof first);
}

static void a_recommendation_meets_what_is_asked_and_nothing_cheaper_does(void **state)
{
    (void)state;
    truth_measure_all(&truth, &rng, &set);
    const struct throughput_model *model = fitted(NULL);
    struct recommend_cluster const clusters[] = {{0, 1, 16, 4}, {1, 2, 16, 4}};
    double const batches[] = {16, 32, 64};
    struct recommend_question question = {.job = 1,
                                          .clusters = clusters,
                                          .cluster_count = 2,
                                          .batches = batches,
                                          .batch_count = 3,
                                          .examples = 1e5};
    struct recommendation all;
    assert_ok(recommend(model, &question, &arena, &all, NULL));
    assert_int_equal(all.choice_count, 2 * 16 * 3);
    assert_true(all.choices[0].frontier); /* the fastest of all is beaten by none */
    question.deadline_seconds = all.choices[0].run_seconds_high * 2;
    assert_ok(recommend(model, &question, &arena, &all, NULL));
    assert_true(all.choices[0].meets);
    for (uint32_t i = 0; i < all.choice_count; i++) {
        const struct choice *of = &all.choices[i];
        assert_true(!of->meets || of->run_seconds_high <= question.deadline_seconds);
        assert_true(of->meets || of->run_seconds_high > question.deadline_seconds);
        assert_true(!of->meets || of->cost >= all.choices[0].cost);
    }
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(predictions_are_near_the_truth_and_intervals_hold_it),
        IN_WORLD(the_less_is_known_the_wider_the_interval),
        IN_WORLD(parameters_that_no_row_tells_stay_at_their_prior_and_are_named),
        IN_WORLD(a_change_of_link_changes_what_crosses_it_where_the_link_is_known),
        IN_WORLD(rows_at_two_capacities_teach_what_the_link_is_worth),
        IN_WORLD(a_written_model_reads_back_and_says_the_same),
        IN_WORLD(a_file_that_is_no_model_is_refused),
        IN_WORLD(probes_are_few_distinct_and_cover_both_phases),
        IN_WORLD(probes_of_a_new_models_second_cluster_ask_something_else),
        IN_WORLD(a_recommendation_meets_what_is_asked_and_nothing_cheaper_does),
    };
    return cmocka_run_group_tests_name("throughput_model", tests, NULL, NULL);
}
