/*
 * Store fixture: a small federation in a store: members usc, isi and jpl with signing keys and
 * deposits, and leases and receipts that are really signed.
 */
#ifndef ENTENTE_TESTS_BROKER_STORE_FIXTURE_H
#define ENTENTE_TESTS_BROKER_STORE_FIXTURE_H

#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/lease/lease.h"
#include "broker/money/settle.h"
#include "broker/store/demands.h"
#include "broker/store/events.h"
#include "broker/store/members.h"
#include "broker/store/query.h"
#include "broker/store/rounds.h"
#include "proto/identity/identity.h"
#include "proto/wire/methods.h"

#define NOW        INT64_C(1795000000000) /* 2026-11-18, an arbitrary day */
#define MINUTE_MS  INT64_C(60000)
#define HOUR_MS    INT64_C(3600000)
#define CREDIT(n)  ((struct credits){(int64_t)(n)*MICROS_PER_CREDIT})
#define MICROS(n)  ((struct credits){(int64_t)(n)})
#define DURATION   (10 * MINUTE_MS)
#define GRACE      (30 * INT64_C(1000))
#define HOLDOVER   (24 * HOUR_MS)
#define LEASE_GPUS 4

enum { USC, ISI, JPL, WORLD_MEMBERS };

struct world {
    struct store *store;
    struct arena arena;
    struct fault fault;
    struct name names[WORLD_MEMBERS];
    struct signing_secret secrets[WORLD_MEMBERS];
    struct signing_key keys[WORLD_MEMBERS];
    struct signing_secret broker_secret;
    struct signing_key broker_key;
    uint32_t leases; /* made so far */
};

/* 0.0005 credits a GPU-second, of which jpl, owner of a policy row, gets a fifth */
static const struct price world_price = {500000};
static const struct lease_limits world_limits = {
    .grace_ms = GRACE, .skew_ms = 5000, .receipt_wait_ms = 30 * 24 * HOUR_MS};

#define world_ok(world, call)                                                                      \
    do {                                                                                           \
        if ((call) != STATUS_OK)                                                                   \
            fail_msg("%s: %s", #call, (world)->fault.text);                                        \
    } while (0)

static inline struct name name_of(const char *text)
{
    struct name name = {""};
    snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

static inline void world_begin(struct world *world)
{
    world_ok(world, store_begin(world->store, &world->fault));
}

static inline void world_commit(struct world *world)
{
    world_ok(world, store_commit(world->store, &world->fault));
}

/* Members with 10 credits each. */
static inline void world_fill(struct world *world)
{
    static const char *const names[] = {"usc", "isi", "jpl"};
    world_ok(world, signing_make(&world->broker_secret, &world->broker_key, &world->fault));
    world_begin(world);
    for (int i = 0; i < WORLD_MEMBERS; i++) {
        world->names[i] = name_of(names[i]);
        world_ok(world, signing_make(&world->secrets[i], &world->keys[i], &world->fault));
        struct store_member member = {.member = world->names[i],
                                      .state = MEMBER_ACTIVE,
                                      .joined_wall_ms = NOW,
                                      .signing_key = world->keys[i]};
        world_ok(world, store_member_add(world->store, &member, &world->fault));
        world_ok(world, ledger_deposit(world->store, &world->names[i], CREDIT(10), "start", NOW,
                                       &world->fault));
    }
    world_commit(world);
}

static inline int world_open(void **state)
{
    struct world *world = test_calloc(1, sizeof *world);
    arena_init(&world->arena, ARENA_MESSAGE_BYTES);
    world_ok(world, store_open("", STORE_MEMORY, &world->store, &world->fault));
    world_fill(world);
    *state = world;
    return 0;
}

static inline int world_close(void **state)
{
    struct world *world = *state;
    store_close(world->store);
    arena_fini(&world->arena);
    test_free(world);
    return 0;
}

/* What is the balance of member/NAME, escrow/NAME? */
static inline int64_t world_micros(struct world *world, enum ledger_account_kind kind, int member)
{
    struct credits balance;
    const struct ledger_account account = {kind, world->names[member]};
    world_ok(world, ledger_balance(world->store, &account, &balance, &world->fault));
    return balance.micros;
}

static inline void world_verify(struct world *world)
{
    struct ledger_verify_response result;
    world_ok(world, ledger_verify(world->store, &world->arena, &result, &world->fault));
    assert_string_equal(result.problem, "");
    assert_true(result.verified);
    assert_int_equal(result.sum.micros, 0);
}

/* A lease over the GPUs of the mask on node 0 of the host's pool "a100"; not yet committed. */
static inline struct lease *world_lease(struct world *world, int home, int host, uint64_t mask)
{
    struct lease *lease = arena_alloc(&world->arena, 1, sizeof *lease);
    assert_non_null(lease);
    struct lease_node *node = arena_alloc(&world->arena, 1, sizeof *node);
    assert_non_null(node);
    *node = (struct lease_node){0, mask};
    uint32_t gpus = (uint32_t)__builtin_popcountll(mask);
    *lease = (struct lease){
        .id = {1, 1, ++world->leases},
        .job = name_of("usc-1"),
        .home = world->names[home],
        .host = world->names[host],
        .gpu = name_of("a100"),
        .home_incarnation = 1,
        .host_incarnation = 1,
        .nodes = node,
        .node_count = 1,
        .gpu_count = gpus,
        .price = world_price,
        .duration_ms = DURATION,
        .holdover_ms = HOLDOVER,
        .accept_from_wall_ms = NOW,
        .accept_until_wall_ms = NOW + DURATION,
        .predicted_examples_per_second = 100.0,
        .home_key = world->keys[home],
        .host_key = world->keys[host],
    };
    snprintf(lease->job.text, sizeof lease->job.text, "%.40s-%u", lease->home.text,
             (unsigned)lease->id.index);
    snprintf(lease->home_address, sizeof lease->home_address, "127.0.0.1:4%03d", home);
    snprintf(lease->host_address, sizeof lease->host_address, "127.0.0.1:4%03d", host);
    assert_true(price_amount(lease->price, gpus, DURATION + GRACE, &lease->cap));
    return lease;
}

/* The same job on the same GPUs, after `before`. */
static inline struct lease *world_renewal(struct world *world, const struct lease *before)
{
    struct lease *lease = arena_alloc(&world->arena, 1, sizeof *lease);
    assert_non_null(lease);
    *lease = *before;
    lease->id.index = ++world->leases;
    lease->continues = before->id;
    lease->starts_in_ms = DURATION;
    return lease;
}

static inline struct signed_bytes *world_sign(struct world *world, const struct lease *lease)
{
    struct signed_bytes *made = arena_alloc(&world->arena, 1, sizeof *made);
    assert_non_null(made);
    world_ok(world, wire_encode(&message_lease, lease, &world->arena, &made->body, &world->fault));
    world_ok(world, signing_sign(&world->broker_secret, SIGN_LEASE, made->body, &made->signature,
                                 &world->fault));
    signing_key_id(&world->broker_key, &made->key_id);
    return made;
}

/* Without a transaction of its own. */
static inline enum status world_add(struct world *world, const struct lease *lease, bool planned,
                                    int64_t now, int64_t ends)
{
    const struct lease_share shares[] = {
        {lease->host, {lease->price.nanos - lease->price.nanos / 5}},
        {world->names[JPL], {lease->price.nanos / 5}},
    };
    const struct lease_terms terms = {.lease = lease,
                                      .signed_lease = planned ? NULL : world_sign(world, lease),
                                      .shares = shares,
                                      .share_count = 2,
                                      .ends_wall_ms = ends,
                                      .now_wall_ms = now};
    return lease_add(world->store, &terms, &world->fault);
}

/* Commits it as granted at NOW for DURATION. */
static inline void world_grant(struct world *world, const struct lease *lease)
{
    world_begin(world);
    world_ok(world, world_add(world, lease, false, NOW, NOW + DURATION));
    world_commit(world);
}

static inline enum status world_report(struct world *world, int member, const struct lease *lease,
                                       enum lease_report_kind kind, int64_t now)
{
    const struct lease_report report = {.lease = lease->id, .kind = kind, .text = "because"};
    world_begin(world);
    enum status status =
        lease_report(world->store, &world->names[member], &report, now, &world->fault);
    if (status == STATUS_OK)
        world_commit(world);
    else
        store_rollback(world->store);
    return status;
}

static inline struct store_lease world_find(struct world *world, const struct lease *lease)
{
    struct store_lease found;
    world_ok(world,
             store_lease_find(world->store, lease->id, &world->arena, &found, &world->fault));
    return found;
}

static inline enum lease_state world_state(struct world *world, const struct lease *lease)
{
    return world_find(world, lease).state;
}

/* The last receipt of a lease, for so long. */
static inline struct receipt world_receipt(const struct lease *lease, int64_t held_ms)
{
    return (struct receipt){.lease = lease->id,
                            .job = lease->job,
                            .home = lease->home,
                            .host = lease->host,
                            .sequence = 1,
                            .last = true,
                            .outcome = LEASE_OUTCOME_COMPLETED,
                            .gpu_count = lease->gpu_count,
                            .held_ms = held_ms,
                            .ended_wall_ms = NOW + held_ms};
}

static inline int world_index(const struct world *world, const struct name *name)
{
    for (int i = 0; i < WORLD_MEMBERS; i++)
        if (name_equal(&world->names[i], name))
            return i;
    return -1;
}

static inline struct signed_receipt world_sign_receipt(struct world *world,
                                                       const struct receipt *receipt,
                                                       bool home_signs)
{
    struct signed_receipt made = {.home_signed = home_signs};
    const struct signing_secret *host = &world->secrets[world_index(world, &receipt->host)];
    const struct signing_secret *home = &world->secrets[world_index(world, &receipt->home)];
    world_ok(world,
             wire_encode(&message_receipt, receipt, &world->arena, &made.body, &world->fault));
    world_ok(world,
             signing_sign(host, SIGN_RECEIPT_HOST, made.body, &made.host_signature, &world->fault));
    if (home_signs)
        world_ok(world, signing_sign(home, SIGN_RECEIPT_HOME, made.body, &made.home_signature,
                                     &world->fault));
    return made;
}

/* Settles and commits. */
static inline struct settle_verdict world_settle(struct world *world, int member,
                                                 const struct signed_receipt *receipt, int64_t now)
{
    struct settle_verdict verdict;
    world_begin(world);
    world_ok(world, settle_receipt(world->store, &world->names[member], receipt, &world_limits, now,
                                   &verdict, &world->fault));
    world_commit(world);
    return verdict;
}

#define world_test(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

#endif
