/*
 * A pivot of the coalition LP: which variable enters, and the basis after it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/games/coalition_lp_internal.h"

#define DUAL_SLACK 1e-12 /* by which a reduced cost may get out of line [Harris 1973] */

/* Offers a candidate with α < 0 and reduced cost d <= 0 to the ratio test. */
static void offer(struct coalition_lp *lp, enum candidate_kind kind, uint32_t index, double alpha,
                  double reduced)
{
    if (alpha > -COALITION_PIVOT_MIN)
        return;
    lp->candidates[lp->candidate_count++] = (struct coalition_candidate){
        .kind = kind, .index = index, .alpha = alpha, .reduced = reduced < 0.0 ? reduced : 0.0};
}

static void collect_from_group(struct coalition_lp *lp, const double *row,
                               const struct coalition_group *group, double key)
{
    for (uint32_t c = group->first; c < group[1].first; c++) {
        uint32_t set = lp->columns[c].set;
        double alpha = coalition_along(lp, row, (int32_t)c) - key;
        if (alpha > -COALITION_PIVOT_MIN || lp->column_basic[c] || lp->key[set] == (int32_t)c)
            continue;
        double reduced =
            lp->columns[c].worth - coalition_along(lp, lp->price, (int32_t)c) - lp->surplus[set];
        offer(lp, CANDIDATE_COLUMN, c, alpha, reduced);
    }
}

static void collect_from_set(struct coalition_lp *lp, const double *row, uint32_t set)
{
    double key = coalition_along(lp, row, lp->key[set]);
    lp->key_along[set] = key;
    if (lp->key[set] != SLACK && !lp->set_slack_basic[set])
        offer(lp, CANDIDATE_SET_SLACK, set, -key, -lp->surplus[set]);
    for (uint32_t g = lp->sets[set].first_group; g < lp->sets[set + 1].first_group; g++) {
        const struct coalition_group *group = &lp->groups[g];
        double slope = row[group->row];
        double least = slope * (slope > 0.0 ? group->least : group->most);
        if (!group->plain || least - key <= -COALITION_PIVOT_MIN)
            collect_from_group(lp, row, group, key);
    }
}

/* All nonbasic variables that would raise the leaving one. */
void coalition_candidates(struct coalition_lp *lp, uint32_t leaving)
{
    uint32_t m = lp->row_count;
    const double *row = lp->inverse + (size_t)leaving * m;
    lp->candidate_count = 0;
    for (uint32_t r = 0; r < m; r++)
        if (!lp->row_slack_basic[r])
            offer(lp, CANDIDATE_ROW_SLACK, r, row[r], -lp->price[r]);
    for (uint32_t j = 0; j < lp->set_count; j++)
        if (!lp->dormant[j])
            collect_from_set(lp, row, j);
}

/* The largest pivot among those whose ratio is (nearly) least. */
const struct coalition_candidate *coalition_entering(const struct coalition_lp *lp)
{
    double bound = (double)INFINITY;
    const struct coalition_candidate *best = NULL;
    for (uint32_t k = 0; k < lp->candidate_count; k++) {
        const struct coalition_candidate *one = &lp->candidates[k];
        double ratio = (one->reduced - DUAL_SLACK) / one->alpha;
        bound = ratio < bound ? ratio : bound;
    }
    for (uint32_t k = 0; k < lp->candidate_count; k++) {
        const struct coalition_candidate *one = &lp->candidates[k];
        if (one->reduced / one->alpha <= bound && (best == NULL || one->alpha < best->alpha))
            best = one;
    }
    return best;
}

/* The entering variable's working column, B⁻¹ (a − a_key). */
static void entering_column(struct coalition_lp *lp, const struct coalition_basic *entering)
{
    uint32_t m = lp->row_count;
    memset(lp->work, 0, m * sizeof *lp->work);
    if (entering->set == NO_SET) {
        lp->work[entering->column] = 1.0;
    } else {
        coalition_add_column(lp, entering->column, 1.0, lp->work);
        coalition_add_column(lp, lp->key[entering->set], -1.0, lp->work);
    }
    uint32_t rows[64];
    uint32_t count = 0;
    for (uint32_t r = 0; r < m && count < 64; r++)
        if (lp->work[r] != 0.0)
            rows[count++] = r;
    for (uint32_t p = 0; p < m; p++) {
        const double *inverse = lp->inverse + (size_t)p * m;
        double sum = 0.0;
        for (uint32_t k = 0; k < count; k++)
            sum += inverse[rows[k]] * lp->work[rows[k]];
        if (count == 64) /* dense: all of them */
            for (uint32_t r = rows[63] + 1; r < m; r++)
                sum += inverse[r] * lp->work[r];
        lp->column[p] = sum;
    }
}

static void update_inverse(struct coalition_lp *lp, uint32_t leaving)
{
    uint32_t m = lp->row_count;
    double *row = lp->inverse + (size_t)leaving * m;
    double pivot = lp->column[leaving];
    uint32_t count = 0;
    for (uint32_t r = 0; r < m; r++) {
        row[r] /= pivot;
        if (row[r] != 0.0)
            lp->some[count++] = r;
    }
    for (uint32_t p = 0; p < m; p++) {
        double factor = lp->column[p];
        if (p == leaving || factor == 0.0)
            continue;
        double *other = lp->inverse + (size_t)p * m;
        for (uint32_t k = 0; k < count; k++)
            other[lp->some[k]] -= factor * row[lp->some[k]];
    }
}

static struct coalition_basic basic_of(const struct coalition_lp *lp,
                                       const struct coalition_candidate *candidate)
{
    switch (candidate->kind) {
    case CANDIDATE_ROW_SLACK:
        return (struct coalition_basic){.set = NO_SET, .column = (int32_t)candidate->index};
    case CANDIDATE_SET_SLACK:
        return (struct coalition_basic){.set = candidate->index, .column = SLACK};
    case CANDIDATE_COLUMN:
        return (struct coalition_basic){.set = lp->columns[candidate->index].set,
                                        .column = (int32_t)candidate->index};
    }
    abort();
}

/* Along the leaving row, so that the entering variable's reduced cost becomes zero. */
static void move_prices(struct coalition_lp *lp, uint32_t leaving, double step)
{
    const double *row = lp->inverse + (size_t)leaving * lp->row_count;
    if (step == 0.0)
        return;
    for (uint32_t r = 0; r < lp->row_count; r++)
        lp->price[r] += step * row[r];
    for (uint32_t j = 0; j < lp->set_count; j++)
        if (!lp->dormant[j])
            lp->surplus[j] -= step * lp->key_along[j];
}

/* False: the numbers don't agree (the pivot seen from its row and from its column). */
bool coalition_pivot(struct coalition_lp *lp, uint32_t leaving,
                     const struct coalition_candidate *candidate)
{
    struct coalition_basic entering = basic_of(lp, candidate);
    entering_column(lp, &entering);
    double alpha = lp->column[leaving];
    if (fabs(alpha - candidate->alpha) > 1e-7 * (1.0 + fabs(alpha)))
        return false;
    move_prices(lp, leaving, candidate->reduced / candidate->alpha);
    double step = lp->value[leaving] / alpha;
    for (uint32_t p = 0; p < lp->row_count; p++)
        lp->value[p] -= step * lp->column[p];
    lp->value[leaving] = step;
    coalition_mark(lp, leaving, false);
    lp->basic[leaving] = entering;
    coalition_mark(lp, leaving, true);
    update_inverse(lp, leaving);
    lp->pivots++;
    return true;
}
