/* Figures as SVG, by gnuplot. */
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "economics/experiments/report.h"

extern char **environ;

enum { WIDTH = 760, HEIGHT = 380 };

/* Told apart by people who don't see all colours too [Okabe, Ito 2008]. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000", "#8C6D31"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

/* gnuplot's double-quoted strings: backslash and quote escaped, underscore as it is. */
static void put_quoted(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void put_number(FILE *to, double number)
{
    if (isfinite(number))
        fprintf(to, " %.10g", number);
    else
        fputs(" NaN", to);
}

static uint32_t shown_lines(const struct figure *figure)
{
    return figure->line_count < REPORT_LINES_MAX ? figure->line_count : REPORT_LINES_MAX;
}

/* A block a line: place, mean, low, high. */
static void put_data(const struct figure *figure, FILE *to)
{
    fputs("$data << END\n", to);
    for (uint32_t line = 0; line < shown_lines(figure); line++) {
        for (uint32_t foot = 0; foot < figure->foot_count; foot++) {
            const struct result_row *row =
                figure->cells[(size_t)line * figure->foot_count + foot].row;
            double mean = row != NULL ? row->mean : (double)NAN;
            double at = figure->foot >= 0 ? strtod(figure->feet[foot], NULL) : line;
            put_number(to, at);
            put_number(to, mean);
            put_number(to, row != NULL && isfinite(row->low) ? row->low : mean);
            put_number(to, row != NULL && isfinite(row->high) ? row->high : mean);
            fputc('\n', to);
        }
        fputs("\n\n", to);
    }
    fputs("END\n", to);
}

static void put_axes(const struct figure *figure, FILE *to)
{
    char label[REPORT_LABEL_MAX];
    snprintf(label, sizeof label, figure->metric->unit[0] != '\0' ? "%s (%s)" : "%s",
             figure->metric->name, figure->metric->unit);
    fputs("set ylabel ", to);
    put_quoted(to, label);
    fputc('\n', to);
    if (figure->foot >= 0) {
        fputs("set xlabel ", to);
        put_quoted(to, figure->results->axes[figure->foot]);
        fputs("\nset key outside right top Left reverse\nset autoscale xfix\nset offsets graph "
              "0.03, graph 0.03, "
              "graph 0.05, graph 0.05\n",
              to);
        return;
    }
    fputs("unset key\nset boxwidth 0.6\nset style fill solid 0.7\nset xtics rotate by -25 (", to);
    for (uint32_t line = 0; line < shown_lines(figure); line++) {
        fputs(line > 0 ? ", " : "", to);
        put_quoted(to, figure->labels[line]);
        fprintf(to, " %u", line);
    }
    fputs(")\nset yrange [*<0:*>0]\nset offsets 0.6, 0.6, graph 0.05, 0\n", to);
}

static void put_plot(const struct figure *figure, FILE *to)
{
    fputs("plot ", to);
    for (uint32_t line = 0; line < shown_lines(figure); line++) {
        const char *colour = colours[line % COLOURS];
        fputs(line > 0 ? ", " : "", to);
        if (figure->foot < 0) {
            fprintf(to,
                    "$data index %u using 1:2 with boxes lc rgb '%s' notitle, "
                    "$data index %u using 1:2:3:4 with yerrorbars lc rgb 'black' pt 0 notitle",
                    line, colour, line);
            continue;
        }
        fprintf(to, "$data index %u using 1:2 with lines lw 2 dt %u lc rgb '%s' title ", line,
                1 + line / COLOURS, colour);
        put_quoted(to, figure->labels[line]);
        fprintf(to,
                ", $data index %u using 1:2:3:4 with yerrorbars lw 1.5 pt %u ps 0.6 lc rgb '%s' "
                "notitle",
                line, 5 + 2 * (line % 5), colour);
    }
    fputc('\n', to);
}

static enum status write_script(const struct figure *figure, const char *script, const char *svg,
                                struct fault *fault)
{
    FILE *to = fopen(script, "we");
    if (to == NULL)
        return fault_set(fault, STATUS_IO, "%s: %s", script, strerror(errno));
    fprintf(to,
            "set terminal svg size %d,%d dynamic font 'sans-serif,13' background rgb 'white' "
            "noenhanced\nset output ",
            WIDTH, HEIGHT);
    put_quoted(to, svg);
    fputs("\nset grid ytics lc rgb '#dddddd'\nset border 3\nset tics "
          "nomirror\n",
          to);
    put_data(figure, to);
    put_axes(figure, to);
    put_plot(figure, to);
    return fclose(to) == 0 ? STATUS_OK
                           : fault_set(fault, STATUS_IO, "%s: %s", script, strerror(errno));
}

static enum status run_gnuplot(const char *script, struct fault *fault)
{
    char program[] = "gnuplot";
    char path[FILE_PATH_MAX];
    char *argv[] = {program, path, NULL};
    pid_t child;
    int state;
    snprintf(path, sizeof path, "%s", script);
    int code = posix_spawnp(&child, program, NULL, NULL, argv, environ);
    if (code == ENOENT)
        return fault_set(fault, STATUS_NOT_FOUND,
                         "gnuplot isn't installed; `apt-get install gnuplot-nox`");
    if (code != 0)
        return fault_set(fault, STATUS_IO, "gnuplot can't be started: %s", strerror(code));
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return fault_set(fault, STATUS_IO, "gnuplot: %s", strerror(errno));
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return fault_set(fault, STATUS_IO, "gnuplot failed; what it said is above");
    return STATUS_OK;
}

enum status figure_plot(const struct figure *figure, const char *directory, struct arena *arena,
                        struct bytes *svg, struct fault *fault)
{
    char script[FILE_PATH_MAX];
    char output[FILE_PATH_MAX];
    enum status status = path_join(script, directory, ".figure.gnuplot", fault);
    if (status == STATUS_OK)
        status = path_join(output, directory, ".figure.svg", fault);
    if (status != STATUS_OK)
        return status;
    status = write_script(figure, script, output, fault);
    if (status == STATUS_OK)
        status = run_gnuplot(script, fault);
    if (status == STATUS_OK)
        status = file_read(output, REPORT_SVG_BYTES_MAX, arena, svg, fault);
    (void)unlink(script);
    (void)unlink(output);
    return status;
}
