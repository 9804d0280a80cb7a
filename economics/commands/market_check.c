/*
 * market check: a plan verified against its instance by code that shares nothing with the solver
 * but the structs. Ends with 1 and the first thing that is wrong.
 */
#include <stdio.h>

#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/market/checking/answer.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *instance;
    const char *plan;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (options->plan != NULL)
            argp_error(state, "one FILE and one PLAN");
        *(options->instance == NULL ? &options->instance : &options->plan) = value;
        return 0;
    case ARGP_KEY_END:
        if (options->plan == NULL)
            argp_error(state, "FILE or PLAN is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static enum status check(const struct options *options, struct arena *arena, struct fault *fault)
{
    struct instance instance;
    struct answer answer;
    struct answer_verdict verdict;
    enum status status = instance_read(options->instance, arena, &instance, fault);
    if (status == STATUS_OK)
        status = answer_read(options->plan, &instance, arena, &answer, fault);
    if (status != STATUS_OK)
        return status;
    status = answer_check(&instance, &answer, arena, &verdict, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "%s", options->plan);
    printf("feasible     %zu configurations used of %u allowed\n", answer.part_count,
           instance.market.column_count);
    printf("objective    %.6f credits a round, as recomputed\n", verdict.objective);
    printf("upper bound  %.6f, proved by the prices over all %u configurations\n", verdict.bound,
           instance.market.column_count);
    printf("payoffs      add up\n");
    return STATUS_OK;
}

int market_check_command(int argc, char **argv)
{
    static const struct command_syntax syntax = {
        .arguments = "FILE PLAN",
        .purpose = "Verifies PLAN (what `market solve --json` prints) against the instance in FILE "
                   "by code of its own: feasible, worth what it says, its bound proved by its "
                   "prices over every allowed configuration, its payoffs adding up.",
        .parser = parse_option,
        .closing = "Example: entente-economics market solve --json f.json > plan.json && "
                   "entente-economics market check f.json plan.json"};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, (size_t)ARENA_ROUND_BYTES * 4);
    enum status const status = check(&options, &arena, &fault);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
