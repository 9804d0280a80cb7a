/*
 * Store, heads: what members can prove of the ledger, and what restores from backups took away.
 *
 * A head is the broker's signed word on the ledger's newest entry, as a member keeps it. A restore
 * is the moment at which a broker began again from a backup, under a new incarnation. The rules are
 * in broker/recovery.h and ledger_heads_verify(). Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_HEADS_H
#define ENTENTE_BROKER_STORE_HEADS_H

#include "broker/store/store.h"
#include "proto/wire/messages.h"

struct store_head {
    struct name member; /* who holds it */
    struct ledger_head head;
    struct signed_bytes signed_head; /* the exact bytes */
};

/* Of each member and incarnation the newest one stays; an older one changes nothing. */
MUST_USE enum status store_head_put(struct store *store, const struct store_head *head,
                                    struct fault *fault);
/* All, by incarnation and sequence. */
MUST_USE enum status store_head_list(struct store *store, struct arena *arena,
                                     struct store_head **heads, uint32_t *count,
                                     struct fault *fault);

/* A restore: from which entry the ledger went on, and until when members are waited for. */
struct store_restore {
    uint64_t incarnation; /* that began with it */
    uint64_t sequence;    /* newest ledger entry of the backup */
    int64_t restored_wall_ms;
    int64_t until_wall_ms; /* after this nobody is waited for any more */
};

MUST_USE enum status store_restore_add(struct store *store, const struct store_restore *restore,
                                       struct fault *fault);
/* Ascending by incarnation. */
MUST_USE enum status store_restore_list(struct store *store, struct arena *arena,
                                        struct store_restore **restores, uint32_t *count,
                                        struct fault *fault);

/* That member has told this incarnation everything; repeated it changes nothing. */
MUST_USE enum status store_reported_add(struct store *store, const struct name *member,
                                        uint64_t incarnation, struct fault *fault);
MUST_USE enum status store_reported(struct store *store, const struct name *member,
                                    uint64_t incarnation, bool *reported, struct fault *fault);

#endif
