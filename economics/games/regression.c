#include "economics/games/regression.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define EXPLAINED 1e-9 /* of a control's variance: less than this is left after the others */

void regression_add(struct regression *regression, double y, const double *controls)
{
    double value[REGRESSION_ROWS];
    double before[REGRESSION_ROWS];
    memcpy(value, controls, REGRESSION_CONTROLS * sizeof *value);
    value[REGRESSION_CONTROLS] = y;
    regression->count += 1.0;
    for (int i = 0; i < REGRESSION_ROWS; i++) {
        before[i] = value[i] - regression->mean[i];
        regression->mean[i] += before[i] / regression->count;
    }
    for (int i = 0; i < REGRESSION_ROWS; i++)
        for (int j = 0; j < REGRESSION_ROWS; j++)
            regression->product[i][j] += before[i] * (value[j] - regression->mean[j]);
}

/* Sweeps the controls out of the products one after the other [Goodnight 1979]; what is left of y's
 * own product is the residual. Last: the controls' means less their expectations are swept too,
 * which gives the estimate. */
void regression_estimate(const struct regression *regression, const double *expected, double *mean,
                         double *standard_error)
{
    double rest[REGRESSION_ROWS][REGRESSION_ROWS];
    double off[REGRESSION_ROWS]; /* c̄ − E c, and ȳ */
    double used = 0.0;
    memcpy(rest, regression->product, sizeof rest);
    for (int i = 0; i < REGRESSION_CONTROLS; i++)
        off[i] = regression->mean[i] - expected[i];
    off[REGRESSION_CONTROLS] = regression->mean[REGRESSION_CONTROLS];
    for (int k = 0; k < REGRESSION_CONTROLS; k++) {
        double pivot = rest[k][k];
        bool varies = (used + 1.0) * REGRESSION_OBSERVATIONS_A_CONTROL <= regression->count &&
                      pivot > EXPLAINED * regression->product[k][k] && pivot > 0.0;
        for (int i = k + 1; i < REGRESSION_ROWS && varies; i++) {
            double factor = rest[i][k] / pivot;
            for (int j = k; j < REGRESSION_ROWS; j++)
                rest[i][j] -= factor * rest[k][j];
            off[i] -= factor * off[k];
        }
        used += varies ? 1.0 : 0.0;
    }
    double freedom = regression->count - 1.0 - used;
    double residual = fmax(rest[REGRESSION_CONTROLS][REGRESSION_CONTROLS], 0.0);
    *mean = off[REGRESSION_CONTROLS];
    *standard_error =
        freedom > 0.0 ? sqrt(residual / freedom / regression->count) : (double)INFINITY;
}
