/* What the files of audit share. Internal to broker/round. */
#ifndef ENTENTE_BROKER_ROUND_AUDIT_INTERNAL_H
#define ENTENTE_BROKER_ROUND_AUDIT_INTERNAL_H

#include "base/hash.h"
#include "broker/round/audit.h"
#include "broker/store/leases.h"
#include "broker/store/rounds.h"
#include "broker/store/sides.h"
#include "economics/market/market.h"

/* What settlements paid to one beneficiary for one lease. */
struct paid_key {
    char lease[LEASE_ID_TEXT_MAX]; /* texts, since the bytes are the key: no padding, all zeroed */
    char member[NAME_BYTES_MAX + 1];
};

struct paid {
    struct paid_key key;
    int64_t micros;
    UT_hash_handle hh;
};

struct audit {
    struct store *store;
    struct paid *paid;
};

/* One round being checked. */
struct checking {
    struct audit *audit;
    struct arena *arena;
    struct fault *fault;
    struct audit_round *result;
    struct store_round record;
    struct market market;
    struct credits *payoffs;  /* [member_count] */
    struct store_sides sides; /* none: no parts */
};

/* What the ledger paid to a member for a lease, or for "round N" (< 0: it paid). */
int64_t audit_paid(const struct audit *audit, const char *reference, const char *member);

int32_t audit_member(const struct market *market, const struct name *member); /* or MARKET_NONE */

/* The first problem stays. */
void audit_note(struct checking *checking, const char *format, ...) PRINTF_LIKE(2, 3);

/* The round's side payments; before its leases are looked at. */
MUST_USE enum status audit_load_sides(struct checking *checking);
/* A lease's receipts say that it delivered so much. */
void audit_delivered(struct checking *checking, uint32_t number, int64_t receipts_ms);
/* Adds what was planned beside the prices to the payoffs; checks what was posted of it. */
MUST_USE enum status audit_sides(struct checking *checking);

#endif
