/*
 * Regression: a mean estimated with control variates: observations y with controls c of known
 * expectation; the estimate is ȳ − β (c̄ − E c) with β by least squares [Hammersley & Handscomb
 * 1964].
 *
 * Thread rule: one thread per struct. Complexity: O(REGRESSION_CONTROLS²) per observation.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_REGRESSION_H
#define ENTENTE_ECONOMICS_GAMES_REGRESSION_H

enum {
    REGRESSION_CONTROLS = 69,
    REGRESSION_ROWS = REGRESSION_CONTROLS + 1,
    REGRESSION_OBSERVATIONS_A_CONTROL = 4
};

/* Running means and centred products [Welford 1962] of (c_1, .., c_k, y). A zeroed one is empty. */
struct regression {
    double count;
    double mean[REGRESSION_ROWS];
    double product[REGRESSION_ROWS][REGRESSION_ROWS];
};

void regression_add(struct regression *regression, double y, const double *controls);

/* Controls that hardly vary, or that others explain, are left out, and so are the last ones while
 * there are few observations. */
void regression_estimate(const struct regression *regression, const double *expected, double *mean,
                         double *standard_error);

#endif
