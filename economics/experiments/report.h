/*
 * Report: one HTML page of a directory of results: theory, setting, a plot and a table for each
 * metric, paired comparisons, and how it was made. Nothing outside the page is needed to read it.
 *
 * Plots are gnuplot's (SVG, in the page). A metric's figure has the swept parameter with most
 * numeric values along its foot, and a line for each series (and other swept value, and subject)
 * with its interval; without a sweep, a bar a series.
 *
 * Thread rule: one thread; runs gnuplot as a child. Complexity: O(rows × figures).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_REPORT_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_REPORT_H

#include "base/domain/bytes.h"
#include "economics/experiments/experiment.h"
#include "economics/experiments/results_read.h"

enum {
    REPORT_LINES_MAX = 12,    /* of one figure; the table has all */
    REPORT_SUBJECTS_MAX = 16, /* that get a figure of their own */
    REPORT_LABEL_MAX = 256,
    REPORT_SVG_BYTES_MAX = 4 * 1024 * 1024
};

/* Writes directory/report.html. NOT_FOUND: no results, or no gnuplot, with what to install. */
MUST_USE enum status report_write(const char *directory, struct fault *fault);

/* --- a figure: rows of one metric, laid out. Shared by the plot and the table. */

struct figure_cell {
    const struct result_row *row; /* NULL: nothing observed there */
};

struct figure {
    const struct results_read *results;
    const struct experiment_metric *metric;
    const char *subject; /* whose rows; "": of all; NULL: of every subject */
    int32_t foot;        /* the axis along the foot; -1: none, bars */
    const char **feet;   /* [foot_count] its values */
    uint32_t foot_count;
    char (*labels)[REPORT_LABEL_MAX]; /* [line_count] */
    uint32_t line_count;
    struct figure_cell *cells; /* [line_count × foot_count] */
};

/* foot_count 0: there are no such rows. */
MUST_USE enum status figure_lay_out(const struct results_read *results,
                                    const struct experiment_metric *metric, const char *subject,
                                    struct arena *arena, struct figure *figure,
                                    struct fault *fault);

/* SVG text of the figure, in the arena; made in `directory`, which is left as it was. */
MUST_USE enum status figure_plot(const struct figure *figure, const char *directory,
                                 struct arena *arena, struct bytes *svg, struct fault *fault);

#endif
