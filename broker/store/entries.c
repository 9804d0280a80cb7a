#include "broker/store/entries.h"

#include "broker/store/query.h"

enum status store_ledger_head(struct store *store, struct store_ledger_head *head,
                              struct fault *fault)
{
    static const char sql[] = "SELECT sequence, number, posted, hash FROM ledger_head";
    struct query query;
    query_begin(&query, store, sql, fault);
    if (query_row(&query)) {
        head->sequence = (uint64_t)query_number(&query);
        head->transaction = (uint64_t)query_number(&query);
        head->posted_wall_ms = query_number(&query);
        (void)query_fixed(&query, &head->hash, sizeof head->hash);
    } else {
        query_fail(&query, STATUS_CORRUPT, "the ledger has no head: restore it from a backup");
    }
    return query_end(&query);
}

enum status store_ledger_head_put(struct store *store, const struct store_ledger_head *head,
                                  struct fault *fault)
{
    static const char sql[] =
        "UPDATE ledger_head SET sequence = ?, number = ?, posted = ?, hash = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)head->sequence);
    query_put_number(&query, (int64_t)head->transaction);
    query_put_number(&query, head->posted_wall_ms);
    query_put_digest(&query, &head->hash);
    return query_end_found(&query, "ledger", "head");
}

enum status store_balance(struct store *store, const char *account, struct credits *balance,
                          struct fault *fault)
{
    static const char sql[] = "SELECT balance FROM accounts WHERE account = ?";
    struct query query;
    balance->micros = 0;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, account);
    if (query_row(&query))
        balance->micros = query_number(&query);
    return query_end(&query);
}

enum status store_transaction_add(struct store *store, const struct store_transaction *transaction,
                                  struct fault *fault)
{
    static const char sql[] = "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)transaction->transaction);
    query_put_number(&query, transaction->posted_wall_ms);
    query_put_text(&query, transaction->kind);
    query_put_text(&query, transaction->reference);
    query_put_number(&query, (int64_t)transaction->first);
    query_put_number(&query, transaction->entries);
    if (transaction->reverses != 0)
        query_put_number(&query, (int64_t)transaction->reverses);
    else
        query_put_null(&query);
    enum status status = query_end(&query);
    if (status == STATUS_EXISTS)
        return fault_set(fault, STATUS_EXISTS, "transaction %llu is reversed already",
                         (unsigned long long)transaction->reverses);
    return status;
}

static enum status balance_put(struct store *store, const struct store_entry *entry,
                               struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO accounts VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET balance = ?2";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_text(&query, entry->account);
    query_put_number(&query, entry->balance.micros);
    return query_end(&query);
}

enum status store_transaction_by_reference(struct store *store, const char *kind,
                                           const char *reference, uint64_t *number,
                                           struct fault *fault)
{
    static const char sql[] = "SELECT number FROM transactions WHERE reference = ? AND kind = ?"
                              " ORDER BY number DESC LIMIT 1";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, reference);
    query_put_text(&query, kind);
    if (query_row(&query))
        *number = (uint64_t)query_number(&query);
    else
        query_fail(&query, STATUS_NOT_FOUND, "there is no such ledger transaction");
    return query_end(&query);
}

enum status store_entry_add(struct store *store, const struct store_entry *entry,
                            struct fault *fault)
{
    static const char sql[] = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)entry->sequence);
    query_put_number(&query, (int64_t)entry->transaction);
    query_put_text(&query, entry->account);
    query_put_number(&query, entry->amount.micros);
    query_put_number(&query, entry->balance.micros);
    query_put_digest(&query, &entry->hash);
    enum status status = query_end(&query);
    return status == STATUS_OK ? balance_put(store, entry, fault) : status;
}

enum status store_transaction_find(struct store *store, uint64_t number, struct arena *arena,
                                   struct store_transaction *found, struct fault *fault)
{
    static const char sql[] = "SELECT posted, kind, reference, first, entries,"
                              " coalesce(reverses, 0) FROM transactions WHERE number = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, number > INT64_MAX ? 0 : (int64_t)number);
    if (query_row(&query)) {
        found->transaction = number;
        found->posted_wall_ms = query_number(&query);
        found->kind = query_arena_text(&query, arena);
        found->reference = query_arena_text(&query, arena);
        found->first = (uint64_t)query_number(&query);
        found->entries = (uint32_t)query_number(&query);
        found->reverses = (uint64_t)query_number(&query);
    } else if (query.status == STATUS_OK) {
        query.status = fault_set(fault, STATUS_NOT_FOUND, "there is no ledger transaction %llu",
                                 (unsigned long long)number);
    }
    return query_end(&query);
}

/* --- listing */

/* Posting times never go backwards, so a span of time is a span of sequences. */
static enum status first_posted_from(struct store *store, int64_t wall_ms, int64_t *sequence,
                                     struct fault *fault)
{
    static const char sql[] = "SELECT first FROM transactions WHERE posted >= ?"
                              " ORDER BY posted, number LIMIT 1";
    struct query query;
    *sequence = INT64_MAX;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, wall_ms);
    if (query_row(&query))
        *sequence = query_number(&query);
    return query_end(&query);
}

static void entry_read(struct query *query, struct arena *arena, struct store_listed_entry *listed)
{
    struct ledger_entry *entry = &listed->entry;
    entry->sequence = (uint64_t)query_number(query);
    entry->transaction = (uint64_t)query_number(query);
    entry->posted_wall_ms = query_number(query);
    entry->account = query_arena_text(query, arena);
    entry->amount.micros = query_number(query);
    entry->kind = query_arena_text(query, arena);
    entry->reference = query_arena_text(query, arena);
    (void)query_fixed(query, &entry->hash, sizeof entry->hash);
    listed->balance.micros = query_number(query);
    listed->transaction_first = (uint64_t)query_number(query);
    listed->transaction_entries = (uint32_t)query_number(query);
}

#define ENTRY_COLUMNS                                                                              \
    "e.sequence, e.number, t.posted, e.account, e.amount, t.kind, t.reference, e.hash, e.balance," \
    " t.first, t.entries"
#define ENTRY_TABLES " FROM entries e LEFT JOIN transactions t ON t.number = e.number"

enum status store_entry_list(struct store *store, const struct store_entry_filter *filter,
                             struct arena *arena, struct store_listed_entry **entries,
                             uint32_t *count, struct fault *fault)
{
    static const char sql_all[] =
        "SELECT " ENTRY_COLUMNS ENTRY_TABLES " WHERE e.sequence >= ? AND e.sequence < ?"
        " ORDER BY e.sequence LIMIT ?";
    static const char sql_account[] = "SELECT " ENTRY_COLUMNS ENTRY_TABLES
                                      " WHERE e.account = ? AND e.sequence >= ? AND e.sequence < ?"
                                      " ORDER BY e.sequence LIMIT ?";
    int64_t from = 0;
    int64_t until = INT64_MAX;
    enum status status = STATUS_OK;
    if (filter->from_wall_ms != 0)
        status = first_posted_from(store, filter->from_wall_ms, &from, fault);
    if (status == STATUS_OK && filter->until_wall_ms != 0)
        status = first_posted_from(store, filter->until_wall_ms, &until, fault);
    if (status != STATUS_OK)
        return status;
    if (filter->after >= (uint64_t)from)
        from = filter->after >= INT64_MAX ? INT64_MAX : (int64_t)filter->after + 1;
    bool all = filter->account[0] == '\0';
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, all ? sql_all : sql_account, fault);
    if (!all)
        query_put_text(&query, filter->account);
    query_put_number(&query, from);
    query_put_number(&query, until);
    query_put_number(&query, filter->rows);
    while (query_row(&query)) {
        struct store_listed_entry *entry = grown_push(&grown, arena, sizeof *entry);
        if (entry == NULL)
            query.status = query_arena_full(fault);
        else
            entry_read(&query, arena, entry);
    }
    *entries = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_balance_before(struct store *store, const char *account, int64_t before_wall_ms,
                                 struct credits *balance, struct fault *fault)
{
    static const char sql[] = "SELECT balance FROM entries WHERE account = ? AND sequence < ?"
                              " ORDER BY sequence DESC LIMIT 1";
    int64_t until = INT64_MAX;
    enum status status = first_posted_from(store, before_wall_ms, &until, fault);
    if (status != STATUS_OK)
        return status;
    struct query query;
    balance->micros = 0;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, account);
    query_put_number(&query, until);
    if (query_row(&query))
        balance->micros = query_number(&query);
    return query_end(&query);
}

enum status store_account_list(struct store *store, struct arena *arena,
                               struct store_account **accounts, uint32_t *count,
                               struct fault *fault)
{
    static const char sql[] = "SELECT a.account, a.balance,"
                              " CASE WHEN a.account >= 'escrow/' AND a.account < 'escrow0' THEN"
                              "  (SELECT coalesce(sum(escrowed), 0) FROM leases l"
                              "   WHERE l.home = substr(a.account, 8) AND l.state < 5) +"
                              "  (SELECT coalesce(sum(escrowed), 0) FROM side_parts p"
                              "   WHERE p.account = 'member/' || substr(a.account, 8)"
                              "   AND p.escrowed > 0) ELSE 0 END"
                              " FROM accounts a ORDER BY a.account";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    while (query_row(&query)) {
        struct store_account *account = grown_push(&grown, arena, sizeof *account);
        if (account == NULL) {
            query.status = query_arena_full(fault);
            break;
        }
        query_text(&query, account->account, sizeof account->account);
        account->balance.micros = query_number(&query);
        account->lease_escrow.micros = query_number(&query);
    }
    *accounts = grown.items;
    *count = grown.count;
    return query_end(&query);
}
