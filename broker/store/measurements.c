#include "broker/store/measurements.h"

#include <stdio.h>

#include "broker/store/query.h"
#include "economics/throughput/predictor.h"

#define COLUMNS                                                                                    \
    "kind, source, sequence, job, home, model, host, gpu, gpus, nodes, fullest, batch, seconds,"   \
    " confirmed, measured, predicted, low, high, delivery, basis, fit"

enum { SOURCE_TEXT_MAX = 160 };

/* What the natural key names beside kind and sequence: the lease, or the job and where it was
 * measured. */
static const char *source_of(const struct store_measurement *of, char text[static SOURCE_TEXT_MAX])
{
    char lease[LEASE_ID_TEXT_MAX];
    if (of->kind == MEASUREMENT_RECEIPT)
        snprintf(text, SOURCE_TEXT_MAX, "%s", lease_id_format(of->lease, lease));
    else
        snprintf(text, SOURCE_TEXT_MAX, "%s %s %u %u", of->job.text, of->pool.gpu.text, of->gpus,
                 of->nodes);
    return text;
}

static enum status put(struct store *store, const struct store_measurement *of, const char *sql,
                       struct fault *fault)
{
    char source[SOURCE_TEXT_MAX];
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, of->kind);
    query_put_text(&query, source_of(of, source));
    query_put_number(&query, of->sequence);
    query_put_name(&query, &of->job);
    query_put_name(&query, &of->home);
    query_put_name(&query, &of->model);
    query_put_name(&query, &of->pool.member);
    query_put_name(&query, &of->pool.gpu);
    query_put_number(&query, of->gpus);
    query_put_number(&query, of->nodes);
    query_put_number(&query, of->gpus_on_fullest);
    query_put_real(&query, of->batch);
    query_put_real(&query, of->step_seconds);
    query_put_number(&query, of->confirmed);
    query_put_number(&query, of->measured_wall_ms);
    query_put_real(&query, of->predicted);
    query_put_real(&query, of->low);
    query_put_real(&query, of->high);
    query_put_real(&query, of->delivery);
    query_put_number(&query, of->basis);
    query_put_number(&query, (int64_t)of->fit);
    return query_end(&query);
}

static enum status forget_beyond_quota(struct store *store, const struct store_measurement *of,
                                       struct fault *fault)
{
    static const char sql[] =
        "DELETE FROM measurements WHERE home = ?1 AND kind = ?2 AND row <= coalesce((SELECT row"
        " FROM measurements WHERE home = ?1 AND kind = ?2 ORDER BY row DESC LIMIT 1 OFFSET ?3), 0)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, &of->home);
    query_put_number(&query, of->kind);
    query_put_number(&query, of->kind == MEASUREMENT_RECEIPT ? MEASUREMENTS_PER_HOME_MAX
                                                             : PROFILES_PER_HOME_MAX);
    return query_end(&query);
}

enum status store_measurement_put(struct store *store, const struct store_measurement *measurement,
                                  bool *added, struct fault *fault)
{
    static const char receipt[] = "INSERT INTO measurements (" COLUMNS
                                  ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                                  " ?, ?, ?) ON CONFLICT (kind, source, sequence) DO NOTHING";
    static const char profile[] = "INSERT OR REPLACE INTO measurements (" COLUMNS
                                  ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                                  " ?, ?, ?)";
    bool const of_receipt = measurement->kind == MEASUREMENT_RECEIPT;
    enum status status = put(store, measurement, of_receipt ? receipt : profile, fault);
    *added = status == STATUS_OK && sqlite3_changes(store->database) > 0;
    return *added ? forget_beyond_quota(store, measurement, fault) : status;
}

static void read_measurement(struct query *query, struct store_measurement *of)
{
    char source[SOURCE_TEXT_MAX];
    of->row = (uint64_t)query_number(query);
    of->kind = (enum measurement_kind)query_choice(query, MEASUREMENT_KIND_COUNT);
    query_text(query, source, sizeof source);
    of->sequence = (uint32_t)query_number(query);
    query_name(query, &of->job);
    query_name(query, &of->home);
    query_name(query, &of->model);
    query_name(query, &of->pool.member);
    query_name(query, &of->pool.gpu);
    of->gpus = (uint32_t)query_number(query);
    of->nodes = (uint32_t)query_number(query);
    of->gpus_on_fullest = (uint32_t)query_number(query);
    of->batch = query_real(query);
    of->step_seconds = query_real(query);
    of->confirmed = query_number(query) != 0;
    of->measured_wall_ms = query_number(query);
    of->predicted = query_real(query);
    of->low = query_real(query);
    of->high = query_real(query);
    of->delivery = query_real(query);
    of->basis = query_choice(query, BASIS_COUNT);
    of->fit = (uint64_t)query_number(query);
    if (of->kind == MEASUREMENT_RECEIPT && !lease_id_parse(source, &of->lease))
        query_fail(query, STATUS_CORRUPT, "a measurement names no lease");
}

enum status store_measurement_list(struct store *store, uint64_t before, uint32_t rows,
                                   struct arena *arena, struct store_measurement **list,
                                   uint32_t *count, struct fault *fault)
{
    static const char sql[] =
        "SELECT row, " COLUMNS " FROM measurements WHERE row < ? ORDER BY row DESC LIMIT ?";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
    query_put_number(&query, rows);
    while (query_row(&query)) {
        struct store_measurement *measurement = grown_push(&grown, arena, sizeof *measurement);
        if (measurement == NULL)
            query.status = query_arena_full(fault);
        else
            read_measurement(&query, measurement);
    }
    *list = grown.items;
    *count = grown.count;
    return query_end(&query);
}

/* --- fits */

static enum status forget_old_fits(struct store *store, uint64_t newest, struct fault *fault)
{
    static const char sql[] = "DELETE FROM fits WHERE version <= ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)newest - FITS_KEPT);
    return query_end(&query);
}

enum status store_fit_add(struct store *store, struct store_fit *fit, struct fault *fault)
{
    static const char sql[] = "INSERT INTO fits (made, model) VALUES (?, ?)";
    struct query query;
    if (fit->model.size > FIT_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "the fit has %zu bytes, over %d", fit->model.size,
                         FIT_BYTES_MAX);
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, fit->made_wall_ms);
    query_put_bytes(&query, fit->model);
    enum status const status = query_end(&query);
    if (status != STATUS_OK)
        return status;
    fit->version = (uint64_t)sqlite3_last_insert_rowid(store->database);
    return forget_old_fits(store, fit->version, fault);
}

enum status store_fit_newest(struct store *store, struct arena *arena, struct store_fit *fit,
                             struct fault *fault)
{
    static const char sql[] = "SELECT version, made, model FROM fits ORDER BY version DESC LIMIT 1";
    struct query query;
    query_begin(&query, store, sql, fault);
    if (query_row(&query)) {
        fit->version = (uint64_t)query_number(&query);
        fit->made_wall_ms = query_number(&query);
        fit->model = query_bytes(&query, arena);
    } else {
        query_fail(&query, STATUS_NOT_FOUND, "there is no fit yet");
    }
    return query_end(&query);
}
