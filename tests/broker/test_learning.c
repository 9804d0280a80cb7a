/* Learning: what receipts and profiles teach the broker, whom, and how far one member's word goes.
 */
#include "tests/broker/broker_fixture.h"

#include "broker/learning/learning.h"
#include "broker/learning/learning_show.h"
#include "broker/round/replay.h"

struct taught {
    struct fed *fed;
    struct fed_member *usc;
    struct fed_member *isi;
    struct fed_member *ucla;
};

static int open_taught(void **state)
{
    struct taught *t = calloc(1, sizeof *t);
    assert_non_null(t);
    void *fed = NULL;
    assert_int_equal(fed_open(&fed), 0);
    t->fed = fed;
    t->usc = fed_add(t->fed, "usc", 1000);
    t->isi = fed_add(t->fed, "isi", 1000);
    t->ucla = fed_add(t->fed, "ucla", 1000);
    fed_pool(t->isi, "a100", 4, 0.0001);
    fed_pool(t->ucla, "a100", 4, 0.0002);
    fed_beat_all(t->fed);
    *state = t;
    return 0;
}

static int close_taught(void **state)
{
    struct taught *t = *state;
    void *fed = t->fed;
    assert_int_equal(fed_close(&fed), 0);
    free(t);
    return 0;
}

static struct store_measurement measured(const char *home, const char *host, const char *job,
                                         double speed)
{
    static uint32_t sequence;
    return (struct store_measurement){
        .kind = MEASUREMENT_RECEIPT,
        .lease = {1, 1, 1},
        .sequence = ++sequence,
        .job = fed_name(job),
        .home = fed_name(home),
        .model = fed_name("net"),
        .pool = {fed_name(host), fed_name("a100")},
        .gpus = 1,
        .nodes = 1,
        .gpus_on_fullest = 1,
        .batch = 32,
        .step_seconds = 32 / speed,
        .confirmed = strcmp(home, host) != 0,
        .measured_wall_ms = FED_START_WALL_MS,
        .delivery = 1,
    };
}

static void keep(struct taught *t, const struct store_measurement *row)
{
    struct store *store = t->fed->daemon.core.store;
    bool added = false;
    assert_ok(store_begin(store, &t->fed->fault));
    assert_ok(store_measurement_put(store, row, &added, &t->fed->fault));
    assert_ok(store_commit(store, &t->fed->fault));
}

static void keep_all(struct taught *t, const char *home, const char *host, uint32_t jobs,
                     double speed)
{
    for (uint32_t i = 0; i < jobs; i++) {
        char job[32];
        snprintf(job, sizeof job, "%s-%u", home, 100 + i);
        struct store_measurement const row = measured(home, host, job, speed);
        keep(t, &row);
    }
}

/* A fit of all that is kept, in force. */
static void learn(struct taught *t)
{
    struct core *core = &t->fed->daemon.core;
    struct learn_input input = {.table = &t->fed->config.throughputs, .now_ms = core_now_ms(core)};
    struct store_measurement *rows = NULL;
    struct learned *made = NULL;
    assert_ok(store_measurement_list(core->store, 0, LEARN_ROWS_MAX, &t->fed->arena, &rows,
                                     &input.row_count, &t->fed->fault));
    input.rows = rows;
    if (learned_fit(&input, &made, &t->fed->fault) != STATUS_OK)
        fail_msg("%s", t->fed->fault.text);
    made->version = core->learned != NULL ? core->learned->version + 1 : 1;
    learned_close(core->learned);
    core->learned = made;
}

static struct throughput_estimate asked(const struct taught *t, const char *home, const char *host)
{
    struct demand const demand = {
        .job = fed_name("x-1"), .home = fed_name(home), .model = fed_name("net"), .batch = 32};
    struct predictor_question const question = {
        .demand = &demand,
        .pool = {fed_name(host), fed_name("a100")},
        .configuration = predictor_configuration(&demand, 1, 4),
    };
    return predictor_ask(core_predictor(&t->fed->daemon.core), &question);
}

static void a_receipts_word_counts_once_and_is_forecast_before_it_is_learned(void **state)
{
    struct taught *t = *state;
    struct core *core = &t->fed->daemon.core;
    fed_submit(t->fed, t->usc, "usc-1", 1, 1e-4);
    fed_round(t->fed);
    struct store_lease const lease = fed_lease(t->fed, "usc-1");
    struct receipt receipt = {.lease = lease.lease->id,
                              .job = fed_name("usc-1"),
                              .home = fed_name("usc"),
                              .host = lease.lease->host,
                              .sequence = 1,
                              .gpu_count = 1,
                              .held_ms = 20000,
                              .measured_ms = 16000,
                              .measured_steps = 40,
                              .measured_examples = 1280};
    bool added = false;
    assert_ok(store_begin(core->store, &t->fed->fault));
    assert_ok(learning_take_receipt(core, &receipt, true, &added, &t->fed->fault));
    assert_true(added);
    assert_ok(learning_take_receipt(core, &receipt, true, &added, &t->fed->fault));
    assert_false(added);
    receipt.sequence = 2;
    receipt.measured_ms = 999; /* too short to say anything */
    assert_ok(learning_take_receipt(core, &receipt, true, &added, &t->fed->fault));
    assert_false(added);
    assert_ok(store_commit(core->store, &t->fed->fault));

    struct throughput_response report;
    struct page_request const page = {.rows = 10};
    assert_ok(learning_report(core, &page, &t->fed->arena, &report, &t->fed->fault));
    assert_int_equal(report.row_count, 1);
    assert_near(report.rows[0].measured_examples_per_second, 80, 1e-9);
    assert_near(report.rows[0].predicted_examples_per_second, 100, 1e-9); /* the table's */
    assert_near(report.rows[0].batch, 32, 1e-9);
    assert_true(report.rows[0].confirmed);
    assert_int_equal(report.forecast_count, 1);
    assert_near(report.forecasts[0].median_ape, 25, 1e-9);
    learn(t);
    assert_near(asked(t, "ucla", "isi").examples_per_second, 80, 0.05);
    assert_int_equal(asked(t, "ucla", "isi").basis, BASIS_FITTED);
}

static void a_members_own_word_counts_for_its_own_jobs_alone(void **state)
{
    struct taught *t = *state;
    keep_all(t, "ucla", "ucla", 6, 100000); /* its own runs at home: a thousand times too fast */
    learn(t);
    assert_near(asked(t, "usc", "isi").examples_per_second, 100, 1e-9); /* the table's, untouched */
    assert_int_equal(asked(t, "usc", "isi").basis, BASIS_TABLE);
    assert_int_equal(asked(t, "ucla", "isi").basis, BASIS_OWN);
    assert_true(asked(t, "ucla", "isi").examples_per_second > 10000);
    keep_all(t, "usc", "isi", 3, 90);
    learn(t); /* what two members signed stands before its own word, for it too */
    assert_near(asked(t, "ucla", "isi").examples_per_second / 90, 1, 0.05);
    assert_near(asked(t, "usc", "isi").examples_per_second / 90, 1, 0.05);
}

static void a_host_that_delivers_less_is_discounted_and_its_kind_is_not(void **state)
{
    struct taught *t = *state;
    keep_all(t, "usc", "isi", 5, 50);
    keep_all(t, "usc", "ucla", 5, 100);
    learn(t);
    double const slow = asked(t, "usc", "isi").examples_per_second;
    double const fast = asked(t, "usc", "ucla").examples_per_second;
    assert_true(fast > 85 && fast < 115);
    assert_true(slow < 0.75 * fast);
    struct delivery_row *rows = NULL;
    uint32_t count = 0;
    assert_ok(learning_deliveries(&t->fed->daemon.core, &t->isi->name, 8, &t->fed->arena, &rows,
                                  &count, &t->fed->fault));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].home.text, "usc"); /* one home's word: for its jobs */
    assert_true(rows[0].factor_ppm < 750000);
    assert_near(asked(t, "isi", "isi").delivery, 1, 1e-12);

    fed_submit(t->fed, t->usc, "usc-1", 1, 1e-4); /* isi is the cheaper one */
    fed_round(t->fed);
    assert_string_equal(fed_lease(t->fed, "usc-1").lease->host.text, "ucla");
}

static void a_round_records_its_fit_and_replays_without_it(void **state)
{
    struct taught *t = *state;
    keep_all(t, "usc", "isi", 4, 77);
    learn(t);
    fed_submit(t->fed, t->usc, "usc-1", 2, 1e-4);
    struct round *round = fed_round(t->fed);
    assert_int_equal(round->report.row.fit, 1);
    learn(t); /* another fit since */
    struct round_row *rows = NULL;
    uint32_t count = 0;
    assert_ok(store_round_list(t->fed->daemon.core.store, 0, 10, &t->fed->arena, &rows, &count,
                               &t->fed->fault));
    assert_int_equal(rows[0].fit, 1);
    struct replay replay;
    assert_ok(replay_round(t->fed->daemon.core.store, 0, &t->fed->arena, &replay, &t->fed->fault));
    assert_true(replay.same); /* predictions are in the snapshot, as integers */
}

static void a_stored_fit_predicts_as_it_did_when_it_was_made(void **state)
{
    struct taught *t = *state;
    struct core *core = &t->fed->daemon.core;
    keep_all(t, "usc", "isi", 5, 50);
    keep_all(t, "usc", "ucla", 5, 100);
    keep_all(t, "ucla", "ucla", 3, 70);
    learn(t);
    struct throughput_estimate const before = asked(t, "usc", "isi");
    char *text = NULL;
    size_t size = 0;
    assert_ok(learned_text(core->learned, &text, &size, &t->fed->fault));
    struct store_fit fit = {.made_wall_ms = 5, .model = {(const uint8_t *)text, size}};
    assert_ok(store_begin(core->store, &t->fed->fault));
    assert_ok(store_fit_add(core->store, &fit, &t->fed->fault));
    assert_ok(store_commit(core->store, &t->fed->fault));
    free(text);
    learned_close(core->learned);
    core->learned = NULL;
    struct learning learning;
    assert_ok(learning_open(&learning, core, &t->fed->fault));
    assert_int_equal(core->learned->version, fit.version);
    struct throughput_estimate const after = asked(t, "usc", "isi");
    assert_near(after.high, before.high, 1e-6);
    assert_true(after.delivery < 0.9); /* judged anew, against the stored fit */
    assert_int_equal(asked(t, "ucla", "isi").basis, BASIS_FITTED);
    learning_stop(&learning);
}

static void a_flood_of_rows_pushes_out_none_of_another_member(void **state)
{
    struct taught *t = *state;
    struct store *store = t->fed->daemon.core.store;
    struct store_measurement *list = NULL;
    uint32_t count = 0;
    keep_all(t, "usc", "isi", 2, 90);
    bool added = false;
    assert_ok(store_begin(store, &t->fed->fault));
    for (uint32_t i = 0; i < MEASUREMENTS_PER_HOME_MAX + 50; i++) {
        struct store_measurement const row = measured("ucla", "isi", "ucla-1", 10);
        assert_ok(store_measurement_put(store, &row, &added, &t->fed->fault));
    }
    assert_ok(store_commit(store, &t->fed->fault));
    assert_ok(store_measurement_list(store, 0, LEARN_ROWS_MAX, &t->fed->arena, &list, &count,
                                     &t->fed->fault));
    assert_int_equal(count, MEASUREMENTS_PER_HOME_MAX + 2);
    assert_string_equal(list[count - 1].home.text, "usc");
}

static void a_job_that_nobody_knows_is_to_be_profiled_and_its_profile_is_kept(void **state)
{
    struct taught *t = *state;
    struct submit_request request = fed_job(t->fed, t->usc, "usc-1", 1, 1e-4);
    request.demand.model = fed_name("mystery");
    struct fed_call *call =
        fed_ask(t->fed, &t->usc->name, &method_submit, service_submit, &request);
    assert_int_equal(call->status, STATUS_OK);
    assert_true(((const struct submit_response *)call->response)->profile_wanted);
    fed_done(call);
    struct profile_row profile = {.gpu = fed_name("a100"),
                                  .gpus = 1,
                                  .nodes = 1,
                                  .gpus_on_fullest = 1,
                                  .batch = 32,
                                  .step_seconds = 0.5};
    struct submit_request again = fed_job(t->fed, t->usc, "usc-1", 1, 1e-4);
    again.demand.model = fed_name("mystery");
    again.profile = &profile;
    again.profile_count = 1;
    call = fed_ask(t->fed, &t->usc->name, &method_submit, service_submit, &again);
    assert_int_equal(call->status, STATUS_OK);
    assert_false(((const struct submit_response *)call->response)->profile_wanted);
    fed_done(call);
    learn(t);
    fed_round(t->fed);
    assert_near(fed_lease(t->fed, "usc-1").lease->predicted_examples_per_second, 64, 0.1);
    struct submit_request known = fed_job(t->fed, t->usc, "usc-2", 1, 1e-4);
    call = fed_ask(t->fed, &t->usc->name, &method_submit, service_submit, &known);
    assert_false(((const struct submit_response *)call->response)->profile_wanted);
    fed_done(call);
}

#define TAUGHT(name) cmocka_unit_test_setup_teardown(name, open_taught, close_taught)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAUGHT(a_receipts_word_counts_once_and_is_forecast_before_it_is_learned),
        TAUGHT(a_members_own_word_counts_for_its_own_jobs_alone),
        TAUGHT(a_host_that_delivers_less_is_discounted_and_its_kind_is_not),
        TAUGHT(a_round_records_its_fit_and_replays_without_it),
        TAUGHT(a_stored_fit_predicts_as_it_did_when_it_was_made),
        TAUGHT(a_flood_of_rows_pushes_out_none_of_another_member),
        TAUGHT(a_job_that_nobody_knows_is_to_be_profiled_and_its_profile_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
