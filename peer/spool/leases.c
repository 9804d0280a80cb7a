/* Leases in the spool: the signed bytes as they came, and what this side saw of their use. */
#include "peer/spool/sql.h"

enum status spool_lease_put(struct spool *spool, const struct spool_lease *lease,
                            struct fault *fault)
{
    struct sql sql =
        sql_prepare(spool, "INSERT OR REPLACE INTO leases VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    sql_bind_lease(&sql, lease->id);
    sql_bind_number(&sql, lease->side);
    sql_bind_text(&sql, lease->job.text);
    sql_bind_lease(&sql, lease->run);
    sql_bind_bytes(&sql, lease->signed_lease.body);
    sql_bind_bytes(&sql, (struct bytes){lease->signed_lease.signature.bytes, SIGNATURE_BYTES});
    sql_bind_text(&sql, lease->signed_lease.key_id.text);
    sql_bind_number(&sql, lease->taken_boot_ms);
    sql_bind_number(&sql, lease->started_boot_ms);
    sql_bind_number(&sql, lease->ended_boot_ms);
    sql_bind_unsigned(&sql, lease->checkpoints);
    sql_bind_number(&sql, lease->signed_held_ms);
    sql_bind_unsigned(&sql, lease->signed_checkpoints);
    sql_bind_number(&sql, lease->signed_sequence);
    return sql_run(&sql, fault);
}

static void read_lease(struct sql *sql, struct arena *arena, struct spool_lease *lease)
{
    *lease = (struct spool_lease){.id = sql_lease(sql)};
    lease->side = (enum lease_side)sql_choice(sql, LEASE_AS_HOST + 1);
    sql_name(sql, &lease->job);
    lease->run = sql_lease(sql);
    lease->signed_lease.body = sql_bytes_copy(sql, arena);
    sql_exact(sql, lease->signed_lease.signature.bytes, SIGNATURE_BYTES);
    sql_name(sql, &lease->signed_lease.key_id);
    lease->taken_boot_ms = sql_number(sql);
    lease->started_boot_ms = sql_number(sql);
    lease->ended_boot_ms = sql_number(sql);
    lease->checkpoints = sql_unsigned(sql);
    lease->signed_held_ms = sql_number(sql);
    lease->signed_checkpoints = sql_unsigned(sql);
    lease->signed_sequence = (uint32_t)sql_number(sql);
}

enum status spool_lease_get(struct spool *spool, struct lease_id id, enum lease_side side,
                            struct arena *arena, struct spool_lease *lease, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT * FROM leases WHERE lease=? AND side=?");
    sql_bind_lease(&sql, id);
    sql_bind_number(&sql, side);
    bool found = sql_step(&sql);
    if (found)
        read_lease(&sql, arena, lease);
    enum status status = sql_close(&sql, fault);
    if (status != STATUS_OK || found)
        return status;
    char text[LEASE_ID_TEXT_MAX];
    return fault_set(fault, STATUS_NOT_FOUND, "lease %s is not known here",
                     lease_id_format(id, text));
}

bool spool_lease_known(struct spool *spool, struct lease_id id, enum lease_side side)
{
    struct sql sql = sql_prepare(spool, "SELECT 1 FROM leases WHERE lease=? AND side=?");
    sql_bind_lease(&sql, id);
    sql_bind_number(&sql, side);
    bool found = sql_step(&sql);
    return sql_close(&sql, NULL) == STATUS_OK && found;
}

enum status spool_leases_forget_starts(struct spool *spool, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "UPDATE leases SET started_boot_ms=?"
                                        " WHERE side=? AND started_boot_ms>0");
    sql_bind_number(&sql, INT64_MAX);
    sql_bind_number(&sql, LEASE_AS_HOME);
    (void)sql_step(&sql);
    return sql_close(&sql, fault);
}
