/*
 * Design: one experiment to be run, its arms and replications, from one YAML file.
 *
 *     experiment: capacity-sharing
 *     seed: 1
 *     replications: auto            # or a number
 *     half_width:                   # with auto: replicate until every interval is this narrow
 *       metric: saving
 *       relative: 0.02              # of the mean; or absolute: in the metric's unit
 *       most: 400                   # replications at most
 *     intervals: student            # or bootstrap
 *     confidence: 0.95
 *     parameters:
 *       members: 4                                        # one value: the same in all arms
 *       federation_price: [0.2, 0.4, 0.8]                 # a list: an arm each
 *       load: {from: 0.5, to: 0.95, steps: 10}            # a grid (scale: log where wanted)
 *       gpus: {from: 4, to: 64}                           # no steps: Latin hypercube
 *     samples: 32                   # how many points the Latin hypercube has
 *
 * Arms are every combination of lists and grids with every point of the hypercube; the last
 * parameter given changes fastest. Parameters left out have their defaults.
 *
 * *Seeds.* Replication r has seed splitmix64(seed, r); its streams are experiment.h's. The
 * hypercube's points come from the stream "latin hypercube" of the seed itself.
 *
 * Ownership: everything lies in the arena. Thread rule: read-only after design_read().
 * Complexity: O(file + arms) to read, O(parameters) an arm.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_DESIGN_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_DESIGN_H

#include "base/domain/bytes.h"
#include "economics/experiments/experiment.h"

enum {
    DESIGN_ARMS_MAX = 100000,
    DESIGN_STEPS_MAX = 10000,
    REPLICATIONS_MAX = 100000,
    REPLICATIONS_FIRST = 8 /* of auto, before the first look */
};

enum interval_kind { INTERVAL_STUDENT, INTERVAL_BOOTSTRAP };

struct replications {
    bool automatic;
    uint32_t count;  /* as given; of auto: at most */
    uint16_t metric; /* auto: whose half-width is watched */
    bool relative;   /* of the mean's size */
    double half_width;
};

/* A parameter that takes several values. */
struct axis {
    uint32_t parameter;
    uint32_t count; /* values; 0: sampled by the hypercube from [from, to] */
    const struct parameter_value *values;
    double from, to;
    bool logarithmic;
};

struct design {
    const struct experiment *experiment;
    const char *file;
    struct bytes text; /* the file's own bytes */
    uint64_t seed;
    struct replications replications;
    enum interval_kind intervals;
    double confidence;
    struct setting fixed;                        /* the values of what doesn't change */
    struct axis axes[EXPERIMENT_PARAMETERS_MAX]; /* in the file's order */
    uint32_t axis_count;
    uint32_t samples; /* of the hypercube; 1 without one */
    uint32_t arm_count;
    const double *points; /* [samples × sampled axes], each in [0, 1) */
};

/* seed: overrides the file's where not NULL. CONFIG with file, line, key and the mend. */
MUST_USE enum status design_read(const char *file, const uint64_t *seed, struct arena *arena,
                                 struct design *design, struct fault *fault);

/* Arm number `arm` < arm_count. */
void design_arm(const struct design *design, uint32_t arm, struct setting *setting);

/* Which value of axis `axis` the arm has, as text for tables and CSV: the shortest that reads back
 * as the same number. */
enum { VALUE_TEXT_MAX = 512 };
void design_value_text(const struct design *design, uint32_t arm, uint32_t axis,
                       char text[static VALUE_TEXT_MAX]);

uint64_t design_replication_seed(const struct design *design, uint32_t replication);

#endif
