/*
 * Bench: a broker with many connected peers. Each has a certificate of its own, a TLS connection, a
 * stream of lease events, and offers two nodes of eight GPUs by heartbeat.
 *
 * Starts a real entente-broker on loopback, enrols COUNT members, and prints: how long connecting
 * took; offers a second with 1, 16 and 64 heartbeats under way (offers change each time, so none
 * is passed over) and the broker's processor time for each; a round over a demand of every member,
 * until each has its lease event; and the broker's memory after each. Not a test: it asserts
 * nothing about time.
 *
 *     ENTENTE_BIN_DIR=build/release/bin build/release/bin/bench_connected [COUNT [SECONDS]]
 */
#include "tests/broker/daemon_fixture.h"

#include <sys/resource.h>
#include <time.h>

enum { IN_FLIGHT_MAX = 64, NODES = 2, GPUS_PER_NODE = 8, CONNECT_WAIT_S = 300 };

struct offering {
    struct peer peer;
    struct offer_node nodes[NODES];
    struct pool_offer pool;
    uint64_t beats;
    uint32_t events;
    struct bench *bench;
};

struct bench {
    struct stage stage;
    struct offering *offering; /* [count] */
    uint32_t count;
    uint32_t next;
    uint32_t in_flight;
    bool connecting; /* each beats once, then watches */
    uint64_t answered;
    uint64_t events;
    double until;
};

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One number of /proc/PID/status, in kB. */
static long status_kb(const struct bench *bench, const char *what)
{
    char path[64];
    char line[256];
    long value = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)bench->stage.broker);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            value = strtol(line + strlen(what) + 1, NULL, 10);
    if (file != NULL)
        fclose(file);
    return value;
}

static double broker_cpu(const struct bench *bench)
{
    char path[64];
    unsigned long long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)bench->stage.broker);
    FILE *file = fopen(path, "re");
    if (file == NULL || fscanf(file,
                               "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu "
                               "%llu",
                               &user, &system) != 2)
        user = system = 0;
    if (file != NULL)
        fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void memory_line(const struct bench *bench, const char *when)
{
    printf("%-34s %8.1f MB resident, %.1f at most\n", when,
           (double)status_kb(bench, "VmRSS:") / 1000, (double)status_kb(bench, "VmHWM:") / 1000);
    fflush(stdout);
}

/* --- members */

static void write_config(const struct stage *stage)
{
    FILE *file = fopen(stage->config, "we");
    assert_non_null(file);
    fputs("federation: demo\nstate_directory: state\npublic_host: localhost\n"
          "heartbeat_period: 60s\n"
          "listen: {members: '127.0.0.1:0', enrolment: '127.0.0.1:0',"
          " enrolments_per_minute: 100000}\n"
          "rounds: {period: 1h, interim_delay: 30m}\n" /* rounds only where asked for */
          "quotas: {calls_per_second: 1000000}\n"
          "throughput: [{model: net, gpu: a100, gpus: 1, examples_per_second: 100}]\n",
          file);
    assert_int_equal(fclose(file), 0);
}

static void enrol_all(struct bench *bench)
{
    double since = now_seconds();
    for (uint32_t i = 0; i < bench->count; i++) {
        struct offering *one = &bench->offering[i];
        char name[32];
        snprintf(name, sizeof name, "member-%04u", i);
        one->bench = bench;
        one->peer = (struct peer){.name = name_of(name), .stage = &bench->stage};
        join(&one->peer);
        arena_reset(&bench->stage.arena);
        for (uint32_t n = 0; n < NODES; n++)
            one->nodes[n].free_gpus = 0xff;
        snprintf(one->pool.gpu.text, sizeof one->pool.gpu.text, "a100");
        one->pool.nodes = one->nodes;
        one->pool.node_count = NODES;
        one->pool.gpus_per_node = GPUS_PER_NODE;
        one->pool.foreign_gpus_max = UINT32_MAX;
        one->pool.enforces_limits = true;
    }
    printf("%u members enrolled in %.1f s\n", bench->count, now_seconds() - since);
}

static void on_lease_event(void *context, const void *message)
{
    struct offering *one = context;
    (void)message;
    one->events++;
    one->bench->events++;
}

/* --- heartbeats */

static void beat_on(struct bench *bench);

static void watch_on(struct offering *one)
{
    struct watch_leases_request request = {0};
    struct transport_callbacks callbacks = {
        .on_done = on_watch_done, .on_message = on_lease_event, .context = one};
    assert_non_null(
        transport_start(one->peer.transport, &method_watch_leases, &request, 0, &callbacks));
}

static void on_beat(void *context, enum status status, const void *response,
                    const struct fault *fault)
{
    struct offering *one = context;
    struct bench *bench = one->bench;
    (void)response;
    if (status != STATUS_OK) {
        fprintf(stderr, "bench_connected: heartbeat: %s\n", fault->text);
        exit(1);
    }
    bench->answered++;
    if (bench->connecting)
        watch_on(one);
    if (bench->connecting ? bench->next < bench->count : now_seconds() < bench->until)
        beat_on(bench);
    else if (--bench->in_flight == 0)
        rpc_loop_stop(bench->stage.loop);
}

/* The next member's, with another offer than its last one. */
static void beat_on(struct bench *bench)
{
    struct offering *one = &bench->offering[bench->next++ % bench->count];
    one->beats++;
    one->nodes[0].free_gpus = one->beats % 2 == 0 ? 0xff : 0x7f;
    struct heartbeat_request request = {
        .offer = {.member = one->peer.name,
                  .incarnation = 1,
                  .pools = &one->pool,
                  .pool_count = 1,
                  .default_affinity_ppm = PPM,
                  .budget_per_round = {-1},
                  .peer_address = "127.0.0.1:7700"},
        .sent_wall_ms = clock_wall_ms(clock_real()),
        .version = "0.1.0",
    };
    struct transport_callbacks callbacks = {.on_done = on_beat, .context = one};
    assert_non_null(transport_start(one->peer.transport, &method_heartbeat, &request,
                                    CONNECT_WAIT_S * 1000, &callbacks));
}

static void beats(struct bench *bench, uint32_t in_flight, double seconds)
{
    bench->answered = 0;
    bench->in_flight = in_flight;
    bench->until = now_seconds() + seconds;
    for (uint32_t i = 0; i < in_flight; i++)
        beat_on(bench);
    rpc_loop_run(bench->stage.loop);
}

/* Each dials, sends its first offer, and watches; so many at once that handshakes do not time out.
 */
static void connect_all(struct bench *bench)
{
    double since = now_seconds();
    for (uint32_t i = 0; i < bench->count; i++)
        dial(&bench->offering[i].peer);
    bench->next = 0;
    bench->connecting = true;
    bench->in_flight = bench->count < IN_FLIGHT_MAX ? bench->count : IN_FLIGHT_MAX;
    for (uint32_t i = bench->in_flight; i > 0; i--)
        beat_on(bench);
    rpc_loop_run(bench->stage.loop);
    bench->connecting = false;
    printf("%u connected and heard in %.1f s\n", bench->count, now_seconds() - since);
}

static void offers(struct bench *bench, double seconds)
{
    static const uint32_t in_flight[] = {1, 16, IN_FLIGHT_MAX};
    for (size_t i = 0; i < sizeof in_flight / sizeof in_flight[0]; i++) {
        double cpu = broker_cpu(bench);
        double since = now_seconds();
        beats(bench, in_flight[i], seconds);
        double took = now_seconds() - since;
        printf("offers, %2u under way: %10.0f/s, %8.1f us of the broker's processor time each\n",
               in_flight[i], (double)bench->answered / took,
               (broker_cpu(bench) - cpu) * 1e6 / (double)bench->answered);
        fflush(stdout);
    }
}

/* --- a round */

static void round_of_all(struct bench *bench)
{
    struct round_run_request request = {0};
    struct round_response *response = NULL;
    for (uint32_t i = 0; i < bench->count; i++) {
        char job[48];
        snprintf(job, sizeof job, "%.40s-1", bench->offering[i].peer.name.text);
        submit(&bench->offering[i].peer, job);
        arena_reset(&bench->stage.arena);
    }
    bench->events = 0;
    double since = now_seconds();
    operate(&bench->stage, &method_round_run, &request, (void **)&response);
    double answered = now_seconds() - since;
    uint32_t placed = response->row.placed;
    for (int i = 0; i < CONNECT_WAIT_S * 100 && bench->events < placed; i++)
        rpc_loop_run_for(bench->stage.loop, 10);
    printf("round: %u of %u jobs placed on %u GPUs in %lld ms; answered after %.0f ms, every lease "
           "told after %.0f ms\n",
           placed, response->row.jobs, response->row.gpus, (long long)response->row.took_ms,
           answered * 1e3, (now_seconds() - since) * 1e3);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct bench *it = &bench;
    void *stage = NULL;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
    struct rlimit files;
    bench.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    bench.offering = calloc(bench.count, sizeof *bench.offering);
    if (bench.offering == NULL || getenv("ENTENTE_BIN_DIR") == NULL) {
        fprintf(stderr, "usage: ENTENTE_BIN_DIR=... bench_connected [COUNT [SECONDS]]\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    set_up(&stage);
    bench.stage = *(struct stage *)stage;
    write_config(&bench.stage);
    assert_int_equal(command(&bench.stage, "init", NULL, NULL), 0);
    start_broker(&bench.stage);
    memory_line(it, "broker alone");
    enrol_all(it);
    memory_line(it, "enrolled");
    connect_all(it);
    memory_line(it, "connected");
    offers(it, seconds);
    memory_line(it, "after the offers");
    round_of_all(it);
    memory_line(it, "after the round");
    for (uint32_t i = 0; i < bench.count; i++)
        transport_close(bench.offering[i].peer.transport);
    stop_broker(&bench.stage);
    free(bench.offering);
    *(struct stage *)stage = bench.stage;
    tear_down(&stage);
    return 0;
}
