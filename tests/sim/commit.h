/*
 * Commit: kill -9 of the broker at a commit of its store: just before it, or when it is durable and
 * nobody was told yet.
 *
 * store_commit() is wrapped by the linker. From the blow on nothing is committed and nothing is
 * sent; the code that was under way runs on to the end of its step in vain, and then the world
 * takes the process away. A global, as what it wraps has no context to pass. Thread rule: one
 * thread.
 */
#ifndef ENTENTE_TESTS_SIM_COMMIT_H
#define ENTENTE_TESTS_SIM_COMMIT_H

#include "tests/sim/network.h"

/* The process behind the listener dies at the n-th commit from now. */
void sim_commit_arm(struct sim_listener *listener, uint32_t n, bool durable);
/* Did it? The world kills it then. */
bool sim_commit_struck(void);
/* Its handle is being closed, or it lives again. */
void sim_commit_disarm(void);

#endif
