/*
 * Offer: what a member advertises in a heartbeat: the free GPUs of its pools, what they cost, how
 * it values placements.
 *
 * Plain data. Arrays are borrowed from the message's or round's arena.
 */
#ifndef ENTENTE_BASE_DOMAIN_OFFER_H
#define ENTENTE_BASE_DOMAIN_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain/name.h"
#include "base/units.h"

/* A pool: the GPUs of one kind at one member. Identified by (member, gpu); printed as member/gpu.
 */
struct pool_id {
    struct name member;
    struct name gpu;
};

/* A node of a pool. Bit g of a mask is GPU g of that node. */
struct offer_node {
    uint64_t free_gpus;   /* offered and held by nobody */
    uint64_t leased_gpus; /* offered and held by leased jobs now */
};

struct pool_offer {
    struct name gpu;
    uint32_t gpus_per_node;   /* 1..GPUS_PER_NODE_MAX */
    uint32_t node_count;      /* 1..NODES_PER_POOL_MAX */
    struct offer_node *nodes; /* [node_count]; node n keeps its number for the peer's life */
    struct price cost;        /* marginal cost */
    struct price reserve; /* least price at which it lends; the market uses the higher of the two */
    uint32_t foreign_gpus_max; /* share limit: GPUs lent to others at once; UINT32_MAX: no limit */
    bool enforces_limits;      /* memory, process and CPU limits hold here; if not, no foreign jobs
                                  unless accepted */
    bool accepts_unenforced;   /* the operator takes foreign jobs all the same */
};

/* How the sending member values its jobs running at `host`: 0 forbids, PPM is as good as at home.
 */
struct affinity {
    struct name host;
    uint32_t value_ppm;
};

struct offer {
    struct name member;
    uint64_t incarnation;
    struct pool_offer *pools; /* [pool_count], by GPU kind ascending */
    uint32_t pool_count;
    struct affinity *affinities; /* [affinity_count], by host ascending */
    uint32_t affinity_count;
    uint32_t default_affinity_ppm; /* for hosts not listed */
    struct credits
        budget_per_round; /* spends no more than this a round; negative: no limit of its own */
    char peer_address[ADDRESS_BYTES_MAX + 1]; /* where other peers reach it, HOST:PORT */
};

#endif
