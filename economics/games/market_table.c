#include "economics/games/market_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "economics/games/coalition_lp.h"

enum { LOW_MEMBERS = 10 }; /* an item is 1024 coalitions: one fresh start in a thousand walks */

struct table {
    const struct market *market;
    double *worth;
    uint32_t order[MARKET_TABLE_PLAYERS_MAX]; /* members, the cheapest to flip first */
    uint32_t low;                             /* how many of them are walked through in an item */
    uint32_t items;
    atomic_uint next;
    atomic_bool failed;
};

struct worker {
    struct table *table;
    pthread_t thread;
    enum status status;
    struct fault fault;
};

static enum status order_members(struct table *table, struct fault *fault);
static void *work(void *argument);
static uint32_t thread_count(uint32_t wanted, uint32_t items);

enum status market_table(const struct market *market, uint32_t threads, double *worth,
                         struct fault *fault)
{
    struct table table = {.market = market, .worth = worth};
    struct worker workers[MARKET_TABLE_THREADS_MAX];
    uint32_t n = market->member_count;
    assert(n <= MARKET_TABLE_PLAYERS_MAX);
    table.low = n < LOW_MEMBERS ? n : LOW_MEMBERS;
    table.items = 1u << (n - table.low);
    enum status status = order_members(&table, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t count = thread_count(threads, table.items);
    uint32_t started = 0;
    for (uint32_t t = 0; t < count; t++)
        workers[t] = (struct worker){.table = &table, .status = STATUS_OK};
    for (uint32_t t = 1; t < count; t++) /* the first is this thread */
        if (pthread_create(&workers[t].thread, NULL, work, &workers[t]) == 0)
            started = t;
        else
            break;
    work(&workers[0]);
    for (uint32_t t = 1; t <= started; t++)
        pthread_join(workers[t].thread, NULL);
    for (uint32_t t = 0; t < count && status == STATUS_OK; t++)
        if (workers[t].status != STATUS_OK)
            status = fault_set(fault, workers[t].status, "%s", workers[t].fault.text);
    worth[0] = 0.0;
    return status;
}

static uint32_t thread_count(uint32_t wanted, uint32_t items)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t count = wanted != 0 ? wanted : cores > 0 ? (uint32_t)cores : 1;
    count = count < items ? count : items;
    return count < MARKET_TABLE_THREADS_MAX ? count : MARKET_TABLE_THREADS_MAX;
}

/* Pivots that it takes for each member to leave the others and to come back. */
static enum status order_members(struct table *table, struct fault *fault)
{
    uint32_t n = table->market->member_count;
    uint64_t pivots[MARKET_TABLE_PLAYERS_MAX] = {0};
    struct coalition_lp *lp;
    double worth;
    enum status status = coalition_lp_open(table->market, &lp, fault);
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++)
        coalition_lp_set(lp, i, 1.0);
    if (status == STATUS_OK)
        status = coalition_lp_solve(lp, &worth, fault);
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        uint64_t before = coalition_lp_pivots(lp);
        coalition_lp_set(lp, i, 0.0);
        status = coalition_lp_solve(lp, &worth, fault);
        coalition_lp_set(lp, i, 1.0);
        if (status == STATUS_OK)
            status = coalition_lp_solve(lp, &worth, fault);
        pivots[i] = coalition_lp_pivots(lp) - before;
        uint32_t at = i;
        for (; at > 0 && pivots[table->order[at - 1]] > pivots[i]; at--)
            table->order[at] = table->order[at - 1];
        table->order[at] = i;
    }
    coalition_lp_close(lp);
    return status;
}

/* One fresh start, then a member joins or leaves between each coalition and the next. */
static enum status solve_item(const struct table *table, struct coalition_lp *lp, uint32_t item,
                              struct fault *fault)
{
    uint32_t n = table->market->member_count;
    uint32_t coalition = 0;
    enum status status = STATUS_OK;
    coalition_lp_restart(lp);
    for (uint32_t k = 0; k < n; k++) {
        bool in = k >= table->low && (item >> (k - table->low) & 1) != 0;
        coalition_lp_set(lp, table->order[k], in ? 1.0 : 0.0);
        coalition |= in ? 1u << table->order[k] : 0;
    }
    for (uint32_t step = 0; step < 1u << table->low && status == STATUS_OK; step++) {
        if (step > 0) {
            uint32_t member = table->order[__builtin_ctz(step)];
            coalition ^= 1u << member;
            coalition_lp_set(lp, member, (coalition >> member & 1) != 0 ? 1.0 : 0.0);
        }
        status = coalition_lp_solve(lp, &table->worth[coalition], fault);
    }
    return status;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct table *table = worker->table;
    struct coalition_lp *lp;
    worker->status = coalition_lp_open(table->market, &lp, &worker->fault);
    while (worker->status == STATUS_OK && !atomic_load(&table->failed)) {
        uint32_t item = atomic_fetch_add(&table->next, 1);
        if (item >= table->items)
            break;
        worker->status = solve_item(table, lp, item, &worker->fault);
    }
    if (worker->status != STATUS_OK)
        atomic_store(&table->failed, true);
    coalition_lp_close(lp);
    return NULL;
}
