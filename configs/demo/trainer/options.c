#include "configs/demo/trainer/options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "configs/demo/trainer/dataset.h"
#include "configs/demo/trainer/team.h"

enum key {
    KEY_EXAMPLES = 'n',
    KEY_BATCH = 'b',
    KEY_RATE = 'r',
    KEY_SEED = 's',
    KEY_MODEL = 'm',
    KEY_GPUS = 'g',
    KEY_SPEED = 0x100,
    KEY_DATA,
    KEY_DATA_LIMIT,
    KEY_CHECKPOINT_EVERY,
    KEY_RESULT,
    KEY_UNPACED,
    KEY_PREDICT
};

static const struct argp_option table[] = {
    {"examples", KEY_EXAMPLES, "N", 0, "Train on N examples in all (default 60000)", 0},
    {"batch", KEY_BATCH, "N", 0, "Examples a step, over all workers (default 64)", 0},
    {"learning-rate", KEY_RATE, "X", 0, "Default 0.2", 0},
    {"seed", KEY_SEED, "N", 0, "Of weights and order (default 1)", 0},
    {"model", KEY_MODEL, "SIZE", 0, "small, medium or large (default medium)", 0},
    {"gpus", KEY_GPUS, "N", 0, "Worker threads (default $ENTENTE_GPUS, or 1)", 0},
    {"speed", KEY_SPEED, "FACTOR", 0, "Of the GPU kind (default $ENTENTE_GPU_SPEED, or 1)", 0},
    {"data", KEY_DATA, "DIRECTORY", 0, "Default $ENTENTE_DATA_FASHION_MNIST, or " DATASET_DIRECTORY,
     0},
    {"data-limit", KEY_DATA_LIMIT, "N", 0, "Use the first N images only", 0},
    {"checkpoint-every", KEY_CHECKPOINT_EVERY, "SECONDS", 0, "Default 5", 0},
    {"result", KEY_RESULT, "FILE", 0, "Write the outcome there, as JSON", 0},
    {"unpaced", KEY_UNPACED, NULL, 0, "As fast as this machine can", 0},
    {"predict", KEY_PREDICT, NULL, 0, "Print the examples/s that the pace gives, and exit", 0},
    {0}};

static uint64_t read_count(struct argp_state *state, const char *what, const char *text,
                           uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long const number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || number == 0 || number > most)
        argp_error(state, "%s must be a number from 1 to %llu, not '%s'", what,
                   (unsigned long long)most, text);
    return number;
}

static double read_amount(struct argp_state *state, const char *what, const char *text,
                          double least, double most)
{
    char *end;
    double const number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number) || number < least || number > most)
        argp_error(state, "%s must be a number from %g to %g, not '%s'", what, least, most, text);
    return number;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_EXAMPLES: options->examples = read_count(state, "--examples", text, INT64_MAX); break;
    case KEY_BATCH: options->batch = (uint32_t)read_count(state, "--batch", text, BATCH_MAX); break;
    case KEY_RATE:
        options->learning_rate = read_amount(state, "--learning-rate", text, 1e-6, 10);
        break;
    case KEY_SEED: options->seed = read_count(state, "--seed", text, INT64_MAX); break;
    case KEY_MODEL:
        options->model = model_find(text);
        if (options->model == NULL)
            argp_error(state, "--model must be one of %s, not '%s'", model_names(), text);
        break;
    case KEY_GPUS:
        options->gpus = (uint32_t)read_count(state, "the number of GPUs", text, TEAM_WORKERS_MAX);
        break;
    case KEY_SPEED:
        options->speed =
            read_amount(state, "the speed factor", text, PACE_SPEED_MIN, PACE_SPEED_MAX);
        break;
    case KEY_DATA: options->data = text; break;
    case KEY_DATA_LIMIT:
        options->data_limit = (uint32_t)read_count(state, "--data-limit", text, DATASET_IMAGES_MAX);
        break;
    case KEY_CHECKPOINT_EVERY:
        options->checkpoint_every_s = read_amount(state, "--checkpoint-every", text, 0.01, 86400);
        break;
    case KEY_RESULT: options->result = text; break;
    case KEY_UNPACED: options->paced = false; break;
    case KEY_PREDICT: options->predict = true; break;
    case ARGP_KEY_INIT: /* what Entente says comes first; the command line may say otherwise */
        if (getenv("ENTENTE_GPUS") != NULL)
            take(KEY_GPUS, getenv("ENTENTE_GPUS"), state);
        if (getenv("ENTENTE_GPU_SPEED") != NULL)
            take(KEY_SPEED, getenv("ENTENTE_GPU_SPEED"), state);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

enum status options_read(int argc, char **argv, struct options *options, struct fault *fault)
{
    static const struct argp parser = {
        .options = table,
        .parser = take,
        .doc = "Trains a small network on Fashion-MNIST at the pace of a declared GPU.\v"
               "As a job of Entente it takes GPUs and speed from ENTENTE_GPUS and "
               "ENTENTE_GPU_SPEED, resumes from and writes to ENTENTE_CHECKPOINT, and reports in "
               "ENTENTE_PROGRESS. SIGTERM makes it write a checkpoint and exit with 75.",
    };
    *options = (struct options){
        .examples = 60000,
        .batch = 64,
        .learning_rate = 0.2,
        .seed = 1,
        .model = model_find("medium"),
        .speed = 1,
        .gpus = 1,
        .gpu = getenv("ENTENTE_GPU"),
        .data = getenv("ENTENTE_DATA_FASHION_MNIST"),
        .checkpoint_every_s = 5,
        .checkpoint = getenv("ENTENTE_CHECKPOINT"),
        .progress = getenv("ENTENTE_PROGRESS"),
        .paced = true,
    };
    if (options->data == NULL)
        options->data = DATASET_DIRECTORY;
    if (options->gpu == NULL)
        options->gpu = "GPU";
    argp_err_exit_status = EXIT_CODE_USAGE;
    argp_program_version = "entente-trainer " ENTENTE_VERSION;
    if (argp_parse(&parser, argc, argv, 0, NULL, options) != 0)
        return fault_set(fault, STATUS_INVALID, "the options can't be read");
    return STATUS_OK;
}
