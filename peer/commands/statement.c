/*
 * statement: this member's account at the broker, all pages of it as one.
 *
 * An entry that is posted while we read may be on the last page already; the closing balance is
 * that page's, so that opening balance, entries and closing balance always fit together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/commands/commands.h"
#include "proto/show/show.h"
#include "proto/wire/json.h"

enum { PAGES_MAX = 1000, PAGE_BYTES_MAX = 4 * ARENA_MESSAGE_BYTES };

static const struct argp_option own[] = {
    {"from", OPTION_FROM, "DATE", 0, "From this moment (UTC)", 0},
    {"to", OPTION_TO, "DATE", 0, "To this moment (UTC), without it", 0},
    {0},
};
static const struct command_usage usage = {
    .purpose = "The entries of this member's account between two moments. Asked of the broker. A "
               "DATE is 2026-11-23 or 2026-11-23T04:05:06Z.",
    .options = own,
    .closing = "Example: entente-peer statement --from 2026-11-01 --to 2026-12-01",
};

/* Pages are kept, each in an arena of its own, so that one message can show them all. */
struct pages {
    struct arena arenas[PAGES_MAX];
    uint32_t count;
    struct ledger_entry *entries; /* malloc */
    struct statement_response whole;
};

static enum status add_page(struct pages *pages, const struct statement_response *page,
                            struct fault *fault)
{
    struct statement_response *whole = &pages->whole;
    struct credits opening = pages->count == 1 ? page->opening : whole->opening;
    size_t count = (size_t)whole->entry_count + page->entry_count;
    struct ledger_entry *entries = realloc(pages->entries, (count + 1) * sizeof *entries);
    if (entries == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the statement");
    if (page->entry_count > 0)
        memcpy(entries + whole->entry_count, page->entries, page->entry_count * sizeof *entries);
    *whole = *page;
    whole->opening = opening;
    whole->entries = pages->entries = entries;
    whole->entry_count = (uint32_t)count;
    return STATUS_OK;
}

static enum status read_pages(const struct command_options *options,
                              struct statement_request *request, struct pages *pages,
                              struct fault *fault)
{
    enum status status = STATUS_OK;
    do {
        if (pages->count == PAGES_MAX)
            return fault_set(fault, STATUS_EXHAUSTED,
                             "the statement has over %d entries; narrow it with --from and --to",
                             PAGES_MAX * ROWS_PER_PAGE_MAX);
        void *page = NULL;
        struct arena *arena = &pages->arenas[pages->count++];
        arena_init(arena, PAGE_BYTES_MAX);
        status = command_call(options, &method_local_statement, request, arena, &page, fault);
        if (status == STATUS_OK)
            status = add_page(pages, page, fault);
        request->page.after = pages->whole.next_after;
    } while (status == STATUS_OK && pages->whole.next_after != 0);
    return status;
}

static void free_pages(struct pages *pages)
{
    for (uint32_t p = 0; p < pages->count; p++)
        arena_fini(&pages->arenas[p]);
    free(pages->entries);
    free(pages);
}

int command_statement(int argc, char **argv)
{
    struct command_options options;
    struct fault fault = {0};
    struct statement_request request = {.page = {.rows = ROWS_PER_PAGE_MAX}};
    command_options(argc, argv, &usage, &options);
    if (!command_date(PEER_PROGRAM, "--from", options.from, &request.from_wall_ms) ||
        !command_date(PEER_PROGRAM, "--to", options.to, &request.until_wall_ms))
        return EXIT_CODE_USAGE;
    if (request.until_wall_ms != 0 && request.until_wall_ms < request.from_wall_ms) {
        fprintf(stderr, "%s: --from %s is after --to %s\n", PEER_PROGRAM, options.from, options.to);
        return EXIT_CODE_USAGE;
    }
    struct pages *pages = calloc(1, sizeof *pages);
    enum status status = pages != NULL ? read_pages(&options, &request, pages, &fault)
                                       : fault_set(&fault, STATUS_NO_MEMORY, "no memory");
    if (status == STATUS_OK && options.json)
        wire_print_json(method_local_statement.response, &pages->whole, stdout);
    else if (status == STATUS_OK)
        show_statement(&pages->whole, stdout);
    if (pages != NULL)
        free_pages(pages);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}
