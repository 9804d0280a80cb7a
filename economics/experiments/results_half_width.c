/* How far the watched metric's intervals are from as narrow as asked for. */
#include <math.h>
#include <stdlib.h>

#include "economics/experiments/groups.h"
#include "economics/experiments/results.h"
#include "economics/experiments/statistics.h"

enum status results_half_width(const struct design *design, const struct journal *journal,
                               uint32_t replications, double *ratio, struct fault *fault)
{
    const struct replications *wanted = &design->replications;
    double *scratch = calloc(STATISTICS_RESAMPLES, sizeof *scratch);
    enum status status = STATUS_OK;
    *ratio = 0;
    if (scratch == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for intervals");
    for (uint32_t arm = 0; arm < design->arm_count && status == STATUS_OK; arm++) {
        struct groups groups;
        groups_init(&groups);
        status = groups_gather(&groups, journal, arm, replications, NULL, NULL, fault);
        for (const struct group *group = groups.table; group != NULL; group = group->hh.next) {
            struct summary summary;
            if (group->key.metric != wanted->metric || group->count == 0)
                continue;
            statistics_sum_up(group->values, group->count, design->intervals, design->confidence,
                              scratch, &summary);
            double half = (summary.high - summary.low) / 2;
            double target = wanted->half_width * (wanted->relative ? fabs(summary.mean) : 1);
            if (half > target)
                *ratio = fmax(*ratio, target > 0 ? half / target : HUGE_VAL);
        }
        groups_fini(&groups);
    }
    free(scratch);
    return status;
}
