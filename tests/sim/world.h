/*
 * World: a whole federation in one process on virtual time and network: one broker and its peers,
 * the daemons' own code over files that survive a kill.
 *
 * One seed gives one history: clocks, network, random bytes and faults all come from it, and a
 * failure replays exactly. What is real: broker core, rounds, services, ledger and store; peer
 * home, host, link and spool; the wire. What is not: processes (tests/peer/executor_fake), sockets,
 * TLS, threads, time. A set-up that fails, or an invariant that does not hold, ends the process
 * with a line on standard error (world_fail). Thread rule: one thread. Ownership: world_close()
 * frees and removes everything.
 */
#ifndef ENTENTE_TESTS_SIM_WORLD_H
#define ENTENTE_TESTS_SIM_WORLD_H

#include "base/rng.h"
#include "broker/daemon.h"
#include "peer/home/home.h"
#include "tests/sim/devices.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/operator.h"
#include "tests/sim/stranger.h"

enum {
    WORLD_PEERS_MAX = 8,
    WORLD_FOUNDERS = 3,
    WORLD_JOBS_MAX = 128,
    WORLD_STEP_MS = 10,
    WORLD_DEPOSIT_CREDITS = 1000
};

struct world;

struct world_broker {
    struct clock_simulated clock;
    struct broker_config config;
    struct authority authority;
    struct daemon daemon;
    struct sim_listener listener;
    struct sim_listener operators;
    struct log log;
    struct signing_secret secret;
    char directory[FILE_PATH_MAX];
    struct sim_disk disk;
    bool up;
    bool saved; /* there is a backup of its store, made when so much was deposited */
    struct credits saved_deposits;
    bool restored; /* ever */
};

struct world_peer {
    struct dialer dialer; /* must stay first */
    struct world *world;
    struct clock_simulated clock;
    struct peer_config config;
    struct config_pool pool;
    struct peer_identity identity;
    struct devices devices;
    struct spool *spool;
    struct peer *peer; /* NULL while it is down */
    struct sim_listener listener;
    struct log log;
    struct sim_disk disk;
    int64_t clock_percent; /* how fast its boot clock runs; 100: right */
    bool enrolled;
    bool revoked;        /* the operator was told so */
    bool restored;       /* ever, from a backup */
    bool saved;          /* there is a backup of its spool, which knows the world's first jobs: */
    uint32_t saved_jobs; /* so many */
    char serial[SERIAL_TEXT_MAX];
    char files[FILE_PATH_MAX]; /* where its job owner keeps the program */
};

/* A job that its home acknowledged. */
struct world_job {
    struct name name;
    uint32_t home;
    bool cancelled; /* so was its cancellation */
    bool lost;      /* its home's spool was restored from before it */
};

struct world {
    uint64_t seed;
    struct rng rng;              /* what people and faults do */
    struct clock_simulated time; /* of the network: nobody's skew */
    struct sim_network network;
    struct world_broker broker;
    struct sim_operator person; /* who runs it */
    struct stranger stranger;
    struct world_peer peers[WORLD_PEERS_MAX];
    uint32_t peer_count;
    struct world_job jobs[WORLD_JOBS_MAX];
    uint32_t job_count;
    int64_t started_boot_ms;
    void (*each_step)(void *context); /* nullable */
    void *step_context;
    int trace_fd;           /* everybody's log; -1: nowhere */
    uint64_t memory_failed; /* allocations, before the newest start */
    bool keep;              /* the files, when it closes */
    char directory[256];
};

void world_open(struct world *world, uint64_t seed, uint32_t peers, int trace_fd);
void world_close(struct world *world);
/* Files of worlds whose process died without removing them. */
void world_remove_left_over(void);

/* Everybody lives for so long. */
void world_run(struct world *world, int64_t ms);
/* The same in steps of so many ms (shorter while jobs run), for days in which little happens. */
void world_run_in_steps(struct world *world, int64_t ms, int64_t step_ms);
/* Virtual milliseconds since the start. */
int64_t world_now_ms(const struct world *world);

/* kill -9, and a new start from what the files have; false where it refuses to start, which it may
 * only where its disk is full or memory is short. */
void world_kill_broker(struct world *world);
bool world_start_broker(struct world *world);
void world_kill_peer(struct world_peer *peer);
bool world_start_peer(struct world_peer *peer);

/* One member more, on the running broker; nothing where that fails or there are enough. */
void world_join(struct world *world);

/* A backup of the store or spool, as an operator takes one; and back, while its process is down,
 * under a new incarnation. */
void world_save_broker(struct world *world);
void world_restore_broker(struct world *world);
void world_save_peer(struct world_peer *peer);
void world_restore_peer(struct world_peer *peer);

/* One job of random size and value; false where its home (up) refused it. */
bool world_submit(struct world *world, struct world_peer *home);

/* The operator rules on every answered dispute: what home saw is paid. */
void world_rule(struct world *world);

/* --- invariants (DESIGN §8), each ends the process where it does not hold */

/* Cheap: after every step. */
void world_check_step(struct world *world);
/* Reads the broker's store and ledger: now and then, and after every start. */
void world_check_books(struct world *world);
/* After faults have stopped and time has run on: nothing is left open. */
void world_check_end(struct world *world);
/* Is everything over, so that world_check_end would hold? What is not goes to `what`. */
bool world_is_over(struct world *world, char what[static 256]);

_Noreturn void world_fail(const struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);

/* The parts. */
void world_broker_init(struct world *world);
void world_peer_init(struct world *world, uint32_t p);
/* Makes it a member in the broker's store. */
MUST_USE enum status world_enrol(struct store *store, struct world_peer *peer, struct fault *fault);

/* A disk for what is below the directory; the process whose listener it is dies with it. */
void world_add_disk(struct sim_disk *disk, const char *directory, void (*died)(void *context),
                    void *context);
/* Nobody starts: may that be, with this disk? Else the world fails. */
void world_refused_start(const struct world *world, const struct sim_disk *disk, const char *who,
                         const struct fault *fault);

/* A copy of a SQLite file and its log, and back again: what an operator's backup is. */
void world_copy_out(const char *directory, const char *database);
void world_copy_back(const char *directory, const char *database);

#endif
