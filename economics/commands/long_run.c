#include "economics/commands/long_run.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define TELL_SECONDS 0.5

static atomic_bool interrupted; /* the signal flag */

/* The next one does what it does by default. */
static void on_interrupt(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

static double since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) * 1e-9;
}

void long_run_begin(struct long_run *run)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    *run = (struct long_run){.what = "", .shows = isatty(STDERR_FILENO) != 0};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    long_run_next(run, "", 0.0);
}

void long_run_next(struct long_run *run, const char *what, double seconds)
{
    run->what = what;
    run->seconds = seconds;
    clock_gettime(CLOCK_MONOTONIC, &run->started);
    run->told = run->started;
}

void long_run_wipe(struct long_run *run)
{
    if (run->shown)
        fputs("\r\033[K", stderr);
    run->shown = false;
}

/* Is a line due? */
static bool due(struct long_run *run)
{
    if (!run->shows || since(&run->told) < TELL_SECONDS)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &run->told);
    run->shown = true;
    return true;
}

bool long_run_interrupted(void *context)
{
    (void)context;
    return atomic_load(&interrupted);
}

bool long_run_over(void *context)
{
    struct long_run *run = context;
    double const elapsed = since(&run->started);
    if (due(run))
        fprintf(stderr, "\r\033[K%s: %.0f s%s (Ctrl-C: the best so far)", run->what, elapsed,
                long_run_interrupted(run) ? ", ending" : "");
    return long_run_interrupted(run) || (run->seconds > 0.0 && elapsed >= run->seconds);
}

void long_run_progress(void *context, uint32_t done, uint32_t of)
{
    struct long_run *run = context;
    if (due(run))
        fprintf(stderr,
                "\r\033[K%s: table of worths, %u of %u parts in %.0f s (Ctrl-C: keeps them)",
                run->what, done, of, since(&run->started));
}
