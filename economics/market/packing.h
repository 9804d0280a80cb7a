/*
 * Packing: which job has which column in whole GPUs, and whether the nodes have room. Internal to
 * the solver.
 *
 * Counts decide, names come last (packing_name): a job that keeps its GPUs has them reserved by
 * name; a job that needs one node has room counted on a node (best fit); any other job needs only
 * GPUs of the pool, on whichever nodes. That is enough for all to be named in this order. Where
 * one-node jobs stand in each other's way their pool is packed anew, largest first.
 *
 * Guarantee: never more GPUs than a pool's nodes have, one column a job, every policy row kept. A
 * held column is used only on the very GPUs held (its worth assumes no move).
 *
 * Ownership: arrays lie in the arena. Thread rule: one thread. Complexity: add and remove
 * O(nodes of the pool + rows of the column), packing anew O(jobs of the pool × nodes).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_PACKING_H
#define ENTENTE_ECONOMICS_MARKET_PACKING_H

#include "economics/market/prepared.h"

enum { PACKING_NONE = -1 };

/* States that can be kept: of one try, of the best plan so far, and of one made another way. */
enum packing_slot { PACKING_TRY, PACKING_BEST, PACKING_OTHER, PACKING_SLOT_COUNT };

/* What a job has; the mutable half, copied whole by save and restore. */
struct packing_state {
    int32_t *column;     /* [job_count] or PACKING_NONE */
    int32_t *node;       /* [job_count] of a one-node job that isn't renewed */
    int32_t *next;       /* [job_count] next job in the same pool */
    int32_t *first;      /* [pool_count] first job in the pool */
    uint32_t *pool_free; /* [pool_count] GPUs */
    uint32_t *node_free; /* [nodes] GPUs not reserved by name nor counted for one-node jobs */
    double *row_used;    /* [row_count] */
    void *block;
    size_t block_bytes;
};

struct packing {
    const struct prepared *prepared;
    uint32_t *first_node; /* [pool_count] into node_free */
    struct packing_state state;
    void *kept[PACKING_SLOT_COUNT]; /* copies of the state's block */
    uint32_t *queue;                /* [job_count] scratch for packing anew */
    struct arena *arena;
};

MUST_USE enum status packing_make(const struct prepared *prepared, struct arena *arena,
                                  struct packing *packing, struct fault *fault);

void packing_clear(struct packing *packing);
void packing_save(struct packing *packing, enum packing_slot slot);
void packing_restore(struct packing *packing, enum packing_slot slot);

/* False, and nothing changed, where it doesn't fit. The job has no column yet. */
bool packing_add(struct packing *packing, uint32_t column);
void packing_remove(struct packing *packing, uint32_t job);

bool packing_renewed(const struct packing *packing, uint32_t job);

/* Σ w of what is packed. */
wide packing_worth(const struct packing *packing);

#endif
