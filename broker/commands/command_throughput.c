/* throughput report. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/table.h"
#include "broker/commands/commands.h"
#include "proto/show/show.h"

static void print_rows(const struct throughput_response *response)
{
    static const struct table_column columns[] = {
        {"row", true},       {"job", false},
        {"model", false},    {"host", false},
        {"gpu", false},      {"GPUs", true},
        {"batch/GPU", true}, {"measured (examples/s)", true},
        {"predicted", true}, {"90% between", false},
        {"off (%)", true},   {"known", false},
        {"word", false},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->row_count; i++) {
        const struct measured_row *row = &response->rows[i];
        double const measured = row->measured_examples_per_second;
        double const predicted = row->predicted_examples_per_second;
        table_format(&table, "%" PRIu64, row->row);
        table_text(&table, row->job.text);
        table_text(&table, name_empty(&row->model) ? "-" : row->model.text);
        table_text(&table, row->pool.member.text);
        table_text(&table, row->pool.gpu.text);
        table_format(&table, "%u", row->gpus);
        table_format(&table, "%.4g", row->batch);
        table_format(&table, "%.1f", measured);
        if (predicted > 0)
            table_format(&table, "%.1f", predicted);
        else
            table_text(&table, "-");
        if (row->high_examples_per_second > 0)
            table_format(&table, "%.1f to %.1f", row->low_examples_per_second,
                         row->high_examples_per_second);
        else
            table_text(&table, "");
        if (predicted > 0 && measured > 0)
            table_format(&table, "%+.1f", (predicted / measured - 1) * 100);
        else
            table_text(&table, "");
        table_text(&table, row->basis);
        table_text(&table, row->profile ? "profile" : row->confirmed ? "two members" : "home");
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_forecasts(const struct throughput_response *response)
{
    static const struct table_column columns[] = {
        {"model", false},
        {"host", false},
        {"gpu", false},
        {"receipts", true},
        {"median error (%)", true},
        {"mean error (%)", true},
        {"90% intervals", true},
        {"that held (%)", true},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->forecast_count; i++) {
        const struct forecast_row *row = &response->forecasts[i];
        table_text(&table, name_empty(&row->model) ? "-" : row->model.text);
        table_text(&table, row->pool.member.text);
        table_text(&table, row->pool.gpu.text);
        table_format(&table, "%u", row->rows);
        table_format(&table, "%.1f", row->median_ape);
        table_format(&table, "%.1f", row->mean_ape);
        table_format(&table, "%u", row->intervals);
        if (row->intervals > 0)
            table_format(&table, "%.0f", row->coverage90);
        else
            table_text(&table, "");
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_report(const void *message)
{
    const struct throughput_response *response = message;
    char date[CLOCK_TEXT_MAX];
    if (response->fit > 0)
        printf("Fit %" PRIu64 " of %s: %u rows, %u models, %u GPU kinds.\n\n", response->fit,
               clock_format_wall(response->fit_made_wall_ms, date), response->fit_rows,
               response->fit_models, response->fit_clusters);
    else
        printf("No fit yet: predictions are what is stated.\n\n");
    print_rows(response);
    if (response->forecast_count > 0) {
        printf("\nForecasts, made before what was measured was learned:\n\n");
        print_forecasts(response);
    }
    if (response->delivery_count > 0) {
        putchar('\n');
        show_deliveries(response->deliveries, response->delivery_count, stdout);
    }
    if (response->next_after > 0)
        printf("\nMore: --after %" PRIu64 "\n", response->next_after);
}

int command_throughput_report(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"after", OPTION_AFTER, "ROW", 0, "Go on after this row", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Shows how fast jobs ran beside what was predicted, the newest first; how good "
                   "forecasts are for each model and pool; and which hosts deliver less than their "
                   "kind of GPU.",
        .options = own,
    };
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    if (options.after != NULL && !command_number(options.after, &request.after)) {
        fprintf(stderr, "%s: --after: '%s' is not a row number\n", BROKER_PROGRAM, options.after);
        return EXIT_CODE_USAGE;
    }
    return command_ask(&options, &method_throughput, &request, print_report);
}
