/*
 * throughput evaluate DATA --split SPLIT: how well step times are predicted, beside simpler
 * methods.
 */
#include <math.h>
#include <string.h>

#include "base/command.h"
#include "base/json.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/throughput/evaluate.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *path;
    const char *split;
    bool json;
    bool strict;
};

struct evaluated {
    const struct options *options;
    struct arena arena;
    struct measurements *measurements;
    struct evaluation evaluation;
};

static enum status run(struct evaluated *evaluated, struct fault *fault);
static void print_tables(const struct evaluated *evaluated);
static enum status print_json(const struct evaluated *evaluated, struct fault *fault);

enum { OPTION_SPLIT = 256, OPTION_JSON, OPTION_STRICT };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_SPLIT: options->split = value; return 0;
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_STRICT: options->strict = true; return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one DATA file at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "DATA is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int throughput_evaluate_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"split", OPTION_SPLIT, "SPLIT", 0,
         "in-sample, folds (default), extrapolate:GPUS, leave-cluster:ROWS or leave-model:ROWS", 0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of tables", 0},
        {"strict", OPTION_STRICT, NULL, 0, "Refuse bad rows instead of skipping them", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "DATA",
        .purpose = "Fits DATA (CSV) without some rows and predicts those.",
        .own = list,
        .parser = parse_option,
        .closing =
            "folds leaves out whole placements; extrapolate:4 fits on at most 4 GPUs; "
            "leave-cluster:2 keeps two rows a model of each cluster in turn, leave-model:2 two "
            "rows a cluster of each model. Errors are absolute percentages of step time."};
    struct options options = {.split = "folds"};
    command_parse(argc, argv, &syntax, &options);
    struct evaluated evaluated = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&evaluated.arena, ARENA_ROUND_BYTES);
    enum status status = run(&evaluated, &fault);
    if (status == STATUS_OK && options.json)
        status = print_json(&evaluated, &fault);
    else if (status == STATUS_OK)
        print_tables(&evaluated);
    arena_fini(&evaluated.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

static enum status run(struct evaluated *evaluated, struct fault *fault)
{
    struct split split;
    enum status status = split_parse(evaluated->options->split, &split, fault);
    if (status != STATUS_OK)
        return status;
    evaluated->measurements = arena_alloc(&evaluated->arena, 1, sizeof *evaluated->measurements);
    if (evaluated->measurements == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for measurements");
    measurements_init(evaluated->measurements, &evaluated->arena);
    status = measurements_read(evaluated->measurements, evaluated->options->path,
                               evaluated->options->strict, fault);
    if (status == STATUS_OK)
        status = evaluate(evaluated->measurements, &split, &evaluated->arena,
                          &evaluated->evaluation, fault);
    if (status == STATUS_OK)
        throughput_print_complaints(evaluated->measurements, evaluated->options->path);
    return status;
}

static void put_scores(struct table *table, const struct score *scores)
{
    table_format(table, "%u", scores[METHOD_OURS].rows);
    for (int method = 0; method < METHOD_COUNT; method++) {
        if (scores[method].rows == 0)
            table_text(table, "-");
        else
            table_format(table, "%.1f / %.1f", scores[method].median_ape, scores[method].mean_ape);
        if (method == METHOD_OURS)
            table_format(table, "%.1f", scores[method].coverage90);
    }
}

static void print_tables(const struct evaluated *evaluated)
{
    static const struct table_column columns[] = {{"model", false},
                                                  {"cluster", false},
                                                  {"rows", true},
                                                  {"median / mean error (%)", true},
                                                  {"in 90% interval (%)", true},
                                                  {"Pollux, each alone (%)", true},
                                                  {"nearest (%)", true}};
    const struct evaluation *evaluation = &evaluated->evaluation;
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t p = 0; p < evaluation->pair_count; p++) {
        table_text(&table, evaluation->pairs[p].model.text);
        table_text(&table, evaluation->pairs[p].cluster.text);
        put_scores(&table, evaluation->pairs[p].scores);
    }
    table_text(&table, "all");
    table_text(&table, "");
    put_scores(&table, evaluation->overall);
    printf("split %s: %u fits, %.2f s each\n\n", evaluated->options->split, evaluation->fits,
           evaluation->fit_seconds / evaluation->fits);
    table_print(&table, stdout);
    table_fini(&table);
}

static void put_score(struct json_writer *writer, const struct score *score)
{
    json_put_integer(writer, "rows", score->rows);
    if (score->rows == 0)
        return;
    json_put_number(writer, "median_ape", score->median_ape);
    json_put_number(writer, "mean_ape", score->mean_ape);
    if (!isnan(score->coverage90))
        json_put_number(writer, "coverage90", score->coverage90);
}

/* The baselines beside ours. */
static void put_baselines(struct json_writer *writer, const struct score *scores)
{
    json_open_object(writer, "baselines");
    for (int method = METHOD_OURS + 1; method < METHOD_COUNT; method++) {
        json_open_object(writer, evaluate_method_name((enum evaluate_method)method));
        put_score(writer, &scores[method]);
        json_end(writer);
    }
    json_end(writer);
}

static enum status print_json(const struct evaluated *evaluated, struct fault *fault)
{
    const struct evaluation *evaluation = &evaluated->evaluation;
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_text(&writer, "split", evaluated->options->split);
    json_put_integer(&writer, "rows_skipped", evaluated->measurements->skipped_count);
    json_put_integer(&writer, "fits", evaluation->fits);
    json_put_number(&writer, "fit_seconds", evaluation->fit_seconds / evaluation->fits);
    json_open_object(&writer, "overall");
    put_score(&writer, &evaluation->overall[METHOD_OURS]);
    put_baselines(&writer, evaluation->overall);
    json_end(&writer);
    json_open_array(&writer, "pairs");
    for (uint32_t p = 0; p < evaluation->pair_count; p++) {
        json_open_object(&writer, NULL);
        json_put_text(&writer, "model", evaluation->pairs[p].model.text);
        json_put_text(&writer, "cluster", evaluation->pairs[p].cluster.text);
        put_score(&writer, &evaluation->pairs[p].scores[METHOD_OURS]);
        put_baselines(&writer, evaluation->pairs[p].scores);
        json_end(&writer);
    }
    json_end(&writer);
    enum status const status = json_write(&writer, stdout, fault);
    json_writer_fini(&writer);
    return status;
}
