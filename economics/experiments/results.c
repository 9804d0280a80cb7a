#include "economics/experiments/results.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "economics/experiments/groups.h"
#include "economics/experiments/number_text.h"
#include "economics/experiments/results_database.h"
#include "economics/experiments/statistics.h"

enum output { OUTPUT_RESULTS, OUTPUT_SUMMARY, OUTPUT_COMPARISONS, OUTPUT_TIMINGS, OUTPUTS };

static const char *const output_names[OUTPUTS] = {"results.csv", "summary.csv", "comparisons.csv",
                                                  "timings.csv"};

static const enum results_table output_tables[OUTPUTS] = {RESULTS_ROWS, RESULTS_SUMMARY,
                                                          RESULTS_COMPARISONS};

struct writing {
    const struct design *design;
    const struct journal *journal;
    uint32_t replications;
    const char *directory;
    FILE *csv[OUTPUTS];
    char paths[OUTPUTS][FILE_PATH_MAX];
    struct results_database *database;
    double scratch[STATISTICS_RESAMPLES];
    double *differences; /* [replications] */
    uint32_t arm;        /* being written */
    struct groups first; /* of arm 0, which all others are compared with */
};

static enum status open_outputs(struct writing *writing, struct fault *fault);
static enum status write_headings(struct writing *writing, struct fault *fault);
static enum status write_arm(struct writing *writing, struct fault *fault);
static enum status close_outputs(struct writing *writing, enum status status, struct fault *fault);

enum status results_write(const struct design *design, const struct journal *journal,
                          uint32_t replications, const char *directory, struct fault *fault)
{
    struct writing *writing = calloc(1, sizeof *writing);
    double *differences = calloc(replications > 0 ? replications : 1, sizeof *differences);
    enum status status = STATUS_OK;
    if (writing == NULL || differences == NULL) {
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for results");
    } else {
        *writing = (struct writing){.design = design,
                                    .journal = journal,
                                    .replications = replications,
                                    .directory = directory,
                                    .differences = differences};
        status = open_outputs(writing, fault);
        if (status == STATUS_OK)
            status = write_headings(writing, fault);
        for (; status == STATUS_OK && writing->arm < design->arm_count; writing->arm++)
            status = write_arm(writing, fault);
        status = close_outputs(writing, status, fault);
    }
    free(differences);
    free(writing);
    return status;
}

/* --- files */

/* Written beside and renamed when whole, so that a reader sees the old or the new one. */
static enum status open_outputs(struct writing *writing, struct fault *fault)
{
    char database[FILE_PATH_MAX];
    for (int output = 0; output < OUTPUTS; output++) {
        char name[64];
        snprintf(name, sizeof name, "%s.new", output_names[output]);
        enum status status = path_join(writing->paths[output], writing->directory, name, fault);
        if (status != STATUS_OK)
            return status;
        writing->csv[output] = fopen(writing->paths[output], "we");
        if (writing->csv[output] == NULL)
            return fault_set(fault, STATUS_IO, "%s can't be written: %s", writing->paths[output],
                             strerror(errno));
    }
    enum status status = path_join(database, writing->directory, "results.sqlite", fault);
    if (status == STATUS_OK)
        status = results_database_open(database, &writing->database, fault);
    if (status != STATUS_OK)
        writing->database = NULL;
    return status;
}

static enum status close_outputs(struct writing *writing, enum status status, struct fault *fault)
{
    for (int output = 0; output < OUTPUTS; output++) {
        char path[FILE_PATH_MAX];
        FILE *csv = writing->csv[output];
        if (csv == NULL)
            continue;
        bool broken = fflush(csv) != 0 || ferror(csv) != 0 || fsync(fileno(csv)) != 0;
        broken |= fclose(csv) != 0;
        if (status == STATUS_OK && broken)
            status = fault_set(fault, STATUS_IO, "%s can't be written to its end: %s",
                               writing->paths[output], strerror(errno));
        if (status == STATUS_OK)
            status = path_join(path, writing->directory, output_names[output], fault);
        if (status == STATUS_OK && rename(writing->paths[output], path) != 0)
            status = fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
        if (status != STATUS_OK)
            (void)unlink(writing->paths[output]);
    }
    groups_fini(&writing->first);
    return writing->database != NULL ? results_database_close(writing->database, status, fault)
                                     : status;
}

/* --- cells: each goes into the CSV and into the database */

/* RFC 4180: quoted where it has a comma, a quote or a line's end. */
static void quoted(FILE *csv, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, csv);
        return;
    }
    fputc('"', csv);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', csv);
        fputc(*text, csv);
    }
    fputc('"', csv);
}

static void cell_text(struct writing *writing, enum output output, const char *text)
{
    fputc(',', writing->csv[output]);
    quoted(writing->csv[output], text);
    results_database_text(writing->database, output_tables[output], text);
}

static void cell_number(struct writing *writing, enum output output, double number)
{
    char text[NUMBER_TEXT_MAX];
    fprintf(writing->csv[output], ",%s", number_text(number, text));
    results_database_number(writing->database, output_tables[output], number);
}

static void cell_integer(struct writing *writing, enum output output, int64_t number)
{
    fprintf(writing->csv[output], ",%lld", (long long)number);
    results_database_integer(writing->database, output_tables[output], number);
}

static enum status end_row(struct writing *writing, enum output output, struct fault *fault)
{
    fputc('\n', writing->csv[output]);
    return results_database_row(writing->database, output_tables[output], fault);
}

/* Swept parameters stand in the CSV alone: the database has them in arms. */
static void put_axes(struct writing *writing, enum output output)
{
    for (uint32_t a = 0; a < writing->design->axis_count; a++) {
        char text[VALUE_TEXT_MAX];
        design_value_text(writing->design, writing->arm, a, text);
        fputc(',', writing->csv[output]);
        quoted(writing->csv[output], text);
    }
}

static const char *axis_name(const struct design *design, uint32_t axis)
{
    return design->experiment->parameters[design->axes[axis].parameter].name;
}

static enum status write_headings(struct writing *writing, struct fault *fault)
{
    const struct design *design = writing->design;
    fputs("arm,replication", writing->csv[OUTPUT_RESULTS]);
    fputs("arm,replication", writing->csv[OUTPUT_TIMINGS]);
    fputs("arm", writing->csv[OUTPUT_SUMMARY]);
    for (uint32_t a = 0; a < design->axis_count; a++) {
        fprintf(writing->csv[OUTPUT_RESULTS], ",%s", axis_name(design, a));
        fprintf(writing->csv[OUTPUT_TIMINGS], ",%s", axis_name(design, a));
        fprintf(writing->csv[OUTPUT_SUMMARY], ",%s", axis_name(design, a));
    }
    fputs(",series,subject,metric,value\n", writing->csv[OUTPUT_RESULTS]);
    fputs(",series,subject,metric,unit,value\n", writing->csv[OUTPUT_TIMINGS]);
    fputs(",series,subject,metric,unit,n,missing,mean,sd,low,high\n", writing->csv[OUTPUT_SUMMARY]);
    fputs("kind,arm,against_arm,series,against_series,subject,metric,n,difference,sd,low,high\n",
          writing->csv[OUTPUT_COMPARISONS]);
    for (uint32_t arm = 0; arm < design->arm_count; arm++) {
        for (uint32_t a = 0; a < design->axis_count; a++) {
            char text[VALUE_TEXT_MAX];
            design_value_text(design, arm, a, text);
            results_database_integer(writing->database, RESULTS_ARMS, arm);
            results_database_text(writing->database, RESULTS_ARMS, axis_name(design, a));
            results_database_text(writing->database, RESULTS_ARMS, text);
            enum status status = results_database_row(writing->database, RESULTS_ARMS, fault);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

/* --- one arm */

/* Measured times go into a file of their own, outside of what is the same each time. */
static void write_timing(struct writing *writing, uint32_t replication,
                         const struct observation *observation)
{
    const struct experiment_metric *metric =
        &writing->design->experiment->metrics[observation->metric];
    char text[NUMBER_TEXT_MAX];
    FILE *csv = writing->csv[OUTPUT_TIMINGS];
    fprintf(csv, "%u,%u", writing->arm, replication);
    put_axes(writing, OUTPUT_TIMINGS);
    fputc(',', csv);
    quoted(csv, observation->series);
    fputc(',', csv);
    quoted(csv, observation->subject);
    fprintf(csv, ",%s,%s,%s\n", metric->name, metric->unit, number_text(observation->value, text));
}

static enum status write_observation(void *context, uint32_t replication,
                                     const struct observation *observation, struct fault *fault)
{
    struct writing *writing = context;
    const struct experiment *experiment = writing->design->experiment;
    if (observation->metric >= experiment->metric_count)
        return fault_set(fault, STATUS_CORRUPT, "the journal names a metric that %s hasn't",
                         experiment->name);
    if (experiment->metrics[observation->metric].measured) {
        write_timing(writing, replication, observation);
        return STATUS_OK;
    }
    fprintf(writing->csv[OUTPUT_RESULTS], "%u,%u", writing->arm, replication);
    put_axes(writing, OUTPUT_RESULTS);
    results_database_integer(writing->database, RESULTS_ROWS, writing->arm);
    results_database_integer(writing->database, RESULTS_ROWS, replication);
    cell_text(writing, OUTPUT_RESULTS, observation->series);
    cell_text(writing, OUTPUT_RESULTS, observation->subject);
    cell_text(writing, OUTPUT_RESULTS, experiment->metrics[observation->metric].name);
    cell_number(writing, OUTPUT_RESULTS, observation->value);
    return end_row(writing, OUTPUT_RESULTS, fault);
}

static void sum_up(struct writing *writing, const double *values, uint32_t count,
                   struct summary *summary)
{
    statistics_sum_up(values, count, writing->design->intervals, writing->design->confidence,
                      writing->scratch, summary);
}

static enum status write_summary(struct writing *writing, const struct group *group,
                                 struct fault *fault)
{
    const struct experiment_metric *metric =
        &writing->design->experiment->metrics[group->key.metric];
    double const none = (double)NAN;
    struct summary summary = {.mean = none, .deviation = none, .low = none, .high = none};
    if (group->count > 0)
        sum_up(writing, group->values, group->count, &summary);
    fprintf(writing->csv[OUTPUT_SUMMARY], "%u", writing->arm);
    put_axes(writing, OUTPUT_SUMMARY);
    results_database_integer(writing->database, RESULTS_SUMMARY, writing->arm);
    cell_text(writing, OUTPUT_SUMMARY, group->key.series);
    cell_text(writing, OUTPUT_SUMMARY, group->key.subject);
    cell_text(writing, OUTPUT_SUMMARY, metric->name);
    cell_text(writing, OUTPUT_SUMMARY, metric->unit);
    cell_integer(writing, OUTPUT_SUMMARY, group->count);
    cell_integer(writing, OUTPUT_SUMMARY, group->missing);
    cell_number(writing, OUTPUT_SUMMARY, summary.mean);
    cell_number(writing, OUTPUT_SUMMARY, group->count > 1 ? summary.deviation : none);
    cell_number(writing, OUTPUT_SUMMARY, group->count > 1 ? summary.low : none);
    cell_number(writing, OUTPUT_SUMMARY, group->count > 1 ? summary.high : none);
    return end_row(writing, OUTPUT_SUMMARY, fault);
}

/* Differences of what both observed in the same replication. */
static uint32_t pair(const struct group *group, const struct group *against, double *differences)
{
    uint32_t count = 0;
    uint32_t other = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        while (other < against->count && against->replications[other] < group->replications[i])
            other++;
        if (other < against->count && against->replications[other] == group->replications[i])
            differences[count++] = group->values[i] - against->values[other];
    }
    return count;
}

struct comparison {
    const char *kind; /* "series", "arm" */
    const struct group *group;
    const struct group *against;
    uint32_t against_arm;
};

static enum status write_comparison(struct writing *writing, const struct comparison *comparison,
                                    struct fault *fault)
{
    const struct experiment *experiment = writing->design->experiment;
    const struct group_key *key = &comparison->group->key;
    double const none = (double)NAN;
    struct summary summary;
    if (comparison->group->count > writing->replications)
        return STATUS_OK; /* several observations of one name in a run: nothing to pair by */
    uint32_t count = pair(comparison->group, comparison->against, writing->differences);
    if (count == 0)
        return STATUS_OK;
    sum_up(writing, writing->differences, count, &summary);
    fputs(comparison->kind, writing->csv[OUTPUT_COMPARISONS]);
    results_database_text(writing->database, RESULTS_COMPARISONS, comparison->kind);
    cell_integer(writing, OUTPUT_COMPARISONS, writing->arm);
    cell_integer(writing, OUTPUT_COMPARISONS, comparison->against_arm);
    cell_text(writing, OUTPUT_COMPARISONS, key->series);
    cell_text(writing, OUTPUT_COMPARISONS, comparison->against->key.series);
    cell_text(writing, OUTPUT_COMPARISONS, key->subject);
    cell_text(writing, OUTPUT_COMPARISONS, experiment->metrics[key->metric].name);
    cell_integer(writing, OUTPUT_COMPARISONS, count);
    cell_number(writing, OUTPUT_COMPARISONS, summary.mean);
    cell_number(writing, OUTPUT_COMPARISONS, count > 1 ? summary.deviation : none);
    cell_number(writing, OUTPUT_COMPARISONS, count > 1 ? summary.low : none);
    cell_number(writing, OUTPUT_COMPARISONS, count > 1 ? summary.high : none);
    return end_row(writing, OUTPUT_COMPARISONS, fault);
}

static enum status compare(struct writing *writing, const struct groups *groups,
                           const struct group *group, struct fault *fault)
{
    const char *baseline = writing->design->experiment->baseline;
    enum status status = STATUS_OK;
    if (baseline != NULL && strcmp(group->key.series, baseline) != 0) {
        struct group_key key = group->key;
        memset(key.series, 0, sizeof key.series);
        snprintf(key.series, sizeof key.series, "%s", baseline);
        const struct comparison comparison = {.kind = "series",
                                              .group = group,
                                              .against = groups_find(groups, &key),
                                              .against_arm = writing->arm};
        if (comparison.against != NULL)
            status = write_comparison(writing, &comparison, fault);
    }
    const struct comparison comparison = {
        .kind = "arm", .group = group, .against = groups_find(&writing->first, &group->key)};
    if (status == STATUS_OK && writing->arm > 0 && comparison.against != NULL)
        status = write_comparison(writing, &comparison, fault);
    return status;
}

static enum status write_arm(struct writing *writing, struct fault *fault)
{
    struct groups groups;
    groups_init(&groups);
    enum status status = groups_gather(&groups, writing->journal, writing->arm,
                                       writing->replications, write_observation, writing, fault);
    for (const struct group *group = groups.table; status == STATUS_OK && group != NULL;
         group = group->hh.next) {
        if (writing->design->experiment->metrics[group->key.metric].measured)
            continue;
        status = write_summary(writing, group, fault);
        if (status == STATUS_OK)
            status = compare(writing, &groups, group, fault);
    }
    if (writing->arm == 0 && status == STATUS_OK)
        writing->first = groups;
    else
        groups_fini(&groups);
    return status;
}
