#include "tests/peer/executor_fake.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static struct executor_fake *own(struct executor *executor)
{
    return (struct executor_fake *)executor;
}

static struct fake_run *find_run(struct executor_fake *fake, const char *directory)
{
    for (uint32_t r = 0; r < fake->run_count; r++)
        if (strcmp(fake->runs[r].directory, directory) == 0)
            return &fake->runs[r];
    return NULL;
}

static const struct fake_script *find_script(const struct executor_fake *fake, const char *job)
{
    static const struct fake_script usual = {.examples_per_second = 1000};
    for (uint32_t s = 0; s < fake->script_count; s++)
        if (fake->scripts[s].job == NULL || strcmp(fake->scripts[s].job, job) == 0)
            return &fake->scripts[s];
    return &usual;
}

/* --- what a job would do by itself */

static uint64_t examples_at(const struct fake_run *run, int64_t boot_ms)
{
    double const made = run->script.examples_per_second * run->gpu_count *
                        (double)(boot_ms - run->started_boot_ms) / 1000;
    uint64_t const examples = run->examples_before + (uint64_t)made;
    uint64_t const all = run->script.examples;
    return all != 0 && examples > all ? all : examples;
}

static void write_checkpoint(struct fake_run *run, uint64_t examples)
{
    if (run->checkpoint[0] == '\0')
        return;
    char text[64];
    snprintf(text, sizeof text, "examples %" PRIu64 "\n", examples);
    char parent[FAKE_PATH_MAX];
    snprintf(parent, sizeof parent, "%s", run->checkpoint);
    *strrchr(parent, '/') = '\0';
    enum status status = directory_make(parent, 0755, NULL);
    if (status == STATUS_OK)
        status = file_write(run->checkpoint, (struct bytes){(const uint8_t *)text, strlen(text)},
                            0644, NULL);
    if (status == STATUS_OK) /* a full disk keeps the former one */
        run->checkpoint_number++;
}

static uint64_t read_checkpoint(const char *path)
{
    uint64_t examples = 0;
    FILE *file = path[0] != '\0' ? fopen(path, "re") : NULL;
    if (file == NULL)
        return 0;
    if (fscanf(file, "examples %20" SCNu64, &examples) != 1)
        examples = 0;
    fclose(file);
    return examples;
}

static void end_run(struct fake_run *run, enum executor_phase phase, int32_t code, int64_t boot_ms)
{
    run->phase = phase;
    run->exit_code = code;
    run->last.examples = examples_at(run, boot_ms);
}

/* Lives through the time since the last look: checkpoints, then whichever end came first. */
static void live(struct executor_fake *fake, struct fake_run *run)
{
    if (run->phase != EXECUTOR_RUNNING)
        return;
    const struct fake_script *script = &run->script;
    int64_t const now = clock_boot_ms(fake->clock);
    int64_t const elapsed = now - run->started_boot_ms;
    double const rate = script->examples_per_second * run->gpu_count;
    double const left = (double)(script->examples - run->examples_before);
    bool const limited = script->examples != 0 && script->examples > run->examples_before;
    int64_t const done_at = script->examples == 0 ? INT64_MAX
                            : limited ? run->started_boot_ms + (int64_t)(left * 1000 / rate) + 1
                                      : run->started_boot_ms;
    int64_t const fails_at =
        script->fails_after_ms != 0 ? run->started_boot_ms + script->fails_after_ms : INT64_MAX;
    if (script->checkpoint_ms != 0) {
        uint64_t const due = (uint64_t)(elapsed / script->checkpoint_ms);
        if (due > run->checkpoint_number) {
            run->checkpoint_number = due - 1; /* those in between were replaced unseen */
            write_checkpoint(
                run, examples_at(run, run->started_boot_ms + (int64_t)due * script->checkpoint_ms));
        }
    }
    if (now >= done_at && done_at <= fails_at && done_at <= run->ends_boot_ms) {
        end_run(run, run->ends_boot_ms == INT64_MAX ? EXECUTOR_EXITED : EXECUTOR_STOPPED, 0,
                done_at);
    } else if (now >= fails_at && fails_at <= run->ends_boot_ms) {
        end_run(run, EXECUTOR_EXITED, script->fail_code, fails_at);
    } else if (now >= run->ends_boot_ms) {
        end_run(run, EXECUTOR_STOPPED, run->killed ? 128 + 9 : FAKE_EXIT_STOPPED,
                run->ends_boot_ms);
        if (!run->killed)
            write_checkpoint(run, run->last.examples);
    }
}

/* --- the verbs */

static void fake_probe(struct executor *executor, struct executor_abilities *abilities)
{
    *abilities = own(executor)->abilities;
}

static enum status fake_prepare(struct executor *executor, const char *directory,
                                struct fault *fault)
{
    struct executor_fake *fake = own(executor);
    fake->prepares++;
    char work[FILE_PATH_MAX];
    enum status status = path_join(work, directory, "work", fault);
    if (status == STATUS_OK)
        status = directory_make(work, 0755, fault);
    if (status != STATUS_OK || find_run(fake, directory) != NULL)
        return status;
    if (fake->run_count == FAKE_RUNS_MAX || strlen(directory) >= FAKE_PATH_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "the fake executor has no more runs");
    struct fake_run *run = &fake->runs[fake->run_count++];
    *run = (struct fake_run){.phase = EXECUTOR_ABSENT};
    memcpy(run->directory, directory, strlen(directory) + 1);
    return STATUS_OK;
}

static enum status fake_start(struct executor *executor, const struct executor_run *wanted,
                              struct fault *fault)
{
    struct executor_fake *fake = own(executor);
    struct fake_run *run = find_run(fake, wanted->directory);
    if (run == NULL)
        return fault_set(fault, STATUS_PRECONDITION, "%s isn't prepared", wanted->directory);
    live(fake, run);
    if (run->phase == EXECUTOR_RUNNING)
        return STATUS_OK;
    if (run->phase != EXECUTOR_ABSENT)
        return fault_set(fault, STATUS_PRECONDITION, "%s is over: release it first",
                         wanted->directory);
    if (fake->next_start != STATUS_OK) {
        enum status const answer = fake->next_start;
        fake->next_start = STATUS_OK;
        return fault_set(fault, answer, "the fake executor was told to refuse");
    }
    const char *checkpoint = wanted->specification->checkpoint_path;
    run->checkpoint[0] = '\0';
    if (checkpoint != NULL && checkpoint[0] != '\0')
        snprintf(run->checkpoint, sizeof run->checkpoint, "%.500s/work/%.500s", run->directory,
                 checkpoint);
    run->phase = EXECUTOR_RUNNING;
    run->script = *find_script(fake, wanted->specification->job.text);
    run->gpu_count = wanted->gpu_count;
    run->started_boot_ms = clock_boot_ms(fake->clock);
    run->ends_boot_ms = INT64_MAX;
    run->killed = false;
    run->checkpoint_number = 0;
    run->examples_before = read_checkpoint(run->checkpoint);
    fake->starts++;
    return STATUS_OK;
}

static enum status fake_adopt(struct executor *executor, const char *directory, struct fault *fault)
{
    struct executor_fake *fake = own(executor);
    struct fake_run *run = find_run(fake, directory);
    fake->adoptions++;
    if (run == NULL || run->phase == EXECUTOR_ABSENT || run->phase == EXECUTOR_LOST)
        return fault_set(fault, STATUS_NOT_FOUND, "of the run in %s nothing is left", directory);
    return STATUS_OK;
}

static void fake_watch(struct executor *executor, const char *directory,
                       struct executor_status *status)
{
    struct executor_fake *fake = own(executor);
    struct fake_run *run = find_run(fake, directory);
    *status = (struct executor_status){.phase = EXECUTOR_ABSENT};
    if (run == NULL || run->phase == EXECUTOR_ABSENT)
        return;
    live(fake, run);
    bool const running = run->phase == EXECUTOR_RUNNING;
    uint32_t const batch = run->script.batch != 0 ? run->script.batch : 64;
    status->phase = run->phase;
    status->exit_code = running ? 0 : run->exit_code;
    status->examples = running ? examples_at(run, clock_boot_ms(fake->clock)) : run->last.examples;
    status->steps = status->examples / batch;
    status->examples_per_second = running ? run->script.examples_per_second * run->gpu_count : 0;
    status->checkpoint_number = run->checkpoint_number;
}

static enum status fake_stop(struct executor *executor, const char *directory, int64_t grace_ms,
                             struct fault *fault)
{
    struct executor_fake *fake = own(executor);
    struct fake_run *run = find_run(fake, directory);
    (void)fault;
    fake->stops++;
    if (run == NULL)
        return STATUS_OK;
    live(fake, run);
    if (run->phase != EXECUTOR_RUNNING)
        return STATUS_OK;
    bool const too_slow = run->script.stop_takes_ms > grace_ms;
    int64_t const ends =
        clock_boot_ms(fake->clock) + (too_slow ? grace_ms : run->script.stop_takes_ms);
    if (ends < run->ends_boot_ms) {
        run->ends_boot_ms = ends;
        run->killed = too_slow;
    }
    return STATUS_OK;
}

static void fake_release(struct executor *executor, const char *directory)
{
    struct executor_fake *fake = own(executor);
    struct fake_run *run = find_run(fake, directory);
    fake->releases++;
    if (run != NULL)
        run->phase = EXECUTOR_ABSENT;
}

static void fake_close(struct executor *executor)
{
    (void)executor;
}

static const struct executor_operations operations = {
    .probe = fake_probe,
    .prepare = fake_prepare,
    .start = fake_start,
    .adopt = fake_adopt,
    .watch = fake_watch,
    .stop = fake_stop,
    .release = fake_release,
    .close = fake_close,
};

void executor_fake_init(struct executor_fake *fake, const struct clock *clock)
{
    memset(fake, 0, sizeof *fake);
    fake->executor.operations = &operations;
    fake->clock = clock;
    fake->abilities = (struct executor_abilities){true, true, true, true, true, ""};
}

void executor_fake_script(struct executor_fake *fake, const struct fake_script *script)
{
    assert(fake->script_count < FAKE_RUNS_MAX);
    fake->scripts[fake->script_count++] = *script;
}

void executor_fake_fail(struct executor_fake *fake, const char *directory)
{
    struct fake_run *run = find_run(fake, directory);
    assert(run != NULL);
    end_run(run, EXECUTOR_EXITED, 1, run->started_boot_ms);
}

void executor_fake_reboot(struct executor_fake *fake)
{
    for (uint32_t r = 0; r < fake->run_count; r++) {
        live(fake, &fake->runs[r]);
        if (fake->runs[r].phase == EXECUTOR_RUNNING)
            fake->runs[r].phase = EXECUTOR_LOST;
    }
}
