/*
 * Learned: all that the federation knows of throughput at one moment: the newest fit, the scopes of
 * single members in it, and how hosts deliver. What rounds predict with.
 *
 * Trust (SECURITY.md): what two members signed (a settled receipt of a foreign run) and what the
 * operator gave teaches everybody. A member's own word (a profile, a receipt of a run at home, a
 * job without a model key) is kept in a scope of that member and model, fitted apart from the
 * others and used for that member's jobs alone.
 *
 * Ownership: an own arena; learned_hold() and learned_close() count, on the loop's thread. Thread
 * rule: made on any thread, read-only from then on.
 */
#ifndef ENTENTE_BROKER_LEARNING_LEARNED_H
#define ENTENTE_BROKER_LEARNING_LEARNED_H

#include "broker/store/measurements.h"
#include "economics/throughput/predictor.h"

enum {
    LEARN_ROWS_MAX = 8192,   /* of members, the newest; the operator's come on top */
    LEARN_ROWS_A_PAIR = 256, /* of one model on one GPU kind */
    LEARN_MODELS_MAX = 40,   /* that everybody shares */
    LEARN_SCOPES_MAX = 16,   /* of single members, the newest */
    LEARN_CLUSTERS_MAX = 32, /* GPU kinds */
    LEARN_FITS_MAX = 3,      /* fit, see how hosts deliver, fit again: so often */
    LEARN_BYTES_MAX = 256 * 1024 * 1024
};

/* What is learned from. */
struct learn_input {
    const struct throughput_table *table; /* the federation's */
    const struct measurements *given;     /* the operator's rows; NULL: none */
    const struct throughput_model *model; /* the operator's model; NULL: none */
    const struct store_measurement *rows; /* [row_count] newest first */
    uint32_t row_count;
    int64_t now_ms;
};

struct learned {
    struct arena arena;
    uint32_t references;
    uint64_t version; /* of the fit in the store; 0: there is none */
    int64_t made_wall_ms;
    struct predictor predictor;
    struct delivery *deliveries;
};

/* Fits. INVALID where there is no row to learn from. */
MUST_USE enum status learned_fit(const struct learn_input *input, struct learned **learned,
                                 struct fault *fault);
/* A stored fit (text NULL: none), with the scopes and deliveries that the rows say. */
MUST_USE enum status learned_restore(const struct learn_input *input, struct bytes text,
                                     struct learned **learned, struct fault *fault);

/* NULL is fine. */
struct learned *learned_hold(struct learned *learned);
void learned_close(struct learned *learned);

/* The fit as the text of its file, malloc'ed, on failure too. */
MUST_USE enum status learned_text(const struct learned *learned, char **text, size_t *size,
                                  struct fault *fault);

#endif
