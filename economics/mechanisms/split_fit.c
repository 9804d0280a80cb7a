/*
 * Split, fit: wanted shares -> side payments that can be paid, and the certificate of what they
 * leave each member.
 *
 * Everybody whose share is below what prices give it pays the difference, up to its purse, and so
 * does the funding account; what came together is shared among the others in proportion to what
 * each is owed. Where no purse is too small that is exactly what is wanted.
 */
#include <assert.h>
#include <stdio.h>

#include "base/apportion.h"
#include "economics/market/epsilon.h"
#include "economics/mechanisms/mechanism.h"

struct fitting {
    const struct market *market;
    const struct plan *plan;
    const struct split_purses *purses;
    struct split *split;
    struct arena *arena;
    int64_t *owed;     /* [member_count] >= 0: by how much prices give too little */
    int64_t *received; /* [member_count] */
};

static enum status make_room(struct fitting *fitting, struct fault *fault);
static int64_t collect_payments(struct fitting *fitting);
static void pay_out(struct fitting *fitting, int64_t paid);
static void certify(struct fitting *fitting);

enum status split_fit(const struct market *market, const struct plan *plan,
                      const struct split_purses *purses, struct arena *arena, struct split *split,
                      struct fault *fault)
{
    struct fitting fitting = {market, plan, purses, split, arena, NULL, NULL};
    enum status status = make_room(&fitting, fault);
    if (status != STATUS_OK)
        return status;
    if (split->paid)
        pay_out(&fitting, collect_payments(&fitting));
    for (uint32_t i = 0; i < market->member_count; i++)
        split->payoff[i].micros = plan->members[i].payoff.micros + split->side[i].micros;
    certify(&fitting);
    return STATUS_OK;
}

static enum status make_room(struct fitting *fitting, struct fault *fault)
{
    uint32_t const n = fitting->market->member_count;
    struct split *split = fitting->split;
    split->side = arena_alloc(fitting->arena, n, sizeof *split->side);
    split->payoff = arena_alloc(fitting->arena, n, sizeof *split->payoff);
    fitting->owed = arena_alloc(fitting->arena, n, sizeof *fitting->owed);
    fitting->received = arena_alloc(fitting->arena, n, sizeof *fitting->received);
    split->funding.micros = 0;
    if (split->side == NULL || split->payoff == NULL || fitting->owed == NULL ||
        fitting->received == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    return STATUS_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Fills owed, and sides of those who pay; what they pay together. */
static int64_t collect_payments(struct fitting *fitting)
{
    const struct split_purses *purses = fitting->purses;
    struct split *split = fitting->split;
    int64_t paid = 0;
    for (uint32_t i = 0; i < fitting->market->member_count; i++) {
        int64_t due = split->wanted[i].micros - fitting->plan->members[i].payoff.micros;
        if ((int32_t)i == purses->funder)
            due -= split->funded.micros;
        fitting->owed[i] = due > 0 ? due : 0;
        int64_t const purse = purses->member == NULL ? INT64_MAX : purses->member[i].micros;
        int64_t const pays = due < 0 ? least(-due, purse) : 0;
        assert(pays >= 0);
        split->side[i].micros = -pays;
        paid += pays;
    }
    if (purses->funder == MARKET_NONE && split->funded.micros > 0)
        split->funding.micros = least(split->funded.micros, purses->outside.micros);
    return paid + split->funding.micros;
}

static void pay_out(struct fitting *fitting, int64_t paid)
{
    uint32_t const n = fitting->market->member_count;
    int64_t owed = 0;
    for (uint32_t i = 0; i < n; i++)
        owed += fitting->owed[i];
    assert(paid <= owed); /* what is wanted adds up */
    apportion(paid, fitting->owed, n, fitting->received);
    for (uint32_t i = 0; i < n; i++)
        fitting->split->side[i].micros += fitting->received[i];
    if (paid < owed)
        snprintf(fitting->split->remark, sizeof fitting->split->remark,
                 "side payments are cut: not all who should pay have the funds");
}

/* --- the certificate */

static void find_worst(struct fitting *fitting)
{
    struct split *split = fitting->split;
    uint32_t const n = fitting->market->member_count;
    for (uint64_t mask = 1; mask < UINT64_C(1) << n; mask++) {
        int64_t payoff = 0;
        for (uint32_t i = 0; i < n; i++)
            payoff += (mask >> i & 1) != 0 ? split->payoff[i].micros : 0;
        int64_t const by = market_excess_micros(split->worth[mask], payoff);
        if (by > split->epsilon.micros) {
            split->epsilon.micros = by;
            split->coalition = mask;
        }
    }
    split->epsilon_exact = true;
}

/* Owen's payoffs cover every coalition, so ε <= Σ max(0, owen_i − u_i). [DESIGN §3] */
static void bound_worst(struct fitting *fitting)
{
    struct split *split = fitting->split;
    for (uint32_t i = 0; i < fitting->market->member_count; i++) {
        int64_t const by = fitting->plan->members[i].owen.micros - split->payoff[i].micros;
        split->epsilon.micros += by > 0 ? by : 0;
    }
    split->epsilon_exact = split->epsilon.micros == 0;
}

static void certify(struct fitting *fitting)
{
    struct split *split = fitting->split;
    split->epsilon = (struct credits){0};
    split->coalition = 0;
    if (split->worth != NULL) {
        find_worst(fitting);
    } else if (!split->paid) {
        split->epsilon = fitting->plan->epsilon;
        split->epsilon_exact = fitting->plan->epsilon_exact;
    } else {
        bound_worst(fitting);
    }
}
