#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/home/home.h"
#include "peer/services/service.h"
#include "tests/sim/broker.h"

static const char *const names[SIM_PEERS] = {"alfa", "bravo", "charlie"};
static const char *const kinds[SIM_PEERS] = {"A100", "V100", "T4"};

/* --- dialling */

static struct rpc_caller caller_of(const struct sim_peer *peer)
{
    return (struct rpc_caller){
        .authenticated = true,
        .subject = {.role = IDENTITY_MEMBER, .member = peer->config.member},
    };
}

static enum status dial_broker(struct dialer *dialer, struct transport **transport,
                               struct fault *fault)
{
    struct sim_peer *peer = (struct sim_peer *)dialer;
    struct rpc_caller caller = caller_of(peer);
    struct name nobody = {0};
    (void)fault;
    *transport = sim_dial(&peer->sim->network, "broker:1", &caller, &nobody);
    return STATUS_OK;
}

static enum status dial_member(struct dialer *dialer, const struct name *member,
                               const char *address, struct transport **transport,
                               struct fault *fault)
{
    struct sim_peer *peer = (struct sim_peer *)dialer;
    struct rpc_caller caller = caller_of(peer);
    (void)fault;
    *transport = sim_dial(&peer->sim->network, address, &caller, member);
    return STATUS_OK;
}

static const struct dialer_operations dialer_operations = {dial_broker, dial_member};

/* --- peers */

static void prepare(struct sim *sim, int p)
{
    struct sim_peer *peer = &sim->peers[p];
    peer->dialer.operations = &dialer_operations;
    peer->sim = sim;
    assert_ok(member_name_parse(&peer->config.member, names[p], NULL));
    assert_ok(name_parse(&peer->pool.gpu, "gpu", kinds[p], NULL));
    peer->pool.nodes = 2;
    peer->pool.gpus_per_node = 4;
    peer->pool.foreign_gpus_max = UINT32_MAX;
    peer->config.pools = &peer->pool;
    peer->config.pool_count = 1;
    peer->config.default_affinity_ppm = PPM;
    peer->config.budget_per_round = (struct credits){-1};
    peer->config.stop_grace_ms = SIM_GRACE_MS;
    peer->config.broker_away_ms = 5000;
    peer->config.start_patience_ms = 30000;
    snprintf(peer->config.state_directory, FILE_PATH_MAX, "%s/%s", sim->directory, names[p]);
    assert_ok(directory_make(peer->config.state_directory, 0700, NULL));
    snprintf(peer->directory, sizeof peer->directory, "%s/%s-files", sim->directory, names[p]);
    assert_ok(directory_make(peer->directory, 0700, NULL));
    assert_ok(signing_make(&peer->identity.secret, &peer->identity.key, NULL));
    executor_fake_init(&peer->executor, &sim->clock.clock);
    peer->log = (struct log){
        .fd = getenv("ENTENTE_TEST_LOG") != NULL ? STDERR_FILENO : -1,
        .level = LOG_LEVEL_DEBUG,
        .clock = &sim->clock.clock,
        .component = names[p],
    };
    peer->listener = (struct sim_listener){
        .member = peer->config.member,
        .handlers = peer_service_handlers,
        .handler_count = peer_service_handler_count,
        .admit = peer_service_admit,
    };
    snprintf(peer->listener.address, sizeof peer->listener.address, "%s:1", names[p]);
}

void sim_start(struct sim_peer *peer)
{
    struct fault fault = {.text = ""};
    char path[FILE_PATH_MAX];
    assert_ok(path_join(path, peer->config.state_directory, "spool.db", &fault));
    assert_ok(spool_open(path, &peer->sim->clock.clock, &peer->spool, &fault));
    struct peer_settings settings = {
        .config = &peer->config,
        .clock = &peer->sim->clock.clock,
        .log = &peer->log,
        .dialer = &peer->dialer,
        .spool = peer->spool,
        .executor = &peer->executor.executor,
        .identity = &peer->identity,
        .address = peer->listener.address,
    };
    if (peer_open(&settings, &peer->peer, &fault) != STATUS_OK)
        fail_msg("%s does not start: %s", peer->config.member.text, fault.text);
    peer->listener.service = peer->peer;
    sim_listen(&peer->sim->network, &peer->listener);
}

/* Nothing is written that was not written already: what a kill leaves. */
void sim_kill(struct sim_peer *peer)
{
    sim_unlisten(&peer->sim->network, &peer->listener);
    peer_close(peer->peer);
    peer->peer = NULL;
    sim_network_run(&peer->sim->network);
    spool_close(peer->spool);
    peer->spool = NULL;
}

void sim_open(struct sim *sim)
{
    memset(sim, 0, sizeof *sim);
    support_make_directory(sim->directory);
    clock_simulated_init(&sim->clock, INT64_C(1795410000000));
    sim->clock.now_boot_ms = 1000000;
    arena_init(&sim->arena, 16 * (size_t)ARENA_MESSAGE_BYTES);
    sim_network_init(&sim->network);
    sim_broker_open(sim);
    for (int p = 0; p < SIM_PEERS; p++) {
        prepare(sim, p);
        sim_start(&sim->peers[p]);
    }
    sim_run(sim, 2 * SIM_HEARTBEAT_MS);
}

void sim_close(struct sim *sim)
{
    for (int p = 0; p < SIM_PEERS; p++)
        if (sim->peers[p].peer != NULL)
            sim_kill(&sim->peers[p]);
    sim_unlisten(&sim->network, &sim->broker.listener);
    sim_network_fini(&sim->network);
    arena_fini(&sim->arena);
    support_remove_tree(sim->directory);
}

void sim_run(struct sim *sim, int64_t ms)
{
    for (int64_t run = 0; run < ms; run += PEER_TICK_MS) {
        sim_network_run(&sim->network);
        for (int p = 0; p < SIM_PEERS; p++)
            if (sim->peers[p].peer != NULL)
                peer_tick(sim->peers[p].peer);
        sim_network_run(&sim->network);
        clock_simulated_advance(&sim->clock, PEER_TICK_MS);
    }
}

void sim_broker_away(struct sim *sim, bool away)
{
    if (away)
        sim_unlisten(&sim->network, &sim->broker.listener);
    else
        sim_listen(&sim->network, &sim->broker.listener);
}

/* --- jobs */

static void write_program(const struct sim_peer *home)
{
    char path[FILE_PATH_MAX];
    static const char text[] = "#!/bin/sh\n";
    assert_ok(path_join(path, home->directory, "train", NULL));
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)text, sizeof text - 1}, 0755, NULL));
}

struct name sim_submit(struct sim_peer *home, const struct sim_job *job)
{
    static const char *arguments[] = {"./train"};
    static const char *results[] = {"model"};
    struct bundle_file file = {.path = "train"};
    struct name name = {0};
    struct fault fault = {.text = ""};
    struct throughput_hint hint = {.gpus = 1, .examples_per_second = 1000};
    assert_ok(name_parse(&hint.gpu, "gpu", "A100", NULL));
    write_program(home);
    struct job_submission submission = {
        .specification = {.arguments = arguments,
                          .argument_count = 1,
                          .files = &file,
                          .file_count = 1,
                          .checkpoint_path = "ck",
                          .results = results,
                          .result_count = 1},
        .demand = {.gpus_min = 1,
                   .gpus_max = 4,
                   .batch = 1,
                   .value_nanos_per_example = SIM_VALUE_NANOS,
                   .hints = &hint,
                   .hint_count = 1,
                   .work_left_examples = job->examples > 0 ? job->examples : 1e9},
        .placement = job->placement,
        .retries = job->retries,
        .directory = home->directory,
    };
    if (home_submit(home->peer->home, &submission, &name, &fault) != STATUS_OK)
        fail_msg("submit: %s", fault.text);
    sim_run(home->sim, 200);
    return name;
}

struct local_job_row sim_row(struct sim_peer *home, struct name job)
{
    struct local_job_row row;
    assert_ok(home_row(home->peer->home, &job, &row, NULL));
    return row;
}
