/* dispute list, show, rule. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/commands/commands.h"
#include "proto/show/show.h"
#include "proto/wire/json.h"

/* --- list */

static void print_disputes(const void *message)
{
    const struct disputes_response *response = message;
    show_disputes(response, stdout);
    if (response->next_after != 0)
        printf("more: --after %" PRIu64 "\n", response->next_after);
}

static int bad_number(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s: '%s' is not a number\n", BROKER_PROGRAM, what, text);
    return EXIT_CODE_USAGE;
}

int command_dispute_list(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"after", OPTION_AFTER, "ROW", 0, "Go on after this row", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Lists the disputes over receipts, oldest first.", .options = own};
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    if (options.after != NULL && !command_number(options.after, &request.after))
        return bad_number("--after", options.after);
    return command_ask(&options, &method_operator_disputes, &request, print_disputes);
}

/* --- show */

static void print_dispute(const void *message)
{
    show_dispute(message, stdout);
}

static bool parse_receipt(const struct command_options *options, struct dispute_request *request)
{
    uint64_t sequence = 0;
    if (!lease_id_parse(options->arguments[0], &request->lease) ||
        !command_number(options->arguments[1], &sequence) || sequence == 0 ||
        sequence > UINT32_MAX) {
        fprintf(stderr, "%s: '%s %s' is not a lease and the number of a receipt: write 1.12.3 1\n",
                BROKER_PROGRAM, options->arguments[0], options->arguments[1]);
        return false;
    }
    request->sequence = (uint32_t)sequence;
    return true;
}

static enum status find(const struct command_options *options, const struct dispute_request *wanted,
                        struct arena *arena, const struct dispute_row **found, struct fault *fault)
{
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    do {
        void *page = NULL;
        enum status status =
            command_call(options, &method_operator_disputes, &request, arena, &page, fault);
        if (status != STATUS_OK)
            return status;
        const struct disputes_response *response = page;
        for (uint32_t i = 0; i < response->dispute_count; i++)
            if (lease_id_equal(response->disputes[i].lease, wanted->lease) &&
                response->disputes[i].sequence == wanted->sequence) {
                *found = &response->disputes[i];
                return STATUS_OK;
            }
        request.after = response->next_after;
    } while (request.after != 0);
    return fault_set(fault, STATUS_NOT_FOUND, "there is no dispute over this receipt");
}

int command_dispute_show(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "LEASE RECEIPT",
        .purpose = "One dispute: what home, host and operator said, and what comes next.",
        .arguments_min = 2,
        .arguments_max = 2,
    };
    struct command_options options;
    struct dispute_request wanted = {.text = ""};
    struct arena arena;
    struct fault fault = {0};
    const struct dispute_row *row = NULL;
    command_options(argc, argv, &usage, &options);
    if (!parse_receipt(&options, &wanted))
        return EXIT_CODE_USAGE;
    arena_init(&arena, 16 * (size_t)ARENA_MESSAGE_BYTES);
    enum status status = find(&options, &wanted, &arena, &row, &fault);
    if (status == STATUS_OK && options.json)
        wire_print_json(method_dispute_rule.response, row, stdout);
    else if (status == STATUS_OK)
        show_dispute(row, stdout);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}

/* --- rule */

int command_dispute_rule(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"reference", OPTION_REFERENCE, "TEXT", 0, "Why; both members see it", 0},
        {0},
    };
    static const struct command_usage usage = {
        .arguments = "LEASE RECEIPT SECONDS",
        .purpose = "Rules for how many seconds the receipt is paid. What was posted before is "
                   "reversed and posted anew. Final.",
        .arguments_min = 3,
        .arguments_max = 3,
        .options = own,
    };
    struct command_options options;
    struct dispute_request request = {.action = DISPUTE_DO_RULE};
    command_options(argc, argv, &usage, &options);
    if (!parse_receipt(&options, &request))
        return EXIT_CODE_USAGE;
    if (!command_seconds(options.arguments[2], &request.payable_ms))
        return bad_number("SECONDS", options.arguments[2]);
    if (options.reference == NULL) {
        fprintf(stderr, "%s: why? Say --reference TEXT: both members see it\n", BROKER_PROGRAM);
        return EXIT_CODE_USAGE;
    }
    request.text = options.reference;
    return command_ask(&options, &method_dispute_rule, &request, print_dispute);
}
