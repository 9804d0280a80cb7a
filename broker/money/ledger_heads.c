#include "broker/money/ledger_heads.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "proto/identity/identity.h"

enum { PROBLEM_BYTES_MAX = 512 };

/* The newest entry that every restore after the head's time kept; UINT64_MAX: there was none. */
static enum status kept_up_to(struct store *store, uint64_t incarnation, uint64_t *sequence,
                              struct fault *fault)
{
    struct arena arena;
    struct store_restore *restores = NULL;
    uint32_t count = 0;
    *sequence = UINT64_MAX;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_restore_list(store, &arena, &restores, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        if (restores[i].incarnation > incarnation && restores[i].sequence < *sequence)
            *sequence = restores[i].sequence;
    arena_fini(&arena);
    return status;
}

enum status ledger_head_judge(struct store *store, const struct ledger_head *head,
                              enum ledger_head_verdict *verdict, uint64_t *lost,
                              struct fault *fault)
{
    struct digest hash;
    uint64_t kept = 0;
    if (lost != NULL)
        *lost = 0;
    enum status status = kept_up_to(store, head->incarnation, &kept, fault);
    if (status != STATUS_OK)
        return status;
    if (head->sequence > kept) {
        *verdict = LEDGER_HEAD_LOST;
        if (lost != NULL)
            *lost = head->sequence - kept;
        return STATUS_OK;
    }
    status = ledger_hash_at(store, head->sequence, &hash, fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (status == STATUS_NOT_FOUND)
        *verdict = LEDGER_HEAD_MISSING;
    else
        *verdict = digest_equal(&hash, &head->hash) ? LEDGER_HEAD_AGREES : LEDGER_HEAD_CONTRADICTED;
    return STATUS_OK;
}

/* --- many */

static enum status problem_note(const struct store_head *head, enum ledger_head_verdict verdict,
                                struct arena *arena, struct ledger_verify_response *result,
                                struct fault *fault)
{
    char text[PROBLEM_BYTES_MAX];
    if (!result->verified)
        return STATUS_OK;
    snprintf(text, sizeof text,
             "entry %" PRIu64 ": member %s holds a head of it that this broker signed, and %s",
             head->head.sequence, head->member.text,
             verdict == LEDGER_HEAD_MISSING
                 ? "it is not here: entries were removed, or an old copy was put back without "
                   "'restore'"
                 : "it is another entry now: the ledger was rewritten");
    result->verified = false;
    result->problem = arena_copy_text(arena, text, strlen(text));
    return result->problem != NULL ? STATUS_OK
                                   : fault_set(fault, STATUS_EXHAUSTED, "no memory for the answer");
}

enum status ledger_heads_compare(struct store *store, const struct store_head *heads,
                                 uint32_t count, struct arena *arena,
                                 struct ledger_verify_response *result, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        enum ledger_head_verdict verdict = LEDGER_HEAD_AGREES;
        uint64_t lost = 0;
        status = ledger_head_judge(store, &heads[i].head, &verdict, &lost, fault);
        if (status != STATUS_OK)
            break;
        result->heads++;
        if (lost > result->entries_lost)
            result->entries_lost = lost;
        if (verdict == LEDGER_HEAD_MISSING || verdict == LEDGER_HEAD_CONTRADICTED)
            status = problem_note(&heads[i], verdict, arena, result, fault);
    }
    return status;
}
