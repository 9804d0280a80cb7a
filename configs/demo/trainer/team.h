/*
 * Team: data-parallel training, one worker thread for each leased GPU.
 *
 * In a step each worker adds up the gradient of its share of the batch in a buffer of its own; the
 * shares are then added in the workers' order and averaged, so that the same seed and number of
 * workers give the same weights to the bit. Which examples a batch has follows from the seed and
 * the number of examples done, so training goes on from a checkpoint as if it had never stopped.
 * Ownership: team_close joins the threads and frees. Thread rule: the opening thread calls; it is
 * worker 0. Complexity: team_step is O(batch / workers) on each thread.
 */
#ifndef ENTENTE_CONFIGS_DEMO_TRAINER_TEAM_H
#define ENTENTE_CONFIGS_DEMO_TRAINER_TEAM_H

#include "configs/demo/trainer/network.h"

enum { TEAM_WORKERS_MAX = 64 };

struct team;

/* data and weights are borrowed for the team's life. */
MUST_USE enum status team_open(struct team **team, const struct dataset *data,
                               struct network *weights, uint32_t workers, uint64_t seed,
                               struct fault *fault);
void team_close(struct team *team);

/* One step over the examples done..done+batch of the endless shuffled sequence; returns the mean
 * loss before the step. */
double team_step(struct team *team, uint64_t done, uint32_t batch, float rate);

/* The share of the images that the network classifies right. */
double team_accuracy(const struct network *weights, const struct dataset *data);

#endif
