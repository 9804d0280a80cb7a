/*
 * Trial: a draft built and solved, once as it is and again as it might be.
 *
 * Explanations are found from duals and reduced costs, and then proved: the draft is changed, built
 * and solved again. Changes to a finished draft are made here; those of a job are undone with the
 * copy that the caller kept. One session serves all trials, so that each starts where the last
 * ended.
 *
 * Ownership: a trial owns its instance and outcome (trial_close). Thread rule: the session's.
 * Complexity: a build, O(configurations), and a solve each.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_EXPLAINING_TRIAL_H
#define ENTENTE_ECONOMICS_MARKET_EXPLAINING_TRIAL_H

#include "economics/market/instance/draft.h"
#include "economics/market/instance/instance.h"
#include "economics/market/outcome/outcome.h"

struct trial {
    struct arena arena;
    struct instance instance;
    struct outcome outcome;
};

MUST_USE enum status trial_open(struct draft *draft, struct session *session,
                                const struct session_options *options, struct trial *trial,
                                struct fault *fault);
void trial_close(struct trial *trial); /* zeroed is fine */

/* Where a name stands in the instance; NOT_FOUND names the nearest. */
MUST_USE enum status trial_find_job(const struct instance *instance, const char *id,
                                    uint32_t *index, struct fault *fault);
MUST_USE enum status trial_find_member(const struct instance *instance, const char *id,
                                       uint32_t *index, struct fault *fault);

/* The same in the draft; NULL: not there. */
struct draft_job *trial_job_of(struct draft *draft, const char *id);
struct draft_pool *trial_pool_of(struct draft *draft, const char *id);

/* Of the round that the job spends in the plan, 0 to 1. */
double trial_share(const struct trial *trial, uint32_t job);

/* What a column pays beyond the pools' cost, at the trial's rents: n μ + Σ a π; credits. */
double trial_rent(const struct trial *trial, uint32_t column);

/* -- Changes ----------------------------------------------------------------------------------- */

/* One configuration more for the job (which must not have it). */
MUST_USE enum status trial_add_configuration(struct draft *draft, struct draft_job *job,
                                             struct draft_configuration configuration,
                                             struct fault *fault);

/* Its pools and jobs are gone. */
void trial_remove_member(struct draft *draft, uint32_t member);

/* A member with a pool of so many GPUs of a kind; where member or pool are there, they are added
 * (gpus < 0: taken away, INVALID below 0). A new pool runs each job that some pool of the kind
 * runs, as fast, at `affinity` from every home. */
struct trial_capacity {
    const char *member;
    const char *gpu;
    int64_t gpus;
    double cost;
    double affinity;
};
MUST_USE enum status trial_change_capacity(struct draft *draft,
                                           const struct trial_capacity *capacity,
                                           struct fault *fault);

#endif
