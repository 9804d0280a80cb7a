/*
 * Evaluate: how well throughput is predicted, on rows that were kept out of the fit, beside simpler
 * methods.
 *
 * Splits: in-sample (nothing is kept out); folds (whole placements of each pair, in turn, seeded);
 * extrapolate:G (fit on at most G GPUs of every pair, predict all more); leave-cluster:R and
 * leave-model:R (each cluster or model in turn keeps R rows of each pair, chosen as probe.h would;
 * the others keep all). Errors are absolute percentages |predicted − measured| / measured of step
 * time; coverage is the share of measurements in the 90% interval, in percent.
 *
 * Ownership: the arena's. Thread rule: one thread. Complexity: one model_fit a fold.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_EVALUATE_H
#define ENTENTE_ECONOMICS_THROUGHPUT_EVALUATE_H

#include "economics/throughput/measurement.h"

enum split_kind {
    SPLIT_IN_SAMPLE,
    SPLIT_FOLDS,
    SPLIT_EXTRAPOLATE,
    SPLIT_LEAVE_CLUSTER,
    SPLIT_LEAVE_MODEL
};

enum { EVALUATE_FOLDS = 5 };

struct split {
    enum split_kind kind;
    uint32_t number; /* of extrapolate and leave-: GPUs, rows; >= 1 */
};

/* "folds", "extrapolate:4", ...; INVALID names what there is. */
MUST_USE enum status split_parse(const char *text, struct split *split, struct fault *fault);

struct score {
    uint32_t rows;     /* predicted; 0: the others are NAN */
    double median_ape; /* percent */
    double mean_ape;
    double coverage90; /* percent; NAN for a method without interval */
};

enum evaluate_method { METHOD_OURS, METHOD_POLLUX, METHOD_NEAREST, METHOD_COUNT };
const char *evaluate_method_name(enum evaluate_method method); /* "entente", "pollux", "nearest" */

struct evaluation_pair {
    struct name model;
    struct name cluster;
    struct score scores[METHOD_COUNT];
};

struct evaluation {
    struct score overall[METHOD_COUNT];
    struct evaluation_pair *pairs; /* [pair_count] with rows to predict */
    uint32_t pair_count;
    double fit_seconds; /* of our method, all folds together */
    uint32_t fits;
};

MUST_USE enum status evaluate(const struct measurements *measurements, const struct split *split,
                              struct arena *arena, struct evaluation *evaluation,
                              struct fault *fault);

#endif
