/*
 * Room: is there disk for another job? Asked before anything is promised: a submission, a lease
 * that its home presents. Pure but for one question to the kernel; any thread; O(1).
 */
#ifndef ENTENTE_PEER_ROOM_H
#define ENTENTE_PEER_ROOM_H

#include "peer/peer.h"

enum { ROOM_MIB_MIN = 16 };

/* EXHAUSTED: less than ROOM_MIB_MIN are free under the state directory. */
MUST_USE enum status room_check(const struct peer *peer, struct fault *fault);

#endif
