/* round run, round list, round show. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "broker/commands/commands.h"

static void print_head(const struct round_row *row)
{
    char date[CLOCK_TEXT_MAX];
    char objective[CREDITS_TEXT_MAX];
    char bound[CREDITS_TEXT_MAX];
    printf("Round %" PRIu64 "%s at %s, cleared in %" PRId64 " ms\n", row->round,
           row->interim ? " (interim)" : "", clock_format_wall(row->started_wall_ms, date),
           row->took_ms);
    printf("  %u members, %u pools, %u GPUs, %u jobs: %u placed on %u GPUs\n", row->members,
           row->pools, row->gpus, row->jobs, row->placed, row->gpus_placed);
    printf("  surplus %s credits a round; no plan reaches more than %s\n\n",
           credits_format(row->objective, objective), credits_format(row->bound, bound));
}

static void print_pools(const struct round_response *round)
{
    static const struct table_column columns[] = {
        {"host", false},
        {"gpu", false},
        {"offered (GPUs)", true},
        {"placed (GPUs)", true},
        {"cost (credits/GPU-s)", true},
        {"price (credits/GPU-s)", true},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < round->pool_count; i++) {
        const struct round_pool_row *row = &round->pools[i];
        table_text(&table, row->pool.member.text);
        table_text(&table, row->pool.gpu.text);
        table_format(&table, "%u", row->gpus);
        table_format(&table, "%u", row->gpus_placed);
        table_format(&table, "%.6f", price_to_double(row->cost));
        table_format(&table, "%.6f", price_to_double(row->price));
    }
    table_print(&table, stdout);
    table_fini(&table);
    putchar('\n');
}

static void print_placements(const struct round_response *round)
{
    static const struct table_column columns[] = {
        {"job", false},
        {"home", false},
        {"host", false},
        {"gpu", false},
        {"GPUs", true},
        {"lease", false},
        {"", false},
        {"predicted (examples/s)", true},
        {"price (credits/GPU-s)", true},
        {"worth (credits/round)", true},
        {"payment (credits/round)", true},
    };
    struct table table;
    char text[LEASE_ID_TEXT_MAX];
    char amount[CREDITS_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < round->placement_count; i++) {
        const struct round_placement_row *row = &round->placements[i];
        table_text(&table, row->job.text);
        table_text(&table, row->home.text);
        table_text(&table, row->pool.member.text);
        table_text(&table, row->pool.gpu.text);
        table_format(&table, "%u", row->gpus);
        table_text(&table, command_lease_text(row->lease, text));
        table_text(&table, row->renewed ? "renewed" : "new");
        table_format(&table, "%.1f", row->predicted_examples_per_second);
        table_format(&table, "%.6f", price_to_double(row->price));
        table_text(&table, credits_format(row->worth, amount));
        table_text(&table, credits_format(row->payment, amount));
    }
    table_print(&table, stdout);
    table_fini(&table);
    putchar('\n');
}

static void print_shares(const struct round_response *round)
{
    static const struct table_column columns[] = {
        {"member", false},
        {"alone (credits/round)", true},
        {"here (credits/round)", true},
        {"gain (credits/round)", true},
        {"side payment (credits/round)", true},
        {"core point (credits/round)", true},
    };
    struct table table;
    char amount[CREDITS_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < round->member_count; i++) {
        const struct round_member_row *row = &round->members[i];
        struct credits gain = {0};
        table_text(&table, row->member.text);
        table_text(&table, credits_format(row->alone, amount));
        table_text(&table, credits_format(row->payoff, amount));
        table_text(&table, credits_subtract(row->payoff, row->alone, &gain)
                               ? credits_format(gain, amount)
                               : "?");
        table_text(&table, credits_format(row->side, amount));
        table_text(&table, credits_format(row->owen, amount));
    }
    table_print(&table, stdout);
    table_fini(&table);
    putchar('\n');
}

static void print_round(const void *message)
{
    const struct round_response *round = message;
    print_head(&round->row);
    if (round->pool_count > 0)
        print_pools(round);
    if (round->placement_count > 0)
        print_placements(round);
    if (round->member_count > 0)
        print_shares(round);
    printf("Split: %s%s%s. Certificate: %s.\n", round->mechanism,
           round->split_remark[0] == '\0' ? "" : ": ", round->split_remark, round->certificate);
}

int command_round_run(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"wait", OPTION_WAIT, NULL, 0, "The next full round instead of one now", 0},
        {0},
    };
    static const struct command_usage usage = {.purpose = "Clears the market now and shows it.",
                                               .options = own};
    struct command_options options;
    command_options(argc, argv, &usage, &options);
    struct round_run_request request = {.wait_for_period = options.wait};
    return command_ask(&options, &method_round_run, &request, print_round);
}

static void print_rounds(const void *message)
{
    static const struct table_column columns[] = {
        {"round", true},           {"at (UTC)", false},     {"kind", false},
        {"members", true},         {"GPUs", true},          {"jobs", true},
        {"placed (jobs)", true},   {"placed (GPUs)", true}, {"surplus (credits)", true},
        {"bound (credits)", true}, {"ε (credits)", true},   {"took (ms)", true},
    };
    const struct rounds_response *response = message;
    struct table table;
    char amount[CREDITS_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->round_count; i++) {
        const struct round_row *row = &response->rounds[i];
        table_format(&table, "%" PRIu64, row->round);
        table_text(&table, clock_format_wall(row->started_wall_ms, date));
        table_text(&table, row->interim ? "interim" : "full");
        table_format(&table, "%u", row->members);
        table_format(&table, "%u", row->gpus);
        table_format(&table, "%u", row->jobs);
        table_format(&table, "%u", row->placed);
        table_format(&table, "%u", row->gpus_placed);
        table_text(&table, credits_format(row->objective, amount));
        table_text(&table, credits_format(row->bound, amount));
        table_text(&table, credits_format(row->epsilon, amount));
        table_format(&table, "%" PRId64, row->took_ms);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

int command_round_list(int argc, char **argv)
{
    static const struct command_usage usage = {.purpose = "Lists the rounds, newest first."};
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_round_list, &request, print_rounds);
}

int command_round_show(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"splits", OPTION_SPLITS, "NAMES", 0,
         "What every mechanism (all, or names with commas between) would have given each member, "
         "and who would object; from the store, also while the broker is down",
         0},
        {0},
    };
    static const struct command_usage usage = {
        .arguments = "[ROUND]",
        .purpose = "Shows a round, the newest by default: who offered, what was placed where, "
                   "prices, and what each member has of it beside what it would have alone.",
        .arguments_max = 1,
        .options = own,
    };
    struct command_options options;
    struct round_request request = {0};
    command_options(argc, argv, &usage, &options);
    if (options.argument_count > 0 && !command_number(options.arguments[0], &request.round)) {
        fprintf(stderr, "%s: '%s' is not a round's number\n", BROKER_PROGRAM, options.arguments[0]);
        return EXIT_CODE_USAGE;
    }
    if (options.splits != NULL)
        return command_round_splits(&options, request.round);
    return command_ask(&options, &method_round_show, &request, print_round);
}
