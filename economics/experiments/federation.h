/*
 * Federation: a small federation drawn at random, as it truly is and as its members report it. What
 * the market experiments share.
 *
 * Each member owns mostly GPUs of one kind, and has jobs that train faster on some kinds than on
 * others. heterogeneity 0: every job is equally fast on every kind; 1: each member's jobs have a
 * favourite kind, on which they are several times faster, and it need not be the kind that the
 * member owns. imbalance spreads loads: 0: all alike. A report multiplies what a member says of
 * itself: its cost, its jobs' values, its capacity, its affinity to others; 1 everywhere is the
 * truth.
 *
 * *Utility* is always by the truth: own jobs' value where they run, less payments, plus receipts,
 * less true cost of what it hosts. GPUs that a member doesn't report run own jobs that the market
 * left out, the most valuable a GPU first.
 *
 * Ownership: arrays lie in the arena. Thread rule: pure; one thread per arena. Complexity: with
 * each function; columns = jobs × members × kinds.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_FEDERATION_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_FEDERATION_H

#include "economics/experiments/experiment.h"
#include "economics/market/plan.h"
#include "economics/mechanisms/mechanism.h"

enum {
    FEDERATION_MEMBERS_MAX = 16,
    FEDERATION_KINDS_MAX = 4,
    FEDERATION_JOBS_MAX = 4096,
    FEDERATION_ROUND_MS = 300 * 1000
};

struct federation_parameters {
    uint32_t members;
    uint32_t kinds;
    uint32_t gpus; /* of each member */
    double load;   /* GPUs that jobs want / GPUs there are */
    double heterogeneity;
    double imbalance; /* [0, 1] */
    double affinity;  /* to every other member, (0, 1] */
    double cost;      /* credits per GPU-hour, the mean */
};

struct federation_job {
    uint32_t home;
    uint32_t gpus;
    double value;                        /* credits a GPU-second at speed 1 */
    double speeds[FEDERATION_KINDS_MAX]; /* of each kind, relative */
};

struct federation_member {
    uint32_t gpus[FEDERATION_KINDS_MAX];
    double cost;        /* credits per GPU-second */
    uint32_t favourite; /* the kind its jobs like best */
};

struct federation {
    struct federation_parameters parameters;
    struct federation_member members[FEDERATION_MEMBERS_MAX];
    struct federation_job *jobs; /* by home */
    uint32_t job_count;
};

/* What members say of themselves, as factors of the truth; capacity and affinity at most 1. */
enum federation_dimension {
    FEDERATION_COST,
    FEDERATION_VALUE,
    FEDERATION_CAPACITY,
    FEDERATION_AFFINITY,
    FEDERATION_DIMENSIONS
};

struct federation_report {
    double factors[FEDERATION_MEMBERS_MAX][FEDERATION_DIMENSIONS];
};

/* A market as reported, and where its parts come from. */
struct federation_market {
    struct market market;
    uint32_t *member_of; /* [market.member_count] which member */
    uint32_t *kind_of;   /* [market.pool_count] */
    uint32_t *job_of;    /* [market.job_count] */
};

/* Draws from the run's stream "federation". NO_MEMORY. */
MUST_USE enum status federation_draw(const struct federation_parameters *parameters,
                                     const struct experiment_run *run,
                                     struct federation *federation, struct fault *fault);

void federation_report_truth(struct federation_report *report);

/* The market of the members whose bit is set in `present`. */
MUST_USE enum status federation_to_market(const struct federation *federation,
                                          const struct federation_report *report, uint64_t present,
                                          struct arena *arena, struct federation_market *market,
                                          struct fault *fault);

/* utilities: [members], credits a round, by the truth; 0 of who isn't present. split may be NULL:
 * by prices alone. */
void federation_utilities(const struct federation *federation,
                          const struct federation_market *market, const struct plan *plan,
                          const struct split *split, double *utilities);

/* Names of dimensions and "m1", "m2", ...: terminated. */
extern const char *const federation_dimension_names[FEDERATION_DIMENSIONS];
const char *federation_member_name(uint32_t member, char text[static 16]);

/* What the parameters of the market experiments have in common, to be listed in their tables. */
#define FEDERATION_PARAMETERS                                                                      \
    {"members", PARAMETER_INTEGER, "4", 1, FEDERATION_MEMBERS_MAX, NULL, "", "how many members"},  \
        {"kinds", PARAMETER_INTEGER, "3", 1, FEDERATION_KINDS_MAX, NULL, "", "of GPUs"},           \
        {"gpus", PARAMETER_INTEGER, "16", 1, 4096, NULL, "GPUs", "of each member"},                \
        {"load", PARAMETER_REAL, "1.2", 0.01, 8, NULL, "", "GPUs wanted / GPUs there"},            \
        {"heterogeneity", PARAMETER_REAL, "0.7", 0, 1, NULL, "", "of jobs' likings: 0 all alike"}, \
        {"imbalance", PARAMETER_REAL, "0.5", 0, 1, NULL, "", "of members' loads: 0 all alike"},    \
        {"affinity", PARAMETER_REAL, "0.9", 0.01, 1, NULL, "", "to every other member"},           \
    {                                                                                              \
        "cost", PARAMETER_REAL, "1", 0, 1000, NULL, "credits/GPU-h", "of running, the mean"        \
    }

void federation_parameters_of(const struct setting *setting,
                              struct federation_parameters *parameters);

#endif
