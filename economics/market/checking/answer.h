/*
 * Answer: what any solver says about an instance, in the JSON that `market solve --json` prints,
 * verified by code that shares nothing with the solver but the structs.
 *
 *     {"objective": 10.0, "upper_bound": 10.0, "gap": 0.0,
 *      "prices": {"host/A100": 0.008}, "payoffs": {"host": 8.0, "buyer": 2.0},
 *      "plan": [{"job": "b", "pool": "host/A100", "gpus": 1, "share": 1.0, "payment": 8.0}],
 *      "pool_rents": {"host/A100": 8.0}, "row_rents": [{"row": 0, "rent": 0.5}],
 *      "epsilon": 0.0}
 *
 * Prices are credits per GPU-second. Optional: gap; payment; pool_rents, credits per GPU and round,
 * which say exactly what prices say to a nano-credit; row_rents, credits per unit of the policy row
 * with that index in the instance's order (market.h), none where not given; epsilon, there exactly
 * where the plan is in whole GPUs. Other keys are passed over.
 *
 * What is proved: ANY rents >= 0 bound what every plan can be worth, by
 * Σ_j max(0, max_k w − n μ − Σ a π) + Σ K μ + Σ b π over every allowed column [Owen 1975]. So the
 * stated bound is proved where it is no less than that. Not checked: epsilon, and which nodes whole
 * GPUs are on (the JSON names none).
 *
 * Ownership: everything lies in the arena. Thread rule: one thread. Complexity: O(size log jobs).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_CHECKING_ANSWER_H
#define ENTENTE_ECONOMICS_MARKET_CHECKING_ANSWER_H

#include "economics/market/instance/instance.h"

#define ANSWER_BYTES_MAX ((size_t)1024 * 1024 * 1024)

/* A share of a round that a job spends in a configuration. */
struct answer_part {
    uint32_t column;
    double share;
    double payment; /* credits; < 0: not stated */
};

struct answer {
    double objective;
    double upper_bound;
    double gap; /* of the bound; < 0: not stated */
    bool whole; /* whole GPUs */
    bool exact_rents;
    bool has_row_rents;
    double *price;            /* [pool_count] credits per GPU-second */
    double *pool_rent;        /* [pool_count] μ, credits per GPU and round */
    double *row_rent;         /* [row_count] π */
    double *payoff;           /* [member_count] */
    struct answer_part *part; /* [part_count] in the file's order */
    size_t part_count;
};

/* What the check found. */
struct answer_verdict {
    double objective; /* recomputed */
    double bound;     /* what the rents prove */
};

/* INVALID with the JSON path: unknown pools, members, jobs, configurations that aren't allowed. */
MUST_USE enum status answer_read(const char *path, const struct instance *instance,
                                 struct arena *arena, struct answer *answer, struct fault *fault);
MUST_USE enum status answer_parse(const char *name, const char *text, size_t size,
                                  const struct instance *instance, struct arena *arena,
                                  struct answer *answer, struct fault *fault);

/* CORRUPT with the first thing that is wrong. verdict may be NULL. */
MUST_USE enum status answer_check(const struct instance *instance, const struct answer *answer,
                                  struct arena *arena, struct answer_verdict *verdict,
                                  struct fault *fault);

#endif
