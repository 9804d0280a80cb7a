#include "tests/broker/broker_fixture.h"

#include "broker/money/ledger_heads.h"
#include "broker/recovery.h"

/* The broker of a new incarnation over the same store, as `restore` leaves it. */
static void begin_again(struct fed *fed)
{
    struct core *core = &fed->daemon.core;
    assert_ok(recovery_begin(core->store, &fed->config, 5, core_now_ms(core), &core->incarnation,
                             &fed->fault));
    assert_int_equal(core->incarnation, 5);
    assert_ok(recovery_load(core, &fed->fault));
}

static struct heartbeat_request beat_of(struct fed *fed, const struct fed_member *member)
{
    struct heartbeat_request request = fed_heartbeat(fed, member);
    request.broker_incarnation = fed->daemon.core.incarnation;
    request.reported = true;
    return request;
}

static void a_restored_broker_waits_for_each_member_and_then_no_more(void **state)
{
    struct fed *fed = *state;
    struct core *core = &fed->daemon.core;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    assert_false(recovery_waits(core)); /* nothing was restored */
    begin_again(fed);
    assert_true(recovery_waits(core));
    struct heartbeat_request request = beat_of(fed, usc);
    request.reported = false;
    fed_expect(fed, STATUS_OK, &usc->name, &method_heartbeat, service_heartbeat, &request);
    uint32_t members = 0;
    int64_t left_ms = 0;
    assert_ok(recovery_awaited(core, &members, &left_ms, &fed->fault));
    assert_int_equal(members, 2);
    assert_true(left_ms > FED_HOLDOVER_MS);
    request.reported = true;
    fed_expect(fed, STATUS_OK, &usc->name, &method_heartbeat, service_heartbeat, &request);
    assert_true(recovery_waits(core));
    request = beat_of(fed, isi);
    request.broker_incarnation--; /* told another broker */
    fed_expect(fed, STATUS_OK, &isi->name, &method_heartbeat, service_heartbeat, &request);
    assert_true(recovery_waits(core));
    request = beat_of(fed, isi);
    fed_expect(fed, STATUS_OK, &isi->name, &method_heartbeat, service_heartbeat, &request);
    assert_false(recovery_waits(core));
}

static void who_stays_silent_is_waited_for_until_its_leases_must_be_over(void **state)
{
    struct fed *fed = *state;
    (void)fed_add(fed, "usc", 1000);
    begin_again(fed);
    fed_advance(fed, FED_HOLDOVER_MS);
    assert_true(recovery_waits(&fed->daemon.core));
    fed_advance(fed, FED_ROUND_MS + FED_GRACE_MS + 5000);
    assert_false(recovery_waits(&fed->daemon.core));
}

/* A lease of usc's at isi, signed by this broker under its first incarnation, and then forgotten.
 */
static struct signed_bytes forgotten(struct fed *fed, struct lease_node *node)
{
    *node = (struct lease_node){.node = 0, .gpus = 0x3};
    struct lease lease = {
        .id = {1, 9, 1},
        .job = fed_name("usc-1"),
        .home = fed_name("usc"),
        .host = fed_name("isi"),
        .gpu = fed_name("v100"),
        .home_incarnation = 1,
        .host_incarnation = 1,
        .nodes = node,
        .node_count = 1,
        .gpu_count = 2,
        .price = {1000000},
        .cap = {1000000},
        .duration_ms = FED_ROUND_MS,
        .holdover_ms = FED_HOLDOVER_MS,
        .accept_from_wall_ms = fed->clock.now_wall_ms,
        .accept_until_wall_ms = fed->clock.now_wall_ms + 1000,
    };
    memset(lease.bundle_digest.bytes, 5, DIGEST_BYTES);
    memset(lease.home_key.bytes, 7, SIGNING_KEY_BYTES);
    memset(lease.host_key.bytes, 7, SIGNING_KEY_BYTES);
    struct signed_bytes made;
    assert_ok(core_sign_lease(&fed->daemon.core, &lease, &fed->arena, &made, &fed->fault));
    return made;
}

static void tell(struct fed *fed, const struct name *member, struct signed_bytes *lease)
{
    struct report_held_request request = {.leases = lease, .lease_count = 1};
    fed_expect(fed, STATUS_OK, member, &method_report_held, service_report_held, &request);
}

static bool known(struct fed *fed, struct store_lease *found)
{
    const struct lease_id id = {1, 9, 1};
    return store_lease_find(fed->daemon.core.store, id, &fed->arena, found, NULL) == STATUS_OK;
}

static void a_lease_that_was_forgotten_is_adopted_from_its_host_alone(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    struct lease_node node;
    struct store_lease found;
    struct signed_bytes lease = forgotten(fed, &node);
    tell(fed, &isi->name, &lease);
    assert_false(known(fed, &found)); /* a broker that forgot nothing adopts nothing */
    begin_again(fed);
    struct lease_id held = {1, 9, 1};
    struct heartbeat_request request = fed_heartbeat(fed, isi);
    request.held = &held;
    request.held_count = 1;
    fed_expect(fed, STATUS_OK, &isi->name, &method_heartbeat, service_heartbeat, &request);
    tell(fed, &usc->name, &lease);
    assert_false(known(fed, &found));
    struct signed_bytes forged = lease;
    forged.signature.bytes[0] ^= 1;
    tell(fed, &isi->name, &forged);
    assert_false(known(fed, &found));
    tell(fed, &isi->name, &lease);
    assert_true(known(fed, &found));
    assert_int_equal(found.state, LEASE_STATE_GRANTED); /* its host holds it */
    assert_int_equal(found.escrowed.micros, 1000000);   /* the cap */
    struct ledger_verify_response result;
    assert_ok(ledger_verify(fed->daemon.core.store, &fed->arena, &result, &fed->fault));
    assert_true(result.verified);
    tell(fed, &isi->name, &lease); /* told again: nothing more */
    assert_true(known(fed, &found));
    assert_int_equal(found.escrowed.micros, 1000000);
}

static void a_lease_that_its_host_holds_no_more_awaits_its_receipt_or_is_void(void **state)
{
    struct fed *fed = *state;
    (void)fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    struct lease_node node;
    struct store_lease found;
    struct signed_bytes lease = forgotten(fed, &node);
    begin_again(fed);
    fed_beat(fed, isi);
    tell(fed, &isi->name, &lease);
    assert_true(known(fed, &found));
    assert_int_equal(found.state, LEASE_STATE_RELEASED);
    struct heartbeat_request request = beat_of(fed, isi); /* and it has no receipt of it */
    fed_expect(fed, STATUS_OK, &isi->name, &method_heartbeat, service_heartbeat, &request);
    assert_true(known(fed, &found));
    assert_int_equal(found.state, LEASE_STATE_VOIDED);
    assert_int_equal(found.escrowed.micros, 0);
}

static struct ledger_head newest(struct fed *fed, uint64_t incarnation)
{
    struct ledger_head head = {.incarnation = incarnation};
    assert_ok(ledger_head(fed->daemon.core.store, &head.sequence, &head.hash, &fed->fault));
    return head;
}

static enum ledger_head_verdict judge(struct fed *fed, const struct ledger_head *head,
                                      uint64_t *lost)
{
    enum ledger_head_verdict verdict = LEDGER_HEAD_AGREES;
    assert_ok(ledger_head_judge(fed->daemon.core.store, head, &verdict, lost, &fed->fault));
    return verdict;
}

static void a_head_proves_truncation_unless_a_restore_is_on_record(void **state)
{
    struct fed *fed = *state;
    uint64_t lost = 9;
    (void)fed_add(fed, "usc", 1000);
    struct ledger_head head = newest(fed, 1);
    assert_int_equal(judge(fed, &head, &lost), LEDGER_HEAD_AGREES);
    assert_int_equal(lost, 0);
    struct ledger_head other = head;
    other.hash.bytes[0] ^= 1;
    assert_int_equal(judge(fed, &other, &lost), LEDGER_HEAD_CONTRADICTED);
    struct ledger_head longer = head;
    longer.sequence += 3;
    assert_int_equal(judge(fed, &longer, &lost), LEDGER_HEAD_MISSING);
    begin_again(fed);
    assert_int_equal(judge(fed, &longer, &lost), LEDGER_HEAD_LOST);
    assert_int_equal(lost, 3);
    assert_int_equal(judge(fed, &head, &lost), LEDGER_HEAD_AGREES);
    assert_int_equal(judge(fed, &other, &lost), LEDGER_HEAD_CONTRADICTED);
    longer.incarnation = 5; /* of this broker: there was no restore since */
    assert_int_equal(judge(fed, &longer, &lost), LEDGER_HEAD_MISSING);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_restored_broker_waits_for_each_member_and_then_no_more),
        CASE(who_stays_silent_is_waited_for_until_its_leases_must_be_over),
        CASE(a_lease_that_was_forgotten_is_adopted_from_its_host_alone),
        CASE(a_lease_that_its_host_holds_no_more_awaits_its_receipt_or_is_void),
        CASE(a_head_proves_truncation_unless_a_restore_is_on_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
