/*
 * Token: the rule by which a join token admits a member. Stored as a digest; used once, by one key.
 *
 * Thread rule and transactions as in broker/store/store.h.
 */
#ifndef ENTENTE_BROKER_TOKEN_H
#define ENTENTE_BROKER_TOKEN_H

#include "broker/store/members.h"

/* An invitation for member, good until expires. Makes the secret; keeps only its digest. */
MUST_USE enum status token_create(struct store *store, const struct digest *pin,
                                  const struct name *member, int64_t now_wall_ms, int64_t ttl_ms,
                                  bool approved, struct join_token *token, struct fault *fault);

/*
 * Presents a token for member with a CSR whose key has this digest. OK marks it used by that key;
 * the same key may come again (a repeated request, or one that waited for approval), also after the
 * expiry. UNAUTHENTICATED: unknown or expired. DENIED: made for another member, or used by another
 * key. A refused token is not used up.
 */
MUST_USE enum status token_use(struct store *store, const struct digest *token_digest,
                               const struct name *member, const struct digest *request_key,
                               int64_t now_wall_ms, struct store_token *token, struct fault *fault);

#endif
