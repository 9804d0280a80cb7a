/*
 * Replay's world: members with GPUs, jobs that arrive over time, and the clock; the same for every
 * policy.
 *
 * Time goes in rounds. At each round's start a policy says which open jobs run where on which GPUs;
 * then the round passes: jobs train at the true speed of their place, lose restart_seconds where
 * they (re)start or move, and leave when done; freed GPUs count from the next round on. What the
 * policy is told of speeds may be wrong by a factor drawn per job and kind.
 *
 * Ownership: everything lies in the arena. Thread rule: one thread per world. Complexity: O(open
 * jobs + nodes) a round beyond the policy's own.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_REPLAY_WORLD_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_REPLAY_WORLD_H

#include "base/domain/lease.h"
#include "base/domain/offer.h"
#include "economics/experiments/experiment.h"

enum {
    REPLAY_MEMBERS_MAX = 64,
    REPLAY_KINDS = 3,
    REPLAY_GPUS_PER_NODE = 8,
    REPLAY_NODES_MAX = 256, /* of a pool */
    REPLAY_JOB_NODES_MAX = 64,
    REPLAY_JOBS_MAX = 200000
};

#define REPLAY_UNPLACED UINT32_MAX

struct replay_job {
    uint32_t home;
    uint32_t gpus;
    uint32_t model;            /* of the table of speeds */
    double arrival;            /* s */
    double work;               /* GPU-seconds at speed 1 that it takes in all */
    double value;              /* credits per GPU-second at speed 1 */
    double told[REPLAY_KINDS]; /* speed a GPU as predicted */
    /* as it goes: */
    double left;
    double began;    /* first start; < 0: not yet */
    double ended;    /* < 0: not yet */
    double attained; /* GPU-seconds at speed 1 done, over what the fastest kind would have done */
    uint32_t pool;   /* REPLAY_UNPLACED: it waits */
    uint32_t waited; /* rounds since it last ran */
    uint32_t starts;
    struct lease_node nodes[REPLAY_JOB_NODES_MAX];
    uint32_t node_count;
};

/* A pool is a member's GPUs of a kind; pool number = member × REPLAY_KINDS + kind. */
struct replay_pool {
    uint32_t owner;
    uint32_t kind;
    uint32_t node_count;
    uint32_t gpus;
    uint64_t free[REPLAY_NODES_MAX];
    double cost; /* credits per GPU-second */
};

struct replay_tally { /* of a member */
    double value;     /* credits: what its jobs' training was worth */
    double cost;      /* of GPUs it ran for anybody */
    double received;  /* from others */
    double paid;      /* to others */
    double busy;      /* GPU-seconds of its GPUs */
};

struct replay_world {
    uint32_t member_count;
    uint32_t pool_count;
    struct replay_pool *pools;
    struct replay_job *jobs; /* by arrival */
    uint32_t job_count;
    uint32_t *open; /* [open_count] jobs that have arrived and aren't done, by arrival */
    uint32_t open_count;
    uint32_t next_arrival;
    double now;
    double round_seconds;
    double restart_seconds;
    double affinity;
    uint64_t rounds;
    struct replay_tally tallies[REPLAY_MEMBERS_MAX];
};

/* True speed of a model on a kind, relative to the slowest kind's. */
double replay_speed(uint32_t model, uint32_t kind);
uint32_t replay_model_count(void);
extern const char *const replay_kind_names[REPLAY_KINDS];

/* A copy at time 0 with its own pools, jobs and counts. */
MUST_USE enum status replay_world_copy(const struct replay_world *from, struct arena *arena,
                                       struct replay_world *to, struct fault *fault);

/* Lets jobs arrive; where nobody is open, goes on to the round of the next arrival. False: all are
 * done. */
bool replay_world_begin_round(struct replay_world *world);

/* Takes all GPUs from the job; it waits. */
void replay_unplace(struct replay_world *world, struct replay_job *job);

/* Gives it GPUs of the pool: on one node where one has room (the fullest), else on the emptiest
 * nodes. False: there isn't room, and nothing changes. */
bool replay_place(struct replay_world *world, struct replay_job *job, uint32_t pool);

/* These very GPUs, which must be free. */
void replay_place_at(struct replay_world *world, struct replay_job *job, uint32_t pool,
                     const struct lease_node *nodes, uint32_t node_count);

/* The round passes. kept[job]: the pool it ran in before this round's decisions, REPLAY_UNPLACED
 * where in none; with other GPUs or another pool it restarts. price: credits per GPU-second that
 * home pays host, for each job, by job number. */
void replay_world_end_round(struct replay_world *world, const struct replay_job *before,
                            const double *price);

#endif
