/*
 * Loop, virtual: proto/rpc's loop and timers and the broker's worker on virtual time, by linking.
 *
 * A program that links this instead of proto/rpc's gets the same functions (rpc_loop_open,
 * rpc_timer_start, rpc_loop_post, worker_submit, ...) without gRPC, sockets and threads, so that
 * the daemons' code runs unmodified. Time is the clock given to rpc_loop_open(); sim_loop_run()
 * does what is due. A worker's task takes SIM_WORK_MS of virtual time. Thread rule: one thread.
 */
#ifndef ENTENTE_TESTS_SIM_LOOP_H
#define ENTENTE_TESTS_SIM_LOOP_H

#include "proto/rpc/loop.h"

enum { SIM_WORK_MS = 20 };

void sim_loop_run(struct rpc_loop *loop);

/* The process was killed: nothing that waits is done any more. Close the loop's users after it. */
void sim_loop_kill(struct rpc_loop *loop);

#endif
