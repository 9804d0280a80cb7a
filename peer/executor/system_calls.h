/*
 * System calls: which of the kernel's a job may make: the filter that bubblewrap loads before the
 * job's first instruction.
 *
 * All but a list: what only administration, other namespaces, other people's processes or the
 * kernel's own inspection need is answered EPERM. Training programs, their libraries and the CUDA
 * driver need none of it. This narrows the kernel's surface; the walls are the namespaces.
 * Thread rule: any thread. Complexity: O(calls), once a start.
 */
#ifndef ENTENTE_PEER_EXECUTOR_SYSTEM_CALLS_H
#define ENTENTE_PEER_EXECUTOR_SYSTEM_CALLS_H

#include "base/fault.h"

/* *fd: a file in memory that holds the filter as bubblewrap's --seccomp reads it, close-on-exec,
 * the caller's. UNAVAILABLE where this machine has none. */
MUST_USE enum status system_calls_filter(int *fd, struct fault *fault);

#endif
