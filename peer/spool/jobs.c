/* Own jobs in the spool: one small row each, rewritten at every change of state; and where each was
 * last, written when it leaves. */
#include "peer/spool/sql.h"

enum status spool_job_put(struct spool *spool, const struct spool_job *job, struct fault *fault)
{
    struct sql sql = sql_prepare(
        spool, "INSERT OR REPLACE INTO jobs VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    sql_bind_text(&sql, job->job.text);
    sql_bind_number(&sql, job->state);
    sql_bind_number(&sql, job->placement);
    sql_bind_number(&sql, job->cancelled);
    sql_bind_number(&sql, job->demand_open);
    sql_bind_lease(&sql, job->lease);
    sql_bind_lease(&sql, job->renewal);
    sql_bind_lease(&sql, job->next);
    sql_bind_unsigned(&sql, job->examples_done);
    sql_bind_unsigned(&sql, job->checkpoint_examples);
    sql_bind_unsigned(&sql, job->checkpoint_bytes);
    sql_bind_unsigned(&sql, job->log_base);
    sql_bind_number(&sql, job->starts);
    sql_bind_number(&sql, job->retries_left);
    sql_bind_number(&sql, job->exit_code);
    sql_bind_number(&sql, job->submitted_wall_ms);
    sql_bind_number(&sql, job->started_wall_ms);
    sql_bind_number(&sql, job->ended_wall_ms);
    sql_bind_number(&sql, job->paid.micros);
    sql_bind_text(&sql, job->text);
    return sql_run(&sql, fault);
}

static struct spool_job read_job(struct sql *sql)
{
    struct spool_job job = {0};
    sql_name(sql, &job.job);
    job.state = (enum job_state)sql_choice(sql, JOB_STATE_COUNT);
    job.placement = (enum job_placement)sql_choice(sql, JOB_ANY + 1);
    job.cancelled = sql_number(sql) != 0;
    job.demand_open = sql_number(sql) != 0;
    job.lease = sql_lease(sql);
    job.renewal = sql_lease(sql);
    job.next = sql_lease(sql);
    job.examples_done = sql_unsigned(sql);
    job.checkpoint_examples = sql_unsigned(sql);
    job.checkpoint_bytes = sql_unsigned(sql);
    job.log_base = sql_unsigned(sql);
    job.starts = (uint32_t)sql_number(sql);
    job.retries_left = (uint32_t)sql_number(sql);
    job.exit_code = (int32_t)sql_number(sql);
    job.submitted_wall_ms = sql_number(sql);
    job.started_wall_ms = sql_number(sql);
    job.ended_wall_ms = sql_number(sql);
    job.paid.micros = sql_number(sql);
    sql_text(sql, job.text, sizeof job.text);
    return job;
}

enum status spool_jobs_visit(struct spool *spool,
                             enum status (*visit)(void *context, const struct spool_job *job,
                                                  struct fault *fault),
                             void *context, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT * FROM jobs ORDER BY submitted_wall_ms, rowid");
    enum status status = STATUS_OK;
    while (status == STATUS_OK && sql_step(&sql)) {
        struct spool_job job = read_job(&sql);
        if (!sql.failed)
            status = visit(context, &job, fault);
    }
    enum status closed = sql_close(&sql, status == STATUS_OK ? fault : NULL);
    return status != STATUS_OK ? status : closed;
}

enum status spool_place_put(struct spool *spool, const struct name *job,
                            const struct spool_place *place, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "INSERT OR REPLACE INTO places VALUES(?,?,?,?,?,?,?,?)");
    sql_bind_text(&sql, job->text);
    sql_bind_lease(&sql, place->lease);
    sql_bind_text(&sql, place->host.text);
    sql_bind_text(&sql, place->gpu.text);
    sql_bind_number(&sql, place->gpus);
    sql_bind_number(&sql, place->price.nanos);
    sql_bind_real(&sql, place->predicted_examples_per_second);
    sql_bind_real(&sql, place->measured_examples_per_second);
    return sql_run(&sql, fault);
}

enum status spool_place_get(struct spool *spool, const struct name *job, struct spool_place *place,
                            struct fault *fault)
{
    struct sql sql =
        sql_prepare(spool, "SELECT lease,host,gpu,gpus,price_nanos,predicted,measured FROM places "
                           "WHERE job=?");
    *place = (struct spool_place){0};
    sql_bind_text(&sql, job->text);
    if (sql_step(&sql)) {
        place->lease = sql_lease(&sql);
        sql_name(&sql, &place->host);
        sql_name(&sql, &place->gpu);
        place->gpus = (uint32_t)sql_number(&sql);
        place->price.nanos = sql_number(&sql);
        place->predicted_examples_per_second = sql_real(&sql);
        place->measured_examples_per_second = sql_real(&sql);
    }
    return sql_close(&sql, fault);
}
