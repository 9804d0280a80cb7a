/* Reports and receipts: kept until the broker said that it has them. */
#include "peer/spool/sql.h"

#include <string.h>

#define RECEIPT_COLUMNS                                                                            \
    "lease,sequence,body,host_signature,home_signature,home_signed,state,made_wall_ms,"            \
    "made_boot_ms"

enum status spool_report_put(struct spool *spool, const struct lease_report *report,
                             struct fault *fault)
{
    spool->no_reports = false;
    struct sql sql = sql_prepare(spool, "INSERT OR REPLACE INTO reports(lease,kind,text,examples,"
                                        "rate) VALUES(?,?,?,?,?)");
    sql_bind_lease(&sql, report->lease);
    sql_bind_number(&sql, report->kind);
    sql_bind_text(&sql, report->text);
    sql_bind_unsigned(&sql, report->examples);
    sql_bind_real(&sql, report->examples_per_second);
    return sql_run(&sql, fault);
}

enum status spool_report_delete(struct spool *spool, struct lease_id lease,
                                enum lease_report_kind kind, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "DELETE FROM reports WHERE lease=? AND kind=?");
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, kind);
    return sql_run(&sql, fault);
}

static void read_report(struct sql *sql, struct arena *arena, struct lease_report *report)
{
    report->lease = sql_lease(sql);
    report->kind = (enum lease_report_kind)sql_choice(sql, LEASE_REPORT_KIND_COUNT);
    struct bytes text = sql_bytes(sql);
    report->text = arena_copy_text(arena, text.size > 0 ? (const char *)text.data : "", text.size);
    report->examples = sql_unsigned(sql);
    report->examples_per_second = sql_real(sql);
    if (report->text == NULL)
        sql->failed = true;
}

enum status spool_reports(struct spool *spool, uint32_t limit, struct arena *arena,
                          struct lease_report **reports, uint32_t *count, struct fault *fault)
{
    *count = 0;
    *reports = NULL;
    if (spool->no_reports)
        return STATUS_OK;
    *reports = arena_alloc(arena, limit, sizeof **reports);
    if (*reports == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u reports", limit);
    struct sql sql = sql_prepare(
        spool, "SELECT lease,kind,text,examples,rate FROM reports ORDER BY number LIMIT ?");
    sql_bind_number(&sql, limit);
    while (*count < limit && sql_step(&sql))
        read_report(&sql, arena, &(*reports)[(*count)++]);
    spool->no_reports = !sql.failed && *count == 0 && limit > 0;
    return sql_close(&sql, fault);
}

enum status spool_receipt_put(struct spool *spool, const struct spool_receipt *receipt,
                              struct fault *fault)
{
    memset(spool->no_receipts, 0, sizeof spool->no_receipts);
    struct sql sql = sql_prepare(
        spool, "INSERT INTO receipts(lease,sequence,body,host_signature,home_signature,home_signed,"
               "state,made_wall_ms,made_boot_ms) VALUES(?,?,?,?,?,?,?,?,?)"
               " ON CONFLICT(lease,sequence) DO UPDATE SET home_signature=excluded.home_signature,"
               " home_signed=excluded.home_signed, state=excluded.state");
    const struct signed_receipt *signed_receipt = &receipt->receipt;
    sql_bind_lease(&sql, receipt->lease);
    sql_bind_number(&sql, receipt->sequence);
    sql_bind_bytes(&sql, signed_receipt->body);
    sql_bind_bytes(&sql, (struct bytes){signed_receipt->host_signature.bytes, SIGNATURE_BYTES});
    sql_bind_bytes(&sql, (struct bytes){signed_receipt->home_signature.bytes, SIGNATURE_BYTES});
    sql_bind_number(&sql, signed_receipt->home_signed);
    sql_bind_number(&sql, receipt->state);
    sql_bind_number(&sql, receipt->made_wall_ms);
    sql_bind_number(&sql, receipt->made_boot_ms);
    return sql_run(&sql, fault);
}

enum status spool_receipt_taken(struct spool *spool, struct lease_id lease, uint32_t sequence,
                                struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "UPDATE receipts SET state=? WHERE lease=? AND sequence=?");
    sql_bind_number(&sql, RECEIPT_TAKEN);
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, sequence);
    return sql_run(&sql, fault);
}

enum status spool_receipts_forget(struct spool *spool, int64_t before_wall_ms, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "DELETE FROM receipts WHERE state=? AND made_wall_ms<?");
    sql_bind_number(&sql, RECEIPT_TAKEN);
    sql_bind_number(&sql, before_wall_ms);
    return sql_run(&sql, fault);
}

enum status spool_receipts_again(struct spool *spool, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "UPDATE receipts SET state=? WHERE state IN (?,?)");
    sql_bind_number(&sql, RECEIPT_READY);
    sql_bind_number(&sql, RECEIPT_TAKEN);
    sql_bind_number(&sql, RECEIPT_REFUSED);
    return sql_run(&sql, fault);
}

enum status spool_receipts_ready(struct spool *spool, bool *ready, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT 1 FROM receipts WHERE state=? LIMIT 1");
    sql_bind_number(&sql, RECEIPT_READY);
    *ready = sql_step(&sql);
    return sql_close(&sql, fault);
}

enum status spool_receipt_leases(struct spool *spool, uint64_t *after, uint32_t limit,
                                 struct arena *arena, struct signed_bytes *leases, uint32_t *count,
                                 struct fault *fault)
{
    struct sql sql = sql_prepare(
        spool, "SELECT r.number,l.body,l.signature,l.key_id FROM receipts r JOIN leases l"
               " ON l.lease=r.lease AND l.side=? WHERE r.number>? ORDER BY r.number LIMIT ?");
    *count = 0;
    sql_bind_number(&sql, LEASE_AS_HOST);
    sql_bind_unsigned(&sql, *after);
    sql_bind_number(&sql, limit);
    while (*count < limit && sql_step(&sql)) {
        struct signed_bytes *lease = &leases[(*count)++];
        *after = sql_unsigned(&sql);
        lease->body = sql_bytes_copy(&sql, arena);
        sql_exact(&sql, lease->signature.bytes, SIGNATURE_BYTES);
        sql_name(&sql, &lease->key_id);
    }
    return sql_close(&sql, fault);
}

static void read_receipt(struct sql *sql, struct arena *arena, struct spool_receipt *receipt)
{
    receipt->lease = sql_lease(sql);
    receipt->sequence = (uint32_t)sql_number(sql);
    receipt->receipt.body = sql_bytes_copy(sql, arena);
    sql_exact(sql, receipt->receipt.host_signature.bytes, SIGNATURE_BYTES);
    sql_exact(sql, receipt->receipt.home_signature.bytes, SIGNATURE_BYTES);
    receipt->receipt.home_signed = sql_number(sql) != 0;
    receipt->state = (enum receipt_state)sql_choice(sql, RECEIPT_STATE_COUNT);
    receipt->made_wall_ms = sql_number(sql);
    receipt->made_boot_ms = sql_number(sql);
}

enum status spool_receipts(struct spool *spool, enum receipt_state state, uint32_t limit,
                           struct arena *arena, struct spool_receipt **receipts, uint32_t *count,
                           struct fault *fault)
{
    *count = 0;
    *receipts = NULL;
    if (spool->no_receipts[state])
        return STATUS_OK;
    *receipts = arena_alloc(arena, limit, sizeof **receipts);
    if (*receipts == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u receipts", limit);
    struct sql sql = sql_prepare(spool, "SELECT " RECEIPT_COLUMNS
                                        " FROM receipts WHERE state=? ORDER BY number LIMIT ?");
    sql_bind_number(&sql, state);
    sql_bind_number(&sql, limit);
    while (*count < limit && sql_step(&sql))
        read_receipt(&sql, arena, &(*receipts)[(*count)++]);
    spool->no_receipts[state] = !sql.failed && *count == 0 && limit > 0;
    return sql_close(&sql, fault);
}

enum status spool_receipt_get(struct spool *spool, struct lease_id lease, uint32_t sequence,
                              struct arena *arena, struct spool_receipt *receipt,
                              struct fault *fault)
{
    struct sql sql =
        sql_prepare(spool, "SELECT " RECEIPT_COLUMNS " FROM receipts WHERE lease=? AND sequence=?");
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, sequence);
    bool found = sql_step(&sql);
    if (found)
        read_receipt(&sql, arena, receipt);
    enum status status = sql_close(&sql, fault);
    if (status != STATUS_OK || found)
        return status;
    return fault_set(fault, STATUS_NOT_FOUND, "there is no such receipt");
}

uint32_t spool_receipts_count(struct spool *spool)
{
    struct sql sql = sql_prepare(spool, "SELECT count(*) FROM receipts WHERE state<>?");
    sql_bind_number(&sql, RECEIPT_TAKEN);
    uint32_t count = sql_step(&sql) ? (uint32_t)sql_number(&sql) : 0;
    return sql_close(&sql, NULL) == STATUS_OK ? count : 0;
}
