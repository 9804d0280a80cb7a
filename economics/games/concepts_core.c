/*
 * The concepts that need linear programs, and the properties: see concepts.h.
 */
#include <stdio.h>
#include <string.h>

#include "economics/games/concepts_internal.h"
#include "economics/games/generation.h"
#include "economics/games/nearest_generated.h"
#include "economics/games/nucleolus.h"

enum { NEAREST_PAIRS = 512 }; /* of orders, for the estimate it is nearest to */

enum { SUPERADDITIVE_PLAYERS_MAX = 18 }; /* 3^18 pairs: a second */

static enum status solve_nucleolus(struct subject *subject, struct nucleolus_settings settings,
                                   struct concept_answer *answer, struct fault *fault)
{
    const struct game *game = &subject->input->game;
    double *split = concept_split(subject);
    enum game_answer solved = GAME_UNDEFINED;
    struct game_certificate certificate;
    if (split == NULL)
        return concept_no_memory(fault);
    enum status status = game_nucleolus(game, settings, subject->scratch, split, &solved, fault);
    if (status != STATUS_OK)
        return status;
    if (solved == GAME_UNDEFINED) {
        concept_remark(answer, "undefined: %s, so no split gives everyone what it has alone",
                       game->kind == GAME_COST ? "single players' costs add up to less than c(N)"
                                               : "single players' worths add up to more than v(N)");
        return STATUS_OK;
    }
    arena_reset(subject->scratch);
    status = game_certify_nucleolus(game, settings, split, subject->scratch, &certificate, fault);
    if (status != STATUS_OK)
        return status;
    concept_truth(answer, "certified", certificate.certified);
    concept_text(answer, "by", "Kohlberg's criterion on the sorted excesses");
    concept_number(answer, "tolerance", certificate.tolerance);
    if (certificate.certified) {
        answer->split = split;
        return STATUS_OK;
    }
    answer->failed = true;
    concept_number(answer, "failing_level", certificate.failing_level);
    concept_remark(answer,
                   "not certified: Kohlberg's criterion fails at excess %.9g; the split "
                   "found is withheld",
                   certificate.failing_level);
    return STATUS_OK;
}

enum status concept_nucleolus(struct subject *subject, struct concept_answer *answer,
                              struct fault *fault)
{
    struct nucleolus_settings settings = {.individually_rational = true};
    return solve_nucleolus(subject, settings, answer, fault);
}

enum status concept_prenucleolus(struct subject *subject, struct concept_answer *answer,
                                 struct fault *fault)
{
    struct nucleolus_settings settings = {.individually_rational = false};
    return solve_nucleolus(subject, settings, answer, fault);
}

enum status concept_per_capita(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault)
{
    struct nucleolus_settings settings = {.individually_rational = true, .per_capita = true};
    return solve_nucleolus(subject, settings, answer, fault);
}

enum status concept_per_capita_pre(struct subject *subject, struct concept_answer *answer,
                                   struct fault *fault)
{
    struct nucleolus_settings settings = {.per_capita = true};
    return solve_nucleolus(subject, settings, answer, fault);
}

/* A market or production game without a table: ε between proven bounds, and a split where they
 * meet. */
static enum status answer_by_bounds(struct subject *subject, struct concept_answer *answer,
                                    struct market_core *core, struct fault *fault)
{
    const struct sampling_settings *settings = &subject->sampling;
    const struct input_game *input = subject->input;
    bool const bounds =
        input->instance != NULL && input->game.players <= MARKET_CORE_TABLE_MEMBERS_MAX;
    enum status status =
        bounds ? market_least_core(&input->instance->market, settings->stop, settings->context,
                                   subject->arena, subject->scratch, core, fault)
               : generation_least_core(input, settings->stop, settings->context, subject->arena,
                                       core, fault);
    if (status != STATUS_OK)
        return status;
    if (core->exact)
        concept_number(answer, "epsilon", core->epsilon);
    concept_number(answer, "epsilon_lower", core->lower);
    concept_number(answer, "epsilon_upper", core->upper);
    concept_number(answer, "tolerance", core->tolerance);
    concept_number(answer, "coalitions_solved", (double)core->solved);
    return STATUS_OK;
}

static enum status market_least(struct subject *subject, struct concept_answer *answer,
                                struct fault *fault)
{
    struct market_core core;
    enum status status = answer_by_bounds(subject, answer, &core, fault);
    if (status != STATUS_OK)
        return status;
    concept_text(answer, "by",
                 subject->input->instance != NULL &&
                         subject->input->game.players <= MARKET_CORE_TABLE_MEMBERS_MAX
                     ? "balancing weights below, dual bounds on every coalition above"
                     : "balancing weights below, above duality or a mixed-integer program over "
                       "membership");
    concept_truth(answer, "certified", core.exact);
    if (core.exact) {
        answer->split = core.split;
        concept_remark(answer, "epsilon %.9g; one of its points, which may be many, is given",
                       core.epsilon);
    } else {
        concept_remark(answer, "not reached: epsilon is proven to lie between %.9g and %.9g",
                       core.lower, core.upper);
    }
    return STATUS_OK;
}

/* Never empty [Owen 1975]. */
static enum status market_core_answer(struct subject *subject, struct concept_answer *answer,
                                      struct fault *fault)
{
    struct market_core core;
    concept_truth(answer, "empty", false);
    concept_remark(answer, "not empty: Owen's split is in it");
    enum status status = answer_by_bounds(subject, answer, &core, fault);
    concept_remark(answer,
                   "not empty: Owen's split is in it; in some split every coalition has at "
                   "least %.9g to spare",
                   0.0 - core.upper);
    return status;
}

/* Its canonical point is the prenucleolus; ε is proved by its weights. */
enum status concept_least_core(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault)
{
    const struct game *game = &subject->input->game;
    struct least_core core;
    if (game->worth == NULL)
        return market_least(subject, answer, fault);
    enum status status = concept_prenucleolus(subject, answer, fault);
    if (status != STATUS_OK)
        return status;
    arena_reset(subject->scratch);
    status = game_least_core(game, subject->scratch, &core, fault);
    if (status != STATUS_OK)
        return status;
    if (!core.has_epsilon) {
        concept_remark(answer, "no epsilon: a single player has no proper coalition");
        return STATUS_OK;
    }
    concept_number(answer, "epsilon", core.epsilon);
    if (!answer->failed)
        concept_remark(answer,
                       "epsilon %.9g; of its points, which may be many, the prenucleolus is "
                       "given",
                       core.epsilon);
    return STATUS_OK;
}

static bool core_is_empty(const struct game *game, const struct least_core *core)
{
    return core->has_epsilon && core->epsilon > concept_slack(game);
}

enum status concept_core(struct subject *subject, struct concept_answer *answer,
                         struct fault *fault)
{
    const struct game *game = &subject->input->game;
    struct least_core core;
    if (game->worth == NULL)
        return market_core_answer(subject, answer, fault);
    enum status status = game_least_core(game, subject->scratch, &core, fault);
    if (status != STATUS_OK)
        return status;
    bool empty = core_is_empty(game, &core);
    concept_truth(answer, "empty", empty);
    if (!core.has_epsilon) {
        concept_remark(answer, "not empty: the single player gets all");
        return STATUS_OK;
    }
    concept_number(answer, "epsilon", core.epsilon);
    concept_remark(answer,
                   empty ? "empty: in every split some coalition falls short by at least %.9g"
                         : "not empty: in some split every coalition has %.9g to spare",
                   empty ? core.epsilon : 0.0 - core.epsilon);
    return STATUS_OK;
}

/* Without a table: nearest to an estimate of Shapley's value. */
static enum status nearest_by_generation(struct subject *subject, struct concept_answer *answer,
                                         struct fault *fault)
{
    const struct sampling_settings *settings = &subject->sampling;
    struct sampled sampled;
    struct nearest_generated nearest;
    struct sampling_settings orders = *settings;
    if (orders.pairs_max == 0)
        orders.pairs_max = NEAREST_PAIRS;
    enum status status = sampling_shapley(subject->input, &orders, subject->arena, &sampled, fault);
    if (status == STATUS_OK)
        status = nearest_generate(subject->input, sampled.split, settings->stop, settings->context,
                                  subject->arena, &nearest, fault);
    if (status != STATUS_OK)
        return status;
    concept_truth(answer, "certified", nearest.certified);
    concept_text(answer, "by", "a mixed-integer program over membership: nobody objects");
    concept_number(answer, "coalitions", nearest.count);
    concept_number(answer, "half_width", sampled.half_width);
    if (nearest.certified)
        answer->split = nearest.x;
    concept_remark(answer,
                   nearest.certified
                       ? "nearest to an estimate of the Shapley value, whose 95%% half-widths are "
                         "at most %.3g%% of v(N)/n"
                       : "not reached: the point found is not proven to be in the core "
                         "(Shapley's half-widths: %.3g%%)",
                   100.0 * sampled.half_width);
    return STATUS_OK;
}

enum status concept_nearest_core(struct subject *subject, struct concept_answer *answer,
                                 struct fault *fault)
{
    const struct game *game = &subject->input->game;
    double shapley[GAME_PLAYERS_MAX];
    struct nearest_core nearest;
    struct least_core core;
    double *split = concept_split(subject);
    if (split == NULL)
        return concept_no_memory(fault);
    if (game->worth == NULL)
        return nearest_by_generation(subject, answer, fault);
    enum status status = game_least_core(game, subject->scratch, &core, fault);
    if (status != STATUS_OK)
        return status;
    arena_reset(subject->scratch);
    if (core_is_empty(game, &core)) {
        concept_remark(answer, "undefined: the core is empty");
        return STATUS_OK;
    }
    game_shapley(game, shapley);
    status = game_nearest_core(game, shapley, subject->scratch, &nearest, fault);
    if (status != STATUS_OK)
        return status;
    bool certified =
        nearest.answer == CORE_POINT && game_certify_nearest(game, shapley, &nearest, 1e-8);
    concept_truth(answer, "certified", certified);
    concept_text(answer, "by", "Karush-Kuhn-Tucker conditions");
    concept_number(answer, "binding", nearest.count);
    if (!certified) {
        answer->failed = true;
        concept_remark(answer, "not certified: the core is too thin for the numbers' accuracy");
        return STATUS_OK;
    }
    memcpy(split, nearest.x, game->players * sizeof *split);
    answer->split = split;
    return STATUS_OK;
}

/* --- Properties ------------------------------------------------------------------------------ */

/* Keys of one property: whether it holds, and the two coalitions that show it does not. */
struct property_keys {
    const char *holds;
    const char *first;
    const char *second;
    const char *by;
};

static void report_property(struct concept_answer *answer, const struct property_keys *keys,
                            bool holds, const struct game_counterexample *counter)
{
    concept_truth(answer, keys->holds, holds);
    if (holds)
        return;
    concept_coalition(answer, keys->first, counter->first);
    concept_coalition(answer, keys->second, counter->second);
    concept_number(answer, keys->by, counter->by);
}

enum status concept_properties(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault)
{
    static const struct property_keys monotone = {"monotone", "monotone_fails_from",
                                                  "monotone_fails_to", "monotone_fails_by"};
    static const struct property_keys superadditive = {"superadditive", "superadditive_fails_first",
                                                       "superadditive_fails_second",
                                                       "superadditive_fails_by"};
    static const struct property_keys convex = {"convex", "convex_fails_first",
                                                "convex_fails_second", "convex_fails_by"};
    const struct game *game = &subject->input->game;
    struct game_counterexample counter = {0};
    struct least_core core;
    bool holds = game_monotone(game, &counter);
    report_property(answer, &monotone, holds, &counter);
    if (game->players <= SUPERADDITIVE_PLAYERS_MAX) {
        holds = game_superadditive(game, &counter);
        report_property(answer, &superadditive, holds, &counter);
    } else {
        concept_remark(answer, "superadditivity is not checked above %d players (3^n pairs)",
                       SUPERADDITIVE_PLAYERS_MAX);
    }
    holds = game_convex(game, &counter);
    report_property(answer, &convex, holds, &counter);
    concept_truth(answer, "essential", game_essential(game));
    enum status status = game_least_core(game, subject->scratch, &core, fault);
    if (status == STATUS_OK)
        concept_truth(answer, "balanced", !core_is_empty(game, &core));
    return status;
}
