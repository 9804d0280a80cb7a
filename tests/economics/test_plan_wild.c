/*
 * Numbers over all of their range in one market: from a micro-credit to a thousand million credits,
 * limits from 1e-11 to 1e17, coefficients down to 1e-16 of them. A plan is made all the same, and
 * passes its check. (Coefficients above their limit by orders of magnitude may cost GLPK the exact
 * optimum; collect leaves such columns out, since no whole plan can use them.)
 */
#include "tests/support/support.h"

#include "economics/market/plan.h"
#include "tests/economics/wild_market.h"

enum { MARKETS = 600 };

static void wild_numbers_do_not_break_a_plan(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(12);
    for (uint64_t stream = 0; stream < MARKETS; stream++) {
        struct arena arena;
        struct market market;
        struct plan plan;
        struct fault fault = {.text = ""};
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(seed, stream, &arena, &market);
        make_wild(seed, stream, &market);
        if (plan_make(&market, &arena, &plan, &fault) != STATUS_OK ||
            plan_check(&market, &plan, &fault) != STATUS_OK)
            fail_msg("seed %llu stream %llu: %s", (unsigned long long)seed,
                     (unsigned long long)stream, fault.text);
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wild_numbers_do_not_break_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
