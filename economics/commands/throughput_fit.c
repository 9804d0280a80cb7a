/*
 * throughput fit DATA --out MODEL: the predictor of step times, from measured rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/file.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/throughput/model.h"

static const char program_name[] = "entente-economics";

enum { LINKS_MAX = THROUGHPUT_CLUSTERS_MAX };

struct options {
    const char *path;
    const char *out;
    bool strict;
    const char *links[LINKS_MAX]; /* "CLUSTER=GBPS" */
    uint32_t link_count;
};

struct fitted {
    const struct options *options;
    struct arena arena;
    struct measurements *measurements;
    const struct throughput_model *model;
};

static enum status fit(struct fitted *fitted, struct fault *fault);
static enum status write_out(const struct fitted *fitted, struct fault *fault);
static void print(const struct fitted *fitted);

enum { OPTION_OUT = 256, OPTION_STRICT, OPTION_LINK };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_OUT: options->out = value; return 0;
    case OPTION_STRICT: options->strict = true; return 0;
    case OPTION_LINK:
        if (options->link_count == LINKS_MAX)
            argp_error(state, "over %d links", LINKS_MAX);
        options->links[options->link_count++] = value;
        return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one DATA file at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL || options->out == NULL)
            argp_error(state, "DATA and --out MODEL are needed");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int throughput_fit_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"out", OPTION_OUT, "MODEL", 0, "Write the model here (JSON)", 0},
        {"strict", OPTION_STRICT, NULL, 0, "Refuse bad rows instead of skipping them", 0},
        {"link", OPTION_LINK, "CLUSTER=GBPS", 0,
         "The network of a cluster's nodes in Gbit/s, where the rows don't say it; may be repeated",
         0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "DATA --out MODEL",
        .purpose = "Fits the step times in DATA (CSV) and writes the predictor to MODEL.",
        .own = list,
        .parser = parse_option,
        .closing = "economics/throughput/README.md documents the columns, the law and the file."};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    struct fitted fitted = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&fitted.arena, ARENA_ROUND_BYTES);
    enum status status = fit(&fitted, &fault);
    if (status == STATUS_OK)
        status = write_out(&fitted, &fault);
    if (status == STATUS_OK)
        print(&fitted);
    arena_fini(&fitted.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

static enum status read_links(const struct fitted *fitted, double *gbps, struct fault *fault)
{
    for (uint32_t i = 0; i < fitted->options->link_count; i++) {
        const char *text = fitted->options->links[i];
        const char *equals = strchr(text, '=');
        char *end = NULL;
        double const value = equals != NULL ? strtod(equals + 1, &end) : 0;
        if (equals == NULL || end == equals + 1 || *end != '\0' ||
            !(value > 0 && value <= THROUGHPUT_NETWORK_GBPS_MAX))
            return fault_set(fault, STATUS_INVALID, "--link %s: give CLUSTER=GBPS, as in aws=10",
                             text);
        uint32_t c = 0;
        while (
            c < fitted->measurements->cluster_count &&
            (strncmp(fitted->measurements->clusters[c].text, text, (size_t)(equals - text)) != 0 ||
             fitted->measurements->clusters[c].text[equals - text] != '\0'))
            c++;
        if (c == fitted->measurements->cluster_count)
            return fault_set(fault, STATUS_NOT_FOUND, "--link %s: the data has no such cluster",
                             text);
        gbps[c] = value;
    }
    return STATUS_OK;
}

static enum status fit(struct fitted *fitted, struct fault *fault)
{
    double gbps[THROUGHPUT_CLUSTERS_MAX] = {0};
    fitted->measurements = arena_alloc(&fitted->arena, 1, sizeof *fitted->measurements);
    if (fitted->measurements == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for measurements");
    measurements_init(fitted->measurements, &fitted->arena);
    enum status status = measurements_read(fitted->measurements, fitted->options->path,
                                           fitted->options->strict, fault);
    if (status == STATUS_OK)
        status = read_links(fitted, gbps, fault);
    struct model_options const options = {.link_gbps = gbps};
    if (status == STATUS_OK)
        status = model_fit(fitted->measurements, NULL, 0, &options, &fitted->arena, &fitted->model,
                           fault);
    return status;
}

static enum status write_out(const struct fitted *fitted, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the model's file");
    enum status status = model_write(fitted->model, memory, fault);
    if (fclose(memory) != 0 && status == STATUS_OK)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for the model's file");
    if (status == STATUS_OK)
        status = file_write(fitted->options->out, (struct bytes){(const uint8_t *)text, size}, 0644,
                            fault);
    free(text);
    return status;
}

static void put_at_prior(struct table *table, const struct model_belief *belief)
{
    char text[128] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < FORM_PARAMETERS; i++)
        if ((belief->at_prior & 1U << i) != 0 && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " " : "",
                                     form_parameter_name((enum form_parameter)i));
    table_text(table, used > 0 ? text : "-");
}

static void print_pairs(const struct throughput_model *model)
{
    static const struct table_column columns[] = {
        {"model", false},     {"cluster", false},
        {"rows", true},       {"placements", true},
        {"GPUs up to", true}, {"one GPU (s/step)", true},
        {"noise (%)", true},  {"left at prior, too few rows", false}};
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t m = 0; m < model->model_count; m++)
        for (uint32_t c = 0; c < model->cluster_count; c++) {
            const struct model_belief *belief = model_belief_of(model, m, c);
            if (belief->coverage.rows == 0)
                continue;
            struct configuration const one = configuration_even(1, 1, exp(model->centre[m]));
            struct form_input const input = form_prepare(&one, model->centre[m]);
            table_text(&table, model->models[m].text);
            table_text(&table, model->clusters[c].text);
            table_format(&table, "%u", belief->coverage.rows);
            table_format(&table, "%u", belief->coverage.placements);
            table_format(&table, "%u", belief->coverage.gpus_max);
            table_format(&table, "%.4g", form_gradient_seconds(&input, belief->mean));
            table_format(&table, "%.1f", 100 * belief->scale);
            put_at_prior(&table, belief);
        }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print(const struct fitted *fitted)
{
    const struct measurements *set = fitted->measurements;
    throughput_print_complaints(set, fitted->options->path);
    printf("%u rows fitted, %u skipped; %u models on %u clusters\n\n", set->row_count,
           set->skipped_count, set->model_count, set->cluster_count);
    print_pairs(fitted->model);
    const struct interval_factors *factors = &fitted->model->factors;
    printf("\n90%% intervals, in deviations each way: %.2f within what was measured, %.2f beyond",
           factors->measured, factors->beyond);
    for (int t = 0; t < SPARSE_TRIALS; t++)
        printf(", %.2f of %u rows", factors->sparse[t], calibration_rows[t]);
    printf("\n(found on %u, %u and %u left-out rows)\n", factors->evidence[REACH_MEASURED],
           factors->evidence[REACH_BEYOND], factors->evidence[REACH_SPARSE]);
    printf("model: %s\n", fitted->options->out);
}
