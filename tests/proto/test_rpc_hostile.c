/*
 * Strangers: callers who do not keep to what our client keeps to. They speak through gRPC itself,
 * or through a bare socket, from a thread of their own while the loop runs.
 */
#include "tests/proto/rpc_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <grpc/grpc_security.h>
#include <grpc/support/time.h>

#include "base/rng.h"
#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

static struct rpc_fixture fixture;
static struct outcome outcome;

static int open_clear(void **state)
{
    (void)state;
    fixture_open(&fixture);
    outcome = (struct outcome){0};
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

/* --- a client without our limits */

struct stranger {
    const char *path;
    grpc_byte_buffer *request;
    grpc_compression_algorithm compression;
    grpc_status_code code;
};

static void *call_once(void *argument)
{
    struct stranger *stranger = argument;
    grpc_channel_credentials *plain = grpc_insecure_credentials_create();
    char key[] = GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM;
    grpc_arg algorithm = {
        .type = GRPC_ARG_INTEGER, .key = key, .value.integer = (int)stranger->compression};
    grpc_channel_args arguments = {.num_args = 1, .args = &algorithm};
    grpc_channel *channel = grpc_channel_create(fixture.address, plain, &arguments);
    grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(WAIT_MS, GPR_TIMESPAN));
    grpc_call *call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                               grpc_slice_from_static_string(stranger->path), NULL,
                                               deadline, NULL);
    grpc_metadata_array initial, trailing;
    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    grpc_byte_buffer *response = NULL;
    grpc_slice details = grpc_empty_slice();
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stranger->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &response},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &trailing,
                                        .status = &stranger->code,
                                        .status_details = &details}},
    };
    grpc_call_start_batch(call, ops, 6, stranger, NULL);
    grpc_completion_queue_pluck(queue, stranger, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_byte_buffer_destroy(response);
    grpc_byte_buffer_destroy(stranger->request);
    grpc_metadata_array_destroy(&initial);
    grpc_metadata_array_destroy(&trailing);
    grpc_slice_unref(details);
    grpc_call_unref(call);
    grpc_channel_destroy(channel);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    grpc_channel_credentials_release(plain);
    rpc_loop_stop(fixture.loop);
    return NULL;
}

static grpc_status_code call_as_stranger(const struct wire_method *method, const void *bytes,
                                         size_t size, grpc_compression_algorithm compression)
{
    pthread_t thread;
    struct stranger stranger = {
        .path = method->path, .compression = compression, .code = GRPC_STATUS_OK};
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes, size);
    stranger.request = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    assert_int_equal(pthread_create(&thread, NULL, call_once, &stranger), 0);
    rpc_loop_run_for(fixture.loop, 2 * WAIT_MS);
    pthread_join(thread, NULL);
    return stranger.code;
}

static void a_message_over_the_limit_is_refused_by_the_server(void **state)
{
    (void)state;
    uint8_t *large = calloc(1, RPC_MESSAGE_BYTES_MAX + 1);
    assert_non_null(large);
    assert_int_equal(
        call_as_stranger(&method_echo, large, RPC_MESSAGE_BYTES_MAX + 1, GRPC_COMPRESS_NONE),
        GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_int_equal(
        call_as_stranger(&method_count, large, RPC_MESSAGE_BYTES_MAX + 1, GRPC_COMPRESS_NONE),
        GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_int_equal(
        call_as_stranger(&method_collect, large, RPC_MESSAGE_BYTES_MAX + 1, GRPC_COMPRESS_NONE),
        GRPC_STATUS_RESOURCE_EXHAUSTED);
    free(large);
    assert_int_equal(fixture.service.half_closed, 0); /* no upload that looks whole */
    assert_int_equal(fixture.service.received, 0);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

/* A few bytes could stand for gigabytes. */
static void a_compressed_message_is_refused_unread(void **state)
{
    (void)state;
    static const uint8_t zeros[100000];
    assert_int_equal(call_as_stranger(&method_echo, zeros, sizeof zeros, GRPC_COMPRESS_GZIP),
                     GRPC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fixture.service.handled, 0);
    assert_int_equal(call_as_stranger(&method_echo, zeros, sizeof zeros, GRPC_COMPRESS_NONE),
                     GRPC_STATUS_OK);
}

/* --- messages of our own schema */

static uint64_t shown;

static void show_job(struct rpc_call *call, const void *request)
{
    const struct job_request *job = request;
    shown++;
    rpc_call_reply(call,
                   &(struct local_job_row){
                       .job = job->job, .host = {"usc"}, .gpu = {"a100"}, .work_examples = 1e6});
}

static const struct rpc_handler job_handlers[] = {{&method_job_show, show_job}};

static void serve_jobs(void)
{
    struct rpc_server_settings settings = {.security = RPC_CLEAR,
                                           .address = "127.0.0.1:0",
                                           .handlers = job_handlers,
                                           .handler_count = 1,
                                           .allowed_gid = -1};
    shown = 0;
    rpc_server_close(fixture.server, 0);
    assert_ok(rpc_server_open(&fixture.server, fixture.loop, &settings, NULL));
    transport_close(fixture.client);
    snprintf(fixture.address, sizeof fixture.address, "127.0.0.1:%d",
             rpc_server_port(fixture.server));
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
}

static void a_message_that_breaks_its_bounds_never_reaches_the_handler(void **state)
{
    (void)state;
    serve_jobs();
    struct wire_method raw = method_job_show; /* the same path, our bytes */
    raw.request = NULL;
    raw.response = NULL;
    struct bytes wrong = bytes_of("\x0a\x04no/t"); /* field 1, a name with a slash */
    outcome_start(&outcome, &fixture, &raw, &wrong, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_INVALID);
    assert_non_null(strstr(outcome.text, "job"));
    assert_int_equal(shown, 0);
}

static void a_job_is_shown_through_the_schema(void **state)
{
    (void)state;
    serve_jobs();
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct job_request request = {.job = {"job-1"}};
    void *response = NULL;
    struct fault fault = {0};
    enum status status = rpc_client_call(fixture.loop, fixture.client, &method_job_show, &request,
                                         WAIT_MS, &arena, &response, &fault);
    assert_string_equal(fault.text, "");
    assert_int_equal(status, STATUS_OK);
    const struct local_job_row *row = response;
    assert_string_equal(row->job.text, "job-1");
    assert_string_equal(row->gpu.text, "a100");
    arena_fini(&arena);
}

/* --- a bare socket */

struct noise {
    uint64_t seed;
    int port;
};

static void send_noise(int port, struct rng *rng, bool preface)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0) {
        uint8_t bytes[512];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)rng_below(rng, 256);
        static const char start[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
        ssize_t ignored = preface ? send(fd, start, sizeof start, MSG_NOSIGNAL) : 0;
        ignored = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        (void)ignored;
    }
    if (fd >= 0)
        close(fd);
}

static void *make_noise(void *argument)
{
    const struct noise *noise = argument;
    struct rng rng;
    rng_init(&rng, noise->seed, 0);
    for (int i = 0; i < 200; i++)
        send_noise(noise->port, &rng, i % 2 == 0);
    rpc_loop_stop(fixture.loop);
    return NULL;
}

static void noise_on_the_port_harms_nobody(void **state)
{
    (void)state;
    struct noise noise = {support_seed(20261123), rpc_server_port(fixture.server)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, make_noise, &noise), 0);
    rpc_loop_run_for(fixture.loop, WAIT_MS);
    pthread_join(thread, NULL);
    if (echo_once(&fixture, &outcome) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)noise.seed, outcome.text);
    assert_int_equal(fixture.service.handled, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_over_the_limit_is_refused_by_the_server,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_compressed_message_is_refused_unread, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_message_that_breaks_its_bounds_never_reaches_the_handler,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_job_is_shown_through_the_schema, open_clear, close_all),
        cmocka_unit_test_setup_teardown(noise_on_the_port_harms_nobody, open_clear, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
