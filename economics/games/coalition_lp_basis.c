/*
 * The coalition LP's basis: its values, its prices, its inverse, and which variable leaves it.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/games/coalition_lp_internal.h"

#define INFEASIBLE 1e-11 /* of a scaled right-hand side: a basic value below minus this */

/* x_B = B⁻¹ (b − Σ_j d_j a_key(j)). */
void coalition_values(struct coalition_lp *lp)
{
    uint32_t m = lp->row_count;
    for (uint32_t r = 0; r < m; r++)
        lp->work[r] = coalition_limit(lp, r);
    for (uint32_t j = 0; j < lp->set_count; j++) {
        double d = lp->part[lp->sets[j].home];
        if (d != 0.0)
            coalition_add_column(lp, lp->key[j], -d, lp->work);
    }
    uint32_t count = 0;
    for (uint32_t r = 0; r < m; r++) /* of a basic slack's row, B⁻¹ has a unit column */
        if (!lp->row_slack_basic[r])
            lp->some[count++] = r;
    for (uint32_t p = 0; p < m; p++) {
        const double *inverse = lp->inverse + (size_t)p * m;
        double sum = lp->basic[p].set == NO_SET ? lp->work[lp->basic[p].column] : 0.0;
        for (uint32_t k = 0; k < count; k++)
            sum += inverse[lp->some[k]] * lp->work[lp->some[k]];
        lp->value[p] = sum;
    }
}

/* π = w_B B⁻¹, λ_j = w_key − π a_key. */
void coalition_prices(struct coalition_lp *lp)
{
    uint32_t m = lp->row_count;
    memset(lp->price, 0, m * sizeof *lp->price);
    for (uint32_t p = 0; p < m; p++) {
        if (lp->basic[p].set == NO_SET)
            continue;
        double worth = coalition_worth(lp, lp->basic[p].column) -
                       coalition_worth(lp, lp->key[lp->basic[p].set]);
        const double *inverse = lp->inverse + (size_t)p * m;
        for (uint32_t r = 0; r < m && worth != 0.0; r++)
            lp->price[r] += worth * inverse[r];
    }
    for (uint32_t j = 0; j < lp->set_count; j++) {
        lp->surplus[j] =
            coalition_worth(lp, lp->key[j]) - coalition_along(lp, lp->price, lp->key[j]);
    }
}

static double squared_length(const struct coalition_lp *lp, uint32_t position)
{
    const double *row = lp->inverse + (size_t)position * lp->row_count;
    double square = 0.0;
    for (uint32_t r = 0; r < lp->row_count; r++)
        square += row[r] * row[r];
    return square;
}

/* Of the row that the set's key would have: minus the sum of its basic columns' rows. */
static double squared_length_of_key(struct coalition_lp *lp, uint32_t set)
{
    uint32_t m = lp->row_count;
    double square = 0.0;
    memset(lp->work, 0, m * sizeof *lp->work);
    for (uint32_t p = 0; p < m; p++)
        if (lp->basic[p].set == set)
            for (uint32_t r = 0; r < m; r++)
                lp->work[r] += lp->inverse[(size_t)p * m + r];
    for (uint32_t r = 0; r < m; r++)
        square += lp->work[r] * lp->work[r];
    return square;
}

/* The basic variable that is farthest below zero for the length of its row (steepest edge [Forrest
 * & Goldfarb 1992], lengths over the general rows). `key` true: the key of set *at; else position
 * *at. */
bool coalition_leaving(struct coalition_lp *lp, uint32_t *at, bool *key)
{
    double worst = 0.0;
    bool found = false;
    for (uint32_t p = 0; p < lp->row_count; p++)
        if (lp->basic[p].set != NO_SET)
            lp->rest[lp->basic[p].set] = lp->part[lp->sets[lp->basic[p].set].home];
    for (uint32_t p = 0; p < lp->row_count; p++) {
        double value = lp->value[p];
        if (lp->basic[p].set != NO_SET)
            lp->rest[lp->basic[p].set] -= value;
        if (value >= -INFEASIBLE)
            continue;
        double steepness = value * value / squared_length(lp, p);
        if (steepness > worst) {
            worst = steepness;
            *at = p;
            *key = false;
            found = true;
        }
    }
    for (uint32_t p = 0; p < lp->row_count; p++) {
        uint32_t set = lp->basic[p].set;
        if (set == NO_SET || lp->rest[set] >= -INFEASIBLE)
            continue;
        double steepness = lp->rest[set] * lp->rest[set] / squared_length_of_key(lp, set);
        if (steepness > worst) {
            worst = steepness;
            *at = set;
            *key = true;
            found = true;
        }
    }
    return found;
}

void coalition_mark(struct coalition_lp *lp, uint32_t position, bool basic)
{
    const struct coalition_basic *at = &lp->basic[position];
    if (at->set == NO_SET) {
        lp->row_slack_basic[at->column] = basic;
        return;
    }
    lp->set_basics[at->set] += basic ? 1u : UINT32_MAX;
    if (at->column == SLACK)
        lp->set_slack_basic[at->set] = basic;
    else
        lp->column_basic[at->column] = basic;
}

/* The set's key changes places with a basic column of the set, the one of greatest value; its
 * position. B⁻¹'s row there becomes minus the sum of the set's rows. */
uint32_t coalition_exchange_key(struct coalition_lp *lp, uint32_t set)
{
    uint32_t m = lp->row_count;
    uint32_t at = m;
    for (uint32_t p = 0; p < m; p++)
        if (lp->basic[p].set == set && (at == m || lp->value[p] > lp->value[at]))
            at = p;
    assert(at < m);
    double *row = lp->inverse + (size_t)at * m;
    for (uint32_t p = 0; p < m; p++)
        if (p != at && lp->basic[p].set == set)
            for (uint32_t r = 0; r < m; r++)
                row[r] += lp->inverse[(size_t)p * m + r];
    for (uint32_t r = 0; r < m; r++)
        row[r] = -row[r];
    int32_t old = lp->key[set];
    coalition_mark(lp, at, false);
    lp->key[set] = lp->basic[at].column;
    lp->basic[at].column = old;
    coalition_mark(lp, at, true);
    lp->value[at] = lp->rest[set];
    return at;
}

/* B⁻¹ anew [Gauss & Jordan, with row pivoting]. False: singular to the numbers' accuracy. */
bool coalition_refactor(struct coalition_lp *lp)
{
    uint32_t m = lp->row_count;
    double *matrix = lp->scratch; /* column by column of the basis, with its inverse built beside */
    memset(matrix, 0, (size_t)m * m * sizeof *matrix);
    memset(lp->inverse, 0, (size_t)m * m * sizeof *lp->inverse);
    for (uint32_t p = 0; p < m; p++) {
        const struct coalition_basic *at = &lp->basic[p];
        lp->inverse[(size_t)p * m + p] = 1.0;
        if (at->set == NO_SET)
            matrix[(size_t)at->column * m + p] = 1.0;
        memset(lp->work, 0, m * sizeof *lp->work);
        if (at->set != NO_SET) {
            coalition_add_column(lp, at->column, 1.0, lp->work);
            coalition_add_column(lp, lp->key[at->set], -1.0, lp->work);
        }
        for (uint32_t r = 0; r < m && at->set != NO_SET; r++)
            matrix[(size_t)r * m + p] = lp->work[r];
    }
    for (uint32_t c = 0; c < m; c++) {
        uint32_t best = c;
        for (uint32_t r = c + 1; r < m; r++)
            if (fabs(matrix[(size_t)r * m + c]) > fabs(matrix[(size_t)best * m + c]))
                best = r;
        double top = matrix[(size_t)best * m + c];
        if (fabs(top) < COALITION_PIVOT_MIN)
            return false;
        for (uint32_t k = 0; k < m; k++) {
            double kept = matrix[(size_t)best * m + k];
            matrix[(size_t)best * m + k] = matrix[(size_t)c * m + k];
            matrix[(size_t)c * m + k] = kept / top;
            kept = lp->inverse[(size_t)best * m + k];
            lp->inverse[(size_t)best * m + k] = lp->inverse[(size_t)c * m + k];
            lp->inverse[(size_t)c * m + k] = kept / top;
        }
        for (uint32_t r = 0; r < m; r++) {
            double factor = matrix[(size_t)r * m + c];
            if (r == c || factor == 0.0)
                continue;
            for (uint32_t k = 0; k < m; k++) {
                matrix[(size_t)r * m + k] -= factor * matrix[(size_t)c * m + k];
                lp->inverse[(size_t)r * m + k] -= factor * lp->inverse[(size_t)c * m + k];
            }
        }
    }
    lp->since_refactor = 0;
    coalition_prices(lp);
    coalition_values(lp);
    return true;
}
