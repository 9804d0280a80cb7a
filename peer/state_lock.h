/*
 * State lock: one program at a time on a peer's state directory: two would undo each other's work.
 */
#ifndef ENTENTE_PEER_STATE_LOCK_H
#define ENTENTE_PEER_STATE_LOCK_H

#include "base/fault.h"

/* Makes the directory where it lacks. *fd holds the lock until it is closed. UNAVAILABLE: another
 * has it. */
MUST_USE enum status state_lock_take(const char *directory, int *fd, struct fault *fault);

#endif
