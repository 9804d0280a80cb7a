/*
 * Lease: beginning: commit a lease of a round, or grant a planned one whose GPUs came free.
 */
#include "broker/lease/lease.h"

#include <assert.h>

#include "broker/money/ledger.h"

static bool nodes_equal(const struct lease *a, const struct lease *b)
{
    if (a->node_count != b->node_count)
        return false;
    for (uint32_t i = 0; i < a->node_count; i++)
        if (a->nodes[i].node != b->nodes[i].node || a->nodes[i].gpus != b->nodes[i].gpus)
            return false;
    return true;
}

static bool same_place(const struct lease *a, const struct lease *b)
{
    return name_equal(&a->job, &b->job) && name_equal(&a->home, &b->home) &&
           name_equal(&a->host, &b->host) && name_equal(&a->gpu, &b->gpu) && nodes_equal(a, b);
}

static void terms_assert(const struct lease_terms *terms)
{
    const struct lease *lease = terms->lease;
    int64_t sum = 0;
    uint32_t gpus = 0;
    assert(lease->node_count >= 1 && lease->cap.micros >= 0 && lease->price.nanos >= 0);
    for (uint32_t i = 0; i < lease->node_count; i++)
        gpus += (uint32_t)__builtin_popcountll(lease->nodes[i].gpus);
    assert(gpus == lease->gpu_count);
    for (uint32_t i = 0; i < terms->share_count; i++) {
        assert(terms->shares[i].price.nanos >= 0);
        sum += terms->shares[i].price.nanos;
    }
    assert(terms->share_count <= SHARES_PER_LEASE_MAX && sum == lease->price.nanos);
    assert(terms->signed_lease != NULL || lease_id_none(lease->continues));
}

static enum status forerunner_check(struct store *store, const struct lease *lease,
                                    struct arena *arena, struct fault *fault)
{
    struct store_lease before;
    char text[LEASE_ID_TEXT_MAX];
    if (lease_id_none(lease->continues))
        return STATUS_OK;
    enum status status = store_lease_find(store, lease->continues, arena, &before, fault);
    if (status != STATUS_OK)
        return status;
    assert(same_place(before.lease, lease));
    if ((LEASE_STATE_BIT(before.state) & LEASE_STATES_HOLDING) == 0)
        return fault_set(fault, STATUS_PRECONDITION, "lease %s is %s: it can't be continued",
                         lease_id_format(lease->continues, text), lease_state_name(before.state));
    return STATUS_OK;
}

static enum status escrow_reserve(struct store *store, const struct lease_terms *terms,
                                  struct credits *escrowed, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    const struct lease *lease = terms->lease;
    bool foreign = !name_equal(&lease->home, &lease->host);
    escrowed->micros = foreign ? lease->cap.micros : 0;
    return ledger_reserve(store, &lease->home, *escrowed, lease_id_format(lease->id, text),
                          terms->now_wall_ms, fault);
}

static enum status row_add(struct store *store, const struct lease_terms *terms,
                           struct credits escrowed, struct fault *fault)
{
    struct lease_share shares[SHARES_PER_LEASE_MAX];
    for (uint32_t i = 0; i < terms->share_count; i++)
        shares[i] = terms->shares[i];
    struct store_lease row = {
        .lease = terms->lease,
        .state = terms->signed_lease != NULL ? LEASE_STATE_GRANTED : LEASE_STATE_PLANNED,
        .shares = shares,
        .share_count = terms->share_count,
        .escrowed = escrowed,
        .committed_wall_ms = terms->now_wall_ms,
        .granted_wall_ms = terms->signed_lease != NULL ? terms->now_wall_ms : 0,
        .ends_wall_ms = terms->ends_wall_ms,
    };
    if (terms->signed_lease != NULL)
        row.signed_lease = *terms->signed_lease;
    return store_lease_add(store, &row, fault);
}

enum status lease_add(struct store *store, const struct lease_terms *terms, struct fault *fault)
{
    struct arena arena;
    struct credits escrowed = {0};
    terms_assert(terms);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = forerunner_check(store, terms->lease, &arena, fault);
    if (status == STATUS_OK)
        status = escrow_reserve(store, terms, &escrowed, fault);
    if (status == STATUS_OK)
        status = row_add(store, terms, escrowed, fault);
    if (status == STATUS_OK && terms->signed_lease != NULL)
        status = lease_announce(store, terms->lease, LEASE_EVENT_GRANT, 0, "", fault);
    arena_fini(&arena);
    return status;
}

/* --- a planned lease is granted */

enum status lease_list_ready(struct store *store, struct arena *arena, struct store_lease **leases,
                             uint32_t *count, struct fault *fault)
{
    uint32_t planned = 0;
    *count = 0;
    enum status status = store_lease_list_open(store, LEASE_STATE_BIT(LEASE_STATE_PLANNED), arena,
                                               leases, &planned, fault);
    for (uint32_t i = 0; i < planned && status == STATUS_OK; i++) {
        bool blocked = true;
        status = store_lease_blocked(store, (*leases)[i].row, &blocked, fault);
        if (!blocked)
            (*leases)[(*count)++] = (*leases)[i];
    }
    return status;
}

static enum status escrow_lower(struct store *store, struct store_lease *row,
                                const struct lease_terms *terms, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    if (row->escrowed.micros <= terms->lease->cap.micros)
        return STATUS_OK;
    struct credits less = {row->escrowed.micros - terms->lease->cap.micros};
    row->escrowed = terms->lease->cap;
    return ledger_release(store, &row->lease->home, less, lease_id_format(row->lease->id, text),
                          terms->now_wall_ms, fault);
}

static enum status grant(struct store *store, const struct lease_terms *terms, struct arena *arena,
                         struct fault *fault)
{
    struct store_lease row;
    enum status status = store_lease_find(store, terms->lease->id, arena, &row, fault);
    if (status != STATUS_OK)
        return status;
    assert(same_place(row.lease, terms->lease) &&
           row.lease->price.nanos == terms->lease->price.nanos);
    assert(terms->lease->cap.micros <= row.lease->cap.micros);
    status = escrow_lower(store, &row, terms, fault);
    if (status != STATUS_OK)
        return status;
    row.ends_wall_ms = terms->ends_wall_ms;
    status = lease_move(store, &row, LEASE_MOVE_GRANT, terms->now_wall_ms, fault);
    if (status != STATUS_OK)
        return status;
    row.lease = terms->lease;
    row.signed_lease = *terms->signed_lease;
    status = store_lease_rewrite(store, &row, fault);
    if (status != STATUS_OK)
        return status;
    return lease_announce(store, terms->lease, LEASE_EVENT_GRANT, 0, "", fault);
}

enum status lease_grant(struct store *store, const struct lease_terms *terms, struct fault *fault)
{
    struct arena arena;
    assert(terms->signed_lease != NULL);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = grant(store, terms, &arena, fault);
    arena_fini(&arena);
    return status;
}
