/*
 * The real program over real TLS: a federation is made, a member joins by token, its job is placed,
 * run, receipted and settled; the broker is stopped and started, and knows everything again.
 */
#include "tests/broker/daemon_fixture.h"

/* --- the tests */

static void a_federation_runs_settles_and_survives_a_restart(void **state)
{
    struct stage *stage = *state;
    struct peer *usc = arena_alloc(&stage->arena, 2, sizeof *usc);
    if (stage->program[0] == '\0')
        skip();
    assert_non_null(usc);
    struct peer *isi = usc + 1;
    assert_int_equal(command(stage, "init", NULL, NULL), 0);
    start_broker(stage);
    make_peer(stage, usc, "usc");
    make_peer(stage, isi, "isi");
    usc->node = (struct offer_node){.free_gpus = 0xF};
    usc->pool = (struct pool_offer){.gpu = name_of("a100"),
                                    .gpus_per_node = 4,
                                    .node_count = 1,
                                    .nodes = &usc->node,
                                    .cost = {1000000},
                                    .foreign_gpus_max = UINT32_MAX,
                                    .enforces_limits = true};
    struct credit_request deposit = {
        .member = isi->name, .amount = {INT64_C(1000000000)}, .reference = "start"};
    memset(deposit.request_key.bytes, 4, DIGEST_BYTES);
    operate(stage, &method_member_credit, &deposit, NULL);
    beat(usc);
    assert_int_equal(beat(isi)->balance.micros, 1000000000);

    /* isi has no GPU: its job goes to usc */
    submit(isi, "isi-1");
    struct round_run_request now = {0};
    struct round_response *round = NULL;
    operate(stage, &method_round_run, &now, (void **)&round);
    assert_int_equal(round->row.placed, 1);
    assert_string_equal(round->placements[0].pool.member.text, "usc");
    watch(usc, 1);
    watch(isi, 1);
    assert_true(lease_id_equal(usc->lease->id, isi->lease->id));
    assert_memory_equal(usc->lease->home_key.bytes, isi->signing_key.bytes, SIGNING_KEY_BYTES);
    report(usc, LEASE_REPORT_RUNNING);
    report(usc, LEASE_REPORT_RELEASED);
    struct receipt_verdict verdict = settle(usc, isi, 1);
    if (!verdict.accepted)
        fail_msg("%s", verdict.reason);
    struct credits paid;
    assert_true(price_amount(usc->lease->price, 2, 1, &paid));
    assert_int_equal(beat(usc)->balance.micros, paid.micros);
    assert_int_equal(beat(isi)->balance.micros, 1000000000 - paid.micros);
    assert_int_equal(beat(isi)->escrow.micros, 0);
    complete(isi, "isi-1");
    submit(isi, "isi-2"); /* its grant waits over the restart */
    operate(stage, &method_round_run, &now, (void **)&round);
    transport_close(usc->transport);
    transport_close(isi->transport);

    /* down: the store's file still answers */
    stop_broker(stage);
    assert_int_equal(command(stage, "ledger", "verify", NULL), 0);
    assert_int_equal(command(stage, "replay", "1", NULL), 0);
    assert_int_equal(command(stage, "status", NULL, NULL), 1);

    /* up again: certificates, money, jobs, leases and events are those of before */
    start_broker(stage);
    dial(usc);
    dial(isi);
    assert_int_equal(beat(usc)->balance.micros, paid.micros);
    usc->lease = NULL;
    watch(usc, 2);
    assert_non_null(usc->lease);
    struct page_request page = {.rows = 10};
    struct jobs_response *jobs = NULL;
    expect(stage, isi->transport, &method_list_jobs, &page, (void **)&jobs);
    assert_int_equal(jobs->job_count, 2);
    assert_string_equal(jobs->jobs[0].state, "ended");
    assert_string_equal(jobs->jobs[1].state, "placed");
    struct rounds_response *rounds = NULL;
    operate(stage, &method_round_list, &page, (void **)&rounds);
    assert_int_equal(rounds->round_count, 2);
    struct ledger_verify_response *verified = NULL;
    struct empty_message nothing = {0};
    operate(stage, &method_ledger_verify, &nothing, (void **)&verified);
    assert_true(verified->verified);
    transport_close(usc->transport);
    transport_close(isi->transport);
    stop_broker(stage);
}

static void a_revoked_member_gets_nothing_more(void **state)
{
    struct stage *stage = *state;
    struct peer *usc = arena_alloc(&stage->arena, 1, sizeof *usc);
    if (stage->program[0] == '\0')
        skip();
    assert_non_null(usc);
    assert_int_equal(command(stage, "init", NULL, NULL), 0);
    assert_int_equal(command(stage, "init", NULL, NULL), 1); /* never over one that is there */
    start_broker(stage);
    make_peer(stage, usc, "usc");
    beat(usc);
    assert_int_equal(command(stage, "member", "revoke", "usc"), 0);
    struct heartbeat_request request = {
        .offer = {.member = usc->name, .incarnation = 1, .peer_address = "127.0.0.1:7700"},
        .sent_wall_ms = clock_wall_ms(clock_real()),
        .version = "0.1.0",
    };
    assert_int_equal(call(stage, usc->transport, &method_heartbeat, &request, NULL), STATUS_DENIED);
    assert_non_null(strstr(stage->fault.text, "revoked"));
    transport_close(usc->transport);
    stop_broker(stage);
}

static void a_second_broker_on_the_same_state_is_refused(void **state)
{
    struct stage *stage = *state;
    if (stage->program[0] == '\0')
        skip();
    assert_int_equal(command(stage, "run", NULL, NULL), 1); /* not initialised */
    assert_int_equal(command(stage, "init", NULL, NULL), 0);
    start_broker(stage);
    assert_int_equal(command(stage, "run", NULL, NULL), 1);
    assert_int_equal(command(stage, "nonsense", NULL, NULL), 2);
    stop_broker(stage);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_federation_runs_settles_and_survives_a_restart),
        CASE(a_revoked_member_gets_nothing_more),
        CASE(a_second_broker_on_the_same_state_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
