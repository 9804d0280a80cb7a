#include "broker/store/members.h"

#include "broker/store/query.h"

/* --- members; a member is always read with its newest certificate */

#define MEMBER_COLUMNS                                                                             \
    "m.name, m.state, m.joined, m.signing_key, m.request_key, m.credit_limit, m.incarnation,"      \
    " c.serial, coalesce(c.valid_until, 0)"
#define MEMBER_TABLES                                                                              \
    " FROM members m LEFT JOIN certificates c"                                                     \
    " ON c.row = (SELECT max(row) FROM certificates n WHERE n.member = m.name)"

static void member_read(struct query *query, struct store_member *member)
{
    *member = (struct store_member){0};
    query_name(query, &member->member);
    member->state = (enum member_state)query_choice(query, MEMBER_STATE_COUNT);
    member->joined_wall_ms = query_number(query);
    (void)query_fixed(query, &member->signing_key, sizeof member->signing_key);
    (void)query_fixed(query, &member->request_key, sizeof member->request_key);
    member->credit_limit.micros = query_number(query);
    member->incarnation = (uint64_t)query_number(query);
    query_text(query, member->certificate_serial, sizeof member->certificate_serial);
    member->certificate_until_wall_ms = query_number(query);
}

enum status store_member_add(struct store *store, const struct store_member *member,
                             struct fault *fault)
{
    static const char sql[] = "INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, &member->member);
    query_put_number(&query, (int64_t)member->state);
    query_put_number(&query, member->joined_wall_ms);
    query_put_bytes(&query, (struct bytes){member->signing_key.bytes, SIGNING_KEY_BYTES});
    query_put_digest(&query, &member->request_key);
    query_put_number(&query, member->credit_limit.micros);
    query_put_number(&query, (int64_t)member->incarnation);
    return query_end(&query);
}

enum status store_member_find(struct store *store, const struct name *name,
                              struct store_member *member, struct fault *fault)
{
    static const char sql[] = "SELECT " MEMBER_COLUMNS MEMBER_TABLES " WHERE m.name = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, name);
    if (query_row(&query))
        member_read(&query, member);
    else if (query.status == STATUS_OK)
        query.status = fault_set(fault, STATUS_NOT_FOUND, "there is no member '%s'", name->text);
    return query_end(&query);
}

enum status store_member_list(struct store *store, struct arena *arena,
                              struct store_member **members, uint32_t *count, struct fault *fault)
{
    static const char sql[] = "SELECT " MEMBER_COLUMNS MEMBER_TABLES " ORDER BY m.name LIMIT ?";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, MEMBERS_MAX);
    while (query_row(&query)) {
        struct store_member *member = grown_push(&grown, arena, sizeof *member);
        if (member == NULL)
            query.status = query_arena_full(fault);
        else
            member_read(&query, member);
    }
    *members = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_member_set_state(struct store *store, const struct name *name,
                                   enum member_state state, struct fault *fault)
{
    static const char sql[] = "UPDATE members SET state = ? WHERE name = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)state);
    query_put_name(&query, name);
    return query_end_found(&query, "member", name->text);
}

enum status store_member_set_keys(struct store *store, const struct name *name,
                                  const struct signing_key *signing_key,
                                  const struct digest *request_key, struct fault *fault)
{
    static const char sql[] = "UPDATE members SET signing_key = ?, request_key = ? WHERE name = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_bytes(&query, (struct bytes){signing_key->bytes, SIGNING_KEY_BYTES});
    query_put_digest(&query, request_key);
    query_put_name(&query, name);
    return query_end_found(&query, "member", name->text);
}

enum status store_member_set_credit_limit(struct store *store, const struct name *name,
                                          struct credits limit, struct fault *fault)
{
    static const char sql[] = "UPDATE members SET credit_limit = ? WHERE name = ?";
    if (limit.micros < 0)
        return fault_set(fault, STATUS_INVALID, "a credit limit is not below zero");
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, limit.micros);
    query_put_name(&query, name);
    return query_end_found(&query, "member", name->text);
}

enum status store_member_set_incarnation(struct store *store, const struct name *name,
                                         uint64_t incarnation, struct fault *fault)
{
    static const char sql[] = "UPDATE members SET incarnation = ? WHERE name = ?";
    struct store_member member;
    enum status status = store_member_find(store, name, &member, fault);
    if (status != STATUS_OK)
        return status;
    if (incarnation < member.incarnation)
        return fault_set(fault, STATUS_PRECONDITION,
                         "member '%s' reports incarnation %llu, it was %llu before: was its peer "
                         "restored from a backup or copied? raise its incarnation",
                         name->text, (unsigned long long)incarnation,
                         (unsigned long long)member.incarnation);
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)incarnation);
    query_put_name(&query, name);
    return query_end_found(&query, "member", name->text);
}

/* --- certificates */

enum status store_certificate_add(struct store *store, const struct store_certificate *certificate,
                                  struct fault *fault)
{
    static const char sql[] = "INSERT INTO certificates VALUES (NULL, ?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_text(&query, certificate->serial);
    query_put_name(&query, &certificate->member);
    query_put_digest(&query, &certificate->fingerprint);
    query_put_number(&query, certificate->from_wall_ms);
    query_put_number(&query, certificate->until_wall_ms);
    return query_end(&query);
}

enum status store_certificate_find(struct store *store, const char *serial,
                                   struct store_certificate *certificate, struct fault *fault)
{
    static const char sql[] = "SELECT serial, member, fingerprint, valid_from, valid_until"
                              " FROM certificates WHERE serial = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, serial);
    if (query_row(&query)) {
        query_text(&query, certificate->serial, sizeof certificate->serial);
        query_name(&query, &certificate->member);
        (void)query_fixed(&query, &certificate->fingerprint, sizeof certificate->fingerprint);
        certificate->from_wall_ms = query_number(&query);
        certificate->until_wall_ms = query_number(&query);
    } else {
        query_fail(&query, STATUS_NOT_FOUND, "this broker issued no such certificate");
    }
    return query_end(&query);
}

/* --- tokens */

enum status store_token_add(struct store *store, const struct store_token *token,
                            struct fault *fault)
{
    static const char sql[] = "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, NULL, NULL)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_digest(&query, &token->digest);
    query_put_name(&query, &token->member);
    query_put_number(&query, token->created_wall_ms);
    query_put_number(&query, token->expires_wall_ms);
    query_put_number(&query, token->approved);
    return query_end(&query);
}

enum status store_token_find(struct store *store, const struct digest *digest,
                             struct store_token *token, struct fault *fault)
{
    static const char sql[] = "SELECT member, created, expires, approved, used_by, used_at"
                              " FROM tokens WHERE digest = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_digest(&query, digest);
    if (query_row(&query)) {
        *token = (struct store_token){.digest = *digest};
        query_name(&query, &token->member);
        token->created_wall_ms = query_number(&query);
        token->expires_wall_ms = query_number(&query);
        token->approved = query_number(&query) != 0;
        token->used = query_fixed(&query, &token->used_by, sizeof token->used_by);
        token->used_wall_ms = query_number(&query);
    } else {
        query_fail(&query, STATUS_NOT_FOUND, "there is no such token");
    }
    return query_end(&query);
}

enum status store_token_mark_used(struct store *store, const struct digest *digest,
                                  const struct digest *used_by, int64_t now_wall_ms,
                                  struct fault *fault)
{
    static const char sql[] = "UPDATE tokens SET used_by = ?, used_at = ? WHERE digest = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_digest(&query, used_by);
    query_put_number(&query, now_wall_ms);
    query_put_digest(&query, digest);
    return query_end_found(&query, "token", "of this digest");
}
