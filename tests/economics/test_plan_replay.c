/*
 * Invariant 8: the same market gives the same plan, bit for bit: twice in a process, with another
 * libm (without FMA and AVX2), and on every compiler and build type: the digest below is what gcc,
 * clang, debug and release all print. With --digest this program prints it.
 */
#include "tests/support/support.h"

#include <glpk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "economics/market/plan.h"
#include "tests/economics/random_market.h"

enum { MARKETS = 200, SEED = 8, LINE_MAX_BYTES = 64 };

/* Of MARKETS markets of SEED, with Debian 12's GLPK 5.0. A change of the solver changes it, and
 * says so in its commit; a change of compiler or machine must not. */
static const char known[] = "ae03085ae4c7ca17";

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t digest, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ byte[i]) * UINT64_C(1099511628211);
    return digest;
}

static uint64_t mix_placement(uint64_t digest, const struct plan_placement *placement)
{
    digest = mix(digest, &placement->column, sizeof placement->column);
    for (uint32_t n = 0; n < placement->node_count; n++) {
        digest = mix(digest, &placement->nodes[n].node, sizeof placement->nodes[n].node);
        digest = mix(digest, &placement->nodes[n].gpus, sizeof placement->nodes[n].gpus);
    }
    digest = mix(digest, &placement->renewed, sizeof placement->renewed);
    digest = mix(digest, &placement->waits, sizeof placement->waits);
    for (uint32_t s = 0; s < placement->share_count; s++) {
        digest = mix(digest, &placement->shares[s].member, sizeof placement->shares[s].member);
        digest = mix(digest, &placement->shares[s].price, sizeof placement->shares[s].price);
    }
    return mix(digest, &placement->payment, sizeof placement->payment);
}

static uint64_t mix_plan(uint64_t digest, const struct market *market, const struct plan *plan)
{
    digest = mix(digest, plan->lp_share, market->column_count * sizeof(double));
    digest = mix(digest, plan->pool_rent_credits, market->pool_count * sizeof(double));
    digest = mix(digest, plan->job_surplus_credits, market->job_count * sizeof(double));
    digest = mix(digest, plan->row_rent_credits, market->row_count * sizeof(double));
    digest = mix(digest, plan->pool_price, market->pool_count * sizeof(struct price));
    for (uint32_t i = 0; i < plan->placement_count; i++)
        digest = mix_placement(digest, &plan->placements[i]);
    digest = mix(digest, plan->members, market->member_count * sizeof *plan->members);
    digest = mix(digest, &plan->objective, sizeof plan->objective);
    digest = mix(digest, &plan->bound, sizeof plan->bound);
    digest = mix(digest, &plan->epsilon, sizeof plan->epsilon);
    return mix(digest, &plan->iterations, sizeof plan->iterations);
}

static void digest_text(char text[static LINE_MAX_BYTES])
{
    uint64_t digest = UINT64_C(14695981039346656037);
    for (uint64_t stream = 0; stream < MARKETS; stream++) {
        struct arena arena;
        struct market market;
        struct plan plan;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(SEED, stream, &arena, &market);
        if (plan_make(&market, &arena, &plan, NULL) == STATUS_OK)
            digest = mix_plan(digest, &market, &plan);
        arena_fini(&arena);
    }
    snprintf(text, LINE_MAX_BYTES, "%016llx", (unsigned long long)digest);
}

static void a_plan_is_the_same_the_second_time(void **state)
{
    (void)state;
    char first[LINE_MAX_BYTES];
    char second[LINE_MAX_BYTES];
    digest_text(first);
    digest_text(second);
    assert_string_equal(first, second);
}

static void a_plan_is_the_same_on_every_compiler_and_build(void **state)
{
    (void)state;
    if (strcmp(glp_version(), "5.0") != 0)
        skip();
    char text[LINE_MAX_BYTES];
    digest_text(text);
    assert_string_equal(text, known);
}

/* This program again, as a process of its own. */
static void run_self(const char *environment, char text[static LINE_MAX_BYTES])
{
    char path[4096];
    ssize_t const length = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(length > 0);
    path[length] = '\0';
    char command[8192];
    snprintf(command, sizeof command, "%s '%s' --digest", environment, path);
    FILE *output = popen(command, "re");
    assert_non_null(output);
    text[0] = '\0';
    assert_non_null(fgets(text, LINE_MAX_BYTES, output));
    text[strcspn(text, "\n")] = '\0';
    assert_int_equal(pclose(output), 0);
}

static void a_plan_is_the_same_without_fma_in_libm(void **state)
{
    (void)state;
    char here[LINE_MAX_BYTES];
    char there[LINE_MAX_BYTES];
    digest_text(here);
    run_self("GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4,-AVX", there);
    assert_string_equal(here, there);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--digest") == 0) {
        char text[LINE_MAX_BYTES];
        digest_text(text);
        puts(text);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_the_same_the_second_time),
        cmocka_unit_test(a_plan_is_the_same_on_every_compiler_and_build),
        cmocka_unit_test(a_plan_is_the_same_without_fma_in_libm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
