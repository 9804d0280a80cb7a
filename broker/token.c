#include "broker/token.h"

enum status token_create(struct store *store, const struct digest *pin, const struct name *member,
                         int64_t now_wall_ms, int64_t ttl_ms, bool approved,
                         struct join_token *token, struct fault *fault)
{
    struct store_token row = {.member = *member,
                              .created_wall_ms = now_wall_ms,
                              .expires_wall_ms = now_wall_ms + ttl_ms,
                              .approved = approved};
    if (ttl_ms <= 0)
        return fault_set(fault, STATUS_INVALID, "a token's life is longer than nothing");
    join_token_make(pin, token);
    join_token_digest(token, &row.digest);
    return store_token_add(store, &row, fault);
}

enum status token_use(struct store *store, const struct digest *token_digest,
                      const struct name *member, const struct digest *request_key,
                      int64_t now_wall_ms, struct store_token *token, struct fault *fault)
{
    enum status status = store_token_find(store, token_digest, token, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, STATUS_UNAUTHENTICATED,
                         "the token is not of this broker; ask its operator for one");
    if (status != STATUS_OK)
        return status;
    if (!name_equal(&token->member, member))
        return fault_set(fault, STATUS_DENIED, "the token invites another member than '%s'",
                         member->text);
    if (token->used && digest_equal(&token->used_by, request_key))
        return STATUS_OK;
    if (token->used)
        return fault_set(fault, STATUS_DENIED,
                         "the token is used already, by another key; ask for a new one");
    if (now_wall_ms >= token->expires_wall_ms)
        return fault_set(fault, STATUS_UNAUTHENTICATED, "the token has expired; ask for a new one");
    status = store_token_mark_used(store, token_digest, request_key, now_wall_ms, fault);
    if (status == STATUS_OK) {
        token->used = true;
        token->used_by = *request_key;
        token->used_wall_ms = now_wall_ms;
    }
    return status;
}
