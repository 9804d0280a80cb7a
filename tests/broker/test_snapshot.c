#include "tests/broker/broker_fixture.h"

#include "base/rng.h"
#include "broker/round/replay.h"
#include "broker/round/snapshot.h"

/* A federation with something in every part of a market: rows, held GPUs, ages. */
static struct round *eventful_round(struct fed *fed)
{
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    fed_pool(usc, "a100", 4, 0.001);
    fed_pool(isi, "v100", 3, 0.0005);
    usc->pools[0].foreign_gpus_max = 2; /* of the three GPUs that isi asks for */
    fed_beat_all(fed);
    fed_submit(fed, isi, "isi-1", 2, 0.001);
    fed_submit(fed, usc, "usc-1", 3, 0.002);
    fed_round(fed);
    fed_start(fed, fed_has_lease(fed, "isi-1") ? isi : usc,
              fed_has_lease(fed, "isi-1") ? "isi-1" : "usc-1");
    fed_submit(fed, isi, "isi-2", 1, 0.003);
    fed_submit(fed, usc, "usc-2", 2, 0.001);
    fed_to_full_round(fed);
    return fed_round(fed);
}

static void a_snapshot_decodes_to_what_was_encoded(void **state)
{
    struct fed *fed = *state;
    struct round *round = eventful_round(fed);
    struct bytes bytes;
    struct bytes again;
    struct market market;
    struct split_terms terms;
    struct bytes warm;
    assert_true(round->market.row_count > 0 && round->market.column_count > 3);
    assert_ok(snapshot_encode(&round->market, &round->terms, round->state, &fed->arena, &bytes,
                              &fed->fault));
    assert_ok(snapshot_decode(bytes, &fed->arena, &market, &terms, &warm, &fed->fault));
    assert_int_equal(market.job_count, round->market.job_count);
    assert_int_equal(market.column_count, round->market.column_count);
    assert_memory_equal(market.entries, round->market.entries,
                        market.entry_count * sizeof *market.entries);
    assert_ok(snapshot_encode(&market, &terms, warm, &fed->arena, &again, &fed->fault));
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
}

static void a_replayed_round_gives_the_same_digest(void **state)
{
    struct fed *fed = *state;
    struct round *round = eventful_round(fed);
    struct replay replay;
    for (uint64_t number = 1; number <= round->number; number++) {
        assert_ok(replay_round(fed->daemon.core.store, number, &fed->arena, &replay, &fed->fault));
        assert_true(replay.same);
        assert_int_equal(replay.round, number);
    }
    assert_int_equal(replay.placements, round->plan.placement_count);
    assert_true(round->state.size > 16); /* warm: more than the state of a session that knows
                                            nothing, and it was replayed from there */
    assert_int_equal(replay_round(fed->daemon.core.store, 99, &fed->arena, &replay, &fed->fault),
                     STATUS_NOT_FOUND);
}

static void a_digest_notices_any_change_of_what_is_posted(void **state)
{
    struct fed *fed = *state;
    struct round *round = eventful_round(fed);
    struct digest before;
    struct digest after;
    struct plan plan = round->plan;
    assert_true(plan.placement_count > 0);
    assert_ok(plan_digest(&round->market, &plan, &round->split, &before, &fed->fault));
    plan.placements[0].price.nanos++;
    assert_ok(plan_digest(&round->market, &plan, &round->split, &after, &fed->fault));
    assert_false(digest_equal(&before, &after));
    plan.placements[0].price.nanos--;
    plan.members[0].payoff.micros--;
    assert_ok(plan_digest(&round->market, &plan, &round->split, &after, &fed->fault));
    assert_false(digest_equal(&before, &after));
    plan.members[0].payoff.micros++;
    assert_ok(plan_digest(&round->market, &plan, &round->split, &after, &fed->fault));
    assert_true(digest_equal(&before, &after));
}

/* Every byte matters or is refused: what decodes encodes to the very bytes it came from. */
static void damaged_snapshots_are_refused_or_mean_what_they_say(void **state)
{
    struct fed *fed = *state;
    struct round *round = eventful_round(fed);
    struct bytes bytes;
    assert_ok(snapshot_encode(&round->market, &round->terms, round->state, &fed->arena, &bytes,
                              &fed->fault));
    uint64_t seed = support_seed(11);
    struct rng rng;
    rng_init(&rng, seed, 0);
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
        struct arena arena;
        struct market market;
        struct split_terms terms;
        struct bytes warm;
        struct bytes again;
        uint8_t *damaged = malloc(bytes.size);
        assert_non_null(damaged);
        memcpy(damaged, bytes.data, bytes.size);
        size_t size = i % 3 == 0 ? (size_t)rng_below(&rng, bytes.size) : bytes.size;
        if (i % 3 != 0)
            damaged[rng_below(&rng, bytes.size)] ^= (uint8_t)(1 + rng_below(&rng, 255));
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        struct bytes input = {.data = damaged, .size = size};
        enum status status = snapshot_decode(input, &arena, &market, &terms, &warm, &fed->fault);
        refused += status != STATUS_OK ? 1 : 0;
        if (status == STATUS_OK) {
            assert_ok(snapshot_encode(&market, &terms, warm, &arena, &again, &fed->fault));
            if (again.size != size || memcmp(again.data, damaged, size) != 0)
                fail_msg("seed %llu, case %d", (unsigned long long)seed, i);
        } else if (status != STATUS_CORRUPT) {
            fail_msg("seed %llu, case %d: %s", (unsigned long long)seed, i, fed->fault.text);
        }
        arena_fini(&arena);
        free(damaged);
    }
    assert_true(refused > 1000); /* all thousand cut ones, at least */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_snapshot_decodes_to_what_was_encoded),
        CASE(a_replayed_round_gives_the_same_digest),
        CASE(a_digest_notices_any_change_of_what_is_posted),
        CASE(damaged_snapshots_are_refused_or_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
