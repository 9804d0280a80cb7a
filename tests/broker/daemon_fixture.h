/*
 * Fixture: the real program over real TLS, and members that speak to it as peers would.
 */
#ifndef ENTENTE_TESTS_BROKER_DAEMON_FIXTURE_H
#define ENTENTE_TESTS_BROKER_DAEMON_FIXTURE_H

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "proto/rpc/client.h"
#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

extern char **environ;

enum { CALL_MS = 30000, WAIT_MS = 60000 };

struct stage {
    char directory[256];
    char config[300];
    char program[600];
    char members[ADDRESS_BYTES_MAX + 1];
    char enrolment[ADDRESS_BYTES_MAX + 1];
    char operator[300];
    pid_t broker; /* 0: not running */
    struct rpc_loop *loop;
    struct arena arena;
    struct fault fault;
    uint32_t requests;
};

/* One member with its keys, as a peer would hold them. */
struct peer {
    struct name name;
    struct pem key;
    struct pem chain;
    struct pem root;
    struct signing_secret secret;
    struct signing_key signing_key;
    struct lease_key lease_key; /* the broker's */
    struct transport *transport;
    struct offer_node node;
    struct pool_offer pool;
    struct lease_event events[16]; /* of the stream; the lease is decoded into `lease` */
    uint32_t event_count;
    struct lease *lease;
    struct signed_bytes signed_lease; /* the same as it came, in the stage's arena */
    struct stage *stage;
};

/* --- the program */

/* Runs a command to its end; returns its exit code. */
static inline int run(struct stage *stage, char *const arguments[])
{
    pid_t pid = 0;
    int status = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    assert_int_equal(posix_spawn(&pid, stage->program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline int command(struct stage *stage, const char *first, const char *second,
                          const char *third)
{
    char *arguments[8] = {stage->program};
    int count = 1;
    const char *const words[] = {first, second, third};
    for (int i = 0; i < 3; i++)
        if (words[i] != NULL)
            arguments[count++] = (char *)(uintptr_t)words[i];
    arguments[count++] = (char *)(uintptr_t) "--config";
    arguments[count] = stage->config;
    return run(stage, arguments);
}

/* Starts the daemon and reads its one line. */
static inline void start_broker(struct stage *stage)
{
    int pipe_fds[2];
    char line[1024] = "";
    char *arguments[] = {stage->program, (char *)(uintptr_t) "run", (char *)(uintptr_t) "--config",
                         stage->config, NULL};
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(pipe_fds), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipe_fds[0]);
    assert_int_equal(
        posix_spawn(&stage->broker, stage->program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    FILE *from = fdopen(pipe_fds[0], "r");
    assert_non_null(from);
    assert_non_null(fgets(line, sizeof line, from)); /* NULL: it died; its stderr says why */
    assert_int_equal(fclose(from), 0);
    assert_int_equal(sscanf(line, "ready members=%255s enrolment=%255s operator=%299s",
                            stage->members, stage->enrolment, stage->operator),
                     3);
}

static inline void stop_broker(struct stage *stage)
{
    int status = 0;
    assert_int_equal(kill(stage->broker, SIGTERM), 0);
    assert_int_equal(waitpid(stage->broker, &status, 0), stage->broker);
    stage->broker = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static inline int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    const char *programs = getenv("ENTENTE_BIN_DIR");
    assert_non_null(stage);
    *state = stage;
    if (programs == NULL)
        return 0;
    snprintf(stage->program, sizeof stage->program, "%s/entente-broker", programs);
    support_make_directory(stage->directory);
    snprintf(stage->config, sizeof stage->config, "%s/broker.yaml", stage->directory);
    FILE *file = fopen(stage->config, "w");
    assert_non_null(file);
    fputs("federation: demo\nstate_directory: state\npublic_host: localhost\n"
          "heartbeat_period: 10s\nlisten: {members: '127.0.0.1:0', enrolment: '127.0.0.1:0'}\n"
          "rounds: {period: 1h, interim_delay: 30m}\n" /* rounds only where asked for */
          "throughput: [{model: net, gpu: a100, gpus: 1, examples_per_second: 100}]\n",
          file);
    assert_int_equal(fclose(file), 0);
    arena_init(&stage->arena, (size_t)4 * ARENA_MESSAGE_BYTES);
    assert_ok(rpc_loop_open(&stage->loop, clock_real(), NULL, &stage->fault));
    return 0;
}

static inline int tear_down(void **state)
{
    struct stage *stage = *state;
    if (stage->broker > 0) {
        kill(stage->broker, SIGKILL);
        waitpid(stage->broker, NULL, 0);
    }
    if (stage->loop != NULL)
        rpc_loop_close(stage->loop);
    arena_fini(&stage->arena);
    if (stage->directory[0] != '\0')
        support_remove_tree(stage->directory);
    free(stage);
    return 0;
}

/* --- calls */

static inline enum status call(struct stage *stage, struct transport *transport,
                               const struct wire_method *method, const void *request,
                               void **response)
{
    void *ignored = NULL;
    return rpc_client_call(stage->loop, transport, method, request, CALL_MS, &stage->arena,
                           response == NULL ? &ignored : response, &stage->fault);
}

static inline void expect(struct stage *stage, struct transport *transport,
                          const struct wire_method *method, const void *request, void **response)
{
    if (call(stage, transport, method, request, response) != STATUS_OK)
        fail_msg("%s: %s", method->path, stage->fault.text);
}

/* As the operator, on the Unix socket. */
static inline void operate(struct stage *stage, const struct wire_method *method,
                           const void *request, void **response)
{
    struct transport *transport = NULL;
    struct rpc_client_settings settings = {.security = RPC_UNIX_SOCKET, .address = stage->operator};
    assert_ok(rpc_client_open(&transport, stage->loop, &settings, &stage->fault));
    expect(stage, transport, method, request, response);
    transport_close(transport);
}

/* --- a member */

static inline struct name name_of(const char *text)
{
    struct name name = {0};
    snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

/* Token, pin, enrolment: what `entente-peer join` does. */
static inline void join(struct peer *peer)
{
    struct stage *stage = peer->stage;
    struct token_create_request token_request = {
        .member = peer->name, .ttl_ms = 3600000, .approved = true};
    struct token_create_response *token_response = NULL;
    struct join_token token;
    struct name federation;
    struct pem *request = arena_alloc(&stage->arena, 1, sizeof *request);
    assert_non_null(request);
    operate(stage, &method_token_create, &token_request, (void **)&token_response);
    assert_ok(join_token_parse(token_response->token, &token, &stage->fault));
    if (identity_fetch_pinned_root(stage->enrolment, &token.pin, CALL_MS, clock_real(), &peer->root,
                                   &federation, &stage->fault) != STATUS_OK)
        fail_msg("%s", stage->fault.text);
    assert_string_equal(federation.text, "demo");
    assert_ok(identity_make_key(&peer->key, &stage->fault));
    assert_ok(identity_make_request(&peer->key, request, &stage->fault));
    assert_ok(signing_make(&peer->secret, &peer->signing_key, &stage->fault));
    struct rpc_client_settings settings = {.security = RPC_SERVER_TLS,
                                           .address = stage->enrolment,
                                           .credentials = {.roots_pem = peer->root.text},
                                           .server_name = "broker.demo"};
    struct enrol_request enrol = {.token = token_response->token,
                                  .member = peer->name,
                                  .csr_pem = request->text,
                                  .signing_key = peer->signing_key};
    struct enrol_response *response = NULL;
    struct transport *transport = NULL;
    assert_ok(rpc_client_open(&transport, stage->loop, &settings, &stage->fault));
    expect(stage, transport, &method_enrol, &enrol, (void **)&response);
    transport_close(transport);
    assert_true(response->approved);
    snprintf(peer->chain.text, sizeof peer->chain.text, "%s", response->chain_pem);
    peer->lease_key = response->lease_keys[0];
}

static inline void dial(struct peer *peer)
{
    struct rpc_client_settings settings = {
        .security = RPC_MUTUAL_TLS,
        .address = peer->stage->members,
        .credentials = {.roots_pem = peer->root.text,
                        .chain_pem = peer->chain.text,
                        .key_pem = peer->key.text},
        .server_name = "broker.demo",
    };
    assert_ok(rpc_client_open(&peer->transport, peer->stage->loop, &settings, &peer->stage->fault));
}

static inline struct heartbeat_response *beat(struct peer *peer)
{
    struct heartbeat_response *response = NULL;
    struct heartbeat_request request = {
        .offer = {.member = peer->name,
                  .incarnation = 1,
                  .pools = &peer->pool,
                  .pool_count = peer->pool.node_count,
                  .default_affinity_ppm = PPM,
                  .budget_per_round = {-1},
                  .peer_address = "127.0.0.1:7700"},
        .sent_wall_ms = clock_wall_ms(clock_real()),
        .version = "0.1.0",
    };
    expect(peer->stage, peer->transport, &method_heartbeat, &request, (void **)&response);
    return response;
}

static inline void make_peer(struct stage *stage, struct peer *peer, const char *name)
{
    *peer = (struct peer){.name = name_of(name), .stage = stage};
    join(peer);
    dial(peer);
}

static inline void on_event(void *context, const void *message)
{
    struct peer *peer = context;
    const struct lease_event *event = message;
    void *lease = NULL;
    assert_true(peer->event_count < 16);
    peer->events[peer->event_count++] = *event;
    if (event->kind == LEASE_EVENT_GRANT) {
        const struct signed_bytes *lease_bytes = &event->signed_lease;
        assert_ok(signing_verify(&peer->lease_key.key, SIGN_LEASE, lease_bytes->body,
                                 &lease_bytes->signature, &peer->stage->fault));
        assert_ok(wire_decode(&message_lease, lease_bytes->body, &peer->stage->arena, &lease,
                              &peer->stage->fault));
        peer->lease = lease;
        peer->signed_lease = *lease_bytes;
        peer->signed_lease.body.data =
            arena_copy(&peer->stage->arena, lease_bytes->body.data, lease_bytes->body.size);
        assert_non_null(peer->signed_lease.body.data);
    }
}

static inline void on_watch_done(void *context, enum status status, const void *response,
                                 const struct fault *fault)
{
    (void)context;
    (void)status;
    (void)response;
    (void)fault;
}

/* Opens the stream and waits for so many events. */
static inline void watch(struct peer *peer, uint32_t events)
{
    struct watch_leases_request request = {0};
    struct transport_callbacks callbacks = {
        .on_done = on_watch_done, .on_message = on_event, .context = peer};
    peer->event_count = 0;
    assert_non_null(
        transport_start(peer->transport, &method_watch_leases, &request, 0, &callbacks));
    for (int waited = 0; peer->event_count < events; waited += 10) {
        assert_true(waited < WAIT_MS);
        rpc_loop_run_for(peer->stage->loop, 10);
    }
}

static inline void submit(struct peer *peer, const char *job)
{
    struct stage *stage = peer->stage;
    struct submit_request request = {
        .issued_wall_ms = clock_wall_ms(clock_real()),
        .demand = {.job = name_of(job),
                   .home = peer->name,
                   .model = name_of("net"),
                   .gpus_min = 2,
                   .gpus_max = 2,
                   .batch = 32,
                   .value_nanos_per_example = 1000000,
                   .work_left_examples = 1e6,
                   .submitted_wall_ms = clock_wall_ms(clock_real())},
    };
    stage->requests++;
    memcpy(request.request_key.bytes, &stage->requests, sizeof stage->requests);
    request.request_key.bytes[31] = 1;
    memset(request.demand.bundle_digest.bytes, 5, DIGEST_BYTES);
    expect(stage, peer->transport, &method_submit, &request, NULL);
}

static inline void complete(struct peer *peer, const char *job)
{
    struct cancel_request request = {
        .issued_wall_ms = clock_wall_ms(clock_real()), .job = name_of(job), .completed = true};
    memset(request.request_key.bytes, 6, DIGEST_BYTES);
    expect(peer->stage, peer->transport, &method_cancel, &request, NULL);
}

static inline void report(struct peer *host, enum lease_report_kind kind)
{
    struct lease_report row = {.lease = host->lease->id, .kind = kind, .text = ""};
    struct report_leases_request request = {.reports = &row, .report_count = 1};
    expect(host->stage, host->transport, &method_report_leases, &request, NULL);
}

/* The host's receipt over its whole use, signed by both, reported; the broker's verdict. */
static inline struct receipt_verdict settle(struct peer *host, const struct peer *home,
                                            int64_t held_ms)
{
    struct stage *stage = host->stage;
    const struct lease *lease = host->lease;
    struct receipt receipt = {
        .lease = lease->id,
        .job = lease->job,
        .home = lease->home,
        .host = lease->host,
        .sequence = 1,
        .last = true,
        .outcome = LEASE_OUTCOME_COMPLETED,
        .gpu_count = lease->gpu_count,
        .held_ms = held_ms,
        .ended_wall_ms = clock_wall_ms(clock_real()),
    };
    struct signed_receipt signed_receipt = {.home_signed = true};
    assert_ok(wire_encode(&message_receipt, &receipt, &stage->arena, &signed_receipt.body,
                          &stage->fault));
    assert_ok(signing_sign(&host->secret, SIGN_RECEIPT_HOST, signed_receipt.body,
                           &signed_receipt.host_signature, &stage->fault));
    assert_ok(signing_sign(&home->secret, SIGN_RECEIPT_HOME, signed_receipt.body,
                           &signed_receipt.home_signature, &stage->fault));
    struct report_receipts_request request = {.receipts = &signed_receipt, .receipt_count = 1};
    struct report_receipts_response *response = NULL;
    expect(stage, host->transport, &method_report_receipts, &request, (void **)&response);
    assert_int_equal(response->verdict_count, 1);
    return response->verdicts[0];
}

#endif
