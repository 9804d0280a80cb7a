/*
 * Hostile fixture: the real broker and a real peer (usc, the host) over real TLS; isi, whose lease
 * it is, and eve, whose it is not, are members that speak by hand.
 */
#ifndef ENTENTE_TESTS_PEER_HOSTILE_FIXTURE_H
#define ENTENTE_TESTS_PEER_HOSTILE_FIXTURE_H

#include "tests/broker/daemon_fixture.h"

#include "peer/files/chunks.h"

struct hostile {
    struct stage *stage;
    char peer_program[600];
    char peer_config[300];
    pid_t usc;
    struct peer *isi;
    struct peer *eve;
    struct job_specification specification;
    struct bundle_file file;
    struct digest chunk;
    const char *arguments[1];
    const char *results[1];
    struct transport *isi_to_usc;
    struct transport *eve_to_usc;
};

static struct hostile hostile;

static const char program[] = "#!/bin/sh\ntrap '' TERM\nwhile :; do echo line; sleep 0.05; done\n";

static inline void write_text(const char *path, const char *format, const char *a, const char *b)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(format, file);
    if (a != NULL)
        fprintf(file, "member: %s\nbroker: %s\n", a, b);
    assert_int_equal(fclose(file), 0);
}

/* --- usc: token, join, run */

static inline void join_usc(struct stage *stage)
{
    struct token_create_request request = {
        .member = name_of("usc"), .ttl_ms = 3600000, .approved = true};
    struct token_create_response *response = NULL;
    char broker_program[600];
    operate(stage, &method_token_create, &request, (void **)&response);
    char *arguments[] = {hostile.peer_program,
                         (char *)(uintptr_t) "join",
                         (char *)(uintptr_t) "--config",
                         hostile.peer_config,
                         (char *)(uintptr_t) "--broker",
                         stage->enrolment,
                         (char *)(uintptr_t) "--token",
                         (char *)(uintptr_t)response->token,
                         NULL};
    memcpy(broker_program, stage->program, sizeof broker_program);
    memcpy(stage->program, hostile.peer_program, sizeof stage->program);
    assert_int_equal(run(stage, arguments), 0);
    memcpy(stage->program, broker_program, sizeof stage->program);
}

static inline void start_usc(void)
{
    char *arguments[] = {hostile.peer_program, (char *)(uintptr_t) "run",
                         (char *)(uintptr_t) "--config", hostile.peer_config, NULL};
    char line[1024] = "";
    int pipe_fds[2];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(pipe_fds), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipe_fds[0]);
    assert_int_equal(
        posix_spawn(&hostile.usc, hostile.peer_program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    FILE *from = fdopen(pipe_fds[0], "r");
    assert_non_null(from);
    assert_non_null(fgets(line, sizeof line, from));
    assert_int_equal(strncmp(line, "ready", 5), 0);
    assert_int_equal(fclose(from), 0);
}

/* --- isi's job, leased at usc */

static inline void specify(void)
{
    hostile.arguments[0] = "./run.sh";
    hostile.results[0] = "model";
    digest_bytes(program, sizeof program - 1, &hostile.chunk);
    hostile.file = (struct bundle_file){.path = "run.sh",
                                        .mode = 0755,
                                        .size_bytes = sizeof program - 1,
                                        .chunks = &hostile.chunk,
                                        .chunk_count = 1};
    hostile.specification = (struct job_specification){
        .job = name_of("isi-1"),
        .home = name_of("isi"),
        .arguments = hostile.arguments,
        .argument_count = 1,
        .files = &hostile.file,
        .file_count = 1,
        .checkpoint_path = "ck",
        .results = hostile.results,
        .result_count = 1,
    };
}

static inline void submit_job(struct stage *stage)
{
    struct submit_request request = {
        .issued_wall_ms = clock_wall_ms(clock_real()),
        .demand = {.job = name_of("isi-1"),
                   .home = hostile.isi->name,
                   .model = name_of("net"),
                   .gpus_min = 1,
                   .gpus_max = 1,
                   .batch = 32,
                   .value_nanos_per_example = 1000000,
                   .work_left_examples = 1e6,
                   .submitted_wall_ms = clock_wall_ms(clock_real())},
    };
    memset(request.request_key.bytes, 5, DIGEST_BYTES);
    bundle_digest(&hostile.specification, &request.demand.bundle_digest);
    expect(stage, hostile.isi->transport, &method_submit, &request, NULL);
}

static inline void lease_it(struct stage *stage)
{
    struct round_run_request now = {0};
    struct round_response *round = NULL;
    struct credit_request deposit = {
        .member = hostile.isi->name, .amount = {INT64_C(100000000000)}, .reference = "start"};
    memset(deposit.request_key.bytes, 4, DIGEST_BYTES);
    operate(stage, &method_member_credit, &deposit, NULL);
    beat(hostile.isi);
    beat(hostile.eve);
    submit_job(stage);
    for (int tries = 0; round == NULL || round->row.placed == 0; tries++) {
        assert_true(tries < 300); /* until usc's first heartbeat is in */
        rpc_loop_run_for(stage->loop, 100);
        operate(stage, &method_round_run, &now, (void **)&round);
    }
    watch(hostile.isi, 1);
}

static inline struct transport *dial_usc(const struct peer *as)
{
    struct transport *transport = NULL;
    struct rpc_client_settings settings = {
        .security = RPC_MUTUAL_TLS,
        .address = hostile.isi->lease->host_address,
        .credentials = {.roots_pem = as->root.text,
                        .chain_pem = as->chain.text,
                        .key_pem = as->key.text},
        .server_name = "usc.member.demo",
    };
    char name[IDENTITY_TEXT_MAX];
    struct identity_subject usc = {
        .role = IDENTITY_MEMBER, .federation = name_of("demo"), .member = name_of("usc")};
    settings.server_name = identity_dns_name(&usc, name);
    assert_ok(rpc_client_open(&transport, as->stage->loop, &settings, &as->stage->fault));
    return transport;
}

static inline struct peer *member(struct stage *stage, const char *name)
{
    struct peer *peer = arena_alloc(&stage->arena, 1, sizeof *peer);
    assert_non_null(peer);
    make_peer(stage, peer, name);
    return peer;
}

static inline int open_all(void **state)
{
    assert_int_equal(set_up(state), 0);
    struct stage *stage = *state;
    hostile = (struct hostile){.stage = stage};
    if (stage->program[0] == '\0')
        return 0;
    const char *programs = getenv("ENTENTE_BIN_DIR");
    snprintf(hostile.peer_program, sizeof hostile.peer_program, "%s/entente-peer", programs);
    snprintf(hostile.peer_config, sizeof hostile.peer_config, "%s/usc.yaml", stage->directory);
    write_text(stage->config,
               "federation: demo\nstate_directory: state\npublic_host: localhost\n"
               "heartbeat_period: 500ms\n"
               "listen: {members: '127.0.0.1:0', enrolment: '127.0.0.1:0'}\n"
               "leases: {grace: 3s}\n"
               "rounds: {period: 1h, interim_delay: 30m}\n"
               "throughput: [{model: net, gpu: a100, gpus: 1, examples_per_second: 100}]\n",
               NULL, NULL);
    assert_int_equal(command(stage, "init", NULL, NULL), 0);
    start_broker(stage);
    write_text(hostile.peer_config,
               "state_directory: state-usc\nlisten: 127.0.0.1:0\n"
               "jobs_on_exit: stop\nstop_grace: 1s\n" /* the job outlives no test */
               "pools: [{gpu: a100, nodes: 1, gpus_per_node: 2, cost: 0.0001, "
               "accept_unenforced: true}]\n",
               "usc", stage->members);
    join_usc(stage);
    start_usc();
    hostile.isi = member(stage, "isi");
    hostile.eve = member(stage, "eve");
    specify();
    lease_it(stage);
    hostile.isi_to_usc = dial_usc(hostile.isi);
    hostile.eve_to_usc = dial_usc(hostile.eve);
    return 0;
}

static inline int close_all(void **state)
{
    if (hostile.usc > 0) {
        struct transport *const transports[] = {hostile.isi_to_usc, hostile.eve_to_usc,
                                                hostile.isi->transport, hostile.eve->transport};
        for (size_t t = 0; t < 4; t++)
            transport_close(transports[t]);
        int status = 0;
        kill(hostile.usc, SIGTERM);
        assert_int_equal(waitpid(hostile.usc, &status, 0), hostile.usc);
        assert_true(WIFEXITED(status)); /* nothing it was sent made it crash */
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    return tear_down(state);
}

/* --- calls to usc */

static inline enum status ask(struct transport *who, const struct wire_method *method,
                              const void *request)
{
    return call(hostile.stage, who, method, request, NULL);
}

struct stream {
    struct transport_call *call;
    const struct push_chunk_request *chunk; /* sent for ever */
    uint64_t sent;
    uint64_t log_bytes;
    bool done;
    enum status status;
    char text[FAULT_TEXT_MAX];
};

static inline void on_done(void *context, enum status status, const void *response,
                           const struct fault *fault)
{
    struct stream *stream = context;
    (void)response;
    stream->done = true;
    stream->status = status;
    if (status != STATUS_OK && fault != NULL)
        snprintf(stream->text, sizeof stream->text, "%s", fault->text);
}

static inline void push_again(void *context)
{
    struct stream *stream = context;
    stream->sent++;
    transport_send(stream->call, stream->chunk);
}

static inline void on_log(void *context, const void *message)
{
    struct stream *stream = context;
    const struct job_event *event = message;
    stream->log_bytes += event->data.size;
}

static inline void wait_for_end(struct stream *stream)
{
    for (int waited = 0; !stream->done; waited += 10) {
        assert_true(waited < WAIT_MS);
        rpc_loop_run_for(hostile.stage->loop, 10);
    }
}

/* Pushes the chunk again and again until it is stopped. */
static inline void push_for_ever(struct transport *who, const struct push_chunk_request *chunk,
                                 struct stream *stream)
{
    struct transport_callbacks callbacks = {
        .on_done = on_done, .on_writable = push_again, .context = stream};
    *stream = (struct stream){.chunk = chunk};
    stream->call = transport_start(who, &method_push_chunks, NULL, CALL_MS, &callbacks);
    assert_non_null(stream->call);
    push_again(stream);
    wait_for_end(stream);
}

static inline void watch_job(struct transport *who, struct lease_id lease, struct stream *stream)
{
    struct watch_job_request request = {.lease = lease};
    struct transport_callbacks callbacks = {
        .on_done = on_done, .on_message = on_log, .context = stream};
    *stream = (struct stream){0};
    stream->call = transport_start(who, &method_watch_job, &request, 0, &callbacks);
    assert_non_null(stream->call);
}

static inline void accept_as_isi(void)
{
    struct accept_request accept = {hostile.isi->signed_lease, hostile.specification};
    assert_int_equal(ask(hostile.isi_to_usc, &method_accept, &accept), STATUS_OK);
}

static inline void stage_and_start(void)
{
    struct lease_id lease = hostile.isi->lease->id;
    struct push_chunk_request chunk = {
        lease, hostile.chunk, {(const uint8_t *)program, sizeof program - 1}};
    static struct stream stream;                        /* a call may end after this function did */
    push_for_ever(hostile.isi_to_usc, &chunk, &stream); /* the very same, for ever: it has an end */
    assert_int_equal(stream.status, STATUS_EXHAUSTED);
    assert_non_null(strstr(stream.text, "4096 chunks"));
    struct commit_files_request commit = {lease, FILES_BUNDLE};
    assert_int_equal(ask(hostile.isi_to_usc, &method_commit_files, &commit), STATUS_OK);
    struct lease_request start = {lease};
    if (ask(hostile.isi_to_usc, &method_start, &start) != STATUS_OK)
        fail_msg("%s", hostile.stage->fault.text);
}

#endif
