/*
 * Peer: the daemon of a member without its process: everything a peer knows and does, given its
 * clock, dialer (network), spool and executor, so that a simulation can run many in one process.
 *
 * Whoever runs it calls peer_tick() every PEER_TICK_MS or so, and hands it calls through the
 * handlers of service_peer and service_local (call->service is the struct peer). Parts: inventory
 * (GPUs), contacts (connections), link (broker), home (own jobs), host (runs of others' jobs, and
 * of own jobs at home). Ownership: peer_close() frees everything but what was passed in. Thread
 * rule: the loop's thread.
 */
#ifndef ENTENTE_PEER_PEER_H
#define ENTENTE_PEER_PEER_H

#include "base/log.h"
#include "peer/config.h"
#include "peer/contacts.h"
#include "peer/executor/executor.h"
#include "peer/inventory.h"
#include "peer/host/lease_check.h"
#include "peer/spool/spool.h"
#include "proto/identity/identity.h"
#include "proto/rpc/call.h"

enum { PEER_TICK_MS = 50, PEER_LEASE_KEYS_MAX = 16 };

struct home;
struct host;
struct link;
struct log_stream;

struct peer_identity {
    struct name federation;
    struct signing_secret secret; /* signs receipts */
    struct signing_key key;
    int64_t certificate_until_wall_ms;
};

struct peer_settings {
    const struct peer_config *config;
    const struct clock *clock;
    const struct log *log;
    struct dialer *dialer;
    struct spool *spool;
    struct executor *executor;
    const struct peer_identity *identity;
    const char *address; /* where other peers reach this one */
    /* A member was revoked: end its calls. */
    void (*on_revoked)(void *context, const struct name *member);
    /* Nullable. What is in memory could not be kept, for want of room on the disk or of memory: the
     * process should end here and now, and be started again from its spool, as after kill -9. Jobs
     * run on meanwhile. */
    void (*on_failed)(void *context);
    /* Our certificate is due: renew it over the broker's transport. NULL: never. */
    void (*on_broker_contact)(void *context, struct transport *broker);
    void *context;
};

struct peer {
    struct peer_settings settings;
    const struct peer_config *config;
    const struct clock *clock;
    const struct log *log;
    struct spool *spool;
    struct executor *executor;
    struct peer_identity identity;
    char address[ADDRESS_BYTES_MAX + 1];
    struct arena arena; /* the peer's lifetime */
    struct executor_abilities abilities;
    struct inventory inventory;
    struct contacts contacts;
    struct lease_key lease_keys[PEER_LEASE_KEYS_MAX];
    struct lease_keys keys;
    struct name *revoked; /* [revoked_count], malloc */
    uint32_t revoked_count;
    bool closing;  /* no new calls */
    bool rebooted; /* the boot clock began again since the spool was last open */
    struct link *link;
    struct home *home;
    struct host *host;
    struct log_stream *log_streams; /* owners who read a log */
};

/* Reads the spool and takes up where it was left: adopts running jobs, watches own ones again. */
MUST_USE enum status peer_open(const struct peer_settings *settings, struct peer **peer,
                               struct fault *fault);
void peer_tick(struct peer *peer);
void peer_close(struct peer *peer); /* NULL is fine */

/* A contact with a member at the address a lease states; with ourselves, at the one we have now. */
MUST_USE enum status peer_contact(struct peer *peer, const struct name *member, const char *address,
                                  struct contact **contact, struct fault *fault);

bool peer_is_revoked(const struct peer *peer, const struct name *member);

/* STATE/DIRECTORY/NAME. */
MUST_USE enum status peer_path(const struct peer *peer, const char *directory, const char *name,
                               char path[static FILE_PATH_MAX], struct fault *fault);

/* A failure that no caller can mend: into the log; what is tried again later goes on. Where memory
 * is out it is peer_fail(). */
void peer_trouble(const struct peer *peer, const char *what, const struct fault *fault);
/* A change that was made in memory could not be kept: into the log, and on_failed. */
void peer_fail(const struct peer *peer, const char *what, const struct fault *fault);

#endif
