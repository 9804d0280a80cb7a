/* The scripted broker's parts that federation.c drives. */
#ifndef ENTENTE_TESTS_SIM_BROKER_H
#define ENTENTE_TESTS_SIM_BROKER_H

#include "tests/sim/federation.h"

void sim_broker_open(struct sim *sim);
/* Sends each member what it has not got yet. */
void sim_broker_push(struct sim *sim);

#endif
