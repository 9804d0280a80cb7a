/* The demo's trainer from inside: it learns, it repeats itself to the bit, it goes on from a
 * checkpoint as if it had never stopped, and it takes no damaged one. */
#include "tests/support/support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "configs/demo/trainer/checkpoint.h"
#include "configs/demo/trainer/pace.h"
#include "configs/demo/trainer/team.h"

enum { IMAGES = 500, HIDDEN = 16, BATCH = 20 };
static const float rate = 0.1f;

/* Class c lights the pixels 78 c .. 78 c + 77, amid noise: easy, but not trivial. */
static struct dataset make_data(void)
{
    struct dataset data = {
        .pixels = calloc(IMAGES, IMAGE_PIXELS), .labels = calloc(IMAGES, 1), .count = IMAGES};
    struct rng rng;
    rng_init(&rng, 7, 0);
    for (uint32_t i = 0; i < IMAGES; i++) {
        data.labels[i] = (uint8_t)(i % IMAGE_CLASSES);
        for (uint32_t p = 0; p < IMAGE_PIXELS; p++) {
            bool const lit = p / 78 == data.labels[i];
            data.pixels[i * IMAGE_PIXELS + p] = (uint8_t)rng_below(&rng, lit ? 256 : 64);
        }
    }
    return data;
}

static struct network make_weights(uint64_t seed)
{
    struct network weights;
    assert_ok(network_init(&weights, HIDDEN, NULL));
    network_seed(&weights, seed);
    return weights;
}

/* Trains from example `from` on; returns the last step's loss. */
static double train(struct network *weights, const struct dataset *data, uint32_t workers,
                    uint64_t from, uint64_t until)
{
    struct team *team;
    double loss = 0;
    assert_ok(team_open(&team, data, weights, workers, 1, NULL));
    for (uint64_t done = from; done < until; done += BATCH)
        loss = team_step(team, done, BATCH, rate);
    team_close(team);
    return loss;
}

static void assert_same_weights(const struct network *a, const struct network *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->values, b->values, a->count * sizeof *a->values);
}

static void the_loss_falls_and_the_classes_are_learnt(void **state)
{
    (void)state;
    struct dataset data = make_data();
    struct network weights = make_weights(1);
    double const first = train(&weights, &data, 1, 0, BATCH);
    double const last = train(&weights, &data, 1, BATCH, 6 * IMAGES);
    assert_true(last < first / 4);
    assert_true(team_accuracy(&weights, &data) > 0.95); /* guessing gives 0.1 */
    network_fini(&weights);
    dataset_fini(&data);
}

/* By central differences in each of the network's parts. */
static void the_gradient_is_the_slope_of_the_loss(void **state)
{
    (void)state;
    struct dataset data = make_data();
    struct network weights = make_weights(3);
    struct network gradient;
    struct network unused;
    assert_ok(network_init(&gradient, HIDDEN, NULL));
    assert_ok(network_init(&unused, HIDDEN, NULL));
    network_learn(&weights, data.pixels, data.labels[0], &gradient);
    size_t const first = (size_t)IMAGE_PIXELS * HIDDEN;
    size_t const places[] = {5,
                             40 * HIDDEN + 3,
                             first + 2,
                             first + HIDDEN + 17,
                             weights.count - 1,
                             weights.count - IMAGE_CLASSES};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        float const step = 1e-2f;
        float const kept = weights.values[places[i]];
        weights.values[places[i]] = kept + step;
        double const above = network_learn(&weights, data.pixels, data.labels[0], &unused);
        weights.values[places[i]] = kept - step;
        double const below = network_learn(&weights, data.pixels, data.labels[0], &unused);
        weights.values[places[i]] = kept;
        /* floats carry 1e-7, divided by the step 1e-2; the third derivative adds 1e-4 */
        assert_near((double)gradient.values[places[i]], (above - below) / 2e-2, 1e-3);
    }
    network_fini(&unused);
    network_fini(&gradient);
    network_fini(&weights);
    dataset_fini(&data);
}

static void the_same_seed_and_workers_give_the_same_weights(void **state)
{
    (void)state;
    struct dataset data = make_data();
    for (uint32_t workers = 1; workers <= 4; workers++) {
        struct network once = make_weights(1);
        struct network again = make_weights(1);
        train(&once, &data, workers, 0, 2 * IMAGES);
        train(&again, &data, workers, 0, 2 * IMAGES);
        assert_same_weights(&once, &again);
        network_fini(&again);
        network_fini(&once);
    }
    dataset_fini(&data);
}

/* The first step of two epochs, each from the same weights: other examples, so other weights. */
static void each_epoch_has_an_order_of_its_own(void **state)
{
    (void)state;
    struct dataset data = make_data();
    struct network first = make_weights(1);
    struct network second = make_weights(1);
    train(&first, &data, 1, 0, BATCH);
    train(&second, &data, 1, IMAGES, IMAGES + BATCH);
    assert_memory_not_equal(first.values, second.values, first.count * sizeof *first.values);
    network_fini(&second);
    network_fini(&first);
    dataset_fini(&data);
}

static void more_workers_compute_the_same_but_for_rounding(void **state)
{
    (void)state;
    struct dataset data = make_data();
    struct network alone = make_weights(1);
    struct network together = make_weights(1);
    train(&alone, &data, 1, 0, BATCH);
    train(&together, &data, 3, 0, BATCH);    /* shares of 6, 7 and 7 */
    for (size_t i = 0; i < alone.count; i++) /* sums of 20 floats near 1 differ by some 1e-7 */
        assert_near((double)together.values[i], (double)alone.values[i], 1e-6);
    network_fini(&together);
    network_fini(&alone);
    dataset_fini(&data);
}

static void what_goes_on_from_a_checkpoint_ends_where_the_uninterrupted_does(void **state)
{
    (void)state;
    char root[256];
    char path[300];
    support_make_directory(root);
    snprintf(path, sizeof path, "%s/checkpoint", root);
    struct dataset data = make_data();
    struct network whole = make_weights(1);
    train(&whole, &data, 2, 0, 3 * IMAGES);

    struct network part = make_weights(1);
    uint64_t const middle = IMAGES + 7 * BATCH; /* within an epoch */
    train(&part, &data, 2, 0, middle);
    struct training training = {.seed = 1,
                                .hidden = HIDDEN,
                                .batch = BATCH,
                                .learning_rate = 0.1,
                                .steps = 32,
                                .examples = middle,
                                .loss = 0.75};
    assert_ok(checkpoint_write(path, &training, &part, NULL));

    struct network resumed = make_weights(99); /* all of it is replaced */
    struct training read = {.seed = 1, .hidden = HIDDEN, .batch = BATCH, .learning_rate = 0.1};
    assert_ok(checkpoint_read(path, &read, &resumed, NULL));
    assert_int_equal(read.steps, 32);
    assert_int_equal(read.examples, middle);
    assert_near(read.loss, 0.75, 0);
    assert_same_weights(&resumed, &part);
    train(&resumed, &data, 2, read.examples, 3 * IMAGES);
    assert_same_weights(&resumed, &whole);
    network_fini(&resumed);
    network_fini(&part);
    network_fini(&whole);
    dataset_fini(&data);
    support_remove_tree(root);
}

/* One bit turned, at a hundred places all over the file; and every kind of short file. */
static void a_damaged_checkpoint_is_refused_and_nothing_of_it_used(void **state)
{
    (void)state;
    char root[256];
    char path[300];
    support_make_directory(root);
    snprintf(path, sizeof path, "%s/checkpoint", root);
    struct training training = {.seed = 1, .hidden = HIDDEN, .batch = BATCH, .learning_rate = 0.1};
    struct network weights = make_weights(1);
    struct network untouched = make_weights(2);
    struct network target = make_weights(2);
    struct arena arena;
    struct bytes bytes;
    struct fault fault;
    assert_ok(checkpoint_write(path, &training, &weights, NULL));
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_ok(file_read(path, ARENA_MESSAGE_BYTES / 2, &arena, &bytes, NULL));
    uint8_t *copy = arena_copy(&arena, bytes.data, bytes.size);
    uint64_t const seed = support_seed(4);
    struct rng rng;
    rng_init(&rng, seed, 0);
    for (int i = 0; i < 100; i++) {
        size_t const place = i < 80 ? (size_t)i : rng_below(&rng, bytes.size); /* the head wholly */
        copy[place] ^= (uint8_t)(1u << rng_below(&rng, 8));
        assert_ok(file_write(path, (struct bytes){copy, bytes.size}, 0644, NULL));
        if (checkpoint_read(path, &training, &target, &fault) != STATUS_CORRUPT)
            fail_msg("byte %zu, seed %llu", place, (unsigned long long)seed);
        assert_non_null(strstr(fault.text, path));
        memcpy(copy, bytes.data, bytes.size);
    }
    for (size_t size = 0; size < bytes.size; size = size * 2 + 1) {
        assert_ok(file_write(path, (struct bytes){copy, size}, 0644, NULL));
        assert_int_equal(checkpoint_read(path, &training, &target, NULL), STATUS_CORRUPT);
    }
    assert_same_weights(&target, &untouched);
    assert_int_equal(training.examples, 0);
    arena_fini(&arena);
    network_fini(&target);
    network_fini(&untouched);
    network_fini(&weights);
    support_remove_tree(root);
}

static void a_checkpoint_of_another_training_is_refused(void **state)
{
    (void)state;
    char root[256];
    char path[300];
    support_make_directory(root);
    snprintf(path, sizeof path, "%s/checkpoint", root);
    struct training const training = {
        .seed = 1, .hidden = HIDDEN, .batch = BATCH, .learning_rate = 0.1};
    struct network weights = make_weights(1);
    assert_ok(checkpoint_write(path, &training, &weights, NULL));
    struct training others[] = {training, training, training};
    others[0].seed = 2;
    others[1].batch = 21;
    others[2].learning_rate = 0.2;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct fault fault;
        assert_int_equal(checkpoint_read(path, &others[i], &weights, &fault), STATUS_PRECONDITION);
        assert_non_null(strstr(fault.text, "seed 1, batch 20"));
    }
    struct training same = training;
    assert_int_equal(checkpoint_read("/nonexistent/checkpoint", &same, &weights, NULL),
                     STATUS_NOT_FOUND);
    network_fini(&weights);
    support_remove_tree(root);
}

static void the_pace_is_what_is_stated(void **state)
{
    (void)state;
    const struct model *medium = model_find("medium");
    assert_non_null(medium);
    assert_null(model_find("huge"));
    /* one GPU: no synchronisation; the base rate times the factor */
    assert_near(pace_examples_per_second(medium, 1, 1, 64), 1000, 1e-12);
    assert_near(pace_examples_per_second(medium, 2.5, 1, 64), 2500, 1e-12);
    /* four: 64 / 4000 s + 2 · 3/4 · 4 ms = 22 ms a step */
    assert_near(pace_step_s(medium, 1, 4, 64), 0.022, 1e-12);
    /* more GPUs help, each less than the one before, and a larger batch scales better */
    double last_gain = 1e9;
    for (uint32_t n = 1; n < 8; n++) {
        double const gain = pace_examples_per_second(medium, 1, n + 1, 64) -
                            pace_examples_per_second(medium, 1, n, 64);
        assert_true(gain > 0 && gain < last_gain);
        last_gain = gain;
    }
    assert_true(pace_examples_per_second(medium, 1, 4, 256) >
                pace_examples_per_second(medium, 1, 4, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_falls_and_the_classes_are_learnt),
        cmocka_unit_test(the_gradient_is_the_slope_of_the_loss),
        cmocka_unit_test(the_same_seed_and_workers_give_the_same_weights),
        cmocka_unit_test(each_epoch_has_an_order_of_its_own),
        cmocka_unit_test(more_workers_compute_the_same_but_for_rounding),
        cmocka_unit_test(what_goes_on_from_a_checkpoint_ends_where_the_uninterrupted_does),
        cmocka_unit_test(a_damaged_checkpoint_is_refused_and_nothing_of_it_used),
        cmocka_unit_test(a_checkpoint_of_another_training_is_refused),
        cmocka_unit_test(the_pace_is_what_is_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
