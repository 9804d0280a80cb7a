/* experiment list, experiment describe NAME: what ships. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/command.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/experiments/experiment.h"

static const char program_name[] = "entente-economics";

enum { OPTION_JSON = 256 };

struct options {
    const char *name;
    bool json;
};

static const struct argp_option options_list[] = {
    {"json", OPTION_JSON, NULL, 0, "Print JSON instead of text", 0}, {NULL, 0, NULL, 0, NULL, 0}};

static error_t parse_list(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    (void)value;
    if (key != OPTION_JSON)
        return ARGP_ERR_UNKNOWN;
    options->json = true;
    return 0;
}

static error_t parse_describe(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (options->name != NULL)
            argp_error(state, "one NAME at a time");
        options->name = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "NAME is missing; `experiment list` has them");
        return 0;
    default: return parse_list(key, value, state);
    }
}

static int finish(struct json_writer *writer)
{
    struct fault fault = {.status = STATUS_OK};
    enum status status = json_write(writer, stdout, &fault);
    json_writer_fini(writer);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

int experiment_list_command(int argc, char **argv)
{
    static const struct command_syntax syntax = {
        .purpose = "The experiments that ship.", .own = options_list, .parser = parse_list};
    static const struct table_column columns[] = {{"name", false}, {"what it asks", false}};
    struct options options = {0};
    size_t count;
    const struct experiment *const *all = experiment_all(&count);
    command_parse(argc, argv, &syntax, &options);
    if (options.json) {
        struct json_writer writer;
        json_writer_init(&writer);
        json_open_array(&writer, "experiments");
        for (size_t i = 0; i < count; i++) {
            json_open_object(&writer, NULL);
            json_put_text(&writer, "name", all[i]->name);
            json_put_text(&writer, "title", all[i]->title);
            json_end(&writer);
        }
        json_end(&writer);
        return finish(&writer);
    }
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < count; i++) {
        table_text(&table, all[i]->name);
        table_text(&table, all[i]->title);
    }
    table_print(&table, stdout);
    table_fini(&table);
    return EXIT_CODE_OK;
}

static void describe_text(const struct experiment *experiment)
{
    static const struct table_column parameter_columns[] = {
        {"parameter", false}, {"default", false}, {"unit", false}, {"meaning", false}};
    static const struct table_column metric_columns[] = {
        {"metric", false}, {"unit", false}, {"meaning", false}};
    struct table table;
    printf("%s: %s\n\n%s\n\n", experiment->name, experiment->title, experiment->note);
    table_init(&table, parameter_columns, 4);
    for (size_t i = 0; i < experiment->parameter_count; i++) {
        const struct experiment_parameter *parameter = &experiment->parameters[i];
        table_text(&table, parameter->name);
        table_text(&table, parameter->standard != NULL ? parameter->standard : "(needed)");
        table_text(&table, parameter->unit);
        table_text(&table, parameter->meaning);
    }
    table_print(&table, stdout);
    table_fini(&table);
    printf("\n");
    table_init(&table, metric_columns, 3);
    for (size_t i = 0; i < experiment->metric_count; i++) {
        table_text(&table, experiment->metrics[i].name);
        table_text(&table, experiment->metrics[i].unit);
        table_text(&table, experiment->metrics[i].meaning);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static int describe_json(const struct experiment *experiment)
{
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_text(&writer, "name", experiment->name);
    json_put_text(&writer, "title", experiment->title);
    json_put_text(&writer, "note", experiment->note);
    json_open_array(&writer, "parameters");
    for (size_t i = 0; i < experiment->parameter_count; i++) {
        const struct experiment_parameter *parameter = &experiment->parameters[i];
        json_open_object(&writer, NULL);
        json_put_text(&writer, "name", parameter->name);
        if (parameter->standard != NULL)
            json_put_text(&writer, "default", parameter->standard);
        json_put_text(&writer, "unit", parameter->unit);
        json_put_text(&writer, "meaning", parameter->meaning);
        json_end(&writer);
    }
    json_end(&writer);
    json_open_array(&writer, "metrics");
    for (size_t i = 0; i < experiment->metric_count; i++) {
        json_open_object(&writer, NULL);
        json_put_text(&writer, "name", experiment->metrics[i].name);
        json_put_text(&writer, "unit", experiment->metrics[i].unit);
        json_put_text(&writer, "meaning", experiment->metrics[i].meaning);
        json_end(&writer);
    }
    json_end(&writer);
    return finish(&writer);
}

int experiment_describe_command(int argc, char **argv)
{
    static const struct command_syntax syntax = {
        .arguments = "NAME",
        .purpose = "Theory, references, expected picture, parameters and metrics of an experiment.",
        .own = options_list,
        .parser = parse_describe};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    const struct experiment *experiment = experiment_find(options.name);
    if (experiment != NULL && options.json)
        return describe_json(experiment);
    if (experiment != NULL) {
        describe_text(experiment);
        return EXIT_CODE_OK;
    }
    size_t count;
    const struct experiment *const *all = experiment_all(&count);
    struct nearest nearest;
    struct fault fault;
    char hint[NAME_HINT_MAX];
    nearest_begin(&nearest, options.name);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, all[i]->name);
    nearest_hint(&nearest, hint);
    fault_set(&fault, STATUS_NOT_FOUND, "no experiment is named '%.64s'%s", options.name, hint);
    return command_fail(program_name, &fault);
}
