/*
 * Collect: offers and demands -> market. The pure step that enumerates configurations, asks the
 * predictor, and computes each worth w.
 *
 *   T_jk = min(τ, work left / θ_jk): how long it would hold the GPUs
 *   w_jk = a v_j min(τ θ_jk, work left) − T_jk n_k c_p
 *          − D_jk τ / max(τ, expected remaining run time, at most a day)
 *
 * Cost counts for T, since GPUs are billed until they are released: charged for the whole round, a
 * job with little left would never be worth a place (the JSON instances of `entente-economics
 * market` keep τ there, as their format says).
 * D_jk (transfer, restart, warm-up) is zero for the configuration in which the job runs now.
 * Rounded to micro-credits once, here.
 *
 * Of a job's configurations at one pool those are left out that need no fewer GPUs than another and
 * are neither faster nor worth more: nobody has to use the GPUs that hurt. They are no options of
 * the market, so what is proved of a plan does not speak of them.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_COLLECT_H
#define ENTENTE_ECONOMICS_MARKET_COLLECT_H

#include "base/domain/job.h"
#include "economics/market/market.h"
#include "economics/throughput/predictor.h"

/* A demand as the round sees it. */
struct collect_demand {
    const struct demand *demand;
    uint32_t age_rounds;
    /* Where it runs now under a lease that ends with this round; position.running says whether. */
    struct lease_node *held_nodes;
    uint32_t held_node_count;
};

/* A job that failed to start at a host and is not tried there in this round. */
struct collect_avoid {
    struct name job;
    struct name host;
};

struct collect_input {
    int64_t round_ms;
    int64_t now_wall_ms;
    const struct offer *const
        *offers; /* [offer_count]; nodes' free masks hold what may be used this round */
    uint32_t offer_count;
    const struct credits
        *funds; /* [offer_count] each member's own balance plus credit limit: its budget row */
    const struct collect_demand *demands; /* [demand_count] */
    uint32_t demand_count;
    const struct predictor *predictor; /* NULL: only what jobs state */
    struct {
        double restart_seconds;           /* lost when a job moves: stop, stage, warm up */
        double transfer_bytes_per_second; /* assumed between members */
        double credits_per_gigabyte;      /* of transfer */
        int64_t grace_ms;                 /* billed at most after the firm end: part of the cap */
    } costs;
    uint32_t gpus_per_job_max; /* widest configuration enumerated */
    /* Neither touches a job where it runs. */
    const struct collect_avoid *avoided; /* [avoided_count] by collect_avoid_compare */
    uint32_t avoided_count;
    const struct pool_id *quarantined; /* [quarantined_count] no new start there */
    uint32_t quarantined_count;
};

/* Order for qsort and bsearch: by job, then host. */
int collect_avoid_compare(const void *left, const void *right);

/* Everything in *market lies in the arena. Demands without an allowed column are kept, with none.
 */
MUST_USE enum status market_collect(const struct collect_input *input, struct arena *arena,
                                    struct market *market, struct fault *fault);

/* Why this demand has no column at that pool ("" where it has): affinity, kind, size, price. Static
 * text. */
const char *market_obstacle(const struct collect_input *input, const struct demand *demand,
                            const struct offer *offer, const struct pool_offer *pool,
                            uint32_t gpus);

#endif
