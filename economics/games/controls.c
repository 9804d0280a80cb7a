#include "economics/games/controls.h"

#include <assert.h>
#include <math.h>

/* v of all (or of nobody), with up to two players the other way. */
static enum status worth_with(struct oracle *oracle, bool all, uint32_t i, uint32_t j,
                              double *worth, struct fault *fault)
{
    oracle_set(oracle, i, !all);
    oracle_set(oracle, j, !all);
    enum status status = oracle_worth(oracle, worth, fault);
    oracle_set(oracle, i, all);
    oracle_set(oracle, j, all);
    return status;
}

/* |v(±ij) − v(±i) − v(±j) + v| for all pairs, from nobody or from all. */
static enum status interactions(struct oracle *oracle, bool all, double *single, double *weights,
                                double *total, struct fault *fault)
{
    uint32_t n = oracle->players;
    double base = 0.0;
    for (uint32_t i = 0; i < n; i++)
        oracle_set(oracle, i, all);
    enum status status = oracle_worth(oracle, &base, fault);
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
        status = worth_with(oracle, all, i, i, &single[i], fault);
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
        for (uint32_t j = 0; j < i && status == STATUS_OK; j++) {
            double both = 0.0;
            status = worth_with(oracle, all, i, j, &both, fault);
            double gain = fabs(both - single[i] - single[j] + base);
            weights[(size_t)i * n + j] = gain > 1e-12 * fabs(*total) ? gain : 0.0;
            weights[(size_t)j * n + i] = weights[(size_t)i * n + j];
        }
    *total = base;
    return status;
}

/* Too many players for all pairs: by how much each player's dual payoff changes when another leaves
 * all, to first order their interaction. */
static enum status by_prices(struct oracle *oracle, double *payoffs, double *weights,
                             struct fault *fault)
{
    uint32_t n = oracle->players;
    double worth;
    for (uint32_t i = 0; i < n; i++)
        oracle_set(oracle, i, true);
    enum status status = oracle_worth(oracle, &worth, fault);
    bool const priced = status == STATUS_OK && oracle->payoffs(oracle->state, payoffs);
    for (uint32_t i = 0; i < n && priced && status == STATUS_OK; i++) {
        double *others = payoffs + n;
        oracle_set(oracle, i, false);
        status = oracle_worth(oracle, &worth, fault);
        bool const there = status == STATUS_OK && oracle->payoffs(oracle->state, others);
        oracle_set(oracle, i, true);
        for (uint32_t j = 0; j < n && there; j++) {
            double const change = fabs(others[j] - payoffs[j]);
            if (j == i || change <= 1e-12 * fabs(worth))
                continue;
            weights[(size_t)i * n + j] += change;
            weights[(size_t)j * n + i] += change;
        }
    }
    return status;
}

/* To shares, with the expectation of s (1 − s): (1 − Σ w²) / 6 for weights that add up to 1. */
static void normalise(struct controls *controls, uint32_t control, double *weights)
{
    uint32_t n = controls->players;
    for (uint32_t i = 0; i < n; i++) {
        double sum = 0.0;
        double squares = 0.0;
        for (uint32_t j = 0; j < n; j++)
            sum += weights[(size_t)i * n + j];
        for (uint32_t j = 0; j < n && sum > 0.0; j++) {
            weights[(size_t)i * n + j] /= sum;
            squares += weights[(size_t)i * n + j] * weights[(size_t)i * n + j];
        }
        controls->expected[(size_t)i * REGRESSION_CONTROLS + control] =
            sum > 0.0 ? (1.0 - squares) / 6.0 : 0.0;
    }
}

static_assert(CONTROL_SHARES + CONTROL_PARTNERS_MAX * (CONTROL_PARTNERS_MAX - 1) / 2 ==
                  REGRESSION_CONTROLS,
              "each two partners have a control");

static enum status reserve(struct controls *controls, struct arena *arena, struct fault *fault)
{
    size_t n = controls->players;
    for (uint32_t k = 0; k < 2; k++)
        controls->weights[k] = arena_alloc(arena, n * n, sizeof *controls->weights[k]);
    controls->expected = arena_alloc(arena, n * REGRESSION_CONTROLS, sizeof *controls->expected);
    controls->partners = arena_alloc(arena, n * CONTROL_PARTNERS_MAX, sizeof *controls->partners);
    if (controls->weights[0] == NULL || controls->weights[1] == NULL ||
        controls->expected == NULL || controls->partners == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to sample orders");
    return STATUS_OK;
}

static double weight_of(const struct controls *controls, uint32_t player, uint32_t other)
{
    size_t const at = (size_t)player * controls->players + other;
    return controls->weights[0][at] + controls->weights[1][at];
}

/* The others with the largest weights. */
static void choose_partners(struct controls *controls, uint32_t player)
{
    uint32_t *partners = controls->partners + (size_t)player * CONTROL_PARTNERS_MAX;
    uint32_t count = 0;
    for (uint32_t j = 0; j < controls->players; j++) {
        double const weight = weight_of(controls, player, j);
        if (j == player)
            continue;
        uint32_t at = count;
        while (at > 0 && weight_of(controls, player, partners[at - 1]) < weight)
            at--;
        if (at == CONTROL_PARTNERS_MAX)
            continue;
        count += count < CONTROL_PARTNERS_MAX ? 1 : 0;
        for (uint32_t k = count - 1; k > at; k--)
            partners[k] = partners[k - 1];
        partners[at] = j;
    }
    controls->partner_count = count;
}

static void set_expectations(struct controls *controls)
{
    uint32_t n = controls->players;
    uint32_t const pairs = controls->partner_count * (controls->partner_count - 1u) / 2u;
    for (uint32_t i = 0; i < n; i++) {
        double *expected = controls->expected + (size_t)i * REGRESSION_CONTROLS;
        expected[0] = n > 2 ? (1.0 - 1.0 / (n - 1)) / 6.0 : 0.0;
        for (uint32_t k = 0; k < pairs; k++)
            expected[CONTROL_SHARES + k] = 2.0 / 3.0;
    }
}

enum status controls_make(struct controls *controls, struct oracle *oracle, struct arena *arena,
                          struct fault *fault)
{
    uint32_t n = oracle->players;
    double total = 0.0;
    *controls = (struct controls){.players = n};
    enum status status = reserve(controls, arena, fault);
    if (status != STATUS_OK)
        return status;
    double *single = controls->expected; /* overwritten below */
    bool const all_pairs = n <= CONTROL_PAIRS_PLAYERS_MAX || oracle->payoffs == NULL;
    if (!all_pairs)
        status = by_prices(oracle, single, controls->weights[1], fault);
    else
        status = interactions(oracle, true, single, controls->weights[1], &total, fault);
    if (all_pairs && status == STATUS_OK)
        status = interactions(oracle, false, single, controls->weights[0], &total, fault);
    if (status != STATUS_OK)
        return status;
    normalise(controls, 1, controls->weights[0]);
    normalise(controls, 2, controls->weights[1]);
    for (uint32_t i = 0; i < n; i++)
        choose_partners(controls, i);
    set_expectations(controls);
    return STATUS_OK;
}

/* Of each two partners, whether both come before the player, or both after. */
static void observe_partners(const struct controls *controls, uint32_t player, const double *before,
                             double *control)
{
    const uint32_t *partners = controls->partners + (size_t)player * CONTROL_PARTNERS_MAX;
    uint32_t next = 0;
    for (uint32_t a = 1; a < controls->partner_count; a++)
        for (uint32_t b = 0; b < a; b++)
            control[next++] =
                (before[partners[a]] < before[player]) == (before[partners[b]] < before[player])
                    ? 1.0
                    : 0.0;
}

void controls_observe(const struct controls *controls, const double *before, const double *gain,
                      struct observation *observations)
{
    uint32_t n = controls->players;
    for (uint32_t i = 0; i < n; i++) {
        double share = n > 1 ? before[i] / (n - 1) : 0.0;
        observations[i] = (struct observation){.mean = gain[i]};
        observations[i].control[0] = share * (1.0 - share);
        for (uint32_t k = 0; k < 2; k++) {
            const double *weights = controls->weights[k] + (size_t)i * n;
            share = 0.0;
            for (uint32_t j = 0; j < n; j++)
                share += before[j] < before[i] ? weights[j] : 0.0;
            observations[i].control[k + 1] = share * (1.0 - share);
        }
        observe_partners(controls, i, before, observations[i].control + CONTROL_SHARES);
    }
}
