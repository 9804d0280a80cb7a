/*
 * Commands of entente-economics: one file each; main.c holds the table. Each returns the exit code.
 */
#ifndef ENTENTE_ECONOMICS_COMMANDS_COMMANDS_H
#define ENTENTE_ECONOMICS_COMMANDS_COMMANDS_H

int market_solve_command(int argc, char **argv);
int game_solve_command(int argc, char **argv);
int game_check_command(int argc, char **argv);

#endif
