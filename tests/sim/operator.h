/*
 * Operator: the person at the broker, whose requests go through its operator listener and are
 * repeated, with the same key, until they are answered.
 *
 * One request at a time. What was asked for took effect exactly once when it is answered; until
 * then nobody can know. Thread rule: one thread. Ownership: the world's.
 */
#ifndef ENTENTE_TESTS_SIM_OPERATOR_H
#define ENTENTE_TESTS_SIM_OPERATOR_H

#include "proto/wire/messages.h"
#include "tests/sim/network.h"

struct sim_operator {
    struct sim_network *network;
    struct transport *transport;
    const struct wire_method *method; /* NULL: nothing is asked for */
    struct credit_request credit;
    struct member_action_request action;
    struct transport_call *call;
    int64_t due_boot_ms;
    struct credits deposited; /* by requests that were answered */
    uint64_t asked;           /* makes the keys */
};

void sim_operator_open(struct sim_operator *person, struct sim_network *network);
void sim_operator_close(struct sim_operator *person);

bool sim_operator_is_busy(const struct sim_operator *person);
/* Not while it is busy. */
void sim_operator_deposit(struct sim_operator *person, const struct name *member,
                          struct credits amount);
void sim_operator_act(struct sim_operator *person, const struct name *member,
                      enum member_action action);
/* Asks, and asks again. */
void sim_operator_tick(struct sim_operator *person);

#endif
