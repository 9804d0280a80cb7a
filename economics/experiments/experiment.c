#include "economics/experiments/experiment.h"

#include <assert.h>
#include <string.h>

#include "economics/experiments/observations.h"
#include "economics/experiments/shipped.h"

static const struct experiment *const shipped[] = {
    &experiment_capacity_sharing, &experiment_misreporting, &experiment_formation,
    &experiment_mechanisms,       &experiment_replay,
};

const struct experiment *const *experiment_all(size_t *count)
{
    *count = sizeof shipped / sizeof shipped[0];
    return shipped;
}

const struct experiment *experiment_find(const char *name)
{
    for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++)
        if (strcmp(shipped[i]->name, name) == 0)
            return shipped[i];
    return NULL;
}

/* --- what a run asks of its setting */

static const struct parameter_value *value_of(const struct setting *setting, const char *parameter,
                                              enum parameter_kind kind)
{
    const struct experiment *experiment = setting->experiment;
    size_t i = 0;
    while (i < experiment->parameter_count &&
           strcmp(experiment->parameters[i].name, parameter) != 0)
        i++;
    assert(i < experiment->parameter_count && experiment->parameters[i].kind == kind);
    return &setting->values[i];
}

double setting_real(const struct setting *setting, const char *parameter)
{
    return value_of(setting, parameter, PARAMETER_REAL)->real;
}

uint32_t setting_count(const struct setting *setting, const char *parameter)
{
    double value = value_of(setting, parameter, PARAMETER_INTEGER)->real;
    assert(value >= 0 && value <= UINT32_MAX);
    return (uint32_t)value;
}

uint32_t setting_choice(const struct setting *setting, const char *parameter)
{
    return (uint32_t)value_of(setting, parameter, PARAMETER_CHOICE)->real;
}

const char *setting_word(const struct setting *setting, const char *parameter)
{
    return value_of(setting, parameter, PARAMETER_WORD)->word;
}

const double *setting_list(const struct setting *setting, const char *parameter, uint32_t *count)
{
    const struct parameter_value *value = value_of(setting, parameter, PARAMETER_LIST);
    *count = value->list_count;
    return value->list;
}

enum status setting_spread(const struct setting *setting, const char *parameter, uint32_t count,
                           double *values, struct fault *fault)
{
    uint32_t given;
    const double *list = setting_list(setting, parameter, &given);
    if (given != 1 && given != count)
        return fault_set(fault, STATUS_CONFIG,
                         "%s: lists %u numbers for %u members; give one for all or one each",
                         parameter, given, count);
    for (uint32_t i = 0; i < count; i++)
        values[i] = list[given == 1 ? 0 : i];
    return STATUS_OK;
}

/* --- what a run draws and sees */

/* FNV-1a [Fowler, Noll, Vo]: a name's number. */
static uint64_t number_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return hash;
}

void experiment_stream(const struct experiment_run *run, const char *name, struct rng *rng)
{
    rng_init(rng, run->seed, number_of(name));
}

void experiment_observe(const struct experiment_run *run, const char *series, const char *subject,
                        const char *metric, double value)
{
    const struct experiment *experiment = run->setting->experiment;
    uint16_t i = 0;
    while (i < experiment->metric_count && strcmp(experiment->metrics[i].name, metric) != 0)
        i++;
    assert(i < experiment->metric_count);
    observations_put(run->observations, i, series, subject, value);
}
