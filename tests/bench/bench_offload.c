/*
 * Bench: jobs from submission to settlement, through running daemons (tests/bench/offload.sh starts
 * them). Not a test: it asserts nothing about time.
 *
 * Submits COUNT jobs over the peers' Unix sockets, a few calls under way at each, and looks now and
 * then until no peer has an open job or a receipt that the broker has not taken: then all are
 * settled. Prints jobs a second, and what each daemon's processor time was per job (children
 * included, where they were waited for).
 *
 *     bench_offload COUNT BROKER-PID SOCKET,PID,KIND+KIND...
 *
 * KIND: the GPU kinds the jobs of that peer ask for, joined by '+'.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/rpc/client.h"
#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

enum { PEERS_MAX = 8, PIDS_MAX = 16, SUBMITS = 8, CALL_MS = 60 * 1000, LOOK_MS = 100 };

struct bench;

struct bench_peer {
    struct bench *bench;
    char socket[256];
    struct name kinds[GPU_KINDS_PER_JOB_MAX];
    uint32_t kind_count;
    struct transport *transport;
    uint32_t left; /* not submitted yet */
    uint32_t open; /* as it said last */
    bool looking;
};

struct bench {
    struct rpc_loop *loop;
    struct rpc_timer look;
    struct bench_peer peers[PEERS_MAX];
    uint32_t peer_count;
    long pids[PIDS_MAX];
    char names[PIDS_MAX][32];
    uint32_t pid_count;
    uint32_t count;
    uint32_t submitted;
    int64_t begun_ms;
    int64_t submitted_ms;
};

static void fail(const char *what, const struct fault *fault)
{
    fprintf(stderr, "bench_offload: %s: %s\n", what, fault != NULL ? fault->text : "");
    exit(1);
}

/* --- submitting */

static void submit(struct bench_peer *peer);

static void submitted(void *context, enum status status, const void *response,
                      const struct fault *fault)
{
    struct bench_peer *peer = context;
    struct bench *bench = peer->bench;
    (void)response;
    if (status != STATUS_OK)
        fail("submitting", fault);
    if (++bench->submitted == bench->count)
        bench->submitted_ms = clock_boot_ms(clock_real());
    submit(peer);
}

static void submit(struct bench_peer *peer)
{
    static const char *arguments[] = {"true"};
    struct throughput_hint hints[GPU_KINDS_PER_JOB_MAX];
    if (peer->left == 0)
        return;
    peer->left--;
    for (uint32_t k = 0; k < peer->kind_count; k++)
        hints[k] = (struct throughput_hint){peer->kinds[k], 1, 100};
    struct job_submission job = {
        .specification = {.arguments = arguments, .argument_count = 1},
        .demand = {.gpus_min = 1,
                   .gpus_max = 1,
                   .gpu_kinds = peer->kinds,
                   .gpu_kind_count = peer->kind_count,
                   .batch = 1,
                   .value_nanos_per_example = 1000000,
                   .work_left_examples = 100,
                   .hints = hints,
                   .hint_count = peer->kind_count},
        .placement = JOB_FEDERATED,
        .directory = "/",
    };
    struct transport_callbacks callbacks = {.on_done = submitted, .context = peer};
    if (transport_start(peer->transport, &method_job_submit, &job, CALL_MS, &callbacks) == NULL)
        fail("no memory", NULL);
}

/* --- looking */

static void look(void *context);

static void looked(void *context, enum status status, const void *response,
                   const struct fault *fault)
{
    struct bench_peer *peer = context;
    struct bench *bench = peer->bench;
    const struct peer_status_response *answer = response;
    if (status != STATUS_OK)
        fail("a peer's status", fault);
    peer->looking = false;
    peer->open = answer->jobs_queued + answer->jobs_running + answer->receipts_unsettled;
    uint32_t open = 0;
    for (uint32_t p = 0; p < bench->peer_count; p++) {
        open += bench->peers[p].open;
        if (bench->peers[p].looking)
            return;
    }
    if (open == 0 && bench->submitted == bench->count)
        rpc_loop_stop(bench->loop);
    else
        rpc_timer_start(bench->loop, &bench->look, LOOK_MS, look, bench);
}

static void look(void *context)
{
    struct bench *bench = context;
    for (uint32_t p = 0; p < bench->peer_count; p++) {
        struct bench_peer *peer = &bench->peers[p];
        struct empty_message request = {0};
        struct transport_callbacks callbacks = {.on_done = looked, .context = peer};
        peer->looking = true;
        if (transport_start(peer->transport, &method_peer_status, &request, CALL_MS, &callbacks) ==
            NULL)
            fail("no memory", NULL);
    }
}

/* --- processor time */

/* Seconds, its waited-for children included; 0 where it can't be read. */
static double cpu_seconds(long pid)
{
    char path[64];
    char line[1024];
    unsigned long long user = 0, system = 0;
    long long child_user = 0, child_system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = '\0';
    const char *after = strrchr(line, ')');
    if (after == NULL ||
        sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld", &user,
               &system, &child_user, &child_system) != 4)
        return 0;
    return (double)(user + system + (unsigned long long)(child_user + child_system)) /
           (double)sysconf(_SC_CLK_TCK);
}

/* --- arguments */

static void add_pid(struct bench *bench, const char *name, long pid)
{
    if (bench->pid_count == PIDS_MAX)
        fail("too many processes", NULL);
    snprintf(bench->names[bench->pid_count], sizeof bench->names[0], "%s", name);
    bench->pids[bench->pid_count++] = pid;
}

static void add_peer(struct bench *bench, char *text)
{
    struct bench_peer *peer = &bench->peers[bench->peer_count];
    struct fault fault;
    char *save = NULL;
    const char *socket = strtok_r(text, ",", &save);
    const char *pid = strtok_r(NULL, ",", &save);
    char *kinds = strtok_r(NULL, ",", &save);
    if (bench->peer_count == PEERS_MAX || socket == NULL || pid == NULL || kinds == NULL)
        fail("usage: bench_offload COUNT BROKER-PID SOCKET,PID,KIND+KIND...", NULL);
    bench->peer_count++;
    peer->bench = bench;
    snprintf(peer->socket, sizeof peer->socket, "%s", socket);
    add_pid(bench, "peer", strtol(pid, NULL, 10));
    for (char *kind = strtok_r(kinds, "+", &save);
         kind != NULL && peer->kind_count < GPU_KINDS_PER_JOB_MAX;
         kind = strtok_r(NULL, "+", &save))
        snprintf(peer->kinds[peer->kind_count++].text, sizeof peer->kinds[0].text, "%s", kind);
    struct rpc_client_settings settings = {.security = RPC_UNIX_SOCKET, .address = peer->socket};
    if (rpc_client_open(&peer->transport, bench->loop, &settings, &fault) != STATUS_OK)
        fail("dialling", &fault);
}

static void report(const struct bench *bench, const double *before)
{
    double took = (double)(clock_boot_ms(clock_real()) - bench->begun_ms) / 1000;
    double total = 0;
    printf("%u jobs submitted in %.2f s, settled in %.2f s: %.1f jobs/s\n", bench->count,
           (double)(bench->submitted_ms - bench->begun_ms) / 1000, took,
           (double)bench->count / took);
    for (uint32_t i = 0; i < bench->pid_count; i++) {
        double used = cpu_seconds(bench->pids[i]) - before[i];
        total += used;
        printf("  %-8s %7.2f s processor time, %7.3f ms a job\n", bench->names[i], used,
               used * 1000 / bench->count);
    }
    printf("  %-8s %7.2f s processor time, %7.3f ms a job: two cores would bear %.0f jobs/s\n",
           "all", total, total * 1000 / bench->count, 2 * bench->count / total);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct fault fault;
    double before[PIDS_MAX];
    struct log log = {.fd = STDERR_FILENO, .level = LOG_LEVEL_WARNING, .clock = clock_real()};
    if (argc < 4)
        fail("usage: bench_offload COUNT BROKER-PID SOCKET,PID,KIND+KIND...", NULL);
    bench.count = (uint32_t)strtoul(argv[1], NULL, 10);
    if (rpc_loop_open(&bench.loop, clock_real(), &log, &fault) != STATUS_OK)
        fail("opening", &fault);
    add_pid(&bench, "broker", strtol(argv[2], NULL, 10));
    for (int i = 3; i < argc; i++)
        add_peer(&bench, argv[i]);
    add_pid(&bench, "bench", (long)getpid());
    for (uint32_t i = 0; i < bench.pid_count; i++)
        before[i] = cpu_seconds(bench.pids[i]);
    bench.begun_ms = clock_boot_ms(clock_real());
    for (uint32_t p = 0; p < bench.peer_count; p++)
        bench.peers[p].left = bench.count / bench.peer_count;
    bench.count = bench.count / bench.peer_count * bench.peer_count;
    for (uint32_t p = 0; p < bench.peer_count; p++)
        for (int i = 0; i < SUBMITS; i++)
            submit(&bench.peers[p]);
    rpc_timer_start(bench.loop, &bench.look, LOOK_MS, look, &bench);
    rpc_loop_run(bench.loop);
    report(&bench, before);
    for (uint32_t p = 0; p < bench.peer_count; p++)
        transport_close(bench.peers[p].transport);
    rpc_loop_close(bench.loop);
    return 0;
}
