/*
 * replay: recomputes a stored round in this fresh process, from the store's file alone, and says
 * whether the plan is the same.
 */
#include <inttypes.h>
#include <stdio.h>

#include "broker/commands/commands.h"
#include "broker/round/replay.h"
#include "proto/identity/identity.h"

static void print_json(const struct replay *replay)
{
    char stored[DIGEST_TEXT_MAX];
    char computed[DIGEST_TEXT_MAX];
    printf("{\n  \"round\": %" PRIu64 ",\n  \"same\": %s,\n  \"stored\": \"%s\",\n"
           "  \"computed\": \"%s\",\n  \"difference\": \"%s\"\n}\n",
           replay->round, replay->same ? "true" : "false", digest_format(&replay->stored, stored),
           digest_format(&replay->computed, computed), replay->difference);
}

static void print_replay(const struct replay *replay)
{
    char digest[DIGEST_TEXT_MAX];
    if (replay->same)
        printf("round %" PRIu64 ": the same plan: %" PRIu32 " members, %" PRIu32 " jobs, %" PRIu32
               " placements, digest %s\n",
               replay->round, replay->members, replay->jobs, replay->placements,
               digest_format(&replay->stored, digest));
    else
        printf("round %" PRIu64 ": ANOTHER plan: %s\n", replay->round, replay->difference);
}

int command_replay(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "ROUND",
        .purpose = "Recomputes a stored round in a fresh process, from the store's file. Exit code "
                   "1 where the plan is another.",
        .arguments_min = 1,
        .arguments_max = 1,
    };
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct store *store = NULL;
    struct replay replay = {0};
    uint64_t number = 0;
    command_options(argc, argv, &usage, &options);
    if (!command_number(options.arguments[0], &number)) {
        fprintf(stderr, "%s: '%s' is not a round's number\n", BROKER_PROGRAM, options.arguments[0]);
        return EXIT_CODE_USAGE;
    }
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = command_store(&options, &arena, &store, &fault);
    if (status == STATUS_OK)
        status = replay_round(store, number, &arena, &replay, &fault);
    if (status == STATUS_OK && options.json)
        print_json(&replay);
    else if (status == STATUS_OK)
        print_replay(&replay);
    store_close(store);
    arena_fini(&arena);
    if (status != STATUS_OK)
        return command_failed(&fault);
    return replay.same ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}
