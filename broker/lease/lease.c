/*
 * Lease: the table of moves, and one move with what goes with it (times, GPUs, escrow).
 *
 * The verbs: lease_grant.c begins leases, lease_end.c ends and voids them, lease_report.c hears the
 * hosts, lease_sweep.c does what time does.
 */
#include "broker/lease/lease.h"

#include <assert.h>

#include "broker/money/ledger.h"
#include "broker/money/sides.h"
#include "broker/store/events.h"

/* --- the table */

/* One cell: the next state plus one, so that an unlisted cell is zero. */
#define TO(state) ((uint8_t)((unsigned)LEASE_STATE_##state + 1u))

static const uint8_t table[LEASE_STATE_COUNT][LEASE_MOVE_COUNT] = {
    [LEASE_STATE_PLANNED] =
        {
            [LEASE_MOVE_GRANT] = TO(GRANTED),
            [LEASE_MOVE_VOID] = TO(VOIDED),
        },
    [LEASE_STATE_GRANTED] =
        {
            [LEASE_MOVE_RUN] = TO(RUNNING),
            [LEASE_MOVE_RELEASE] = TO(RELEASED),
            [LEASE_MOVE_REFUSE] = TO(VOIDED),
            [LEASE_MOVE_VOID] = TO(VOIDED),
            /* it may have run unheard: its receipt is awaited */
            [LEASE_MOVE_EXPIRE] = TO(RELEASED),
            [LEASE_MOVE_SETTLE] = TO(SETTLED),
            [LEASE_MOVE_UNUSED] = TO(VOIDED),
        },
    [LEASE_STATE_RUNNING] =
        {
            [LEASE_MOVE_RUN] = TO(RUNNING),
            [LEASE_MOVE_OVERRUN] = TO(HOLDOVER),
            [LEASE_MOVE_RELEASE] = TO(RELEASED),
            [LEASE_MOVE_EXPIRE] = TO(RELEASED),
            [LEASE_MOVE_SETTLE] = TO(SETTLED),
        },
    [LEASE_STATE_HOLDOVER] =
        {
            [LEASE_MOVE_RUN] = TO(HOLDOVER),
            [LEASE_MOVE_RELEASE] = TO(RELEASED),
            [LEASE_MOVE_EXPIRE] = TO(RELEASED),
            [LEASE_MOVE_SETTLE] = TO(SETTLED),
        },
    /* reports may come late and out of order: the later states answer them with themselves */
    [LEASE_STATE_RELEASED] =
        {
            [LEASE_MOVE_RUN] = TO(RELEASED),
            [LEASE_MOVE_RELEASE] = TO(RELEASED),
            [LEASE_MOVE_VOID] = TO(VOIDED),
            [LEASE_MOVE_SETTLE] = TO(SETTLED),
            [LEASE_MOVE_UNUSED] = TO(VOIDED),
        },
    [LEASE_STATE_SETTLED] =
        {
            [LEASE_MOVE_RUN] = TO(SETTLED),
            [LEASE_MOVE_RELEASE] = TO(SETTLED),
        },
    [LEASE_STATE_VOIDED] =
        {
            [LEASE_MOVE_RELEASE] = TO(VOIDED),
            [LEASE_MOVE_REFUSE] = TO(VOIDED),
            [LEASE_MOVE_VOID] = TO(VOIDED),
        },
};

bool lease_next(enum lease_state state, enum lease_move move, enum lease_state *next)
{
    assert((unsigned)state < LEASE_STATE_COUNT && (unsigned)move < LEASE_MOVE_COUNT);
    uint8_t cell = table[state][move];
    if (cell == 0)
        return false;
    *next = (enum lease_state)(cell - 1);
    return true;
}

const char *lease_move_name(enum lease_move move)
{
    static const char *const names[LEASE_MOVE_COUNT] = {
        "grant", "run", "overrun", "release", "refuse", "void", "expire", "settle", "unused",
    };
    assert((unsigned)move < LEASE_MOVE_COUNT);
    return names[move];
}

/* --- moving */

static enum status escrow_return(struct store *store, struct store_lease *lease,
                                 int64_t now_wall_ms, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    enum status status =
        ledger_release(store, &lease->lease->home, lease->escrowed,
                       lease_id_format(lease->lease->id, text), now_wall_ms, fault);
    if (status == STATUS_OK)
        lease->escrowed.micros = 0;
    return status;
}

static void times_note(struct store_lease *lease, enum lease_state next, int64_t now_wall_ms)
{
    if (next == LEASE_STATE_GRANTED)
        lease->granted_wall_ms = now_wall_ms;
    if (next == LEASE_STATE_RUNNING)
        lease->running_wall_ms = now_wall_ms;
    if ((LEASE_STATE_BIT(next) & LEASE_STATES_HOLDING) == 0 && lease->released_wall_ms == 0)
        lease->released_wall_ms = now_wall_ms;
}

enum status lease_move(struct store *store, struct store_lease *lease, enum lease_move move,
                       int64_t now_wall_ms, struct fault *fault)
{
    enum lease_state next;
    char text[LEASE_ID_TEXT_MAX];
    if (!lease_next(lease->state, move, &next))
        return fault_set(fault, STATUS_PRECONDITION, "lease %s is %s: it can't %s",
                         lease_id_format(lease->lease->id, text), lease_state_name(lease->state),
                         lease_move_name(move));
    if (next == lease->state)
        return STATUS_OK;
    times_note(lease, next, now_wall_ms);
    lease->state = next;
    enum status status = STATUS_OK;
    if (lease_state_final(next))
        status = escrow_return(store, lease, now_wall_ms, fault);
    if (status == STATUS_OK && lease_state_final(next))
        status = sides_close(store, lease->lease->id, now_wall_ms, fault);
    return status == STATUS_OK ? store_lease_update(store, lease, fault) : status;
}

enum status lease_reserve_up_to(struct store *store, struct store_lease *lease,
                                struct credits amount, int64_t now_wall_ms, struct fault *fault)
{
    struct ledger_position position;
    char text[LEASE_ID_TEXT_MAX];
    enum status status = ledger_position(store, &lease->lease->home, &position, fault);
    if (status != STATUS_OK)
        return status;
    if (amount.micros > position.funds.micros)
        amount = position.funds;
    lease->escrowed.micros += amount.micros;
    return ledger_reserve(store, &lease->lease->home, amount,
                          lease_id_format(lease->lease->id, text), now_wall_ms, fault);
}

enum status lease_announce(struct store *store, const struct lease *lease,
                           enum lease_event_kind kind, int64_t grace_ms, const char *reason,
                           struct fault *fault)
{
    enum status status =
        store_event_add(store, &lease->home, kind, lease->id, grace_ms, reason, NULL, fault);
    if (status != STATUS_OK || name_equal(&lease->home, &lease->host))
        return status;
    return store_event_add(store, &lease->host, kind, lease->id, grace_ms, reason, NULL, fault);
}
