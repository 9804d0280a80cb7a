/*
 * A fake executor: jobs that need no processes, on a clock that may be simulated.
 *
 * A job makes examples at the scripted rate, writes checkpoints ("examples N\n", at its
 * specification's checkpoint_path, by rename) when it is watched after one was due, resumes from
 * one that is there, ends when its work is done, fails when it is told to, and obeys SIGTERM or
 * not. It keeps the order of verbs: a start without prepare is refused. Everything but time is in
 * this struct, so a peer that is restarted in a test adopts from the same fake;
 * executor_fake_reboot makes all that runs LOST. Ownership: the caller's struct; executor_close()
 * does nothing. Thread rule: one thread.
 */
#ifndef ENTENTE_TESTS_PEER_EXECUTOR_FAKE_H
#define ENTENTE_TESTS_PEER_EXECUTOR_FAKE_H

#include "base/clock.h"
#include "peer/executor/executor.h"

enum { FAKE_RUNS_MAX = 256, FAKE_PATH_MAX = 1024, FAKE_EXIT_STOPPED = 75 };

/* How a job behaves. */
struct fake_script {
    const char *job;            /* which; NULL: any that no earlier script names */
    double examples_per_second; /* per GPU */
    uint64_t examples;          /* in all; 0: goes on until it is stopped */
    uint32_t batch;             /* examples a step; 0: 64 */
    int64_t checkpoint_ms;      /* one each so many ms; 0: only when stopped */
    int64_t fails_after_ms;     /* ends by itself with fail_code; 0: never */
    int32_t fail_code;
    int64_t stop_takes_ms; /* from SIGTERM to its end, with a checkpoint; above the grace: killed at
                              the grace, without one */
};

struct fake_run {
    char directory[FAKE_PATH_MAX];
    char checkpoint[FAKE_PATH_MAX]; /* "": makes none */
    enum executor_phase phase;
    struct fake_script script;
    uint32_t gpu_count;
    int64_t started_boot_ms;
    int64_t ends_boot_ms; /* where it was asked to stop; else INT64_MAX */
    bool killed;          /* the grace is shorter than it needs */
    uint64_t examples_before;
    int32_t exit_code;
    uint64_t checkpoint_number;
    struct executor_status last; /* of an ended run */
};

struct executor_fake {
    struct executor executor; /* pass &fake.executor */
    const struct clock *clock;
    struct executor_abilities abilities; /* all true at first; set as the test likes */
    struct fake_script scripts[FAKE_RUNS_MAX];
    uint32_t script_count;
    struct fake_run runs[FAKE_RUNS_MAX];
    uint32_t run_count;
    enum status next_start; /* what the next start answers, once, instead of starting */
    uint32_t prepares;
    uint32_t starts; /* that started something */
    uint32_t adoptions;
    uint32_t stops;
    uint32_t releases;
};

/* Without a script a job makes 1000 examples/s per GPU until it is stopped. */
void executor_fake_init(struct executor_fake *fake, const struct clock *clock);
void executor_fake_script(struct executor_fake *fake, const struct fake_script *script);

/* The run in that directory fails at once, with exit code 1. */
void executor_fake_fail(struct executor_fake *fake, const char *directory);

/* The machine was restarted. */
void executor_fake_reboot(struct executor_fake *fake);

#endif
