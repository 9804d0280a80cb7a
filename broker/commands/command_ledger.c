/* ledger verify, ledger export, statement. The first two read the store's file, so that they work
 * while the broker is down. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/commands/commands.h"
#include "broker/money/export.h"
#include "broker/money/ledger.h"
#include "proto/identity/identity.h"
#include "proto/show/show.h"
#include "proto/wire/json.h"

/* --- ledger verify */

static int print_verdict(const struct command_options *options,
                         const struct ledger_verify_response *result)
{
    char head[DIGEST_TEXT_MAX];
    if (options->json)
        wire_print_json(method_ledger_verify.response, result, stdout);
    else if (result->verified)
        printf("ledger verified: %" PRIu64 " entries in %" PRIu64
               " transactions, balances sum to zero, head %s\n",
               result->entries, result->transactions, digest_format(&result->head, head));
    else
        printf("ledger NOT verified: %s\n", result->problem);
    return result->verified ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

int command_ledger_verify(int argc, char **argv)
{
    static const struct command_usage usage = {
        .purpose = "Recomputes every entry, hash and balance from the store's file. Exit code 1 "
                   "where something does not hold."};
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct store *store = NULL;
    struct ledger_verify_response result = {0};
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, 4 * (size_t)ARENA_MESSAGE_BYTES);
    enum status status = command_store(&options, &arena, &store, &fault);
    if (status == STATUS_OK)
        status = ledger_verify(store, &arena, &result, &fault);
    int code = status == STATUS_OK ? print_verdict(&options, &result) : command_failed(&fault);
    store_close(store);
    arena_fini(&arena);
    return code;
}

/* --- ledger export */

int command_ledger_export(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"format", OPTION_FORMAT, "csv|beancount", 0, "csv where not said", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Prints every entry, from the store's file.", .options = own};
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct store *store = NULL;
    enum export_format format = EXPORT_CSV;
    command_options(argc, argv, &usage, &options);
    if (options.format != NULL && !export_format_parse(options.format, &format)) {
        fprintf(stderr, "%s: --format: '%s' is neither csv nor beancount\n", BROKER_PROGRAM,
                options.format);
        return EXIT_CODE_USAGE;
    }
    arena_init(&arena, 4 * (size_t)ARENA_MESSAGE_BYTES);
    enum status status = command_store(&options, &arena, &store, &fault);
    if (status == STATUS_OK)
        status = export_ledger(store, format, stdout, &fault);
    store_close(store);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}

/* --- statement */

static void print_statement(const void *message)
{
    const struct statement_response *statement = message;
    show_statement(statement, stdout);
    if (statement->next_after != 0)
        printf("more: --after %" PRIu64 "\n", statement->next_after);
}

int command_statement(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"from", OPTION_FROM, "DATE", 0, "From this moment (UTC)", 0},
        {"to", OPTION_TO, "DATE", 0, "To this moment (UTC), without it", 0},
        {"after", OPTION_AFTER, "ROW", 0, "Go on after this row", 0},
        {0},
    };
    static const struct command_usage usage = {
        .arguments = "MEMBER",
        .purpose = "The entries of a member's account between two moments.",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = own,
    };
    struct command_options options;
    struct statement_request request = {.page = {.rows = ROWS_PER_PAGE_MAX}};
    command_options(argc, argv, &usage, &options);
    int code = command_member_name(options.arguments[0], &request.member);
    if (code != EXIT_CODE_OK)
        return code;
    if (!command_date(BROKER_PROGRAM, "--from", options.from, &request.from_wall_ms) ||
        !command_date(BROKER_PROGRAM, "--to", options.to, &request.until_wall_ms))
        return EXIT_CODE_USAGE;
    if (options.after != NULL && !command_number(options.after, &request.page.after)) {
        fprintf(stderr, "%s: --after: '%s' is not a row number\n", BROKER_PROGRAM, options.after);
        return EXIT_CODE_USAGE;
    }
    return command_ask(&options, &method_operator_statement, &request, print_statement);
}
