#include "economics/market/solver/division.h"

#include <stdlib.h>
#include <string.h>

bool division_make(const struct columns *columns, struct division *division)
{
    size_t const jobs = (size_t)columns->job_count + 1;
    *division = (struct division){.main = malloc(jobs * sizeof *division->main),
                                  .rest = malloc(jobs * sizeof *division->rest),
                                  .mixed = calloc(jobs, sizeof *division->mixed)};
    return division->main != NULL && division->rest != NULL && division->mixed != NULL;
}

void division_fini(struct division *division)
{
    free(division->main);
    free(division->rest);
    free(division->mixed);
    free(division->extras);
    *division = (struct division){0};
}

bool division_add(struct division *division, struct division_extra extra)
{
    if (division->extra_count == division->extra_room) {
        uint32_t const wider = division->extra_room * 2 + 64;
        struct division_extra *more = realloc(division->extras, wider * sizeof *more);
        if (more == NULL)
            return false;
        division->extras = more;
        division->extra_room = wider;
    }
    division->extras[division->extra_count++] = extra;
    division->mixed[extra.job] = true;
    return true;
}

void division_start(struct division *division, const struct columns *columns,
                    const uint32_t *choice)
{
    division->extra_count = 0;
    for (uint32_t j = 0; j < columns->job_count; j++) {
        division->main[j] = choice[j];
        division->rest[j] = 1;
        division->mixed[j] = false;
    }
}

void division_usage(const struct division *division, const struct columns *columns, double *usage)
{
    memset(usage, 0, columns->resource_count * sizeof *usage);
    for (uint32_t j = 0; j < columns->job_count; j++)
        if (division->main[j] != DIVISION_IDLE)
            columns_use(columns, division->main[j], division->rest[j], usage);
    for (uint32_t i = 0; i < division->extra_count; i++)
        if (division->extras[i].column != DIVISION_IDLE)
            columns_use(columns, division->extras[i].column, division->extras[i].share, usage);
}

double division_worth(const struct division *division, const struct columns *columns)
{
    double worth = 0;
    for (uint32_t j = 0; j < columns->job_count; j++)
        if (division->main[j] != DIVISION_IDLE)
            worth += division->rest[j] * columns->worth[division->main[j]];
    for (uint32_t i = 0; i < division->extra_count; i++)
        if (division->extras[i].column != DIVISION_IDLE)
            worth += division->extras[i].share * columns->worth[division->extras[i].column];
    return worth;
}
