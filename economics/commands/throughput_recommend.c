/*
 * throughput recommend MODEL --job NAME: the best configurations for a budget or a deadline, as a
 * table and a plot in the terminal.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/json.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/throughput/recommend.h"

static const char program_name[] = "entente-economics";

enum { GPUS_MAX_DEFAULT = 16, GPUS_PER_NODE_DEFAULT = 8, TOP_DEFAULT = 10, PLOT_WIDTH = 50 };

#define EXAMPLES_DEFAULT 1e6

struct options {
    const char *path;
    const char *job;
    const char *gpus[THROUGHPUT_CLUSTERS_MAX]; /* "CLUSTER" or "CLUSTER=PRICE" */
    uint32_t gpu_count;
    double batches[RECOMMEND_BATCHES_MAX];
    uint32_t batch_count;
    double gpus_max;
    double gpus_per_node;
    double examples;
    double deadline;
    double budget;
    double noise_scale;
    double base_batch;
    double top;
    bool json;
};

struct recommended {
    struct options *options;
    struct arena arena;
    const struct throughput_model *model;
    struct recommend_cluster clusters[THROUGHPUT_CLUSTERS_MAX];
    struct recommend_question question;
    struct recommendation recommendation;
};

static enum status ask(struct recommended *recommended, struct fault *fault);
static void print_people(const struct recommended *recommended);
static enum status print_json(const struct recommended *recommended, struct fault *fault);

enum {
    OPTION_JOB = 256,
    OPTION_GPU,
    OPTION_GPUS_MAX,
    OPTION_GPUS_PER_NODE,
    OPTION_BATCH,
    OPTION_EXAMPLES,
    OPTION_DEADLINE,
    OPTION_BUDGET,
    OPTION_NOISE_SCALE,
    OPTION_BASE_BATCH,
    OPTION_TOP,
    OPTION_JSON
};

static double positive(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    errno = 0;
    double const number = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(number > 0 && number < 1e18))
        argp_error(state, "--%s %s: give a positive number", option, text);
    return number;
}

static error_t parse_list(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_GPU:
        if (options->gpu_count == THROUGHPUT_CLUSTERS_MAX)
            argp_error(state, "over %d clusters", THROUGHPUT_CLUSTERS_MAX);
        options->gpus[options->gpu_count++] = value;
        return 0;
    case OPTION_BATCH:
        if (options->batch_count == RECOMMEND_BATCHES_MAX)
            argp_error(state, "over %d batches", RECOMMEND_BATCHES_MAX);
        options->batches[options->batch_count++] = positive(state, "batch", value);
        return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one MODEL at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL || options->job == NULL)
            argp_error(state, "MODEL and --job are needed");
        if ((options->noise_scale > 0) != (options->base_batch > 0))
            argp_error(state, "--noise-scale and --base-batch go together");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_JOB: options->job = value; return 0;
    case OPTION_GPUS_MAX: options->gpus_max = positive(state, "gpus-max", value); return 0;
    case OPTION_GPUS_PER_NODE:
        options->gpus_per_node = positive(state, "gpus-per-node", value);
        return 0;
    case OPTION_EXAMPLES: options->examples = positive(state, "examples", value); return 0;
    case OPTION_DEADLINE: options->deadline = positive(state, "deadline", value); return 0;
    case OPTION_BUDGET: options->budget = positive(state, "budget", value); return 0;
    case OPTION_NOISE_SCALE: options->noise_scale = positive(state, "noise-scale", value); return 0;
    case OPTION_BASE_BATCH: options->base_batch = positive(state, "base-batch", value); return 0;
    case OPTION_TOP: options->top = positive(state, "top", value); return 0;
    case OPTION_JSON: options->json = true; return 0;
    default: return parse_list(key, value, state);
    }
}

static const struct argp_option option_list[] = {
    {"job", OPTION_JOB, "NAME", 0, "The model that is trained, as in the data", 0},
    {"gpu", OPTION_GPU, "CLUSTER[=PRICE]", 0,
     "Consider this cluster, at so many credits per GPU-second (default 1); may be repeated "
     "(default: all)",
     0},
    {"gpus-max", OPTION_GPUS_MAX, "N", 0, "Up to so many GPUs (default 16)", 0},
    {"gpus-per-node", OPTION_GPUS_PER_NODE, "N", 0, "Packed so many on a node (default 8)", 0},
    {"batch", OPTION_BATCH, "N", 0,
     "Examples a worker and pass; may be repeated (default: those measured)", 0},
    {"examples", OPTION_EXAMPLES, "N", 0, "The work (default a million)", 0},
    {"deadline", OPTION_DEADLINE, "SECONDS", 0, "Done by then; the cheapest first", 0},
    {"budget", OPTION_BUDGET, "CREDITS", 0, "For no more; the fastest first", 0},
    {"noise-scale", OPTION_NOISE_SCALE, "EXAMPLES", 0,
     "Pollux's gradient noise scale: judge by goodput, with --base-batch", 0},
    {"base-batch", OPTION_BASE_BATCH, "N", 0, "Batch over all workers at which an example counts 1",
     0},
    {"top", OPTION_TOP, "N", 0, "Show so many (default 10)", 0},
    {"json", OPTION_JSON, NULL, 0, "Print JSON instead of text", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

int throughput_recommend_command(int argc, char **argv)
{
    static const struct command_syntax syntax = {
        .arguments = "MODEL --job NAME",
        .purpose = "Recommends configurations of GPUs and batch for a job.",
        .own = option_list,
        .parser = parse_option,
        .closing = "A deadline or budget is met where it is met nine times in ten. Configurations "
                   "marked * are beaten by no other in both time and cost."};
    struct options options = {.gpus_max = GPUS_MAX_DEFAULT,
                              .gpus_per_node = GPUS_PER_NODE_DEFAULT,
                              .examples = EXAMPLES_DEFAULT,
                              .top = TOP_DEFAULT};
    command_parse(argc, argv, &syntax, &options);
    struct recommended recommended = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&recommended.arena, ARENA_ROUND_BYTES);
    enum status status = ask(&recommended, &fault);
    if (status == STATUS_OK && options.json)
        status = print_json(&recommended, &fault);
    else if (status == STATUS_OK)
        print_people(&recommended);
    arena_fini(&recommended.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

/* -- The question ------------------------------------------------------------------------------ */

static enum status add_cluster(struct recommended *recommended, const char *text,
                               struct fault *fault)
{
    char name[NAME_BYTES_MAX + 1];
    const char *equals = strchr(text, '=');
    char *end = NULL;
    double const price = equals != NULL ? strtod(equals + 1, &end) : 1;
    int const length = equals != NULL ? (int)(equals - text) : (int)strnlen(text, sizeof name);
    snprintf(name, sizeof name, "%.*s", length, text);
    uint32_t const cluster = model_find_cluster(recommended->model, name);
    if (cluster == recommended->model->cluster_count)
        return fault_set(fault, STATUS_NOT_FOUND, "the model has no cluster '%s'", name);
    if (equals != NULL && (end == equals + 1 || *end != '\0' || !(price >= 0 && price < 1e12)))
        return fault_set(fault, STATUS_INVALID, "--gpu %s: give CLUSTER=PRICE, as in aws=0.001",
                         text);
    recommended->clusters[recommended->question.cluster_count++] = (struct recommend_cluster){
        .cluster = cluster,
        .price = price,
        .gpus_max = (uint32_t)fmin(recommended->options->gpus_max, THROUGHPUT_GPUS_MAX),
        .gpus_per_node = (uint32_t)fmax(1, fmin(recommended->options->gpus_per_node, 1024))};
    return STATUS_OK;
}

/* Where none is given: the measured ones, evenly chosen where there are too many. */
static void choose_batches(struct recommended *recommended)
{
    struct options *options = recommended->options;
    const struct batch_effects *measured =
        &model_belief_of(recommended->model, recommended->question.job,
                         recommended->model->cluster_count)
             ->effects;
    if (options->batch_count > 0)
        return;
    uint32_t const most = 8;
    uint32_t const count = measured->count < most ? measured->count : most;
    for (uint32_t b = 0; b < count; b++)
        options->batches[options->batch_count++] =
            measured->of[count > 1 ? (uint64_t)b * (measured->count - 1) / (count - 1) : 0].batch;
}

static enum status ask(struct recommended *recommended, struct fault *fault)
{
    struct options *options = recommended->options;
    enum status status = model_read(options->path, &recommended->arena, &recommended->model, fault);
    if (status != STATUS_OK)
        return status;
    struct recommend_question *question = &recommended->question;
    question->job = model_find(recommended->model, options->job);
    if (question->job == recommended->model->model_count)
        return fault_set(fault, STATUS_NOT_FOUND,
                         "%s has no job '%s': measure it first (throughput fit)", options->path,
                         options->job);
    for (uint32_t c = 0; status == STATUS_OK && c < options->gpu_count; c++)
        status = add_cluster(recommended, options->gpus[c], fault);
    for (uint32_t c = 0;
         status == STATUS_OK && options->gpu_count == 0 && c < recommended->model->cluster_count;
         c++)
        status = add_cluster(recommended, recommended->model->clusters[c].text, fault);
    if (status != STATUS_OK)
        return status;
    choose_batches(recommended);
    question->clusters = recommended->clusters;
    question->batches = options->batches;
    question->batch_count = options->batch_count;
    question->examples = options->examples;
    question->deadline_seconds = options->deadline;
    question->budget = options->budget;
    question->noise = (struct noise_scale){options->noise_scale, options->base_batch};
    return recommend(recommended->model, question, &recommended->arena,
                     &recommended->recommendation, fault);
}

/* -- Table and plot ---------------------------------------------------------------------------- */

static void print_table(const struct recommended *recommended)
{
    static const struct table_column columns[] = {{"", false},
                                                  {"GPUs", true},
                                                  {"cluster", false},
                                                  {"nodes", true},
                                                  {"batch a worker", true},
                                                  {"examples/s", true},
                                                  {"worth each (%)", true},
                                                  {"run time (s)", true},
                                                  {"9 in 10 within (s)", true},
                                                  {"cost (credits)", true},
                                                  {"evidence", false}};
    const struct recommendation *of = &recommended->recommendation;
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < of->choice_count && i < recommended->options->top; i++) {
        const struct choice *choice = &of->choices[i];
        if (!choice->meets)
            break;
        table_text(&table, choice->frontier ? "*" : "");
        table_format(&table, "%u", choice->configuration.gpus);
        table_text(&table, recommended->model->clusters[choice->cluster].text);
        table_format(&table, "%u", choice->configuration.nodes);
        table_format(&table, "%g", choice->configuration.batch);
        table_format(&table, "%.4g", choice->prediction.examples_per_second);
        table_format(&table, "%.0f", 100 * choice->efficiency);
        table_format(&table, "%.4g", choice->run_seconds);
        table_format(&table, "%.4g", choice->run_seconds_high);
        table_format(&table, "%.4g", choice->cost);
        table_text(&table, throughput_reach_name(choice->prediction.reach));
    }
    table_print(&table, stdout);
    table_fini(&table);
}

/* Examples/s at the base batch's worth. */
static double goodput(const struct choice *choice)
{
    return choice->prediction.examples_per_second * choice->efficiency;
}

/* The best batch of a cluster at a number of GPUs. */
static const struct choice *best_of(const struct recommendation *of, uint32_t cluster,
                                    uint32_t gpus)
{
    const struct choice *best = NULL;
    for (uint32_t i = 0; i < of->choice_count; i++)
        if (of->choices[i].cluster == cluster && of->choices[i].configuration.gpus == gpus &&
            (best == NULL || goodput(&of->choices[i]) > goodput(best)))
            best = &of->choices[i];
    return best;
}

static void print_bar(const struct choice *choice, double most)
{
    double const scale = PLOT_WIDTH / most * choice->efficiency;
    int const low = (int)(choice->prediction.examples_per_second_low * scale);
    int const middle = (int)(choice->prediction.examples_per_second * scale);
    int const high = (int)(choice->prediction.examples_per_second_high * scale);
    for (int at = 0; at <= high && at <= PLOT_WIDTH; at++)
        putchar(at == middle ? '|' : at < low ? '#' : at < middle ? '=' : '-');
    printf(" %.4g\n", goodput(choice));
}

static void print_plot(const struct recommended *recommended)
{
    const struct recommendation *of = &recommended->recommendation;
    double most = 0;
    for (uint32_t i = 0; i < of->choice_count; i++)
        most = fmax(most,
                    of->choices[i].prediction.examples_per_second_high * of->choices[i].efficiency);
    printf("\n%s by GPUs, each cluster at its best batch (# surely, = to the median |, - at best, "
           "90%%)\n",
           recommended->question.noise.base_batch > 0 ? "Goodput (examples/s at the base batch)"
                                                      : "Examples/s");
    for (uint32_t c = 0; c < recommended->question.cluster_count; c++) {
        printf("\n%s\n", recommended->model->clusters[recommended->clusters[c].cluster].text);
        for (uint32_t gpus = 1; gpus <= recommended->clusters[c].gpus_max; gpus *= 2) {
            const struct choice *choice = best_of(of, recommended->clusters[c].cluster, gpus);
            if (choice == NULL)
                continue;
            printf("%6u  ", gpus);
            print_bar(choice, most);
        }
    }
}

static void print_people(const struct recommended *recommended)
{
    const struct recommend_question *question = &recommended->question;
    printf("%g examples of %s", question->examples, recommended->options->job);
    if (question->deadline_seconds > 0)
        printf(", done within %g s", question->deadline_seconds);
    if (question->budget > 0)
        printf(", for at most %g credits", question->budget);
    printf("; %s first\n\n", question->deadline_seconds > 0 ? "cheapest" : "fastest");
    const struct recommendation *of = &recommended->recommendation;
    if (of->choice_count == 0 || !of->choices[0].meets)
        printf("none of %u configurations does it nine times in ten: allow more time, credits or "
               "GPUs\n",
               of->choice_count);
    else
        print_table(recommended);
    print_plot(recommended);
}

static enum status print_json(const struct recommended *recommended, struct fault *fault)
{
    const struct recommendation *of = &recommended->recommendation;
    struct json_writer writer;
    json_writer_init(&writer);
    json_open_array(&writer, "choices");
    for (uint32_t i = 0; i < of->choice_count && i < recommended->options->top; i++) {
        const struct choice *choice = &of->choices[i];
        json_open_object(&writer, NULL);
        json_put_text(&writer, "cluster", recommended->model->clusters[choice->cluster].text);
        json_put_integer(&writer, "gpus", choice->configuration.gpus);
        json_put_integer(&writer, "nodes", choice->configuration.nodes);
        json_put_number(&writer, "batch", choice->configuration.batch);
        json_put_number(&writer, "examples_per_second", choice->prediction.examples_per_second);
        json_put_number(&writer, "efficiency", choice->efficiency);
        json_put_number(&writer, "run_seconds", choice->run_seconds);
        json_put_number(&writer, "run_seconds_high", choice->run_seconds_high);
        json_put_number(&writer, "cost_credits", choice->cost);
        json_put_number(&writer, "cost_credits_high", choice->cost_high);
        json_put_boolean(&writer, "meets", choice->meets);
        json_put_boolean(&writer, "frontier", choice->frontier);
        json_put_text(&writer, "evidence", throughput_reach_name(choice->prediction.reach));
        json_end(&writer);
    }
    json_end(&writer);
    enum status const status = json_write(&writer, stdout, fault);
    json_writer_fini(&writer);
    return status;
}
