/*
 * Experiment: what a shipped experiment is to the laboratory: a name, a note for its readers,
 * parameters with ranges, metrics with units, and one function that runs one replication.
 *
 * The laboratory (lab.h) turns a configuration into arms (settings of the parameters) and
 * replications, gives each its random numbers and keeps what is observed. Same setting and same
 * streams, same observations, bit for bit: a run sees no clock, no thread, no order of work, and
 * takes exp and log from base/elementary.
 *
 * *Random numbers.* experiment_stream() gives the stream of a name: the same in all arms of one
 * replication (common random numbers), independent between replications and names. Arms that draw
 * the same thing take it from the same name.
 *
 * Ownership: settings and observations are the laboratory's; everything a run allocates lies in the
 * run's arena. Thread rule: runs of different tasks go on at the same time; the tables are
 * constant. Complexity: the experiment's.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_EXPERIMENT_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/rng.h"

enum {
    EXPERIMENT_PARAMETERS_MAX = 48,
    EXPERIMENT_METRICS_MAX = 48,
    EXPERIMENT_VECTOR_MAX = 256,          /* numbers of one list */
    EXPERIMENT_WORD_MAX = 511,            /* bytes of a word; a path may be one */
    EXPERIMENT_LABEL_MAX = 47,            /* bytes of a series' or subject's name */
    EXPERIMENT_OBSERVATIONS_MAX = 1000000 /* of one run */
};

enum parameter_kind {
    PARAMETER_REAL,
    PARAMETER_INTEGER,
    PARAMETER_CHOICE, /* one of `choices` */
    PARAMETER_WORD,   /* free text: a file of a trace */
    PARAMETER_LIST    /* of reals, each in the range; "0.5 0.8 0.3" as the default's text */
};

struct experiment_parameter {
    const char *name;
    enum parameter_kind kind;
    const char *standard;       /* the default, as text; NULL: must be given */
    double least, most;         /* of numbers */
    const char *const *choices; /* of a choice, ended by NULL */
    const char *unit;           /* "GPUs", "jobs/s", "credits/GPU-s"; "" where it has none */
    const char *meaning;        /* a line for `experiment describe` */
};

struct experiment_metric {
    const char *name;
    const char *unit;
    const char *meaning;
    bool measured; /* a time: no two runs agree, so it stands in timings.csv, not in the results */
};

/* A parameter's value in one arm. */
struct parameter_value {
    double real;        /* REAL; INTEGER as a whole number; CHOICE: its index */
    const char *word;   /* CHOICE, WORD; terminated */
    const double *list; /* LIST */
    uint32_t list_count;
};

struct experiment;

/* One arm: a value for each parameter, in the experiment's order. */
struct setting {
    const struct experiment *experiment;
    struct parameter_value values[EXPERIMENT_PARAMETERS_MAX];
    const char *directory; /* of the configuration file: relative paths start there */
};

/* The parameter must exist and be of the kind: a defect of ours otherwise. */
double setting_real(const struct setting *setting, const char *parameter);
uint32_t setting_count(const struct setting *setting, const char *parameter); /* INTEGER */
uint32_t setting_choice(const struct setting *setting, const char *parameter);
const char *setting_word(const struct setting *setting, const char *parameter);
const double *setting_list(const struct setting *setting, const char *parameter, uint32_t *count);
/* One number per member out of a LIST of one number (all alike) or of `count`. INVALID otherwise,
 * naming the parameter. */
MUST_USE enum status setting_spread(const struct setting *setting, const char *parameter,
                                    uint32_t count, double *values, struct fault *fault);

/* One replication of one arm under way. */
struct experiment_run {
    const struct setting *setting;
    uint64_t seed; /* of the replication; take streams, not this */
    struct arena *arena;
    struct observations *observations;
    double (*seconds)(void); /* a clock, for measured metrics alone */
};

void experiment_stream(const struct experiment_run *run, const char *name, struct rng *rng);

/*
 * Records one observation. series: the mechanism, policy or method that is compared ("" where there
 * is none); subject: the member or class it concerns ("" for all). A number that isn't finite is
 * kept as a missing one: it says "undefined here" and is counted as such. Trouble sticks: the
 * laboratory reports it after the run.
 */
void experiment_observe(const struct experiment_run *run, const char *series, const char *subject,
                        const char *metric, double value);

struct experiment {
    const char *name;  /* "capacity-sharing" */
    const char *title; /* one line */
    const char *note;  /* theory, references, expected picture; paragraphs, 78 columns */
    const struct experiment_parameter *parameters;
    size_t parameter_count;
    const struct experiment_metric *metrics;
    size_t metric_count;
    const char *baseline; /* the series others are compared with in pairs; NULL: none */
    bool deterministic;   /* draws no random numbers: one replication says all */
    enum status (*run)(const struct experiment_run *run, struct fault *fault);
};

/* The experiments that ship, by name; NULL where none has it. */
const struct experiment *experiment_find(const char *name);
/* All of them. */
const struct experiment *const *experiment_all(size_t *count);

#endif
