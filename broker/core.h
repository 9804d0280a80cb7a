/*
 * Core: what the broker is without its sockets: configuration, store, registry, time, lease key.
 *
 * Handlers, rounds and dispatch work on it; tests make one over an in-memory store and a simulated
 * clock. Thread rule: the loop's thread. Ownership: core_open() opens, core_close() closes store
 * and registry; configuration, clock and log are borrowed.
 */
#ifndef ENTENTE_BROKER_CORE_H
#define ENTENTE_BROKER_CORE_H

#include "base/log.h"
#include "broker/config.h"
#include "broker/lease/epoch.h"
#include "broker/lease/lease.h"
#include "broker/recovery.h"
#include "broker/learning/learned.h"
#include "broker/registry.h"
#include "broker/store/store.h"
#include "economics/market/solver/session.h"
#include "proto/identity/identity.h"

struct core {
    const struct broker_config *config;
    const struct clock *clock;
    const struct log *log;
    struct store *store;
    struct registry registry;
    struct broker_time time;
    uint64_t incarnation;
    struct signing_secret lease_secret;
    struct lease_key lease_key;
    struct recovery recovery;
    struct arena head_arena;
    struct signed_bytes head; /* the ledger's, as last signed; in head_arena */
    uint64_t head_sequence;   /* of it; 0: none yet */
    struct learned *learned;  /* NULL: the table alone */
    struct predictor stated;  /* the table alone */
    struct session *market;   /* what rounds leave each other; the round under way has it */
};

/* Takes the store over, on failure too. */
MUST_USE enum status core_open(struct core *core, const struct broker_config *config,
                               const struct clock *clock, const struct log *log,
                               struct store *store, const struct signing_secret *lease_secret,
                               struct fault *fault);
void core_close(struct core *core);

/* Broker time: wall milliseconds carried on by the boot clock. */
int64_t core_now_ms(const struct core *core);

/* What throughput is predicted with now. */
const struct predictor *core_predictor(const struct core *core);

struct lease_limits core_lease_limits(const struct core *core);

/* The ledger's newest head, signed when it is new; body empty where the ledger is. Borrowed until
 * the next call. */
MUST_USE enum status core_ledger_head(struct core *core, struct signed_bytes *head,
                                      struct fault *fault);

/* Encodes and signs with the lease key; *signed_lease lies in the arena. */
MUST_USE enum status core_sign_lease(const struct core *core, const struct lease *lease,
                                     struct arena *arena, struct signed_bytes *signed_lease,
                                     struct fault *fault);

#endif
