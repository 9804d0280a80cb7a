/*
 * Groups: what one arm's replications observed, gathered by (series, subject, metric).
 *
 * Ownership: groups_fini() frees everything. Thread rule: one thread. Complexity: O(observations of
 * the arm).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_GROUPS_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_GROUPS_H

#include "base/hash.h"
#include "economics/experiments/journal.h"
#include "economics/experiments/observations.h"

struct group_key {
    char series[48];
    char subject[48];
    uint16_t metric;
    uint16_t nothing; /* padding, named: the key is hashed as bytes */
};

struct group {
    struct group_key key;
    double *values;         /* in order of replication; the missing ones left out */
    uint32_t *replications; /* whose value each is */
    uint32_t count;
    uint32_t capacity;
    uint32_t missing;
    UT_hash_handle hh; /* iterates in order of first appearance */
};

struct groups {
    struct group *table;
    uint8_t *buffer; /* of the record read last */
    size_t buffer_capacity;
};

/* Called for each observation of the arm, in order; NULL: none. */
typedef enum status groups_visit(void *context, uint32_t replication,
                                 const struct observation *observation, struct fault *fault);

void groups_init(struct groups *groups);
void groups_fini(struct groups *groups);

/* The arm's records with replication < replications; the journal is sorted. */
MUST_USE enum status groups_gather(struct groups *groups, const struct journal *journal,
                                   uint32_t arm, uint32_t replications, groups_visit *visit,
                                   void *context, struct fault *fault);

/* NULL where the arm observed no such thing. */
const struct group *groups_find(const struct groups *groups, const struct group_key *key);

#endif
