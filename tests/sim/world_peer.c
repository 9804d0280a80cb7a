/* World, peers: each as peer/daemon.c puts it together, without its sockets; and its job owner. */
#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/store/members.h"
#include "peer/services/service.h"
#include "tests/sim/memory.h"
#include "tests/sim/world.h"

static const char *const names[WORLD_PEERS_MAX] = {"alfa", "bravo",   "charlie", "delta",
                                                   "echo", "foxtrot", "golf",    "hotel"};

/* What the market trades on: speed and cost of one GPU of each kind. */
static const struct kind {
    const char *name;
    double examples_per_second;
    double cost; /* credits per GPU-second */
} kinds[] = {{"A100", 4000, 0.4}, {"V100", 2000, 0.25}, {"T4", 1000, 0.1}};

enum { KINDS = 3 };

/* --- dialling */

static struct rpc_caller presented_by(const struct world_peer *peer)
{
    struct rpc_caller caller = {
        .authenticated = true,
        .subject = {.role = IDENTITY_MEMBER,
                    .federation = peer->world->broker.config.federation,
                    .member = peer->config.member},
    };
    snprintf(caller.serial, sizeof caller.serial, "%s", peer->serial);
    return caller;
}

static enum status dial_broker(struct dialer *dialer, struct transport **transport,
                               struct fault *fault)
{
    struct world_peer *peer = (struct world_peer *)dialer;
    struct rpc_caller caller = presented_by(peer);
    struct name nobody = {0};
    (void)fault;
    *transport = sim_dial(&peer->world->network, "broker:1", &caller, &nobody);
    return STATUS_OK;
}

static enum status dial_member(struct dialer *dialer, const struct name *member,
                               const char *address, struct transport **transport,
                               struct fault *fault)
{
    struct world_peer *peer = (struct world_peer *)dialer;
    struct rpc_caller caller = presented_by(peer);
    (void)fault;
    *transport = sim_dial(&peer->world->network, address, &caller, member);
    return STATUS_OK;
}

static const struct dialer_operations dialer_operations = {dial_broker, dial_member};

/* --- its life */

enum status world_enrol(struct store *store, struct world_peer *peer, struct fault *fault)
{
    uint8_t number = (uint8_t)(peer - peer->world->peers + 1);
    int64_t now_ms = peer->clock.now_wall_ms;
    struct store_member record = {.member = peer->config.member,
                                  .state = MEMBER_ACTIVE,
                                  .joined_wall_ms = now_ms,
                                  .signing_key = peer->identity.key};
    struct store_certificate certificate = {
        .member = peer->config.member, .from_wall_ms = now_ms, .until_wall_ms = INT64_MAX};
    snprintf(peer->serial, sizeof peer->serial, "%02x", number);
    snprintf(certificate.serial, sizeof certificate.serial, "%s", peer->serial);
    memset(record.request_key.bytes, number, sizeof record.request_key.bytes);
    memset(certificate.fingerprint.bytes, number, sizeof certificate.fingerprint.bytes);
    struct credits deposit = {INT64_C(1000000) * WORLD_DEPOSIT_CREDITS};
    enum status status = store_begin(store, fault);
    if (status == STATUS_OK)
        status = store_member_add(store, &record, fault);
    if (status == STATUS_OK)
        status = store_certificate_add(store, &certificate, fault);
    if (status == STATUS_OK)
        status = ledger_deposit(store, &record.member, deposit, "start", now_ms, fault);
    if (status == STATUS_OK)
        status = store_commit(store, fault);
    store_rollback(store);
    peer->enrolled = status == STATUS_OK;
    return status;
}

static void write_program(struct world_peer *peer)
{
    static const char text[] = "#!/bin/sh\n";
    char path[FILE_PATH_MAX];
    struct fault fault;
    if (directory_make(peer->files, 0700, &fault) != STATUS_OK ||
        path_join(path, peer->files, "train", &fault) != STATUS_OK ||
        file_write(path, (struct bytes){(const uint8_t *)text, sizeof text - 1}, 0755, &fault) !=
            STATUS_OK)
        world_fail(peer->world, "%s", fault.text);
}

static void die(void *context)
{
    struct world_peer *peer = context;
    peer->listener.muted = true;
    peer->devices.muted = true;
}

void world_peer_init(struct world *world, uint32_t p)
{
    struct world_peer *peer = &world->peers[p];
    const struct kind *kind = &kinds[p % KINDS];
    struct peer_config *config = &peer->config;
    struct fault fault = {0};
    peer->dialer.operations = &dialer_operations;
    peer->world = world;
    peer->pool = (struct config_pool){
        .nodes = 2, .gpus_per_node = 4, .foreign_gpus_max = UINT32_MAX, .accept_unenforced = true};
    bool good = member_name_parse(&config->member, names[p], &fault) == STATUS_OK &&
                name_parse(&peer->pool.gpu, "gpu", kind->name, &fault) == STATUS_OK &&
                price_from_double(kind->cost, &peer->pool.cost);
    config->pools = &peer->pool;
    config->pool_count = 1;
    config->default_affinity_ppm = PPM;
    config->budget_per_round = (struct credits){-1};
    config->stop_grace_ms = 3000;
    config->broker_away_ms = 5000;
    config->start_patience_ms = 30000;
    good = good &&
           path_join(config->state_directory, world->directory, names[p], &fault) == STATUS_OK &&
           directory_make(config->state_directory, 0700, &fault) == STATUS_OK &&
           path_join(peer->files, config->state_directory, "owner", &fault) == STATUS_OK &&
           signing_make(&peer->identity.secret, &peer->identity.key, &fault) == STATUS_OK;
    if (!good)
        world_fail(world, "%s can't be made: %s", names[p], fault.text);
    peer->identity.federation = world->broker.config.federation;
    peer->identity.certificate_until_wall_ms = INT64_MAX;
    peer->log = (struct log){world->trace_fd, LOG_LEVEL_DEBUG, &peer->clock.clock, names[p]};
    peer->clock_percent = 100;
    world_add_disk(&peer->disk, config->state_directory, die, peer);
    devices_init(&peer->devices, &world->time.clock, &world->rng);
    peer->listener = (struct sim_listener){
        .member = config->member,
        .handlers = peer_service_handlers,
        .handler_count = peer_service_handler_count,
        .admit = peer_service_admit,
    };
    snprintf(peer->listener.address, sizeof peer->listener.address, "%s:1", names[p]);
    write_program(peer);
}

/* The record that enrolment makes (its service needs TLS); then its peer starts. */
void world_join(struct world *world)
{
    uint32_t p = world->peer_count;
    struct world_peer *peer = &world->peers[p];
    struct fault fault;
    if (p > WORLD_FOUNDERS || !world->broker.up || world->broker.disk.dead)
        return;
    if (peer->world == NULL) {
        peer->clock = world->time;
        peer->clock.clock = world->peers[0].clock.clock;
        world_peer_init(world, p);
        for (uint32_t s = 0; s < world->peers[0].devices.fake.script_count; s++) {
            struct fake_script script = world->peers[0].devices.fake.scripts[s];
            script.examples_per_second = kinds[p % KINDS].examples_per_second;
            executor_fake_script(&peer->devices.fake, &script);
        }
    }
    if (world_enrol(world->broker.daemon.core.store, peer, &fault) != STATUS_OK)
        return;
    dprintf(world->trace_fd, "*** %s joins\n", names[p]);
    world->peer_count++;
}

static void close_process(struct world_peer *peer);

/* A peer that can't keep what it did ends; only then. */
static void stop_itself(void *context)
{
    struct world_peer *peer = context;
    struct sim_disk *disk = &peer->disk;
    if (!disk->full && !disk->dead && sim_memory_failed() == 0)
        world_fail(peer->world, "%s stops by itself", peer->config.member.text);
    disk->dead = true;
    die(peer);
}

bool world_start_peer(struct world_peer *peer)
{
    struct fault fault = {.text = ""};
    char path[FILE_PATH_MAX];
    struct peer_settings settings = {
        .config = &peer->config,
        .clock = &peer->clock.clock,
        .log = &peer->log,
        .dialer = &peer->dialer,
        .executor = &peer->devices.executor,
        .identity = &peer->identity,
        .address = peer->listener.address,
        .on_failed = stop_itself,
        .context = peer,
    };
    peer->world->memory_failed = sim_memory_failed();
    sim_memory_begin();
    enum status status = path_join(path, peer->config.state_directory, "spool.db", &fault);
    if (status == STATUS_OK)
        status = spool_open(path, &peer->clock.clock, &peer->spool, &fault);
    settings.spool = peer->spool;
    if (status == STATUS_OK)
        status = peer_open(&settings, &peer->peer, &fault);
    sim_memory_end();
    if (status != STATUS_OK || peer->disk.dead) {
        if (status != STATUS_OK)
            world_refused_start(peer->world, &peer->disk, peer->config.member.text, &fault);
        close_process(peer);
        return false;
    }
    peer->listener.service = peer->peer;
    sim_listen(&peer->world->network, &peer->listener);
    return true;
}

void world_kill_peer(struct world_peer *peer)
{
    log_error(&peer->log, "*** killed");
    peer->disk.dead = true;
    peer->devices.muted = true;
    sim_unlisten(&peer->world->network, &peer->listener);
    close_process(peer);
}

static void close_process(struct world_peer *peer)
{
    peer_close(peer->peer);
    peer->peer = NULL;
    spool_close(peer->spool);
    peer->spool = NULL;
    peer->disk.dead = false;
    peer->disk.dies_in = 0;
    peer->devices.muted = false;
}

/* --- backups */

void world_save_peer(struct world_peer *peer)
{
    world_copy_out(peer->config.state_directory, "spool.db");
    peer->saved = true;
    peer->saved_jobs = peer->world->job_count;
    dprintf(peer->world->trace_fd, "*** a backup of %s is made\n", peer->config.member.text);
}

void world_restore_peer(struct world_peer *peer)
{
    struct world *world = peer->world;
    struct spool *spool = NULL;
    struct fault fault;
    char path[FILE_PATH_MAX];
    world_copy_back(peer->config.state_directory, "spool.db");
    if (path_join(path, peer->config.state_directory, "spool.db", &fault) != STATUS_OK ||
        spool_open(path, &peer->clock.clock, &spool, &fault) != STATUS_OK ||
        spool_restored(spool, &fault) != STATUS_OK)
        world_fail(world, "%s can't be restored: %s", peer->config.member.text, fault.text);
    spool_close(spool);
    for (uint32_t j = peer->saved_jobs; j < world->job_count; j++)
        if (&world->peers[world->jobs[j].home] == peer)
            world->jobs[j].lost = true;
    peer->saved = false;
    peer->restored = true;
    dprintf(world->trace_fd, "*** %s is restored from its backup\n", peer->config.member.text);
}

/* --- its job owner */

/* The same work wherever it runs, at the speed of that GPU. */
static void teach(struct world *world, const char *job, uint64_t examples, int64_t checkpoint_ms)
{
    for (uint32_t p = 0; p < world->peer_count; p++)
        executor_fake_script(
            &world->peers[p].devices.fake,
            &(struct fake_script){.job = job,
                                  .examples_per_second = kinds[p % KINDS].examples_per_second,
                                  .examples = examples,
                                  .checkpoint_ms = checkpoint_ms});
}

bool world_submit(struct world *world, struct world_peer *home)
{
    static const char *arguments[] = {"./train"};
    static const char *results[] = {"model"};
    struct bundle_file file = {.path = "train"};
    struct throughput_hint hints[KINDS];
    struct fault fault = {.text = ""};
    struct world_job *job = &world->jobs[world->job_count];
    if (world->job_count == WORLD_JOBS_MAX)
        return false;
    for (size_t k = 0; k < KINDS; k++) {
        hints[k] = (struct throughput_hint){.gpus = 1,
                                            .examples_per_second = kinds[k].examples_per_second};
        if (name_parse(&hints[k].gpu, "gpu", kinds[k].name, &fault) != STATUS_OK)
            world_fail(world, "%s", fault.text);
    }
    static const enum job_placement placements[] = {JOB_FEDERATED, JOB_FEDERATED, JOB_FEDERATED,
                                                    JOB_ANY, JOB_LOCAL};
    uint64_t examples = 5000 + rng_below(&world->rng, 120000);
    struct job_submission submission = {
        .specification = {.arguments = arguments,
                          .argument_count = 1,
                          .files = &file,
                          .file_count = 1,
                          .checkpoint_path = "ck",
                          .results = results,
                          .result_count = 1},
        .demand = {.gpus_min = 1,
                   .gpus_max = 1 + (uint32_t)rng_below(&world->rng, 4),
                   .batch = 64, /* as the executor of the simulation does */
                   .hints = hints,
                   .hint_count = KINDS,
                   .value_nanos_per_example = 150000 + (int64_t)rng_below(&world->rng, 400000),
                   .work_left_examples = (double)examples},
        .placement = placements[rng_below(&world->rng, 5)],
        .retries = (uint32_t)rng_below(&world->rng, 4),
        .directory = home->files,
    };
    sim_memory_begin();
    enum status status = home_submit(home->peer->home, &submission, &job->name, &fault);
    sim_memory_end();
    if (status != STATUS_OK || home->disk.dead) /* nobody is told, then */
        return false;
    job->home = (uint32_t)(home - world->peers);
    teach(world, job->name.text, examples, 500 + (int64_t)rng_below(&world->rng, 3000));
    world->job_count++;
    return true;
}
