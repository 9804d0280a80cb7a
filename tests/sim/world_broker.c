/* World, broker: the daemon's parts put together as broker/daemon.c does, without its sockets. */
#include <stdio.h>
#include <string.h>

#include "broker/money/dispute.h"
#include "broker/money/ledger.h"
#include "broker/services/service.h"
#include "broker/store/members.h"
#include "tests/sim/loop.h"
#include "tests/sim/memory.h"
#include "tests/sim/world.h"

static enum status open_daemon(struct world *world, struct fault *fault);
static void close_daemon(struct daemon *daemon);
static void die(void *context);
static void revive(struct sim_disk *disk);

void world_broker_init(struct world *world)
{
    struct world_broker *broker = &world->broker;
    struct fault fault;
    struct signing_key key;
    struct store *store = NULL;
    char path[FILE_PATH_MAX];
    broker->config = (struct broker_config){
        .public_host = "broker",
        .operator_gid = -1,
        .round_ms = 10000,
        .lead_ms = 1500,
        .interim_delay_ms = 300,
        .heartbeat_ms = 500,
        .holdover_ms = 60000,
        .grace_ms = 3000,
        .skew_ms_max = 5000,
        .accept_within_ms = 8000,
        .learning_update_ms = 20000,
        .member_certificate_ms = INT64_C(30) * 24 * 3600 * 1000,
        /* every other federation pays side payments, by Shapley */
        .mechanism = &mechanisms[world->seed % 2],
        .jobs_per_member_max = 1000,
        .calls_per_second_max = CALL_RATE_DEFAULT,
        .gpus_per_job_max = 8,
        .enrolments_per_minute_max = 10,
        .restart_seconds = 0.5,
        .transfer_bytes_per_second = 1e9,
    };
    snprintf(broker->config.federation.text, sizeof broker->config.federation.text, "sim");
    broker->authority.federation = broker->config.federation;
    broker->log = (struct log){world->trace_fd, LOG_LEVEL_INFO, &broker->clock.clock, "broker"};
    if (path_join(broker->directory, world->directory, "broker", &fault) != STATUS_OK ||
        directory_make(broker->directory, 0700, &fault) != STATUS_OK ||
        path_join(path, broker->directory, "broker.db", &fault) != STATUS_OK ||
        signing_make(&broker->secret, &key, &fault) != STATUS_OK ||
        store_open(path, STORE_CREATE, &store, &fault) != STATUS_OK)
        world_fail(world, "the broker can't be made: %s", fault.text);
    store_close(store);
    world_add_disk(&broker->disk, broker->directory, die, broker);
    broker->listener = (struct sim_listener){
        .address = "broker:1",
        .handlers = member_handlers,
        .handler_count = member_handlers_count,
        .service = &broker->daemon,
        .admit = daemon_admit_member,
    };
    broker->operators = (struct sim_listener){
        .address = "operator:1",
        .handlers = operator_handlers,
        .handler_count = operator_handlers_count,
        .service = &broker->daemon,
    };
}

bool world_start_broker(struct world *world)
{
    struct world_broker *broker = &world->broker;
    struct fault fault = {0};
    memset(&broker->daemon, 0, sizeof broker->daemon);
    world->memory_failed = sim_memory_failed();
    sim_memory_begin();
    enum status status = open_daemon(world, &fault);
    if (status == STATUS_OK)
        daemon_start_work(&broker->daemon);
    sim_memory_end();
    if (status != STATUS_OK || broker->disk.dead) {
        if (status != STATUS_OK)
            world_refused_start(world, &broker->disk, "the broker", &fault);
        close_daemon(&broker->daemon);
        revive(&broker->disk);
        return false;
    }
    sim_listen(&world->network, &broker->listener);
    sim_listen(&world->network, &broker->operators);
    broker->up = true;
    return true;
}

static void die(void *context)
{
    struct world_broker *broker = context;
    broker->listener.muted = true;
    broker->operators.muted = true;
}

static void revive(struct sim_disk *disk)
{
    disk->dead = false;
    disk->dies_in = 0;
}

static enum status open_daemon(struct world *world, struct fault *fault)
{
    struct world_broker *broker = &world->broker;
    struct daemon *daemon = &broker->daemon;
    struct store *store = NULL;
    char path[FILE_PATH_MAX];
    daemon->config = &broker->config;
    daemon->authority = &broker->authority;
    arena_init(&daemon->revocations_arena, ARENA_MESSAGE_BYTES);
    enum status status = path_join(path, broker->directory, "broker.db", fault);
    if (status == STATUS_OK)
        status = store_open(path, STORE_WRITE, &store, fault);
    if (status == STATUS_OK)
        status = core_open(&daemon->core, &broker->config, &broker->clock.clock, &broker->log,
                           store, &broker->secret, fault);
    if (status == STATUS_OK)
        status = learning_open(&daemon->learning, &daemon->core, fault);
    if (status == STATUS_OK)
        status = daemon_sign_revocations(daemon, false, fault);
    if (status == STATUS_OK)
        status = rpc_loop_open(&daemon->loop, &broker->clock.clock, &broker->log, fault);
    if (status == STATUS_OK)
        status = worker_open(&daemon->worker, daemon->loop, fault);
    if (status == STATUS_OK)
        status = worker_open(&daemon->learner, daemon->loop, fault);
    if (status != STATUS_OK)
        return status;
    dispatch_init(&daemon->dispatch, &daemon->core);
    daemon->started_boot_ms = clock_boot_ms(daemon->core.clock);
    return STATUS_OK;
}

void world_kill_broker(struct world *world)
{
    struct world_broker *broker = &world->broker;
    log_error(&broker->log, "*** killed");
    broker->disk.dead = true;
    broker->up = false;
    sim_unlisten(&world->network, &broker->listener);
    sim_unlisten(&world->network, &broker->operators);
    close_daemon(&broker->daemon);
    revive(&broker->disk);
}

/* What a start got to. */
static void close_daemon(struct daemon *daemon)
{
    if (daemon->loop != NULL) {
        sim_loop_kill(daemon->loop);
        rpc_timer_stop(&daemon->sweep_timer);
    }
    worker_close(daemon->learner);
    worker_close(daemon->worker);
    rounds_stop(&daemon->rounds);
    learning_stop(&daemon->learning);
    dispatch_fini(&daemon->dispatch);
    if (daemon->loop != NULL)
        rpc_loop_close(daemon->loop);
    core_close(&daemon->core);
    arena_fini(&daemon->revocations_arena);
    call_rates_fini(&daemon->call_rates);
}

/* --- backups */

void world_save_broker(struct world *world)
{
    world_copy_out(world->broker.directory, "broker.db");
    world->broker.saved = true;
    world->broker.saved_deposits = world->person.deposited;
    dprintf(world->trace_fd, "*** a backup of the broker is made\n");
}

void world_restore_broker(struct world *world)
{
    struct store *store = NULL;
    struct fault fault;
    uint64_t incarnation = 0;
    int64_t now_ms = clock_wall_ms(&world->broker.clock.clock);
    uint64_t seconds = (uint64_t)(now_ms / MS_PER_SECOND); /* as backup_restore() has it */
    char path[FILE_PATH_MAX];
    world_copy_back(world->broker.directory, "broker.db");
    if (path_join(path, world->broker.directory, "broker.db", &fault) != STATUS_OK ||
        store_open(path, STORE_WRITE, &store, &fault) != STATUS_OK ||
        recovery_begin(store, &world->broker.config, seconds, now_ms, &incarnation, &fault) !=
            STATUS_OK)
        world_fail(world, "the broker's backup can't be restored: %s", fault.text);
    store_close(store);
    world->broker.saved = false;
    world->broker.restored = true;
    world->person.deposited = world->broker.saved_deposits;
    dprintf(world->trace_fd, "*** the broker is restored from its backup\n");
}

/* --- the operator */

static enum status rule(struct core *core, const struct store_dispute *dispute, struct fault *fault)
{
    static const struct name nobody = {.text = ""};
    const struct lease_limits limits = core_lease_limits(core);
    const struct dispute_request request = {.lease = dispute->lease,
                                            .sequence = dispute->sequence,
                                            .action = DISPUTE_DO_RULE,
                                            .payable_ms = dispute->conceded_ms,
                                            .text = "as home saw it"};
    struct store_dispute ruled;
    enum status status = store_begin(core->store, fault);
    if (status == STATUS_OK)
        status =
            dispute_act(core->store, &nobody, &request, &limits, core_now_ms(core), &ruled, fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, fault);
    store_rollback(core->store);
    return status;
}

void world_rule(struct world *world)
{
    static const struct name everybody = {.text = ""};
    struct core *core = &world->broker.daemon.core;
    struct store_dispute *disputes = NULL;
    struct arena arena;
    struct fault fault = {0};
    uint32_t count = 0;
    uint64_t after = 0;
    if (!world->broker.up)
        return;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_dispute_page(core->store, &everybody, 0, ROWS_PER_PAGE_MAX, &arena,
                                            &disputes, &count, &after, &fault);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        if (disputes[i].state == DISPUTE_ANSWERED)
            status = rule(core, &disputes[i], &fault);
    if (status != STATUS_OK)
        world_fail(world, "the operator can't rule: %s", fault.text);
    arena_fini(&arena);
}
