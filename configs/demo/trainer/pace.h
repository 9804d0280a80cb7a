/*
 * Pace: how fast a declared GPU would have been.
 *
 * The demo's machines have no GPUs, so a worker thread really computes its share of the gradient
 * and then waits until the step has taken as long as the declared GPU would have needed:
 *
 *     step(n) = batch / (n × base × factor)  +  2 (n − 1) / n × PACE_SYNC_MS
 *
 * base: examples/s of one GPU at factor 1, by model; factor: the GPU kind's, stated in the peer's
 * pool configuration. The second term is what a ring all-reduce among n workers costs [Patarasuk &
 * Yuan 2009]: throughput grows with n, but less than n-fold, and less so the faster the GPU or the
 * smaller the batch. Thread rule: pure, and pace_wait on one thread. Complexity: O(1).
 */
#ifndef ENTENTE_CONFIGS_DEMO_TRAINER_PACE_H
#define ENTENTE_CONFIGS_DEMO_TRAINER_PACE_H

#include <stdint.h>

#define PACE_SYNC_MS   4.0
#define PACE_DEBT_S    1.0 /* a step that was late is made up for, up to this much */
#define PACE_SPEED_MIN 0.01
#define PACE_SPEED_MAX 100.0

/* The sizes of network there are. */
struct model {
    const char *name;
    uint32_t hidden;
    double base_examples_per_second;
};

/* NULL where there is none of that name. */
const struct model *model_find(const char *name);
/* "small, medium, large", for messages. */
const char *model_names(void);

/* Seconds. */
double pace_step_s(const struct model *model, double speed, uint32_t gpus, uint32_t batch);
double pace_examples_per_second(const struct model *model, double speed, uint32_t gpus,
                                uint32_t batch);

struct pace {
    double due_s; /* when the present step may end, on the monotonic clock */
};

void pace_begin(struct pace *pace);
double pace_now_s(void);

/* Waits until step_s after the former step's end. A signal cuts it short. */
void pace_wait(struct pace *pace, double step_s);

#endif
