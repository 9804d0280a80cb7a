#include "economics/games/concepts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/tolerance.h"
#include "economics/games/concepts_internal.h"
#include "economics/games/market_owen.h"
#include "economics/games/market_table.h"

enum { SAMPLED_PAIRS = 4096 }; /* where no other end is set */

/* --- Answers --------------------------------------------------------------------------------- */

double *concept_split(const struct subject *subject)
{
    return arena_alloc(subject->arena, subject->input->game.players, sizeof(double));
}

enum status concept_no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the answer does not fit into memory");
}

static struct concept_detail *next_detail(struct concept_answer *answer, const char *key,
                                          enum detail_kind kind)
{
    static struct concept_detail lost;
    struct concept_detail *detail = answer->detail_count < CONCEPT_DETAILS_MAX
                                        ? &answer->details[answer->detail_count++]
                                        : &lost;
    *detail = (struct concept_detail){.key = key, .kind = kind};
    return detail;
}

void concept_number(struct concept_answer *answer, const char *key, double number)
{
    next_detail(answer, key, DETAIL_NUMBER)->number = number;
}

void concept_truth(struct concept_answer *answer, const char *key, bool truth)
{
    next_detail(answer, key, DETAIL_TRUTH)->truth = truth;
}

void concept_text(struct concept_answer *answer, const char *key, const char *text)
{
    next_detail(answer, key, DETAIL_TEXT)->text = text;
}

void concept_coalition(struct concept_answer *answer, const char *key, uint32_t coalition)
{
    next_detail(answer, key, DETAIL_COALITION)->coalition = coalition;
}

void concept_vector(struct concept_answer *answer, const char *key, const double *split)
{
    next_detail(answer, key, DETAIL_SPLIT)->split = split;
}

void concept_remark(struct concept_answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer->remark, sizeof answer->remark, format, arguments);
    va_end(arguments);
}

/* --- The concepts in a pass over the table --------------------------------------------------- */

/* Until every half-width is the part asked for, or the caller says stop. */
static enum status answer_sampled(struct subject *subject, struct concept_answer *answer,
                                  struct fault *fault)
{
    struct sampling_settings settings = subject->sampling;
    struct sampled sampled;
    if (settings.half_width == 0.0 && settings.stop == NULL && settings.pairs_max == 0)
        settings.pairs_max = SAMPLED_PAIRS;
    enum status status =
        sampling_shapley(subject->input, &settings, subject->arena, &sampled, fault);
    if (status != STATUS_OK)
        return status;
    answer->split = sampled.split;
    concept_text(answer, "method", "sampled");
    concept_number(answer, "pairs", (double)sampled.pairs);
    concept_number(answer, "seed", (double)settings.seed);
    concept_number(answer, "half_width", sampled.half_width);
    concept_vector(answer, "standard_error", sampled.standard_error);
    concept_remark(answer, "estimated: 95%% half-widths are at most %.3g%% of v(N)/n%s",
                   100.0 * sampled.half_width,
                   settings.half_width > 0.0 && !sampled.reached ? ", which is more than asked for"
                                                                 : "");
    return STATUS_OK;
}

static enum status answer_shapley(struct subject *subject, struct concept_answer *answer,
                                  struct fault *fault)
{
    if (subject->input->game.worth == NULL)
        return answer_sampled(subject, answer, fault);
    answer->split = concept_split(subject);
    if (answer->split == NULL)
        return concept_no_memory(fault);
    game_shapley(&subject->input->game, answer->split);
    concept_text(answer, "method", "exact");
    return STATUS_OK;
}

static enum status answer_banzhaf(struct subject *subject, struct concept_answer *answer,
                                  struct fault *fault)
{
    const struct game *game = &subject->input->game;
    double sum = 0.0;
    answer->split = concept_split(subject);
    if (answer->split == NULL)
        return concept_no_memory(fault);
    game_banzhaf(game, answer->split);
    for (uint32_t i = 0; i < game->players; i++)
        sum += answer->split[i];
    concept_number(answer, "sum", sum);
    concept_remark(answer, "raw: mean marginal contributions, which need not add up to v(N)");
    return STATUS_OK;
}

static enum status answer_banzhaf_normalised(struct subject *subject, struct concept_answer *answer,
                                             struct fault *fault)
{
    double *split = concept_split(subject);
    if (split == NULL)
        return concept_no_memory(fault);
    if (game_banzhaf_normalised(&subject->input->game, split))
        answer->split = split;
    else
        concept_remark(answer, "undefined: the raw values add up to zero");
    return STATUS_OK;
}

static enum status answer_tau(struct subject *subject, struct concept_answer *answer,
                              struct fault *fault)
{
    double *split = concept_split(subject);
    bool defined = false;
    if (split == NULL)
        return concept_no_memory(fault);
    enum status status = game_tau(&subject->input->game, subject->scratch, split, &defined, fault);
    if (status != STATUS_OK)
        return status;
    if (defined)
        answer->split = split;
    else
        concept_remark(answer, "undefined: the game is not quasi-balanced");
    return STATUS_OK;
}

static enum status answer_proportional(struct subject *subject, struct concept_answer *answer,
                                       struct fault *fault)
{
    double *split = concept_split(subject);
    if (split == NULL)
        return concept_no_memory(fault);
    if (game_proportional(&subject->input->game, split))
        answer->split = split;
    else
        concept_remark(answer, "undefined: the worths of single players add up to zero, or are of "
                               "both signs");
    return STATUS_OK;
}

static enum status answer_equal(struct subject *subject, struct concept_answer *answer,
                                struct fault *fault)
{
    answer->split = concept_split(subject);
    if (answer->split == NULL)
        return concept_no_memory(fault);
    game_equal(&subject->input->game, answer->split);
    return STATUS_OK;
}

static enum status answer_egalitarian(struct subject *subject, struct concept_answer *answer,
                                      struct fault *fault)
{
    answer->split = concept_split(subject);
    if (answer->split == NULL)
        return concept_no_memory(fault);
    game_equal_surplus(&subject->input->game, answer->split);
    return STATUS_OK;
}

/* Each gets what it adds to the others; somebody must pay what these add up to beyond v(N). */
static enum status answer_vcg(struct subject *subject, struct concept_answer *answer,
                              struct fault *fault)
{
    const struct game *game = &subject->input->game;
    uint32_t grand = game_grand(game);
    double deficit = -game->worth[grand];
    answer->split = concept_split(subject);
    if (answer->split == NULL)
        return concept_no_memory(fault);
    for (uint32_t i = 0; i < game->players; i++) {
        answer->split[i] = game->worth[grand] - game->worth[grand ^ (1u << i)];
        deficit += answer->split[i];
    }
    if (game->kind == GAME_COST)
        deficit = -deficit;
    concept_number(answer, "deficit", deficit);
    concept_remark(answer, deficit > concept_slack(game)
                               ? "payoffs under VCG payments; an account must fund the deficit"
                               : "payoffs under VCG payments");
    return STATUS_OK;
}

static enum status find_owen(struct subject *subject, struct owen *owen, bool *ranged,
                             struct fault *fault)
{
    *ranged = true;
    if (subject->input->instance != NULL)
        return market_owen(&subject->input->instance->market, subject->arena, owen, ranged, fault);
    return production_owen(subject->input->production, subject->arena, owen, fault);
}

static enum status answer_owen(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault)
{
    struct owen owen;
    bool ranged = false;
    if (subject->input->production == NULL && subject->input->instance == NULL) {
        concept_remark(answer, "undefined: not a production game (give A, b and c, an assignment "
                               "matrix or a market)");
        return STATUS_OK;
    }
    enum status status = find_owen(subject, &owen, &ranged, fault);
    if (status != STATUS_OK)
        return status;
    answer->split = owen.split;
    concept_text(answer, "by", "dual prices: they cover what any coalition can reach");
    concept_number(answer, "dual_total", owen.total);
    if (!ranged) {
        concept_remark(answer, "the players' ranges could not be found to the numbers' accuracy");
        return STATUS_OK;
    }
    concept_truth(answer, "unique", owen.unique);
    concept_vector(answer, "least", owen.least);
    concept_vector(answer, "greatest", owen.greatest);
    if (!owen.unique)
        concept_remark(answer,
                       "the optimal dual prices are not unique: %s is given, with each "
                       "player's least and greatest",
                       subject->input->instance != NULL
                           ? "the average of the buyers' and the sellers' best"
                           : "the mean of each player's best");
    return STATUS_OK;
}

const struct concept concepts[] = {
    {"shapley", NULL, "mean marginal contribution over all orders [Shapley 1953]", true, true,
     REACH_SAMPLES, answer_shapley},
    {"shapley-sampled", NULL, "the same from random orders, with standard errors", false, true,
     REACH_DATA, answer_sampled},
    {"nucleolus", NULL, "least sorted excesses over imputations [Schmeidler 1969]", true, true,
     REACH_TABLE, concept_nucleolus},
    {"prenucleolus", NULL, "least sorted excesses over all efficient splits", true, true,
     REACH_TABLE, concept_prenucleolus},
    {"per-capita-nucleolus", NULL, "excesses divided by the coalition's size, over imputations",
     false, true, REACH_TABLE, concept_per_capita},
    {"per-capita-prenucleolus", NULL, "the same over all efficient splits", false, true,
     REACH_TABLE, concept_per_capita_pre},
    {"least-core", NULL, "the least epsilon by which coalitions must fall short", false, true,
     REACH_DATA, concept_least_core},
    {"core", NULL, "is there a split to which nobody objects?", true, false, REACH_DATA,
     concept_core},
    {"nearest-core", "nearest_core", "the core point nearest to Shapley in least squares", false,
     true, REACH_SAMPLES, concept_nearest_core},
    {"tau", "tau-value", "between minimal rights and utopia [Tijs 1981]", true, true, REACH_TABLE,
     answer_tau},
    {"banzhaf", "banzhaf-raw", "mean marginal contribution over all coalitions [Banzhaf 1965]",
     true, true, REACH_TABLE, answer_banzhaf},
    {"banzhaf-normalised", "banzhaf-normalized", "the same, scaled to share v(N)", false, true,
     REACH_TABLE, answer_banzhaf_normalised},
    {"owen", NULL, "resources at dual prices, with ranges [Owen 1975]", false, true, REACH_DATA,
     answer_owen},
    {"vcg", NULL, "what each adds to the others, with the deficit", false, true, REACH_TABLE,
     answer_vcg},
    {"proportional", NULL, "v(N) in proportion to what each reaches alone", false, true,
     REACH_TABLE, answer_proportional},
    {"equal", NULL, "v(N) / n", false, true, REACH_TABLE, answer_equal},
    {"egalitarian", "equal-surplus", "what each reaches alone, and an equal part of the rest",
     false, true, REACH_TABLE, answer_egalitarian},
    {"properties", NULL, "superadditive, convex, monotone, essential, balanced", false, false,
     REACH_TABLE, concept_properties},
};

const size_t concept_count = sizeof concepts / sizeof concepts[0];

/* --- By name --------------------------------------------------------------------------------- */

/* "least_core" is "least-core". */
static bool same_name(const char *name, const char *asked)
{
    if (name == NULL)
        return false;
    for (; *name != '\0' || *asked != '\0'; name++, asked++)
        if ((*name == '_' ? '-' : *name) != (*asked == '_' ? '-' : *asked))
            return false;
    return true;
}

enum status concept_find(const char *name, const struct concept **concept, struct fault *fault)
{
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    nearest_begin(&nearest, name);
    for (size_t c = 0; c < concept_count; c++) {
        *concept = &concepts[c];
        if (same_name(concepts[c].name, name) || same_name(concepts[c].also, name))
            return STATUS_OK;
        nearest_offer(&nearest, concepts[c].name);
    }
    nearest_hint(&nearest, hint);
    return fault_set(fault, STATUS_INVALID, "no concept is called %.64s%s", name, hint);
}

double concept_slack(const struct game *game)
{
    return TOLERANCE_LP * game_scale(game) * 10.0;
}

static bool efficient(const struct game *game, const double *split)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < game->players; i++)
        sum += split[i];
    return fabs(sum - game->worth[game_grand(game)]) <= concept_slack(game);
}

/* The table, where the concept needs one and there isn't; a production game has none to be made. */
static enum status complete(const struct concept *concept, struct subject *subject,
                            struct fault *fault)
{
    struct input_game *input = subject->input;
    bool market = input->instance != NULL;
    if (concept->answer == answer_owen || concept->answer == answer_sampled)
        return STATUS_OK;
    bool large = input->game.players > MARKET_TABLE_PLAYERS_MAX;
    if (concept->reach == REACH_DATA && (market || (large && input->production != NULL)))
        return STATUS_OK;
    if (concept->reach == REACH_SAMPLES && large)
        return STATUS_OK;
    return input_complete(input, fault);
}

void concept_answer(const struct concept *concept, struct subject *subject,
                    struct concept_answer *answer)
{
    const struct game *game = &subject->input->game;
    struct fault fault = {.status = STATUS_OK};
    *answer = (struct concept_answer){.concept = concept};
    enum status status = complete(concept, subject, &fault);
    if (status == STATUS_OK)
    status = concept->answer(subject, answer, &fault);
    arena_reset(subject->scratch);
    if (status != STATUS_OK) {
        answer->failed = true;
        answer->split = NULL;
        concept_remark(answer, "%s", fault.text);
    }
    if (answer->split == NULL || game->worth == NULL || game->players < 2 ||
        !efficient(game, answer->split))
        return;
    answer->core_checked = true;
    game_objection(game, answer->split, &answer->objection);
}
