/*
 * Long run: how a command that may take minutes is ended early and shows that it lives. Ctrl-C (or
 * the time given) asks for the best that is proven so far; a second Ctrl-C ends the program.
 * Progress goes to the standard error, where that is a terminal.
 *
 * Thread rule: long_run_interrupted() in any thread, the rest in the one that began.
 */
#ifndef ENTENTE_ECONOMICS_COMMANDS_LONG_RUN_H
#define ENTENTE_ECONOMICS_COMMANDS_LONG_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct long_run {
    struct timespec started;
    struct timespec told; /* when progress was last shown */
    double seconds;       /* at most; 0: no limit */
    const char *what;     /* for people */
    bool shows;
    bool shown; /* a line stands there */
};

/* Once, before all; takes over SIGINT. */
void long_run_begin(struct long_run *run);
/* The next thing, with its own time. */
void long_run_next(struct long_run *run, const char *what, double seconds);
/* Wipes the progress line. */
void long_run_wipe(struct long_run *run);

/* To be asked now and then; context: the long_run. */
bool long_run_over(void *context);
bool long_run_interrupted(void *context);
void long_run_progress(void *context, uint32_t done, uint32_t of);

#endif
