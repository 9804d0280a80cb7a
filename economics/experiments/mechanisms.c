/*
 * Mechanisms: every split on growing federations: is it stable, is it fair, does it balance, and
 * what does it cost to compute.
 */
#include <math.h>

#include "economics/experiments/clearing.h"
#include "economics/experiments/shipped.h"

static const char note[] =
    "A federation is drawn, its market cleared, and the surplus split by every\n"
    "mechanism of the broker's table: Owen's prices alone, Shapley, nucleolus, the\n"
    "core point nearest to Shapley, tau, proportional, equal, egalitarian, VCG.\n"
    "\n"
    "Stability is the most that any coalition could gain by leaving (epsilon, 0: in\n"
    "the core), of the payments really made, whole GPUs included. Fairness is Jain's\n"
    "index of the members' gains against standing alone, the worst gain, and envy:\n"
    "the largest difference of gain per GPU contributed. Deficit is what an account\n"
    "outside must fund (VCG). Times are CPU seconds (timings.csv).\n"
    "\n"
    "Theory: Owen (1975), Shapley (1953), Schmeidler (1969), Tijs (1981), Clarke\n"
    "(1971), Jain, Chiu, Hawe (1984).\n"
    "\n"
    "Expected picture: Owen is stable and rewards what is scarce, so gains are\n"
    "uneven; Shapley is more even and leaves the core now and then; equal shares\n"
    "are unstable as soon as members differ; VCG needs money from outside, the more\n"
    "the fewer the members.";

static const struct experiment_parameter parameters[] = {FEDERATION_PARAMETERS};

static const struct experiment_metric metrics[] = {
    {"epsilon", "credits/h", "the most a coalition gains by leaving", false},
    {"epsilon_share", "%", "of the surplus", false},
    {"stable", "%", "of replications in which nobody objects", false},
    {"jain", "", "Jain's index of gains: 1 all equal, 1/n one has all", false},
    {"worst_gain", "credits/h", "the least gain of a member against standing alone", false},
    {"envy", "credits/GPU-h", "largest difference of gain per own GPU", false},
    {"deficit", "credits/h", "funded from outside", false},
    {"defined", "%", "of replications in which the split exists and could be paid", false},
    {"gain", "%", "of surplus by federating, over all alone", false},
    {"seconds", "s", "CPU time of plan and split", true},
};

#define MICROS_PER_CREDIT 1e6
#define ROUNDS_PER_HOUR   (3600.0 * 1000 / FEDERATION_ROUND_MS)
#define STABLE_EPSILON    1e-6 /* of the surplus: what rounding to micro-credits leaves */

static double per_hour(struct credits a_round)
{
    return (double)a_round.micros / MICROS_PER_CREDIT * ROUNDS_PER_HOUR;
}

struct gains {
    double sum;
    double squares;
    double worst;
    double least_per_gpu;
    double most_per_gpu;
};

static void measure_gains(const struct clearing *clearing, const struct split *split,
                          struct gains *gains)
{
    const struct plan *plan = &clearing->plan;
    uint32_t own_gpus = clearing->federation->parameters.gpus;
    *gains =
        (struct gains){.worst = HUGE_VAL, .least_per_gpu = HUGE_VAL, .most_per_gpu = -HUGE_VAL};
    for (uint32_t m = 0; m < clearing->market.market.member_count; m++) {
        double gain = per_hour(split->payoff[m]) - per_hour(plan->members[m].alone);
        double per_gpu = gain / own_gpus;
        gains->sum += gain;
        gains->squares += gain * gain;
        gains->worst = fmin(gains->worst, gain);
        gains->least_per_gpu = fmin(gains->least_per_gpu, per_gpu);
        gains->most_per_gpu = fmax(gains->most_per_gpu, per_gpu);
    }
}

static void report(const struct experiment_run *run, const struct clearing *clearing,
                   const struct mechanism *mechanism, const struct split *split)
{
    const char *series = mechanism->name;
    uint32_t members = clearing->market.market.member_count;
    bool defined = mechanism->split == NULL || split->paid;
    double surplus = fmax(per_hour(clearing->plan.objective), 1e-12);
    double epsilon = per_hour(split->epsilon);
    struct gains gains;
    experiment_observe(run, series, "", "defined", defined ? 100 : 0);
    if (!defined)
        return; /* by prices alone: Owen's row says it */
    measure_gains(clearing, split, &gains);
    experiment_observe(run, series, "", "epsilon", epsilon);
    experiment_observe(run, series, "", "epsilon_share", 100 * epsilon / surplus);
    experiment_observe(run, series, "", "stable", epsilon <= STABLE_EPSILON * surplus ? 100 : 0);
    experiment_observe(run, series, "", "jain",
                       gains.squares > 0 ? gains.sum * gains.sum / (members * gains.squares)
                                         : (double)NAN);
    experiment_observe(run, series, "", "worst_gain", gains.worst);
    experiment_observe(run, series, "", "envy", gains.most_per_gpu - gains.least_per_gpu);
    experiment_observe(run, series, "", "deficit", per_hour(split->funded));
}

static enum status run_mechanism(const struct experiment_run *run, struct clearing *clearing,
                                 const struct mechanism *mechanism, struct fault *fault)
{
    struct federation_report truth;
    struct split split;
    double began = run->seconds != NULL ? run->seconds() : 0;
    federation_report_truth(&truth);
    enum status status = clearing_plan(clearing, &truth, fault);
    if (status == STATUS_OK)
        status = clearing_split(clearing, mechanism, &split, fault);
    if (status != STATUS_OK)
        return status;
    if (run->seconds != NULL)
        experiment_observe(run, mechanism->name, "", "seconds", run->seconds() - began);
    report(run, clearing, mechanism, &split);
    return STATUS_OK;
}

static enum status run(const struct experiment_run *run, struct fault *fault)
{
    struct federation_parameters wanted;
    struct federation *federation = arena_alloc(run->arena, 1, sizeof *federation);
    struct clearing clearing;
    if (federation == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the federation");
    federation_parameters_of(run->setting, &wanted);
    enum status status = federation_draw(&wanted, run, federation, fault);
    if (status != STATUS_OK)
        return status;
    clearing_init(&clearing, federation);
    for (size_t m = 0; m < mechanism_count && status == STATUS_OK; m++)
        status = run_mechanism(run, &clearing, &mechanisms[m], fault);
    if (status == STATUS_OK) {
        double alone = 0;
        double together = per_hour(clearing.plan.objective);
        for (uint32_t m = 0; m < clearing.market.market.member_count; m++)
            alone += per_hour(clearing.plan.members[m].alone);
        experiment_observe(run, "", "", "gain",
                           alone > 0 ? 100 * (together / alone - 1) : (double)NAN);
    }
    clearing_fini(&clearing);
    return status;
}

const struct experiment experiment_mechanisms = {
    .name = "mechanisms",
    .title = "every split on growing federations: stability, fairness, deficit, computing time",
    .note = note,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof parameters[0],
    .metrics = metrics,
    .metric_count = sizeof metrics / sizeof metrics[0],
    .baseline = "owen",
    .run = run,
};
