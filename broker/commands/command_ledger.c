/* ledger verify, ledger export, statement. The first two read the store's file, so that they work
 * while the broker is down. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/authority.h"
#include "broker/commands/commands.h"
#include "broker/money/export.h"
#include "broker/money/ledger.h"
#include "broker/money/ledger_heads.h"
#include "proto/identity/identity.h"
#include "proto/show/show.h"
#include "proto/wire/head_text.h"
#include "proto/wire/json.h"

/* --- ledger verify */

enum { HEADS_MAX = 10000, HEADS_FILE_BYTES_MAX = 8 * 1024 * 1024 };

struct head_list {
    struct store_head *heads;
    uint32_t count;
};

static enum status read_head(const char *line, const struct signing_key *key, struct arena *arena,
                             struct store_head *head, struct fault *fault)
{
    void *decoded = NULL;
    enum status status = head_text_parse(line, arena, &head->signed_head, fault);
    if (status == STATUS_OK)
        status = signing_verify(key, SIGN_LEDGER_HEAD, head->signed_head.body,
                                &head->signed_head.signature, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_ledger_head, head->signed_head.body, arena, &decoded, fault);
    if (status != STATUS_OK)
        return status;
    head->head = *(const struct ledger_head *)decoded;
    return name_parse(&head->member, "member", "of-the-file", fault);
}

/* The heads in a file, one a line; '#' begins a comment. Each must be of this broker's key. */
static enum status read_heads(const char *path, const struct signing_key *key, struct arena *arena,
                              struct head_list *list, struct fault *fault)
{
    struct bytes text;
    enum status status = file_read(path, HEADS_FILE_BYTES_MAX, arena, &text, fault);
    if (status != STATUS_OK)
        return status;
    char *copy = arena_copy(arena, text.data, text.size + 1);
    char *rest = NULL;
    uint32_t number = 0;
    if (copy == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %s", path);
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL && status == STATUS_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        number++;
        if (line[0] != '#' && list->count == HEADS_MAX)
            return fault_set(fault, STATUS_EXHAUSTED, "%s: over %d heads", path, HEADS_MAX);
        if (line[0] != '#')
            status = read_head(line, key, arena, &list->heads[list->count++], fault);
    }
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s:%u", path, number);
}

static enum status compare_heads(const struct command_options *options, struct store *store,
                                 struct arena *arena, struct ledger_verify_response *result,
                                 struct fault *fault)
{
    struct broker_config *config = arena_alloc(arena, 1, sizeof *config);
    struct authority *authority = arena_alloc(arena, 1, sizeof *authority);
    struct head_list list = {.heads = arena_alloc(arena, HEADS_MAX, sizeof *list.heads)};
    struct signing_key key;
    if (options->head_count == 0)
        return STATUS_OK;
    if (config == NULL || authority == NULL || list.heads == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory");
    enum status status = command_config(options, arena, config, fault);
    if (status == STATUS_OK)
        status = authority_load(config, authority, fault);
    if (status == STATUS_OK)
        status = signing_public(&authority->lease_secret, &key, fault);
    for (uint32_t i = 0; i < options->head_count && status == STATUS_OK; i++)
        status = read_heads(options->heads[i], &key, arena, &list, fault);
    authority_wipe(authority);
    return status == STATUS_OK
               ? ledger_heads_compare(store, list.heads, list.count, arena, result, fault)
               : status;
}

static int print_verdict(const struct command_options *options,
                         const struct ledger_verify_response *result)
{
    char head[DIGEST_TEXT_MAX];
    if (options->json)
        wire_print_json(method_ledger_verify.response, result, stdout);
    else if (result->verified)
        printf("ledger verified: %" PRIu64 " entries in %" PRIu64
               " transactions, balances sum to zero, head %s; %u heads of members compared\n",
               result->entries, result->transactions, digest_format(&result->head, head),
               result->heads);
    else
        printf("ledger NOT verified: %s\n", result->problem);
    if (!options->json && result->entries_lost > 0)
        printf("%" PRIu64 " entries that members saw were lost with a restore from a backup\n",
               result->entries_lost);
    return result->verified ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

int command_ledger_verify(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"heads", OPTION_HEADS, "FILE", 0,
         "Compare with the signed heads that a member exported (entente-peer ledger-head); may be "
         "repeated",
         0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Recomputes every entry, hash and balance from the store's file, and compares "
                   "with the heads that members reported. Exit code 1 where something does not "
                   "hold.",
        .options = own,
    };
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
    if (status == STATUS_OK)
        status = compare_heads(&options, store, &arena, &result, &fault);
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
