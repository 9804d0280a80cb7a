/*
 * Session checks: a result looked at by code of its own: feasible, and its rents a proof.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_SESSION_CHECKS_H
#define ENTENTE_TESTS_ECONOMICS_SESSION_CHECKS_H

#include <math.h>
#include <stdlib.h>

#include "economics/market/solver/session.h"

/* "" or what is wrong; tolerance 1e-9 of each limit. */
static inline const char *session_infeasible(const struct market *market,
                                             const struct session_result *result)
{
    const char *wrong = "";
    double *share = calloc((size_t)market->column_count + 1, sizeof *share);
    double *job = calloc((size_t)market->job_count + 1, sizeof *job);
    double *pool = calloc((size_t)market->pool_count + 1, sizeof *pool);
    double micros = 0;
    for (uint32_t u = 0; u < result->use_count; u++) {
        uint32_t const k = result->uses[u].column;
        const struct market_column *column = &market->columns[k];
        if (share[k] != 0 || result->uses[u].share <= 0)
            wrong = "a column twice, or without a share";
        share[k] = result->uses[u].share;
        job[column->job] += share[k];
        pool[column->pool] += share[k] * column->gpus;
        micros += share[k] * (double)column->worth.micros;
    }
    for (uint32_t j = 0; j < market->job_count; j++)
        if (job[j] > 1 + 1e-9)
            wrong = "a job has more than a round";
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (pool[p] > market->pools[p].gpu_count * (1 + 1e-9))
            wrong = "a pool lends more than it has";
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        double used = 0;
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++)
            used += share[market->entries[e].column] * market->entries[e].coefficient;
        if (used > row->limit * (1 + 1e-8))
            wrong = "a policy row is broken";
    }
    if (fabs(micros / 1e6 - result->objective_credits) > 1e-9 * fmax(1, micros / 1e6))
        wrong = "the objective is not what the uses are worth";
    free(share);
    free(job);
    free(pool);
    return wrong;
}

/* "" or what is wrong with the reported rents as a proof of the bound. */
static inline const char *session_unproved(const struct market *market,
                                           const struct session_result *result)
{
    const char *wrong = "";
    double *rent = calloc((size_t)market->column_count + 1, sizeof *rent);
    double bound = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++)
            rent[market->entries[e].column] +=
                market->entries[e].coefficient * result->row_rent_credits[r];
        bound += row->limit * result->row_rent_credits[r];
        if (result->row_rent_credits[r] < 0)
            wrong = "a row's rent is negative";
    }
    for (uint32_t p = 0; p < market->pool_count; p++) {
        bound += market->pools[p].gpu_count * result->pool_rent_credits[p];
        if (result->pool_rent_credits[p] < 0)
            wrong = "a pool's rent is negative";
    }
    for (uint32_t j = 0; j < market->job_count; j++)
        bound += result->job_surplus_credits[j];
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        double const worth = (double)column->worth.micros / 1e6;
        double const paid = rent[k] + column->gpus * result->pool_rent_credits[column->pool];
        double const left = worth - paid - result->job_surplus_credits[column->job];
        if (left > 1e-9 * fmax(1, fmax(worth, paid)) + 4e-9)
            wrong = "a column is not covered by rents and surplus";
    }
    if (fabs(bound - result->upper_bound_credits) > 1e-9 * fmax(1, bound) + 1e-6)
        wrong = "the bound is not what the rents add up to";
    free(rent);
    return wrong;
}

/* Bit for bit, but for the times. */
static inline bool session_same(const struct market *market, const struct session_result *a,
                                const struct session_result *b)
{
    bool same = a->use_count == b->use_count && a->objective_credits == b->objective_credits &&
                a->upper_bound_credits == b->upper_bound_credits && a->iterations == b->iterations;
    for (uint32_t u = 0; same && u < a->use_count; u++)
        same = a->uses[u].column == b->uses[u].column && a->uses[u].share == b->uses[u].share;
    for (uint32_t p = 0; same && p < market->pool_count; p++)
        same = a->pool_rent_credits[p] == b->pool_rent_credits[p];
    for (uint32_t r = 0; same && r < market->row_count; r++)
        same = a->row_rent_credits[r] == b->row_rent_credits[r];
    return same;
}

#endif
