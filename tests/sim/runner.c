#include "tests/sim/runner.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TRACE_TAIL_BYTES = 6000,
    SEED_SECONDS_MAX = 600, /* of processor time: one that never ends is a failure, too */
    PROGRESS_EVERY_S = 20
};

/* One process. */
struct slot {
    pid_t child; /* 0: free */
    uint64_t seed;
    int trace_fd;
};

struct running {
    const struct runner *runner;
    struct slot slots[RUNNER_AT_ONCE_MAX];
    unsigned busy;
    uint64_t done;
    uint64_t failed;
    time_t started;
    time_t told;
};

static void start(struct running *running, uint64_t seed);
static void wait_for_one(struct running *running);
static void tell_progress(struct running *running);
static void tell_end(const struct running *running);

uint64_t runner_run(const struct runner *runner)
{
    struct running running = {.runner = runner, .started = time(NULL)};
    running.told = running.started;
    assert(runner->at_once >= 1 && runner->at_once <= RUNNER_AT_ONCE_MAX);
    for (uint64_t seed = runner->from; seed <= runner->to; seed++) {
        if (running.busy == runner->at_once)
            wait_for_one(&running);
        start(&running, seed);
    }
    while (running.busy > 0)
        wait_for_one(&running);
    tell_end(&running);
    return running.failed;
}

static void start(struct running *running, uint64_t seed)
{
    struct slot *slot = running->slots;
    while (slot->child != 0)
        slot++;
    slot->seed = seed;
    slot->trace_fd = memfd_create("trace", MFD_CLOEXEC);
    fflush(NULL);
    slot->child = fork();
    if (slot->child == 0) {
        struct rlimit limit = {SEED_SECONDS_MAX, SEED_SECONDS_MAX};
        setrlimit(RLIMIT_CPU, &limit);
        running->runner->live(running->runner->context, seed, slot->trace_fd);
        fflush(NULL);
        _exit(0);
    }
    if (slot->child < 0 || slot->trace_fd < 0) {
        perror("a process for a seed");
        exit(2);
    }
    running->busy++;
}

static void print_tail(int trace_fd)
{
    static char text[TRACE_TAIL_BYTES + 1];
    off_t size = lseek(trace_fd, 0, SEEK_END);
    off_t from = size > TRACE_TAIL_BYTES ? size - TRACE_TAIL_BYTES : 0;
    ssize_t got = pread(trace_fd, text, TRACE_TAIL_BYTES, from);
    if (got > 0)
        fwrite(text, 1, (size_t)got, stderr);
}

static void wait_for_one(struct running *running)
{
    int status = 0;
    pid_t child = waitpid(-1, &status, 0);
    struct slot *slot = running->slots;
    while (slot < running->slots + RUNNER_AT_ONCE_MAX && slot->child != child)
        slot++;
    assert(child > 0 && slot < running->slots + RUNNER_AT_ONCE_MAX);
    if (status != 0) {
        running->failed++;
        print_tail(slot->trace_fd);
        fprintf(stderr, "seed %" PRIu64 " fails (%s %d); again: sim %s--seed %" PRIu64 "\n",
                slot->seed, WIFSIGNALED(status) ? "signal" : "exit",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                running->runner->replay, slot->seed);
    }
    close(slot->trace_fd);
    slot->child = 0;
    running->busy--;
    running->done++;
    tell_progress(running);
}

static void tell_progress(struct running *running)
{
    time_t now = time(NULL);
    if (now - running->told < PROGRESS_EVERY_S)
        return;
    running->told = now;
    fprintf(stderr, "%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " failed, %lld s\n", running->done,
            running->runner->to - running->runner->from + 1, running->failed,
            (long long)(now - running->started));
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void tell_end(const struct running *running)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    double seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    printf("%" PRIu64 " seeds, %" PRIu64 " failed; %.2f s of processor time each, %lld s in all\n",
           running->done, running->failed, running->done > 0 ? seconds / (double)running->done : 0,
           (long long)(time(NULL) - running->started));
}
