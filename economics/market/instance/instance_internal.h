/*
 * Instance, while a draft becomes a market: names' numbers to indices of the market. Internal.
 *
 * Members sort by id, pools by (owner, gpu), jobs by (home, id): so columns of one home lie
 * together, and pairs of members are found by bisection.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_INSTANCE_INTERNAL_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_INSTANCE_INTERNAL_H

#include "economics/market/instance/draft.h"
#include "economics/market/instance/instance.h"

/* home -> host; only what the draft states. */
struct instance_pair {
    uint64_t key; /* home × members + host, of the market */
    double affinity;
    double link_bytes; /* a round */
    double cost_per_gigabyte;
    bool has_affinity;
    bool has_link;
    bool has_limit; /* gigabytes_per_round is there */
};

struct building {
    struct draft *draft;
    struct instance *instance;
    struct arena *arena;
    struct arena scratch;
    uint32_t *member_of; /* by the name's number: its index in the market */
    uint32_t *pool_of;
    struct instance_pair *pairs; /* by key */
    size_t pair_count;
    double *job_bytes;     /* [job_count] moved to a host that isn't the home, in this round */
    uint32_t *home_column; /* [member_count + 1] its jobs' first column */
};

/* NULL: nothing is stated for it. */
const struct instance_pair *building_pair(const struct building *building, uint32_t home,
                                          uint32_t host);

/* The parts, in the order in which they are made. */
MUST_USE enum status building_members(struct building *building, struct fault *fault);
MUST_USE enum status building_pools(struct building *building, struct fault *fault);
MUST_USE enum status building_pairs(struct building *building, struct fault *fault);
MUST_USE enum status building_jobs(struct building *building, struct fault *fault);
MUST_USE enum status building_rows(struct building *building, struct fault *fault);

#endif
