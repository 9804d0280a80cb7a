/*
 * Peer for benches: entente-peer's `run` with an executor that does nothing. Each job is over, with
 * exit code 0, as soon as it is looked at; no directory, no process.
 *
 * So what is measured is the federation: broker, home, host, their stores and the network between
 * them. Put in at link time (--wrap=process_executor_open): no configuration of entente-peer
 * reaches it.
 *
 *     bench_peer run --config FILE
 */
#include <stdlib.h>

#include "base/file.h"
#include "peer/commands/commands.h"
#include "peer/executor/executor.h"

static void probe(struct executor *executor, struct executor_abilities *abilities)
{
    (void)executor;
    *abilities = (struct executor_abilities){true, true, true, true, true, ""};
}

/* The files of the job are staged into it. */
static enum status prepare(struct executor *executor, const char *directory, struct fault *fault)
{
    char work[FILE_PATH_MAX];
    (void)executor;
    enum status status = directory_make(directory, 0700, fault);
    if (status == STATUS_OK)
        status = path_join(work, directory, "work", fault);
    return status == STATUS_OK ? directory_make(work, 0700, fault) : status;
}

static enum status adopt(struct executor *executor, const char *directory, struct fault *fault)
{
    (void)executor;
    (void)directory;
    (void)fault;
    return STATUS_OK;
}

static enum status start(struct executor *executor, const struct executor_run *run,
                         struct fault *fault)
{
    (void)executor;
    (void)run;
    (void)fault;
    return STATUS_OK;
}

static void watch(struct executor *executor, const char *directory, struct executor_status *status)
{
    (void)executor;
    (void)directory;
    *status = (struct executor_status){.phase = EXECUTOR_EXITED};
}

static enum status stop(struct executor *executor, const char *directory, int64_t grace_ms,
                        struct fault *fault)
{
    (void)grace_ms;
    return adopt(executor, directory, fault);
}

static void release(struct executor *executor, const char *directory)
{
    (void)executor;
    (void)directory;
}

static void close_it(struct executor *executor)
{
    free(executor);
}

enum status __wrap_process_executor_open(const struct process_executor_settings *settings,
                                         struct executor **executor, struct fault *fault);

enum status __wrap_process_executor_open(const struct process_executor_settings *settings,
                                         struct executor **executor, struct fault *fault)
{
    static const struct executor_operations operations = {
        .probe = probe,
        .prepare = prepare,
        .start = start,
        .adopt = adopt,
        .watch = watch,
        .stop = stop,
        .release = release,
        .close = close_it,
    };
    (void)settings;
    *executor = malloc(sizeof **executor);
    if (*executor == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for an executor");
    (*executor)->operations = &operations;
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct command commands[] = {{"run", "Run the peer", command_run}};
    static const struct program program = {
        .name = "bench_peer",
        .purpose = "entente-peer with an executor that does nothing, for benches.",
        .commands = commands,
        .command_count = 1,
    };
    return command_main(&program, argc, argv);
}
