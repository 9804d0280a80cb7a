/* dispute: the member's disputes over receipts: list, open, answer, concede, withdraw. Asked of the
 * broker through the peer. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "peer/commands/commands.h"
#include "proto/show/show.h"

static void print_disputes(const void *message)
{
    const struct disputes_response *response = message;
    show_disputes(response, stdout);
    if (response->next_after != 0)
        printf("more: --after %" PRIu64 "\n", response->next_after);
}

static void print_dispute(const void *message)
{
    show_dispute(message, stdout);
}

int command_dispute_list(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"after", OPTION_AFTER, "ROW", 0, "Go on after this row", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "The disputes over receipts that this member is home or host of, oldest first.",
        .options = own,
    };
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    if (options.after != NULL && sscanf(options.after, "%18" SCNu64, &request.after) != 1) {
        fprintf(stderr, "%s: --after: '%s' is not a row number\n", PEER_PROGRAM, options.after);
        return EXIT_CODE_USAGE;
    }
    return command_ask(&options, &method_local_disputes, &request, print_disputes);
}

/* LEASE/RECEIPT, as the list shows them: "1.12.3/1". */
static bool parse_receipt(const char *text, struct dispute_request *request)
{
    char lease[LEASE_ID_TEXT_MAX];
    int used = 0;
    size_t length = strcspn(text, "/");
    if (length >= sizeof lease || text[length] != '/')
        return false;
    memcpy(lease, text, length);
    lease[length] = '\0';
    return lease_id_parse(lease, &request->lease) &&
           sscanf(text + length, "/%9" SCNu32 "%n", &request->sequence, &used) == 1 &&
           text[length + (size_t)used] == '\0' && request->sequence > 0;
}

static const struct argp_option act_options[] = {
    {"text", OPTION_TEXT, "TEXT", 0, "Why; the other member and the operator see it", 0},
    {0},
};

static const struct argp_option open_options[] = {
    {"text", OPTION_TEXT, "TEXT", 0, "Why; the other member and the operator see it", 0},
    {"seconds", OPTION_SECONDS, "SECONDS", 0, "For how long it should be paid (0)", 0},
    {0},
};

static int act(int argc, char **argv, enum dispute_action action, const char *purpose)
{
    const struct command_usage usage = {
        .arguments = "LEASE/RECEIPT",
        .purpose = purpose,
        .options = action == DISPUTE_DO_OPEN ? open_options : act_options,
        .argument_needed = true,
        .closing = "LEASE/RECEIPT: a lease and the number of its receipt, such as 1.12.3/1",
    };
    struct command_options options;
    struct dispute_request request = {.action = action};
    command_options(argc, argv, &usage, &options);
    if (!parse_receipt(options.argument, &request)) {
        fprintf(stderr, "%s: '%s' is not a lease and the number of a receipt: write 1.12.3/1\n",
                PEER_PROGRAM, options.argument);
        return EXIT_CODE_USAGE;
    }
    if (options.seconds != NULL && !command_seconds(options.seconds, &request.payable_ms)) {
        fprintf(stderr, "%s: --seconds: '%s' is not a number of seconds\n", PEER_PROGRAM,
                options.seconds);
        return EXIT_CODE_USAGE;
    }
    if (action == DISPUTE_DO_OPEN && options.text == NULL) {
        fprintf(stderr, "%s: why? Say --text TEXT\n", PEER_PROGRAM);
        return EXIT_CODE_USAGE;
    }
    request.text = options.text != NULL ? options.text : "";
    return command_ask(&options, &method_local_dispute, &request, print_dispute);
}

int command_dispute_open(int argc, char **argv)
{
    return act(argc, argv, DISPUTE_DO_OPEN,
               "As home: a receipt that you have not signed is not what you saw.");
}

int command_dispute_withdraw(int argc, char **argv)
{
    return act(argc, argv, DISPUTE_DO_WITHDRAW, "As home: the receipt may be paid after all.");
}

int command_dispute_answer(int argc, char **argv)
{
    return act(argc, argv, DISPUTE_DO_ANSWER,
               "As host: stand by your receipt, and say why; the operator rules.");
}

int command_dispute_concede(int argc, char **argv)
{
    return act(argc, argv, DISPUTE_DO_CONCEDE, "As host: accept the time that home says.");
}
