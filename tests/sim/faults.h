/*
 * Faults: what goes wrong in a world, all of it from its seed.
 *
 * A seed draws which kinds there are (or the caller says so), then when, to whom and how badly.
 * Everything stops with faults_stop(): links heal, disks have room, memory is there, clocks agree
 * again so far as they were allowed to differ, and whoever is down is started. Ownership: the
 * caller's struct, for as long as the world.
 */
#ifndef ENTENTE_TESTS_SIM_FAULTS_H
#define ENTENTE_TESTS_SIM_FAULTS_H

#include "tests/sim/world.h"

enum fault_kind {
    FAULT_SLOW,        /* messages take up to seconds: reordering between calls, deadlines */
    FAULT_LOSS,        /* a connection breaks now and then */
    FAULT_REPEAT,      /* requests arrive twice, the second time later */
    FAULT_PARTITION,   /* pairs can't reach each other for a while */
    FAULT_SKEW,        /* wall clocks differ and jump, within what the broker allows */
    FAULT_KILL_BROKER, /* kill -9, down for a while; between steps or inside any write */
    FAULT_KILL_PEER,
    FAULT_REBOOT,   /* a host's machine restarts: its jobs are lost, its boot clock begins again */
    FAULT_EXECUTOR, /* starts that are refused */
    FAULT_CANCEL,   /* owners change their minds */
    FAULT_LIAR,     /* one host's meter runs fast */
    FAULT_SILENT,   /* one member goes away until all else is over */
    FAULT_DISK,     /* a disk is full for a while: store, spool, chunks, work directories */
    FAULT_MEMORY,   /* allocations of the daemons' code fail */
    FAULT_ASTRAY,   /* a wall clock is further off than the broker allows, for a while */
    FAULT_BLACK_HOLE, /* a host starts every job, and each fails at once */
    FAULT_SUSPEND,    /* members are suspended and let in again; deposits come, more than once */
    FAULT_REVOKE,     /* one member is thrown out in the midst of it */
    FAULT_JOIN,       /* one member joins in the midst of it */
    FAULT_OLD_BROKER, /* the broker's store is replaced by an old backup, under a new incarnation */
    FAULT_OLD_PEER,   /* so is a peer's spool */
    FAULT_KIND_COUNT
};

#define FAULTS_AS_SEED_SAYS UINT32_MAX

const char *fault_kind_name(enum fault_kind kind);

struct faults {
    struct world *world;
    struct rng rng;
    uint32_t kinds; /* mask */
    bool over;
    struct sim_weather weather;
    uint32_t loss_ppm;
    int64_t cut_until_ms[WORLD_PEERS_MAX + 1][WORLD_PEERS_MAX + 1]; /* [0]: the broker */
    int64_t broker_up_ms; /* when a killed one is started again */
    int64_t peer_up_ms[WORLD_PEERS_MAX];
    int64_t full_until_ms[WORLD_PEERS_MAX + 1]; /* [0]: the broker's disk */
    int64_t next_ms;                            /* the next blow */
    uint32_t silent;                            /* index of the member that falls silent */
    int64_t silent_from_ms;
    bool silence_over;
    bool astray[WORLD_PEERS_MAX];
    bool suspended[WORLD_PEERS_MAX];
};

/* kinds: a mask, or FAULTS_AS_SEED_SAYS. */
void faults_start(struct faults *faults, struct world *world, uint32_t kinds);
/* All but the silence of a silent member. */
void faults_stop(struct faults *faults);
/* Is one silent? Then it is back with the second. */
bool faults_silence(const struct faults *faults);
void faults_end_silence(struct faults *faults);
/* Are receipts without home's signature part of it, or leases that nobody reports? Those wait for
 * days. */
bool faults_take_days(const struct faults *faults);

/* --- faults_weather.c, faults_blows.c */

static inline bool fault_has(const struct faults *faults, enum fault_kind kind)
{
    return (faults->kinds >> kind & 1) != 0;
}

static inline uint64_t fault_draw(struct faults *faults, uint64_t bound)
{
    return rng_below(&faults->rng, bound);
}

static inline bool fault_chance(struct faults *faults, uint64_t ppm)
{
    return fault_draw(faults, 1000000) < ppm;
}

void faults_make_weather(struct faults *faults);
void faults_strike(struct faults *faults, enum fault_kind kind);
/* Processes that died inside a write are taken away; who was down long enough starts; disks get
 * room again. */
void faults_follow(struct faults *faults);

#endif
