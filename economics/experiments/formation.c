/*
 * Federation formation: who federates with whom, and for whom it pays.
 */
#include <math.h>

#include "economics/experiments/clearing.h"
#include "economics/experiments/partition.h"
#include "economics/experiments/shipped.h"
#include "economics/games/market_table.h"

static const char note[] =
    "Each coalition of members could be a federation: its worth is what its market\n"
    "reaches, less a cost of coordination for every pair in it. Inside, the worth is\n"
    "split by a rule. Coalitions merge where nobody loses and somebody gains, and\n"
    "split in two on the same terms, from everybody alone, until nobody moves. All\n"
    "partitions are tried to count the stable ones and to find the best.\n"
    "\n"
    "Theory: merge and split, Apt and Witzel (2009); hedonic coalition formation,\n"
    "Dreze and Greenberg (1980); the question, when different affinities make\n"
    "collaboration pay and for whom: Golubchik (2019).\n"
    "\n"
    "Expected picture: with homogeneous GPUs (heterogeneity 0) only uneven loads\n"
    "make federating pay; the more jobs differ in what they run well on, the more\n"
    "is gained, above all by members whose own GPUs suit their jobs badly\n"
    "(mismatched). Costs of coordination break the grand federation into groups.";

static const char *const rules[] = {"shapley", "egalitarian", "proportional", NULL};
enum { RULE_SHAPLEY, RULE_EGALITARIAN, RULE_PROPORTIONAL };

static const struct experiment_parameter parameters[] = {
    FEDERATION_PARAMETERS,
    {"coordination_cost", PARAMETER_REAL, "0", 0, 1e6, NULL, "credits/h",
     "of every pair of members in one federation"},
    {"rule", PARAMETER_CHOICE, "shapley", 0, 0, rules, "", "how a coalition splits its worth"},
};

static const struct experiment_metric metrics[] = {
    {"federations", "", "coalitions of two or more, where it came to rest", false},
    {"largest", "members", "in the largest coalition", false},
    {"grand", "%", "of replications that ended with everybody together", false},
    {"grand_stable", "%", "of replications in which nobody would leave the grand federation",
     false},
    {"stable", "", "partitions that nobody would leave", false},
    {"steps", "", "merges and splits until rest", false},
    {"gain", "%", "of welfare over everybody alone; a subject's: its own", false},
    {"gain_best", "%", "of the best partition", false},
    {"efficiency", "%", "welfare at rest of the best partition's", false},
};

#define ROUNDS_PER_HOUR (3600.0 * 1000 / FEDERATION_ROUND_MS)
#define TOLERANCE       1e-7 /* of the largest worth */

struct study {
    const struct experiment_run *run;
    struct federation federation;
    uint32_t members;
    double *worth;  /* [2^members], net of coordination */
    double *payoff; /* [2^members × members] */
    struct partition_payoffs payoffs;
};

static enum status find_worths(struct study *study, struct fault *fault);
static void split_worths(struct study *study);
static void report_rest(struct study *study);
static void report_all(struct study *study);

static enum status run(const struct experiment_run *run, struct fault *fault)
{
    struct study *study = arena_alloc(run->arena, 1, sizeof *study);
    struct federation_parameters wanted;
    if (study == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the federation");
    federation_parameters_of(run->setting, &wanted);
    if (wanted.members > PARTITION_MEMBERS_MAX)
        return fault_set(fault, STATUS_CONFIG,
                         "members: %u make too many partitions; at most %d here", wanted.members,
                         PARTITION_MEMBERS_MAX);
    study->run = run;
    study->members = wanted.members;
    enum status status = federation_draw(&wanted, run, &study->federation, fault);
    if (status == STATUS_OK)
        status = find_worths(study, fault);
    if (status != STATUS_OK)
        return status;
    split_worths(study);
    report_rest(study);
    report_all(study);
    return STATUS_OK;
}

const struct experiment experiment_formation = {
    .name = "formation",
    .title = "who federates with whom, by merging and splitting, and for whom it pays",
    .note = note,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof parameters[0],
    .metrics = metrics,
    .metric_count = sizeof metrics / sizeof metrics[0],
    .run = run,
};

static enum status find_worths(struct study *study, struct fault *fault)
{
    struct federation_report truth;
    struct federation_market market;
    struct arena *arena = study->run->arena;
    size_t coalitions = (size_t)1 << study->members;
    double pair_cost = setting_real(study->run->setting, "coordination_cost");
    study->worth = arena_alloc(arena, coalitions, sizeof *study->worth);
    study->payoff = arena_alloc(arena, coalitions * study->members, sizeof *study->payoff);
    if (study->worth == NULL || study->payoff == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a table of worths");
    federation_report_truth(&truth);
    enum status status =
        federation_to_market(&study->federation, &truth, coalitions - 1, arena, &market, fault);
    if (status == STATUS_OK)
        status = market_table(&market.market, 1, study->worth, fault);
    for (size_t s = 0; s < coalitions && status == STATUS_OK; s++) {
        double size = __builtin_popcountll(s);
        study->worth[s] = study->worth[s] * ROUNDS_PER_HOUR - pair_cost * size * (size - 1) / 2;
    }
    return status;
}

/* Shapley of the game on the members of `whole` alone: i's mean contribution over orders. */
static double shapley_in(const struct study *study, uint32_t whole, uint32_t i)
{
    int size = __builtin_popcount(whole);
    uint32_t others = whole & ~(1u << i);
    double weights[PARTITION_MEMBERS_MAX]; /* |S|! (n - |S| - 1)! / n! */
    double value = 0;
    weights[0] = 1.0 / size;
    for (int s = 1; s < size; s++)
        weights[s] = weights[s - 1] * s / (size - s);
    for (uint32_t part = others;; part = (part - 1) & others) {
        value +=
            weights[__builtin_popcount(part)] * (study->worth[part | 1u << i] - study->worth[part]);
        if (part == 0)
            return value;
    }
}

static double share_in(const struct study *study, uint32_t whole, uint32_t i, uint32_t rule)
{
    double alone = 0;
    int size = __builtin_popcount(whole);
    if (rule == RULE_SHAPLEY)
        return shapley_in(study, whole, i);
    for (uint32_t j = 0; j < study->members; j++)
        alone += (whole >> j & 1) != 0 ? study->worth[1u << j] : 0;
    if (rule == RULE_EGALITARIAN || alone <= 0)
        return study->worth[1u << i] + (study->worth[whole] - alone) / size;
    return study->worth[whole] * study->worth[1u << i] / alone;
}

static void split_worths(struct study *study)
{
    uint32_t rule = setting_choice(study->run->setting, "rule");
    uint32_t coalitions = 1u << study->members;
    double largest = 0;
    for (uint32_t whole = 1; whole < coalitions; whole++) {
        largest = fmax(largest, fabs(study->worth[whole]));
        for (uint32_t i = 0; i < study->members; i++)
            if ((whole >> i & 1) != 0)
                study->payoff[(size_t)whole * study->members + i] = share_in(study, whole, i, rule);
    }
    study->payoffs = (struct partition_payoffs){
        .members = study->members, .payoff = study->payoff, .tolerance = TOLERANCE * largest};
}

/* --- reports */

static double gain_percent(double now, double alone)
{
    return alone > 0 ? 100 * (now / alone - 1) : (double)NAN;
}

/* What each gains: all, and by whether a member's own GPUs suit its jobs. */
static void report_gains(const struct study *study, const struct partition *rest)
{
    double now[2] = {0};
    double alone[2] = {0};
    for (uint32_t c = 0; c < rest->count; c++)
        for (uint32_t i = 0; i < study->members; i++) {
            if ((rest->coalitions[c] >> i & 1) == 0)
                continue;
            uint32_t own = i % study->federation.parameters.kinds;
            int matched = study->federation.members[i].favourite == own;
            now[matched] += study->payoff[(size_t)rest->coalitions[c] * study->members + i];
            alone[matched] += study->worth[1u << i];
        }
    experiment_observe(study->run, "", "", "gain",
                       gain_percent(now[0] + now[1], alone[0] + alone[1]));
    experiment_observe(study->run, "", "mismatched", "gain", gain_percent(now[0], alone[0]));
    experiment_observe(study->run, "", "matched", "gain", gain_percent(now[1], alone[1]));
}

static void report_rest(struct study *study)
{
    const struct experiment_run *run = study->run;
    struct partition rest;
    uint32_t federations = 0;
    int largest = 0;
    partition_alone(study->members, &rest);
    experiment_observe(run, "", "", "steps", partition_settle(&study->payoffs, &rest));
    for (uint32_t c = 0; c < rest.count; c++) {
        int size = __builtin_popcount(rest.coalitions[c]);
        federations += size > 1;
        largest = size > largest ? size : largest;
    }
    experiment_observe(run, "", "", "federations", federations);
    experiment_observe(run, "", "", "largest", largest);
    experiment_observe(run, "", "", "grand", rest.count == 1 ? 100 : 0);
    report_gains(study, &rest);
}

static void report_all(struct study *study)
{
    const struct experiment_run *run = study->run;
    uint32_t labels[PARTITION_MEMBERS_MAX] = {0};
    struct partition partition;
    struct partition rest;
    uint32_t stable = 0;
    double best = -HUGE_VAL;
    double alone;
    partition_alone(study->members, &rest);
    alone = partition_welfare(&study->payoffs, &rest);
    partition_settle(&study->payoffs, &rest);
    partition_grand(study->members, &partition);
    do {
        struct partition tried = partition;
        bool moves = partition_step(&study->payoffs, &tried);
        stable += !moves;
        if (partition.count == 1)
            experiment_observe(run, "", "", "grand_stable", moves ? 0 : 100);
        best = fmax(best, partition_welfare(&study->payoffs, &partition));
    } while (partition_next(study->members, labels, &partition));
    experiment_observe(run, "", "", "stable", stable);
    experiment_observe(run, "", "", "gain_best", gain_percent(best, alone));
    experiment_observe(run, "", "", "efficiency",
                       best > 0 ? 100 * partition_welfare(&study->payoffs, &rest) / best
                                : (double)NAN);
}
