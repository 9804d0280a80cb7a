#include "tests/sim/devices.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"

static struct devices *own(struct executor *executor)
{
    return (struct devices *)executor;
}

static bool still_runs(struct devices *devices, struct device_use *use)
{
    struct executor_status status;
    struct executor *fake = &devices->fake.executor;
    if (use->directory[0] == '\0')
        return false;
    fake->operations->watch(fake, use->directory, &status);
    if (status.phase != EXECUTOR_RUNNING)
        use->directory[0] = '\0';
    return status.phase == EXECUTOR_RUNNING;
}

static bool overlap(const struct device_use *use, const struct executor_run *run)
{
    for (uint32_t a = 0; a < use->node_count; a++)
        for (uint32_t b = 0; b < run->node_count; b++)
            if (use->nodes[a].node == run->nodes[b].node &&
                (use->nodes[a].gpus & run->nodes[b].gpus) != 0)
                return true;
    return false;
}

static void look_for_double_use(struct devices *devices, const struct executor_run *run)
{
    for (uint32_t u = 0; u < FAKE_RUNS_MAX; u++) {
        struct device_use *use = &devices->uses[u];
        if (!still_runs(devices, use) || strcmp(use->directory, run->directory) == 0 ||
            !overlap(use, run))
            continue;
        devices->doubled++;
        snprintf(devices->doubled_text, sizeof devices->doubled_text,
                 "%s starts on a GPU that %s still uses", run->specification->job.text,
                 use->job.text);
    }
}

static void note(struct devices *devices, const struct executor_run *run)
{
    struct device_use *use = NULL;
    for (uint32_t u = 0; u < FAKE_RUNS_MAX; u++) {
        if (strcmp(devices->uses[u].directory, run->directory) == 0)
            return;
        if (use == NULL && devices->uses[u].directory[0] == '\0')
            use = &devices->uses[u];
    }
    if (use == NULL)
        return; /* never: the fake has no more runs than this */
    snprintf(use->directory, sizeof use->directory, "%s", run->directory);
    use->job = run->specification->job;
    use->node_count = run->node_count;
    memcpy(use->nodes, run->nodes, run->node_count * sizeof *run->nodes);
}

static void probe(struct executor *executor, struct executor_abilities *abilities)
{
    struct executor *fake = &own(executor)->fake.executor;
    fake->operations->probe(fake, abilities);
}

static enum status prepare(struct executor *executor, const char *directory, struct fault *fault)
{
    struct executor *fake = &own(executor)->fake.executor;
    return fake->operations->prepare(fake, directory, fault);
}

static enum status start(struct executor *executor, const struct executor_run *run,
                         struct fault *fault)
{
    struct devices *devices = own(executor);
    struct executor *fake = &devices->fake.executor;
    if (devices->muted)
        return fault_set(fault, STATUS_IO, "the process is dead");
    if (devices->start_fails_ppm > 0 && rng_below(devices->rng, PPM) < devices->start_fails_ppm)
        return fault_set(fault, STATUS_IO, "the machine gives no more processes");
    look_for_double_use(devices, run);
    enum status status = fake->operations->start(fake, run, fault);
    if (status == STATUS_OK && devices->black_hole)
        executor_fake_fail(&devices->fake, run->directory);
    if (status == STATUS_OK)
        note(devices, run);
    return status;
}

static enum status adopt(struct executor *executor, const char *directory, struct fault *fault)
{
    struct executor *fake = &own(executor)->fake.executor;
    return fake->operations->adopt(fake, directory, fault);
}

static void watch(struct executor *executor, const char *directory, struct executor_status *status)
{
    struct executor *fake = &own(executor)->fake.executor;
    fake->operations->watch(fake, directory, status);
}

static enum status stop(struct executor *executor, const char *directory, int64_t grace_ms,
                        struct fault *fault)
{
    struct executor *fake = &own(executor)->fake.executor;
    if (own(executor)->muted)
        return STATUS_OK;
    return fake->operations->stop(fake, directory, grace_ms, fault);
}

static void release(struct executor *executor, const char *directory)
{
    struct executor *fake = &own(executor)->fake.executor;
    if (own(executor)->muted)
        return;
    fake->operations->release(fake, directory);
}

static void close_devices(struct executor *executor)
{
    (void)executor;
}

static const struct executor_operations operations = {
    .probe = probe,
    .prepare = prepare,
    .start = start,
    .adopt = adopt,
    .watch = watch,
    .stop = stop,
    .release = release,
    .close = close_devices,
};

bool devices_busy(const struct devices *devices)
{
    for (uint32_t r = 0; r < devices->fake.run_count; r++)
        if (devices->fake.runs[r].phase == EXECUTOR_RUNNING)
            return true;
    return false;
}

void devices_init(struct devices *devices, const struct clock *clock, struct rng *rng)
{
    memset(devices, 0, sizeof *devices);
    devices->executor.operations = &operations;
    devices->rng = rng;
    executor_fake_init(&devices->fake, clock);
}
