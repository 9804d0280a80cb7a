/* Ledger heads in the spool: the newest of each incarnation of the broker, as it was signed. */
#include "peer/spool/sql.h"

enum status spool_head_put(struct spool *spool, const struct ledger_head *head,
                           const struct signed_bytes *signed_head, struct fault *fault)
{
    struct sql sql =
        sql_prepare(spool, "INSERT INTO heads VALUES(?,?,?,?,?,?) ON CONFLICT(incarnation) DO"
                           " UPDATE SET sequence=excluded.sequence, hash=excluded.hash,"
                           " body=excluded.body, signature=excluded.signature,"
                           " key_id=excluded.key_id WHERE excluded.sequence>sequence");
    sql_bind_unsigned(&sql, head->incarnation);
    sql_bind_unsigned(&sql, head->sequence);
    sql_bind_bytes(&sql, (struct bytes){head->hash.bytes, DIGEST_BYTES});
    sql_bind_bytes(&sql, signed_head->body);
    sql_bind_bytes(&sql, (struct bytes){signed_head->signature.bytes, SIGNATURE_BYTES});
    sql_bind_text(&sql, signed_head->key_id.text);
    return sql_run(&sql, fault);
}

static void read_signed(struct sql *sql, struct arena *arena, struct signed_bytes *head)
{
    head->body = sql_bytes_copy(sql, arena);
    sql_exact(sql, head->signature.bytes, SIGNATURE_BYTES);
    sql_name(sql, &head->key_id);
}

enum status spool_head_get(struct spool *spool, uint64_t incarnation, struct arena *arena,
                           struct ledger_head *head, struct signed_bytes *signed_head,
                           struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT sequence,hash,body,signature,key_id FROM heads"
                                        " WHERE incarnation=?");
    sql_bind_unsigned(&sql, incarnation);
    *head = (struct ledger_head){.incarnation = incarnation};
    *signed_head = (struct signed_bytes){.body = {0}};
    if (sql_step(&sql)) {
        head->sequence = sql_unsigned(&sql);
        sql_exact(&sql, head->hash.bytes, DIGEST_BYTES);
        read_signed(&sql, arena, signed_head);
    }
    return sql_close(&sql, fault);
}

enum status spool_heads(struct spool *spool, struct arena *arena, struct signed_bytes **heads,
                        uint32_t *count, struct fault *fault)
{
    *count = 0;
    *heads = arena_alloc(arena, HEADS_PER_MEMBER_MAX, sizeof **heads);
    if (*heads == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the ledger heads");
    struct sql sql = sql_prepare(
        spool, "SELECT body,signature,key_id FROM heads ORDER BY incarnation DESC LIMIT ?");
    sql_bind_number(&sql, HEADS_PER_MEMBER_MAX);
    while (*count < HEADS_PER_MEMBER_MAX && sql_step(&sql))
        read_signed(&sql, arena, &(*heads)[(*count)++]);
    return sql_close(&sql, fault);
}
