/*
 * Measurement: rows of measured training steps, the evidence that throughput is predicted from.
 *
 * A row says: on this cluster (a pool of one GPU kind with its network), this model took so many
 * seconds a step in this configuration. Rows that no model can use (zero, negative, missing,
 * absurd) are skipped and reported with their line, or refused by option; README.md beside this
 * file documents the columns. Ownership: everything lives in the arena given. Thread rule: one
 * thread per set; reading a finished set from many is fine. Complexity: reading O(bytes + rows ×
 * names).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_MEASUREMENT_H
#define ENTENTE_ECONOMICS_THROUGHPUT_MEASUREMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/name.h"

enum {
    THROUGHPUT_MODELS_MAX = 64,
    THROUGHPUT_CLUSTERS_MAX = 64,
    THROUGHPUT_PAIRS_MAX = THROUGHPUT_MODELS_MAX * THROUGHPUT_CLUSTERS_MAX,
    THROUGHPUT_ROWS_MAX = 1000000,
    THROUGHPUT_FILE_BYTES_MAX = 256 * 1024 * 1024,
    THROUGHPUT_COMPLAINTS_MAX = 100, /* kept with their text; the others are only counted */
    THROUGHPUT_GPUS_MAX = 65536,
    THROUGHPUT_ACCUMULATION_MAX = 4096
};

#define THROUGHPUT_BATCH_MAX        1e9 /* examples a worker and pass */
#define THROUGHPUT_SECONDS_MAX      1e6 /* of a step: eleven days are no step */
#define THROUGHPUT_SECONDS_MIN      1e-7
#define THROUGHPUT_NETWORK_GBPS_MAX 1e5

/* In what a job runs; also the question of every prediction. */
struct configuration {
    uint32_t gpus;            /* workers, >= 1 */
    uint32_t nodes;           /* 1 to gpus */
    uint32_t gpus_on_fullest; /* most workers on one node; ceil(gpus / nodes) to gpus - nodes + 1 */
    double batch;             /* examples a worker and gradient pass, > 0 */
    uint32_t accumulation;    /* gradient passes a step, >= 1 */
    uint32_t servers;         /* parameter servers; 0: ring all-reduce */
    double network_gbps;      /* of each node's link; 0: as the cluster has it */
};

/* As even as can be: the most workers on a node is gpus / nodes, rounded up. */
struct configuration configuration_even(uint32_t gpus, uint32_t nodes, double batch);

/* INVALID names the field and the mend. */
MUST_USE enum status configuration_check(const struct configuration *configuration,
                                         struct fault *fault);

struct measurement {
    struct configuration configuration;
    uint16_t model;   /* index of measurements.models */
    uint16_t cluster; /* index of measurements.clusters */
    double seconds;   /* one step, > 0 */
    uint32_t line;    /* of the file; 0: not from a file */
};

struct complaint {
    uint32_t line;
    const char *text;
};

struct measurements {
    struct name models[THROUGHPUT_MODELS_MAX]; /* in order of first appearance */
    struct name clusters[THROUGHPUT_CLUSTERS_MAX];
    uint32_t model_count;
    uint32_t cluster_count;
    struct measurement *rows; /* [row_count] in the order of the file */
    uint32_t row_count;
    uint32_t row_capacity;
    struct complaint complaints[THROUGHPUT_COMPLAINTS_MAX];
    uint32_t complaint_count; /* min(skipped_count, THROUGHPUT_COMPLAINTS_MAX) */
    uint32_t skipped_count;
    struct arena *arena;
};

void measurements_init(struct measurements *set, struct arena *arena);

/* INVALID: the row can't be right (the fault says why); EXHAUSTED: a named limit; NO_MEMORY. line
 * is the row's own, for later reports. */
MUST_USE enum status measurements_add(struct measurements *set, const char *model,
                                      const char *cluster, const struct measurement *row,
                                      struct fault *fault);

/* Adds a CSV file (a heading line, then a row a line). strict: the first bad row is INVALID with
 * its line; else it becomes a complaint. INVALID too where a needed column or every row is missing;
 * NOT_FOUND, IO, EXHAUSTED. */
MUST_USE enum status measurements_read(struct measurements *set, const char *path, bool strict,
                                       struct fault *fault);

/* As measurements_read, of text; name stands for the path in faults. The text is changed. */
MUST_USE enum status measurements_parse(struct measurements *set, const char *name, char *text,
                                        bool strict, struct fault *fault);

#endif
