/*
 * Commands of entente-economics: one file each; main.c holds the table. Each returns the exit code.
 */
#ifndef ENTENTE_ECONOMICS_COMMANDS_COMMANDS_H
#define ENTENTE_ECONOMICS_COMMANDS_COMMANDS_H

#include <stdio.h>

#include "economics/throughput/measurement.h"

int market_solve_command(int argc, char **argv);
int market_generate_command(int argc, char **argv);
int market_convert_command(int argc, char **argv);
int market_import_command(int argc, char **argv);
int market_export_command(int argc, char **argv);
int market_check_command(int argc, char **argv);
int market_explain_command(int argc, char **argv);
int market_what_if_command(int argc, char **argv);
int game_solve_command(int argc, char **argv);
int game_check_command(int argc, char **argv);
int experiment_list_command(int argc, char **argv);
int experiment_describe_command(int argc, char **argv);
int experiment_run_command(int argc, char **argv);
int experiment_report_command(int argc, char **argv);
int throughput_fit_command(int argc, char **argv);
int throughput_predict_command(int argc, char **argv);
int throughput_evaluate_command(int argc, char **argv);
int throughput_recommend_command(int argc, char **argv);

/* Rows of a file that were skipped, on stderr. */
void throughput_print_complaints(const struct measurements *set, const char *path);

/* Where a command writes: the file at path, or standard output where path is NULL or "-". */
struct output {
    const char *path;
    FILE *to;
};

MUST_USE enum status output_open(struct output *output, const char *path, struct fault *fault);

/* Closes it; a file that isn't whole (status, or the disk is full) is removed. Returns what became
 * of it. */
MUST_USE enum status output_close(struct output *output, enum status status, struct fault *fault);

#endif
