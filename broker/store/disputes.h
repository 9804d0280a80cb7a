/*
 * Store, disputes: what home, host and operator said of a receipt that home does not accept.
 *
 * Reading is for everybody; the writing functions are for broker/money/dispute, which has the table
 * of moves. Contract as in store.h. A dispute may come before its receipt does.
 */
#ifndef ENTENTE_BROKER_STORE_DISPUTES_H
#define ENTENTE_BROKER_STORE_DISPUTES_H

#include "broker/store/store.h"
#include "proto/wire/messages.h"

struct store_dispute {
    uint64_t row; /* for pages */
    uint64_t lease_row;
    struct lease_id lease;
    struct name job;
    struct name home;
    struct name host;
    uint32_t sequence;
    enum dispute_state state;
    int64_t conceded_ms; /* payable, as home says */
    int64_t payable_ms;  /* by the outcome; -1: none yet, or what is posted stays */
    char reason[DISPUTE_TEXT_BYTES_MAX + 1];
    char answer[DISPUTE_TEXT_BYTES_MAX + 1];
    char ruling[DISPUTE_TEXT_BYTES_MAX + 1];
    int64_t opened_wall_ms;
    int64_t deadline_wall_ms;
    int64_t closed_wall_ms; /* 0: not yet */
};

/* NOT_FOUND where there is none. */
MUST_USE enum status store_dispute_find(struct store *store, uint64_t lease_row, uint32_t sequence,
                                        struct store_dispute *dispute, struct fault *fault);
/* Inserts or replaces, by (lease_row, sequence); the other fields of the lease are not written. */
MUST_USE enum status store_dispute_put(struct store *store, const struct store_dispute *dispute,
                                       struct fault *fault);
/* A page by row; member is home or host, "" for everybody's. *next_after 0: that was all. */
MUST_USE enum status store_dispute_page(struct store *store, const struct name *member,
                                        uint64_t after, uint32_t rows, struct arena *arena,
                                        struct store_dispute **disputes, uint32_t *count,
                                        uint64_t *next_after, struct fault *fault);
/* Those that nobody answered before that time, at most `rows`. */
MUST_USE enum status store_dispute_list_due(struct store *store, int64_t before_wall_ms,
                                            uint32_t rows, struct arena *arena,
                                            struct store_dispute **disputes, uint32_t *count,
                                            struct fault *fault);
/* Not final; of one lease (0: of all) and one home ("": of all). */
MUST_USE enum status store_dispute_count_open(struct store *store, uint64_t lease_row,
                                              const char *home, uint32_t *count,
                                              struct fault *fault);

#endif
