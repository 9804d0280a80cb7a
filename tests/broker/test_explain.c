#include "tests/broker/broker_fixture.h"

#include "broker/round/explain.h"

static struct explain_response explain(struct fed *fed, const char *job)
{
    struct explain_response response;
    struct name name = fed_name(job);
    if (explain_job(fed->round, true, &name, &fed->arena, &response, &fed->fault) != STATUS_OK)
        fail_msg("%s", fed->fault.text);
    return response;
}

static void a_priced_out_job_is_told_the_bid_that_wins(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    fed_pool(usc, "a100", 2, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, usc, "usc-1", 2, 0.002);
    fed_submit(fed, usc, "usc-2", 2, 0.001); /* worth half of the other */
    fed_round(fed);
    struct explain_response response = explain(fed, "usc-2");
    assert_false(response.placed);
    assert_non_null(strstr(response.summary, "other jobs are worth more"));
    assert_int_equal(response.option_count, 1);
    assert_true(response.options[0].surplus_credits < 0);
    /* the rival bids 0.002; a little above that is enough, and is proved by solving again */
    assert_in_range(response.winning_value_nanos_per_example, 2000000, 2040000);
    /* and it is true: with that bid it is placed */
    struct submit_request raised = fed_job(fed, usc, "usc-3", 2, 0);
    raised.demand.value_nanos_per_example = response.winning_value_nanos_per_example;
    fed_expect(fed, STATUS_OK, &usc->name, &method_submit, service_submit, &raised);
    struct cancel_request cancel = {.issued_wall_ms = fed->clock.now_wall_ms,
                                    .job = fed_name("usc-2")};
    fed_expect(fed, STATUS_OK, &usc->name, &method_cancel, service_cancel, &cancel);
    struct store_lease old = fed_lease(fed, "usc-1");
    fed_report(fed, &old, LEASE_REPORT_REFUSED);
    fed_round(fed);
    assert_true(fed_has_lease(fed, "usc-3"));
}

static void a_placed_job_needs_no_other_bid(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    fed_pool(usc, "a100", 2, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, usc, "usc-1", 2, 0.002);
    fed_round(fed);
    struct explain_response response = explain(fed, "usc-1");
    assert_true(response.placed);
    assert_int_equal(response.winning_value_nanos_per_example, 0);
    assert_non_null(strstr(response.summary, "2 a100 of usc"));
}

static void an_impossible_job_is_told_the_obstacle_and_no_bid(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    fed_pool(usc, "a100", 2, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, usc, "usc-1", 8, 1.0); /* no node has eight */
    fed_round(fed);
    struct explain_response response = explain(fed, "usc-1");
    assert_false(response.placed);
    assert_int_equal(response.winning_value_nanos_per_example, 0);
    assert_int_equal(response.option_count, 1);
    assert_true(response.options[0].obstacle[0] != '\0');
}

static void a_job_that_is_worth_too_little_is_told_what_it_costs(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    fed_pool(usc, "a100", 1, 1.0); /* a credit a GPU-second, 100 examples/s: 0.01 an example */
    fed_beat_all(fed);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    fed_round(fed);
    struct explain_response response = explain(fed, "usc-1");
    assert_false(response.placed);
    assert_true(response.winning_value_nanos_per_example >= 10000000);
}

static void a_member_is_told_of_its_own_jobs_only(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    fed_pool(usc, "a100", 1, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    struct explain_request request = {fed_name("usc-1")};
    /* another's job and none at all: the same answer, but for the job's name */
    struct fed_call *theirs = fed_ask(fed, &isi->name, &method_explain, service_explain, &request);
    assert_int_equal(theirs->status, STATUS_NOT_FOUND);
    assert_string_equal(theirs->text, "there is no job usc-1 of isi");
    fed_done(theirs);
    request.job = fed_name("usc-9");
    struct fed_call *nobodys = fed_ask(fed, &isi->name, &method_explain, service_explain, &request);
    assert_int_equal(nobodys->status, STATUS_NOT_FOUND);
    assert_string_equal(nobodys->text, "there is no job usc-9 of isi");
    fed_done(nobodys);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_priced_out_job_is_told_the_bid_that_wins),
        CASE(a_placed_job_needs_no_other_bid),
        CASE(an_impossible_job_is_told_the_obstacle_and_no_bid),
        CASE(a_job_that_is_worth_too_little_is_told_what_it_costs),
        CASE(a_member_is_told_of_its_own_jobs_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
