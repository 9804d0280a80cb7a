/*
 * Bench: what a unary echo of 64 bytes costs, in clear, on the Unix socket and over mutual TLS.
 *
 * The server has a loop and a thread of its own, the client is the main thread: two cores are
 * enough. Prints requests a second and the latencies' median and 99th percentile with 1, 16 and 64
 * calls in flight, and the messages a second of one server stream. Not a test: it asserts nothing
 * about time.
 *
 *     build/release/bin/bench_rpc [SECONDS-PER-LINE]
 */
#include "tests/proto/rpc_fixture.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

enum { IN_FLIGHT_MAX = 64, SAMPLES_MAX = 4 * 1000 * 1000 };

struct bench {
    struct rpc_fixture server;
    struct rpc_fixture client;
    pthread_t thread;
    int64_t until_ns;
    uint64_t count;
    uint32_t in_flight;
    int64_t *latency_ns; /* [SAMPLES_MAX] */
};

struct lane {
    struct bench *bench;
    int64_t started_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Of the whole process, both sides: what does not depend on who else uses the machine. */
static double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void start(struct lane *lane);

static void on_done(void *context, enum status status, const void *response,
                    const struct fault *fault)
{
    struct lane *lane = context;
    struct bench *bench = lane->bench;
    (void)response;
    if (status != STATUS_OK) {
        fprintf(stderr, "bench_rpc: %s\n", fault->text);
        exit(1);
    }
    int64_t now = now_ns();
    if (bench->count < SAMPLES_MAX)
        bench->latency_ns[bench->count++] = now - lane->started_ns;
    if (now < bench->until_ns)
        start(lane);
    else if (--bench->in_flight == 0)
        rpc_loop_stop(bench->client.loop);
}

static void start(struct lane *lane)
{
    static const uint8_t payload[64];
    struct transport_callbacks callbacks = {.on_done = on_done, .context = lane};
    lane->started_ns = now_ns();
    transport_start(lane->bench->client.client, &method_echo,
                    &(struct bytes){payload, sizeof payload}, WAIT_MS, &callbacks);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void echo_line(struct bench *bench, const char *how, uint32_t in_flight, double seconds)
{
    static struct lane lanes[IN_FLIGHT_MAX];
    bench->count = 0;
    bench->in_flight = in_flight;
    double cpu = cpu_us();
    int64_t begun = now_ns();
    bench->until_ns = begun + (int64_t)(seconds * 1e9);
    for (uint32_t i = 0; i < in_flight; i++) {
        lanes[i].bench = bench;
        start(&lanes[i]);
    }
    rpc_loop_run(bench->client.loop);
    double took = (double)(now_ns() - begun) * 1e-9;
    cpu = cpu_us() - cpu;
    qsort(bench->latency_ns, bench->count, sizeof *bench->latency_ns, by_value);
    printf("%-12s %9u %12.0f %10.1f %10.1f %10.1f\n", how, in_flight, (double)bench->count / took,
           (double)bench->latency_ns[bench->count / 2] * 1e-3,
           (double)bench->latency_ns[bench->count * 99 / 100] * 1e-3, cpu / (double)bench->count);
    fflush(stdout);
}

static void stream_line(struct bench *bench, const char *how)
{
    struct outcome outcome = {0};
    uint64_t count = 300000;
    bench->server.service.sent = 0;
    int64_t begun = now_ns();
    outcome_start(&outcome, &bench->client, &method_count,
                  &(struct bytes){(const uint8_t *)&count, sizeof count}, 0);
    outcome_wait(&outcome);
    double took = (double)(now_ns() - begun) * 1e-9;
    printf("%-12s    stream %12.0f messages/s\n", how, (double)outcome.messages / took);
    fflush(stdout);
}

/* --- an upload of chunks, one message under way at a time */

struct upload {
    struct bench *bench;
    struct transport_call *call;
    uint8_t *chunk;
    uint32_t left;
};

enum { UPLOAD_CHUNKS = 512 };

static void on_uploaded(void *context, enum status status, const void *response,
                        const struct fault *fault)
{
    struct upload *upload = context;
    (void)response;
    if (status != STATUS_OK)
        fprintf(stderr, "bench_rpc: upload: %s\n", fault->text);
    rpc_loop_stop(upload->bench->client.loop);
}

static void send_chunk(void *context)
{
    struct upload *upload = context;
    if (upload->left-- == 0)
        transport_half_close(upload->call);
    else
        transport_send(upload->call, &(struct bytes){upload->chunk, CHUNK_BYTES_MAX});
}

static void upload_line(struct bench *bench, const char *how)
{
    struct upload upload = {
        .bench = bench, .left = UPLOAD_CHUNKS, .chunk = calloc(1, CHUNK_BYTES_MAX)};
    struct transport_callbacks callbacks = {
        .on_done = on_uploaded, .on_writable = send_chunk, .context = &upload};
    int64_t begun = now_ns();
    upload.call = transport_start(bench->client.client, &method_collect, NULL, WAIT_MS, &callbacks);
    send_chunk(&upload);
    rpc_loop_run(bench->client.loop);
    double took = (double)(now_ns() - begun) * 1e-9;
    printf("%-12s    upload %12.0f MiB/s in chunks of 1 MiB\n", how, UPLOAD_CHUNKS / took);
    fflush(stdout);
    free(upload.chunk);
}

static void *serve(void *argument)
{
    struct bench *bench = argument;
    rpc_loop_run(bench->server.loop);
    rpc_server_close(bench->server.server, 0);
    return NULL;
}

static void run(struct bench *bench, const char *how, enum rpc_security security,
                const char *address, double seconds)
{
    static struct federation_fixture federation;
    static struct pem broker_key, broker_chain, usc_key, usc_chain;
    fixture_make(&federation, "trojan", clock_wall_ms(clock_real()));
    fixture_enrol(&federation, "", &broker_key, &broker_chain);
    fixture_enrol(&federation, "usc", &usc_key, &usc_chain);
    fixture_open_loop(&bench->server);
    fixture_open_loop(&bench->client);
    fixture_serve(
        &bench->server, security, address,
        (struct rpc_credentials){federation.root.text, broker_chain.text, broker_key.text});
    memcpy(bench->client.address, bench->server.address, sizeof bench->client.address);
    bench->client.client =
        fixture_dial(&bench->client, security,
                     (struct rpc_credentials){federation.root.text, usc_chain.text, usc_key.text},
                     "broker.trojan");
    if (pthread_create(&bench->thread, NULL, serve, bench) != 0)
        exit(1);
    echo_line(bench, "(warming up)", 16, 0.3);
    static const uint32_t in_flight[] = {1, 16, 64};
    for (size_t i = 0; i < sizeof in_flight / sizeof in_flight[0]; i++)
        echo_line(bench, how, in_flight[i], seconds);
    stream_line(bench, how);
    upload_line(bench, how);
    transport_close(bench->client.client);
    rpc_loop_stop(bench->server.loop);
    pthread_join(bench->thread, NULL);
    rpc_loop_close(bench->client.loop);
    rpc_loop_close(bench->server.loop);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    char directory[256], path[300];
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/bench.sock", directory);
    bench.latency_ns = calloc(SAMPLES_MAX, sizeof *bench.latency_ns);
    if (bench.latency_ns == NULL)
        return 1;
    printf("%-12s %9s %12s %10s %10s %10s\n", "transport", "in flight", "requests/s", "p50 us",
           "p99 us", "cpu us each");
    run(&bench, "clear", RPC_CLEAR, "127.0.0.1:0", seconds);
    run(&bench, "unix socket", RPC_UNIX_SOCKET, path, seconds);
    run(&bench, "mutual TLS", RPC_MUTUAL_TLS, "127.0.0.1:0", seconds);
    free(bench.latency_ns);
    support_remove_tree(directory);
    return 0;
}
