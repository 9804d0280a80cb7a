/*
 * A bench for the process executor: a directory, an executor over it, one run to try things with.
 *
 * The test's program is its own shim, as entente-peer is: its main() calls process_shim_main() for
 * "run-shim".
 */
#ifndef ENTENTE_TESTS_PEER_EXECUTOR_BENCH_H
#define ENTENTE_TESTS_PEER_EXECUTOR_BENCH_H

#include "tests/support/support.h"

#include "base/file.h"
#include "peer/executor/executor.h"

enum {
    WAIT_MS_MAX = 30000, /* far above what anything here takes; only a hang reaches it */
    FIRST_UID = 61000,   /* and the pid: tests run beside each other and count their processes */
    UIDS = 4000,
    GRACE_LONG_MS = 20000
};

struct executor_bench {
    char root[256];
    char directory[512];
    struct executor *executor;
    struct executor_abilities abilities;
    struct process_executor_settings settings;
    struct arena arena;
    /* what start_script builds on */
    struct job_specification specification;
    struct executor_run run;
    struct name gpu;
    struct lease_node node;
    const char *script[3];
};

int bench_begin(void **state);
int bench_end(void **state);

/* With the settings as they are now. */
void bench_open_executor(struct executor_bench *bench);

/* Prepares and starts "sh -c script" with the specification and run as they are now. */
void bench_start(struct executor_bench *bench, const char *script);

struct executor_status bench_look(struct executor_bench *bench);
struct executor_status bench_wait_for_end(struct executor_bench *bench);

/* Until the job has written this file of the run's directory. */
void bench_wait_for_file(struct executor_bench *bench, const char *relative);

/* A file of the run's directory; "" where there is none. */
const char *bench_read_text(struct executor_bench *bench, const char *relative);

/* Says so and returns true where this machine lacks the ability. */
bool bench_lacks(bool ability, const char *what);
#define NEEDS(ability, what)                                                                       \
    do {                                                                                           \
        if (bench_lacks((ability), (what)))                                                        \
            skip();                                                                                \
    } while (0)

#endif
