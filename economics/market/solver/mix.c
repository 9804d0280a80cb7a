#include "economics/market/solver/mix.h"

#include <stdlib.h>
#include <string.h>

bool mix_make(const struct columns *columns, struct mix *mix)
{
    size_t const jobs = (size_t)columns->job_count + 1;
    *mix = (struct mix){.main = malloc(jobs * sizeof *mix->main),
                        .rest = malloc(jobs * sizeof *mix->rest),
                        .mixed = calloc(jobs, sizeof *mix->mixed)};
    return mix->main != NULL && mix->rest != NULL && mix->mixed != NULL;
}

void mix_fini(struct mix *mix)
{
    free(mix->main);
    free(mix->rest);
    free(mix->mixed);
    free(mix->extras);
    *mix = (struct mix){0};
}

bool mix_add(struct mix *mix, struct mix_extra extra)
{
    if (mix->extra_count == mix->extra_room) {
        uint32_t const wider = mix->extra_room * 2 + 64;
        struct mix_extra *more = realloc(mix->extras, wider * sizeof *more);
        if (more == NULL)
            return false;
        mix->extras = more;
        mix->extra_room = wider;
    }
    mix->extras[mix->extra_count++] = extra;
    mix->mixed[extra.job] = true;
    return true;
}

void mix_start(struct mix *mix, const struct columns *columns, const uint32_t *choice)
{
    mix->extra_count = 0;
    for (uint32_t j = 0; j < columns->job_count; j++) {
        mix->main[j] = choice[j];
        mix->rest[j] = 1;
        mix->mixed[j] = false;
    }
}

static void use(const struct columns *columns, uint32_t column, double share, double *usage)
{
    uint32_t const pool = columns_pool(columns, column);
    usage[pool] += share * (columns_gpus(columns, column) * columns->unit[pool]);
    for (uint32_t e = columns->first_entry[column]; e < columns->first_entry[column + 1]; e++)
        usage[columns->entry_resource[e]] += share * columns->entry_part[e];
}

void mix_usage(const struct mix *mix, const struct columns *columns, double *usage)
{
    memset(usage, 0, columns->resource_count * sizeof *usage);
    for (uint32_t j = 0; j < columns->job_count; j++)
        if (mix->main[j] != MIX_IDLE)
            use(columns, mix->main[j], mix->rest[j], usage);
    for (uint32_t i = 0; i < mix->extra_count; i++)
        if (mix->extras[i].column != MIX_IDLE)
            use(columns, mix->extras[i].column, mix->extras[i].share, usage);
}

double mix_worth(const struct mix *mix, const struct columns *columns)
{
    double worth = 0;
    for (uint32_t j = 0; j < columns->job_count; j++)
        if (mix->main[j] != MIX_IDLE)
            worth += mix->rest[j] * columns->worth[mix->main[j]];
    for (uint32_t i = 0; i < mix->extra_count; i++)
        if (mix->extras[i].column != MIX_IDLE)
            worth += mix->extras[i].share * columns->worth[mix->extras[i].column];
    return worth;
}
