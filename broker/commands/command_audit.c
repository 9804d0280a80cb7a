/*
 * audit: every round's certificate recomputed from the posted ledger entries and the stored bids,
 * from the store's file alone.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/table.h"
#include "broker/round/audit.h"
#include "broker/commands/commands.h"
#include "broker/store/rounds.h"

struct tally {
    struct table table;
    bool json;
    uint32_t rounds;
    uint32_t agree;
    uint32_t unjudged;
    uint32_t core;
    int64_t posted_micros;
};

static const struct table_column columns[] = {
    {"round", true},
    {"leases", true},
    {"paid (leases)", true},
    {"posted (credits)", true},
    {"stated ε (credits)", true},
    {"ε by the ledger (credits)", true},
    {"±", true},
    {"verdict", false},
};

static void add_verdict(struct tally *tally, const struct audit_round *round)
{
    if (round->problem[0] != '\0')
        table_text(&tally->table, round->problem);
    else if (!round->judged)
        table_format(&tally->table, "not judged: %u placements were dropped at commit",
                     round->dropped);
    else if (round->dropped > 0)
        table_format(&tally->table, "agrees, but for %u placements dropped at commit",
                     round->dropped);
    else
        table_text(&tally->table, "agrees");
}

static void show(struct tally *tally, const struct audit_round *round)
{
    char text[CREDITS_TEXT_MAX];
    tally->rounds++;
    tally->agree += round->agrees;
    tally->unjudged += !round->judged;
    tally->core += round->found.micros == 0;
    tally->posted_micros += round->posted.micros;
    if (tally->json) {
        printf("%s\n    {\"round\": %" PRIu64
               ", \"leases\": %u, \"dropped\": %u, \"paid\": %u, \"posted_micros\": %" PRId64
               ", \"stated_epsilon_micros\": %" PRId64 ", \"found_epsilon_micros\": %" PRId64
               ", \"slack_micros\": %" PRId64 ", \"judged\": %s, \"agrees\": %s}",
               tally->rounds == 1 ? "" : ",", round->round, round->leases, round->dropped,
               round->paid, round->posted.micros, round->stated.micros, round->found.micros,
               round->slack.micros, round->judged ? "true" : "false",
               round->agrees ? "true" : "false");
        return;
    }
    table_format(&tally->table, "%" PRIu64, round->round);
    table_format(&tally->table, "%u", round->leases);
    table_format(&tally->table, "%u", round->paid);
    table_text(&tally->table, credits_format(round->posted, text));
    table_text(&tally->table, credits_format(round->stated, text));
    table_text(&tally->table, credits_format(round->found, text));
    table_text(&tally->table, credits_format(round->slack, text));
    add_verdict(tally, round);
}

static enum status check_rounds(struct store *store, uint64_t first, uint64_t last,
                                struct tally *tally, struct fault *fault)
{
    struct audit *audit = NULL;
    enum status status = audit_open(store, &audit, fault);
    for (uint64_t number = first; status == STATUS_OK && number <= last; number++) {
        struct audit_round round;
        status = audit_check(audit, number, &round, fault);
        if (status == STATUS_OK && (round.leases > 0 || round.planned > round.dropped))
            show(tally, &round);
    }
    audit_close(audit);
    return status;
}

static void conclude(struct tally *tally)
{
    char posted[CREDITS_TEXT_MAX];
    if (tally->json) {
        printf("%s],\n  \"rounds_with_leases\": %u,\n  \"agree\": %u,\n  \"not_judged\": %u\n}\n",
               tally->rounds > 0 ? "\n  " : "", tally->rounds, tally->agree, tally->unjudged);
        return;
    }
    table_print(&tally->table, stdout);
    printf("\n%u rounds with leases, %s credits posted: %u agree with their certificate; in %u no "
           "group of members "
           "would have done better alone\n",
           tally->rounds, credits_format((struct credits){tally->posted_micros}, posted),
           tally->agree, tally->core);
    if (tally->unjudged > 0)
        printf("%u rounds are not judged: the stated ε counts placements that were dropped at "
               "commit\n",
               tally->unjudged);
}

int command_audit(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "[ROUND]",
        .purpose = "Recomputes the certificate of a round (or of all) from the posted ledger "
                   "entries and the stored "
                   "bids. Exit code 1 where one does not agree with what its round stated; a "
                   "round with placements dropped at commit may be left unjudged.",
        .arguments_min = 0,
        .arguments_max = 1,
    };
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct store *store = NULL;
    struct tally tally = {0};
    uint64_t first = 1;
    uint64_t last = 0;
    command_options(argc, argv, &usage, &options);
    if (options.argument_count > 0 && !command_number(options.arguments[0], &first)) {
        fprintf(stderr, "%s: '%s' is not a round's number\n", BROKER_PROGRAM, options.arguments[0]);
        return EXIT_CODE_USAGE;
    }
    last = first;
    tally.json = options.json;
    table_init(&tally.table, columns, sizeof columns / sizeof columns[0]);
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = command_store(&options, &arena, &store, &fault);
    if (status == STATUS_OK && options.argument_count == 0)
        status = store_round_newest(store, &last, &fault);
    if (status == STATUS_OK && tally.json)
        printf("{\n  \"rounds\": [");
    if (status == STATUS_OK)
        status = check_rounds(store, first, last, &tally, &fault);
    if (status == STATUS_OK)
        conclude(&tally);
    table_fini(&tally.table);
    store_close(store);
    arena_fini(&arena);
    if (status != STATUS_OK)
        return command_failed(&fault);
    return tally.agree + tally.unjudged == tally.rounds ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}
