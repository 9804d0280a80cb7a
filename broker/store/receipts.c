#include "broker/store/leases.h"
#include "broker/store/query.h"

enum status store_receipt_find(struct store *store, uint64_t lease_row, uint32_t sequence,
                               struct arena *arena, struct store_receipt *receipt,
                               struct fault *fault)
{
    static const char sql[] =
        "SELECT body, host_signature, home_signature, first_seen, settled, amount, reason"
        " FROM receipts WHERE lease = ? AND sequence = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease_row);
    query_put_number(&query, sequence);
    if (query_row(&query)) {
        *receipt = (struct store_receipt){.lease_row = lease_row, .sequence = sequence};
        struct signed_receipt *it = &receipt->receipt;
        it->body = query_bytes(&query, arena);
        (void)query_fixed(&query, &it->host_signature, sizeof it->host_signature);
        it->home_signed = query_fixed(&query, &it->home_signature, sizeof it->home_signature);
        receipt->first_seen_wall_ms = query_number(&query);
        receipt->settled = query_number(&query) != 0;
        receipt->amount.micros = query_number(&query);
        query_text(&query, receipt->reason, sizeof receipt->reason);
    } else {
        query_fail(&query, STATUS_NOT_FOUND, "there is no such receipt");
    }
    return query_end(&query);
}

enum status store_receipt_put(struct store *store, const struct store_receipt *receipt,
                              struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO receipts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (lease, sequence) DO UPDATE SET body = ?3, host_signature = ?4,"
        " home_signature = ?5, settled = ?7, amount = ?8, reason = ?9 WHERE settled = 0";
    const struct signed_receipt *it = &receipt->receipt;
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)receipt->lease_row);
    query_put_number(&query, receipt->sequence);
    query_put_bytes(&query, it->body);
    query_put_bytes(&query, (struct bytes){it->host_signature.bytes, SIGNATURE_BYTES});
    if (it->home_signed)
        query_put_bytes(&query, (struct bytes){it->home_signature.bytes, SIGNATURE_BYTES});
    else
        query_put_null(&query);
    query_put_number(&query, receipt->first_seen_wall_ms);
    query_put_number(&query, receipt->settled);
    query_put_number(&query, receipt->amount.micros);
    query_put_text(&query, receipt->reason);
    enum status status = query_end(&query);
    if (status == STATUS_OK && sqlite3_changes(store->database) == 0)
        return fault_set(fault, STATUS_EXISTS, "receipt %u of this lease is settled already",
                         (unsigned)receipt->sequence);
    return status;
}

enum status store_receipt_correct(struct store *store, uint64_t lease_row, uint32_t sequence,
                                  struct credits amount, const char *reason, struct fault *fault)
{
    static const char sql[] =
        "UPDATE receipts SET amount = ?, reason = ? WHERE lease = ? AND sequence = ? AND settled";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, amount.micros);
    query_put_text(&query, reason);
    query_put_number(&query, (int64_t)lease_row);
    query_put_number(&query, sequence);
    return query_end_found(&query, "settled receipt", "of this lease");
}
