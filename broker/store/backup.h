/*
 * Store, backup: the committed state of one moment as one file, beside a running broker.
 *
 * Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_BACKUP_H
#define ENTENTE_BROKER_STORE_BACKUP_H

#include "broker/store/store.h"

/* What goes into the copy besides: settings of it. */
struct store_extra {
    const char *name;
    struct bytes value;
};

/*
 * Copies everything committed to a new file at path, readable by its owner only: one file, without
 * a log beside it, synced. Whoever writes the store meanwhile goes on; what it commits after we
 * began is not in the copy. EXISTS where path is there; on failure nothing is left at path. Not
 * inside a transaction. O(size of the store).
 */
MUST_USE enum status store_backup(struct store *store, const struct store_extra *extras,
                                  size_t extra_count, const char *path, struct fault *fault);

/* The same from a backup's file, whatever release wrote it: opening the copy for writing migrates
 * it. NOT_FOUND, CORRUPT. */
MUST_USE enum status store_backup_copy(const char *backup, const char *path, struct fault *fault);

#endif
