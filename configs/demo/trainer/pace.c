#include "configs/demo/trainer/pace.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

/* One core of a small machine computes some 75,000 examples/s of the medium network, so two dozen
 * workers at factor 1 keep a third of it busy. */
static const struct model models[] = {
    {"small", 32, 2000},
    {"medium", 64, 1000},
    {"large", 128, 500},
};

const struct model *model_find(const char *name)
{
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++)
        if (strcmp(models[m].name, name) == 0)
            return &models[m];
    return NULL;
}

const char *model_names(void)
{
    return "small, medium, large";
}

double pace_step_s(const struct model *model, double speed, uint32_t gpus, uint32_t batch)
{
    double const n = gpus;
    return batch / (n * model->base_examples_per_second * speed) +
           2 * (n - 1) / n * PACE_SYNC_MS / 1000;
}

double pace_examples_per_second(const struct model *model, double speed, uint32_t gpus,
                                uint32_t batch)
{
    return batch / pace_step_s(model, speed, gpus, batch);
}

double pace_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void pace_begin(struct pace *pace)
{
    pace->due_s = pace_now_s();
}

void pace_wait(struct pace *pace, double step_s)
{
    double const now = pace_now_s();
    pace->due_s += step_s;
    if (pace->due_s < now - PACE_DEBT_S)
        pace->due_s = now - PACE_DEBT_S;
    if (pace->due_s <= now)
        return;
    struct timespec until;
    until.tv_sec = (time_t)pace->due_s;
    until.tv_nsec = (long)((pace->due_s - (double)until.tv_sec) * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}
