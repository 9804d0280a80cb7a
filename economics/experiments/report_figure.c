#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "economics/experiments/report.h"

/* Which part of a row's name varies, so that labels say no more than is needed. */
struct naming {
    bool series;
    bool subject;
    bool axes[RESULTS_AXES_MAX];
};

static bool belongs(const struct figure *figure, const struct result_row *row)
{
    bool wanted = figure->subject != NULL ? strcmp(row->subject, figure->subject) == 0
                                          : row->subject[0] != '\0';
    return wanted && strcmp(row->metric, figure->metric->name) == 0;
}

static bool is_number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(value);
}

static uint32_t distinct_values(const struct results_read *results, uint32_t axis)
{
    uint32_t distinct = 0;
    for (uint32_t arm = 0; arm < results->arm_count; arm++) {
        bool met = false;
        if (!is_number(results->arms[arm].values[axis]))
            return 0;
        for (uint32_t before = 0; before < arm && !met; before++)
            met = strcmp(results->arms[before].values[axis], results->arms[arm].values[axis]) == 0;
        distinct += !met;
    }
    return distinct;
}

static int32_t choose_foot(const struct results_read *results)
{
    uint32_t most = 1;
    int32_t foot = -1;
    for (uint32_t axis = 0; axis < results->axis_count; axis++) {
        uint32_t distinct = distinct_values(results, axis);
        if (distinct > most) {
            most = distinct;
            foot = (int32_t)axis;
        }
    }
    return foot;
}

static void find_what_varies(const struct figure *figure, struct naming *naming)
{
    const struct results_read *results = figure->results;
    const struct result_row *first = NULL;
    *naming = (struct naming){0};
    for (uint32_t r = 0; r < results->row_count; r++) {
        const struct result_row *row = &results->rows[r];
        if (!belongs(figure, row))
            continue;
        first = first != NULL ? first : row;
        naming->series = naming->series || strcmp(row->series, first->series) != 0;
        naming->subject = naming->subject || strcmp(row->subject, first->subject) != 0;
        for (uint32_t axis = 0; axis < results->axis_count; axis++)
            if ((int32_t)axis != figure->foot &&
                strcmp(results->arms[row->arm].values[axis],
                       results->arms[first->arm].values[axis]) != 0)
                naming->axes[axis] = true;
    }
}

static void append(char label[static REPORT_LABEL_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

static void append(char label[static REPORT_LABEL_MAX], const char *format, ...)
{
    size_t used = strlen(label);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(label + used, REPORT_LABEL_MAX - used, format, arguments);
    va_end(arguments);
}

static void label_row(const struct figure *figure, const struct naming *naming,
                      const struct result_row *row, char label[static REPORT_LABEL_MAX])
{
    const struct results_read *results = figure->results;
    label[0] = '\0';
    if (naming->series)
        append(label, "%s", row->series[0] != '\0' ? row->series : "all");
    if (naming->subject)
        append(label, "%s%s", label[0] != '\0' ? ", " : "", row->subject);
    for (uint32_t axis = 0; axis < results->axis_count; axis++)
        if (naming->axes[axis])
            append(label, "%s%s %s", label[0] != '\0' ? ", " : "", results->axes[axis],
                   results->arms[row->arm].values[axis]);
    if (label[0] == '\0')
        append(label, "%s", row->series[0] != '\0' ? row->series : figure->metric->name);
}

static uint32_t find_or_add(const char **list, uint32_t *count, const char *text)
{
    uint32_t i = 0;
    while (i < *count && strcmp(list[i], text) != 0)
        i++;
    if (i == *count)
        list[(*count)++] = text;
    return i;
}

static uint32_t line_of(struct figure *figure, const char *label)
{
    uint32_t line = 0;
    while (line < figure->line_count && strcmp(figure->labels[line], label) != 0)
        line++;
    if (line == figure->line_count)
        memcpy(figure->labels[figure->line_count++], label, REPORT_LABEL_MAX);
    return line;
}

enum status figure_lay_out(const struct results_read *results,
                           const struct experiment_metric *metric, const char *subject,
                           struct arena *arena, struct figure *figure, struct fault *fault)
{
    struct naming naming;
    uint32_t rows = 0;
    *figure = (struct figure){.results = results, .metric = metric, .subject = subject};
    figure->foot = choose_foot(results);
    for (uint32_t r = 0; r < results->row_count; r++)
        rows += belongs(figure, &results->rows[r]);
    if (rows == 0)
        return STATUS_OK;
    uint32_t feet = figure->foot >= 0 ? results->arm_count : 1;
    figure->feet = arena_alloc(arena, feet, sizeof *figure->feet);
    figure->labels = arena_alloc(arena, rows, sizeof *figure->labels);
    if (figure->feet == NULL || figure->labels == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a figure");
    find_what_varies(figure, &naming);
    /* two passes: how many lines and feet there are, then what stands where */
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            figure->cells = arena_alloc(arena, (size_t)figure->line_count * figure->foot_count,
                                        sizeof *figure->cells);
        if (pass == 1 && figure->cells == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for a figure");
        for (uint32_t r = 0; r < results->row_count; r++) {
            const struct result_row *row = &results->rows[r];
            char label[REPORT_LABEL_MAX] = "";
            if (!belongs(figure, row))
                continue;
            label_row(figure, &naming, row, label);
            const char *value =
                figure->foot >= 0 ? results->arms[row->arm].values[figure->foot] : "";
            uint32_t line = line_of(figure, label);
            uint32_t foot = find_or_add(figure->feet, &figure->foot_count, value);
            if (pass == 1)
                figure->cells[(size_t)line * figure->foot_count + foot].row = row;
        }
    }
    return STATUS_OK;
}
