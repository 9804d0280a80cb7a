/*
 * Settle: a receipt -> ledger entries. First everything that may refuse it, in order; then the
 * amount; then, once, the posting and the moves.
 */
#include "broker/money/settle.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/apportion.h"
#include "broker/money/dispute.h"
#include "broker/money/ledger.h"
#include "broker/money/sides.h"
#include "proto/identity/identity.h"
#include "proto/wire/methods.h"

/* One receipt on its way through the steps. */
struct settling {
    struct store *store;
    const struct name *member;
    const struct signed_receipt *sent;
    const struct lease_limits *limits;
    int64_t now_wall_ms;
    struct arena *arena;
    struct settle_verdict *verdict;
    struct fault *fault;

    const struct receipt *receipt;
    struct store_lease lease;
    bool foreign; /* home pays host */
    bool known;   /* kept below, from an earlier report */
    struct store_receipt kept;
    bool capped;
    struct credits metered; /* before the cap */
    bool ruled;             /* a dispute over it has an outcome */
    int64_t payable_ms;
};

/* A step says how it goes on: to the next step, or the verdict is made, or the store failed. */
enum step { STEP_ON, STEP_DONE, STEP_FAILED };

static enum step decode(struct settling *it);
static enum step find_lease(struct settling *it);
static enum step check_names(struct settling *it);
static enum step check_signatures(struct settling *it);
static enum step check_repeat(struct settling *it);
static enum step check_order(struct settling *it);
static enum step check_time(struct settling *it);
static enum step check_dispute(struct settling *it);
static enum step check_home_signed(struct settling *it);
static enum step pay(struct settling *it);

static enum step (*const steps[])(struct settling *) = {
    decode,      find_lease, check_names,   check_signatures,  check_repeat,
    check_order, check_time, check_dispute, check_home_signed, pay,
};

enum status settle_receipt(struct store *store, const struct name *member,
                           const struct signed_receipt *receipt, const struct lease_limits *limits,
                           int64_t now_wall_ms, struct settle_verdict *verdict, struct fault *fault)
{
    struct arena arena;
    struct fault own = {.status = STATUS_INTERNAL};
    struct settling it = {.store = store,
                          .member = member,
                          .sent = receipt,
                          .limits = limits,
                          .now_wall_ms = now_wall_ms,
                          .arena = &arena,
                          .verdict = verdict,
                          .fault = &own};
    enum step step = STEP_ON;
    *verdict = (struct settle_verdict){.accepted = false};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && step == STEP_ON; i++)
        step = steps[i](&it);
    arena_fini(&arena);
    assert(step != STEP_ON);
    if (step == STEP_DONE)
        return STATUS_OK;
    return fault_set(fault, own.status, "%s", own.text);
}

static enum step refuse(struct settling *it, const char *format, ...) PRINTF_LIKE(2, 3);

static enum step refuse(struct settling *it, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(it->verdict->reason, sizeof it->verdict->reason, format, arguments);
    va_end(arguments);
    it->verdict->accepted = false;
    return STEP_DONE;
}

/* --- what may refuse it */

static enum step decode(struct settling *it)
{
    void *domain = NULL;
    struct fault why = {.text = ""};
    if (wire_decode(&message_receipt, it->sent->body, it->arena, &domain, &why) != STATUS_OK)
        return refuse(it, "the receipt does not decode: %s", why.text);
    it->receipt = domain;
    it->verdict->lease = it->receipt->lease;
    it->verdict->sequence = it->receipt->sequence;
    return STEP_ON;
}

static enum step find_lease(struct settling *it)
{
    char text[LEASE_ID_TEXT_MAX];
    enum status status =
        store_lease_find(it->store, it->receipt->lease, it->arena, &it->lease, it->fault);
    if (status == STATUS_NOT_FOUND)
        return refuse(it, "there never was a lease %s", lease_id_format(it->receipt->lease, text));
    if (status != STATUS_OK)
        return STEP_FAILED;
    it->foreign = !name_equal(&it->lease.lease->home, &it->lease.lease->host);
    return STEP_ON;
}

static enum step check_names(struct settling *it)
{
    const struct receipt *receipt = it->receipt;
    const struct lease *lease = it->lease.lease;
    if (!name_equal(it->member, &lease->host))
        return refuse(it, "only its host reports the receipts of a lease, '%s' is not it",
                      it->member->text);
    if (!name_equal(&receipt->host, &lease->host) || !name_equal(&receipt->home, &lease->home) ||
        !name_equal(&receipt->job, &lease->job))
        return refuse(it, "the receipt names another job, home or host than its lease");
    if (receipt->gpu_count != lease->gpu_count)
        return refuse(it, "the receipt is over %u GPUs, the lease over %u",
                      (unsigned)receipt->gpu_count, (unsigned)lease->gpu_count);
    return STEP_ON;
}

static enum step check_signatures(struct settling *it)
{
    const struct signed_receipt *sent = it->sent;
    const struct lease *lease = it->lease.lease;
    if (signing_verify(&lease->host_key, SIGN_RECEIPT_HOST, sent->body, &sent->host_signature,
                       NULL) != STATUS_OK)
        return refuse(it, "forged: the host's signature is not of its key over this receipt");
    if (sent->home_signed && signing_verify(&lease->home_key, SIGN_RECEIPT_HOME, sent->body,
                                            &sent->home_signature, NULL) != STATUS_OK)
        return refuse(it, "forged: the home's signature is not of its key over this receipt");
    return STEP_ON;
}

static bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The natural key: settled once, the same verdict for ever. */
static enum step check_repeat(struct settling *it)
{
    enum status status = store_receipt_find(it->store, it->lease.row, it->receipt->sequence,
                                            it->arena, &it->kept, it->fault);
    if (status == STATUS_NOT_FOUND)
        return STEP_ON;
    if (status != STATUS_OK)
        return STEP_FAILED;
    it->known = true;
    bool same = bytes_equal(it->kept.receipt.body, it->sent->body);
    if (it->kept.settled && !same)
        return refuse(it, "conflicts with receipt %u of this lease, which is settled",
                      (unsigned)it->receipt->sequence);
    if (!it->kept.settled && !same && !it->sent->home_signed)
        return refuse(it, "conflicts with receipt %u of this lease, which waits for the home",
                      (unsigned)it->receipt->sequence);
    if (!it->kept.settled)
        return STEP_ON;
    it->verdict->accepted = true;
    it->verdict->amount = it->kept.amount;
    memcpy(it->verdict->reason, it->kept.reason, sizeof it->verdict->reason);
    return STEP_DONE;
}

static enum step check_order(struct settling *it)
{
    enum lease_state state = it->lease.state;
    if (state == LEASE_STATE_PLANNED || lease_state_final(state))
        return refuse(it, "the lease is %s: it takes no receipt", lease_state_name(state));
    if (it->receipt->sequence != it->lease.receipts + 1)
        return refuse(it, "out of sequence: receipt %u of this lease is next",
                      (unsigned)it->lease.receipts + 1);
    return STEP_ON;
}

static enum step check_time(struct settling *it)
{
    const struct lease *lease = it->lease.lease;
    int64_t held_ms = it->lease.held_ms + it->receipt->held_ms;
    int64_t longest_ms = lease->duration_ms + lease->holdover_ms + it->limits->grace_ms;
    int64_t since_grant_ms = it->now_wall_ms - it->lease.granted_wall_ms;
    if (held_ms > longest_ms + it->limits->skew_ms)
        return refuse(it, "impossible in time: held %lld ms, the lease allows %lld at most",
                      (long long)held_ms, (long long)longest_ms);
    if (held_ms > since_grant_ms + it->limits->skew_ms)
        return refuse(it, "impossible in time: held %lld ms, granted only %lld ms ago",
                      (long long)held_ms, (long long)since_grant_ms);
    if (it->receipt->ended_wall_ms > it->now_wall_ms + it->limits->skew_ms)
        return refuse(it, "impossible in time: it ended in the future, check the host's clock");
    return STEP_ON;
}

static enum step keep(struct settling *it, bool settled, struct credits amount)
{
    struct store_receipt kept = {.lease_row = it->lease.row,
                                 .sequence = it->receipt->sequence,
                                 .receipt = *it->sent,
                                 .first_seen_wall_ms =
                                     it->known ? it->kept.first_seen_wall_ms : it->now_wall_ms,
                                 .settled = settled,
                                 .amount = amount};
    memcpy(kept.reason, it->verdict->reason, sizeof kept.reason);
    return store_receipt_put(it->store, &kept, it->fault) == STATUS_OK ? STEP_ON : STEP_FAILED;
}

/* Home's signature ends its dispute; a host that reports the receipt again stands by it. */
static enum status dispute_hear(struct settling *it, struct store_dispute *dispute)
{
    if (it->sent->home_signed) {
        dispute->state = DISPUTE_WITHDRAWN;
        dispute->closed_wall_ms = it->now_wall_ms;
    } else if (dispute->state == DISPUTE_OPEN && it->known) {
        dispute->state = DISPUTE_ANSWERED;
        snprintf(dispute->answer, sizeof dispute->answer, "reported again: the host stands by it");
    } else {
        return STATUS_OK;
    }
    return store_dispute_put(it->store, dispute, it->fault);
}

static enum step check_dispute(struct settling *it)
{
    struct store_dispute dispute;
    it->payable_ms = it->receipt->held_ms - it->receipt->unpayable_ms;
    enum status status =
        store_dispute_find(it->store, it->lease.row, it->receipt->sequence, &dispute, it->fault);
    if (status == STATUS_NOT_FOUND)
        return STEP_ON;
    if (status == STATUS_OK && !dispute_final(dispute.state))
        status = dispute_hear(it, &dispute);
    if (status != STATUS_OK)
        return STEP_FAILED;
    if (!dispute_final(dispute.state)) {
        (void)refuse(it, "disputed by its home (%s): %.120s", dispute_state_name(dispute.state),
                     dispute.reason);
        return keep(it, false, (struct credits){0}) == STEP_ON ? STEP_DONE : STEP_FAILED;
    }
    it->ruled = dispute.payable_ms >= 0;
    if (it->ruled && dispute.payable_ms < it->payable_ms)
        it->payable_ms = dispute.payable_ms;
    return STEP_ON;
}

/* A silent home is deemed to accept what its lease's cap covers, a day after it was first reported.
 */
static enum step check_home_signed(struct settling *it)
{
    if (!it->foreign || it->sent->home_signed || it->ruled)
        return STEP_ON;
    if (it->known &&
        it->now_wall_ms - it->kept.first_seen_wall_ms >= lease_silent_home_ms(it->limits))
        return STEP_ON;
    (void)refuse(it, "waits for the home's signature; taken without it after a day");
    return keep(it, false, (struct credits){0}) == STEP_ON ? STEP_DONE : STEP_FAILED;
}

/* --- the amount */

/* What the lease still allows: its cap, with home's word also the time held over; less what is
 * paid. */
static struct credits room(const struct settling *it)
{
    const struct lease *lease = it->lease.lease;
    struct credits allowed = lease->cap;
    struct credits extra;
    int64_t over_ms = it->lease.held_ms + it->receipt->held_ms - lease->duration_ms;
    if (over_ms > lease->holdover_ms)
        over_ms = lease->holdover_ms;
    if (over_ms > 0 && (it->sent->home_signed || it->ruled) &&
        (!price_amount(lease->price, lease->gpu_count, over_ms, &extra) ||
         !credits_add(allowed, extra, &allowed)))
        allowed.micros = INT64_MAX;
    struct credits left = {0};
    if (allowed.micros > it->lease.paid.micros)
        left.micros = allowed.micros - it->lease.paid.micros;
    return left;
}

static struct credits amount_due(struct settling *it)
{
    const struct lease *lease = it->lease.lease;
    struct credits left = room(it);
    if (!it->foreign)
        return (struct credits){0};
    if (!price_amount(lease->price, lease->gpu_count, it->payable_ms, &it->metered))
        it->metered.micros = INT64_MAX;
    it->capped = it->metered.micros > left.micros;
    return it->capped ? left : it->metered;
}

static void reason_note(struct settling *it, struct credits amount)
{
    char paid[CREDITS_TEXT_MAX];
    char metered[CREDITS_TEXT_MAX];
    if (it->capped)
        snprintf(it->verdict->reason, sizeof it->verdict->reason,
                 "paid %s, all that the lease's cap leaves; %s was metered",
                 credits_format(amount, paid), credits_format(it->metered, metered));
}

/* --- the posting */

static enum status post(struct settling *it, struct credits amount)
{
    struct ledger_part parts[SHARES_PER_LEASE_MAX];
    struct credits amounts[SHARES_PER_LEASE_MAX];
    struct credits used = {0};
    struct store_lease *lease = &it->lease;
    char id[LEASE_ID_TEXT_MAX];
    char reference[SETTLE_REFERENCE_MAX];
    settle_reference(lease_id_format(lease->lease->id, id), it->receipt->sequence, reference);
    settle_split(amount, lease->shares, lease->share_count, amounts);
    for (uint32_t i = 0; i < lease->share_count; i++)
        parts[i] = (struct ledger_part){lease->shares[i].member, amounts[i]};
    enum status status =
        ledger_settle(it->store, &lease->lease->home, lease->escrowed, parts, lease->share_count,
                      reference, it->now_wall_ms, &used, it->fault);
    lease->escrowed.micros -= used.micros;
    lease->paid.micros += amount.micros;
    lease->held_ms += it->receipt->held_ms;
    lease->receipts = it->receipt->sequence;
    if (status != STATUS_OK)
        return status;
    return sides_deliver(it->store, lease->lease->id, it->payable_ms, it->fault);
}

static enum status close(struct settling *it)
{
    const struct receipt *receipt = it->receipt;
    enum lease_state next;
    enum lease_move move = LEASE_MOVE_SETTLE;
    if (!receipt->last)
        return store_lease_update(it->store, &it->lease, it->fault);
    /* never started: void, unless the host had reported it running */
    if (receipt->outcome == LEASE_OUTCOME_UNUSED && receipt->held_ms == 0 &&
        lease_next(it->lease.state, LEASE_MOVE_UNUSED, &next))
        move = LEASE_MOVE_UNUSED;
    enum status status = lease_move(it->store, &it->lease, move, it->now_wall_ms, it->fault);
    if (status != STATUS_OK || receipt->outcome == LEASE_OUTCOME_RENEWED)
        return status;
    return lease_void_renewals(it->store, &it->lease, "the job's use of its GPUs has ended",
                               it->now_wall_ms, it->fault);
}

static enum step pay(struct settling *it)
{
    struct credits amount = amount_due(it);
    reason_note(it, amount);
    if (post(it, amount) != STATUS_OK || keep(it, true, amount) != STEP_ON ||
        close(it) != STATUS_OK)
        return STEP_FAILED;
    it->verdict->accepted = true;
    it->verdict->amount = amount;
    return STEP_DONE;
}

void settle_reference(const char *lease, uint32_t sequence, char text[static SETTLE_REFERENCE_MAX])
{
    snprintf(text, SETTLE_REFERENCE_MAX, "%s receipt %u", lease, (unsigned)sequence);
}

/* --- the split of an amount */

void settle_split(struct credits amount, const struct lease_share *shares, uint32_t share_count,
                  struct credits *parts)
{
    int64_t weights[SHARES_PER_LEASE_MAX] = {0};
    int64_t micros[SHARES_PER_LEASE_MAX];
    assert(share_count <= SHARES_PER_LEASE_MAX);
    for (uint32_t i = 0; i < share_count; i++)
        weights[i] = shares[i].price.nanos;
    apportion(amount.micros, weights, share_count, micros);
    for (uint32_t i = 0; i < share_count; i++)
        parts[i].micros = micros[i];
}
