#include "broker/money/dispute.h"

#include <stdio.h>
#include <string.h>

#include "broker/money/settle.h"
#include "proto/wire/methods.h"

/* --- the table */

struct move {
    enum dispute_state from;
    enum dispute_action action;
    enum dispute_state to;
};

static const struct move moves[] = {
    {DISPUTE_OPEN, DISPUTE_DO_ANSWER, DISPUTE_ANSWERED},
    {DISPUTE_OPEN, DISPUTE_DO_CONCEDE, DISPUTE_CONCEDED},
    {DISPUTE_OPEN, DISPUTE_DO_WITHDRAW, DISPUTE_WITHDRAWN},
    {DISPUTE_OPEN, DISPUTE_DO_RULE, DISPUTE_RULED},
    {DISPUTE_ANSWERED, DISPUTE_DO_CONCEDE, DISPUTE_CONCEDED},
    {DISPUTE_ANSWERED, DISPUTE_DO_WITHDRAW, DISPUTE_WITHDRAWN},
    {DISPUTE_ANSWERED, DISPUTE_DO_RULE, DISPUTE_RULED},
};

bool dispute_next(enum dispute_state state, enum dispute_action action, bool lapse,
                  enum dispute_state *next)
{
    if (lapse) {
        *next = DISPUTE_LAPSED;
        return state == DISPUTE_OPEN;
    }
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (moves[i].from == state && moves[i].action == action) {
            *next = moves[i].to;
            return true;
        }
    return false;
}

bool dispute_final(enum dispute_state state)
{
    return state != DISPUTE_OPEN && state != DISPUTE_ANSWERED;
}

const char *dispute_state_name(enum dispute_state state)
{
    static const char *const names[DISPUTE_STATE_COUNT] = {"open",     "answered",  "ruled",
                                                           "conceded", "withdrawn", "lapsed"};
    return names[state];
}

static enum dispute_party party_of(enum dispute_action action)
{
    static const enum dispute_party parties[DISPUTE_ACTION_COUNT] = {
        [DISPUTE_DO_OPEN] = DISPUTE_HOME,     [DISPUTE_DO_ANSWER] = DISPUTE_HOST,
        [DISPUTE_DO_CONCEDE] = DISPUTE_HOST,  [DISPUTE_DO_WITHDRAW] = DISPUTE_HOME,
        [DISPUTE_DO_RULE] = DISPUTE_OPERATOR,
    };
    return parties[action];
}

/* --- one action */

struct acting {
    struct store *store;
    const struct name *member;
    const struct dispute_request *request;
    const struct lease_limits *limits;
    int64_t now_wall_ms;
    struct arena *arena;
    struct fault *fault;
    struct store_lease lease;
    bool has_receipt;
    struct store_receipt receipt;
    int64_t claimed_ms; /* payable by the receipt; INT64_MAX: none yet */
    struct store_dispute *dispute;
};

static enum status load(struct acting *it);
static enum status check_party(struct acting *it);
static enum status open_dispute(struct acting *it);
static enum status move_dispute(struct acting *it);

static enum status act(struct acting *it)
{
    enum status status = load(it);
    if (status == STATUS_OK)
        status = check_party(it);
    if (status != STATUS_OK)
        return status;
    status =
        store_dispute_find(it->store, it->lease.row, it->request->sequence, it->dispute, it->fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (it->request->action == DISPUTE_DO_OPEN)
        return status == STATUS_OK ? STATUS_OK : open_dispute(it);
    return status == STATUS_OK ? move_dispute(it) : status;
}

enum status dispute_act(struct store *store, const struct name *member,
                        const struct dispute_request *request, const struct lease_limits *limits,
                        int64_t now_wall_ms, struct store_dispute *dispute, struct fault *fault)
{
    struct arena arena;
    struct acting it = {.store = store,
                        .member = member,
                        .request = request,
                        .limits = limits,
                        .now_wall_ms = now_wall_ms,
                        .arena = &arena,
                        .fault = fault,
                        .dispute = dispute};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = act(&it);
    arena_fini(&arena);
    return status;
}

static enum status load(struct acting *it)
{
    void *decoded = NULL;
    it->claimed_ms = INT64_MAX;
    enum status status =
        store_lease_find(it->store, it->request->lease, it->arena, &it->lease, it->fault);
    if (status != STATUS_OK)
        return status;
    status = store_receipt_find(it->store, it->lease.row, it->request->sequence, it->arena,
                                &it->receipt, it->fault);
    it->has_receipt = status == STATUS_OK;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status =
            wire_decode(&message_receipt, it->receipt.receipt.body, it->arena, &decoded, it->fault);
    if (status != STATUS_OK)
        return status;
    const struct receipt *receipt = decoded;
    it->claimed_ms = receipt->held_ms - receipt->unpayable_ms;
    return STATUS_OK;
}

static enum status check_party(struct acting *it)
{
    const struct lease *lease = it->lease.lease;
    char id[LEASE_ID_TEXT_MAX];
    const struct name nobody = {.text = ""};
    const struct name *whose = &nobody;
    enum dispute_party party = party_of(it->request->action);
    if (party == DISPUTE_HOME)
        whose = &lease->home;
    if (party == DISPUTE_HOST)
        whose = &lease->host;
    if (!name_equal(it->member, whose))
        return fault_set(it->fault, STATUS_DENIED, "lease %s: that is for %s to do",
                         lease_id_format(lease->id, id),
                         party == DISPUTE_OPERATOR ? "the operator" : whose->text);
    return STATUS_OK;
}

static enum status check_open(const struct acting *it)
{
    const struct lease *lease = it->lease.lease;
    char id[LEASE_ID_TEXT_MAX];
    lease_id_format(lease->id, id);
    if (name_equal(&lease->home, &lease->host))
        return fault_set(it->fault, STATUS_PRECONDITION, "lease %s is at home: nobody pays", id);
    if (!it->has_receipt && lease_state_final(it->lease.state))
        return fault_set(it->fault, STATUS_PRECONDITION, "lease %s is %s and has no such receipt",
                         id, lease_state_name(it->lease.state));
    if (it->has_receipt && it->receipt.receipt.home_signed)
        return fault_set(it->fault, STATUS_PRECONDITION,
                         "receipt %u of lease %s bears your own signature",
                         (unsigned)it->request->sequence, id);
    if (it->has_receipt && it->receipt.settled &&
        it->now_wall_ms - it->receipt.first_seen_wall_ms >
            DISPUTE_WINDOW_MS + lease_silent_home_ms(it->limits))
        return fault_set(it->fault, STATUS_PRECONDITION,
                         "receipt %u of lease %s was settled more than %d days ago",
                         (unsigned)it->request->sequence, id,
                         DISPUTE_WINDOW_MS / (24 * 3600 * 1000));
    if (it->request->payable_ms >= it->claimed_ms)
        return fault_set(it->fault, STATUS_INVALID,
                         "payable_ms: the receipt claims no more than that: there is nothing to "
                         "dispute");
    return STATUS_OK;
}

static enum status open_dispute(struct acting *it)
{
    uint32_t open = 0;
    enum status status = check_open(it);
    if (status == STATUS_OK)
        status = store_dispute_count_open(it->store, 0, it->member->text, &open, it->fault);
    if (status == STATUS_OK && open >= DISPUTES_OPEN_MAX)
        return fault_set(it->fault, STATUS_EXHAUSTED, "%u disputes wait for an outcome already",
                         (unsigned)open);
    if (status != STATUS_OK)
        return status;
    *it->dispute = (struct store_dispute){
        .lease_row = it->lease.row,
        .lease = it->lease.lease->id,
        .job = it->lease.lease->job,
        .home = it->lease.lease->home,
        .host = it->lease.lease->host,
        .sequence = it->request->sequence,
        .state = DISPUTE_OPEN,
        .conceded_ms = it->request->payable_ms,
        .payable_ms = -1,
        .opened_wall_ms = it->now_wall_ms,
        .deadline_wall_ms = it->now_wall_ms + lease_silent_home_ms(it->limits),
    };
    snprintf(it->dispute->reason, sizeof it->dispute->reason, "%s", it->request->text);
    return store_dispute_put(it->store, it->dispute, it->fault);
}

/* What the receipt is worth by that end; -1: as posted. */
static int64_t outcome_ms(const struct acting *it, enum dispute_state next)
{
    switch (next) {
    case DISPUTE_RULED: return it->request->payable_ms;
    case DISPUTE_CONCEDED: return it->dispute->conceded_ms;
    case DISPUTE_LAPSED: return it->receipt.settled ? -1 : it->dispute->conceded_ms;
    case DISPUTE_WITHDRAWN: return it->has_receipt && !it->receipt.settled ? it->claimed_ms : -1;
    case DISPUTE_OPEN:
    case DISPUTE_ANSWERED:
    case DISPUTE_STATE_COUNT: break;
    }
    return -1;
}

static enum status close_dispute(struct acting *it, enum dispute_state next)
{
    struct store_dispute *dispute = it->dispute;
    dispute->payable_ms = outcome_ms(it, next);
    if (dispute->payable_ms > it->claimed_ms)
        return fault_set(it->fault, STATUS_INVALID, "payable_ms: the receipt claims %lld ms",
                         (long long)it->claimed_ms);
    dispute->closed_wall_ms = it->now_wall_ms;
    enum status status = store_dispute_put(it->store, dispute, it->fault);
    if (status != STATUS_OK || !it->has_receipt || dispute->payable_ms < 0)
        return status;
    if (it->receipt.settled)
        return settle_correct(it->store, &it->lease, &it->receipt, dispute->payable_ms,
                              it->now_wall_ms, it->fault);
    struct settle_verdict verdict; /* a receipt before this one may be due first: it comes again */
    return settle_receipt(it->store, &dispute->host, &it->receipt.receipt, it->limits,
                          it->now_wall_ms, &verdict, it->fault);
}

static enum status enter(struct acting *it, enum dispute_state next)
{
    struct store_dispute *dispute = it->dispute;
    dispute->state = next;
    if (next == DISPUTE_ANSWERED || next == DISPUTE_CONCEDED)
        snprintf(dispute->answer, sizeof dispute->answer, "%s", it->request->text);
    if (next == DISPUTE_RULED)
        snprintf(dispute->ruling, sizeof dispute->ruling, "%s", it->request->text);
    return dispute_final(next) ? close_dispute(it, next)
                               : store_dispute_put(it->store, dispute, it->fault);
}

/* Where the action leads is where it is: it was done before. */
static bool done_before(const struct acting *it)
{
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (moves[i].action == it->request->action && moves[i].to == it->dispute->state)
            return true;
    return false;
}

static enum status move_dispute(struct acting *it)
{
    enum dispute_state next;
    char id[LEASE_ID_TEXT_MAX];
    if (dispute_next(it->dispute->state, it->request->action, false, &next))
        return enter(it, next);
    if (done_before(it))
        return STATUS_OK;
    return fault_set(it->fault, STATUS_PRECONDITION,
                     "the dispute over receipt %u of lease %s is %s",
                     (unsigned)it->request->sequence, lease_id_format(it->lease.lease->id, id),
                     dispute_state_name(it->dispute->state));
}

/* --- deadlines */

static enum status lapse(struct store *store, struct store_dispute *dispute,
                         const struct lease_limits *limits, int64_t now_wall_ms,
                         struct fault *fault)
{
    struct arena arena;
    const struct dispute_request request = {
        .lease = dispute->lease, .sequence = dispute->sequence, .text = ""};
    struct acting it = {.store = store,
                        .request = &request,
                        .limits = limits,
                        .now_wall_ms = now_wall_ms,
                        .arena = &arena,
                        .fault = fault,
                        .dispute = dispute};
    enum dispute_state next = dispute->state;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = load(&it);
    if (status == STATUS_OK && dispute_next(dispute->state, DISPUTE_DO_OPEN, true, &next))
        status = enter(&it, next);
    arena_fini(&arena);
    return status;
}

enum status dispute_sweep(struct store *store, const struct lease_limits *limits,
                          int64_t now_wall_ms, struct arena *arena, uint32_t *lapsed,
                          struct fault *fault)
{
    struct store_dispute *due = NULL;
    *lapsed = 0;
    enum status status =
        store_dispute_list_due(store, now_wall_ms, DISPUTES_PER_SWEEP, arena, &due, lapsed, fault);
    for (uint32_t i = 0; i < *lapsed && status == STATUS_OK; i++)
        status = lapse(store, &due[i], limits, now_wall_ms, fault);
    return status;
}

/* --- showing */

enum status dispute_show(struct store *store, const struct store_dispute *dispute,
                         struct dispute_row *row, struct fault *fault)
{
    struct arena arena;
    struct store_receipt receipt;
    void *decoded = NULL;
    *row = (struct dispute_row){
        .lease = dispute->lease,
        .sequence = dispute->sequence,
        .job = dispute->job,
        .home = dispute->home,
        .host = dispute->host,
        .state = dispute->state,
        .conceded_ms = dispute->conceded_ms,
        .payable_ms = dispute->payable_ms > 0 ? dispute->payable_ms : 0,
        .reason = dispute->reason,
        .answer = dispute->answer,
        .ruling = dispute->ruling,
        .opened_wall_ms = dispute->opened_wall_ms,
        .deadline_wall_ms = dispute->deadline_wall_ms,
        .closed_wall_ms = dispute->closed_wall_ms,
    };
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        store_receipt_find(store, dispute->lease_row, dispute->sequence, &arena, &receipt, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_receipt, receipt.receipt.body, &arena, &decoded, fault);
    if (status == STATUS_OK) {
        const struct receipt *claim = decoded;
        row->claimed_ms = claim->held_ms - claim->unpayable_ms;
        row->amount = receipt.amount;
    }
    arena_fini(&arena);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
