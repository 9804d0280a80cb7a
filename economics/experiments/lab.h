/*
 * Lab: runs an experiment: arms × replications on all cores, each result journalled as it comes, so
 * that a run killed at any instant goes on where it was, and ends with the same files.
 *
 * Each task (arm, replication) sees its setting and its streams alone, so results don't depend on
 * threads, on the order of work, or on having been interrupted. With replications: auto the number
 * grows in steps for all arms alike, decided on whole steps only.
 *
 * Ownership: what it opens it closes. Thread rule: lab_run() starts threads of its own and joins
 * them; one call at a time per directory. Complexity: the tasks'.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_LAB_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_LAB_H

#include <signal.h>

#include "base/clock.h"
#include "economics/experiments/design.h"

enum { LAB_THREADS_MAX = 1024, LAB_PARTS_MAX = 1000 };

struct lab_options {
    const char *directory; /* made where missing */
    uint32_t threads;      /* 1 to LAB_THREADS_MAX */
    bool resume;           /* go on with what the directory holds */
    uint32_t part;         /* 0-based, of part_count > 1: run this part alone, write no results */
    uint32_t part_count;   /* 1: everything */
    const struct clock *clock;         /* for progress and the manifest, never for results */
    double (*seconds)(void);           /* for measured metrics, which are no results */
    const volatile sig_atomic_t *stop; /* not 0: end after the runs under way; NULL: never */
    void (*progress)(void *context, uint64_t done, uint64_t total); /* NULL: silent */
    void *context;
};

struct lab_outcome {
    uint32_t replications;   /* of each arm */
    uint64_t runs;           /* done by this call */
    uint64_t runs_before;    /* found in the journal */
    double half_width_ratio; /* auto: of the last look; over 1: the limit came first */
};

/* CANCELLED where stopped: --resume goes on. EXISTS where the directory holds a run and resume is
 * false, or another's. */
MUST_USE enum status lab_run(const struct design *design, const struct lab_options *options,
                             struct lab_outcome *outcome, struct fault *fault);

#endif
