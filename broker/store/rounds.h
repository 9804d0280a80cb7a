/*
 * Store, rounds: what each clearing saw (snapshot), computed (plan) and told (report). Bytes are
 * the caller's own encodings. Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_ROUNDS_H
#define ENTENTE_BROKER_STORE_ROUNDS_H

#include "broker/store/store.h"
#include "proto/wire/messages.h"

struct store_round {
    struct round_row row; /* row.round is the number, >= 1 */
    uint64_t incarnation;
    int64_t ends_wall_ms; /* E_k: where its leases end */
    uint32_t dropped; /* placements of the plan that no longer stood at commit: not in row.placed */
    struct digest plan_digest;
    struct bytes snapshot; /* may be of any size up to ROUND_BYTES_MAX */
    struct bytes plan;
    struct bytes report; /* an encoded round_response */
};

enum { ROUND_BYTES_MAX = 512 * 1024 * 1024 };

/* EXISTS where the number is taken. */
MUST_USE enum status store_round_add(struct store *store, const struct store_round *round,
                                     struct fault *fault);
/* Number 0: the newest. NOT_FOUND where there is none. */
MUST_USE enum status store_round_find(struct store *store, uint64_t number, struct arena *arena,
                                      struct store_round *round, struct fault *fault);
/* 0 where there was none yet. */
MUST_USE enum status store_round_newest(struct store *store, uint64_t *number, struct fault *fault);
/* Rows only, newest first: those with a number below `before` (0: from the newest). */
MUST_USE enum status store_round_list(struct store *store, uint64_t before, uint32_t rows,
                                      struct arena *arena, struct round_row **list, uint32_t *count,
                                      struct fault *fault);

#endif
