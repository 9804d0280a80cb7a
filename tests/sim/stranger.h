/*
 * Stranger: somebody who has no place in the federation and asks the broker all the same: without a
 * certificate, with one it never issued, with one of another member. [DESIGN §8.6]
 *
 * Thread rule: one thread. Ownership: the world's.
 */
#ifndef ENTENTE_TESTS_SIM_STRANGER_H
#define ENTENTE_TESTS_SIM_STRANGER_H

#include "tests/sim/network.h"

struct stranger {
    struct sim_network *network;
    struct transport *transport;
    struct transport_call *call;
    int64_t due_boot_ms;
    uint32_t tries;
    uint32_t served; /* times that an answer came: a defect */
};

void stranger_open(struct stranger *stranger, struct sim_network *network);
void stranger_close(struct stranger *stranger);
/* Asks now and then, as a member of that federation and name, with the other's serial in turn. */
void stranger_tick(struct stranger *stranger, const struct name *federation,
                   const struct name *member, const char *serial_of_another);

#endif
