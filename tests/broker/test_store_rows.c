#include "tests/broker/store_fixture.h"

#include "broker/request.h"
#include "broker/token.h"

/* --- request keys */

static enum status admit(struct world *world, const struct store_request *request, int64_t now,
                         bool *repeated)
{
    world_begin(world);
    enum status status = request_admit(world->store, request, now, repeated, &world->fault);
    if (status == STATUS_OK)
        world_commit(world);
    else
        store_rollback(world->store);
    return status;
}

static void a_request_is_new_once_then_repeated_and_its_key_is_not_reused(void **state)
{
    struct world *world = *state;
    bool repeated = true;
    struct store_request request = {
        .caller = world->names[USC], .key = {{1}}, .content = {{2}}, .issued_wall_ms = NOW};
    world_ok(world, admit(world, &request, NOW, &repeated));
    assert_false(repeated);
    world_ok(world, admit(world, &request, NOW + HOUR_MS, &repeated));
    assert_true(repeated);
    request.content.bytes[0] = 3;
    assert_int_equal(admit(world, &request, NOW, &repeated), STATUS_EXISTS);
    /* another member's key of the same bytes is another key */
    request.caller = world->names[ISI];
    world_ok(world, admit(world, &request, NOW, &repeated));
    assert_false(repeated);
}

static void a_request_older_than_its_key_is_kept_is_refused(void **state)
{
    struct world *world = *state;
    bool repeated = true;
    struct store_request request = {
        .caller = world->names[USC], .key = {{1}}, .issued_wall_ms = NOW};
    const int64_t kept = 7 * 24 * HOUR_MS;
    assert_int_equal(admit(world, &request, NOW + kept + 1, &repeated), STATUS_INVALID);
    world_ok(world, admit(world, &request, NOW + kept, &repeated));
    world_begin(world);
    world_ok(world, store_requests_forget(world->store, NOW, &world->fault));
    world_commit(world);
    world_ok(world, admit(world, &request, NOW, &repeated));
    assert_true(repeated);
    world_begin(world);
    world_ok(world, store_requests_forget(world->store, NOW + 1, &world->fault));
    world_commit(world);
    world_ok(world, admit(world, &request, NOW, &repeated));
    assert_false(repeated);
    request.issued_wall_ms = NOW + REQUEST_SKEW_MS_MAX + 1;
    assert_int_equal(admit(world, &request, NOW, &repeated), STATUS_INVALID);
}

/* --- tokens */

static enum status use(struct world *world, const struct digest *digest, const char *member,
                       uint8_t key, int64_t now)
{
    struct store_token token;
    const struct name name = name_of(member);
    const struct digest request_key = {{key}};
    world_begin(world);
    enum status status =
        token_use(world->store, digest, &name, &request_key, now, &token, &world->fault);
    if (status == STATUS_OK) {
        assert_true(token.approved);
        world_commit(world);
    } else {
        store_rollback(world->store);
    }
    return status;
}

static void a_token_admits_one_key_and_a_refused_token_is_not_used_up(void **state)
{
    struct world *world = *state;
    struct join_token token;
    struct digest digest;
    const struct digest pin = {{9}};
    const struct name member = name_of("caltech");
    world_begin(world);
    world_ok(world,
             token_create(world->store, &pin, &member, NOW, HOUR_MS, true, &token, &world->fault));
    world_commit(world);
    join_token_digest(&token, &digest);

    const struct digest unknown = {{0}};
    assert_int_equal(use(world, &unknown, "caltech", 1, NOW), STATUS_UNAUTHENTICATED);
    assert_int_equal(use(world, &digest, "usc", 1, NOW), STATUS_DENIED);
    assert_int_equal(use(world, &digest, "caltech", 1, NOW + HOUR_MS), STATUS_UNAUTHENTICATED);
    world_ok(world, use(world, &digest, "caltech", 1, NOW + HOUR_MS - 1));
    /* the same key asks again, even when it has waited past the expiry */
    world_ok(world, use(world, &digest, "caltech", 1, NOW + 2 * HOUR_MS));
    assert_int_equal(use(world, &digest, "caltech", 2, NOW), STATUS_DENIED);
    assert_non_null(strstr(world->fault.text, "used already"));
}

/* --- members */

static void a_member_has_its_newest_certificate(void **state)
{
    struct world *world = *state;
    struct store_member member;
    struct store_certificate certificate = {
        .member = world->names[USC], .from_wall_ms = NOW, .until_wall_ms = NOW + HOUR_MS};
    world_ok(world, store_member_find(world->store, &world->names[USC], &member, &world->fault));
    assert_string_equal(member.certificate_serial, "");
    world_begin(world);
    snprintf(certificate.serial, sizeof certificate.serial, "ffee");
    world_ok(world, store_certificate_add(world->store, &certificate, &world->fault));
    snprintf(certificate.serial, sizeof certificate.serial, "0a0b");
    certificate.until_wall_ms = NOW + 2 * HOUR_MS;
    world_ok(world, store_certificate_add(world->store, &certificate, &world->fault));
    assert_int_equal(store_certificate_add(world->store, &certificate, &world->fault),
                     STATUS_EXISTS);
    world_commit(world);
    world_ok(world, store_member_find(world->store, &world->names[USC], &member, &world->fault));
    assert_string_equal(member.certificate_serial, "0a0b");
    assert_int_equal(member.certificate_until_wall_ms, NOW + 2 * HOUR_MS);
    world_ok(world, store_certificate_find(world->store, "ffee", &certificate, &world->fault));
    assert_string_equal(certificate.member.text, "usc");
    assert_int_equal(store_certificate_find(world->store, "00", &certificate, &world->fault),
                     STATUS_NOT_FOUND);
}

static void members_are_listed_by_name_and_changed_by_name(void **state)
{
    struct world *world = *state;
    struct store_member *members = NULL;
    uint32_t count = 0;
    const struct name nobody = name_of("nobody");
    world_begin(world);
    world_ok(world, store_member_set_state(world->store, &world->names[ISI], MEMBER_SUSPENDED,
                                           &world->fault));
    assert_int_equal(store_member_set_state(world->store, &nobody, MEMBER_ACTIVE, &world->fault),
                     STATUS_NOT_FOUND);
    assert_int_equal(
        store_member_set_credit_limit(world->store, &world->names[ISI], MICROS(-1), &world->fault),
        STATUS_INVALID);
    world_commit(world);
    world_ok(world,
             store_member_list(world->store, &world->arena, &members, &count, &world->fault));
    assert_int_equal(count, 3);
    assert_string_equal(members[0].member.text, "isi");
    assert_int_equal(members[0].state, MEMBER_SUSPENDED);
    assert_string_equal(members[2].member.text, "usc");
    assert_memory_equal(members[2].signing_key.bytes, world->keys[USC].bytes, SIGNING_KEY_BYTES);
}

static void a_lower_incarnation_of_a_peer_is_refused(void **state)
{
    struct world *world = *state;
    world_begin(world);
    world_ok(world,
             store_member_set_incarnation(world->store, &world->names[USC], 5, &world->fault));
    world_ok(world,
             store_member_set_incarnation(world->store, &world->names[USC], 5, &world->fault));
    assert_int_equal(
        store_member_set_incarnation(world->store, &world->names[USC], 4, &world->fault),
        STATUS_PRECONDITION);
    store_rollback(world->store);
}

/* --- demands */

static struct demand demand_of(struct world *world, int home, const char *job)
{
    return (struct demand){.job = name_of(job),
                           .home = world->names[home],
                           .model = name_of("resnet50"),
                           .gpus_min = 1,
                           .gpus_max = 4,
                           .batch = 64,
                           .value_nanos_per_example = 1000,
                           .work_left_examples = 5000,
                           .bundle_bytes = 10,
                           .bundle_digest = {{1}},
                           .submitted_wall_ms = NOW};
}

static enum status put(struct world *world, const struct demand *demand, int64_t now)
{
    world_begin(world);
    enum status status = store_demand_put(world->store, demand, now, &world->fault);
    if (status == STATUS_OK)
        world_commit(world);
    else
        store_rollback(world->store);
    return status;
}

static void a_demand_is_replaced_until_it_ends_and_never_again(void **state)
{
    struct world *world = *state;
    struct demand demand = demand_of(world, USC, "usc-1");
    struct store_demand found;
    world_ok(world, put(world, &demand, NOW));
    world_begin(world);
    world_ok(world, store_demand_set_age(world->store, &demand.job, 3, &world->fault));
    world_ok(world, store_demand_set_measured(world->store, &demand.job, 12.5, &world->fault));
    world_commit(world);
    demand.work_left_examples = 1234;
    world_ok(world, put(world, &demand, NOW + 1000));
    world_ok(world,
             store_demand_find(world->store, &demand.job, &world->arena, &found, &world->fault));
    assert_int_equal(found.state, DEMAND_OPEN);
    assert_near(found.demand->work_left_examples, 1234, 0);
    assert_int_equal(found.age_rounds, 3);
    assert_near(found.measured_examples_per_second, 12.5, 0);
    assert_int_equal(found.submitted_wall_ms, NOW);
    assert_int_equal(found.changed_wall_ms, NOW + 1000);

    struct demand stolen = demand_of(world, ISI, "usc-1");
    assert_int_equal(put(world, &stolen, NOW), STATUS_DENIED);

    world_begin(world);
    world_ok(world,
             store_demand_end(world->store, &demand.job, DEMAND_COMPLETED, NOW, &world->fault));
    world_ok(world,
             store_demand_end(world->store, &demand.job, DEMAND_COMPLETED, NOW, &world->fault));
    assert_int_equal(
        store_demand_end(world->store, &demand.job, DEMAND_CANCELLED, NOW, &world->fault),
        STATUS_PRECONDITION);
    world_commit(world);
    assert_int_equal(put(world, &demand, NOW), STATUS_EXISTS); /* its home may have forgotten */
}

static void open_demands_are_listed_by_home_and_job(void **state)
{
    struct world *world = *state;
    static const char *const jobs[] = {"usc-2", "usc-10", "usc-1"};
    struct store_demand *demands = NULL;
    uint32_t count = 0;
    uint64_t next = 0;
    for (int i = 0; i < 3; i++) {
        struct demand demand = demand_of(world, USC, jobs[i]);
        world_ok(world, put(world, &demand, NOW));
    }
    struct demand other = demand_of(world, ISI, "isi-1");
    world_ok(world, put(world, &other, NOW));
    world_begin(world);
    const struct name ended = name_of("usc-10");
    world_ok(world, store_demand_end(world->store, &ended, DEMAND_CANCELLED, NOW, &world->fault));
    world_commit(world);

    world_ok(world,
             store_demand_list_open(world->store, &world->arena, &demands, &count, &world->fault));
    assert_int_equal(count, 3);
    assert_string_equal(demands[0].demand->job.text, "isi-1");
    assert_string_equal(demands[1].demand->job.text, "usc-1");
    assert_string_equal(demands[2].demand->job.text, "usc-2");
    world_ok(world,
             store_demand_count_open(world->store, &world->names[USC], &count, &world->fault));
    assert_int_equal(count, 2);
    /* pages are by age, with the ended ones */
    world_ok(world, store_demand_page(world->store, &world->names[USC], 0, 2, &world->arena,
                                      &demands, &count, &next, &world->fault));
    assert_int_equal(count, 2);
    assert_string_equal(demands[1].demand->job.text, "usc-10");
    assert_int_equal(demands[1].state, DEMAND_CANCELLED);
    world_ok(world, store_demand_page(world->store, &world->names[USC], next, 2, &world->arena,
                                      &demands, &count, &next, &world->fault));
    assert_int_equal(count, 1);
    assert_int_equal(next, 0);
}

/* --- events */

static void events_are_kept_until_they_are_acknowledged(void **state)
{
    struct world *world = *state;
    struct lease_event *events = NULL;
    uint32_t count = 0;
    uint64_t newest = 0;
    uint64_t seen = 0;
    for (uint64_t bit = 1; bit <= 16; bit <<= 1)
        world_grant(world, world_lease(world, USC, ISI, bit));
    for (int again = 0; again < 2; again++) {
        world_ok(world, store_event_list(world->store, &world->names[ISI], 2, 2, &world->arena,
                                         &events, &count, &world->fault));
        assert_int_equal(count, 2);
        assert_int_equal(events[0].sequence, 3);
        assert_int_equal(events[1].sequence, 4);
    }
    world_begin(world);
    world_ok(world, store_event_acknowledge(world->store, &world->names[ISI], 3, &world->fault));
    world_ok(world, store_event_acknowledge(world->store, &world->names[ISI], 1, &world->fault));
    assert_int_equal(store_event_acknowledge(world->store, &world->names[ISI], 6, &world->fault),
                     STATUS_PRECONDITION);
    world_commit(world);
    world_ok(world,
             store_event_head(world->store, &world->names[ISI], &newest, &seen, &world->fault));
    assert_int_equal(newest, 5);
    assert_int_equal(seen, 3);
    world_ok(world, store_event_list(world->store, &world->names[ISI], 0, 9, &world->arena, &events,
                                     &count, &world->fault));
    assert_int_equal(count, 2);
    /* home has not acknowledged anything */
    world_ok(world, store_event_list(world->store, &world->names[USC], 0, 9, &world->arena, &events,
                                     &count, &world->fault));
    assert_int_equal(count, 5);
}

static void an_event_of_no_lease_is_refused(void **state)
{
    struct world *world = *state;
    const struct lease_id none = {1, 1, 77};
    world_begin(world);
    assert_int_equal(store_event_add(world->store, &world->names[USC], LEASE_EVENT_VOID, none, 0,
                                     "", NULL, &world->fault),
                     STATUS_NOT_FOUND);
    store_rollback(world->store);
}

/* --- receipts */

static void a_settled_receipt_is_never_replaced(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    struct receipt receipt = world_receipt(lease, 1000);
    struct store_receipt kept = {.lease_row = world_find(world, lease).row, .sequence = 1};
    struct store_receipt found;
    kept.receipt = world_sign_receipt(world, &receipt, false);
    world_begin(world);
    world_ok(world, store_receipt_put(world->store, &kept, &world->fault));
    kept.settled = true;
    kept.amount = MICROS(7);
    world_ok(world, store_receipt_put(world->store, &kept, &world->fault));
    kept.amount = MICROS(8);
    assert_int_equal(store_receipt_put(world->store, &kept, &world->fault), STATUS_EXISTS);
    world_commit(world);
    world_ok(world, store_receipt_find(world->store, kept.lease_row, 1, &world->arena, &found,
                                       &world->fault));
    assert_int_equal(found.amount.micros, 7);
    assert_false(found.receipt.home_signed);
    assert_int_equal(found.receipt.body.size, kept.receipt.body.size);
}

/* --- rounds */

static void rounds_come_back_whole_and_are_listed_newest_first(void **state)
{
    struct world *world = *state;
    static const char *const snapshot = "snapshot";
    struct store_round found;
    struct round_row *rows = NULL;
    uint32_t count = 0;
    uint64_t newest = 99;
    assert_int_equal(store_round_find(world->store, 0, &world->arena, &found, &world->fault),
                     STATUS_NOT_FOUND);
    world_ok(world, store_round_newest(world->store, &newest, &world->fault));
    assert_int_equal(newest, 0);
    world_begin(world);
    for (uint64_t i = 1; i <= 3; i++) {
        const struct store_round round = {
            .row = {.round = i,
                    .started_wall_ms = NOW,
                    .interim = i == 2,
                    .gpus = 8,
                    .objective = CREDIT(i)},
            .incarnation = 1,
            .ends_wall_ms = NOW + DURATION,
            .dropped = (uint32_t)(10 * i),
            .plan_digest = {{(uint8_t)i}},
            .snapshot = {(const uint8_t *)snapshot, strlen(snapshot)},
        };
        world_ok(world, store_round_add(world->store, &round, &world->fault));
        if (i == 3)
            assert_int_equal(store_round_add(world->store, &round, &world->fault), STATUS_EXISTS);
    }
    world_commit(world);
    world_ok(world, store_round_find(world->store, 0, &world->arena, &found, &world->fault));
    assert_int_equal(found.row.round, 3);
    world_ok(world, store_round_find(world->store, 2, &world->arena, &found, &world->fault));
    assert_true(found.row.interim);
    assert_int_equal(found.row.objective.micros, 2000000);
    assert_int_equal(found.dropped, 20);
    assert_int_equal(found.plan_digest.bytes[0], 2);
    assert_int_equal(found.snapshot.size, strlen(snapshot));
    assert_memory_equal(found.snapshot.data, snapshot, strlen(snapshot));
    assert_int_equal(found.report.size, 0);
    world_ok(world,
             store_round_list(world->store, 0, 2, &world->arena, &rows, &count, &world->fault));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].round, 3);
    world_ok(world, store_round_list(world->store, rows[1].round, 2, &world->arena, &rows, &count,
                                     &world->fault));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].round, 1);
}

/* --- a full arena */

static void an_answer_larger_than_its_memory_is_refused(void **state)
{
    struct world *world = *state;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    struct arena small;
    for (uint64_t bit = 1; bit <= 16; bit <<= 1)
        world_grant(world, world_lease(world, USC, ISI, bit));
    arena_init(&small, 2048);
    assert_int_equal(store_lease_list_open(world->store, LEASE_STATES_OPEN, &small, &leases, &count,
                                           &world->fault),
                     STATUS_EXHAUSTED);
    arena_fini(&small);
    /* and the statement is usable again */
    world_ok(world, store_lease_list_open(world->store, LEASE_STATES_OPEN, &world->arena, &leases,
                                          &count, &world->fault));
    assert_int_equal(count, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_request_is_new_once_then_repeated_and_its_key_is_not_reused),
        world_test(a_request_older_than_its_key_is_kept_is_refused),
        world_test(a_token_admits_one_key_and_a_refused_token_is_not_used_up),
        world_test(a_member_has_its_newest_certificate),
        world_test(members_are_listed_by_name_and_changed_by_name),
        world_test(a_lower_incarnation_of_a_peer_is_refused),
        world_test(a_demand_is_replaced_until_it_ends_and_never_again),
        world_test(open_demands_are_listed_by_home_and_job),
        world_test(events_are_kept_until_they_are_acknowledged),
        world_test(an_event_of_no_lease_is_refused),
        world_test(a_settled_receipt_is_never_replaced),
        world_test(rounds_come_back_whole_and_are_listed_newest_first),
        world_test(an_answer_larger_than_its_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
