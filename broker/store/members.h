/*
 * Store, members: who is in the federation, the certificates issued to it, and join tokens.
 *
 * Contract as in store.h. The rule for presenting a token is token_use() of broker/token.h.
 */
#ifndef ENTENTE_BROKER_STORE_MEMBERS_H
#define ENTENTE_BROKER_STORE_MEMBERS_H

#include "broker/store/store.h"
#include "proto/identity/identity.h"
#include "proto/wire/messages.h"

struct store_member {
    struct name member;
    enum member_state state;
    int64_t joined_wall_ms;
    struct signing_key signing_key; /* signs its receipts */
    struct digest request_key;      /* of the CSR it enrolled with: identity_request_key_digest */
    struct credits credit_limit;    /* >= 0: how far below zero its account may go */
    uint64_t incarnation;           /* the highest its peer reported; 0: none yet */
    /* Of the newest certificate issued; "" and 0 where there is none. Not written by _add. */
    char certificate_serial[SERIAL_TEXT_MAX];
    int64_t certificate_until_wall_ms;
};

/* A new member in the state given. EXISTS where the name is taken. */
MUST_USE enum status store_member_add(struct store *store, const struct store_member *member,
                                      struct fault *fault);
MUST_USE enum status store_member_find(struct store *store, const struct name *name,
                                       struct store_member *member, struct fault *fault);
/* All of them (at most MEMBERS_MAX), by name. */
MUST_USE enum status store_member_list(struct store *store, struct arena *arena,
                                       struct store_member **members, uint32_t *count,
                                       struct fault *fault);
/* Each NOT_FOUND where there is no such member. Moves of state are checked by the caller. */
MUST_USE enum status store_member_set_state(struct store *store, const struct name *name,
                                            enum member_state state, struct fault *fault);
MUST_USE enum status store_member_set_keys(struct store *store, const struct name *name,
                                           const struct signing_key *signing_key,
                                           const struct digest *request_key, struct fault *fault);
MUST_USE enum status store_member_set_credit_limit(struct store *store, const struct name *name,
                                                   struct credits limit, struct fault *fault);
/* Only upward: a lower one is PRECONDITION ("a restored or cloned peer?"); the same is no change.
 */
MUST_USE enum status store_member_set_incarnation(struct store *store, const struct name *name,
                                                  uint64_t incarnation, struct fault *fault);

/* --- certificates issued */

struct store_certificate {
    char serial[SERIAL_TEXT_MAX]; /* hex */
    struct name member;
    struct digest fingerprint;
    int64_t from_wall_ms;
    int64_t until_wall_ms;
};

MUST_USE enum status store_certificate_add(struct store *store,
                                           const struct store_certificate *certificate,
                                           struct fault *fault);
MUST_USE enum status store_certificate_find(struct store *store, const char *serial,
                                            struct store_certificate *certificate,
                                            struct fault *fault);

/* --- join tokens; only digests are stored */

struct store_token {
    struct digest digest;
    struct name member;
    int64_t created_wall_ms;
    int64_t expires_wall_ms;
    bool approved; /* admits without an operator */
    bool used;
    struct digest used_by; /* digest of the CSR's key that used it */
    int64_t used_wall_ms;
};

/* EXISTS where the digest is there. Writes it unused. */
MUST_USE enum status store_token_add(struct store *store, const struct store_token *token,
                                     struct fault *fault);
MUST_USE enum status store_token_find(struct store *store, const struct digest *digest,
                                      struct store_token *token, struct fault *fault);
MUST_USE enum status store_token_mark_used(struct store *store, const struct digest *digest,
                                           const struct digest *used_by, int64_t now_wall_ms,
                                           struct fault *fault);

#endif
