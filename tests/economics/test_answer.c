/* Plans checked against their instance: what the solver says passes, and no one number of it can be
 * changed unnoticed. */
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/market/checking/answer.h"
#include "economics/market/instance/generate.h"
#include "economics/market/plan.h"

enum { DATACENTERS = 5, JOBS = 60, SEEDS = 12 };

struct solved {
    struct arena arena;
    struct instance instance;
    struct plan plan;
    struct answer answer;
    struct fault fault;
};

static char *generated(uint32_t datacenters, uint32_t jobs, uint64_t seed, size_t *size)
{
    char *text = NULL;
    struct arena arena;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    FILE *to = open_memstream(&text, size);
    assert_non_null(to);
    struct generate_parameters const parameters = {
        .datacenters = datacenters, .jobs = jobs, .seed = seed};
    if (generate_write(&parameters, &arena, to, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(fclose(to), 0);
    arena_fini(&arena);
    return text;
}

static void take_parts(struct solved *s, bool whole)
{
    const struct market *market = &s->instance.market;
    struct answer *answer = &s->answer;
    answer->part = arena_alloc(&s->arena, market->column_count, sizeof *answer->part);
    for (uint32_t k = 0; k < market->column_count && !whole; k++)
        if (s->plan.lp_share[k] >= TOLERANCE_ANSWER)
            answer->part[answer->part_count++] = (struct answer_part){
                .column = k, .share = fmin(1, s->plan.lp_share[k]), .payment = -1};
    for (uint32_t i = 0; i < s->plan.placement_count && whole; i++)
        answer->part[answer->part_count++] =
            (struct answer_part){.column = s->plan.placements[i].column,
                                 .share = 1,
                                 .payment = credits_to_double(s->plan.placements[i].payment)};
}

/* The optimum of a generated instance, as `market solve --json` states it. */
static void solve(struct solved *s, uint64_t seed, bool whole)
{
    *s = (struct solved){.fault = {.text = ""}};
    arena_init(&s->arena, ARENA_ROUND_BYTES);
    size_t size = 0;
    char *text = generated(DATACENTERS, JOBS, seed, &size);
    if (instance_parse("generated", text, size, &s->arena, &s->instance, &s->fault) != STATUS_OK ||
        plan_make(&s->instance.market, &s->arena, &s->plan, &s->fault) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, s->fault.text);
    free(text);
    const struct market *market = &s->instance.market;
    s->answer = (struct answer){.upper_bound = credits_to_double(s->plan.bound),
                                .gap = -1,
                                .whole = whole,
                                .exact_rents = true,
                                .has_row_rents = true,
                                .pool_rent = s->plan.pool_rent_credits,
                                .row_rent = s->plan.row_rent_credits};
    s->answer.price = arena_alloc(&s->arena, market->pool_count, sizeof(double));
    s->answer.payoff = arena_alloc(&s->arena, market->member_count, sizeof(double));
    for (uint32_t p = 0; p < market->pool_count; p++)
        s->answer.price[p] = price_to_double(s->plan.pool_price[p]);
    for (uint32_t i = 0; i < market->member_count; i++)
        s->answer.payoff[i] =
            credits_to_double(whole ? s->plan.members[i].payoff : s->plan.members[i].owen);
    take_parts(s, whole);
    for (size_t i = 0; i < s->answer.part_count; i++)
        s->answer.objective += s->answer.part[i].share *
                               credits_to_double(market->columns[s->answer.part[i].column].worth);
}

static enum status check(struct solved *s)
{
    return answer_check(&s->instance, &s->answer, &s->arena, NULL, &s->fault);
}

static void what_the_solver_says_passes(void **state)
{
    (void)state;
    uint64_t const first = support_seed(1);
    uint32_t rents = 0;
    for (uint64_t seed = first; seed < first + SEEDS; seed++)
        for (int whole = 0; whole < 2; whole++) {
            struct solved s;
            solve(&s, seed, whole == 1);
            for (uint32_t r = 0; r < s.instance.market.row_count; r++)
                rents += s.answer.row_rent[r] > 0;
            if (check(&s) != STATUS_OK)
                fail_msg("seed %llu: %s", (unsigned long long)seed, s.fault.text);
            arena_fini(&s.arena);
        }
    assert_true(rents > 0); /* else policy rows were not tried */
}

/* -- Tampering --------------------------------------------------------------------------------- */

static void raise_share(struct solved *s)
{
    s->answer.part[0].share = 1.5;
}
static void lower_share(struct solved *s)
{
    s->answer.part[0].share = -0.1;
}
static void repeat_part(struct solved *s)
{
    s->answer.part[1] = s->answer.part[0];
}
static void drop_part(struct solved *s)
{
    s->answer.part_count--;
}
static void raise_objective(struct solved *s)
{
    s->answer.objective *= 1.001;
}
static void lower_bound(struct solved *s)
{
    s->answer.upper_bound *= 0.999;
}
static void state_no_gap(struct solved *s)
{
    s->answer.gap = 0.5;
}
static void lower_price(struct solved *s)
{
    s->answer.price[0] *= 0.9;
}
static void lower_rent(struct solved *s)
{
    s->answer.pool_rent[0] = -1;
    s->answer.price[0] = price_to_double(s->instance.market.pools[0].cost);
}
static void lower_rents(struct solved *s)
{
    for (uint32_t p = 0; p < s->instance.market.pool_count; p++) {
        s->answer.pool_rent[p] = 0;
        s->answer.price[p] = price_to_double(s->instance.market.pools[p].cost);
    }
}
static void raise_payoff(struct solved *s)
{
    s->answer.payoff[0] += 1;
}
static void move_payoff(struct solved *s)
{
    s->answer.payoff[0] += 1;
    s->answer.payoff[1] -= 1;
}
static void overfill(struct solved *s)
{
    s->instance.market.pools[s->instance.market.columns[s->answer.part[0].column].pool].gpu_count =
        0;
}
static void break_row(struct solved *s)
{
    for (uint32_t r = 0; r < s->instance.market.row_count; r++)
        if (s->answer.row_rent[r] > 0) /* so it binds */
            s->instance.market.rows[r].limit *= 0.5;
}
static void forget_row_rents(struct solved *s)
{
    memset(s->answer.row_rent, 0, s->instance.market.row_count * sizeof *s->answer.row_rent);
}
static void share_a_whole_gpu(struct solved *s)
{
    s->answer.whole = true;
    s->answer.part[0].share = 0.5;
}
static void pay_too_little(struct solved *s)
{
    s->answer.part[0].payment = 0;
}
static void pay_too_much(struct solved *s)
{
    s->answer.part[0].payment = 1e6;
}

static void each_number_changed_is_found(void **state)
{
    (void)state;
    static const struct {
        void (*tamper)(struct solved *s);
        const char *says;
    } cases[] = {
        {raise_share, "plan[0].share: 1.5 is not above 0 and at most 1"},
        {lower_share, "plan[0].share: -0.1"},
        {repeat_part, "plan[1]: "},
        {drop_part, "objective: "},
        {raise_objective, "objective: "},
        {lower_bound, "upper_bound: "},
        {state_no_gap, "gap: 0.5"},
        {lower_price, "prices.dc0000/"},
        {lower_rent, "pool_rents.dc0000/"},
        {lower_rents, "upper_bound: "},
        {raise_payoff, "payoffs: they add up to"},
        {move_payoff, "payoffs.dc0000: "},
        {overfill, "which has 0"},
        {break_row, "the plan uses"},
        {forget_row_rents, "upper_bound: "},
        {share_a_whole_gpu, "a plan of whole GPUs"},
        {pay_too_little, "plan[0].payment: 0 is below the pool's cost"},
        {pay_too_much, "plan[0].payment: 1000000 is above"},
    };
    uint64_t seed = 1;
    for (struct solved s;; seed++) { /* one in which a row binds */
        bool binds = false;
        solve(&s, seed, false);
        for (uint32_t r = 0; r < s.instance.market.row_count; r++)
            binds |= s.answer.row_rent[r] > 1e-6;
        arena_fini(&s.arena);
        if (binds)
            break;
        assert_true(seed < 100);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct solved s;
        solve(&s, seed, false);
        cases[i].tamper(&s);
        if (check(&s) != STATUS_CORRUPT || strstr(s.fault.text, cases[i].says) == NULL)
            fail_msg("case %zu: not '%s' but '%s'", i, cases[i].says, s.fault.text);
        arena_fini(&s.arena);
    }
}

static void payoffs_of_whole_gpus_are_what_payments_leave(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 4; seed++) {
        struct solved s;
        solve(&s, seed, true);
        s.answer.payoff[0] += 1;
        assert_int_equal(check(&s), STATUS_CORRUPT);
        assert_non_null(strstr(s.fault.text, "payoffs: they add up to"));
        arena_fini(&s.arena);
    }
}

/* Rents that prices say to a nano-credit only still prove the bound, within that rounding. */
static void prices_alone_prove_the_bound_where_no_row_binds(void **state)
{
    (void)state;
    static const char instance_text[] =
        "{\"members\": [\"a\"], \"pools\": [{\"id\": \"p\", \"member\": \"a\", \"gpu\": \"g\","
        " \"gpus\": 1}], \"jobs\": [{\"id\": \"j\", \"home\": \"a\", \"value\": 1,"
        " \"configurations\": [{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 2}]}]}";
    static const struct {
        const char *text;
        enum status status;
        const char *says;
    } cases[] = {
        {"{\"objective\": 600, \"upper_bound\": 600, \"gap\": 0, \"prices\": {\"p\": 1},"
         " \"payoffs\": {\"a\": 600}, \"plan\": [{\"job\": \"j\", \"pool\": \"p\", \"gpus\": 1,"
         " \"share\": 1}]}",
         STATUS_OK, ""},
        {"{\"objective\": 600, \"upper_bound\": 600, \"prices\": {\"p\": 3},"
         " \"payoffs\": {\"a\": 600}, \"plan\": [{\"job\": \"j\", \"pool\": \"p\", \"gpus\": 1,"
         " \"share\": 1}]}",
         STATUS_CORRUPT, "upper_bound: 600 is not proved; the prices prove 900"},
        {"{\"objective\": 1, \"upper_bound\": 600, \"prices\": {\"p\": 1, \"q\": 1},"
         " \"payoffs\": {\"a\": 600}, \"plan\": []}",
         STATUS_INVALID, "prices.q: unknown key"},
        {"{\"objective\": 1, \"upper_bound\": 600, \"prices\": {}, \"payoffs\": {\"a\": 6},"
         " \"plan\": []}",
         STATUS_INVALID, "prices.p: "},
        {"{\"objective\": NaN, \"upper_bound\": 600}", STATUS_INVALID, "t:1:"},
        {"{\"objective\": 1e999, \"upper_bound\": 600}", STATUS_INVALID, "t:1:"},
        {"{\"objective\": 0, \"upper_bound\": 600, \"prices\": {\"p\": 1},"
         " \"payoffs\": {\"a\": 600}, \"plan\": [{\"job\": \"k\", \"pool\": \"p\", \"gpus\": 1,"
         " \"share\": 1}]}",
         STATUS_INVALID, "plan[0].job: the instance has no job 'k'"},
        {"{\"objective\": 0, \"upper_bound\": 600, \"prices\": {\"p\": 1},"
         " \"payoffs\": {\"a\": 600}, \"plan\": [{\"job\": \"j\", \"pool\": \"p\", \"gpus\": 2,"
         " \"share\": 1}]}",
         STATUS_INVALID, "plan[0]: the instance does not allow"},
        {"{\"objective\": 0, \"upper_bound\": 600, \"prices\": {\"p\": 1},"
         " \"payoffs\": {\"a\": 600}, \"plan\": [{\"job\": \"j\", \"pool\": \"p\", \"gpus\": -1,"
         " \"share\": 1}]}",
         STATUS_INVALID, "plan[0].gpus: -1 is not within"},
        {"{\"objective\": 0, \"upper_bound\": 600, \"prices\": {\"p\": 1}, \"payoffs\":"
         " {\"a\": 600}, \"plan\": [], \"row_rents\": [{\"row\": 0, \"rent\": 1}]}",
         STATUS_INVALID, "row_rents[0].row: 0 is not within"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct solved s = {.fault = {.text = ""}};
        arena_init(&s.arena, ARENA_MESSAGE_BYTES);
        assert_ok(instance_parse("i", instance_text, sizeof instance_text - 1, &s.arena,
                                 &s.instance, NULL));
        enum status status = answer_parse("t", cases[i].text, strlen(cases[i].text), &s.instance,
                                          &s.arena, &s.answer, &s.fault);
        if (status == STATUS_OK)
            status = check(&s);
        if (status != cases[i].status || strstr(s.fault.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, s.fault.text);
        arena_fini(&s.arena);
    }
}

/* -- Generating -------------------------------------------------------------------------------- */

static void one_seed_gives_one_text_and_another_another(void **state)
{
    (void)state;
    size_t sizes[3];
    char *first = generated(20, 100, 7, &sizes[0]);
    char *again = generated(20, 100, 7, &sizes[1]);
    char *other = generated(20, 100, 8, &sizes[2]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(first, again, sizes[0]);
    assert_true(sizes[0] != sizes[2] || memcmp(first, other, sizes[0]) != 0);
    free(first);
    free(again);
    free(other);
}

static void every_size_gives_a_valid_instance_with_about_33_columns_a_job(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 0}, {1, 5}, {3, 20}, {9, 1}, {40, 400}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct arena arena;
        struct instance instance;
        struct fault fault = {.text = ""};
        size_t size = 0;
        char *text = generated(sizes[i][0], sizes[i][1], 1, &size);
        arena_init(&arena, ARENA_ROUND_BYTES);
        if (instance_parse("g", text, size, &arena, &instance, &fault) != STATUS_OK)
            fail_msg("%u × %u: %s", sizes[i][0], sizes[i][1], fault.text);
        assert_int_equal(instance.market.member_count, sizes[i][0]);
        assert_int_equal(instance.market.job_count, sizes[i][1]);
        double const columns = (double)instance.market.column_count / fmax(1, sizes[i][1]);
        if (sizes[i][0] == 40 && (columns < 28 || columns > 38)) /* 8 hosts × 2 pools × 2 sizes */
            fail_msg("%.1f columns a job", columns);
        arena_fini(&arena);
        free(text);
    }
    struct arena arena;
    struct fault fault;
    struct generate_parameters const none = {.datacenters = 0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_int_equal(generate_write(&none, &arena, stderr, &fault), STATUS_INVALID);
    assert_non_null(strstr(fault.text, "datacenters: 0"));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_solver_says_passes),
        cmocka_unit_test(each_number_changed_is_found),
        cmocka_unit_test(payoffs_of_whole_gpus_are_what_payments_leave),
        cmocka_unit_test(prices_alone_prove_the_bound_where_no_row_binds),
        cmocka_unit_test(one_seed_gives_one_text_and_another_another),
        cmocka_unit_test(every_size_gives_a_valid_instance_with_about_33_columns_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
