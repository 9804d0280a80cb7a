#include "broker/learning/learning_show.h"

#include <math.h>
#include <stdlib.h>

enum { DELIVERIES_SHOWN_MAX = 4096 };

enum status learning_deliveries(const struct core *core, const struct name *host, uint32_t most,
                                struct arena *arena, struct delivery_row **rows, uint32_t *count,
                                struct fault *fault)
{
    const struct predictor *predictor = core_predictor(core);
    uint32_t const room = predictor->delivery_count < most ? predictor->delivery_count : most;
    *rows = arena_alloc(arena, room, sizeof **rows);
    *count = 0;
    if (*rows == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to show how hosts deliver");
    for (uint32_t i = 0; i < predictor->delivery_count && *count < room; i++) {
        const struct delivery *delivery = &predictor->deliveries[i];
        if (delivery->jobs < DELIVERY_JOBS_MIN ||
            (host != NULL && !name_equal(&delivery->pool.member, host)))
            continue;
        (*rows)[(*count)++] = (struct delivery_row){
            .pool = delivery->pool,
            .home = delivery->home,
            .factor_ppm = (uint32_t)lround(delivery->factor * PPM),
            .jobs = delivery->jobs,
            .homes = delivery->homes,
        };
    }
    return STATUS_OK;
}

/* --- the report */

struct reporting {
    const struct core *core;
    struct arena *arena;
    struct throughput_response *response;
    struct fault *fault;
};

static enum status list_measured(struct reporting *reporting, const struct page_request *page);
static enum status judge_forecasts(struct reporting *reporting);

enum status learning_report(const struct core *core, const struct page_request *page,
                            struct arena *arena, struct throughput_response *response,
                            struct fault *fault)
{
    const struct learned *learned = core->learned;
    struct reporting reporting = {core, arena, response, fault};
    *response = (struct throughput_response){.fit = 0};
    if (learned != NULL && learned->predictor.fit != NULL) {
        response->fit = learned->version;
        response->fit_made_wall_ms = learned->made_wall_ms;
        response->fit_rows = learned->predictor.fit->row_count;
        response->fit_models = learned->predictor.fit->model_count;
        response->fit_clusters = learned->predictor.fit->cluster_count;
    }
    enum status status = list_measured(&reporting, page);
    if (status == STATUS_OK)
        status = judge_forecasts(&reporting);
    if (status == STATUS_OK)
        status = learning_deliveries(core, NULL, DELIVERIES_SHOWN_MAX, arena, &response->deliveries,
                                     &response->delivery_count, fault);
    return status;
}

static struct measured_row shown(const struct store_measurement *of)
{
    return (struct measured_row){
        .row = of->row,
        .measured_wall_ms = of->measured_wall_ms,
        .job = of->job,
        .model = of->model,
        .home = of->home,
        .pool = of->pool,
        .gpus = of->gpus,
        .nodes = of->nodes,
        .batch = of->batch,
        .measured_examples_per_second = store_measurement_speed(of),
        .predicted_examples_per_second = of->predicted,
        .low_examples_per_second = of->low,
        .high_examples_per_second = of->high,
        .basis = throughput_basis_name((enum throughput_basis)of->basis),
        .confirmed = of->confirmed,
        .profile = of->kind == MEASUREMENT_PROFILE,
        .fit = of->fit,
    };
}

static enum status list_measured(struct reporting *reporting, const struct page_request *page)
{
    struct throughput_response *response = reporting->response;
    struct store_measurement *list = NULL;
    uint32_t count = 0;
    enum status const status =
        store_measurement_list(reporting->core->store, page->after, page->rows, reporting->arena,
                               &list, &count, reporting->fault);
    if (status != STATUS_OK)
        return status;
    response->rows = arena_alloc(reporting->arena, count, sizeof *response->rows);
    if (response->rows == NULL)
        return fault_set(reporting->fault, STATUS_EXHAUSTED, "no memory for the report");
    for (uint32_t i = 0; i < count; i++)
        response->rows[i] = shown(&list[i]);
    response->row_count = count;
    response->next_after = count == page->rows && count > 0 ? list[count - 1].row : 0;
    return STATUS_OK;
}

/* --- forecasts: by model and pool */

static double error_percent(const struct store_measurement *of)
{
    double const measured = store_measurement_speed(of);
    return fabs(of->predicted - measured) / measured * 100;
}

static int compare_groups(const struct store_measurement *a, const struct store_measurement *b)
{
    int order = name_compare(&a->model, &b->model);
    if (order == 0)
        order = name_compare(&a->pool.member, &b->pool.member);
    return order != 0 ? order : name_compare(&a->pool.gpu, &b->pool.gpu);
}

static int compare_errors(const void *left, const void *right)
{
    int const order = compare_groups(left, right);
    double const a = error_percent(left);
    double const b = error_percent(right);
    return order != 0 ? order : (a > b) - (a < b);
}

/* One group, its errors ascending. */
static struct forecast_row judge(const struct store_measurement *of, uint32_t count)
{
    struct forecast_row row = {.model = of->model, .pool = of->pool, .rows = count};
    uint32_t within = 0;
    for (uint32_t i = 0; i < count; i++) {
        double const measured = store_measurement_speed(&of[i]);
        row.mean_ape += error_percent(&of[i]) / count;
        if (!(of[i].high > 0))
            continue;
        row.intervals++;
        within += measured >= of[i].low && measured <= of[i].high;
    }
    row.median_ape = (error_percent(&of[(count - 1) / 2]) + error_percent(&of[count / 2])) / 2;
    row.coverage90 = row.intervals > 0 ? 100.0 * within / row.intervals : 0;
    return row;
}

static enum status judge_forecasts(struct reporting *reporting)
{
    struct throughput_response *response = reporting->response;
    struct store_measurement *list = NULL;
    uint32_t count = 0;
    uint32_t kept = 0;
    enum status const status =
        store_measurement_list(reporting->core->store, 0, LEARN_ROWS_MAX, reporting->arena, &list,
                               &count, reporting->fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].kind == MEASUREMENT_RECEIPT && list[i].predicted > 0)
            list[kept++] = list[i];
    uint32_t const most = kept < ROWS_PER_PAGE_MAX ? kept : ROWS_PER_PAGE_MAX;
    response->forecasts = arena_alloc(reporting->arena, most, sizeof *response->forecasts);
    if (response->forecasts == NULL)
        return fault_set(reporting->fault, STATUS_EXHAUSTED, "no memory for the report");
    if (kept > 0)
        qsort(list, kept, sizeof *list, compare_errors);
    for (uint32_t i = 0, end; i < kept && response->forecast_count < most; i = end) {
        for (end = i; end < kept && compare_groups(&list[end], &list[i]) == 0;)
            end++;
        response->forecasts[response->forecast_count++] = judge(&list[i], end - i);
    }
    return STATUS_OK;
}
