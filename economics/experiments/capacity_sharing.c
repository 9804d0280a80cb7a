/*
 * Capacity sharing: what members would share if each chose for itself, what would be best for all,
 * and what lies between, over loads and federation prices.
 */
#include <math.h>
#include <stdio.h>

#include "economics/experiments/shipped.h"
#include "economics/sharing/equilibrium.h"

static const char note[] =
    "Members with Poisson arrivals of one-GPU jobs choose how many of their GPUs\n"
    "others may use. A job runs on a free GPU at home, else on a free shared GPU\n"
    "elsewhere at the federation price, else waits if it would begin in time, else\n"
    "is bought outside at the outside price. Lending earns the federation price.\n"
    "\n"
    "Theory: the model of SC-Share (Lin, Pal, Paolieri, Golubchik, ICDCS 2017).\n"
    "Utility is the saving against standing alone, divided by (rise of\n"
    "utilisation)^exponent. Best responses in turn from several starts; a choice of\n"
    "all that returns is reported as a cycle. The price of anarchy is the best\n"
    "welfare over that of the worst equilibrium found; where not every choice was\n"
    "tried (optimum_exhaustive = 0) it is a lower bound.\n"
    "\n"
    "Expected picture: with a federation price far below the outside price those\n"
    "who lend gain little and share little; near the outside price borrowing gains\n"
    "little. In between everybody shares nearly everything, and the price of\n"
    "anarchy is close to 1. Unequal loads make it larger.";

enum { METHOD_APPROXIMATE, METHOD_EXACT };

static const char *const methods[] = {"approximate", "exact", NULL};
static const char *const truths[] = {"no", "yes", NULL};

static const struct experiment_parameter parameters[] = {
    {"members", PARAMETER_INTEGER, "3", 1, SHARING_MEMBERS_MAX, NULL, "", "how many members"},
    {"gpus", PARAMETER_LIST, "10", 1, SHARING_GPUS_MAX, NULL, "GPUs", "of each member"},
    {"load", PARAMETER_LIST, "0.8", 0.001, 100, NULL, "",
     "arrivals × service time / GPUs, of each member"},
    {"load_spread", PARAMETER_REAL, "0", 0, 0.99, NULL, "",
     "loads are multiplied by a number from 1 - spread to 1 + spread, drawn per replication"},
    {"service_time", PARAMETER_LIST, "1", 1e-3, 1e6, NULL, "h", "mean, of each member's jobs"},
    {"waiting_limit", PARAMETER_LIST, "0.2", 0, 1e3, NULL, "h", "a job begins within it or leaves"},
    {"outside_price", PARAMETER_LIST, "1", 0, 1e6, NULL, "credits/GPU-h", "of GPUs bought outside"},
    {"running_cost", PARAMETER_LIST, "0", 0, 1e6, NULL, "credits/GPU-h",
     "of a lent GPU, beyond an idle one"},
    {"federation_price", PARAMETER_REAL, "0.5", 0, 1e6, NULL, "credits/GPU-h",
     "paid by who borrows to who lends"},
    {"exponent", PARAMETER_REAL, "0", 0, 1, NULL, "", "of the rise of utilisation in utility"},
    {"sharers_only", PARAMETER_CHOICE, "no", 0, 0, truths, "",
     "whether who shares nothing borrows nothing"},
    {"method", PARAMETER_CHOICE, "approximate", 0, 0, methods, "",
     "a chain a member, or (2 or 3 small members) the exact chain"},
    {"starts", PARAMETER_INTEGER, "3", 1, SHARING_STARTS_MAX, NULL, "",
     "choices to begin from: nothing, everything, then drawn ones"},
};

static const struct experiment_metric metrics[] = {
    {"share", "GPUs", "shared", false},
    {"lent", "GPUs", "in use by others, mean", false},
    {"borrowed", "GPUs", "of others in use, mean", false},
    {"outside", "GPUs", "bought outside, mean", false},
    {"utilisation", "", "of own GPUs", false},
    {"cost", "credits/h", "outside and borrowed, less earned", false},
    {"utility", "credits/h", "saving against standing alone (over the rise of utilisation)", false},
    {"utilitarian", "credits/h", "sum of utilities", false},
    {"proportional", "", "sum of their logarithms", false},
    {"max_min", "credits/h", "the least utility", false},
    {"anarchy_utilitarian", "", "best sum of utilities / that of the worst equilibrium", false},
    {"anarchy_max_min", "", "best least utility / that of the worst equilibrium", false},
    {"equilibria", "", "different ones found", false},
    {"cycles", "", "starts that ended in a cycle", false},
    {"rounds", "", "of best responses, mean over starts", false},
    {"optimum_exhaustive", "", "1: every choice was tried for the optimum", false},
};

struct study {
    const struct experiment_run *run;
    struct sharing_game game;
    struct sharing_judge judge;
    uint32_t starts[SHARING_STARTS_MAX * SHARING_MEMBERS_MAX];
    uint32_t start_count;
    struct sharing_outcome outcomes[SHARING_STARTS_MAX];
    struct sharing_optimum optima[WELFARE_COUNT];
};

static const char *const welfare_names[WELFARE_COUNT] = {
    [WELFARE_UTILITARIAN] = "utilitarian",
    [WELFARE_PROPORTIONAL] = "proportional",
    [WELFARE_MAX_MIN] = "max_min",
};

static enum status make_game(struct study *study, struct fault *fault);
static void choose_starts(struct study *study);
static enum status find_rest(struct study *study, struct fault *fault);
static enum status report_choice(struct study *study, const char *series, const uint32_t *shares,
                                 struct fault *fault);
static void report_anarchy(struct study *study);

static enum status run(const struct experiment_run *run, struct fault *fault)
{
    struct study *study = arena_alloc(run->arena, 1, sizeof *study);
    if (study == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the sharing game");
    study->run = run;
    enum status status = make_game(study, fault);
    if (status != STATUS_OK)
        return status;
    choose_starts(study);
    status = find_rest(study, fault);
    for (int w = 0; w < WELFARE_COUNT && status == STATUS_OK; w++)
        status = sharing_optimise(&study->judge, (enum sharing_welfare)w, study->starts,
                                  study->start_count, &study->optima[w], fault);
    if (status == STATUS_OK)
        status = report_choice(study, "equilibrium", study->outcomes[0].shares, fault);
    for (int w = 0; w < WELFARE_COUNT && status == STATUS_OK; w++)
        status = report_choice(study, welfare_names[w], study->optima[w].shares, fault);
    if (status == STATUS_OK)
        report_anarchy(study);
    return status;
}

const struct experiment experiment_capacity_sharing = {
    .name = "capacity-sharing",
    .title = "how much members would share if each chose for itself, and what that costs all",
    .note = note,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof parameters[0],
    .metrics = metrics,
    .metric_count = sizeof metrics / sizeof metrics[0],
    .baseline = "utilitarian",
    .run = run,
};

static enum status make_game(struct study *study, struct fault *fault)
{
    const struct setting *setting = study->run->setting;
    uint32_t count = setting_count(setting, "members");
    double gpus[SHARING_MEMBERS_MAX];
    double loads[SHARING_MEMBERS_MAX];
    double times[SHARING_MEMBERS_MAX];
    double limits[SHARING_MEMBERS_MAX];
    double prices[SHARING_MEMBERS_MAX];
    double costs[SHARING_MEMBERS_MAX];
    double spread = setting_real(setting, "load_spread");
    struct rng rng;
    enum status status = setting_spread(setting, "gpus", count, gpus, fault);
    if (status == STATUS_OK)
        status = setting_spread(setting, "load", count, loads, fault);
    if (status == STATUS_OK)
        status = setting_spread(setting, "service_time", count, times, fault);
    if (status == STATUS_OK)
        status = setting_spread(setting, "waiting_limit", count, limits, fault);
    if (status == STATUS_OK)
        status = setting_spread(setting, "outside_price", count, prices, fault);
    if (status == STATUS_OK)
        status = setting_spread(setting, "running_cost", count, costs, fault);
    if (status != STATUS_OK)
        return status;
    experiment_stream(study->run, "loads", &rng);
    study->game = (struct sharing_game){
        .member_count = count,
        .federation_price = setting_real(setting, "federation_price"),
        .exponent = setting_real(setting, "exponent"),
        .sharers_only = setting_choice(setting, "sharers_only") == 1,
    };
    for (uint32_t i = 0; i < count; i++) {
        double load = loads[i] * (1 + spread * (2 * rng_unit(&rng) - 1));
        if (gpus[i] != floor(gpus[i]))
            return fault_set(fault, STATUS_CONFIG, "gpus: %g GPUs must be a whole number", gpus[i]);
        study->game.members[i] = (struct sharing_member){
            .gpus = (uint32_t)gpus[i],
            .arrival_rate = load * gpus[i] / times[i],
            .service_rate = 1 / times[i],
            .waiting_limit = limits[i],
            .outside_price = prices[i],
            .running_cost = costs[i],
        };
    }
    bool exact = setting_choice(setting, "method") == METHOD_EXACT;
    return sharing_judge_open(&study->judge, &study->game,
                              exact ? SHARING_EXACT : SHARING_APPROXIMATE, study->run->arena,
                              fault);
}

static void choose_starts(struct study *study)
{
    uint32_t count = study->game.member_count;
    struct rng rng;
    experiment_stream(study->run, "starts", &rng);
    study->start_count = setting_count(study->run->setting, "starts");
    for (uint32_t s = 0; s < study->start_count; s++)
        for (uint32_t i = 0; i < count; i++) {
            uint32_t gpus = study->game.members[i].gpus;
            uint32_t drawn = (uint32_t)rng_below(&rng, gpus + 1);
            study->starts[s * count + i] = s == 0 ? 0 : s == 1 ? gpus : drawn;
        }
}

static bool same_shares(const struct study *study, const uint32_t *one, const uint32_t *other)
{
    for (uint32_t i = 0; i < study->game.member_count; i++)
        if (one[i] != other[i])
            return false;
    return true;
}

static enum status find_rest(struct study *study, struct fault *fault)
{
    uint32_t count = study->game.member_count;
    double rounds = 0;
    uint32_t cycles = 0;
    uint32_t equilibria = 0;
    for (uint32_t s = 0; s < study->start_count; s++) {
        struct sharing_outcome *outcome = &study->outcomes[s];
        for (uint32_t i = 0; i < count; i++)
            outcome->shares[i] = study->starts[s * count + i];
        enum status status = sharing_settle(&study->judge, outcome, fault);
        if (status != STATUS_OK)
            return status;
        rounds += outcome->rounds;
        cycles += outcome->rest == SHARING_CYCLE;
        bool known = outcome->rest != SHARING_AT_REST;
        for (uint32_t earlier = 0; earlier < s && !known; earlier++)
            known = study->outcomes[earlier].rest == SHARING_AT_REST &&
                    same_shares(study, study->outcomes[earlier].shares, outcome->shares);
        equilibria += !known;
    }
    experiment_observe(study->run, "equilibrium", "", "equilibria", equilibria);
    experiment_observe(study->run, "equilibrium", "", "cycles", cycles);
    experiment_observe(study->run, "equilibrium", "", "rounds", rounds / study->start_count);
    return STATUS_OK;
}

static enum status report_choice(struct study *study, const char *series, const uint32_t *shares,
                                 struct fault *fault)
{
    const struct experiment_run *run = study->run;
    uint32_t count = study->game.member_count;
    double utilities[SHARING_MEMBERS_MAX];
    struct sharing_evaluation evaluation;
    enum status status = STATUS_OK;
    if (study->judge.method == SHARING_APPROXIMATE)
        sharing_approximate(study->judge.approximation, shares, &evaluation);
    else
        status = sharing_exact(&study->game, shares, run->arena, &evaluation, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        const struct sharing_flow *flow = &evaluation.flows[i];
        char member[16];
        snprintf(member, sizeof member, "m%u", i + 1);
        utilities[i] = sharing_utility(&study->game, i, flow);
        experiment_observe(run, series, member, "share", shares[i]);
        experiment_observe(run, series, member, "lent", flow->lent);
        experiment_observe(run, series, member, "borrowed", flow->borrowed);
        experiment_observe(run, series, member, "outside", flow->outside);
        experiment_observe(run, series, member, "utilisation", flow->utilisation);
        experiment_observe(run, series, member, "cost", sharing_cost(&study->game, i, flow));
        experiment_observe(run, series, member, "utility", utilities[i]);
    }
    for (int w = 0; w < WELFARE_COUNT; w++)
        experiment_observe(run, series, "", welfare_names[w],
                           sharing_welfare_of((enum sharing_welfare)w, utilities, count));
    return STATUS_OK;
}

/* Undefined where nothing came to rest, or welfare isn't positive. */
static double anarchy(const struct study *study, enum sharing_welfare welfare)
{
    double worst = HUGE_VAL;
    for (uint32_t s = 0; s < study->start_count; s++)
        if (study->outcomes[s].rest == SHARING_AT_REST)
            worst = fmin(worst, sharing_welfare_of(welfare, study->outcomes[s].utilities,
                                                   study->game.member_count));
    bool defined = worst > 0 && worst < HUGE_VAL;
    return defined ? fmax(study->optima[welfare].welfare, worst) / worst : (double)NAN;
}

static void report_anarchy(struct study *study)
{
    experiment_observe(study->run, "equilibrium", "", "anarchy_utilitarian",
                       anarchy(study, WELFARE_UTILITARIAN));
    experiment_observe(study->run, "equilibrium", "", "anarchy_max_min",
                       anarchy(study, WELFARE_MAX_MIN));
    experiment_observe(study->run, "utilitarian", "", "optimum_exhaustive",
                       study->optima[WELFARE_UTILITARIAN].exhaustive ? 1 : 0);
}
