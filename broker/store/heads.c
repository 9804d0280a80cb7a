#include "broker/store/heads.h"

#include "broker/store/query.h"

enum { HEADS_MAX = MEMBERS_MAX * HEADS_PER_MEMBER_MAX, RESTORES_MAX = 10000 };

enum status store_head_put(struct store *store, const struct store_head *head, struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (member, incarnation)"
        " DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash,"
        " signed = excluded.signed, body = excluded.body, signature = excluded.signature,"
        " key_id = excluded.key_id WHERE excluded.sequence > sequence";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, &head->member);
    query_put_number(&query, (int64_t)head->head.incarnation);
    query_put_number(&query, (int64_t)head->head.sequence);
    query_put_digest(&query, &head->head.hash);
    query_put_number(&query, head->head.signed_wall_ms);
    query_put_bytes(&query, head->signed_head.body);
    query_put_bytes(&query, (struct bytes){head->signed_head.signature.bytes, SIGNATURE_BYTES});
    query_put_name(&query, &head->signed_head.key_id);
    return query_end(&query);
}

static void head_read(struct query *query, struct arena *arena, struct store_head *head)
{
    query_name(query, &head->member);
    head->head.incarnation = (uint64_t)query_number(query);
    head->head.sequence = (uint64_t)query_number(query);
    (void)query_fixed(query, &head->head.hash, sizeof head->head.hash);
    head->head.signed_wall_ms = query_number(query);
    head->signed_head.body = query_bytes(query, arena);
    (void)query_fixed(query, &head->signed_head.signature, sizeof head->signed_head.signature);
    query_name(query, &head->signed_head.key_id);
}

enum status store_head_list(struct store *store, struct arena *arena, struct store_head **heads,
                            uint32_t *count, struct fault *fault)
{
    static const char sql[] = "SELECT member, incarnation, sequence, hash, signed, body, signature,"
                              " key_id FROM heads ORDER BY incarnation, sequence, member LIMIT ?";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, HEADS_MAX);
    while (query_row(&query)) {
        struct store_head *head = grown_push(&grown, arena, sizeof *head);
        if (head != NULL)
            head_read(&query, arena, head);
        else
            query_fail(&query, STATUS_EXHAUSTED, "too many ledger heads for the memory allowed");
    }
    *heads = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_restore_add(struct store *store, const struct store_restore *restore,
                              struct fault *fault)
{
    static const char sql[] = "INSERT INTO restores VALUES (?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)restore->incarnation);
    query_put_number(&query, (int64_t)restore->sequence);
    query_put_number(&query, restore->restored_wall_ms);
    query_put_number(&query, restore->until_wall_ms);
    return query_end(&query);
}

enum status store_restore_list(struct store *store, struct arena *arena,
                               struct store_restore **restores, uint32_t *count,
                               struct fault *fault)
{
    static const char sql[] = "SELECT incarnation, sequence, restored, until FROM restores"
                              " ORDER BY incarnation LIMIT ?";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, RESTORES_MAX);
    while (query_row(&query)) {
        struct store_restore *restore = grown_push(&grown, arena, sizeof *restore);
        if (restore == NULL) {
            query_fail(&query, STATUS_EXHAUSTED, "too many restores for the memory allowed");
            break;
        }
        restore->incarnation = (uint64_t)query_number(&query);
        restore->sequence = (uint64_t)query_number(&query);
        restore->restored_wall_ms = query_number(&query);
        restore->until_wall_ms = query_number(&query);
    }
    *restores = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_reported_add(struct store *store, const struct name *member, uint64_t incarnation,
                               struct fault *fault)
{
    static const char sql[] = "INSERT OR IGNORE INTO reported VALUES (?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, member);
    query_put_number(&query, (int64_t)incarnation);
    return query_end(&query);
}

enum status store_reported(struct store *store, const struct name *member, uint64_t incarnation,
                           bool *reported, struct fault *fault)
{
    static const char sql[] = "SELECT 1 FROM reported WHERE member = ? AND incarnation = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, member);
    query_put_number(&query, (int64_t)incarnation);
    *reported = query_row(&query);
    return query_end(&query);
}
