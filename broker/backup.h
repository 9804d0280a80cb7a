/*
 * Backup: a federation's broker in one file, and back again.
 *
 * The file holds the store of one moment and, unless told otherwise, the keys and certificates of
 * the state directory: it is as secret as they are. The root key is not in it: it is kept offline
 * anyway, and a broker runs without it. Restoring begins a new incarnation (broker/recovery.h).
 * What it replaces is kept beside it. Thread rule: one thread; several processes may back up.
 */
#ifndef ENTENTE_BROKER_BACKUP_H
#define ENTENTE_BROKER_BACKUP_H

#include "base/clock.h"
#include "broker/config.h"

/* What a store holds, to compare and to tell. */
struct backup_facts {
    uint64_t incarnation;
    uint64_t ledger_sequence; /* its newest entry; 0: none */
    uint64_t rounds;
    int64_t made_wall_ms; /* 0: not a backup */
    bool with_keys;
};

/* Beside a running broker, or a stopped one. EXISTS where the file is there. */
MUST_USE enum status backup_make(const struct broker_config *config, const char *file,
                                 bool without_keys, const struct clock *clock,
                                 struct backup_facts *facts, struct fault *fault);

struct backup_restore {
    const char *file;
    bool replace_newer;       /* also where the state is newer than the backup, or unreadable */
    uint64_t incarnation_min; /* 0: what is known of former ones, and the wall clock, decide */
};

/*
 * Puts the backup in the place of the configuration's state. UNAVAILABLE over a running broker;
 * CORRUPT where the backup's ledger does not verify; PRECONDITION where the state is newer, or
 * another federation's, or where keys lack. On failure the state is as it was. *facts: what is
 * there now.
 */
MUST_USE enum status backup_restore(const struct broker_config *config,
                                    const struct backup_restore *restore, const struct clock *clock,
                                    struct backup_facts *facts, struct fault *fault);

#endif
