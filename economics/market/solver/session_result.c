/* What is said of results alike, however they were found (session.h, fallback.h). */
#include <stdlib.h>

#include "base/tolerance.h"
#include "economics/market/solver/fallback.h"

double session_seconds(const struct session_options *options)
{
    return options->clock.seconds != NULL ? options->clock.seconds(options->clock.context) : 0;
}

static int compare_uses(const void *left, const void *right)
{
    const struct session_use *a = left;
    const struct session_use *b = right;
    return (a->column > b->column) - (a->column < b->column);
}

void session_sort_uses(struct session_use *uses, uint32_t count)
{
    qsort(uses, count, sizeof *uses, compare_uses);
}

void session_judge(struct session_result *result)
{
    double const bound = result->upper_bound_credits;
    double const short_by = bound - result->objective_credits;
    result->gap = bound > 0 && short_by > 0 ? short_by / bound : 0;
    result->optimal = nearly_at_most(bound, result->objective_credits, TOLERANCE_ANSWER);
}
