#include "economics/games/orders.h"

void orders_draw(struct rng *rng, uint32_t players, uint32_t *order, double *before)
{
    for (uint32_t k = 0; k < players; k++) {
        uint32_t at = (uint32_t)rng_below(rng, k + 1u);
        order[k] = order[at];
        order[at] = k;
    }
    for (uint32_t k = 0; k < players; k++)
        before[order[k]] = k;
}

static enum status run(struct oracle *oracle, const uint32_t *order, bool reversed, double *gain,
                       struct fault *fault)
{
    uint32_t n = oracle->players;
    double before = 0.0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < n; i++)
        oracle_set(oracle, i, false);
    for (uint32_t k = 0; k < n && status == STATUS_OK; k++) {
        uint32_t player = order[reversed ? n - 1 - k : k];
        double worth = 0.0;
        oracle_set(oracle, player, true);
        status = oracle_worth(oracle, &worth, fault);
        gain[player] += 0.5 * (worth - before);
        before = worth;
    }
    return status;
}

enum status orders_gains(struct oracle *oracle, const uint32_t *order, double *gain,
                         struct fault *fault)
{
    enum status status = run(oracle, order, false, gain, fault);
    return status == STATUS_OK ? run(oracle, order, true, gain, fault) : status;
}
