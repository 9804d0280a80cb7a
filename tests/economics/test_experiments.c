/* The laboratory: designs read from YAML, journals that survive being cut anywhere, intervals, and
 * results that depend on neither threads nor interruptions. */
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "economics/experiments/journal.h"
#include "economics/experiments/lab.h"
#include "economics/experiments/observations.h"
#include "economics/experiments/statistics.h"

struct bench {
    char directory[256];
    char file[512];
    struct arena arena;
    struct design design;
    struct fault fault;
};

static void bench_init(struct bench *bench)
{
    support_make_directory(bench->directory);
    snprintf(bench->file, sizeof bench->file, "%s/x.yaml", bench->directory);
    arena_init(&bench->arena, ARENA_ROUND_BYTES);
    bench->fault.text[0] = '\0';
}

static void bench_fini(struct bench *bench)
{
    arena_fini(&bench->arena);
    support_remove_tree(bench->directory);
}

static enum status read_design(struct bench *bench, const char *text)
{
    struct fault fault;
    assert_ok(file_write(bench->file,
                         (struct bytes){.data = (const uint8_t *)text, .size = strlen(text)}, 0600,
                         &fault));
    return design_read(bench->file, NULL, &bench->arena, &bench->design, &bench->fault);
}

/* --- designs */

static void lists_and_grids_make_every_combination_the_last_fastest(void **state)
{
    (void)state;
    struct bench b;
    char text[VALUE_TEXT_MAX];
    struct setting setting;
    bench_init(&b);
    assert_ok(read_design(&b, "experiment: capacity-sharing\nparameters:\n"
                              "  members: [2, 3]\n"
                              "  federation_price: {from: 0.1, to: 0.7, steps: 3}\n"));
    assert_int_equal(b.design.arm_count, 6);
    design_value_text(&b.design, 4, 0, text);
    assert_string_equal(text, "3");
    design_value_text(&b.design, 4, 1, text);
    assert_string_equal(text, "0.4");
    design_arm(&b.design, 5, &setting);
    assert_int_equal(setting_count(&setting, "members"), 3);
    assert_true(setting_real(&setting, "federation_price") == 0.7); /* the end exactly */
    assert_true(setting_real(&setting, "load_spread") == 0);        /* a default */
    bench_fini(&b);
}

static void a_latin_hypercube_meets_every_stratum_once(void **state)
{
    (void)state;
    enum { SAMPLES = 16 };
    struct bench b;
    bool price_met[SAMPLES] = {false};
    bool spread_met[SAMPLES] = {false};
    bench_init(&b);
    assert_ok(read_design(&b, "experiment: capacity-sharing\nsamples: 16\nparameters:\n"
                              "  federation_price: {from: 2, to: 6}\n"
                              "  load_spread: {from: 0.1, to: 0.9}\n"));
    assert_int_equal(b.design.arm_count, SAMPLES);
    for (uint32_t arm = 0; arm < SAMPLES; arm++) {
        struct setting setting;
        design_arm(&b.design, arm, &setting);
        int price = (int)floor((setting_real(&setting, "federation_price") - 2) / 4 * SAMPLES);
        int spread = (int)floor((setting_real(&setting, "load_spread") - 0.1) / 0.8 * SAMPLES);
        assert_in_range(price, 0, SAMPLES - 1);
        assert_in_range(spread, 0, SAMPLES - 1);
        assert_false(price_met[price] || spread_met[spread]);
        price_met[price] = spread_met[spread] = true;
    }
    bench_fini(&b);
}

static const struct refusal {
    const char *text;
    const char *says;
} refusals[] = {
    {"seed: 1\n", "experiment: is missing"},
    {"experiment: capacity-shring\n", ":1: experiment: no experiment is named 'capacity-shring'; "
                                      "did you mean 'capacity-sharing'?"},
    {"experiment: capacity-sharing\nparameters:\n  federaton_price: 1\n",
     ":3: federaton_price: no such key here; did you mean 'federation_price'?"},
    {"experiment: capacity-sharing\nreplicatons: 2\n", "did you mean 'replications'?"},
    {"experiment: capacity-sharing\nparameters:\n  members: 2.5\n", ":3: members: '2.5' isn't a"},
    {"experiment: capacity-sharing\nparameters:\n  members: [2, 900]\n", "900 must be from 1 to"},
    {"experiment: capacity-sharing\nparameters:\n  method: exakt\n", "did you mean 'exact'?"},
    {"experiment: capacity-sharing\nparameters:\n  load: nan\n", "isn't a number"},
    {"experiment: capacity-sharing\nreplications: auto\n", ":2: replications: auto needs"},
    {"experiment: capacity-sharing\nreplications: auto\nhalf_width: {metric: utlity, "
     "relative: 0.1}\n",
     "has no metric 'utlity'; did you mean 'utility'?"},
    {"experiment: capacity-sharing\nhalf_width: {metric: utility, relative: 0.1}\n",
     "is for replications: auto"},
    {"experiment: capacity-sharing\nparameters:\n  federation_price: {from: 1, to: 2}\n",
     "need samples: N"},
    {"experiment: capacity-sharing\nsamples: 3\n", ":2: samples: is for parameters with from"},
    {"experiment: capacity-sharing\nparameters:\n  federation_price: {from: 2, to: 1, steps: 3}\n",
     "from must be below to"},
    {"experiment: capacity-sharing\nparameters:\n  federation_price: {from: 0, to: 1, steps: 3, "
     "scale: log}\n",
     "a log scale starts above 0"},
    {"experiment: capacity-sharing\nparameters:\n  method: {from: 0, to: 1}\n", "has no range"},
    {"experiment: capacity-sharing\nparameters:\n  members: {from: 1, to: 64, steps: 9999}\n"
     "  federation_price: {from: 1, to: 64, steps: 9999}\n",
     "more than 100000 arms"},
};

static void wrong_designs_are_refused_by_line_key_and_nearest_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct bench b;
        bench_init(&b);
        assert_int_equal(read_design(&b, refusals[i].text), STATUS_CONFIG);
        if (strstr(b.fault.text, refusals[i].says) == NULL)
            fail_msg("\"%s\": %s", refusals[i].text, b.fault.text);
        bench_fini(&b);
    }
}

static void every_shipped_configuration_is_a_design(void **state)
{
    (void)state;
    const char *source = getenv("ENTENTE_SOURCE_DIR");
    size_t count;
    const struct experiment *const *all = experiment_all(&count);
    if (source == NULL) {
        print_message("skipped: ENTENTE_SOURCE_DIR is not set\n");
        skip();
    }
    for (size_t i = 0; i < count; i++) {
        struct bench b;
        char path[1024];
        bench_init(&b);
        snprintf(path, sizeof path, "%s/configs/experiments/%s.yaml", source, all[i]->name);
        if (design_read(path, NULL, &b.arena, &b.design, &b.fault) != STATUS_OK)
            fail_msg("%s", b.fault.text);
        assert_ptr_equal(b.design.experiment, all[i]);
        bench_fini(&b);
    }
}

/* --- journals */

enum { RECORDS = 5, JOURNAL_IDENTITY = 77 };

static void fill_journal(const char *directory)
{
    struct journal journal;
    struct fault fault;
    assert_ok(journal_open(&journal, directory, "journal", JOURNAL_IDENTITY, &fault));
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct observations seen;
        observations_init(&seen);
        observations_put(&seen, 3, "owen", "usc", 1.5 * i);
        assert_int_equal(seen.status, STATUS_OK);
        assert_ok(journal_append(&journal, RECORDS - i, i, seen.bytes, seen.size, &fault));
        observations_fini(&seen);
    }
    assert_ok(journal_sync(&journal, &fault));
    journal_close(&journal);
}

static uint32_t intact_records(const char *directory)
{
    struct journal journal;
    struct fault fault;
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    assert_ok(journal_open(&journal, directory, "journal", JOURNAL_IDENTITY, &fault));
    uint32_t count = (uint32_t)journal.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct journal_entry *entry = &journal.entries[i];
        struct observation seen;
        size_t at = 0;
        assert_ok(journal_load(&journal, entry, &buffer, &capacity, &fault));
        assert_ok(observations_next(buffer, entry->size, &at, &seen));
        assert_int_equal(entry->arm, RECORDS - entry->replication);
        assert_true(seen.value == 1.5 * entry->replication && seen.metric == 3);
        assert_string_equal(seen.series, "owen");
        assert_string_equal(seen.subject, "usc");
    }
    free(buffer);
    journal_close(&journal);
    return count;
}

static void a_journal_cut_at_any_byte_keeps_all_whole_records(void **state)
{
    (void)state;
    struct bench b;
    char path[512];
    struct bytes whole;
    bench_init(&b);
    fill_journal(b.directory);
    snprintf(path, sizeof path, "%s/journal", b.directory);
    assert_ok(file_read(path, 1 << 20, &b.arena, &whole, &b.fault));
    size_t record = (whole.size - 16) / RECORDS; /* all are of one size */
    for (size_t size = 0; size <= whole.size; size++) {
        const struct bytes cut = {.data = whole.data, .size = size};
        assert_ok(file_write(path, cut, 0600, &b.fault));
        assert_int_equal(intact_records(b.directory), size < 16 ? 0 : (size - 16) / record);
    }
    bench_fini(&b);
}

static void a_changed_byte_ends_the_journal_before_its_record(void **state)
{
    (void)state;
    struct bench b;
    char path[512];
    struct bytes whole;
    bench_init(&b);
    fill_journal(b.directory);
    snprintf(path, sizeof path, "%s/journal", b.directory);
    assert_ok(file_read(path, 1 << 20, &b.arena, &whole, &b.fault));
    size_t record = (whole.size - 16) / RECORDS;
    uint8_t *changed = arena_copy(&b.arena, whole.data, whole.size);
    for (size_t at = 16; at < whole.size; at++) {
        changed[at] ^= 0x10;
        assert_ok(
            file_write(path, (struct bytes){.data = changed, .size = whole.size}, 0600, &b.fault));
        assert_int_equal(intact_records(b.directory), (at - 16) / record);
        changed[at] ^= 0x10;
    }
    bench_fini(&b);
}

static void a_journal_of_another_design_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct journal journal;
    bench_init(&b);
    fill_journal(b.directory);
    assert_int_equal(journal_open(&journal, b.directory, "journal", JOURNAL_IDENTITY + 1, &b.fault),
                     STATUS_EXISTS);
    assert_non_null(strstr(b.fault.text, "choose another --out"));
    bench_fini(&b);
}

/* --- intervals */

/* Two-sided quantiles from the tables in every book: t(0.975), t(0.995), t(0.95). */
static void student_quantiles_are_the_tables(void **state)
{
    (void)state;
    assert_near(statistics_student(0.95, 1), 12.7062047, 1e-8);
    assert_near(statistics_student(0.95, 2), 4.30265273, 1e-8);
    assert_near(statistics_student(0.95, 9), 2.26215716, 1e-8);
    assert_near(statistics_student(0.99, 10), 3.16927267, 1e-8);
    assert_near(statistics_student(0.90, 30), 1.69726089, 1e-8);
    assert_near(statistics_student(0.95, 1000), 1.96233908, 1e-8);
}

/* A 90% interval of normal means should hold the truth in 90% of samples: of 2,000 samples the
 * share's standard error is 0.7%, and 4 of them are allowed (the bootstrap's is known to be short
 * in samples of 20: two more percent). */
static void intervals_cover_as_often_as_they_say(void **state)
{
    (void)state;
    enum { SAMPLES = 2000, SIZE = 20 };
    double scratch[STATISTICS_RESAMPLES];
    struct rng rng;
    uint32_t student = 0;
    uint32_t bootstrap = 0;
    rng_init(&rng, 99, 0);
    for (int s = 0; s < SAMPLES; s++) {
        double values[SIZE];
        struct summary summary;
        for (int i = 0; i < SIZE; i++) {
            values[i] = -6; /* the sum of 12 uniforms is nearly normal, mean 6 */
            for (int u = 0; u < 12; u++)
                values[i] += rng_unit(&rng);
        }
        statistics_sum_up(values, SIZE, INTERVAL_STUDENT, 0.9, scratch, &summary);
        student += summary.low <= 0 && summary.high >= 0;
        if (s % 10 != 0) /* two thousand resamples each: a tenth will do */
            continue;
        statistics_sum_up(values, SIZE, INTERVAL_BOOTSTRAP, 0.9, scratch, &summary);
        bootstrap += summary.low <= 0 && summary.high >= 0;
    }
    assert_in_range(student, 1746, 1854);
    assert_in_range(bootstrap, 200 * 0.80, 200 * 0.98);
}

/* --- the laboratory */

static const char small_design[] = "experiment: capacity-sharing\nseed: 5\nreplications: 4\n"
                                   "parameters:\n  members: 2\n  gpus: 2\n  load_spread: 0.5\n"
                                   "  method: exact\n  starts: 2\n"
                                   "  federation_price: [0.2, 0.5, 0.8]\n";

static const char *const outputs[] = {"results.csv", "summary.csv", "comparisons.csv",
                                      "results.sqlite"};

static enum status run_into(struct bench *bench, const char *name, struct lab_options options,
                            struct lab_outcome *outcome)
{
    char directory[512];
    snprintf(directory, sizeof directory, "%s/%s", bench->directory, name);
    options.directory = directory;
    options.clock = clock_real();
    if (options.threads == 0)
        options.threads = 1;
    if (options.part_count == 0)
        options.part_count = 1;
    return lab_run(&bench->design, &options, outcome, &bench->fault);
}

static void assert_same_outputs(struct bench *bench, const char *one, const char *other)
{
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        char path[1024];
        struct bytes a;
        struct bytes b;
        snprintf(path, sizeof path, "%s/%s/%s", bench->directory, one, outputs[i]);
        assert_ok(file_read(path, 1 << 24, &bench->arena, &a, &bench->fault));
        snprintf(path, sizeof path, "%s/%s/%s", bench->directory, other, outputs[i]);
        assert_ok(file_read(path, 1 << 24, &bench->arena, &b, &bench->fault));
        if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0)
            fail_msg("%s differs", outputs[i]);
    }
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    struct bench b;
    struct lab_outcome outcome;
    bench_init(&b);
    assert_ok(read_design(&b, small_design));
    assert_ok(run_into(&b, "one", (struct lab_options){.threads = 1}, &outcome));
    assert_int_equal(outcome.runs, 12);
    assert_ok(run_into(&b, "five", (struct lab_options){.threads = 5}, &outcome));
    assert_same_outputs(&b, "one", "five");
    bench_fini(&b);
}

/* Stops by itself once `after` runs are done. */
struct stopper {
    volatile sig_atomic_t stop;
    uint64_t after;
};

static void stop_after(void *context, uint64_t done, uint64_t total)
{
    struct stopper *stopper = context;
    (void)total;
    stopper->stop = done >= stopper->after;
}

static void a_run_stopped_and_resumed_ends_with_the_same_bytes(void **state)
{
    (void)state;
    struct bench b;
    struct lab_outcome outcome;
    struct stopper stopper = {.after = 5};
    const struct lab_options stopping = {
        .stop = &stopper.stop, .progress = stop_after, .context = &stopper};
    bench_init(&b);
    assert_ok(read_design(&b, small_design));
    assert_ok(run_into(&b, "whole", (struct lab_options){0}, &outcome));
    assert_int_equal(run_into(&b, "cut", stopping, &outcome), STATUS_CANCELLED);
    assert_int_equal(run_into(&b, "cut", (struct lab_options){0}, &outcome), STATUS_EXISTS);
    assert_ok(run_into(&b, "cut", (struct lab_options){.resume = true}, &outcome));
    assert_int_equal(outcome.runs_before, 5);
    assert_int_equal(outcome.runs, 7);
    assert_same_outputs(&b, "whole", "cut");
    bench_fini(&b);
}

static void parts_run_apart_come_together_as_one(void **state)
{
    (void)state;
    struct bench b;
    struct lab_outcome outcome;
    bench_init(&b);
    assert_ok(read_design(&b, small_design));
    assert_ok(run_into(&b, "whole", (struct lab_options){0}, &outcome));
    for (uint32_t part = 0; part < 3; part++)
        assert_ok(
            run_into(&b, "parts", (struct lab_options){.part = part, .part_count = 3}, &outcome));
    assert_ok(run_into(&b, "parts", (struct lab_options){.resume = true}, &outcome));
    assert_int_equal(outcome.runs, 0); /* nothing was computed twice */
    assert_same_outputs(&b, "whole", "parts");
    bench_fini(&b);
}

static void replications_go_on_until_intervals_are_narrow(void **state)
{
    (void)state;
    struct bench b;
    struct lab_outcome wide;
    struct lab_outcome narrow;
    static const char format[] = "experiment: capacity-sharing\nreplications: auto\n"
                                 "half_width: {metric: utilitarian, relative: %s, most: 200}\n"
                                 "parameters: {members: 2, gpus: 2, load_spread: 0.5, "
                                 "method: exact, starts: 1}\n";
    char text[512];
    bench_init(&b);
    snprintf(text, sizeof text, format, "0.5");
    assert_ok(read_design(&b, text));
    assert_ok(run_into(&b, "wide", (struct lab_options){0}, &wide));
    snprintf(text, sizeof text, format, "0.1");
    assert_ok(read_design(&b, text));
    assert_ok(run_into(&b, "narrow", (struct lab_options){0}, &narrow));
    assert_true(wide.half_width_ratio <= 1 && narrow.half_width_ratio <= 1);
    assert_true(wide.replications < narrow.replications);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_grids_make_every_combination_the_last_fastest),
        cmocka_unit_test(a_latin_hypercube_meets_every_stratum_once),
        cmocka_unit_test(wrong_designs_are_refused_by_line_key_and_nearest_word),
        cmocka_unit_test(every_shipped_configuration_is_a_design),
        cmocka_unit_test(a_journal_cut_at_any_byte_keeps_all_whole_records),
        cmocka_unit_test(a_changed_byte_ends_the_journal_before_its_record),
        cmocka_unit_test(a_journal_of_another_design_is_refused),
        cmocka_unit_test(student_quantiles_are_the_tables),
        cmocka_unit_test(intervals_cover_as_often_as_they_say),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(a_run_stopped_and_resumed_ends_with_the_same_bytes),
        cmocka_unit_test(parts_run_apart_come_together_as_one),
        cmocka_unit_test(replications_go_on_until_intervals_are_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
