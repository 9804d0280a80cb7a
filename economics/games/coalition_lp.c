/*
 * See coalition_lp.h. Names as in the textbooks: rows are the general ones (pools, then policy
 * rows), sets are jobs. Each set has a slack; set j's key is a column, or that slack. Position p of
 * the working basis holds a column (which stands for column − its set's key) or a row's slack.
 */
#include "economics/games/coalition_lp.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/games/coalition_lp_internal.h"
#include "economics/market/plan.h"

#define NOTHING 1e-12 /* of the dearest column: a worth below this is rounding */
#define AGREE   1e-10 /* primal and dual objective, relative */

enum { PIVOTS_PER_REFACTOR = 300, PIVOTS_MAX_BASE = 2000, PIVOTS_MAX_PER_ROW = 50 };

void coalition_lp_restart(struct coalition_lp *lp)
{
    uint32_t m = lp->row_count;
    memset(lp->inverse, 0, (size_t)m * m * sizeof *lp->inverse);
    memset(lp->column_basic, 0, lp->column_count * sizeof *lp->column_basic);
    memset(lp->set_slack_basic, 0, lp->set_count * sizeof *lp->set_slack_basic);
    memset(lp->set_basics, 0, lp->set_count * sizeof *lp->set_basics);
    memset(lp->dormant, 0, lp->set_count * sizeof *lp->dormant);
    for (uint32_t r = 0; r < m; r++) {
        lp->inverse[(size_t)r * m + r] = 1.0;
        lp->basic[r] = (struct coalition_basic){.set = NO_SET, .column = (int32_t)r};
        lp->row_slack_basic[r] = true;
    }
    for (uint32_t j = 0; j < lp->set_count; j++) {
        lp->key[j] = SLACK;
        for (uint32_t c = lp->sets[j].first; c < lp->sets[j + 1].first; c++)
            if (lp->columns[c].worth > coalition_worth(lp, lp->key[j]))
                lp->key[j] = (int32_t)c;
    }
    lp->since_refactor = 0;
    coalition_prices(lp);
}

/* A set without basic columns may take any key: the one that leaves no column out of line. */
static void choose_key(struct coalition_lp *lp, uint32_t set)
{
    lp->key[set] = SLACK;
    lp->surplus[set] = 0.0;
    for (uint32_t c = lp->sets[set].first; c < lp->sets[set + 1].first; c++) {
        double gain = lp->columns[c].worth - coalition_along(lp, lp->price, (int32_t)c);
        if (gain > lp->surplus[set]) {
            lp->surplus[set] = gain;
            lp->key[set] = (int32_t)c;
        }
    }
}

/* Jobs of members that are out and have nothing basic fall asleep; those of members that came back
 * wake up with a key that suits the prices. */
static void wake_and_sleep(struct coalition_lp *lp)
{
    for (uint32_t j = 0; j < lp->set_count; j++) {
        bool sleeps = lp->part[lp->sets[j].home] == 0.0 && lp->set_basics[j] == 0;
        if (lp->dormant[j] && !sleeps)
            choose_key(lp, j);
        lp->dormant[j] = sleeps;
    }
}

/* False: trouble with the numbers, or more pivots than there should be. */
static bool iterate(struct coalition_lp *lp)
{
    uint32_t most = PIVOTS_MAX_BASE + PIVOTS_MAX_PER_ROW * lp->row_count;
    wake_and_sleep(lp);
    coalition_values(lp);
    for (uint32_t k = 0; k < most; k++) {
        uint32_t at = 0;
        bool key = false;
        if (lp->since_refactor++ >= PIVOTS_PER_REFACTOR && !coalition_refactor(lp))
            return false;
        if (!coalition_leaving(lp, &at, &key))
            return true;
        if (key)
            at = coalition_exchange_key(lp, at);
        coalition_candidates(lp, at);
        const struct coalition_candidate *entering = coalition_entering(lp);
        if (entering == NULL || !coalition_pivot(lp, at, entering))
            return false;
    }
    return false;
}

/* The dual objective, which is the primal one at the optimum; false where they differ. */
static bool worth_of(struct coalition_lp *lp, double *worth)
{
    double dual = 0.0;
    double primal = 0.0;
    for (uint32_t r = 0; r < lp->row_count; r++)
        dual += lp->price[r] * coalition_limit(lp, r);
    for (uint32_t j = 0; j < lp->set_count; j++) {
        double d = lp->part[lp->sets[j].home];
        dual += lp->surplus[j] * d;
        primal += coalition_worth(lp, lp->key[j]) * d;
    }
    for (uint32_t p = 0; p < lp->row_count; p++)
        if (lp->basic[p].set != NO_SET)
            primal += lp->value[p] * (coalition_worth(lp, lp->basic[p].column) -
                                      coalition_worth(lp, lp->key[lp->basic[p].set]));
    *worth = primal > NOTHING ? primal * lp->scale : 0.0;
    return fabs(primal - dual) <= AGREE * (1.0 + fabs(primal));
}

enum status coalition_lp_solve(struct coalition_lp *lp, double *worth_credits, struct fault *fault)
{
    lp->has_prices = true;
    for (uint32_t attempt = 0; attempt < 3; attempt++) {
        if (attempt == 1 && !coalition_refactor(lp))
            continue;
        if (attempt == 2)
            coalition_lp_restart(lp);
        if (iterate(lp) && worth_of(lp, worth_credits))
            return STATUS_OK;
    }
    lp->has_prices = false;
    lp->rescues++;
    memset(lp->mask, 0, (lp->market->member_count / 64 + 1) * sizeof *lp->mask);
    for (uint32_t i = 0; i < lp->market->member_count; i++) {
        if ((lp->part[i] != 0.0 && lp->part[i] != 1.0) || lp->relaxed)
            return fault_set(fault, STATUS_INTERNAL, "coalition LP: numerical trouble");
        lp->mask[i / 64] |= lp->part[i] != 0.0 ? UINT64_C(1) << (i % 64) : 0;
    }
    return market_worth(lp->market, lp->mask, worth_credits, fault);
}

bool coalition_lp_payoffs(const struct coalition_lp *lp, double *payoffs)
{
    for (uint32_t i = 0; i < lp->market->member_count; i++)
        payoffs[i] = 0.0;
    for (uint32_t r = 0; r < lp->row_count; r++)
        payoffs[lp->rows[r].owner] += lp->price[r] * lp->rows[r].limit * lp->scale;
    for (uint32_t j = 0; j < lp->set_count; j++) {
        double surplus = lp->dormant[j] ? 0.0 : lp->surplus[j];
        for (uint32_t c = lp->sets[j].first; lp->dormant[j] && c < lp->sets[j + 1].first; c++)
            surplus =
                fmax(surplus, lp->columns[c].worth - coalition_along(lp, lp->price, (int32_t)c));
        payoffs[lp->sets[j].home] += surplus * lp->scale;
    }
    return lp->has_prices;
}
