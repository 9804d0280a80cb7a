#include "broker/round/comparison.h"

#include <string.h>

#include "broker/round/planning.h"
#include "broker/round/snapshot.h"
#include "broker/store/rounds.h"
#include "economics/games/market_table.h"

enum { MECHANISM_NAME_MAX = 64, MECHANISMS_MAX = 32 };

struct comparing {
    struct arena *arena;
    struct comparison *comparison;
    struct split_terms terms;
    double *worth; /* NULL: too many members */
};

static enum status load(struct comparing *comparing, struct store *store, uint64_t round,
                        struct fault *fault);
static enum status make_table(struct comparing *comparing, struct fault *fault);
static enum status choose(const char *names, bool *wanted, struct fault *fault);
static enum status add_row(struct comparing *comparing, const struct mechanism *mechanism,
                           struct fault *fault);

enum status comparison_make(struct store *store, uint64_t round, const char *names,
                            struct arena *arena, struct comparison *comparison, struct fault *fault)
{
    struct comparing comparing = {.arena = arena, .comparison = comparison};
    bool wanted[MECHANISMS_MAX] = {false};
    *comparison = (struct comparison){0};
    enum status status = choose(names, wanted, fault);
    if (status == STATUS_OK)
        status = load(&comparing, store, round, fault);
    if (status == STATUS_OK)
        status = make_table(&comparing, fault);
    for (size_t m = 0; m < mechanism_count && status == STATUS_OK; m++)
        if (wanted[m] || &mechanisms[m] == comparing.terms.mechanism)
            status = add_row(&comparing, &mechanisms[m], fault);
    return status;
}

/* Marks the mechanisms that the names mean. */
static enum status choose(const char *names, bool *wanted, struct fault *fault)
{
    bool const all = strcmp(names, "all") == 0;
    for (size_t m = 0; m < mechanism_count; m++)
        wanted[m] = all;
    while (!all && *names != '\0') {
        char name[MECHANISM_NAME_MAX] = "";
        const struct mechanism *found = NULL;
        size_t const length = strcspn(names, ",");
        memcpy(name, names, length < sizeof name ? length : sizeof name - 1);
        enum status status = mechanism_find(name, &found, fault);
        if (status != STATUS_OK)
            return status;
        wanted[found - mechanisms] = true;
        names += length;
        names += *names == ',' ? 1 : 0;
    }
    return STATUS_OK;
}

static enum status load(struct comparing *comparing, struct store *store, uint64_t round,
                        struct fault *fault)
{
    struct store_round record;
    struct bytes state;
    struct comparison *comparison = comparing->comparison;
    enum status status = store_round_find(store, round, comparing->arena, &record, fault);
    if (status == STATUS_OK)
        status = snapshot_decode(record.snapshot, comparing->arena, &comparison->market,
                                 &comparing->terms, &state, fault);
    if (status == STATUS_OK)
        status = planning_again(comparing->terms.mechanism, &comparison->market, state,
                                comparing->arena, &comparison->plan, fault);
    if (status != STATUS_OK)
        return status;
    comparison->round = record.row.round;
    comparison->rows = arena_alloc(comparing->arena, mechanism_count, sizeof *comparison->rows);
    return comparison->rows != NULL
               ? STATUS_OK
               : fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
}

static enum status make_table(struct comparing *comparing, struct fault *fault)
{
    const struct market *market = &comparing->comparison->market;
    if (market->member_count == 0 || market->member_count > MARKET_TABLE_PLAYERS_MAX)
        return STATUS_OK;
    comparing->worth =
        arena_alloc(comparing->arena, (size_t)1 << market->member_count, sizeof(double));
    if (comparing->worth == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
    return market_table(market, 0, comparing->worth, fault);
}

/* What the objecting coalition would reach, and has. */
static void tell_objection(const struct comparing *comparing, struct comparison_row *row)
{
    uint64_t const coalition = row->split.coalition;
    for (uint32_t i = 0; coalition != 0 && i < comparing->comparison->market.member_count; i++)
        row->payoff.micros += (coalition >> i & 1) != 0 ? row->split.payoff[i].micros : 0;
    row->reach.micros = row->payoff.micros + row->split.epsilon.micros;
}

static enum status add_row(struct comparing *comparing, const struct mechanism *mechanism,
                           struct fault *fault)
{
    struct comparison *comparison = comparing->comparison;
    struct comparison_row *row = &comparison->rows[comparison->row_count++];
    struct split_purses const unbounded = {
        .member = NULL, .funder = MARKET_NONE, .outside = {INT64_MAX}};
    *row = (struct comparison_row){.mechanism = mechanism,
                                   .chosen = mechanism == comparing->terms.mechanism};
    enum status status = split_find(mechanism, &comparison->market, &comparison->plan,
                                    comparing->worth, comparing->arena, &row->split, fault);
    if (status == STATUS_OK)
        status = split_fit(&comparison->market, &comparison->plan,
                           row->chosen && row->split.paid ? &comparing->terms.purses : &unbounded,
                           comparing->arena, &row->split, fault);
    if (status == STATUS_OK)
        tell_objection(comparing, row);
    return status;
}
