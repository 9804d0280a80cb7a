/* Disputes that the broker has not been told of yet. */
#include "peer/spool/sql.h"

/* The column `told`. */
enum told { TOLD_NOT, TOLD, TOLD_BY_OWNER };

enum status spool_dispute_put(struct spool *spool, const struct dispute_request *dispute,
                              bool by_owner, struct fault *fault)
{
    struct sql sql =
        sql_prepare(spool, "INSERT INTO disputes(lease,sequence,payable_ms,text,told)"
                           " VALUES(?,?,?,?,?) ON CONFLICT(lease,sequence) DO UPDATE SET"
                           " told=max(told,excluded.told)");
    sql_bind_lease(&sql, dispute->lease);
    sql_bind_number(&sql, dispute->sequence);
    sql_bind_number(&sql, dispute->payable_ms);
    sql_bind_text(&sql, dispute->text);
    sql_bind_number(&sql, by_owner ? TOLD_BY_OWNER : TOLD_NOT);
    return sql_run(&sql, fault);
}

enum status spool_dispute_next(struct spool *spool, struct dispute_request *dispute,
                               char text[static DISPUTE_TEXT_BYTES_MAX + 1], struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT lease,sequence,payable_ms,text FROM disputes"
                                        " WHERE told=0 ORDER BY number LIMIT 1");
    bool found = sql_step(&sql);
    if (found) {
        *dispute = (struct dispute_request){.action = DISPUTE_DO_OPEN, .text = text};
        dispute->lease = sql_lease(&sql);
        dispute->sequence = (uint32_t)sql_number(&sql);
        dispute->payable_ms = sql_number(&sql);
        sql_text(&sql, text, DISPUTE_TEXT_BYTES_MAX + 1);
    }
    enum status status = sql_close(&sql, fault);
    if (status == STATUS_OK && !found)
        return fault_set(fault, STATUS_NOT_FOUND, "no dispute is to be told");
    return status;
}

enum status spool_dispute_told(struct spool *spool, struct lease_id lease, uint32_t sequence,
                               struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "UPDATE disputes SET told=max(told,?)"
                                        " WHERE lease=? AND sequence=?");
    sql_bind_number(&sql, TOLD);
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, sequence);
    return sql_run(&sql, fault);
}

bool spool_dispute_by_owner(struct spool *spool, struct lease_id lease, uint32_t sequence)
{
    struct sql sql = sql_prepare(spool, "SELECT 1 FROM disputes WHERE told=? AND lease=?"
                                        " AND sequence=?");
    sql_bind_number(&sql, TOLD_BY_OWNER);
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, sequence);
    bool found = sql_step(&sql);
    return sql_close(&sql, NULL) == STATUS_OK && found;
}

enum status spool_dispute_forget(struct spool *spool, struct lease_id lease, uint32_t sequence,
                                 struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "DELETE FROM disputes WHERE lease=? AND sequence=?");
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, sequence);
    return sql_run(&sql, fault);
}
