/*
 * The market's session over rounds: jobs come and go, the optimum stays that of a cold solve, what
 * is kept neither grows nor slows it down, and bytes of it give the same plan bit for bit.
 */
#include "tests/support/support.h"

#include <string.h>

#include "base/rng.h"
#include "tests/economics/made_market.h"
#include "tests/economics/session_checks.h"

static const struct session_options exact = {.method = SESSION_EXACT};

static void solve(struct session *session, const struct market *market, struct arena *arena,
                  struct session_result *result)
{
    struct fault fault = {.text = ""};
    if (session_solve(session, market, &exact, arena, result, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
}

/* About one job in thirty comes or goes. */
static void change(struct rng *rng, bool *stays, uint32_t jobs)
{
    for (uint32_t i = 0; i < jobs / 30 + 1; i++) {
        uint32_t const j = (uint32_t)rng_below(rng, jobs);
        stays[j] = !stays[j];
    }
}

static void warm_reaches_what_cold_reaches_while_jobs_come_and_go(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(51);
    struct rng rng;
    struct arena arena;
    struct market whole;
    struct session *session;
    rng_init(&rng, seed, 0);
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(14, 240, seed, &arena, &whole));
    bool *stays = arena_alloc(&arena, whole.job_count, sizeof *stays);
    memset(stays, true, whole.job_count);
    assert_ok(session_open(&session, NULL));
    for (int round = 0; round < 40; round++) {
        struct arena one;
        struct market market;
        struct session *fresh;
        struct session_result warm;
        struct session_result cold;
        arena_init(&one, ARENA_ROUND_BYTES);
        change(&rng, stays, whole.job_count);
        assert_ok(made_part(&whole, stays, &one, &market));
        assert_ok(market_validate(&market, NULL));
        solve(session, &market, &one, &warm);
        assert_ok(session_open(&fresh, NULL));
        solve(fresh, &market, &one, &cold);
        session_close(fresh);
        assert_int_equal(warm.warm, round > 0);
        assert_false(cold.warm);
        assert_string_equal(session_infeasible(&market, &warm), "");
        assert_string_equal(session_unproved(&market, &warm), "");
        if (!warm.optimal ||
            fabs(warm.objective_credits - cold.objective_credits) > 1e-6 * cold.objective_credits)
            fail_msg("seed %llu round %d: %.12g warm, %.12g cold", (unsigned long long)seed, round,
                     warm.objective_credits, cold.objective_credits);
        arena_fini(&one);
    }
    session_close(session);
    arena_fini(&arena);
}

static void saved_and_loaded_it_solves_bit_for_bit_the_same(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    struct session *session;
    struct session *loaded;
    struct session_result result;
    struct session_result again;
    struct bytes bytes;
    struct bytes copy;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(14, 240, 9, &arena, &market));
    assert_ok(session_open(&session, NULL));
    assert_ok(session_open(&loaded, NULL));
    solve(session, &market, &arena, &result);
    assert_ok(session_save(session, &arena, &bytes, NULL));
    assert_ok(session_load(loaded, bytes, NULL));
    assert_ok(session_save(loaded, &arena, &copy, NULL));
    assert_int_equal(bytes.size, copy.size);
    assert_memory_equal(bytes.data, copy.data, bytes.size);
    market.pools[0].nodes[0].gpus = 0; /* something changed */
    market.pools[0].gpu_count = 0;
    for (uint32_t n = 1; n < market.pools[0].node_count; n++)
        market.pools[0].gpu_count += (uint32_t)__builtin_popcountll(market.pools[0].nodes[n].gpus);
    solve(session, &market, &arena, &result);
    solve(loaded, &market, &arena, &again);
    assert_true(again.warm);
    assert_true(session_same(&market, &result, &again));
    session_close(session);
    session_close(loaded);
    arena_fini(&arena);
}

static void damaged_state_is_refused_and_the_session_knows_nothing(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    struct session *session;
    struct session_result result;
    struct bytes bytes;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(3, 20, 9, &arena, &market));
    assert_ok(session_open(&session, NULL));
    solve(session, &market, &arena, &result);
    assert_ok(session_save(session, &arena, &bytes, NULL));
    for (size_t size = 0; size < bytes.size; size++) {
        struct bytes const part = {.data = bytes.data, .size = size};
        assert_int_equal(session_load(session, part, NULL), STATUS_CORRUPT);
    }
    uint8_t *copy = malloc(bytes.size + 1);
    assert_non_null(copy);
    for (size_t at = 0; at < bytes.size; at++) { /* refused, or some other state: never a crash */
        memcpy(copy, bytes.data, bytes.size);
        copy[at] ^= 0xff;
        if (session_load(session, (struct bytes){copy, bytes.size}, NULL) == STATUS_OK)
            solve(session, &market, &arena, &result);
        assert_string_equal(session_unproved(&market, &result), "");
    }
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = 0;
    assert_int_equal(session_load(session, (struct bytes){copy, bytes.size + 1}, NULL),
                     STATUS_CORRUPT);
    solve(session, &market, &arena, &result);
    assert_false(result.warm);
    free(copy);
    session_close(session);
    arena_fini(&arena);
}

/* Pools that left are remembered for a while, then no more: 300 rounds, each with pools named
 * anew, leave no more than some rounds' worth of them. */
static void what_is_kept_does_not_grow_with_time(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    struct session *session;
    size_t most = 0;
    uint64_t iterations[2] = {0, 0}; /* of the first and the last hundred warm rounds */
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(6, 60, 9, &arena, &market));
    assert_ok(session_open(&session, NULL));
    for (int round = 0; round < 300; round++) {
        struct arena one;
        struct session_result result;
        struct bytes bytes;
        arena_init(&one, ARENA_ROUND_BYTES);
        snprintf(market.pools[0].gpu.text, sizeof market.pools[0].gpu.text, "A%d", round);
        solve(session, &market, &one, &result);
        assert_true(result.optimal);
        assert_ok(session_save(session, &one, &bytes, NULL));
        if (round < 100 && bytes.size > most)
            most = bytes.size;
        assert_true(bytes.size <= most + 16);
        if (round >= 1 && round <= 100)
            iterations[0] += result.iterations;
        if (round >= 200)
            iterations[1] += result.iterations;
        arena_fini(&one);
    }
    assert_true(iterations[1] <= iterations[0] * 2);
    session_close(session);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_reaches_what_cold_reaches_while_jobs_come_and_go),
        cmocka_unit_test(saved_and_loaded_it_solves_bit_for_bit_the_same),
        cmocka_unit_test(damaged_state_is_refused_and_the_session_knows_nothing),
        cmocka_unit_test(what_is_kept_does_not_grow_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
