#include "broker/money/settlement.h"

#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/store/members.h"

static const char setting_since[] = "settlement-since";

enum { OVERDUE_PERIODS_MAX = 24 }; /* looked back over */

/* --- closing a period */

struct closing {
    struct store *store;
    struct arena *arena;
    struct fault *fault;
    struct store_settlement before; /* period 0: none */
    struct store_settlement now;
    struct store_flow *flows;
    uint32_t flow_count;
};

static void add(struct credits *sum, int64_t micros)
{
    sum->micros += micros; /* of balances, which the ledger keeps from overflowing */
}

/* Escrow and release are moves of the member's own money, and cancel out. */
static void count_flow(struct settlement_row *row, const struct store_flow *flow)
{
    bool earns = strcmp(flow->kind, ledger_kind_name(LEDGER_SETTLE)) == 0 ||
                 strcmp(flow->kind, ledger_kind_name(LEDGER_SIDE)) == 0;
    bool pays_in = strcmp(flow->kind, ledger_kind_name(LEDGER_DEPOSIT)) == 0 ||
                   strcmp(flow->kind, ledger_kind_name(LEDGER_WITHDRAWAL)) == 0;
    bool own = strcmp(flow->kind, ledger_kind_name(LEDGER_ESCROW)) == 0 ||
               strcmp(flow->kind, ledger_kind_name(LEDGER_RELEASE)) == 0;
    if (earns) {
        add(&row->earned, flow->in.micros);
        add(&row->spent, -flow->out.micros);
    } else if (pays_in) {
        add(&row->paid_in, flow->in.micros + flow->out.micros);
    } else if (!own) {
        add(&row->corrected, flow->in.micros + flow->out.micros);
    }
}

static enum status make_row(const struct closing *closing, const struct name *member,
                            struct settlement_row *row)
{
    struct ledger_position position;
    enum status status = ledger_position(closing->store, member, &position, closing->fault);
    *row = (struct settlement_row){.member = *member};
    for (uint32_t i = 0; i < closing->flow_count && status == STATUS_OK; i++) {
        struct ledger_account account;
        if (ledger_account_parse(closing->flows[i].account, &account) &&
            name_equal(&account.member, member))
            count_flow(row, &closing->flows[i]);
    }
    if (status != STATUS_OK)
        return status;
    row->closing.micros = position.balance.micros + position.escrow.micros;
    row->opening.micros = row->closing.micros - row->earned.micros + row->spent.micros -
                          row->paid_in.micros - row->corrected.micros;
    row->owed.micros = row->closing.micros < 0 ? -row->closing.micros : 0;
    return STATUS_OK;
}

static enum status write_rows(const struct closing *closing)
{
    struct store_member *members = NULL;
    uint32_t count = 0;
    enum status status =
        store_member_list(closing->store, closing->arena, &members, &count, closing->fault);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        struct settlement_row row;
        if (members[i].state == MEMBER_PENDING)
            continue;
        status = make_row(closing, &members[i].member, &row);
        if (status == STATUS_OK)
            status =
                store_settlement_row_add(closing->store, closing->now.period, &row, closing->fault);
    }
    return status;
}

static enum status period_begin(struct store *store, const struct store_settlement *before,
                                int64_t now_wall_ms, int64_t *from, struct fault *fault)
{
    if (before->period != 0) {
        *from = before->until_wall_ms;
        return STATUS_OK;
    }
    return store_number_get(store, setting_since, now_wall_ms, from, fault);
}

static enum status close_period(struct closing *closing, const struct broker_config *config,
                                int64_t now_wall_ms)
{
    struct store_ledger_head head;
    int64_t from = 0;
    enum status status = store_settlement_find(closing->store, 0, &closing->before, closing->fault);
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    if (status == STATUS_OK)
        status = period_begin(closing->store, &closing->before, now_wall_ms, &from, closing->fault);
    if (status == STATUS_OK)
        status = store_ledger_head(closing->store, &head, closing->fault);
    if (status != STATUS_OK)
        return status;
    closing->now = (struct store_settlement){
        .period = closing->before.period + 1,
        .from_wall_ms = from,
        .until_wall_ms = now_wall_ms,
        .due_wall_ms = now_wall_ms + config->settlement_due_ms,
        .sequence = head.sequence,
    };
    status = store_flow_list(closing->store, closing->before.sequence, head.sequence,
                             closing->arena, &closing->flows, &closing->flow_count, closing->fault);
    if (status == STATUS_OK)
        status = store_settlement_add(closing->store, &closing->now, closing->fault);
    return status == STATUS_OK ? write_rows(closing) : status;
}

enum status settlement_close(struct store *store, const struct broker_config *config,
                             int64_t now_wall_ms, uint64_t *period, struct fault *fault)
{
    struct arena arena;
    struct closing closing = {.store = store, .arena = &arena, .fault = fault};
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = close_period(&closing, config, now_wall_ms);
    arena_fini(&arena);
    *period = closing.now.period;
    return status;
}

enum status settlement_sweep(struct store *store, const struct broker_config *config,
                             int64_t now_wall_ms, bool *closed, struct fault *fault)
{
    struct store_settlement newest;
    int64_t from = 0;
    uint64_t period = 0;
    *closed = false;
    if (config->settlement_period_ms <= 0)
        return STATUS_OK;
    enum status status = store_settlement_find(store, 0, &newest, fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    status = period_begin(store, &newest, 0, &from, fault);
    if (status == STATUS_OK && from == 0)
        return store_number_put(store, setting_since, now_wall_ms, fault);
    if (status != STATUS_OK || now_wall_ms < from + config->settlement_period_ms)
        return status;
    *closed = true;
    return settlement_close(store, config, now_wall_ms, &period, fault);
}

/* --- what is open */

/* Owed at that period's end, less what was deposited since, and no more than is owed now. */
static enum status open_now(struct store *store, const struct store_settlement *period,
                            const struct name *member, struct credits owed, struct credits *open,
                            struct fault *fault)
{
    const struct ledger_account account = {ACCOUNT_MEMBER, *member};
    char text[ACCOUNT_TEXT_MAX];
    struct ledger_position position;
    struct credits deposits = {0};
    open->micros = 0;
    if (owed.micros <= 0)
        return STATUS_OK;
    enum status status = ledger_position(store, member, &position, fault);
    if (status == STATUS_OK)
        status = store_deposits_after(store, ledger_account_format(&account, text),
                                      period->sequence, &deposits, fault);
    int64_t now_owed = -(position.balance.micros + position.escrow.micros);
    int64_t left = owed.micros - deposits.micros;
    left = left < now_owed ? left : now_owed;
    open->micros = left > 0 ? left : 0;
    return status;
}

static enum status fill_row(struct store *store, const struct store_settlement *period,
                            int64_t now_wall_ms, struct settlement_row *row, struct fault *fault)
{
    enum status status = open_now(store, period, &row->member, row->owed, &row->open, fault);
    row->overdue = row->open.micros > 0 && now_wall_ms > period->due_wall_ms;
    return status;
}

static enum status fill_period(struct store *store, const struct store_settlement *period,
                               int64_t now_wall_ms, struct arena *arena,
                               struct settlement_response *response, struct fault *fault)
{
    struct settlement_summary *summary = &response->period;
    enum status status = store_settlement_rows(store, period->period, arena, &response->members,
                                               &response->member_count, fault);
    *summary = (struct settlement_summary){.period = period->period,
                                           .from_wall_ms = period->from_wall_ms,
                                           .until_wall_ms = period->until_wall_ms,
                                           .due_wall_ms = period->due_wall_ms,
                                           .members = response->member_count};
    for (uint32_t i = 0; i < response->member_count && status == STATUS_OK; i++) {
        struct settlement_row *row = &response->members[i];
        status = fill_row(store, period, now_wall_ms, row, fault);
        summary->owing += row->owed.micros > 0 ? 1 : 0;
        summary->owed.micros += row->owed.micros;
        summary->open.micros += row->open.micros;
    }
    return status;
}

enum status settlement_show(struct store *store, uint64_t period, int64_t now_wall_ms,
                            struct arena *arena, struct settlement_response *response,
                            struct fault *fault)
{
    struct store_settlement found;
    enum status status = store_settlement_find(store, period, &found, fault);
    return status == STATUS_OK ? fill_period(store, &found, now_wall_ms, arena, response, fault)
                               : status;
}

enum status settlement_list(struct store *store, const struct page_request *page,
                            int64_t now_wall_ms, struct arena *arena,
                            struct settlements_response *response, struct fault *fault)
{
    struct store_settlement *periods = NULL;
    enum status status = store_settlement_list(store, page->after, page->rows, arena, &periods,
                                               &response->period_count, fault);
    response->periods = arena_alloc(arena, response->period_count, sizeof *response->periods);
    if (status == STATUS_OK && response->periods == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the settlement periods");
    for (uint32_t i = 0; i < response->period_count && status == STATUS_OK; i++) {
        struct settlement_response whole = {.member_count = 0};
        status = fill_period(store, &periods[i], now_wall_ms, arena, &whole, fault);
        response->periods[i] = whole.period;
    }
    return status;
}

/* The owed of a later period includes what an earlier one left open, so the greatest counts. */
static enum status overdue_of(struct store *store, const struct name *member, int64_t now_wall_ms,
                              struct arena *arena, struct credits *overdue, struct fault *fault)
{
    struct store_settlement *periods = NULL;
    uint32_t count = 0;
    enum status status =
        store_settlement_list(store, 0, OVERDUE_PERIODS_MAX, arena, &periods, &count, fault);
    for (uint32_t p = 0; p < count && status == STATUS_OK; p++) {
        struct settlement_response whole = {.member_count = 0};
        if (now_wall_ms <= periods[p].due_wall_ms)
            continue;
        status = store_settlement_rows(store, periods[p].period, arena, &whole.members,
                                       &whole.member_count, fault);
        for (uint32_t i = 0; i < whole.member_count && status == STATUS_OK; i++) {
            struct settlement_row *row = &whole.members[i];
            if (!name_equal(&row->member, member))
                continue;
            status = fill_row(store, &periods[p], now_wall_ms, row, fault);
            if (row->overdue && row->open.micros > overdue->micros)
                *overdue = row->open;
        }
    }
    return status;
}

enum status settlement_overdue(struct store *store, const struct name *member, int64_t now_wall_ms,
                               struct credits *overdue, struct fault *fault)
{
    const struct ledger_account own = {ACCOUNT_MEMBER, *member};
    struct credits balance;
    struct arena arena;
    overdue->micros = 0;
    enum status status = ledger_balance(store, &own, &balance, fault);
    if (status != STATUS_OK || balance.micros >= 0)
        return status; /* who has money owes nothing: nearly always */
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    status = overdue_of(store, member, now_wall_ms, &arena, overdue, fault);
    arena_fini(&arena);
    return status;
}

/* --- the end of an account */

enum status settlement_write_off(struct store *store, const struct name *member,
                                 const char *reference, int64_t now_wall_ms, struct fault *fault)
{
    struct store_member found;
    struct ledger_position position;
    char text[CREDITS_TEXT_MAX];
    enum status status = store_member_find(store, member, &found, fault);
    if (status == STATUS_OK)
        status = ledger_position(store, member, &position, fault);
    if (status != STATUS_OK)
        return status;
    if (found.state != MEMBER_REVOKED)
        return fault_set(fault, STATUS_PRECONDITION,
                         "member %s is %s: only a revoked member's account is written off",
                         member->text, member_state_name(found.state));
    if (position.escrow.micros != 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "member %s has %s in escrow: wait until its leases are settled",
                         member->text, credits_format(position.escrow, text));
    if (position.balance.micros > 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "member %s has %s: pay it out (member deposit %s -- -%s)", member->text,
                         credits_format(position.balance, text), member->text, text);
    return ledger_write_off(store, member, (struct credits){-position.balance.micros}, reference,
                            now_wall_ms, fault);
}
