/* Link state: what the files link*.c share. */
#ifndef ENTENTE_PEER_LINK_LINK_STATE_H
#define ENTENTE_PEER_LINK_LINK_STATE_H

#include "peer/link/link.h"
#include "proto/rpc/client.h"

enum {
    LINK_DEMAND_SLOTS = 64,
    LINK_CALL_MS = 10 * 1000,
    LINK_RETRY_MS = 500,
    LINK_RETRY_MS_MAX = 10 * 1000,
    LINK_DOUBLINGS_MAX = 6,
    LINK_QUESTIONS_MAX = 64
};

/* One demand on its way to the broker. */
struct link_demand {
    struct link *link;
    struct transport_call *call;
    struct name job;
    int word;      /* enum demand_word */
    bool profiled; /* carries what home measured */
    uint64_t version;
};

/* A thing that is tried again and again: when next, and how often it failed in a row. */
struct link_try {
    int64_t due_boot_ms;
    uint32_t failures;
};

/* Telling a restored broker what is held here. */
enum held_step {
    HELD_FIRST,    /* held leases, heads, the revoked */
    HELD_RECEIPTS, /* the leases of receipts kept */
    HELD_TOLD      /* all leases are told: reports and receipts go out */
};

struct link {
    struct peer *peer;
    struct transport *transport;
    bool redial_wanted;
    /* heartbeat */
    struct transport_call *heartbeat_call;
    struct link_try heartbeat;
    int64_t heartbeat_every_ms;
    int64_t sent_boot_ms;
    int64_t heard_boot_ms; /* newest answer, or when we began */
    bool heard;
    uint64_t inventory_mark; /* of what the newest heartbeat offered */
    struct credits balance;
    struct credits escrow;
    struct delivery_row deliveries[POOLS_PER_MEMBER_MAX]; /* how this host delivers */
    uint32_t delivery_count;
    struct signature revocations_seen; /* of the newest list that was verified and applied */
    /* lease events */
    struct transport_call *watch_call;
    bool watch_broken; /* an event could not be kept: what comes behind it has to wait */
    struct link_try watch;
    /* after the broker's restore */
    struct transport_call *held_call;
    struct link_try held;
    enum held_step held_step;
    bool held_last;      /* the call under way brings the last page */
    bool held_unsigned;  /* receipts without home's signature were shown */
    uint64_t held_after; /* receipts up to here were told */
    /* reports and receipts */
    struct transport_call *reports_call;
    struct link_try reports;
    struct lease_report *reports_sent; /* in reports_arena */
    uint32_t reports_count;
    bool reports_single; /* one at a time: some report was refused */
    struct arena reports_arena;
    struct transport_call *receipts_call;
    struct link_try receipts;
    int64_t refused_boot_ms; /* when to report refused receipts again */
    struct arena receipts_arena;
    struct spool_receipt *receipts_sent;
    uint32_t receipts_count;
    struct transport_call *dispute_call;
    struct link_try dispute;
    struct lease_id dispute_lease;
    uint32_t dispute_sequence;
    struct link_demand demands[LINK_DEMAND_SLOTS];
    uint32_t question_count; /* of owners, under way */
};

bool link_due(const struct link *link, const struct link_try *try);
void link_failed(struct link *link, struct link_try *try);
void link_succeeded(struct link_try *try);

/* --- link_heartbeat.c */
void link_heartbeat(struct link *link);
/* --- link_held.c */
/* Tells what is to be told; true: the broker knows all leases, so reports and receipts may go. */
bool link_held(struct link *link);
uint64_t link_broker_incarnation(const struct link *link);
/* Does the broker's present incarnation know everything? */
bool link_reported(const struct link *link);
/* From the beginning. */
void link_report_anew(struct link *link);
/* --- link_leases.c */
void link_watch(struct link *link);
void link_report(struct link *link);
/* --- link_receipts.c */
void link_receipts(struct link *link);
/* --- link_disputes.c */
void link_disputes(struct link *link);
/* --- link_demand.c */
void link_demands(struct link *link);
/* --- link_trust.c */
void link_take_revocations(struct link *link, const struct signed_bytes *revocations);
/* Is it signed by a lease key of the broker's? CORRUPT otherwise. */
MUST_USE enum status link_verify(const struct peer *peer, const struct signed_bytes *bytes,
                                 enum signature_domain domain, struct fault *fault);
/* The list as it was signed and kept; body empty where there is none. */
MUST_USE enum status link_kept_revocations(const struct peer *peer, struct arena *arena,
                                           struct signed_bytes *revocations, struct fault *fault);

#endif
