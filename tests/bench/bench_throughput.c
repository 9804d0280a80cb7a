/*
 * Bench of throughput prediction: the tables of issue 6 on measured rows, and speed.
 *
 * Usage: bench_throughput [CSV]; without one, ../shared/data/throughput/step_times.csv.
 */
#include "tests/support/support.h"

#include <stdio.h>
#include <time.h>

#include "base/table.h"
#include "base/units.h"
#include "economics/throughput/evaluate.h"
#include "economics/throughput/model.h"
#include "economics/throughput/servers.h"

enum { PREDICTIONS = 2000000, SIMULATED_PUSHES = 400000, RUN_BYTES_MAX = 1 << 30 };

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NANOS_PER_CREDIT;
}

static void cell(struct table *table, const struct score *score)
{
    if (score->rows == 0)
        table_text(table, "-");
    else
        table_format(table, "%.1f / %.1f", score->median_ape, score->mean_ape);
}

static int accuracy(const struct measurements *measurements)
{
    static const char *const splits[] = {"in-sample",       "folds",           "extrapolate:4",
                                         "leave-cluster:2", "leave-cluster:5", "leave-model:2",
                                         "leave-model:5"};
    static const struct table_column columns[] = {{"split", false},
                                                  {"rows", true},
                                                  {"ours, median / mean (%)", true},
                                                  {"90% interval holds (%)", true},
                                                  {"nearest (%)", true},
                                                  {"Pollux alone (%)", true},
                                                  {"one fit (s)", true}};
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (size_t s = 0; s < sizeof splits / sizeof splits[0]; s++) {
        struct arena arena;
        struct split split;
        struct evaluation evaluation;
        struct fault fault;
        arena_init(&arena, RUN_BYTES_MAX);
        if (split_parse(splits[s], &split, &fault) != STATUS_OK ||
            evaluate(measurements, &split, &arena, &evaluation, &fault) != STATUS_OK) {
            fprintf(stderr, "%s: %s\n", splits[s], fault.text);
            return 1;
        }
        table_text(&table, splits[s]);
        table_format(&table, "%u", evaluation.overall[METHOD_OURS].rows);
        cell(&table, &evaluation.overall[METHOD_OURS]);
        table_format(&table, "%.1f", evaluation.overall[METHOD_OURS].coverage90);
        cell(&table, &evaluation.overall[METHOD_NEAREST]);
        cell(&table, &evaluation.overall[METHOD_POLLUX]);
        table_format(&table, "%.2f", evaluation.fit_seconds / evaluation.fits);
        arena_fini(&arena);
    }
    table_print(&table, stdout);
    table_fini(&table);
    return 0;
}

static int speed(const struct measurements *measurements)
{
    struct arena arena;
    struct fault fault;
    const struct throughput_model *model;
    arena_init(&arena, RUN_BYTES_MAX);
    double const start = now_seconds();
    if (model_fit(measurements, NULL, 0, NULL, &arena, &model, &fault) != STATUS_OK) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    double const fitted = now_seconds();
    double sum = 0;
    for (uint32_t i = 0; i < PREDICTIONS; i++) {
        const struct measurement *row = &measurements->rows[i % measurements->row_count];
        struct prediction prediction;
        if (model_predict(model, row->model, row->cluster, &row->configuration, &prediction,
                          &fault) == STATUS_OK)
            sum += prediction.seconds;
    }
    double const predicted = now_seconds();
    printf("\nfit of %u rows, intervals calibrated: %.2f s\n", measurements->row_count,
           fitted - start);
    printf("predictions with interval, one core: %.2f million/s (mean step %.3f s)\n",
           PREDICTIONS / (predicted - fitted) / 1e6, sum / PREDICTIONS);
    printf("half of an interval, in deviations: measured %.2f, beyond %.2f",
           model->factors.measured, model->factors.beyond);
    for (int t = 0; t < SPARSE_TRIALS; t++)
        printf(", %u rows %.2f", calibration_rows[t], model->factors.sparse[t]);
    printf("\n");
    arena_fini(&arena);
    return 0;
}

/* What it costs to take service times for exponential. */
static int servers(void)
{
    static const uint32_t workers[] = {1, 2, 4, 8, 16, 32};
    static const struct table_column columns[] = {{"workers", true},
                                                  {"", false},
                                                  {"analysed (pushes/s)", true},
                                                  {"off exponential (%)", true},
                                                  {"off deterministic (%)", true},
                                                  {"off lognormal, 0.5 (%)", true}};
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++)
        for (int synchronous = 0; synchronous < 2; synchronous++) {
            struct server_training const training = {
                workers[i], synchronous != 0, {0.02, 1, 0.03, 0.005}};
            double analysed;
            if (servers_analyse(&training, &analysed, NULL) != STATUS_OK)
                return 1;
            table_format(&table, "%u", workers[i]);
            table_text(&table, synchronous ? "synchronous" : "asynchronous");
            table_format(&table, "%.3f", analysed);
            for (int law = 0; law < 3; law++) {
                struct server_simulation const simulation = {(enum service_law)law, 0.5,
                                                             SIMULATED_PUSHES, 1};
                double simulated;
                if (servers_simulate(&training, &simulation, &simulated, NULL) != STATUS_OK)
                    return 1;
                table_format(&table, "%+.1f", 100 * (analysed / simulated - 1));
            }
        }
    printf("\nparameter servers: pass 1 s, downlink 0.02 s, uplink 0.03 s, update 0.005 s\n");
    table_print(&table, stdout);
    table_fini(&table);
    return 0;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : support_shared_data("throughput/step_times.csv");
    if (path == NULL) {
        printf("no rows: give a CSV file (economics/throughput/README.md says of what)\n");
        return 0;
    }
    static struct measurements measurements;
    struct arena arena;
    struct fault fault;
    arena_init(&arena, RUN_BYTES_MAX);
    measurements_init(&measurements, &arena);
    if (measurements_read(&measurements, path, false, &fault) != STATUS_OK) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    printf("%s: %u rows, %u skipped\n\n", path, measurements.row_count, measurements.skipped_count);
    int const code = accuracy(&measurements);
    return code != 0 || speed(&measurements) != 0 || servers() != 0 ? 1 : 0;
}
