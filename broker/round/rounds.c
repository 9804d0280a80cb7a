#include "broker/round/rounds.h"

#include <inttypes.h>
#include <stdlib.h>

/* While not every member was heard again, look this often. */
enum { WARM_UP_LOOK_MS = 200 };

struct rounds_backoff {
    struct name job;   /* the hash key */
    uint32_t failures; /* in a row */
    bool released;     /* waits for its home's word, not for the end of a pause */
    int64_t until_boot_ms;
    UT_hash_handle hh;
};

static void try_start(struct rounds *rounds);
static void arm_full(struct rounds *rounds);
static void on_interim(void *context);
static struct rounds_backoff *find_backoff(const struct rounds *rounds, const struct name *job);

void rounds_start(struct rounds *rounds, struct core *core, struct rpc_loop *loop,
                  struct worker *worker, void (*on_commit)(void *context), void *context)
{
    *rounds = (struct rounds){
        .core = core,
        .loop = loop,
        .worker = worker,
        .on_commit = on_commit,
        .context = context,
        .warm_from_boot_ms =
            clock_boot_ms(core->clock) + core->config->heartbeat_ms * CONFIG_OFFER_HEARTBEATS,
    };
    health_init(&rounds->health, core->clock, core->config);
    arm_full(rounds);
    rounds_poke(rounds);
}

static void tell(const struct rounds_waiter *waiters, uint32_t count,
                 const struct round_response *report, const struct fault *fault)
{
    for (uint32_t i = 0; i < count; i++)
        waiters[i].done(waiters[i].context, report, fault);
}

void rounds_stop(struct rounds *rounds)
{
    struct fault fault;
    rpc_timer_stop(&rounds->full_timer);
    rpc_timer_stop(&rounds->interim_timer);
    fault_set(&fault, STATUS_CANCELLED, "the broker is stopping");
    tell(rounds->waiting, rounds->waiting_count, NULL, &fault);
    tell(rounds->asking, rounds->asking_count, NULL, &fault);
    rounds->waiting_count = 0;
    rounds->asking_count = 0;
    round_close(rounds->running);
    round_close(rounds->newest);
    rounds->running = NULL;
    rounds->newest = NULL;
    struct rounds_backoff *backoff = NULL;
    struct rounds_backoff *next = NULL;
    HASH_ITER(hh, rounds->backoffs, backoff, next)
    {
        HASH_DEL(rounds->backoffs, backoff);
        free(backoff);
    }
    health_fini(&rounds->health);
}

/* --- when */

static void on_full(void *context)
{
    struct rounds *rounds = context;
    rounds->full_due = true;
    arm_full(rounds);
    try_start(rounds);
}

int64_t rounds_next_in_ms(const struct rounds *rounds)
{
    const struct broker_config *config = rounds->core->config;
    int64_t now_ms = core_now_ms(rounds->core);
    return epoch_next_full_ms(now_ms, config->round_ms, config->lead_ms) - now_ms;
}

static void arm_full(struct rounds *rounds)
{
    rpc_timer_start(rounds->loop, &rounds->full_timer, rounds_next_in_ms(rounds), on_full, rounds);
}

static void start_interim_timer(struct rounds *rounds, int64_t delay_ms)
{
    int64_t due_ms = clock_boot_ms(rounds->core->clock) + delay_ms;
    bool sooner = rounds->interim_timer.loop == NULL || rounds->interim_timer.due_boot_ms > due_ms;
    if (sooner)
        rpc_timer_start(rounds->loop, &rounds->interim_timer, delay_ms, on_interim, rounds);
}

/* The timer serves pokes and the ends of pauses: whichever is left comes next. */
static void on_interim(void *context)
{
    struct rounds *rounds = context;
    int64_t now_ms = clock_boot_ms(rounds->core->clock);
    struct rounds_backoff *backoff = NULL;
    struct rounds_backoff *next = NULL;
    HASH_ITER(hh, rounds->backoffs, backoff, next)
    if (backoff->until_boot_ms > now_ms)
        start_interim_timer(rounds, backoff->until_boot_ms - now_ms);
    rounds->interim_due = true;
    try_start(rounds);
}

void rounds_poke(struct rounds *rounds)
{
    start_interim_timer(rounds, rounds->core->config->interim_delay_ms);
}

enum status rounds_ask(struct rounds *rounds, const struct rounds_waiter *waiter,
                       struct fault *fault)
{
    if (rounds->asking_count == ROUNDS_WAITERS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%d callers wait for a round already",
                         ROUNDS_WAITERS_MAX);
    rounds->asking[rounds->asking_count++] = *waiter;
    if (!waiter->full) {
        rounds->interim_due = true;
        try_start(rounds);
    }
    return STATUS_OK;
}

static void forget(struct rounds_waiter *waiters, uint32_t *count, const void *context)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++)
        if (waiters[i].context != context)
            waiters[kept++] = waiters[i];
    *count = kept;
}

void rounds_forget(struct rounds *rounds, const void *context)
{
    forget(rounds->asking, &rounds->asking_count, context);
    forget(rounds->waiting, &rounds->waiting_count, context);
}

/* Was every active member heard since the start, or had it the time? Nothing leased: no need. */
static bool is_warm(const struct rounds *rounds)
{
    const struct core *core = rounds->core;
    struct arena arena;
    struct store_member *members = NULL;
    struct store_lease *leases = NULL;
    uint32_t member_count = 0;
    uint32_t lease_count = 0;
    bool missing = false;
    if (clock_boot_ms(core->clock) >= rounds->warm_from_boot_ms)
        return true;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = store_lease_list_open(core->store, LEASE_STATES_HOLDING, &arena, &leases,
                                               &lease_count, NULL);
    if (status == STATUS_OK)
        status = store_member_list(core->store, &arena, &members, &member_count, NULL);
    for (uint32_t i = 0; status == STATUS_OK && i < member_count; i++)
        missing = missing || (members[i].state == MEMBER_ACTIVE &&
                              registry_find(&core->registry, &members[i].member) == NULL);
    arena_fini(&arena);
    return status == STATUS_OK && (lease_count == 0 || !missing);
}

/* --- one at a time */

static void on_work(void *context)
{
    round_solve(((struct rounds *)context)->running);
}

/* Keeps it for explanations, or forgets it. */
static void keep_newest(struct rounds *rounds, struct round *round, bool committed)
{
    round_close(committed ? rounds->newest : round);
    if (committed)
        rounds->newest = round;
}

static void on_done(void *context)
{
    struct rounds *rounds = context;
    struct round *round = rounds->running;
    struct fault fault = {0};
    rounds->running = NULL;
    if (round == NULL)
        return; /* stopped meanwhile */
    enum status status = round_finish(rounds->core, round, &fault);
    const struct round_row *row = &round->report.row;
    if (status == STATUS_OK)
        log_info(rounds->core->log,
                 "round %" PRIu64 "%s: %" PRIu32 " of %" PRIu32 " jobs placed on %" PRIu32
                 " of %" PRIu32 " GPUs in %" PRId64 " ms",
                 row->round, row->interim ? " (interim)" : "", row->placed, row->jobs,
                 row->gpus_placed, row->gpus, row->took_ms);
    else
        log_error(rounds->core->log, "round failed: %s", fault.text);
    tell(rounds->waiting, rounds->waiting_count, status == STATUS_OK ? &round->report : NULL,
         &fault);
    rounds->waiting_count = 0;
    keep_newest(rounds, round, status == STATUS_OK);
    if (status == STATUS_OK)
        rounds->on_commit(rounds->context);
    try_start(rounds);
}

static bool sits_out(const void *context, const struct name *job)
{
    const struct rounds *rounds = context;
    struct rounds_backoff *backoff = find_backoff(rounds, job);
    return backoff != NULL && clock_boot_ms(rounds->core->clock) < backoff->until_boot_ms;
}

static enum status avoid(const void *context, struct arena *arena, struct collect_input *input,
                         struct fault *fault)
{
    const struct rounds *rounds = context;
    return health_avoid(&rounds->health, arena, input, fault);
}

/* Demands wait and GPUs are free (or, in a full round, leases end): somebody asked, or it may pay.
 */
static bool worth_running(const struct rounds *rounds, const struct round *round)
{
    if (rounds->waiting_count > 0)
        return true;
    if (!round_has_work(round))
        return false;
    bool free_gpus = false;
    for (uint32_t i = 0; i < round->input.offer_count; i++)
        for (uint32_t p = 0; p < round->input.offers[i]->pool_count; p++)
            for (uint32_t n = 0; n < round->input.offers[i]->pools[p].node_count; n++)
                free_gpus |= round->input.offers[i]->pools[p].nodes[n].free_gpus != 0;
    return !round->interim || (free_gpus && round->input.demand_count > 0);
}

/* Those that this round answers; the others go on asking. */
static void take_waiters(struct rounds *rounds, bool interim)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rounds->asking_count; i++) {
        struct rounds_waiter waiter = rounds->asking[i];
        if (interim && waiter.full)
            rounds->asking[kept++] = waiter;
        else
            rounds->waiting[rounds->waiting_count++] = waiter;
    }
    rounds->asking_count = kept;
}

static void try_start(struct rounds *rounds)
{
    struct fault fault;
    struct round *round = NULL;
    if (rounds->running != NULL || (!rounds->full_due && !rounds->interim_due))
        return;
    rounds->warm = rounds->warm || is_warm(rounds);
    if (!rounds->warm || recovery_waits(rounds->core)) {
        start_interim_timer(rounds, WARM_UP_LOOK_MS);
        return;
    }
    bool interim = !rounds->full_due;
    rounds->full_due = false;
    rounds->interim_due = false;
    take_waiters(rounds, interim);
    struct round_filter filter = {sits_out, avoid, rounds};
    if (round_open(rounds->core, interim, &filter, &round, &fault) != STATUS_OK) {
        log_error(rounds->core->log, "round: %s", fault.text);
        tell(rounds->waiting, rounds->waiting_count, NULL, &fault);
        rounds->waiting_count = 0;
        return;
    }
    if (!worth_running(rounds, round)) {
        round_close(round);
        return;
    }
    rounds->running = round;
    rounds->task = (struct worker_task){.work = on_work, .done = on_done, .context = rounds};
    worker_submit(rounds->worker, &rounds->task);
}

/* --- jobs that sit out */

static struct rounds_backoff *find_backoff(const struct rounds *rounds, const struct name *job)
{
    struct rounds_backoff *backoff = NULL;
    HASH_FIND_STR(rounds->backoffs, job->text, backoff);
    return backoff;
}

/* NULL without memory or at the limit: it will merely be tried again sooner. */
static struct rounds_backoff *make_backoff(struct rounds *rounds, const struct name *job)
{
    struct rounds_backoff *backoff = find_backoff(rounds, job);
    if (backoff != NULL || HASH_COUNT(rounds->backoffs) >= BACKOFF_JOBS_MAX)
        return backoff;
    backoff = calloc(1, sizeof *backoff);
    if (backoff == NULL)
        return NULL;
    backoff->job = *job;
    HASH_ADD_STR(rounds->backoffs, job.text, backoff);
    if (HASH_TOOK(backoff))
        return backoff;
    free(backoff);
    return NULL;
}

static void sit_out(struct rounds *rounds, struct rounds_backoff *backoff, int64_t pause_ms)
{
    backoff->until_boot_ms = clock_boot_ms(rounds->core->clock) + pause_ms;
    start_interim_timer(rounds, pause_ms);
}

/* What the host refused keeps the job from that host; what its home or nobody did, from all. */
void rounds_failed(struct rounds *rounds, const struct lease *lease, bool by_host,
                   const char *reason)
{
    int64_t pair_ms = health_start_failed(&rounds->health, lease, by_host, reason);
    start_interim_timer(rounds, pair_ms);
    rounds_poke(rounds);
    struct rounds_backoff *backoff = by_host ? NULL : make_backoff(rounds, &lease->job);
    int64_t pause_ms = BACKOFF_MS_FIRST;
    if (backoff == NULL)
        return;
    for (uint32_t i = 0; i < backoff->failures && pause_ms < BACKOFF_MS_MAX; i++)
        pause_ms *= 2;
    backoff->failures++;
    backoff->released = false;
    sit_out(rounds, backoff, pause_ms < BACKOFF_MS_MAX ? pause_ms : BACKOFF_MS_MAX);
}

void rounds_succeeded(struct rounds *rounds, const struct name *job)
{
    struct rounds_backoff *backoff = find_backoff(rounds, job);
    if (backoff == NULL)
        return;
    HASH_DEL(rounds->backoffs, backoff);
    free(backoff);
}

void rounds_released(struct rounds *rounds, const struct name *job)
{
    struct rounds_backoff *backoff = make_backoff(rounds, job);
    if (backoff == NULL)
        return;
    backoff->released = true;
    sit_out(rounds, backoff, rounds->core->config->heartbeat_ms * CONFIG_OFFER_HEARTBEATS);
}

void rounds_wanted(struct rounds *rounds, const struct name *job)
{
    struct rounds_backoff *backoff = find_backoff(rounds, job);
    if (backoff == NULL || !backoff->released)
        return;
    rounds_succeeded(rounds, job);
    rounds_poke(rounds);
}
