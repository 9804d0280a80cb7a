/*
 * Misreporting: what a member gains by saying something else than the truth of itself, and what
 * that costs the others, under each mechanism. The best misreport is searched for.
 */
#include <math.h>
#include <string.h>

#include "economics/experiments/clearing.h"
#include "economics/experiments/shipped.h"

static const char note[] =
    "Each member in turn reports cost, value, capacity or affinity other than they\n"
    "are, all others the truth. Its utility is by the truth: what its jobs are worth\n"
    "where they run, less payments, plus receipts, less true cost; GPUs it hides run\n"
    "own jobs that the market left out. For each dimension a grid of factors is\n"
    "tried and the best cell refined by golden section; 'any' then climbs from the\n"
    "best of them in all dimensions together. What is found is a lower bound on the\n"
    "true best misreport (regret).\n"
    "\n"
    "Theory: no mechanism is efficient, budget-balanced, individually rational and\n"
    "truthful at once (Myerson and Satterthwaite 1983); VCG gives up the budget\n"
    "(Vickrey 1961, Clarke 1971, Groves 1973). Regret as a measure of how far a\n"
    "mechanism is from truthful: Parkes, Kalagnanam, Eso (2001).\n"
    "\n"
    "Expected picture: under VCG regret is near zero (whole GPUs leave a little);\n"
    "under Owen hosts gain by overstating cost and buyers by understating value,\n"
    "the less the more members compete; splits of the reported surplus (Shapley,\n"
    "nucleolus, equal) reward overstating what one brings.";

static const struct experiment_parameter parameters[] = {
    FEDERATION_PARAMETERS,
    {"liars", PARAMETER_INTEGER, "16", 1, FEDERATION_MEMBERS_MAX, NULL, "",
     "how many of the members are tried as misreporters, the first ones"},
    {"refinements", PARAMETER_INTEGER, "6", 0, 30, NULL, "",
     "golden-section steps around the best cell of the grid"},
};

static const struct experiment_metric metrics[] = {
    {"regret", "credits/h", "gain of the best misreport found, mean over members", false},
    {"regret_most", "credits/h", "the largest of any member", false},
    {"regret_share", "%", "mean regret, of the surplus a member", false},
    {"damage", "credits/h", "what all others lose by it, mean over members", false},
    {"factor", "", "of the best misreport, mean over the members that gain", false},
    {"manipulable", "%", "of members, who gain more than a millionth of the surplus", false},
};

/* What factors are tried first; of capacity and affinity only those that can be shown. */
static const double grid[] = {0.3, 0.5, 0.7, 0.85, 0.95, 1.05, 1.2, 1.5, 2, 3};
enum { GRID = sizeof grid / sizeof grid[0], ANY = FEDERATION_DIMENSIONS, SUBJECTS, CLIMBS = 2 };

/* Steps of the climb in all dimensions. */
static const double steps[] = {0.8, 0.93, 1.08, 1.25};
enum { STEPS = sizeof steps / sizeof steps[0] };

#define GOLDEN             0.6180339887498949
#define MANIPULABLE_LEAST  1e-6
#define GAIN_WORTH_TELLING 1e-9 /* of the surplus: below it the factor says nothing */

/* The best found for one member under one mechanism in one dimension. */
struct best {
    double gain;
    double damage;
    double factor;
    double factors[FEDERATION_DIMENSIONS];
};

struct study {
    const struct experiment_run *run;
    const struct mechanism *mechanism;
    struct federation federation;
    struct clearing clearing;
    uint32_t members;
    uint32_t refinements;
    double truth[FEDERATION_MEMBERS_MAX]; /* utilities where nobody lies */
    double surplus;
};

static enum status study_mechanism(struct study *study, struct fault *fault);
static enum status search(struct study *study, uint32_t liar, struct best *best,
                          struct fault *fault);
static void report(const struct study *study, const char *subject, const struct best *best,
                   uint32_t liars);

static enum status run(const struct experiment_run *run, struct fault *fault)
{
    struct study *study = arena_alloc(run->arena, 1, sizeof *study);
    struct federation_parameters wanted;
    if (study == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the federation");
    federation_parameters_of(run->setting, &wanted);
    study->run = run;
    study->members = wanted.members;
    study->refinements = setting_count(run->setting, "refinements");
    enum status status = federation_draw(&wanted, run, &study->federation, fault);
    if (status != STATUS_OK)
        return status;
    clearing_init(&study->clearing, &study->federation);
    for (size_t m = 0; m < mechanism_count && status == STATUS_OK; m++) {
        study->mechanism = &mechanisms[m];
        status = study_mechanism(study, fault);
    }
    clearing_fini(&study->clearing);
    return status;
}

const struct experiment experiment_misreporting = {
    .name = "misreporting",
    .title = "what a member gains by misreporting, and what that costs others, by mechanism",
    .note = note,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof parameters[0],
    .metrics = metrics,
    .metric_count = sizeof metrics / sizeof metrics[0],
    .baseline = "owen",
    .run = run,
};

/* Utilities of all where `liar` reports these factors. */
static enum status clear_with(struct study *study, uint32_t liar, const double *factors,
                              double *utilities, struct fault *fault)
{
    struct federation_report report;
    federation_report_truth(&report);
    if (factors != NULL)
        memcpy(report.factors[liar], factors, sizeof report.factors[liar]);
    enum status status = clearing_plan(&study->clearing, &report, fault);
    if (status == STATUS_OK)
        status = clearing_utilities(&study->clearing, study->mechanism, utilities, fault);
    return status;
}

static enum status study_mechanism(struct study *study, struct fault *fault)
{
    struct best best[FEDERATION_MEMBERS_MAX][SUBJECTS] = {0};
    uint32_t liars = setting_count(study->run->setting, "liars");
    enum status status = clear_with(study, 0, NULL, study->truth, fault);
    if (liars > study->members)
        liars = study->members;
    study->surplus = 0;
    for (uint32_t i = 0; i < study->members; i++)
        study->surplus += study->truth[i];
    for (uint32_t liar = 0; liar < liars && status == STATUS_OK; liar++)
        status = search(study, liar, best[liar], fault);
    if (status != STATUS_OK)
        return status;
    for (int subject = 0; subject < SUBJECTS; subject++) {
        struct best of_subject[FEDERATION_MEMBERS_MAX];
        for (uint32_t liar = 0; liar < liars; liar++)
            of_subject[liar] = best[liar][subject];
        report(study, subject == ANY ? "any" : federation_dimension_names[subject], of_subject,
               liars);
    }
    return STATUS_OK;
}

/* Tries a report; keeps it where it is better than the best. */
static enum status try_report(struct study *study, uint32_t liar, const double *factors,
                              double factor, struct best *best, struct fault *fault)
{
    double utilities[FEDERATION_MEMBERS_MAX];
    enum status status = clear_with(study, liar, factors, utilities, fault);
    if (status != STATUS_OK)
        return status;
    double gain = utilities[liar] - study->truth[liar];
    double damage = 0;
    for (uint32_t i = 0; i < study->members; i++)
        damage += i == liar ? 0 : study->truth[i] - utilities[i];
    if (gain > best->gain) {
        *best = (struct best){.gain = gain, .damage = damage, .factor = factor};
        memcpy(best->factors, factors, sizeof best->factors);
    }
    return STATUS_OK;
}

static bool can_be_shown(int dimension, double factor)
{
    return factor <= 1 || (dimension != FEDERATION_CAPACITY && dimension != FEDERATION_AFFINITY);
}

static void truthful(struct best *best)
{
    *best = (struct best){.factor = 1};
    for (int d = 0; d < FEDERATION_DIMENSIONS; d++)
        best->factors[d] = 1;
}

/* Golden section between the neighbours of the best cell: the gain isn't unimodal everywhere, so
 * this only ever adds to what the grid found. */
static enum status refine(struct study *study, uint32_t liar, int dimension, struct best *best,
                          struct fault *fault)
{
    double low = best->factor * 0.8;
    double high = fmin(best->factor * 1.25, can_be_shown(dimension, 2) ? HUGE_VAL : 1);
    for (uint32_t step = 0; step < study->refinements; step++) {
        for (int side = 0; side < 2; side++) {
            double factors[FEDERATION_DIMENSIONS] = {1, 1, 1, 1};
            double at = side == 0 ? high - GOLDEN * (high - low) : low + GOLDEN * (high - low);
            factors[dimension] = at;
            enum status status = try_report(study, liar, factors, at, best, fault);
            if (status != STATUS_OK)
                return status;
        }
        double half = GOLDEN * (high - low) / 2;
        double top = high;
        low = fmax(low, best->factor - half);
        high = fmin(top, best->factor + half);
    }
    return STATUS_OK;
}

static enum status search_dimension(struct study *study, uint32_t liar, int dimension,
                                    struct best *best, struct fault *fault)
{
    truthful(best);
    for (int cell = 0; cell < GRID; cell++) {
        double factors[FEDERATION_DIMENSIONS] = {1, 1, 1, 1};
        if (!can_be_shown(dimension, grid[cell]))
            continue;
        factors[dimension] = grid[cell];
        enum status status = try_report(study, liar, factors, grid[cell], best, fault);
        if (status != STATUS_OK)
            return status;
    }
    return refine(study, liar, dimension, best, fault);
}

static enum status climb(struct study *study, uint32_t liar, struct best *best, struct fault *fault)
{
    for (int round = 0; round < CLIMBS; round++)
        for (int dimension = 0; dimension < FEDERATION_DIMENSIONS; dimension++)
            for (int step = 0; step < STEPS; step++) {
                double factors[FEDERATION_DIMENSIONS];
                memcpy(factors, best->factors, sizeof factors);
                factors[dimension] *= steps[step];
                if (!can_be_shown(dimension, factors[dimension]))
                    continue;
                enum status status =
                    try_report(study, liar, factors, factors[dimension], best, fault);
                if (status != STATUS_OK)
                    return status;
            }
    return STATUS_OK;
}

static enum status search(struct study *study, uint32_t liar, struct best *best,
                          struct fault *fault)
{
    enum status status = STATUS_OK;
    truthful(&best[ANY]);
    for (int dimension = 0; dimension < FEDERATION_DIMENSIONS && status == STATUS_OK; dimension++) {
        status = search_dimension(study, liar, dimension, &best[dimension], fault);
        if (best[dimension].gain > best[ANY].gain)
            best[ANY] = best[dimension];
    }
    if (status == STATUS_OK)
        status = climb(study, liar, &best[ANY], fault);
    return status;
}

static void report(const struct study *study, const char *subject, const struct best *best,
                   uint32_t liars)
{
    double regret = 0;
    double most = 0;
    double damage = 0;
    double factors = 0;
    uint32_t manipulable = 0;
    uint32_t telling = 0;
    double surplus = fmax(study->surplus, 1e-12);
    for (uint32_t liar = 0; liar < liars; liar++) {
        regret += best[liar].gain / liars;
        damage += best[liar].damage / liars;
        most = fmax(most, best[liar].gain);
        manipulable += best[liar].gain > MANIPULABLE_LEAST * surplus;
        if (best[liar].gain > GAIN_WORTH_TELLING * surplus) {
            factors += best[liar].factor;
            telling++;
        }
    }
    const char *series = study->mechanism->name;
    experiment_observe(study->run, series, subject, "regret", regret);
    experiment_observe(study->run, series, subject, "regret_most", most);
    experiment_observe(study->run, series, subject, "regret_share",
                       100 * regret / (surplus / study->members));
    experiment_observe(study->run, series, subject, "damage", damage);
    experiment_observe(study->run, series, subject, "manipulable", 100.0 * manipulable / liars);
    if (strcmp(subject, "any") != 0)
        experiment_observe(study->run, series, subject, "factor",
                           telling > 0 ? factors / telling : (double)NAN);
}
