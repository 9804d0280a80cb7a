/*
 * Hostile members: the real broker over real TLS, and callers who are not who they say, or who act
 * for others. Every method of MemberService is tried in another's name.
 */
#include "tests/broker/daemon_fixture.h"

#include <sys/resource.h>

#include "tests/broker/forgery.h"
#include "tests/support/half_open.h"

static struct stage *stage_of(void **state)
{
    struct stage *stage = *state;
    if (stage->program[0] == '\0')
        skip();
    assert_int_equal(command(stage, "init", NULL, NULL), 0);
    start_broker(stage);
    return stage;
}

static struct peer *new_peer(struct stage *stage, const char *name)
{
    struct peer *peer = arena_alloc(&stage->arena, 1, sizeof *peer);
    assert_non_null(peer);
    make_peer(stage, peer, name);
    return peer;
}

static void refused(struct peer *peer, const struct wire_method *method, const void *request,
                    enum status expected, const char *names)
{
    enum status status = call(peer->stage, peer->transport, method, request, NULL);
    if (status != expected || strstr(peer->stage->fault.text, names) == NULL)
        fail_msg("%s: status %d, not %d; '%s' lacks '%s'", method->path, (int)status, (int)expected,
                 peer->stage->fault.text, names);
}

static struct demand demand_of(struct name job, struct name home)
{
    struct demand demand = {.job = job,
                            .home = home,
                            .model = name_of("net"),
                            .gpus_min = 1,
                            .gpus_max = 1,
                            .batch = 32,
                            .value_nanos_per_example = 1,
                            .work_left_examples = 1,
                            .submitted_wall_ms = clock_wall_ms(clock_real())};
    memset(demand.bundle_digest.bytes, 9, DIGEST_BYTES);
    return demand;
}

/* usc hosts, isi's job is at usc under a lease that both know. */
static void place_a_job(struct stage *stage, struct peer *usc, struct peer *isi)
{
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
    beat(isi);
    submit(isi, "isi-1");
    struct round_run_request now = {0};
    struct round_response *round = NULL;
    operate(stage, &method_round_run, &now, (void **)&round);
    assert_int_equal(round->row.placed, 1);
    watch(usc, 1);
    watch(isi, 1);
}

static void in_the_name_of_isi(struct peer *eve, const struct peer *isi, struct name job)
{
    int64_t now = clock_wall_ms(clock_real());
    struct heartbeat_request heartbeat = {
        .offer = {.member = isi->name, .incarnation = 7, .peer_address = "127.0.0.1:1"},
        .sent_wall_ms = now,
        .version = "0.1.0"};
    refused(eve, &method_heartbeat, &heartbeat, STATUS_DENIED, "offer.member");
    struct submit_request for_isi = {.issued_wall_ms = now, .demand = demand_of(job, isi->name)};
    memset(for_isi.request_key.bytes, 21, DIGEST_BYTES);
    refused(eve, &method_submit, &for_isi, STATUS_DENIED, "demand.home");
    struct submit_request as_own = {.issued_wall_ms = now, .demand = demand_of(job, eve->name)};
    memset(as_own.request_key.bytes, 22, DIGEST_BYTES);
    refused(eve, &method_submit, &as_own, STATUS_INVALID, "demand.job");
    struct cancel_request cancel = {.issued_wall_ms = now, .job = job, .completed = true};
    memset(cancel.request_key.bytes, 23, DIGEST_BYTES);
    refused(eve, &method_cancel, &cancel, STATUS_NOT_FOUND, "of eve");
    struct statement_request statement = {.member = isi->name, .page = {.rows = 10}};
    refused(eve, &method_statement, &statement, STATUS_DENIED, "own statement");
    struct explain_request explain = {.job = job};
    refused(eve, &method_explain, &explain, STATUS_NOT_FOUND, "of eve");
}

static void about_the_lease_of_others(struct peer *eve, const struct peer *usc,
                                      const struct peer *isi)
{
    for (int kind = 0; kind < LEASE_REPORT_KIND_COUNT; kind++) {
        struct lease_report row = {
            .lease = usc->lease->id, .kind = (enum lease_report_kind)kind, .text = ""};
        struct report_leases_request reports = {.reports = &row, .report_count = 1};
        refused(eve, &method_report_leases, &reports, STATUS_DENIED, "not hosted by");
    }
    /* a receipt that both of the lease signed, brought by a third: it is not the third's to bring
     */
    struct peer as_eve = *eve;
    as_eve.secret = usc->secret;
    as_eve.lease = usc->lease;
    assert_false(settle(&as_eve, isi, 1).accepted);
    /* and one that eve signed for both */
    struct peer eve_as_home = *eve;
    as_eve.secret = eve->secret;
    assert_false(settle(&as_eve, &eve_as_home, 1).accepted);
}

static void what_a_stranger_sees(struct peer *eve)
{
    struct page_request page = {.rows = 10};
    struct jobs_response *jobs = NULL;
    expect(eve->stage, eve->transport, &method_list_jobs, &page, (void **)&jobs);
    assert_int_equal(jobs->job_count, 0);
    watch(eve, 0); /* its stream is open, and brings nothing that is not its own */
    beat(eve);
    rpc_loop_run_for(eve->stage->loop, 200);
    assert_int_equal(eve->event_count, 0);
}

/* A request has no name in it that counts: the certificate is the caller's. */
static void a_renewal_is_for_the_caller(struct peer *eve)
{
    struct pem *csr = arena_alloc(&eve->stage->arena, 1, sizeof *csr);
    struct pem *chain = arena_alloc(&eve->stage->arena, 1, sizeof *chain);
    struct renew_response *renewed = NULL;
    struct certificate_facts facts;
    assert_non_null(csr);
    assert_non_null(chain);
    assert_ok(identity_make_request(&eve->key, csr, NULL));
    struct renew_request request = {.csr_pem = csr->text};
    expect(eve->stage, eve->transport, &method_renew, &request, (void **)&renewed);
    snprintf(chain->text, sizeof chain->text, "%s", renewed->chain_pem);
    assert_ok(identity_read_certificate(chain, &facts, NULL));
    assert_string_equal(facts.subject.member.text, "eve");
    struct renew_request garbage = {.csr_pem = "no request at all"};
    assert_int_not_equal(call(eve->stage, eve->transport, &method_renew, &garbage, NULL),
                         STATUS_OK);
}

static void a_member_acts_for_itself_alone(void **state)
{
    struct stage *stage = stage_of(state);
    struct peer *usc = new_peer(stage, "usc");
    struct peer *isi = new_peer(stage, "isi");
    struct peer *eve = new_peer(stage, "eve");
    beat(eve);
    place_a_job(stage, usc, isi);
    in_the_name_of_isi(eve, isi, name_of("isi-1"));
    about_the_lease_of_others(eve, usc, isi);
    what_a_stranger_sees(eve);
    a_renewal_is_for_the_caller(eve);

    /* none of it had an effect: the lease goes its way and is paid in full */
    report(usc, LEASE_REPORT_RUNNING);
    report(usc, LEASE_REPORT_RELEASED);
    struct receipt_verdict verdict = settle(usc, isi, 1);
    if (!verdict.accepted)
        fail_msg("%s", verdict.reason);
    assert_int_equal(beat(eve)->balance.micros, 0);
    /* and another receipt of the same number, signed by both, pays nothing more */
    int64_t paid = beat(usc)->balance.micros;
    (void)settle(usc, isi, 1);
    assert_int_equal(beat(usc)->balance.micros, paid);
    transport_close(usc->transport);
    transport_close(isi->transport);
    transport_close(eve->transport);
    stop_broker(stage);
}

/* --- who is nobody */

/* Of the certificate and key shown: a harmless question to the broker. */
static enum status knock(struct peer *as, const char *chain, const char *key)
{
    struct page_request page = {.rows = 1};
    struct door door = {as->stage->members, "broker.demo", &method_list_jobs, &page};
    return knock_at(&door, as, chain, key);
}

static void certificates_of_no_member_get_nothing(void **state)
{
    struct stage *stage = stage_of(state);
    struct peer *usc = new_peer(stage, "usc");
    struct pem *pems = arena_alloc(&stage->arena, 7, sizeof *pems);
    assert_non_null(pems);
    struct pem *key = &pems[0], *issuer = &pems[1], *chain = &pems[2];
    int64_t now = clock_wall_ms(clock_real());
    struct certificate_validity present = {now - 60000, now + 3600000};
    beat(usc);
    assert_int_equal(knock(usc, usc->chain.text, usc->key.text), STATUS_OK);
    assert_int_equal(knock(usc, NULL, NULL), STATUS_UNAVAILABLE); /* none: TLS itself ends it */

    /* self-made: a whole federation of the same name */
    struct pem *root_key = &pems[3], *root = &pems[4], *own_key = &pems[5], *own = &pems[6];
    struct name demo = name_of("demo");
    struct certificate_validity long_enough = {now - DAY_MS, now + DAY_MS};
    assert_ok(identity_make_key(root_key, NULL));
    assert_ok(identity_make_root(root_key, &demo, long_enough, root, NULL));
    assert_ok(identity_make_key(own_key, NULL));
    assert_ok(identity_make_intermediate(root_key, root, own_key, long_enough, own, NULL));
    forge_as(usc, &demo, own_key, own, present, chain);
    assert_int_equal(knock(usc, chain->text, usc->key.text), STATUS_UNAVAILABLE);

    /* of the true intermediate, but over */
    read_state(stage, "intermediate.key", key);
    read_state(stage, "intermediate.pem", issuer);
    forge_as(usc, &demo, key, issuer, (struct certificate_validity){now - 2 * DAY_MS, now - DAY_MS},
             chain);
    assert_int_equal(knock(usc, chain->text, usc->key.text), STATUS_UNAVAILABLE);

    /* in every respect good, but the broker never gave it out: its intermediate's key was stolen */
    forge_as(usc, &demo, key, issuer, present, chain);
    assert_int_equal(knock(usc, chain->text, usc->key.text), STATUS_UNAUTHENTICATED);
    assert_non_null(strstr(stage->fault.text, "did not issue"));
    assert_int_equal(knock(usc, usc->chain.text, usc->key.text), STATUS_OK);
    transport_close(usc->transport);
    stop_broker(stage);
}

/* --- too much */

static void append_config(struct stage *stage, const char *text)
{
    FILE *file = fopen(stage->config, "a");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void one_demand_too_many_is_refused_by_the_quotas_name(void **state)
{
    struct stage *stage = *state;
    if (stage->program[0] == '\0')
        skip();
    append_config(stage, "quotas: {jobs_per_member: 2}\n");
    struct peer *isi = NULL;
    struct peer *usc = NULL;
    stage = stage_of(state);
    isi = new_peer(stage, "isi");
    usc = new_peer(stage, "usc");
    submit(isi, "isi-1");
    submit(isi, "isi-2");
    struct submit_request third = {.issued_wall_ms = clock_wall_ms(clock_real()),
                                   .demand = demand_of(name_of("isi-3"), isi->name)};
    memset(third.request_key.bytes, 31, DIGEST_BYTES);
    refused(isi, &method_submit, &third, STATUS_EXHAUSTED, "2 open jobs");
    submit(isi, "isi-2"); /* one that is there may still be changed */
    submit(usc, "usc-1"); /* and it is nobody else's quota */
    complete(isi, "isi-1");
    expect(stage, isi->transport, &method_submit, &third, NULL);
    transport_close(isi->transport);
    transport_close(usc->transport);
    stop_broker(stage);
}

/* Ten thousand demands at once, as fast as the line takes them; isi is served meanwhile. */
enum { FLOOD = 10000, FLOOD_IN_FLIGHT = 256 };

struct flood {
    uint32_t taken;
    uint32_t over_quota;
    uint32_t too_fast;
    uint32_t questions;
    uint32_t other;
    uint32_t open;
};

static void flood_answered(void *context, enum status status, const void *response,
                           const struct fault *fault)
{
    struct flood *flood = context;
    (void)response;
    flood->open--;
    if (status == STATUS_OK)
        flood->taken++;
    else if (status == STATUS_EXHAUSTED && strstr(fault->text, "open jobs") != NULL)
        flood->over_quota++;
    else if (status == STATUS_EXHAUSTED && strstr(fault->text, "calls_per_second") != NULL)
        flood->too_fast++;
    else if (status == STATUS_EXHAUSTED && strstr(fault->text, "being worked out for you") != NULL)
        flood->questions++;
    else
        flood->other++;
}

static void send_demand(struct peer *eve, uint32_t number, struct flood *flood)
{
    struct name job;
    struct transport_callbacks callbacks = {.on_done = flood_answered, .context = flood};
    snprintf(job.text, sizeof job.text, "eve-%u", number);
    struct submit_request request = {.issued_wall_ms = clock_wall_ms(clock_real()),
                                     .demand = demand_of(job, eve->name)};
    memcpy(request.request_key.bytes, &number, sizeof number);
    request.request_key.bytes[DIGEST_BYTES - 1] = 77;
    flood->open +=
        transport_start(eve->transport, &method_submit, &request, CALL_MS, &callbacks) != NULL;
}

static void ten_thousand_demands_are_refused_by_quota_and_starve_nobody(void **state)
{
    struct stage *stage = *state;
    if (stage->program[0] == '\0')
        skip();
    append_config(stage, "quotas: {jobs_per_member: 50, calls_per_second: 500}\n");
    stage = stage_of(state);
    struct peer *eve = new_peer(stage, "eve");
    struct peer *isi = new_peer(stage, "isi");
    static struct flood flood;
    flood = (struct flood){0};
    beat(isi);
    for (uint32_t sent = 0; sent < FLOOD; sent++) {
        send_demand(eve, sent, &flood);
        if (sent % 2500 == 0)
            submit(isi, sent == 0 ? "isi-1" : "isi-2"); /* within a call's deadline, or it fails */
        while (flood.open >= FLOOD_IN_FLIGHT)
            rpc_loop_run_for(stage->loop, 1);
    }
    while (flood.open > 0)
        rpc_loop_run_for(stage->loop, 10);
    assert_int_equal(flood.taken, 50);
    assert_int_equal(flood.other, 0);
    assert_true(flood.over_quota > 0);
    assert_int_equal(flood.taken + flood.over_quota + flood.too_fast, FLOOD);
    print_message("10,000 demands: %u over the quota, %u too fast\n", flood.over_quota,
                  flood.too_fast);
    beat(isi);
    transport_close(eve->transport);
    transport_close(isi->transport);
    stop_broker(stage);
}

/* Sooner than its questions are answered a member may ask four at once; the fifth is refused. */
static void explanations_have_a_quota_of_their_own(void **state)
{
    enum { BATCH = 64, BATCHES_MAX = 100 };
    struct stage *stage = stage_of(state);
    struct peer *eve = new_peer(stage, "eve");
    static struct flood flood;
    flood = (struct flood){0};
    beat(eve);
    submit(eve, "eve-1");
    struct explain_request explain = {.job = name_of("eve-1")};
    struct transport_callbacks callbacks = {.on_done = flood_answered, .context = &flood};
    for (int batch = 0; batch < BATCHES_MAX && flood.questions == 0; batch++) {
        for (int asked = 0; asked < BATCH; asked++)
            flood.open += transport_start(eve->transport, &method_explain, &explain, CALL_MS,
                                          &callbacks) != NULL;
        while (flood.open > 0)
            rpc_loop_run_for(stage->loop, 10);
    }
    assert_true(flood.questions > 0);
    assert_true(flood.taken > 0);
    assert_int_equal(flood.other, 0);
    transport_close(eve->transport);
    stop_broker(stage);
}

/* A daemon has 1,024 descriptors where nobody says otherwise; it takes what it may have. */
static void two_thousand_half_open_connections_keep_no_member_out(void **state)
{
    struct stage *stage = *state;
    struct rlimit own, usual;
    if (stage->program[0] == '\0')
        skip();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
    usual = own;
    usual.rlim_cur = 1024;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    stage = stage_of(state); /* the broker is started with the usual limit */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &own), 0);
    if (own.rlim_max < 8192)
        skip();
    struct peer *isi = new_peer(stage, "isi");
    static struct half_open members, joiners;
    beat(isi);
    half_open_begin(&members, stage->members, 1000);
    half_open_begin(&joiners, stage->enrolment, 1000);
    beat(isi);                                 /* who is connected */
    struct peer *usc = new_peer(stage, "usc"); /* and who joins and dials now */
    beat(usc);
    assert_int_equal(knock(usc, usc->chain.text, usc->key.text), STATUS_OK);
    half_open_end(&members);
    half_open_end(&joiners);
    transport_close(isi->transport);
    transport_close(usc->transport);
    stop_broker(stage);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_member_acts_for_itself_alone),
        CASE(certificates_of_no_member_get_nothing),
        CASE(one_demand_too_many_is_refused_by_the_quotas_name),
        CASE(ten_thousand_demands_are_refused_by_quota_and_starve_nobody),
        CASE(explanations_have_a_quota_of_their_own),
        CASE(two_thousand_half_open_connections_keep_no_member_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
