/* Explanations of markets whose answers are known. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "economics/market/explaining/explain_job.h"
#include "economics/market/explaining/explain_member.h"

static const struct session_options exact = {.method = SESSION_EXACT};

/* A GPU, and two rivals: worth 10 and 6 credits a round. The price is 8. */
static const char rivals[] =
    "{\"round_seconds\": 1000, \"members\": [\"host\", \"buyer\", \"rival\"],"
    " \"pools\": [{\"id\": \"p\", \"member\": \"host\", \"gpu\": \"A100\", \"gpus\": 1}],"
    " \"affinity\": [{\"home\": \"buyer\", \"host\": \"host\", \"value\": 1},"
    "                {\"home\": \"rival\", \"host\": \"host\", \"value\": 1}],"
    " \"jobs\": [{\"id\": \"b\", \"home\": \"buyer\", \"value\": 0.01, \"configurations\":"
    "             [{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 1}]},"
    "            {\"id\": \"r\", \"home\": \"rival\", \"value\": 0.006, \"configurations\":"
    "             [{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 1}]}]}";

struct asked {
    struct arena arena;
    struct draft draft;
    struct session *session;
    struct fault fault;
};

static void ask(struct asked *asked, const char *text)
{
    *asked = (struct asked){.fault = {.text = ""}};
    arena_init(&asked->arena, ARENA_MESSAGE_BYTES);
    draft_init(&asked->draft, &asked->arena);
    FILE *from = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(from);
    if (draft_read_stream(from, "f", &asked->draft, &asked->fault) != STATUS_OK)
        fail_msg("%s", asked->fault.text);
    fclose(from);
    assert_ok(session_open(&asked->session, NULL));
}

static void done(struct asked *asked)
{
    session_close(asked->session);
    draft_fini(&asked->draft);
    arena_fini(&asked->arena);
}

static struct explained_job explain(struct asked *asked, const char *id)
{
    struct explained_job job;
    if (explain_market_job(&asked->draft, asked->session, &exact, id, &job, &asked->fault) !=
        STATUS_OK)
        fail_msg("%s", asked->fault.text);
    return job;
}

static void a_placed_job_has_its_surplus_and_needs_nothing(void **state)
{
    (void)state;
    struct asked asked;
    ask(&asked, rivals);
    struct explained_job const job = explain(&asked, "b");
    assert_near(job.share, 1, 1e-9);
    assert_near(job.surplus, 2, 1e-6); /* 10 - 8 */
    assert_string_equal(job.binds, "");
    assert_false(job.runner_up.there);
    assert_false(job.higher_bid.there);
    done(&asked);
}

static void a_rival_who_lost_learns_what_would_have_won(void **state)
{
    (void)state;
    struct asked asked;
    ask(&asked, rivals);
    struct explained_job const job = explain(&asked, "r");
    assert_near(job.share, 0, 1e-9);
    assert_non_null(strstr(job.binds, "1 GPUs of p"));
    /* to win he must make 10 credits of 1000 examples; the price says 8 at least */
    assert_near(job.higher_bid.needed, 0.008, 1e-9);
    assert_true(job.higher_bid.proved > 0.01 && job.higher_bid.proved < 0.010001);
    assert_near(job.more_gpus.proved, 1, 0);
    assert_false(job.higher_limit.there);
    /* nothing of the trials is left behind */
    assert_near(explain(&asked, "r").higher_bid.proved, job.higher_bid.proved, 0);
    done(&asked);
}

static void a_price_limit_in_the_way_is_named_with_the_one_that_would_do(void **state)
{
    (void)state;
    struct asked asked;
    ask(&asked,
        "{\"round_seconds\": 1000, \"members\": [\"a\"], \"pools\": [{\"id\": \"p\", \"member\":"
        " \"a\", \"gpu\": \"g\", \"gpus\": 1, \"cost\": 0.004}], \"jobs\": [{\"id\": \"j\","
        " \"home\": \"a\", \"value\": 0.01, \"price_max\": 0.002, \"configurations\":"
        " [{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 1}]}]}");
    struct explained_job const job = explain(&asked, "j");
    assert_non_null(strstr(job.binds, "price limit"));
    assert_near(job.higher_limit.needed, 0.004, 1e-9);
    assert_true(job.higher_limit.proved >= 0.004 && job.higher_limit.proved < 0.00401);
    assert_false(job.higher_bid.there);
    done(&asked);
}

static void a_job_with_little_work_left_learns_that_fewer_gpus_would_do(void **state)
{
    (void)state;
    struct asked asked;
    /* 4 GPUs; others pay 3 a GPU. With 4 it pays 12 for the 8 it makes in a quarter of the time. */
    ask(&asked,
        "{\"round_seconds\": 1000, \"members\": [\"a\"], \"pools\": [{\"id\": \"p\", \"member\":"
        " \"a\", \"gpu\": \"g\", \"gpus\": 4}], \"jobs\": ["
        "{\"id\": \"short\", \"home\": \"a\", \"value\": 0.008, \"work_left\": 1000,"
        " \"configurations\": [{\"pool\": \"p\", \"gpus\": 4, \"throughput\": 4}]},"
        "{\"id\": \"o1\", \"home\": \"a\", \"value\": 0.003, \"configurations\":"
        " [{\"pool\": \"p\", \"gpus\": 2, \"throughput\": 2}]},"
        "{\"id\": \"o2\", \"home\": \"a\", \"value\": 0.003, \"configurations\":"
        " [{\"pool\": \"p\", \"gpus\": 2, \"throughput\": 2}]}]}");
    struct explained_job const job = explain(&asked, "short");
    assert_near(job.share, 0, 1e-9);
    assert_true(job.fewer_gpus.there);
    assert_near(job.fewer_gpus.proved, 2, 0); /* 8 for two: 4 a GPU */
    done(&asked);
}

static void a_job_that_may_run_nowhere_is_told_so(void **state)
{
    (void)state;
    struct asked asked;
    ask(&asked, "{\"members\": [\"a\", \"b\"], \"pools\": [{\"id\": \"p\", \"member\": \"a\","
                " \"gpu\": \"g\", \"gpus\": 4}], \"jobs\": [{\"id\": \"j\", \"home\": \"b\","
                " \"value\": 1, \"configurations\": [{\"pool\": \"p\", \"gpus\": 1,"
                " \"throughput\": 1}]}]}");
    struct explained_job const job = explain(&asked, "j");
    assert_non_null(strstr(job.binds, "affinity or one_node forbids"));
    assert_false(job.best.there);
    struct explained_job none;
    assert_int_equal(
        explain_market_job(&asked.draft, asked.session, &exact, "k", &none, &asked.fault),
        STATUS_NOT_FOUND);
    assert_non_null(strstr(asked.fault.text, "no job 'k'"));
    done(&asked);
}

static void a_member_learns_what_one_gpu_more_or_fewer_is_worth(void **state)
{
    (void)state;
    struct asked asked;
    struct explained_member member;
    ask(&asked, rivals);
    if (explain_market_member(&asked.draft, asked.session, &exact, "host", &asked.arena, &member,
                              &asked.fault) != STATUS_OK)
        fail_msg("%s", asked.fault.text);
    assert_int_equal(member.pool_count, 1);
    assert_near(member.pools[0].rent, 8, 1e-6);
    assert_near(member.pools[0].gain, 6, 1e-6);  /* the rival runs too */
    assert_near(member.pools[0].loss, 10, 1e-6); /* nobody runs */
    assert_int_equal(member.pools[0].holds_up, 1);
    assert_false(member.pools[0].holds_on);
    assert_ok(explain_market_member(&asked.draft, asked.session, &exact, "buyer", &asked.arena,
                                    &member, &asked.fault));
    assert_int_equal(member.placed, 1);
    assert_int_equal(member.copy_count, 1);
    assert_near(member.copies[0].surplus, 2, 1e-6);
    assert_near(member.copies[0].gain, 0, 1e-6); /* there is one GPU */
    done(&asked);
}

static double objective_of(struct asked *asked)
{
    struct trial trial;
    if (trial_open(&asked->draft, asked->session, &exact, &trial, &asked->fault) != STATUS_OK)
        fail_msg("%s", asked->fault.text);
    double const objective = trial.outcome.objective;
    trial_close(&trial);
    return objective;
}

static void members_join_and_leave(void **state)
{
    (void)state;
    struct asked asked;
    struct trial_capacity capacity = {
        .member = "new", .gpu = "A100", .gpus = 1, .cost = 0.001, .affinity = 0.5};
    ask(&asked, rivals);
    assert_near(objective_of(&asked), 10, 1e-6);
    assert_ok(trial_change_capacity(&asked.draft, &capacity, &asked.fault));
    /* b at the host, r at the new one: half of 6, less 1 for the GPU; or b there: 6 + 5 - 1 */
    assert_near(objective_of(&asked), 12, 1e-6);
    capacity.member = "host";
    assert_ok(trial_change_capacity(&asked.draft, &capacity, &asked.fault));
    assert_near(objective_of(&asked), 16, 1e-6);
    capacity.gpus = -3;
    assert_int_equal(trial_change_capacity(&asked.draft, &capacity, &asked.fault), STATUS_INVALID);
    uint32_t buyer = 0;
    assert_true(draft_member_known(&asked.draft, "buyer", &buyer));
    trial_remove_member(&asked.draft, buyer);
    assert_near(objective_of(&asked), 6, 1e-6);
    done(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_placed_job_has_its_surplus_and_needs_nothing),
        cmocka_unit_test(a_rival_who_lost_learns_what_would_have_won),
        cmocka_unit_test(a_price_limit_in_the_way_is_named_with_the_one_that_would_do),
        cmocka_unit_test(a_job_with_little_work_left_learns_that_fewer_gpus_would_do),
        cmocka_unit_test(a_job_that_may_run_nowhere_is_told_so),
        cmocka_unit_test(a_member_learns_what_one_gpu_more_or_fewer_is_worth),
        cmocka_unit_test(members_join_and_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
