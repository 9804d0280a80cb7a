/*
 * throughput predict MODEL --job NAME --gpu CLUSTER --gpus N ...: how fast, and how sure.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/command.h"
#include "base/json.h"
#include "economics/commands/commands.h"
#include "economics/throughput/model.h"
#include "economics/throughput/servers.h"

static const char program_name[] = "entente-economics";

enum { SIMULATED_PUSHES = 100000 };

/* How much gradient passes vary where nothing is known: a tenth of their mean and less is usual on
 * dedicated GPUs; the lognormal line shows what a good deal more would do. */
#define SIMULATED_VARIATION 0.5

struct options {
    const char *path;
    const char *job;
    const char *gpu;
    uint32_t gpus;
    uint32_t nodes;
    uint32_t fullest;
    uint32_t accumulation;
    uint32_t servers;
    double batch;
    double network_gbps;
    bool asynchronous;
    bool json;
};

struct server_answer {
    bool asked;
    bool analysed; /* too many synchronous workers otherwise */
    struct server_training training;
    double exponential; /* pushes/s */
    double simulated[3];
};

struct predicted {
    const struct options *options;
    struct arena arena;
    const struct throughput_model *model;
    uint32_t job;
    uint32_t cluster;
    struct configuration configuration;
    struct prediction prediction;
    struct server_answer servers;
};

static enum status predict(struct predicted *predicted, struct fault *fault);
static void print_people(const struct predicted *predicted);
static enum status print_json(const struct predicted *predicted, struct fault *fault);

enum {
    OPTION_JOB = 256,
    OPTION_GPU,
    OPTION_GPUS,
    OPTION_NODES,
    OPTION_FULLEST,
    OPTION_BATCH,
    OPTION_ACCUMULATION,
    OPTION_SERVERS,
    OPTION_ASYNCHRONOUS,
    OPTION_NETWORK,
    OPTION_JSON
};

static double number_of(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    errno = 0;
    double const number = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0)
        argp_error(state, "--%s %s: give a number", option, text);
    return number;
}

static uint32_t count_of(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long const number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        argp_error(state, "--%s %s: give a count", option, text);
    return (uint32_t)number;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_JOB: options->job = value; return 0;
    case OPTION_GPU: options->gpu = value; return 0;
    case OPTION_GPUS: options->gpus = count_of(state, "gpus", value); return 0;
    case OPTION_NODES: options->nodes = count_of(state, "nodes", value); return 0;
    case OPTION_FULLEST: options->fullest = count_of(state, "gpus-on-fullest", value); return 0;
    case OPTION_BATCH: options->batch = number_of(state, "batch", value); return 0;
    case OPTION_ACCUMULATION:
        options->accumulation = count_of(state, "accumulation", value);
        return 0;
    case OPTION_SERVERS: options->servers = count_of(state, "servers", value); return 0;
    case OPTION_ASYNCHRONOUS: options->asynchronous = true; return 0;
    case OPTION_NETWORK: options->network_gbps = number_of(state, "network", value); return 0;
    case OPTION_JSON: options->json = true; return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one MODEL at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL || options->job == NULL || options->gpu == NULL ||
            options->gpus == 0 || !(options->batch > 0))
            argp_error(state, "MODEL, --job, --gpu, --gpus and --batch are needed");
        if (options->asynchronous && options->servers == 0)
            argp_error(state, "--asynchronous needs --servers");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int throughput_predict_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"job", OPTION_JOB, "NAME", 0, "The model that is trained, as in the data", 0},
        {"gpu", OPTION_GPU, "CLUSTER", 0, "The cluster (its GPU kind and network)", 0},
        {"gpus", OPTION_GPUS, "N", 0, "Workers, one a GPU", 0},
        {"nodes", OPTION_NODES, "N", 0, "On so many nodes (default 1)", 0},
        {"gpus-on-fullest", OPTION_FULLEST, "N", 0,
         "Most workers on one node (default: as even as can be)", 0},
        {"batch", OPTION_BATCH, "N", 0, "Examples a worker and gradient pass", 0},
        {"accumulation", OPTION_ACCUMULATION, "N", 0, "Gradient passes a step (default 1)", 0},
        {"servers", OPTION_SERVERS, "N", 0, "Parameter servers instead of a ring all-reduce", 0},
        {"asynchronous", OPTION_ASYNCHRONOUS, NULL, 0, "Workers do not wait for each other", 0},
        {"network", OPTION_NETWORK, "GBPS", 0, "Each node's link in Gbit/s (default: as fitted)",
         0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of text", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "MODEL --job NAME --gpu CLUSTER --gpus N --batch N",
        .purpose = "Predicts the step time and examples/s of a job in a configuration.",
        .own = list,
        .parser = parse_option,
        .closing = "A job or cluster that MODEL has not seen is predicted from all others; the "
                   "interval says how little that is worth."};
    struct options options = {.nodes = 1, .accumulation = 1};
    command_parse(argc, argv, &syntax, &options);
    struct predicted predicted = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&predicted.arena, ARENA_ROUND_BYTES);
    enum status status = predict(&predicted, &fault);
    if (status == STATUS_OK && options.json)
        status = print_json(&predicted, &fault);
    else if (status == STATUS_OK)
        print_people(&predicted);
    arena_fini(&predicted.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

/* -- Parameter servers ------------------------------------------------------------------------- */

/* The law gives a gradient pass and the time to move one model over a link; each of S servers'
 * links carries 1/S of it to and from every worker. Updating is taken to be free. */
static enum status ask_network(struct predicted *predicted, struct fault *fault)
{
    struct server_answer *answer = &predicted->servers;
    struct form_input input;
    enum status status = model_prepare(predicted->model, predicted->job, predicted->cluster,
                                       &predicted->configuration, &input, fault);
    if (status != STATUS_OK)
        return status;
    const double *theta =
        model_belief_of(predicted->model, predicted->job, predicted->cluster)->mean;
    double const link = form_transfer_seconds(&input, theta) / predicted->configuration.servers;
    answer->training = (struct server_training){
        .workers = predicted->configuration.gpus,
        .synchronous = !predicted->options->asynchronous,
        .mean_seconds = {[STATION_DOWNLINK] = link,
                         [STATION_COMPUTE] = form_gradient_seconds(&input, theta) *
                                             predicted->configuration.accumulation,
                         [STATION_UPLINK] = link}};
    answer->analysed =
        answer->training.workers <= SERVERS_WORKERS_EXACT || !answer->training.synchronous;
    if (answer->analysed)
        status = servers_analyse(&answer->training, &answer->exponential, fault);
    for (int law = 0; status == STATUS_OK && law < 3; law++) {
        struct server_simulation const simulation = {(enum service_law)law, SIMULATED_VARIATION,
                                                     SIMULATED_PUSHES, 1};
        status = servers_simulate(&answer->training, &simulation, &answer->simulated[law], fault);
    }
    answer->asked = true;
    return status;
}

static enum status predict(struct predicted *predicted, struct fault *fault)
{
    const struct options *options = predicted->options;
    enum status status = model_read(options->path, &predicted->arena, &predicted->model, fault);
    if (status != STATUS_OK)
        return status;
    predicted->job = model_find(predicted->model, options->job);
    predicted->cluster = model_find_cluster(predicted->model, options->gpu);
    struct configuration *of = &predicted->configuration;
    *of =
        configuration_even(options->gpus, options->nodes > 0 ? options->nodes : 1, options->batch);
    of->nodes = options->nodes;
    of->accumulation = options->accumulation;
    of->servers = options->servers;
    of->network_gbps = options->network_gbps;
    if (options->fullest > 0)
        of->gpus_on_fullest = options->fullest;
    status = model_predict(predicted->model, predicted->job, predicted->cluster, of,
                           &predicted->prediction, fault);
    return status == STATUS_OK && of->servers > 0 ? ask_network(predicted, fault) : status;
}

/* -- What is said ------------------------------------------------------------------------------ */

static const char *reach_says(enum throughput_reach reach)
{
    static const char *const says[REACH_COUNT] = {
        [REACH_MEASURED] = "within what was measured of this job here",
        [REACH_BEYOND] = "beyond what was measured of this job here",
        [REACH_SPARSE] = "few rows of this job here; the rest is from others",
        [REACH_NEW] = "no row of this job here; from others alone",
    };
    return says[reach];
}

static void print_at_prior(const struct model_belief *belief)
{
    if (belief->at_prior == 0)
        return;
    printf("at prior           ");
    for (uint32_t i = 0; i < FORM_PARAMETERS; i++)
        if ((belief->at_prior & 1U << i) != 0)
            printf(" %s", form_parameter_name((enum form_parameter)i));
    printf(" (too few rows to tell)\n");
}

static void print_servers(const struct predicted *predicted)
{
    const struct server_answer *answer = &predicted->servers;
    double const batch = predicted->configuration.batch * predicted->configuration.accumulation;
    static const char *const laws[] = {"exponential", "deterministic", "lognormal"};
    printf("\n%s training with %u parameter servers, as a closed queueing network\n"
           "(pass %.4g s, each server's link %.4g s a worker and way; from the ring's rows):\n",
           answer->training.synchronous ? "synchronous" : "asynchronous",
           predicted->configuration.servers, answer->training.mean_seconds[STATION_COMPUTE],
           answer->training.mean_seconds[STATION_UPLINK]);
    if (answer->analysed)
        printf("  analysed, exponential    %10.1f examples/s\n", answer->exponential * batch);
    for (int law = 0; law < 3; law++)
        printf("  simulated, %-13s %10.1f examples/s\n", laws[law], answer->simulated[law] * batch);
}

static void print_people(const struct predicted *predicted)
{
    const struct prediction *of = &predicted->prediction;
    const struct configuration *in = &predicted->configuration;
    if (predicted->job == predicted->model->model_count)
        printf("job %s was never measured: nothing is known of its size\n",
               predicted->options->job);
    if (predicted->cluster == predicted->model->cluster_count)
        printf("cluster %s was never measured: nothing is known of its speed\n",
               predicted->options->gpu);
    printf("%s on %s: %u GPUs on %u nodes, batch %g a worker\n", predicted->options->job,
           predicted->options->gpu, in->gpus, in->nodes, in->batch);
    printf("step time           %.4g s (90%%: %.4g to %.4g)\n", of->seconds, of->seconds_low,
           of->seconds_high);
    printf("throughput          %.4g examples/s (90%%: %.4g to %.4g)\n", of->examples_per_second,
           of->examples_per_second_low, of->examples_per_second_high);
    printf("evidence            %s\n", reach_says(of->reach));
    print_at_prior(model_belief_of(predicted->model, predicted->job, predicted->cluster));
    if (predicted->servers.asked)
        print_servers(predicted);
}

static void put_servers(const struct predicted *predicted, struct json_writer *writer)
{
    const struct server_answer *answer = &predicted->servers;
    double const batch = predicted->configuration.batch * predicted->configuration.accumulation;
    json_open_object(writer, "servers");
    json_put_boolean(writer, "synchronous", answer->training.synchronous);
    if (answer->analysed)
        json_put_number(writer, "analysed_exponential", answer->exponential * batch);
    json_put_number(writer, "simulated_exponential", answer->simulated[0] * batch);
    json_put_number(writer, "simulated_deterministic", answer->simulated[1] * batch);
    json_put_number(writer, "simulated_lognormal", answer->simulated[2] * batch);
    json_end(writer);
}

static enum status print_json(const struct predicted *predicted, struct fault *fault)
{
    const struct prediction *of = &predicted->prediction;
    const struct model_belief *belief =
        model_belief_of(predicted->model, predicted->job, predicted->cluster);
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_number(&writer, "step_seconds", of->seconds);
    json_put_number(&writer, "step_seconds_low", of->seconds_low);
    json_put_number(&writer, "step_seconds_high", of->seconds_high);
    json_put_number(&writer, "examples_per_second", of->examples_per_second);
    json_put_number(&writer, "examples_per_second_low", of->examples_per_second_low);
    json_put_number(&writer, "examples_per_second_high", of->examples_per_second_high);
    json_put_text(&writer, "evidence", throughput_reach_name(of->reach));
    json_put_integer(&writer, "rows", belief->coverage.rows);
    json_open_array(&writer, "at_prior");
    for (uint32_t i = 0; i < FORM_PARAMETERS; i++)
        if ((belief->at_prior & 1U << i) != 0)
            json_put_text(&writer, NULL, form_parameter_name((enum form_parameter)i));
    json_end(&writer);
    if (predicted->servers.asked)
        put_servers(predicted, &writer);
    enum status const status = json_write(&writer, stdout, fault);
    json_writer_fini(&writer);
    return status;
}
