/*
 * Instance: a market in a JSON file, for economists and other tools. (The compact form of the same:
 * compact.h.)
 *
 *     {"round_seconds": 300,
 *      "members": ["usc", "ucsd"],
 *      "pools": [{"id": "usc/A100", "member": "usc", "gpu": "A100", "gpus": 64, "gpus_per_node": 8,
 *                 "cost": 0.0004}],
 *      "affinity": [{"home": "usc", "host": "ucsd", "value": 0.8}],
 *      "links": [{"home": "usc", "host": "ucsd", "gigabytes_per_round": 100,
 *                 "cost_per_gigabyte": 0.02}],
 *      "limits": [{"member": "usc", "gpu": "A100", "max_foreign_gpus": 32},
 *                 {"member": "ucsd", "max_credits": 50}],
 *      "jobs": [{"id": "j1", "home": "usc", "value": 0.01, "work_left": 1e9, "data_gigabytes": 5,
 *                "remaining_seconds": 36000, "one_node": false, "price_max": 0.002,
 *                "configurations": [{"pool": "usc/A100", "gpus": 2, "throughput": 310.5}]}]}
 *
 * cost and price_max in credits per GPU-second, value in credits per example, throughput in
 * examples/s. Required: members; a pool's id, member, gpu, gpus; home and host of affinity and
 * links, and affinity's value; a limit's member; a job's id, home, value and configurations, and
 * all three keys of a configuration. Other keys may be missing and then bind nothing:
 * round_seconds 300, gpus_per_node 64, cost 0, affinity 1 at home and 0 elsewhere, work_left
 * endless, remaining_seconds work_left / throughput, a limit without gpu over all of the member's
 * pools. Unknown keys are refused.
 *
 * w = a v min(τ θ, work_left) − τ n c − D τ / max(τ, min(remaining, a day)), D = gigabytes × their
 * cost for a configuration elsewhere (DESIGN §3). max_credits bounds what foreign placements can
 * cost at most in a round (the bids). Configurations that affinity forbids, or that
 * one_node does (more GPUs than a node has), are left out.
 *
 * Ownership: everything lies in the arena. Complexity: O(size log size).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_INSTANCE_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_INSTANCE_H

#include "economics/market/market.h"

struct instance {
    struct market market;
    const char **member_ids; /* [member_count] in the market's order, as in the file */
    const char **pool_ids;   /* [pool_count] */
    const char **job_ids;    /* [job_count] */
};

/* 1000 members with 100k jobs in 34 configurations are 200 MB of JSON or 40 MB of the compact form,
 * and 330 MB at most while they are read, 270 MB then. */
#define INSTANCE_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)

/* In JSON or in the compact form (compact.h). INVALID with the JSON path, or the line, of what is
 * wrong. */
MUST_USE enum status instance_read(const char *path, struct arena *arena, struct instance *instance,
                                   struct fault *fault);
MUST_USE enum status instance_parse(const char *name, const char *text, size_t size,
                                    struct arena *arena, struct instance *instance,
                                    struct fault *fault);

/* Of a draft that is finished (draft.h). */
struct draft;
MUST_USE enum status instance_build(struct draft *draft, struct arena *arena,
                                    struct instance *instance, struct fault *fault);

#endif
