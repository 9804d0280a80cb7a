/* Hosted runs in the spool: what a restarted host needs to adopt the job and to go on metering. */
#include "peer/spool/sql.h"

enum status spool_run_put(struct spool *spool, const struct spool_run *run, struct fault *fault)
{
    struct sql sql =
        sql_prepare(spool, "INSERT OR REPLACE INTO runs VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    sql_bind_lease(&sql, run->run);
    sql_bind_lease(&sql, run->lease);
    sql_bind_lease(&sql, run->next);
    sql_bind_number(&sql, run->state);
    sql_bind_text(&sql, run->job.text);
    sql_bind_text(&sql, run->home.text);
    sql_bind_number(&sql, run->own);
    sql_bind_number(&sql, run->ends);
    sql_bind_number(&sql, run->lost);
    sql_bind_number(&sql, run->stop_grace_ms);
    sql_bind_number(&sql, run->changed_wall_ms);
    sql_bind_number(&sql, run->exit_code);
    sql_bind_number(&sql, run->outcome);
    sql_bind_unsigned(&sql, run->delivered_number);
    sql_bind_bytes(&sql, (struct bytes){(const uint8_t *)&run->meter, sizeof run->meter});
    sql_bind_text(&sql, run->text);
    return sql_run(&sql, fault);
}

static struct spool_run read_run(struct sql *sql)
{
    struct spool_run run = {.run = sql_lease(sql)};
    run.lease = sql_lease(sql);
    run.next = sql_lease(sql);
    run.state = (enum run_state)sql_choice(sql, RUN_STATE_COUNT);
    sql_name(sql, &run.job);
    sql_name(sql, &run.home);
    run.own = sql_number(sql) != 0;
    run.ends = sql_number(sql) != 0;
    run.lost = sql_number(sql) != 0;
    run.stop_grace_ms = sql_number(sql);
    run.changed_wall_ms = sql_number(sql);
    run.exit_code = (int32_t)sql_number(sql);
    run.outcome = (enum lease_outcome)sql_choice(sql, LEASE_OUTCOME_COUNT);
    run.delivered_number = sql_unsigned(sql);
    sql_grown(sql, &run.meter, sizeof run.meter);
    sql_text(sql, run.text, sizeof run.text);
    return run;
}

enum status spool_runs_visit(struct spool *spool,
                             enum status (*visit)(void *context, const struct spool_run *run,
                                                  struct fault *fault),
                             void *context, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT * FROM runs ORDER BY rowid");
    enum status status = STATUS_OK;
    while (status == STATUS_OK && sql_step(&sql)) {
        struct spool_run run = read_run(&sql);
        if (!sql.failed)
            status = visit(context, &run, fault);
    }
    enum status closed = sql_close(&sql, status == STATUS_OK ? fault : NULL);
    return status != STATUS_OK ? status : closed;
}

enum status spool_run_delete(struct spool *spool, struct lease_id run, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "DELETE FROM bodies WHERE owner=? AND kind=?");
    sql_bind_lease(&sql, run);
    sql_bind_number(&sql, SPOOL_RUN_SPECIFICATION);
    enum status status = sql_run(&sql, fault);
    if (status != STATUS_OK)
        return status;
    sql = sql_prepare(spool, "DELETE FROM runs WHERE run=?");
    sql_bind_lease(&sql, run);
    return sql_run(&sql, fault);
}
