#include "tests/broker/store_fixture.h"

/* --- the table */

static void every_pair_that_is_not_listed_is_refused(void **state)
{
    (void)state;
    /* state by state, in the order of lease_state; one letter a move, in the order of lease_move:
     * G grant, R run, O overrun, L release, F refuse, V void, E expire, S settle, U unused */
    static const char moves[] = "GROLFVESU";
    static const char *const listed[LEASE_STATE_COUNT] = {
        "GV", "RLFVESU", "ROLES", "RLES", "RLVSU", "RL", "LFV",
    };
    int allowed = 0;
    for (int from = 0; from < LEASE_STATE_COUNT; from++) {
        for (int move = 0; move < LEASE_MOVE_COUNT; move++) {
            enum lease_state next = LEASE_STATE_COUNT;
            bool found = lease_next((enum lease_state)from, (enum lease_move)move, &next);
            if (found != (strchr(listed[from], moves[move]) != NULL))
                fail_msg("%s, %s", lease_state_name((enum lease_state)from),
                         lease_move_name((enum lease_move)move));
            assert_int_equal(found, next != LEASE_STATE_COUNT);
            allowed += found;
        }
    }
    assert_int_equal(allowed, 28);
}

static void a_final_state_is_never_left(void **state)
{
    (void)state;
    for (int move = 0; move < LEASE_MOVE_COUNT; move++) {
        enum lease_state next;
        if (lease_next(LEASE_STATE_SETTLED, (enum lease_move)move, &next))
            assert_int_equal(next, LEASE_STATE_SETTLED);
        if (lease_next(LEASE_STATE_VOIDED, (enum lease_move)move, &next))
            assert_int_equal(next, LEASE_STATE_VOIDED);
    }
}

/* --- beginning */

static void a_lease_comes_back_as_it_was_committed(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF0);
    world_grant(world, lease);
    struct store_lease found = world_find(world, lease);
    assert_int_equal(found.state, LEASE_STATE_GRANTED);
    assert_string_equal(found.lease->job.text, lease->job.text);
    assert_int_equal(found.lease->nodes[0].gpus, 0xF0);
    assert_int_equal(found.lease->cap.micros, lease->cap.micros);
    assert_int_equal(found.ends_wall_ms, NOW + DURATION);
    assert_int_equal(found.share_count, 2);
    assert_string_equal(found.shares[0].member.text, "isi");
    assert_int_equal(found.shares[0].price.nanos, 400000);
    assert_int_equal(found.shares[1].price.nanos, 100000);
    /* the signature holds over the bytes that were kept */
    world_ok(world, signing_verify(&world->broker_key, SIGN_LEASE, found.signed_lease.body,
                                   &found.signed_lease.signature, &world->fault));
}

static void a_foreign_lease_moves_its_cap_into_escrow(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    /* 0.0005 × 4 GPUs × 630 s */
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 1260000);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 1260000);
    world_verify(world);
}

static void a_lease_at_home_escrows_nothing(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, USC, 0xF);
    world_grant(world, lease);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 0);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
}

static void a_home_without_funds_gets_no_lease(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    lease->cap = CREDIT(11);
    world_begin(world);
    assert_int_equal(world_add(world, lease, false, NOW, NOW + DURATION), STATUS_EXHAUSTED);
    store_rollback(world->store);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
}

static void a_gpu_is_not_leased_twice(void **state)
{
    struct world *world = *state;
    world_grant(world, world_lease(world, USC, ISI, 0x0F));
    world_grant(world, world_lease(world, USC, ISI, 0xF0));
    world_begin(world);
    struct lease *overlapping = world_lease(world, JPL, ISI, 0x18);
    assert_int_equal(world_add(world, overlapping, false, NOW, NOW + DURATION),
                     STATUS_PRECONDITION);
    store_rollback(world->store);
    /* the same masks at another host are other GPUs */
    world_grant(world, world_lease(world, USC, JPL, 0x0F));
}

static void a_commit_refuses_a_gpu_leased_twice(void **state)
{
    struct world *world = *state;
    world_grant(world, world_lease(world, USC, ISI, 0x0F));
    world_begin(world);
    world_ok(world,
             world_add(world, world_lease(world, USC, ISI, 0xF0), false, NOW, NOW + DURATION));
    /* behind the back of broker/lease */
    world_ok(world, query_script(world->store, "UPDATE lease_gpus SET mask = 24 WHERE lease = 2",
                                 &world->fault));
    assert_int_equal(store_commit(world->store, &world->fault), STATUS_INTERNAL);
    assert_non_null(strstr(world->fault.text, "isi/a100 node 0"));
    assert_false(store_in_transaction(world->store));
}

/* More leases than are looked at one by one: 300 on nodes of their own. */
static void a_large_commit_refuses_a_gpu_leased_twice(void **state)
{
    struct world *world = *state;
    world_begin(world);
    for (uint32_t i = 0; i < 300; i++) {
        struct lease *lease = world_lease(world, USC, ISI, 0x1);
        lease->nodes[0].node = i;
        lease->cap = MICROS(1);
        world_ok(world, world_add(world, lease, false, NOW, NOW + DURATION));
    }
    world_ok(world, query_script(world->store, "UPDATE lease_gpus SET node = 280 WHERE lease = 290",
                                 &world->fault));
    assert_int_equal(store_commit(world->store, &world->fault), STATUS_INTERNAL);
    assert_non_null(strstr(world->fault.text, "isi/a100 node 280 by rows 281 and 290"));
}

static void bit_63_of_a_mask_is_a_gpu_like_any_other(void **state)
{
    struct world *world = *state;
    const uint64_t top = UINT64_C(1) << 63;
    struct store_held_node *held = NULL;
    uint32_t count = 0;
    world_grant(world, world_lease(world, USC, ISI, top));
    world_begin(world);
    assert_int_equal(
        world_add(world, world_lease(world, USC, ISI, top | 1), false, NOW, NOW + DURATION),
        STATUS_PRECONDITION);
    store_rollback(world->store);
    world_grant(world, world_lease(world, USC, ISI, 1));
    world_ok(world, store_lease_held(world->store, &world->arena, &held, &count, &world->fault));
    assert_int_equal(count, 1);
    assert_true(held[0].gpus == (top | 1));
}

static void home_and_host_are_told_of_a_grant_once_each(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    struct lease *own = world_lease(world, USC, USC, 0xF);
    struct lease_event *events = NULL;
    uint32_t count = 0;
    world_grant(world, lease);
    world_grant(world, own);
    world_ok(world, store_event_list(world->store, &world->names[ISI], 0, 10, &world->arena,
                                     &events, &count, &world->fault));
    assert_int_equal(count, 1);
    world_ok(world, store_event_list(world->store, &world->names[USC], 0, 10, &world->arena,
                                     &events, &count, &world->fault));
    assert_int_equal(count, 2);
    assert_int_equal(events[0].kind, LEASE_EVENT_GRANT);
    assert_int_equal(events[1].sequence, 2);
    assert_true(lease_id_equal(events[1].lease, own->id));
    void *decoded = NULL;
    world_ok(world, wire_decode(&message_lease, events[0].signed_lease.body, &world->arena,
                                &decoded, &world->fault));
    assert_true(lease_id_equal(((struct lease *)decoded)->id, lease->id));
    world_ok(world, signing_verify(&world->broker_key, SIGN_LEASE, events[0].signed_lease.body,
                                   &events[0].signed_lease.signature, &world->fault));
}

static void the_same_lease_is_not_committed_twice(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, USC, 0xF);
    world_grant(world, lease);
    world_begin(world);
    lease->nodes[0].gpus = 0xF0;
    assert_int_equal(world_add(world, lease, false, NOW, NOW + DURATION), STATUS_EXISTS);
    store_rollback(world->store);
}

static void shares_that_do_not_sum_to_the_price_are_found_when_read(void **state)
{
    static const char *const scripts[] = {
        "UPDATE lease_shares SET price = price + 1 WHERE position = 0",
        "UPDATE lease_shares SET price = 9223372036854775807 WHERE position = 0",
        "DELETE FROM lease_shares",
    };
    struct world *world = *state;
    struct store_lease found;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        world_begin(world);
        world_ok(world, query_script(world->store, scripts[i], &world->fault));
        assert_int_equal(
            store_lease_find(world->store, lease->id, &world->arena, &found, &world->fault),
            STATUS_CORRUPT);
        store_rollback(world->store);
    }
    (void)world_find(world, lease);
}

/* --- planned leases */

static uint32_t ready_count(struct world *world)
{
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    world_ok(world, lease_list_ready(world->store, &world->arena, &leases, &count, &world->fault));
    return count;
}

static void a_planned_lease_waits_for_its_gpus(void **state)
{
    struct world *world = *state;
    struct lease *first = world_lease(world, USC, ISI, 0x0F);
    struct lease *next = world_lease(world, JPL, ISI, 0x3C);
    struct lease_event *events = NULL;
    uint32_t count = 0;
    world_grant(world, first);
    world_begin(world);
    world_ok(world, world_add(world, next, true, NOW, NOW + 2 * DURATION));
    world_commit(world);
    assert_int_equal(world_state(world, next), LEASE_STATE_PLANNED);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, JPL), next->cap.micros);
    assert_int_equal(ready_count(world), 0);
    world_ok(world, store_event_list(world->store, &world->names[JPL], 0, 10, &world->arena,
                                     &events, &count, &world->fault));
    assert_int_equal(count, 0);

    world_ok(world, world_report(world, ISI, first, LEASE_REPORT_RELEASED, NOW + DURATION));
    assert_int_equal(ready_count(world), 1);

    /* granted late: half the time and half the cap are left */
    struct lease *late = world_lease(world, JPL, ISI, 0x3C);
    late->id = next->id;
    late->job = next->job;
    late->duration_ms = DURATION / 2;
    late->cap.micros = next->cap.micros / 2;
    const struct lease_share shares[] = {{world->names[ISI], world_price}};
    const struct lease_terms terms = {.lease = late,
                                      .signed_lease = world_sign(world, late),
                                      .shares = shares,
                                      .share_count = 1,
                                      .ends_wall_ms = NOW + 2 * DURATION,
                                      .now_wall_ms = NOW + DURATION};
    world_begin(world);
    world_ok(world, lease_grant(world->store, &terms, &world->fault));
    world_commit(world);
    struct store_lease found = world_find(world, late);
    assert_int_equal(found.state, LEASE_STATE_GRANTED);
    assert_int_equal(found.lease->duration_ms, DURATION / 2);
    assert_int_equal(found.escrowed.micros, late->cap.micros);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, JPL), late->cap.micros);
    assert_int_equal(ready_count(world), 0);
    world_ok(world, store_event_list(world->store, &world->names[JPL], 0, 10, &world->arena,
                                     &events, &count, &world->fault));
    assert_int_equal(count, 1);
    world_verify(world);
    /* and not twice */
    world_begin(world);
    assert_int_equal(lease_grant(world->store, &terms, &world->fault), STATUS_PRECONDITION);
    store_rollback(world->store);
}

static void of_two_that_wait_for_one_gpu_only_one_is_granted(void **state)
{
    struct world *world = *state;
    struct lease *a = world_lease(world, USC, ISI, 0x0F);
    struct lease *b = world_lease(world, JPL, ISI, 0x18);
    struct lease *const both[] = {a, b};
    world_begin(world);
    world_ok(world, world_add(world, a, true, NOW, NOW + DURATION));
    world_ok(world, world_add(world, b, true, NOW, NOW + DURATION));
    world_commit(world);
    assert_int_equal(ready_count(world), 2);
    for (int i = 0; i < 2; i++) {
        const struct lease_share shares[] = {{world->names[ISI], world_price}};
        const struct lease_terms terms = {.lease = both[i],
                                          .signed_lease = world_sign(world, both[i]),
                                          .shares = shares,
                                          .share_count = 1,
                                          .ends_wall_ms = NOW + DURATION,
                                          .now_wall_ms = NOW};
        world_begin(world);
        enum status status = lease_grant(world->store, &terms, &world->fault);
        assert_int_equal(status, i == 0 ? STATUS_OK : STATUS_PRECONDITION);
        if (status == STATUS_OK)
            world_commit(world);
        else
            store_rollback(world->store);
    }
    assert_int_equal(ready_count(world), 0);
}

/* --- renewals */

static void a_renewal_shares_the_gpus_of_its_forerunner_only(void **state)
{
    struct world *world = *state;
    struct lease *first = world_lease(world, USC, ISI, 0x0F);
    struct lease *second = world_renewal(world, first);
    struct lease *third = world_renewal(world, second);
    world_grant(world, first);
    world_ok(world, world_report(world, ISI, first, LEASE_REPORT_RUNNING, NOW + 1000));
    world_begin(world);
    world_ok(world, world_add(world, second, false, NOW, NOW + 2 * DURATION));
    world_ok(world, world_add(world, third, false, NOW, NOW + 3 * DURATION));
    world_commit(world);
    assert_int_equal(world_find(world, third).chain, world_find(world, first).chain);
    world_begin(world);
    assert_int_equal(world_add(world, world_lease(world, USC, ISI, 0x01), false, NOW, NOW),
                     STATUS_PRECONDITION);
    store_rollback(world->store);

    /* when it runs, the one before is over; and the GPUs stay held */
    world_ok(world, world_report(world, ISI, second, LEASE_REPORT_RUNNING, NOW + DURATION));
    assert_int_equal(world_state(world, first), LEASE_STATE_RELEASED);
    assert_int_equal(world_state(world, second), LEASE_STATE_RUNNING);
    world_begin(world);
    assert_int_equal(world_add(world, world_lease(world, USC, ISI, 0x01), false, NOW, NOW),
                     STATUS_PRECONDITION);
    store_rollback(world->store);
}

static void what_is_over_cannot_be_renewed(void **state)
{
    struct world *world = *state;
    struct lease *first = world_lease(world, USC, ISI, 0x0F);
    world_grant(world, first);
    world_ok(world, world_report(world, ISI, first, LEASE_REPORT_RELEASED, NOW + 1000));
    world_begin(world);
    assert_int_equal(world_add(world, world_renewal(world, first), false, NOW, NOW + DURATION),
                     STATUS_PRECONDITION);
    store_rollback(world->store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_that_is_not_listed_is_refused),
        cmocka_unit_test(a_final_state_is_never_left),
        world_test(a_lease_comes_back_as_it_was_committed),
        world_test(a_foreign_lease_moves_its_cap_into_escrow),
        world_test(a_lease_at_home_escrows_nothing),
        world_test(a_home_without_funds_gets_no_lease),
        world_test(a_gpu_is_not_leased_twice),
        world_test(a_commit_refuses_a_gpu_leased_twice),
        world_test(a_large_commit_refuses_a_gpu_leased_twice),
        world_test(bit_63_of_a_mask_is_a_gpu_like_any_other),
        world_test(home_and_host_are_told_of_a_grant_once_each),
        world_test(the_same_lease_is_not_committed_twice),
        world_test(shares_that_do_not_sum_to_the_price_are_found_when_read),
        world_test(a_planned_lease_waits_for_its_gpus),
        world_test(of_two_that_wait_for_one_gpu_only_one_is_granted),
        world_test(a_renewal_shares_the_gpus_of_its_forerunner_only),
        world_test(what_is_over_cannot_be_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
