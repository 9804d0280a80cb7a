/*
 * Federation: real peers in one process on virtual time and network, with a scripted broker and
 * fake executors: what the tests of the peer's core run in.
 *
 * The broker here has no market: the test grants, renews, ends and stops leases by hand, and looks
 * at what peers told it. Everything else is the real code: wire, services, home, host, link, spool.
 * Times are virtual: sim_run() moves the clock in steps of a tick. A failed set-up ends the test.
 * Thread rule: one thread. Ownership: sim_close() frees and removes everything.
 */
#ifndef ENTENTE_TESTS_SIM_FEDERATION_H
#define ENTENTE_TESTS_SIM_FEDERATION_H

#include "peer/peer.h"
#include "tests/peer/executor_fake.h"
#include "tests/sim/network.h"

enum {
    SIM_PEERS = 3,
    SIM_EVENTS_MAX = 256,
    SIM_TOLD_MAX = 1024,
    SIM_LEASE_MS = 10 * 1000,
    SIM_HOLDOVER_MS = 60 * 1000,
    SIM_GRACE_MS = 2 * 1000,
    SIM_HEARTBEAT_MS = 500,
    SIM_VALUE_NANOS = 1000,
    SIM_PREDICTED = 900 /* examples/s, of every lease */
};

struct sim;

struct sim_peer {
    struct dialer dialer; /* must stay first */
    struct sim *sim;
    struct peer_config config;
    struct config_pool pool;
    struct peer_identity identity;
    struct executor_fake executor;
    struct spool *spool;
    struct peer *peer; /* NULL while it is down */
    struct sim_listener listener;
    struct log log;
    char directory[512];
};

/* An event in a member's outbox. */
struct sim_outbox {
    struct name member;
    struct lease_event event;
};

struct sim_broker {
    struct sim_listener listener;
    struct signing_secret secret;
    struct lease_key key;
    struct name federation;
    uint64_t round;
    struct sim_outbox events[SIM_EVENTS_MAX];
    uint32_t event_count;
    struct rpc_call *watchers[SIM_PEERS];
    uint64_t watched[SIM_PEERS]; /* sequence sent to each */
    bool takes_receipts;
    bool shuts_out[SIM_PEERS];  /* their heartbeats are denied */
    bool keeps_waiting;         /* statements are never answered */
    uint32_t questions_waiting; /* callers who are still there */
    /* what it was told */
    struct demand demands[SIM_TOLD_MAX]; /* in sim.arena */
    uint32_t demand_count;
    struct cancel_request cancels[SIM_TOLD_MAX];
    uint32_t cancel_count;
    struct lease_report reports[SIM_TOLD_MAX];
    uint32_t report_count;
    struct receipt receipts[SIM_TOLD_MAX];
    bool receipt_signed[SIM_TOLD_MAX]; /* by home */
    uint32_t receipt_count;
    struct heartbeat_request newest[SIM_PEERS]; /* offers in sim.arena */
};

struct sim {
    struct clock_simulated clock;
    struct sim_network network;
    struct arena arena;
    struct sim_broker broker;
    struct sim_peer
        peers[SIM_PEERS]; /* alfa, bravo, charlie: 2 nodes of 4 GPUs of their own kind */
    char directory[256];
};

void sim_open(struct sim *sim);
void sim_close(struct sim *sim);

/* Peers and broker live for so long. */
void sim_run(struct sim *sim, int64_t ms);

/* kill -9, and a new start from what the spool has. */
void sim_kill(struct sim_peer *peer);
void sim_start(struct sim_peer *peer);
void sim_broker_away(struct sim *sim, bool away);

/* A job with one file, a checkpoint "ck" and a result "model"; its work is `examples`. Returns its
 * name. */
struct sim_job {
    enum job_placement placement;
    uint32_t retries;
    double examples; /* 0: 1e9 */
};
struct name sim_submit(struct sim_peer *home, const struct sim_job *job);
struct local_job_row sim_row(struct sim_peer *home, struct name job);

/* A new lease for the newest demand of that job: `gpus` on node 0 of the host. */
struct lease_id sim_grant(struct sim *sim, struct name job, struct sim_peer *host, uint64_t gpus);
/* The lease as it would be granted, for tests that present it themselves; *signed_lease in
 * sim.arena. */
struct lease sim_make_lease(struct sim *sim, struct name job, struct sim_peer *host, uint64_t gpus,
                            struct signed_bytes *signed_lease);
void sim_sign_lease(struct sim *sim, const struct lease *lease, struct signed_bytes *signed_lease);
/* Continues it for another SIM_LEASE_MS, from its firm end `starts_in_ms` from now. */
struct lease_id sim_renew(struct sim *sim, struct lease_id lease, int64_t starts_in_ms);
void sim_say(struct sim *sim, struct lease_id lease, enum lease_event_kind kind);

/* What the broker was told. */
const struct demand *sim_demand(const struct sim *sim, struct name job); /* the newest; NULL */
uint32_t sim_reports(const struct sim *sim, struct lease_id lease, enum lease_report_kind kind);
const struct receipt *sim_receipt(const struct sim *sim, struct lease_id lease, uint32_t sequence);
bool sim_receipt_signed(const struct sim *sim, struct lease_id lease, uint32_t sequence);
bool sim_cancelled(const struct sim *sim, struct name job, bool completed);

#endif
