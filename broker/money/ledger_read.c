/*
 * Ledger: balances, heads, pages, statements.
 */
#include "broker/money/ledger.h"

#include "broker/store/members.h"

enum status ledger_balance(struct store *store, const struct ledger_account *account,
                           struct credits *balance, struct fault *fault)
{
    char text[ACCOUNT_TEXT_MAX];
    return store_balance(store, ledger_account_format(account, text), balance, fault);
}

enum status ledger_position(struct store *store, const struct name *member,
                            struct ledger_position *position, struct fault *fault)
{
    const struct ledger_account own = {ACCOUNT_MEMBER, *member};
    const struct ledger_account escrow = {ACCOUNT_ESCROW, *member};
    struct store_member found;
    *position = (struct ledger_position){0};
    enum status status = store_member_find(store, member, &found, fault);
    if (status == STATUS_OK)
        status = ledger_balance(store, &own, &position->balance, fault);
    if (status == STATUS_OK)
        status = ledger_balance(store, &escrow, &position->escrow, fault);
    if (status != STATUS_OK)
        return status;
    position->credit_limit = found.credit_limit;
    if (!credits_add(position->balance, found.credit_limit, &position->funds))
        position->funds.micros = INT64_MAX;
    if (position->funds.micros < 0)
        position->funds.micros = 0;
    return STATUS_OK;
}

enum status ledger_head(struct store *store, uint64_t *sequence, struct digest *hash,
                        struct fault *fault)
{
    struct store_ledger_head head;
    enum status status = store_ledger_head(store, &head, fault);
    if (status != STATUS_OK)
        return status;
    *sequence = head.sequence;
    *hash = head.hash;
    return STATUS_OK;
}

enum status ledger_hash_at(struct store *store, uint64_t sequence, struct digest *hash,
                           struct fault *fault)
{
    *hash = (struct digest){{0}};
    if (sequence == 0)
        return STATUS_OK;
    struct arena arena;
    struct store_listed_entry *entries = NULL;
    uint32_t count = 0;
    const struct store_entry_filter filter = {.account = "", .after = sequence - 1, .rows = 1};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_entry_list(store, &filter, &arena, &entries, &count, fault);
    if (status == STATUS_OK && count == 1)
        *hash = entries[0].entry.hash;
    else if (status == STATUS_OK)
        status = fault_set(fault, STATUS_NOT_FOUND,
                           "this ledger has no entry %llu: it was truncated or restored from a "
                           "backup",
                           (unsigned long long)sequence);
    arena_fini(&arena);
    return status;
}

/* --- pages */

static enum status page_read(struct store *store, const struct store_entry_filter *filter,
                             struct arena *arena, struct ledger_page_response *page,
                             struct fault *fault)
{
    struct store_listed_entry *listed = NULL;
    uint32_t count = 0;
    enum status status = store_entry_list(store, filter, arena, &listed, &count, fault);
    if (status != STATUS_OK)
        return status;
    page->entries = arena_alloc(arena, count, sizeof *page->entries);
    if (page->entries == NULL)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "the page is larger than its memory: ask for fewer rows");
    for (uint32_t i = 0; i < count; i++)
        page->entries[i] = listed[i].entry;
    page->entry_count = count;
    page->next_after = count == filter->rows && count > 0 ? listed[count - 1].entry.sequence : 0;
    return STATUS_OK;
}

static uint32_t rows_bounded(uint32_t rows)
{
    return rows == 0 || rows > ROWS_PER_PAGE_MAX ? ROWS_PER_PAGE_MAX : rows;
}

enum status ledger_page(struct store *store, uint64_t after, uint32_t rows, struct arena *arena,
                        struct ledger_page_response *page, struct fault *fault)
{
    const struct store_entry_filter filter = {
        .account = "", .after = after, .rows = rows_bounded(rows)};
    return page_read(store, &filter, arena, page, fault);
}

enum status ledger_statement(struct store *store, const struct statement_request *request,
                             struct arena *arena, struct statement_response *statement,
                             struct fault *fault)
{
    const struct ledger_account own = {ACCOUNT_MEMBER, request->member};
    struct ledger_position position;
    struct ledger_page_response page;
    char account[ACCOUNT_TEXT_MAX];
    ledger_account_format(&own, account);
    const struct store_entry_filter filter = {.account = account,
                                              .from_wall_ms = request->from_wall_ms,
                                              .until_wall_ms = request->until_wall_ms,
                                              .after = request->page.after,
                                              .rows = rows_bounded(request->page.rows)};
    *statement = (struct statement_response){.member = request->member};
    enum status status = ledger_position(store, &request->member, &position, fault);
    if (status == STATUS_OK)
        status =
            store_balance_before(store, account, request->from_wall_ms, &statement->opening, fault);
    if (status == STATUS_OK && request->until_wall_ms != 0)
        status = store_balance_before(store, account, request->until_wall_ms, &statement->closing,
                                      fault);
    if (status == STATUS_OK)
        status = page_read(store, &filter, arena, &page, fault);
    if (status != STATUS_OK)
        return status;
    if (request->until_wall_ms == 0)
        statement->closing = position.balance;
    statement->escrow = position.escrow;
    statement->entries = page.entries;
    statement->entry_count = page.entry_count;
    statement->next_after = page.next_after;
    return STATUS_OK;
}
