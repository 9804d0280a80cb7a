/* Disputes that the broker has not been told of yet. */
#include "peer/spool/sql.h"

enum status spool_dispute_put(struct spool *spool, const struct dispute_request *dispute,
                              struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "INSERT OR IGNORE INTO disputes(lease,sequence,payable_ms,"
                                        "text,told) VALUES(?,?,?,?,0)");
    sql_bind_lease(&sql, dispute->lease);
    sql_bind_number(&sql, dispute->sequence);
    sql_bind_number(&sql, dispute->payable_ms);
    sql_bind_text(&sql, dispute->text);
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
    struct sql sql = sql_prepare(spool, "UPDATE disputes SET told=1 WHERE lease=? AND sequence=?");
    sql_bind_lease(&sql, lease);
    sql_bind_number(&sql, sequence);
    return sql_run(&sql, fault);
}

bool spool_dispute_known(struct spool *spool, struct lease_id lease, uint32_t sequence)
{
    struct sql sql = sql_prepare(spool, "SELECT 1 FROM disputes WHERE lease=? AND sequence=?");
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
