#include "economics/games/market_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "economics/games/coalition_lp.h"
#include "economics/games/table_cache.h"

enum { LOW_MEMBERS = 10 }; /* an item is 1024 coalitions: one fresh start in a thousand walks */

struct table {
    const struct market *market;
    double *worth;
    uint32_t order[MARKET_TABLE_PLAYERS_MAX]; /* members, the cheapest to flip first */
    uint32_t low;                             /* how many of them are walked through in an item */
    uint32_t items;
    atomic_uint next;
    atomic_uint finished; /* items, those kept before among them */
    atomic_bool failed;
    const struct table_work *work;
    unsigned char *done; /* [items] */
};

struct worker {
    struct table *table;
    bool first; /* the calling thread: it tells of progress */
    pthread_t thread;
    enum status status;
    struct fault fault;
};

static enum status order_members(struct table *table, struct fault *fault);
static void *work(void *argument);
static uint32_t thread_count(uint32_t wanted, uint32_t items);

static enum status make(struct table *table, uint32_t threads, struct fault *fault)
{
    struct worker workers[MARKET_TABLE_THREADS_MAX];
    enum status status = order_members(table, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t count = thread_count(threads, table->items);
    uint32_t started = 0;
    for (uint32_t t = 0; t < count; t++)
        workers[t] = (struct worker){.table = table, .first = t == 0, .status = STATUS_OK};
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
    table->worth[0] = 0.0;
    return status;
}

/* From the file and to it, where there is one. */
static enum status make_kept(struct table *table, uint32_t threads, const char *path,
                             struct fault *fault)
{
    uint32_t const n = table->market->member_count;
    uint32_t kept = 0;
    if (path != NULL && !table_cache_load(path, n, table->items, table->worth, table->done))
        memset(table->done, 0, table->items);
    for (uint32_t k = 0; k < table->items; k++)
        kept += table->done[k];
    atomic_store(&table->finished, kept);
    enum status status = kept < table->items ? make(table, threads, fault) : STATUS_OK;
    uint32_t const finished = atomic_load(&table->finished);
    bool const keeps =
        path != NULL && finished > kept && status == STATUS_OK &&
        table_cache_store(path, n, table->items, table->worth, table->done, NULL) == STATUS_OK;
    if (status == STATUS_OK && finished < table->items)
        return fault_set(
            fault, STATUS_EXHAUSTED, "stopped at %u of %u parts of the table of worths%s", finished,
            table->items,
            keeps || finished == kept ? ", which are kept: the same again goes on there" : "");
    return status;
}

static enum status run(const struct market *market, uint32_t threads,
                       const struct table_work *watched, double *worth, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct table table = {.market = market, .worth = worth, .work = watched};
    uint32_t n = market->member_count;
    assert(n <= MARKET_TABLE_PLAYERS_MAX);
    table.low = n < LOW_MEMBERS ? n : LOW_MEMBERS;
    table.items = 1u << (n - table.low);
    table.done = calloc(table.items, 1);
    if (table.done == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a table of worths");
    bool const keep =
        watched->keep && n >= MARKET_TABLE_KEPT_PLAYERS_MIN && table_cache_path(market, path);
    enum status status = make_kept(&table, threads, keep ? path : NULL, fault);
    free(table.done);
    return status;
}

enum status market_table(const struct market *market, uint32_t threads, double *worth,
                         struct fault *fault)
{
    static const struct table_work unwatched = {.stop = NULL};
    return run(market, threads, &unwatched, worth, fault);
}

enum status market_table_run(const struct market *market, const struct table_work *watched,
                             double *worth, struct fault *fault)
{
    return run(market, 0, watched, worth, fault);
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

static bool is_stopped(const struct table *table)
{
    return table->work->stop != NULL && table->work->stop(table->work->context);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct table *table = worker->table;
    struct coalition_lp *lp;
    worker->status = coalition_lp_open(table->market, &lp, &worker->fault);
    while (worker->status == STATUS_OK && !atomic_load(&table->failed) && !is_stopped(table)) {
        uint32_t item = atomic_fetch_add(&table->next, 1);
        if (item >= table->items)
            break;
        if (table->done[item] != 0)
            continue;
        worker->status = solve_item(table, lp, item, &worker->fault);
        if (worker->status != STATUS_OK)
            break;
        table->done[item] = 1;
        uint32_t const finished = atomic_fetch_add(&table->finished, 1) + 1;
        if (worker->first && table->work->progress != NULL)
            table->work->progress(table->work->context, finished, table->items);
    }
    if (worker->status != STATUS_OK)
        atomic_store(&table->failed, true);
    coalition_lp_close(lp);
    return NULL;
}
