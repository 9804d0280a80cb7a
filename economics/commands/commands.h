/*
 * Commands of entente-economics: one file each; main.c holds the table. Each returns the exit code.
 */
#ifndef ENTENTE_ECONOMICS_COMMANDS_COMMANDS_H
#define ENTENTE_ECONOMICS_COMMANDS_COMMANDS_H

#include "economics/throughput/measurement.h"

int market_solve_command(int argc, char **argv);
int game_solve_command(int argc, char **argv);
int game_check_command(int argc, char **argv);
int throughput_fit_command(int argc, char **argv);
int throughput_predict_command(int argc, char **argv);
int throughput_evaluate_command(int argc, char **argv);
int throughput_recommend_command(int argc, char **argv);

/* Rows of a file that were skipped, on stderr. */
void throughput_print_complaints(const struct measurements *set, const char *path);

#endif
