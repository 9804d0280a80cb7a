/* The spool: what was put is there after it is opened again, all or nothing. */
#include "tests/broker/power_loss.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "peer/spool/spool.h"

struct fixture {
    char directory[256];
    char file[512];
    struct arena arena;
    struct clock_simulated clock;
    struct spool *spool;
    struct fault fault;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    support_make_directory(fixture->directory);
    snprintf(fixture->file, sizeof fixture->file, "%s/spool.db", fixture->directory);
    arena_init(&fixture->arena, ARENA_MESSAGE_BYTES);
    clock_simulated_init(&fixture->clock, INT64_C(1795410000000));
    assert_ok(spool_open(fixture->file, &fixture->clock.clock, &fixture->spool, &fixture->fault));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    spool_close(fixture->spool);
    arena_fini(&fixture->arena);
    support_remove_tree(fixture->directory);
    test_free(fixture);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    spool_close(fixture->spool);
    assert_ok(spool_open(fixture->file, &fixture->clock.clock, &fixture->spool, &fixture->fault));
}

static void a_lost_spool_has_a_higher_incarnation(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = spool_incarnation(fixture->spool);
    clock_simulated_advance(&fixture->clock, 5000);
    reopen(fixture);
    assert_int_equal(spool_incarnation(fixture->spool), first);
    spool_close(fixture->spool);
    support_remove_tree(fixture->directory);
    assert_ok(directory_make(fixture->directory, 0700, NULL));
    assert_ok(spool_open(fixture->file, &fixture->clock.clock, &fixture->spool, &fixture->fault));
    assert_true(spool_incarnation(fixture->spool) > first);
}

struct found {
    struct spool_job job;
    struct spool_run run;
    uint32_t count;
};

static enum status find_job(void *context, const struct spool_job *job, struct fault *fault)
{
    struct found *found = context;
    (void)fault;
    found->job = *job;
    found->count++;
    return STATUS_OK;
}

static enum status find_run(void *context, const struct spool_run *run, struct fault *fault)
{
    struct found *found = context;
    (void)fault;
    found->run = *run;
    found->count++;
    return STATUS_OK;
}

static void every_field_of_a_job_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct found found = {0};
    struct spool_job job = {
        .job.text = "usc-7",
        .state = JOB_STATE_STOPPING,
        .placement = JOB_FEDERATED,
        .cancelled = true,
        .demand_open = true,
        .lease = {1, 2, 3},
        .renewal = {1, 3, 1},
        .next = {1, 4, 2},
        .examples_done = UINT64_MAX, /* counters are unsigned, SQLite's integers are not */
        .checkpoint_examples = 11,
        .checkpoint_bytes = 12,
        .log_base = 13,
        .starts = 14,
        .retries_left = 15,
        .exit_code = -16,
        .submitted_wall_ms = 17,
        .started_wall_ms = 18,
        .ended_wall_ms = 19,
        .paid = {20},
        .text = "why",
    };
    assert_ok(spool_job_put(fixture->spool, &job, NULL));
    job.exit_code = 21;
    assert_ok(spool_job_put(fixture->spool, &job, NULL)); /* the newest counts */
    reopen(fixture);
    assert_ok(spool_jobs_visit(fixture->spool, find_job, &found, NULL));
    assert_int_equal(found.count, 1);
    /* a lease's id has bytes that mean nothing: compared by itself, then taken out of the whole */
    assert_true(lease_id_equal(found.job.lease, job.lease));
    assert_true(lease_id_equal(found.job.renewal, job.renewal));
    assert_true(lease_id_equal(found.job.next, job.next));
    memcpy(&found.job.lease, &job.lease, sizeof job.lease);
    memcpy(&found.job.renewal, &job.renewal, sizeof job.renewal);
    memcpy(&found.job.next, &job.next, sizeof job.next);
    assert_memory_equal(&found.job, &job, sizeof job);
}

static void where_a_job_was_last_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct name job = {"usc-7"};
    struct spool_place found;
    struct spool_place place = {
        .lease = {1, 2, 3},
        .host.text = "isi",
        .gpu.text = "A100",
        .gpus = 4,
        .price = {5},
        .predicted_examples_per_second = 6.5,
        .measured_examples_per_second = 6.25,
    };
    assert_ok(spool_place_get(fixture->spool, &job, &found, NULL));
    assert_true(lease_id_none(found.lease));
    assert_ok(spool_place_put(fixture->spool, &job, &place, NULL));
    place.gpus = 8;
    assert_ok(spool_place_put(fixture->spool, &job, &place, NULL)); /* the newest counts */
    reopen(fixture);
    assert_ok(spool_place_get(fixture->spool, &job, &found, NULL));
    assert_true(lease_id_equal(found.lease, place.lease));
    assert_string_equal(found.host.text, "isi");
    assert_string_equal(found.gpu.text, "A100");
    assert_int_equal(found.gpus, 8);
    assert_int_equal(found.price.nanos, 5);
    assert_true(found.predicted_examples_per_second ==
                6.5); /* binary fractions come back exactly */
    assert_true(found.measured_examples_per_second == 6.25);
}

static void every_field_of_a_run_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct found found = {0};
    struct spool_run run;
    memset(&run, 0, sizeof run);
    run.run = (struct lease_id){1, 2, 3};
    run.lease = (struct lease_id){1, 5, 1};
    run.next = (struct lease_id){1, 6, 1};
    run.state = RUN_DELIVERING;
    snprintf(run.job.text, sizeof run.job.text, "usc-1");
    snprintf(run.home.text, sizeof run.home.text, "usc");
    run.own = run.ends = run.lost = true;
    run.stop_grace_ms = 7;
    run.changed_wall_ms = 8;
    run.exit_code = 137;
    run.outcome = LEASE_OUTCOME_HOST_FAILED;
    run.delivered_number = 9;
    run.meter.began_boot_ms = 10;
    run.meter.examples = 11;
    assert_ok(spool_run_put(fixture->spool, &run, NULL));
    reopen(fixture);
    assert_ok(spool_runs_visit(fixture->spool, find_run, &found, NULL));
    assert_int_equal(found.count, 1);
    assert_int_equal(found.run.state, run.state);
    assert_true(lease_id_equal(found.run.next, run.next));
    assert_int_equal(found.run.outcome, run.outcome);
    assert_memory_equal(&found.run.meter, &run.meter, sizeof run.meter);
    assert_ok(spool_run_delete(fixture->spool, run.run, NULL));
    found.count = 0;
    assert_ok(spool_runs_visit(fixture->spool, find_run, &found, NULL));
    assert_int_equal(found.count, 0);
}

static void a_lease_is_known_on_the_side_that_has_it(void **state)
{
    struct fixture *fixture = *state;
    struct spool_lease lease = {
        .id = {1, 2, 3},
        .side = LEASE_AS_HOME,
        .job.text = "usc-1",
        .signed_lease = {.body = {(const uint8_t *)"body", 4}, .key_id.text = "k"},
        .signed_held_ms = 99,
    };
    struct spool_lease back;
    assert_ok(spool_lease_put(fixture->spool, &lease, NULL));
    reopen(fixture);
    assert_true(spool_lease_known(fixture->spool, lease.id, LEASE_AS_HOME));
    assert_false(spool_lease_known(fixture->spool, lease.id, LEASE_AS_HOST));
    assert_ok(
        spool_lease_get(fixture->spool, lease.id, LEASE_AS_HOME, &fixture->arena, &back, NULL));
    assert_int_equal(back.signed_held_ms, 99);
    assert_memory_equal(back.signed_lease.body.data, "body", 4);
    assert_int_equal(
        spool_lease_get(fixture->spool, lease.id, LEASE_AS_HOST, &fixture->arena, &back, NULL),
        STATUS_NOT_FOUND);
}

static void a_receipt_keeps_its_body_whatever_is_put_again(void **state)
{
    struct fixture *fixture = *state;
    struct spool_receipt receipt = {
        .lease = {1, 2, 3}, .sequence = 1, .receipt.body = {(const uint8_t *)"once", 4}};
    struct spool_receipt *found;
    uint32_t count;
    assert_ok(spool_receipt_put(fixture->spool, &receipt, NULL));
    receipt.receipt.body = (struct bytes){(const uint8_t *)"twice", 5};
    receipt.state = RECEIPT_READY;
    assert_ok(spool_receipt_put(fixture->spool, &receipt, NULL));
    reopen(fixture);
    assert_int_equal(spool_receipts_count(fixture->spool), 1);
    assert_ok(
        spool_receipts(fixture->spool, RECEIPT_READY, 10, &fixture->arena, &found, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(found[0].receipt.body.size, 4); /* what was signed is never made anew */
    assert_ok(spool_receipt_taken(fixture->spool, receipt.lease, 1, NULL));
    assert_int_equal(spool_receipts_count(fixture->spool), 0);
}

/* The spool remembers that nothing is there, so as not to look at every tick. */
static void what_a_rollback_brings_back_is_found_again(void **state)
{
    struct fixture *fixture = *state;
    struct lease_report *found;
    struct lease_report report = {{1, 1, 1}, LEASE_REPORT_RUNNING, "", 0, 0.5};
    uint32_t count;
    assert_ok(spool_reports(fixture->spool, 9, &fixture->arena, &found, &count, NULL));
    assert_int_equal(count, 0);
    assert_ok(spool_report_put(fixture->spool, &report, NULL));
    assert_ok(spool_begin(fixture->spool, NULL));
    assert_ok(spool_report_delete(fixture->spool, report.lease, report.kind, NULL));
    assert_ok(spool_reports(fixture->spool, 9, &fixture->arena, &found, &count, NULL));
    assert_int_equal(count, 0);
    spool_rollback(fixture->spool);
    assert_ok(spool_reports(fixture->spool, 9, &fixture->arena, &found, &count, NULL));
    assert_int_equal(count, 1);
}

static void reports_come_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    struct lease_report *found;
    uint32_t count;
    for (uint32_t r = 1; r <= 3; r++)
        assert_ok(spool_report_put(
            fixture->spool, &(struct lease_report){{1, 4 - r, 1}, LEASE_REPORT_RUNNING, "", r, 0.5},
            NULL));
    assert_ok(spool_reports(fixture->spool, 2, &fixture->arena, &found, &count, NULL));
    assert_int_equal(count, 2);
    assert_int_equal(found[0].lease.round, 3);
    assert_int_equal(found[1].examples, 2);
    assert_ok(spool_report_delete(fixture->spool, found[0].lease, LEASE_REPORT_RUNNING, NULL));
    assert_ok(spool_reports(fixture->spool, 9, &fixture->arena, &found, &count, NULL));
    assert_int_equal(count, 2);
}

static void what_was_rolled_back_never_was(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(spool_begin(fixture->spool, NULL));
    assert_ok(spool_put_number(fixture->spool, "n", 7, NULL));
    spool_rollback(fixture->spool);
    assert_int_equal(spool_get_number(fixture->spool, "n", 1), 1);
    assert_ok(spool_begin(fixture->spool, NULL));
    assert_ok(spool_put_number(fixture->spool, "n", UINT64_MAX, NULL));
    assert_ok(spool_commit(fixture->spool, NULL));
    reopen(fixture);
    assert_true(spool_get_number(fixture->spool, "n", 1) == UINT64_MAX);
}

/* What was synced survives a power failure, and what was not is gone. */
static void a_deferred_write_waits_for_the_sync(void **state)
{
    struct fixture *fixture = *state;
    struct power_loss disk;
    struct spool *spool = NULL;
    char image[300], path[600], kept[600];
    snprintf(image, sizeof image, "%s/image", fixture->directory);
    snprintf(path, sizeof path, "%s/synced.db", fixture->directory);
    snprintf(kept, sizeof kept, "%s/synced.db", image);
    assert_ok(directory_make(image, 0700, NULL));
    power_loss_begin(&disk, image);
    assert_ok(spool_open(path, &fixture->clock.clock, &spool, &fixture->fault));
    assert_ok(spool_defer_sync(spool, &fixture->fault));
    assert_false(spool_unsynced(spool));
    assert_ok(spool_put_number(spool, "n", 1, &fixture->fault));
    assert_true(spool_unsynced(spool));
    assert_ok(spool_sync(spool, &fixture->fault));
    assert_false(spool_unsynced(spool));
    assert_ok(spool_put_number(spool, "n", 2, &fixture->fault));
    power_loss_end(&disk);
    struct spool *after = NULL;
    assert_ok(spool_open(kept, &fixture->clock.clock, &after, &fixture->fault));
    assert_int_equal(spool_get_number(after, "n", 0), 1);
    spool_close(after);
    spool_close(spool);
}

/* Statements are kept prepared: one that is in use when it is asked for again is another. */
struct nested {
    struct spool *spool;
    uint32_t outer;
    uint32_t inner;
};

static enum status count_inner(void *context, const struct spool_job *job, struct fault *fault)
{
    (void)job;
    (void)fault;
    ((struct nested *)context)->inner++;
    return STATUS_OK;
}

static enum status count_outer(void *context, const struct spool_job *job, struct fault *fault)
{
    struct nested *nested = context;
    (void)job;
    nested->outer++;
    return spool_jobs_visit(nested->spool, count_inner, nested, fault);
}

static void a_visitor_may_visit(void **state)
{
    struct fixture *fixture = *state;
    struct nested nested = {.spool = fixture->spool};
    struct spool_job job = {.job = {"usc-1"}};
    assert_ok(spool_job_put(fixture->spool, &job, &fixture->fault));
    job.job = (struct name){"usc-2"};
    assert_ok(spool_job_put(fixture->spool, &job, &fixture->fault));
    assert_ok(spool_jobs_visit(fixture->spool, count_outer, &nested, &fixture->fault));
    assert_int_equal(nested.outer, 2);
    assert_int_equal(nested.inner, 4);
}

static void a_file_that_is_no_spool_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct spool *spool = NULL;
    char path[600];
    snprintf(path, sizeof path, "%s/other", fixture->directory);
    static const char text[] =
        "this is a letter, not a database, and long enough to be read as one";
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)text, sizeof text}, 0600, NULL));
    assert_int_equal(spool_open(path, &fixture->clock.clock, &spool, &fixture->fault), STATUS_IO);
}

static void a_restored_spool_is_a_new_incarnation_and_gives_no_name_twice(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = spool_incarnation(fixture->spool);
    assert_ok(spool_put_number(fixture->spool, "next-job", 7, NULL));
    assert_ok(spool_restored(fixture->spool, &fixture->fault)); /* within the same second */
    assert_ok(spool_restored(fixture->spool, &fixture->fault));
    reopen(fixture);
    assert_true(spool_incarnation(fixture->spool) >= first + 2);
    assert_true(spool_get_number(fixture->spool, "next-job", 1) > 7 + JOBS_PER_MEMBER_MAX);
}

static uint64_t size_of(const struct fixture *fixture, const char *ending)
{
    char path[600];
    struct stat about;
    snprintf(path, sizeof path, "%s%s", fixture->file, ending);
    assert_int_equal(stat(path, &about), 0);
    return (uint64_t)about.st_size;
}

/* One write for each of the states of some two hundred jobs, each on the disk before the next. */
static uint32_t writes_that_fail(struct fixture *fixture)
{
    char key[SPOOL_KEY_MAX];
    uint32_t failed = 0;
    for (uint64_t n = 0; n < 1000; n++) {
        snprintf(key, sizeof key, "key/%d", (int)n);
        failed += spool_put_number(fixture->spool, key, n, NULL) != STATUS_OK;
    }
    return failed;
}

static void what_was_reserved_can_be_written_on_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    support_full_disk(size_of(fixture, "-wal"));
    uint64_t before = spool_troubles(fixture->spool);
    assert_true(writes_that_fail(fixture) > 0); /* without the reserve */
    assert_true(spool_troubles(fixture->spool) > before);
    support_full_disk(0);
    assert_ok(spool_reserve(fixture->spool, &fixture->fault));
    reopen(fixture);
    assert_ok(spool_reserve(fixture->spool, &fixture->fault)); /* also over a restart */
    uint64_t database = size_of(fixture, ""), log = size_of(fixture, "-wal");
    support_full_disk(database > log ? database : log);
    uint32_t failed = writes_that_fail(fixture);
    support_full_disk(0);
    assert_int_equal(failed, 0);
    assert_ok(spool_reserve(fixture->spool, &fixture->fault)); /* it is there: nothing to do */
    assert_true(size_of(fixture, "") == database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_lost_spool_has_a_higher_incarnation),
        TEST(every_field_of_a_job_comes_back),
        TEST(where_a_job_was_last_comes_back),
        TEST(every_field_of_a_run_comes_back),
        TEST(a_lease_is_known_on_the_side_that_has_it),
        TEST(a_receipt_keeps_its_body_whatever_is_put_again),
        TEST(reports_come_oldest_first),
        TEST(what_a_rollback_brings_back_is_found_again),
        TEST(what_was_rolled_back_never_was),
        TEST(a_deferred_write_waits_for_the_sync),
        TEST(a_visitor_may_visit),
        TEST(a_file_that_is_no_spool_is_refused),
        TEST(a_restored_spool_is_a_new_incarnation_and_gives_no_name_twice),
        TEST(what_was_reserved_can_be_written_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
