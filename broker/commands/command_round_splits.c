/* round show --splits: what each member would have got by every mechanism, and who would object,
 * from the store's file alone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "broker/commands/commands.h"
#include "broker/round/comparison.h"

enum { COALITION_TEXT_MAX = 512, COLUMNS_MAX = 24 };

/* "usc, isi"; cut with "..." where there are too many. */
static const char *coalition_text(const struct comparison *comparison, uint64_t coalition,
                                  char text[static COALITION_TEXT_MAX])
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < comparison->market.member_count && i < 64; i++) {
        if ((coalition >> i & 1) == 0)
            continue;
        const char *name = comparison->market.members[i].name.text;
        int const wrote =
            snprintf(text + used, COALITION_TEXT_MAX - used, "%s%s", used == 0 ? "" : ", ", name);
        if (wrote < 0 || used + (size_t)wrote + 4 >= COALITION_TEXT_MAX) {
            snprintf(text + used, COALITION_TEXT_MAX - used, "...");
            break;
        }
        used += (size_t)wrote;
    }
    return text;
}

static void print_payoffs(const struct comparison *comparison)
{
    struct table_column columns[COLUMNS_MAX] = {{"member", false}, {"alone", true}};
    char titles[COLUMNS_MAX][NAME_BYTES_MAX];
    char amount[CREDITS_TEXT_MAX];
    struct table table;
    uint32_t count = 2;
    for (uint32_t r = 0; r < comparison->row_count && count < COLUMNS_MAX; r++, count++) {
        snprintf(titles[count], sizeof titles[count], "%s%s", comparison->rows[r].chosen ? "*" : "",
                 comparison->rows[r].mechanism->name);
        columns[count] = (struct table_column){titles[count], true};
    }
    table_init(&table, columns, count);
    for (uint32_t i = 0; i < comparison->market.member_count; i++) {
        table_text(&table, comparison->market.members[i].name.text);
        table_text(&table, credits_format(comparison->plan.members[i].alone, amount));
        for (uint32_t r = 0; r + 2 < count; r++) {
            const struct split *split = &comparison->rows[r].split;
            bool const none = !split->paid && comparison->rows[r].mechanism->split != NULL;
            table_text(&table, none ? "-" : credits_format(split->payoff[i], amount));
        }
    }
    table_print(&table, stdout);
    table_fini(&table);
}

/* "core", "nobody by more than", or the coalition. */
static void print_verdict(struct table *table, const struct comparison *comparison,
                          const struct comparison_row *row)
{
    char text[COALITION_TEXT_MAX];
    char amount[CREDITS_TEXT_MAX];
    const struct split *split = &row->split;
    table_text(table, credits_format(split->epsilon, amount));
    if (split->epsilon.micros == 0)
        table_text(table, "nobody: in the core");
    else if (split->coalition == 0)
        table_text(table, "not known: ε is a bound");
    else
        table_text(table, coalition_text(comparison, split->coalition, text));
    table_text(table, split->coalition == 0 ? "" : credits_format(row->reach, amount));
    table_text(table, split->coalition == 0 ? "" : credits_format(row->payoff, amount));
}

static void print_objections(const struct comparison *comparison)
{
    static const struct table_column columns[] = {
        {"split", false},
        {"ε (credits)", true},
        {"who would object", false},
        {"they reach alone", true},
        {"they have", true},
        {"funded", true},
        {"", false},
    };
    struct table table;
    char amount[CREDITS_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t r = 0; r < comparison->row_count; r++) {
        const struct comparison_row *row = &comparison->rows[r];
        bool const none = !row->split.paid && row->mechanism->split != NULL;
        table_format(&table, "%s%s", row->chosen ? "*" : "", row->mechanism->name);
        if (none)
            for (int cell = 0; cell < 4; cell++)
                table_text(&table, "");
        else
            print_verdict(&table, comparison, row);
        table_text(&table, row->split.funding.micros == 0
                               ? ""
                               : credits_format(row->split.funding, amount));
        table_text(&table, row->split.remark);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_comparison(const struct comparison *comparison)
{
    char surplus[CREDITS_TEXT_MAX];
    char bound[CREDITS_TEXT_MAX];
    printf("Round %" PRIu64 ": a surplus of %s credits, shared by every mechanism "
           "(credits a round; * as it was cleared)\n\n",
           comparison->round, credits_format(comparison->plan.objective, surplus));
    print_payoffs(comparison);
    putchar('\n');
    print_objections(comparison);
    printf(
        "\nWho objects: the members who together would gain most alone, by ε. Whole GPUs realise "
        "%s of the LP's %s credits,\nso a small ε is left even where the split of the LP is in "
        "the core.\n",
        surplus, credits_format(comparison->plan.bound, bound));
}

/* --- JSON */

static void print_json_row(const struct comparison *comparison, const struct comparison_row *row)
{
    const struct split *split = &row->split;
    bool const none = !split->paid && row->mechanism->split != NULL;
    bool first = true;
    printf("    {\"mechanism\": \"%s\", \"chosen\": %s, \"payoff_micros\": ", row->mechanism->name,
           row->chosen ? "true" : "false");
    for (uint32_t i = 0; !none && i < comparison->market.member_count; i++)
        printf("%s%" PRId64, i == 0 ? "[" : ", ", split->payoff[i].micros);
    printf("%s, \"side_micros\": ", none ? "null" : "]");
    for (uint32_t i = 0; !none && i < comparison->market.member_count; i++)
        printf("%s%" PRId64, i == 0 ? "[" : ", ", split->side[i].micros);
    printf("%s,\n     \"funding_micros\": %" PRId64 ", \"epsilon_micros\": ", none ? "null" : "]",
           split->funding.micros);
    if (none)
        printf("null");
    else
        printf("%" PRId64, split->epsilon.micros);
    printf(", \"epsilon_exact\": %s, \"objecting\": [", split->epsilon_exact ? "true" : "false");
    for (uint32_t i = 0; !none && i < comparison->market.member_count && i < 64; i++)
        if ((split->coalition >> i & 1) != 0) {
            printf("%s\"%s\"", first ? "" : ", ", comparison->market.members[i].name.text);
            first = false;
        }
    printf("], \"reach_micros\": %" PRId64 ", \"have_micros\": %" PRId64 ", \"remark\": ",
           row->reach.micros, row->payoff.micros);
    if (split->remark[0] == '\0')
        printf("null}");
    else
        printf("\"%s\"}", split->remark);
}

static void print_json(const struct comparison *comparison)
{
    printf("{\n  \"round\": %" PRIu64 ",\n  \"objective_micros\": %" PRId64
           ",\n  \"bound_micros\": %" PRId64 ",\n  \"members\": [",
           comparison->round, comparison->plan.objective.micros, comparison->plan.bound.micros);
    for (uint32_t i = 0; i < comparison->market.member_count; i++)
        printf("%s\"%s\"", i == 0 ? "" : ", ", comparison->market.members[i].name.text);
    printf("],\n  \"alone_micros\": [");
    for (uint32_t i = 0; i < comparison->market.member_count; i++)
        printf("%s%" PRId64, i == 0 ? "" : ", ", comparison->plan.members[i].alone.micros);
    printf("],\n  \"splits\": [\n");
    for (uint32_t r = 0; r < comparison->row_count; r++) {
        print_json_row(comparison, &comparison->rows[r]);
        printf("%s\n", r + 1 < comparison->row_count ? "," : "");
    }
    printf("  ]\n}\n");
}

int command_round_splits(const struct command_options *options, uint64_t round)
{
    struct fault fault = {0};
    struct arena arena;
    struct store *store = NULL;
    struct comparison comparison;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = command_store(options, &arena, &store, &fault);
    if (status == STATUS_OK)
        status = comparison_make(store, round, options->splits, &arena, &comparison, &fault);
    if (status == STATUS_OK && options->json)
        print_json(&comparison);
    else if (status == STATUS_OK)
        print_comparison(&comparison);
    store_close(store);
    arena_fini(&arena);
    if (status == STATUS_OK)
        return EXIT_CODE_OK;
    int const code = command_failed(&fault);
    return status == STATUS_INVALID ? EXIT_CODE_USAGE : code; /* a name that is none */
}
