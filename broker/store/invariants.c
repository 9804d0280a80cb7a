/*
 * Invariants: what store_commit() checks again after those who made it. [DESIGN §8.1, §8.2]
 *
 * Each is one query that finds a counterexample. Cost: the ledger's over this transaction's own
 * entries; the GPUs' over the leases that came to hold some in it, over all where those are many.
 */
#include "broker/store/query.h"

static const char sql_head[] = "SELECT sequence, number FROM ledger_head";

static const char sql_unbalanced[] =
    "SELECT number FROM entries e WHERE sequence > ?1 GROUP BY number"
    " HAVING sum(amount) <> 0"
    " OR count(*) IS NOT (SELECT entries FROM transactions t WHERE t.number = e.number) LIMIT 1";

static const char sql_without_entries[] =
    "SELECT number FROM transactions t WHERE number > ?1"
    " AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.sequence = t.first AND e.number = t.number)"
    " LIMIT 1";

static const char sql_escrow_below_zero[] =
    "SELECT account FROM accounts WHERE balance < 0 AND account >= 'escrow/'"
    " AND account < 'escrow0' LIMIT 1";

#define LEASED_TWICE                                                                               \
    "SELECT a.host || '/' || a.gpu || ' node ' || a.node || ' by rows ' || a.lease || ' and '"     \
    " || b.lease FROM lease_gpus a JOIN lease_gpus b"                                              \
    " ON b.host = a.host AND b.gpu = a.gpu AND b.node = a.node"                                    \
    " WHERE a.held = 1 AND b.held = 1 AND (a.mask & b.mask) <> 0 AND a.chain <> b.chain"

static const char sql_leased_twice[] = LEASED_TWICE " AND b.lease > a.lease LIMIT 1";
static const char sql_lease_twice[] = LEASED_TWICE " AND a.lease = ?1 LIMIT 1";

/* One invariant: a query that finds nothing, unless it is broken. */
struct invariant {
    const char *sql;
    const char *broken; /* what the found value then is */
};

static const struct invariant ledger_sums = {
    sql_unbalanced, "the entries of this ledger transaction do not sum to zero, or some lack"};
static const struct invariant ledger_whole = {sql_without_entries,
                                              "this ledger transaction has no entries"};
static const struct invariant escrow_covered = {sql_escrow_below_zero,
                                                "this escrow account is below zero"};
static const struct invariant gpus_leased_once = {sql_leased_twice, "these GPUs are leased twice"};
static const struct invariant gpus_of_lease = {sql_lease_twice, "these GPUs are leased twice"};

enum status invariants_begin(struct store *store, struct fault *fault)
{
    store->touched_count = 0;
    struct query query;
    query_begin(&query, store, sql_head, fault);
    if (query_row(&query)) {
        store->entries_before = query_number(&query);
        store->transactions_before = query_number(&query);
    }
    return query_end(&query);
}

static enum status holds(struct store *store, const struct invariant *invariant,
                         const int64_t *parameter, struct fault *fault)
{
    struct query query;
    char found[FAULT_TEXT_MAX / 2] = "";
    query_begin(&query, store, invariant->sql, fault);
    if (parameter != NULL)
        query_put_number(&query, *parameter);
    bool broken = query_row(&query);
    if (broken)
        query_text(&query, found, sizeof found);
    enum status status = query_end(&query);
    if (status != STATUS_OK || !broken)
        return status;
    return fault_set(fault, STATUS_INTERNAL,
                     "an invariant is broken, nothing was committed: %s: %s", invariant->broken,
                     found);
}

void invariants_touch(struct store *store, uint64_t lease_row)
{
    if (store->touched_count < LEASES_TOUCHED_MAX)
        store->touched[store->touched_count] = lease_row;
    if (store->touched_count <= LEASES_TOUCHED_MAX)
        store->touched_count++;
}

static enum status leased_once(struct store *store, struct fault *fault)
{
    if (store->touched_count > LEASES_TOUCHED_MAX)
        return holds(store, &gpus_leased_once, NULL, fault);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < store->touched_count && status == STATUS_OK; i++) {
        int64_t row = (int64_t)store->touched[i];
        status = holds(store, &gpus_of_lease, &row, fault);
    }
    return status;
}

enum status invariants_check(struct store *store, struct fault *fault)
{
    enum status status = holds(store, &ledger_sums, &store->entries_before, fault);
    if (status == STATUS_OK)
        status = holds(store, &ledger_whole, &store->transactions_before, fault);
    if (status == STATUS_OK)
        status = holds(store, &escrow_covered, NULL, fault);
    return status == STATUS_OK ? leased_once(store, fault) : status;
}
