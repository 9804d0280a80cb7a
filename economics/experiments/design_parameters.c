#include "economics/experiments/design_parameters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/elementary.h"

struct reading {
    struct arena *arena;
    struct design *into;
    struct fault *fault;
};

static enum status fill_standards(struct reading *reading, const struct yaml_tree *parameters,
                                  const struct yaml_tree *root);
static enum status read_parameter(struct reading *reading, const struct yaml_tree *node,
                                  uint32_t parameter);
static enum status read_value(struct reading *reading, const struct yaml_tree *node,
                              const struct experiment_parameter *parameter,
                              struct parameter_value *value);
static enum status read_axis(struct reading *reading, const struct yaml_tree *node,
                             uint32_t parameter);
static enum status read_range(struct reading *reading, const struct yaml_tree *node,
                              uint32_t parameter);

enum status design_read_parameters(const struct yaml_tree *parameters, const struct yaml_tree *root,
                                   struct arena *arena, struct design *into, struct fault *fault)
{
    const struct experiment *experiment = into->experiment;
    struct reading reading = {.arena = arena, .into = into, .fault = fault};
    const char *keys[EXPERIMENT_PARAMETERS_MAX + 1] = {NULL};
    for (size_t i = 0; i < experiment->parameter_count; i++)
        keys[i] = experiment->parameters[i].name;
    into->fixed.experiment = experiment;
    const char *slash = strrchr(into->file, '/');
    into->fixed.directory =
        slash != NULL ? arena_copy_text(arena, into->file, (size_t)(slash - into->file)) : ".";
    if (into->fixed.directory == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory to read it", into->file);
    enum status status = STATUS_OK;
    if (parameters != NULL)
        status = yaml_tree_allow(into->file, parameters, keys, fault);
    if (status == STATUS_OK)
        status = fill_standards(&reading, parameters, root);
    const struct yaml_tree *node = parameters != NULL ? parameters->first_child : NULL;
    for (; status == STATUS_OK && node != NULL; node = node->next) {
        uint32_t parameter = 0;
        while (strcmp(keys[parameter], node->key) != 0)
            parameter++;
        status = read_parameter(&reading, node, parameter);
    }
    return status;
}

static enum status fill_standards(struct reading *reading, const struct yaml_tree *parameters,
                                  const struct yaml_tree *root)
{
    const struct experiment *experiment = reading->into->experiment;
    for (size_t i = 0; i < experiment->parameter_count; i++) {
        const struct experiment_parameter *parameter = &experiment->parameters[i];
        if (parameters != NULL && yaml_tree_get(parameters, parameter->name) != NULL)
            continue;
        if (parameter->standard == NULL)
            return yaml_tree_fault(reading->into->file, parameters != NULL ? parameters : root,
                                   reading->fault, "%s must be given: %s", parameter->name,
                                   parameter->meaning);
        const struct yaml_tree standard = {.kind = YAML_TREE_SCALAR,
                                           .key = parameter->name,
                                           .text = parameter->standard,
                                           .line = root->line};
        enum status status =
            read_value(reading, &standard, parameter, &reading->into->fixed.values[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_parameter(struct reading *reading, const struct yaml_tree *node,
                                  uint32_t parameter)
{
    const struct experiment_parameter *known = &reading->into->experiment->parameters[parameter];
    bool list_of_lists = node->kind == YAML_TREE_LIST && node->first_child != NULL &&
                         node->first_child->kind == YAML_TREE_LIST;
    if (node->kind == YAML_TREE_MAPPING)
        return read_range(reading, node, parameter);
    if (node->kind == YAML_TREE_LIST && (known->kind != PARAMETER_LIST || list_of_lists))
        return read_axis(reading, node, parameter);
    return read_value(reading, node, known, &reading->into->fixed.values[parameter]);
}

/* --- one value */

static enum status read_choice(struct reading *reading, const struct yaml_tree *node,
                               const struct experiment_parameter *parameter,
                               struct parameter_value *value)
{
    struct nearest nearest;
    nearest_begin(&nearest, value->word);
    for (uint32_t choice = 0; parameter->choices[choice] != NULL; choice++) {
        if (strcmp(parameter->choices[choice], value->word) == 0) {
            value->real = choice;
            return STATUS_OK;
        }
        nearest_offer(&nearest, parameter->choices[choice]);
    }
    char hint[NAME_HINT_MAX];
    nearest_hint(&nearest, hint);
    char all[256] = "";
    for (uint32_t choice = 0; parameter->choices[choice] != NULL; choice++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", choice > 0 ? ", " : "",
                 parameter->choices[choice]);
    }
    return yaml_tree_fault(reading->into->file, node, reading->fault, "'%.64s' isn't one of %s%s",
                           value->word, all, hint);
}

static enum status read_list(struct reading *reading, const struct yaml_tree *node,
                             const struct experiment_parameter *parameter,
                             struct parameter_value *value)
{
    double numbers[EXPERIMENT_VECTOR_MAX];
    uint32_t count = 0;
    const struct yaml_tree *item = node->kind == YAML_TREE_LIST ? node->first_child : NULL;
    const char *text = node->kind == YAML_TREE_SCALAR ? node->text : "";
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (item != NULL || *(text += strspn(text, " ,")) != '\0')) {
        if (count == EXPERIMENT_VECTOR_MAX)
            return yaml_tree_fault(reading->into->file, node, reading->fault,
                                   "has more than %d numbers", EXPERIMENT_VECTOR_MAX);
        char word[64];
        size_t length = strcspn(text, " ,");
        snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), text);
        struct yaml_tree number = {
            .kind = YAML_TREE_SCALAR, .key = node->key, .text = word, .line = node->line};
        if (item != NULL) {
            number = *item;
            number.key = node->key;
            item = item->next;
        } else {
            text += length;
        }
        status = yaml_tree_number(reading->into->file, &number, parameter->least, parameter->most,
                                  &numbers[count++], reading->fault);
    }
    if (status == STATUS_OK && count == 0)
        return yaml_tree_fault(reading->into->file, node, reading->fault, "must list numbers");
    value->list = arena_copy(reading->arena, numbers, count * sizeof numbers[0]);
    value->list_count = count;
    if (status == STATUS_OK && value->list == NULL)
        return fault_set(reading->fault, STATUS_NO_MEMORY, "no memory for a list");
    return status;
}

static enum status read_value(struct reading *reading, const struct yaml_tree *node,
                              const struct experiment_parameter *parameter,
                              struct parameter_value *value)
{
    const char *file = reading->into->file;
    int64_t whole = 0;
    enum status status;
    switch (parameter->kind) {
    case PARAMETER_REAL:
        return yaml_tree_number(file, node, parameter->least, parameter->most, &value->real,
                                reading->fault);
    case PARAMETER_INTEGER:
        status = yaml_tree_integer(file, node, (int64_t)parameter->least, (int64_t)parameter->most,
                                   &whole, reading->fault);
        value->real = (double)whole;
        return status;
    case PARAMETER_LIST: return read_list(reading, node, parameter, value);
    case PARAMETER_WORD:
    case PARAMETER_CHOICE: break;
    }
    status = yaml_tree_text(file, node, &value->word, reading->fault);
    if (status == STATUS_OK && strlen(value->word) > EXPERIMENT_WORD_MAX)
        return yaml_tree_fault(file, node, reading->fault, "is longer than %d bytes",
                               EXPERIMENT_WORD_MAX);
    if (status == STATUS_OK && parameter->kind == PARAMETER_CHOICE)
        status = read_choice(reading, node, parameter, value);
    return status;
}

/* --- several values */

static enum status add_axis(struct reading *reading, uint32_t parameter, uint32_t count,
                            struct parameter_value **values, struct axis **axis)
{
    *values = arena_alloc(reading->arena, count, sizeof **values);
    if (*values == NULL)
        return fault_set(reading->fault, STATUS_NO_MEMORY, "no memory for a list of values");
    *axis = &reading->into->axes[reading->into->axis_count++];
    **axis = (struct axis){.parameter = parameter, .count = count, .values = *values};
    return STATUS_OK;
}

static enum status read_axis(struct reading *reading, const struct yaml_tree *node,
                             uint32_t parameter)
{
    struct parameter_value *values;
    struct axis *axis;
    if (node->child_count == 0 || node->child_count > DESIGN_STEPS_MAX)
        return yaml_tree_fault(reading->into->file, node, reading->fault,
                               "must list 1 to %d values", DESIGN_STEPS_MAX);
    enum status status = add_axis(reading, parameter, (uint32_t)node->child_count, &values, &axis);
    for (const struct yaml_tree *item = node->first_child; status == STATUS_OK && item != NULL;
         item = item->next) {
        struct yaml_tree named = *item;
        named.key = node->key;
        status = read_value(reading, &named, &reading->into->experiment->parameters[parameter],
                            values++);
    }
    return status;
}

/* The step-th of `count` values from `from` to `to`; the ends exactly. */
static double grid_value(const struct axis *axis, uint32_t step, bool whole)
{
    if (step == 0)
        return axis->from;
    if (step + 1 == axis->count)
        return axis->to;
    double part = (double)step / (axis->count - 1);
    double value = axis->logarithmic ? axis->from * elementary_pow(axis->to / axis->from, part)
                                     : axis->from + (axis->to - axis->from) * part;
    return whole ? floor(value + 0.5) : value;
}

static enum status read_bounds(struct reading *reading, const struct yaml_tree *node,
                               uint32_t parameter, struct axis *bounds)
{
    static const char *const keys[] = {"from", "to", "steps", "scale", NULL};
    const struct experiment_parameter *known = &reading->into->experiment->parameters[parameter];
    const char *file = reading->into->file;
    if (known->kind != PARAMETER_REAL && known->kind != PARAMETER_INTEGER)
        return yaml_tree_fault(file, node, reading->fault,
                               "has no range; list its values: [..., ...]");
    enum status status = yaml_tree_allow(file, node, keys, reading->fault);
    if (status != STATUS_OK)
        return status;
    const struct yaml_tree *from = yaml_tree_get(node, "from");
    const struct yaml_tree *to = yaml_tree_get(node, "to");
    const struct yaml_tree *scale = yaml_tree_get(node, "scale");
    if (from == NULL || to == NULL)
        return yaml_tree_fault(file, node, reading->fault, "a range needs from and to");
    struct parameter_value end;
    status = read_value(reading, from, known, &end);
    bounds->from = end.real;
    if (status == STATUS_OK)
        status = read_value(reading, to, known, &end);
    bounds->to = end.real;
    if (status == STATUS_OK && scale != NULL) {
        bounds->logarithmic =
            strcmp(scale->kind == YAML_TREE_SCALAR ? scale->text : "", "log") == 0;
        if (!bounds->logarithmic &&
            (scale->kind != YAML_TREE_SCALAR || strcmp(scale->text, "linear") != 0))
            return yaml_tree_fault(file, scale, reading->fault, "is linear or log");
    }
    if (status == STATUS_OK && bounds->from >= bounds->to)
        return yaml_tree_fault(file, node, reading->fault, "from must be below to");
    if (status == STATUS_OK && bounds->logarithmic && bounds->from <= 0)
        return yaml_tree_fault(file, node, reading->fault, "a log scale starts above 0");
    return status;
}

static enum status read_range(struct reading *reading, const struct yaml_tree *node,
                              uint32_t parameter)
{
    struct axis bounds = {.parameter = parameter};
    enum status status = read_bounds(reading, node, parameter, &bounds);
    if (status != STATUS_OK)
        return status;
    const struct yaml_tree *steps = yaml_tree_get(node, "steps");
    if (steps == NULL) {
        reading->into->axes[reading->into->axis_count++] = bounds;
        return STATUS_OK;
    }
    int64_t count;
    status =
        yaml_tree_integer(reading->into->file, steps, 2, DESIGN_STEPS_MAX, &count, reading->fault);
    struct parameter_value *values;
    struct axis *axis;
    if (status == STATUS_OK)
        status = add_axis(reading, parameter, (uint32_t)count, &values, &axis);
    if (status != STATUS_OK)
        return status;
    bounds.count = axis->count;
    bounds.values = axis->values;
    *axis = bounds;
    bool whole = reading->into->experiment->parameters[parameter].kind == PARAMETER_INTEGER;
    for (uint32_t step = 0; step < axis->count; step++)
        values[step].real = grid_value(axis, step, whole);
    return STATUS_OK;
}

enum status design_find_metric(const struct design *design, const struct yaml_tree *node,
                               uint16_t *metric, struct fault *fault)
{
    const struct experiment *experiment = design->experiment;
    const char *name = NULL;
    enum status status = yaml_tree_text(design->file, node, &name, fault);
    if (status != STATUS_OK)
        return status;
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (uint16_t m = 0; m < experiment->metric_count; m++) {
        if (strcmp(experiment->metrics[m].name, name) == 0) {
            *metric = m;
            return STATUS_OK;
        }
        nearest_offer(&nearest, experiment->metrics[m].name);
    }
    char hint[NAME_HINT_MAX];
    nearest_hint(&nearest, hint);
    return yaml_tree_fault(design->file, node, fault, "%s has no metric '%.64s'%s",
                           experiment->name, name, hint);
}
