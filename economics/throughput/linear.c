#include "economics/throughput/linear.h"

#include <assert.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>

bool linear_factor(double *matrix, size_t n)
{
    gsl_set_error_handler_off();
    gsl_matrix_view view = gsl_matrix_view_array(matrix, n, n);
    return gsl_linalg_cholesky_decomp1(&view.matrix) == GSL_SUCCESS;
}

void linear_solve(const double *factor, size_t n, double *x)
{
    gsl_matrix_const_view view = gsl_matrix_const_view_array(factor, n, n);
    gsl_vector_view vector = gsl_vector_view_array(x, n);
    int const code = gsl_linalg_cholesky_svx(&view.matrix, &vector.vector);
    assert(code == GSL_SUCCESS);
}

void linear_invert(double *factor, size_t n)
{
    gsl_matrix_view view = gsl_matrix_view_array(factor, n, n);
    int const code = gsl_linalg_cholesky_invert(&view.matrix);
    assert(code == GSL_SUCCESS);
}

double linear_quadratic(const double *matrix, size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t k = 0; k < i; k++)
            row += matrix[i * n + k] * x[k];
        sum += x[i] * (2 * row + matrix[i * n + i] * x[i]);
    }
    return sum;
}
