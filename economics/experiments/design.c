#include "economics/experiments/design.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/elementary.h"
#include "base/file.h"
#include "base/yaml.h"
#include "economics/experiments/design_parameters.h"
#include "economics/experiments/number_text.h"

static const char *const top_keys[] = {"experiment", "seed",      "replications",
                                       "half_width", "intervals", "confidence",
                                       "parameters", "samples",   NULL};

static enum status read_experiment(const struct yaml_tree *root, struct design *into,
                                   struct fault *fault);
static enum status read_seed(const struct yaml_tree *root, const uint64_t *seed,
                             struct design *into, struct fault *fault);
static enum status read_replications(const struct yaml_tree *root, struct design *into,
                                     struct fault *fault);
static enum status read_intervals(const struct yaml_tree *root, struct design *into,
                                  struct fault *fault);
static enum status lay_out_arms(const struct yaml_tree *root, struct arena *arena,
                                struct design *into, struct fault *fault);

enum status design_read(const char *file, const uint64_t *seed, struct arena *arena,
                        struct design *design, struct fault *fault)
{
    const struct yaml_tree *root = NULL;
    *design = (struct design){.file = file, .samples = 1};
    enum status status = yaml_tree_read(file, arena, &root, fault);
    if (status == STATUS_OK)
        status = file_read(file, YAML_FILE_BYTES_MAX, arena, &design->text, fault);
    if (status == STATUS_OK)
        status = yaml_tree_allow(file, root, top_keys, fault);
    if (status == STATUS_OK)
        status = read_experiment(root, design, fault);
    if (status == STATUS_OK)
        status = read_seed(root, seed, design, fault);
    if (status == STATUS_OK)
        status = read_replications(root, design, fault);
    if (status == STATUS_OK)
        status = read_intervals(root, design, fault);
    if (status == STATUS_OK)
        status =
            design_read_parameters(yaml_tree_get(root, "parameters"), root, arena, design, fault);
    if (status == STATUS_OK)
        status = lay_out_arms(root, arena, design, fault);
    return status;
}

static enum status read_experiment(const struct yaml_tree *root, struct design *into,
                                   struct fault *fault)
{
    const struct yaml_tree *node = yaml_tree_get(root, "experiment");
    const char *name = NULL;
    if (node == NULL)
        return fault_set(fault, STATUS_CONFIG,
                         "%s:1: experiment: is missing; `experiment list` names them", into->file);
    enum status status = yaml_tree_text(into->file, node, &name, fault);
    if (status != STATUS_OK)
        return status;
    into->experiment = experiment_find(name);
    if (into->experiment != NULL)
        return STATUS_OK;
    size_t count;
    const struct experiment *const *all = experiment_all(&count);
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, all[i]->name);
    char hint[NAME_HINT_MAX];
    nearest_hint(&nearest, hint);
    return yaml_tree_fault(into->file, node, fault,
                           "no experiment is named '%.64s'%s; `experiment list` names them", name,
                           hint);
}

static enum status read_seed(const struct yaml_tree *root, const uint64_t *seed,
                             struct design *into, struct fault *fault)
{
    const struct yaml_tree *node = yaml_tree_get(root, "seed");
    int64_t number = 1;
    if (node != NULL) {
        enum status status = yaml_tree_integer(into->file, node, 0, INT64_MAX, &number, fault);
        if (status != STATUS_OK)
            return status;
    }
    into->seed = seed != NULL ? *seed : (uint64_t)number;
    return STATUS_OK;
}

static enum status read_half_width(const struct yaml_tree *root, struct design *into,
                                   struct fault *fault)
{
    static const char *const keys[] = {"metric", "relative", "absolute", "most", NULL};
    const struct yaml_tree *node = yaml_tree_get(root, "half_width");
    struct replications *replications = &into->replications;
    if (node == NULL)
        return yaml_tree_fault(into->file, yaml_tree_get(root, "replications"), fault,
                               "auto needs half_width: {metric: ..., relative: ...}");
    enum status status = yaml_tree_allow(into->file, node, keys, fault);
    if (status != STATUS_OK)
        return status;
    const struct yaml_tree *metric = yaml_tree_get(node, "metric");
    const struct yaml_tree *relative = yaml_tree_get(node, "relative");
    const struct yaml_tree *absolute = yaml_tree_get(node, "absolute");
    if (metric == NULL || (relative == NULL) == (absolute == NULL))
        return yaml_tree_fault(into->file, node, fault,
                               "needs a metric, and either relative or absolute");
    status = design_find_metric(into, metric, &replications->metric, fault);
    replications->relative = relative != NULL;
    if (status == STATUS_OK)
        status = yaml_tree_number(into->file, relative != NULL ? relative : absolute, 1e-9, 1e12,
                                  &replications->half_width, fault);
    int64_t most = 1000;
    const struct yaml_tree *limit = yaml_tree_get(node, "most");
    if (status == STATUS_OK && limit != NULL)
        status = yaml_tree_integer(into->file, limit, REPLICATIONS_FIRST, REPLICATIONS_MAX, &most,
                                   fault);
    replications->count = (uint32_t)most;
    return status;
}

static enum status read_replications(const struct yaml_tree *root, struct design *into,
                                     struct fault *fault)
{
    const struct yaml_tree *node = yaml_tree_get(root, "replications");
    int64_t count = 1;
    if (node == NULL && yaml_tree_get(root, "half_width") != NULL)
        return yaml_tree_fault(into->file, yaml_tree_get(root, "half_width"), fault,
                               "is for replications: auto; add that line");
    into->replications.automatic =
        node != NULL && node->kind == YAML_TREE_SCALAR && strcmp(node->text, "auto") == 0;
    if (into->replications.automatic && into->experiment->deterministic)
        return yaml_tree_fault(into->file, node, fault,
                               "%s draws no random numbers: one replication says all",
                               into->experiment->name);
    if (into->replications.automatic)
        return read_half_width(root, into, fault);
    if (node != NULL) {
        enum status status =
            yaml_tree_integer(into->file, node, 1, REPLICATIONS_MAX, &count, fault);
        if (status != STATUS_OK)
            return status;
    }
    into->replications.count = (uint32_t)count;
    return STATUS_OK;
}

static enum status read_intervals(const struct yaml_tree *root, struct design *into,
                                  struct fault *fault)
{
    const struct yaml_tree *kind = yaml_tree_get(root, "intervals");
    const struct yaml_tree *confidence = yaml_tree_get(root, "confidence");
    const char *word = "student";
    enum status status = STATUS_OK;
    if (kind != NULL)
        status = yaml_tree_text(into->file, kind, &word, fault);
    if (status != STATUS_OK)
        return status;
    if (strcmp(word, "student") != 0 && strcmp(word, "bootstrap") != 0)
        return yaml_tree_fault(into->file, kind, fault, "'%.64s' is neither student nor bootstrap",
                               word);
    into->intervals = word[0] == 's' ? INTERVAL_STUDENT : INTERVAL_BOOTSTRAP;
    into->confidence = 0.95;
    if (confidence != NULL)
        status = yaml_tree_number(into->file, confidence, 0.5, 0.9999, &into->confidence, fault);
    return status;
}

/* --- arms */

static uint32_t sampled_axes(const struct design *design)
{
    uint32_t sampled = 0;
    for (uint32_t a = 0; a < design->axis_count; a++)
        sampled += design->axes[a].count == 0;
    return sampled;
}

/* Latin hypercube [McKay, Beckman, Conover 1979]: each axis is cut into `samples` strata, each met
 * once, in an order of its own. */
static enum status draw_points(struct arena *arena, struct design *into, uint32_t sampled,
                               struct fault *fault)
{
    double *points = arena_alloc(arena, (size_t)into->samples * sampled, sizeof *points);
    uint32_t *order = arena_alloc(arena, into->samples, sizeof *order);
    if (points == NULL || order == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u samples", into->samples);
    const struct experiment_run draw = {.seed = into->seed};
    struct rng rng;
    experiment_stream(&draw, "latin hypercube", &rng);
    for (uint32_t axis = 0; axis < sampled; axis++) {
        for (uint32_t s = 0; s < into->samples; s++)
            order[s] = s;
        for (uint32_t s = into->samples; s > 1; s--) {
            uint32_t other = (uint32_t)rng_below(&rng, s);
            uint32_t kept = order[s - 1];
            order[s - 1] = order[other];
            order[other] = kept;
        }
        for (uint32_t s = 0; s < into->samples; s++)
            points[(size_t)s * sampled + axis] = (order[s] + rng_unit(&rng)) / into->samples;
    }
    into->points = points;
    return STATUS_OK;
}

static enum status lay_out_arms(const struct yaml_tree *root, struct arena *arena,
                                struct design *into, struct fault *fault)
{
    const struct yaml_tree *node = yaml_tree_get(root, "samples");
    uint32_t sampled = sampled_axes(into);
    int64_t samples = 1;
    if ((node != NULL) != (sampled > 0))
        return yaml_tree_fault(into->file, node != NULL ? node : yaml_tree_get(root, "parameters"),
                               fault,
                               node != NULL ? "is for parameters with from and to but no steps"
                                            : "ranges without steps need samples: N beside "
                                              "parameters (Latin hypercube), or steps");
    if (node != NULL) {
        enum status status =
            yaml_tree_integer(into->file, node, 1, DESIGN_ARMS_MAX, &samples, fault);
        if (status != STATUS_OK)
            return status;
    }
    into->samples = (uint32_t)samples;
    uint64_t arms = into->samples;
    for (uint32_t a = 0; a < into->axis_count; a++) {
        arms *= into->axes[a].count > 0 ? into->axes[a].count : 1;
        if (arms > DESIGN_ARMS_MAX)
            return yaml_tree_fault(into->file, root, fault,
                                   "the parameters make more than %d arms; shorten a list",
                                   DESIGN_ARMS_MAX);
    }
    into->arm_count = (uint32_t)arms;
    return sampled > 0 ? draw_points(arena, into, sampled, fault) : STATUS_OK;
}

/* The hypercube's point changes slowest, the last axis fastest. */
static uint32_t index_on_axis(const struct design *design, uint32_t arm, uint32_t axis)
{
    for (uint32_t a = design->axis_count; a-- > axis + 1;)
        if (design->axes[a].count > 0)
            arm /= design->axes[a].count;
    uint32_t count = design->axes[axis].count;
    return count > 0 ? arm % count : 0;
}

static uint32_t sample_of(const struct design *design, uint32_t arm)
{
    return arm / (design->arm_count / design->samples);
}

static double sampled_value(const struct design *design, const struct axis *axis, double point)
{
    bool whole = design->experiment->parameters[axis->parameter].kind == PARAMETER_INTEGER;
    double from = axis->from;
    double to = whole ? axis->to + 1 : axis->to;
    double value =
        axis->logarithmic ? from * elementary_pow(to / from, point) : from + (to - from) * point;
    return whole ? fmin(floor(value), axis->to) : value;
}

void design_arm(const struct design *design, uint32_t arm, struct setting *setting)
{
    uint32_t sampled = sampled_axes(design);
    uint32_t sampled_before = 0;
    *setting = design->fixed;
    for (uint32_t a = 0; a < design->axis_count; a++) {
        const struct axis *axis = &design->axes[a];
        struct parameter_value *value = &setting->values[axis->parameter];
        if (axis->count > 0) {
            *value = axis->values[index_on_axis(design, arm, a)];
            continue;
        }
        size_t point = (size_t)sample_of(design, arm) * sampled + sampled_before++;
        value->real = sampled_value(design, axis, design->points[point]);
    }
}

void design_value_text(const struct design *design, uint32_t arm, uint32_t axis,
                       char text[static VALUE_TEXT_MAX])
{
    struct setting setting;
    design_arm(design, arm, &setting);
    uint32_t parameter = design->axes[axis].parameter;
    const struct parameter_value *value = &setting.values[parameter];
    enum parameter_kind kind = design->experiment->parameters[parameter].kind;
    if (kind == PARAMETER_CHOICE || kind == PARAMETER_WORD) {
        snprintf(text, VALUE_TEXT_MAX, "%s", value->word);
        return;
    }
    uint32_t count = kind == PARAMETER_LIST ? value->list_count : 1;
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && used < VALUE_TEXT_MAX - 32; i++) {
        double number = kind == PARAMETER_LIST ? value->list[i] : value->real;
        char shortest[NUMBER_TEXT_MAX];
        used += (size_t)snprintf(text + used, VALUE_TEXT_MAX - used, "%s%s", i > 0 ? " " : "",
                                 number_text(number, shortest));
    }
}

uint64_t design_replication_seed(const struct design *design, uint32_t replication)
{
    struct rng rng;
    rng_init(&rng, design->seed, replication);
    return rng_next(&rng);
}
