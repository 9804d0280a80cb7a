/*
 * Options of entente-trainer: from the command line and from what Entente tells a job.
 *
 * Borrowed: texts point into argv and the environment. Thread rule: at start.
 */
#ifndef ENTENTE_CONFIGS_DEMO_TRAINER_OPTIONS_H
#define ENTENTE_CONFIGS_DEMO_TRAINER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "configs/demo/trainer/pace.h"

enum { BATCH_MAX = 65536 };

struct options {
    uint64_t examples; /* all the work there is */
    uint32_t batch;
    double learning_rate;
    uint64_t seed;
    const struct model *model;
    double speed;
    uint32_t gpus;
    const char *gpu; /* the kind's name, for people */
    const char *data;
    uint32_t data_limit; /* 0: all */
    double checkpoint_every_s;
    const char *checkpoint; /* NULL: none */
    const char *progress;   /* NULL: none */
    const char *result;     /* NULL: none */
    bool paced;
    bool predict;
};

/* Leaves the program after --help and on wrong usage, as argp does. INVALID where the environment
 * is wrong. */
MUST_USE enum status options_read(int argc, char **argv, struct options *options,
                                  struct fault *fault);

#endif
