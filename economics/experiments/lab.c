#include "economics/experiments/lab.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "economics/experiments/journal.h"
#include "economics/experiments/manifest.h"
#include "economics/experiments/observations.h"
#include "economics/experiments/results.h"

enum { SYNC_PERIOD_MS = 1000 };

struct lab {
    const struct design *design;
    const struct lab_options *options;
    struct lab_outcome *outcome;
    struct journal journal;
    /* one step: */
    uint64_t *tasks; /* arm × replications + replication, those still to be run */
    uint64_t task_count;
    uint32_t replications;
    pthread_mutex_t lock; /* of everything below */
    uint64_t next;
    uint64_t done;
    int64_t synced_ms;
    struct fault fault; /* the first */
};

static enum status open_directory(struct lab *lab, struct fault *fault);
static enum status run_step(struct lab *lab, uint32_t replications, struct fault *fault);
static enum status run_steps(struct lab *lab, struct fault *fault);

enum status lab_run(const struct design *design, const struct lab_options *options,
                    struct lab_outcome *outcome, struct fault *fault)
{
    struct lab lab = {.design = design, .options = options, .outcome = outcome};
    int64_t began_ms = clock_boot_ms(options->clock);
    assert(options->threads > 0 && options->threads <= LAB_THREADS_MAX);
    *outcome = (struct lab_outcome){0};
    enum status status = open_directory(&lab, fault);
    if (status != STATUS_OK)
        return status;
    pthread_mutex_init(&lab.lock, NULL);
    status = run_steps(&lab, fault);
    if (status == STATUS_OK && options->part_count == 1)
        status =
            results_write(design, &lab.journal, outcome->replications, options->directory, fault);
    if (status == STATUS_OK && options->part_count == 1)
        status = manifest_write(design, options, outcome, clock_boot_ms(options->clock) - began_ms,
                                fault);
    pthread_mutex_destroy(&lab.lock);
    journal_close(&lab.journal);
    return status;
}

static enum status open_directory(struct lab *lab, struct fault *fault)
{
    const struct lab_options *options = lab->options;
    char name[64] = "journal";
    if (options->part_count > 1)
        snprintf(name, sizeof name, "journal-%u-of-%u", options->part + 1, options->part_count);
    enum status status = directory_make(options->directory, 0755, fault);
    if (status == STATUS_OK)
        status = journal_open(&lab->journal, options->directory, name,
                              manifest_identity(lab->design), fault);
    if (status != STATUS_OK)
        return status;
    lab->outcome->runs_before = lab->journal.count;
    if (lab->journal.count > 0 && !options->resume && options->part_count == 1) {
        journal_close(&lab->journal);
        return fault_set(
            fault, STATUS_EXISTS,
            "%s: holds a run already; add --resume to go on with it, or choose another "
            "--out",
            options->directory);
    }
    return STATUS_OK;
}

/* --- steps: how many replications */

static enum status run_steps(struct lab *lab, struct fault *fault)
{
    const struct replications *wanted = &lab->design->replications;
    uint32_t replications = wanted->automatic ? REPLICATIONS_FIRST : wanted->count;
    for (;;) {
        enum status status = run_step(lab, replications, fault);
        lab->outcome->replications = replications;
        if (status != STATUS_OK || !wanted->automatic)
            return status;
        double *ratio = &lab->outcome->half_width_ratio;
        status = results_half_width(lab->design, &lab->journal, replications, ratio, fault);
        if (status != STATUS_OK || *ratio <= 1 || replications >= wanted->count)
            return status;
        /* a half-width shrinks with √n; between a quarter more and twice as many at a time */
        double guess = fmin(2.0, fmax(1.25, *ratio * *ratio)) * replications;
        replications = (uint32_t)fmin(ceil(guess), wanted->count);
    }
}

static enum status list_tasks(struct lab *lab, struct fault *fault)
{
    const struct design *design = lab->design;
    uint64_t all = (uint64_t)design->arm_count * lab->replications;
    const struct journal_entry *entry = lab->journal.entries;
    const struct journal_entry *end = entry + lab->journal.count;
    lab->tasks = calloc(all > 0 ? all : 1, sizeof *lab->tasks);
    if (lab->tasks == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %llu runs",
                         (unsigned long long)all);
    lab->task_count = 0;
    for (uint64_t task = 0; task < all; task++) {
        uint32_t arm = (uint32_t)(task / lab->replications);
        uint32_t replication = (uint32_t)(task % lab->replications);
        while (entry < end &&
               (entry->arm < arm || (entry->arm == arm && entry->replication < replication)))
            entry++;
        bool known = entry < end && entry->arm == arm && entry->replication == replication;
        if (!known && task % lab->options->part_count == lab->options->part)
            lab->tasks[lab->task_count++] = task;
    }
    return STATUS_OK;
}

static void *work(void *argument);

static enum status run_step(struct lab *lab, uint32_t replications, struct fault *fault)
{
    lab->replications = replications;
    enum status status = list_tasks(lab, fault);
    uint32_t threads = lab->options->threads;
    pthread_t *workers = calloc(threads, sizeof *workers);
    if (status == STATUS_OK && workers == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for threads");
    lab->next = 0;
    lab->done = 0;
    lab->fault.status = STATUS_OK;
    uint32_t started = 0;
    if (status == STATUS_OK && threads > lab->task_count)
        threads = (uint32_t)lab->task_count;
    while (status == STATUS_OK && started < threads) {
        if (pthread_create(&workers[started], NULL, work, lab) != 0)
            break;
        started++;
    }
    if (status == STATUS_OK && started == 0 && lab->task_count > 0)
        status = fault_set(fault, STATUS_EXHAUSTED, "no thread can be started");
    for (uint32_t i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    free(workers);
    free(lab->tasks);
    lab->tasks = NULL;
    if (status != STATUS_OK)
        return status;
    lab->outcome->runs += lab->done;
    journal_sort(&lab->journal);
    status = journal_sync(&lab->journal, fault);
    if (status == STATUS_OK && lab->fault.status != STATUS_OK)
        status = fault_set(fault, lab->fault.status, "%s", lab->fault.text);
    return status;
}

/* --- a worker */

static bool take_task(struct lab *lab, uint64_t *task)
{
    bool stopped = lab->options->stop != NULL && *lab->options->stop != 0;
    pthread_mutex_lock(&lab->lock);
    bool left = lab->next < lab->task_count && lab->fault.status == STATUS_OK;
    if (left && stopped) {
        fault_set(&lab->fault, STATUS_CANCELLED, "stopped; --resume goes on from here");
        left = false;
    }
    if (left)
        *task = lab->tasks[lab->next++];
    pthread_mutex_unlock(&lab->lock);
    return left;
}

static enum status run_task(struct lab *lab, uint64_t task, struct arena *arena,
                            struct observations *observations, struct fault *fault)
{
    uint32_t arm = (uint32_t)(task / lab->replications);
    uint32_t replication = (uint32_t)(task % lab->replications);
    struct setting setting;
    design_arm(lab->design, arm, &setting);
    const struct experiment_run run = {
        .setting = &setting,
        .seed = design_replication_seed(lab->design, replication),
        .arena = arena,
        .observations = observations,
        .seconds = lab->options->seconds,
    };
    enum status status = setting.experiment->run(&run, fault);
    if (status == STATUS_OK && observations->status != STATUS_OK)
        status = fault_set(fault, observations->status,
                           "its observations can't be kept: too many, or a label is too long");
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "arm %u, replication %u", arm, replication);
    return STATUS_OK;
}

static enum status keep(struct lab *lab, uint64_t task, const struct observations *observations,
                        struct fault *fault)
{
    pthread_mutex_lock(&lab->lock);
    enum status status = journal_append(&lab->journal, (uint32_t)(task / lab->replications),
                                        (uint32_t)(task % lab->replications), observations->bytes,
                                        observations->size, fault);
    int64_t now_ms = clock_boot_ms(lab->options->clock);
    if (status == STATUS_OK && now_ms - lab->synced_ms >= SYNC_PERIOD_MS) {
        status = journal_sync(&lab->journal, fault);
        lab->synced_ms = now_ms;
    }
    lab->done++;
    if (lab->options->progress != NULL)
        lab->options->progress(lab->options->context, lab->done, lab->task_count);
    pthread_mutex_unlock(&lab->lock);
    return status;
}

static void *work(void *argument)
{
    struct lab *lab = argument;
    struct observations observations;
    struct arena arena;
    uint64_t task;
    observations_init(&observations);
    arena_init(&arena, ARENA_ROUND_BYTES);
    while (take_task(lab, &task)) {
        struct fault fault = {.status = STATUS_OK};
        observations_clear(&observations);
        arena_reset(&arena);
        enum status status = run_task(lab, task, &arena, &observations, &fault);
        if (status == STATUS_OK)
            status = keep(lab, task, &observations, &fault);
        if (status == STATUS_OK)
            continue;
        pthread_mutex_lock(&lab->lock);
        if (lab->fault.status == STATUS_OK)
            lab->fault = fault;
        pthread_mutex_unlock(&lab->lock);
    }
    arena_fini(&arena);
    observations_fini(&observations);
    return NULL;
}
