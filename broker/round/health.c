#include "broker/round/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair_key {
    struct name job;
    struct name host;
};

struct health_pair {
    struct pair_key key;
    uint32_t failures; /* in a row */
    int64_t until_boot_ms;
    UT_hash_handle hh;
};

struct failure {
    struct name job;
    struct name home;
    int64_t boot_ms;
};

struct health_pool {
    struct pool_id key;
    struct failure failures[HEALTH_FAILURES_KEPT]; /* a ring */
    uint32_t newest;
    uint32_t count;
    uint32_t quarantines;  /* in a row */
    int64_t until_boot_ms; /* 0: never quarantined */
    uint32_t jobs;         /* that led to it */
    char reason[HEALTH_REASON_BYTES_MAX + 1];
    UT_hash_handle hh;
};

void health_init(struct health *health, const struct clock *clock,
                 const struct broker_config *config)
{
    *health = (struct health){.clock = clock, .config = config};
}

void health_fini(struct health *health)
{
    struct health_pair *pair = NULL, *next_pair = NULL;
    struct health_pool *pool = NULL, *next_pool = NULL;
    HASH_ITER(hh, health->pairs, pair, next_pair)
    {
        HASH_DEL(health->pairs, pair);
        free(pair);
    }
    HASH_ITER(hh, health->pools, pool, next_pool)
    {
        HASH_DEL(health->pools, pool);
        free(pool);
    }
}

static int64_t now_ms(const struct health *health)
{
    return clock_boot_ms(health->clock);
}

/* first × 2^times, at most most. */
static int64_t doubled(int64_t first_ms, uint32_t times, int64_t most_ms)
{
    int64_t pause_ms = first_ms;
    for (uint32_t i = 0; i < times && pause_ms < most_ms; i++)
        pause_ms *= 2;
    return pause_ms < most_ms ? pause_ms : most_ms;
}

/* --- pairs */

static struct health_pair *find_pair(const struct health *health, const struct lease *lease)
{
    struct pair_key key;
    struct health_pair *pair = NULL;
    memset(&key, 0, sizeof key);
    key.job = lease->job;
    key.host = lease->host;
    HASH_FIND(hh, health->pairs, &key, sizeof key, pair);
    return pair;
}

/* NULL without memory or at the limit: it will merely be tried again sooner. */
static struct health_pair *make_pair(struct health *health, const struct lease *lease)
{
    struct health_pair *pair = find_pair(health, lease);
    if (pair != NULL || HASH_COUNT(health->pairs) >= HEALTH_PAIRS_MAX)
        return pair;
    pair = calloc(1, sizeof *pair);
    if (pair == NULL)
        return NULL;
    pair->key.job = lease->job;
    pair->key.host = lease->host;
    HASH_ADD(hh, health->pairs, key, sizeof pair->key, pair);
    return pair;
}

void health_start_worked(struct health *health, const struct lease *lease)
{
    struct health_pair *pair = find_pair(health, lease);
    if (pair == NULL)
        return;
    HASH_DEL(health->pairs, pair);
    free(pair);
}

/* --- pools */

static struct health_pool *find_pool(const struct health *health, const struct name *member,
                                     const struct name *gpu)
{
    struct pool_id key;
    struct health_pool *pool = NULL;
    memset(&key, 0, sizeof key);
    key.member = *member;
    key.gpu = *gpu;
    HASH_FIND(hh, health->pools, &key, sizeof key, pool);
    return pool;
}

static struct health_pool *make_pool(struct health *health, const struct lease *lease)
{
    struct health_pool *pool = find_pool(health, &lease->host, &lease->gpu);
    if (pool != NULL || HASH_COUNT(health->pools) >= HEALTH_POOLS_MAX)
        return pool;
    pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->key.member = lease->host;
    pool->key.gpu = lease->gpu;
    HASH_ADD(hh, health->pools, key, sizeof pool->key, pool);
    return pool;
}

/* Distinct jobs among the recent failures; of one home at most one fewer than `enough`. */
static uint32_t count_jobs(const struct health *health, const struct health_pool *pool,
                           uint32_t enough)
{
    uint32_t jobs = 0;
    bool two_homes = false;
    int64_t since_ms = now_ms(health) - health->config->quarantine_window_ms;
    for (uint32_t i = 0; i < pool->count; i++) {
        bool known = pool->failures[i].boot_ms < since_ms;
        for (uint32_t before = 0; before < i; before++) {
            bool recent = pool->failures[before].boot_ms >= since_ms;
            known = known ||
                    (recent && name_equal(&pool->failures[before].job, &pool->failures[i].job));
            two_homes =
                two_homes || (recent && pool->failures[i].boot_ms >= since_ms &&
                              !name_equal(&pool->failures[before].home, &pool->failures[i].home));
        }
        jobs += known ? 0 : 1;
    }
    return two_homes || jobs < enough ? jobs : enough - 1;
}

static void quarantine_where_due(const struct health *health, struct health_pool *pool)
{
    uint32_t enough = health->config->quarantine_failures;
    uint32_t jobs = enough > 0 ? count_jobs(health, pool, enough) : 0;
    if (jobs < enough || enough == 0 || pool->until_boot_ms > now_ms(health))
        return;
    pool->until_boot_ms = now_ms(health) + doubled(health->config->quarantine_pause_ms,
                                                   pool->quarantines, HEALTH_QUARANTINE_MS_MAX);
    pool->quarantines++;
    pool->jobs = jobs;
    pool->count = 0;
}

static void note_failure(struct health *health, const struct lease *lease, const char *reason)
{
    struct health_pool *pool = make_pool(health, lease);
    if (pool == NULL)
        return;
    if (pool->count < HEALTH_FAILURES_KEPT)
        pool->newest = pool->count++;
    else
        pool->newest = (pool->newest + 1) % HEALTH_FAILURES_KEPT;
    pool->failures[pool->newest] = (struct failure){lease->job, lease->home, now_ms(health)};
    snprintf(pool->reason, sizeof pool->reason, "%s", reason);
    quarantine_where_due(health, pool);
}

/* --- what happened */

int64_t health_start_failed(struct health *health, const struct lease *lease, bool by_host,
                            const char *reason)
{
    struct health_pair *pair = make_pair(health, lease);
    if (by_host)
        note_failure(health, lease, reason);
    if (pair == NULL)
        return HEALTH_PAUSE_MS_FIRST;
    int64_t pause_ms = doubled(HEALTH_PAUSE_MS_FIRST, pair->failures, HEALTH_PAUSE_MS_MAX);
    pair->failures++;
    pair->until_boot_ms = now_ms(health) + pause_ms;
    return pause_ms;
}

void health_use_ended(struct health *health, const struct lease *lease, enum lease_outcome outcome,
                      int64_t held_ms)
{
    struct health_pool *pool = find_pool(health, &lease->host, &lease->gpu);
    bool failed = outcome == LEASE_OUTCOME_JOB_FAILED || outcome == LEASE_OUTCOME_HOST_FAILED;
    if (failed && held_ms < HEALTH_SHORT_MS)
        note_failure(health, lease,
                     outcome == LEASE_OUTCOME_JOB_FAILED ? "jobs fail soon after their start"
                                                         : "the host fails its jobs");
    else if (!failed && outcome != LEASE_OUTCOME_UNUSED && pool != NULL) {
        pool->count = 0;
        pool->quarantines = 0;
    }
}

/* --- what a round avoids */

enum status health_avoid(const struct health *health, struct arena *arena,
                         struct collect_input *input, struct fault *fault)
{
    struct collect_avoid *pairs = arena_alloc(arena, HASH_COUNT(health->pairs) + 1, sizeof *pairs);
    struct pool_id *pools = arena_alloc(arena, HASH_COUNT(health->pools) + 1, sizeof *pools);
    if (pairs == NULL || pools == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
    for (const struct health_pair *pair = health->pairs; pair != NULL; pair = pair->hh.next)
        if (pair->until_boot_ms > now_ms(health))
            pairs[input->avoided_count++] = (struct collect_avoid){pair->key.job, pair->key.host};
    for (const struct health_pool *pool = health->pools; pool != NULL; pool = pool->hh.next)
        if (pool->until_boot_ms > now_ms(health))
            pools[input->quarantined_count++] = pool->key;
    if (input->avoided_count > 0)
        qsort(pairs, input->avoided_count, sizeof *pairs, collect_avoid_compare);
    input->avoided = pairs;
    input->quarantined = pools;
    return STATUS_OK;
}

/* --- for people */

enum status health_list(const struct health *health, int64_t wall_ms, struct arena *arena,
                        struct quarantine_row **rows, uint32_t *count, struct fault *fault)
{
    *count = 0;
    *rows = arena_alloc(arena, HASH_COUNT(health->pools) + 1, sizeof **rows);
    if (*rows == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the quarantined pools");
    for (const struct health_pool *pool = health->pools; pool != NULL; pool = pool->hh.next)
        if (pool->until_boot_ms > now_ms(health))
            (*rows)[(*count)++] = (struct quarantine_row){
                .pool = pool->key,
                .jobs = pool->jobs,
                .until_wall_ms = wall_ms + pool->until_boot_ms - now_ms(health),
                .reason = pool->reason,
            };
    return STATUS_OK;
}

enum status health_release(struct health *health, const struct pool_id *id, struct fault *fault)
{
    struct health_pool *pool = find_pool(health, &id->member, &id->gpu);
    if (pool == NULL || pool->until_boot_ms <= now_ms(health))
        return fault_set(fault, STATUS_NOT_FOUND, "pool %s of member %s is not quarantined",
                         id->gpu.text, id->member.text);
    pool->until_boot_ms = 0;
    pool->quarantines = 0;
    pool->count = 0;
    return STATUS_OK;
}
