#include "tests/proto/rpc_fixture.h"

#include <grp.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct rpc_fixture fixture;
static struct outcome outcome;
static char directory[256];
static char path[300];

static int open_local(void **state)
{
    (void)state;
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/daemon.sock", directory);
    fixture_open_loop(&fixture);
    outcome = (struct outcome){0};
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    support_remove_tree(directory);
    return 0;
}

static void serve_and_dial(void)
{
    struct rpc_credentials none = {0};
    fixture_serve(&fixture, RPC_UNIX_SOCKET, path, none);
    fixture.client = fixture_dial(&fixture, RPC_UNIX_SOCKET, none, NULL);
}

static int dial_path(const char *at)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(at) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, at, strlen(at));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

enum { STRANGER = 65534, STRANGERS_GROUP = 54321 };
enum { LET_IN = 10, SHUT_OUT = 11, NOT_CONNECTED = 12 };

/* Another user, with one more group (0: none), knocks: an HTTP/2 server that lets him in greets. */
static int be_stranger(const char *at, gid_t more)
{
    if (setgroups(more != 0, &more) != 0 || setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
        return 1;
    int fd = dial_path(at);
    if (fd < 0)
        return NOT_CONNECTED;
    char greeting;
    return read(fd, &greeting, 1) == 1 ? LET_IN : SHUT_OUT;
}

static int knock_as_stranger(const char *group)
{
    char program[] = "/proc/self/exe";
    char path_copy[sizeof path], group_copy[16];
    snprintf(path_copy, sizeof path_copy, "%s", path);
    snprintf(group_copy, sizeof group_copy, "%s", group);
    char *arguments[] = {program, path_copy, group_copy, NULL};
    pid_t pid;
    int status = 0;
    assert_int_equal(posix_spawn(&pid, program, NULL, NULL, arguments, environ), 0);
    for (int i = 0; i < WAIT_MS / 10 && waitpid(pid, &status, WNOHANG) == 0; i++)
        rpc_loop_run_for(fixture.loop, 10);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static enum status try_to_serve(const char *at, struct fault *fault)
{
    struct rpc_server_settings settings = {
        .security = RPC_UNIX_SOCKET, .address = at, .allowed_gid = -1};
    struct rpc_server *second = NULL;
    return rpc_server_open(&second, fixture.loop, &settings, fault);
}

static void leave_stale_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address, sizeof address), 0);
    close(fd);
}

static void a_local_caller_is_known_as_local(void **state)
{
    (void)state;
    serve_and_dial();
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    assert_true(fixture.service.last.local);
    assert_true(fixture.service.last.authenticated);
}

static void a_local_stream_and_upload_work(void **state)
{
    (void)state;
    serve_and_dial();
    uint64_t count = 3000;
    struct bytes request = {(const uint8_t *)&count, sizeof count};
    outcome_start(&outcome, &fixture, &method_count, &request, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(outcome.messages, count);
    assert_false(outcome.out_of_order);
    outcome_start(&outcome, &fixture, &method_collect, NULL, WAIT_MS);
    outcome.to_send = 3000;
    outcome_writable(&outcome);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(fixture.service.received, 3000);
}

static void only_owner_and_group_may_open_the_file(void **state)
{
    (void)state;
    serve_and_dial();
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0660);
}

static void a_dead_daemons_socket_is_replaced(void **state)
{
    (void)state;
    leave_stale_socket();
    serve_and_dial();
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

static void a_live_daemons_socket_is_refused(void **state)
{
    (void)state;
    serve_and_dial();
    struct fault fault;
    assert_int_equal(try_to_serve(path, &fault), STATUS_IO);
    assert_non_null(strstr(fault.text, path));
    assert_non_null(strstr(fault.text, "in use"));
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK); /* and the first lives on */
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    struct fault fault;
    assert_int_equal(try_to_serve(path, &fault), STATUS_IO);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
    (void)state;
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    struct fault fault;
    assert_int_equal(try_to_serve(longer, &fault), STATUS_CONFIG);
}

static void the_file_goes_with_the_server(void **state)
{
    (void)state;
    serve_and_dial();
    rpc_server_close(fixture.server, 0);
    fixture.server = NULL;
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
}

/* The file's mode and the check at accept are two walls; each holds alone. */
static void another_user_is_shut_out(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("needs root to become another user\n");
        skip();
    }
    serve_and_dial();
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(knock_as_stranger("0"), NOT_CONNECTED);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(knock_as_stranger("0"), SHUT_OUT);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

static void a_user_of_the_allowed_group_is_let_in(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("needs root to become another user\n");
        skip();
    }
    struct rpc_server_settings settings = {
        .security = RPC_UNIX_SOCKET, .address = path, .allowed_gid = STRANGERS_GROUP};
    assert_ok(rpc_server_open(&fixture.server, fixture.loop, &settings, NULL));
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(knock_as_stranger("54321"), LET_IN); /* a supplementary group is enough */
    assert_int_equal(knock_as_stranger("54322"), NOT_CONNECTED);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return be_stranger(argv[1], (gid_t)strtoul(argv[2], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_local_caller_is_known_as_local, open_local, close_all),
        cmocka_unit_test_setup_teardown(a_local_stream_and_upload_work, open_local, close_all),
        cmocka_unit_test_setup_teardown(only_owner_and_group_may_open_the_file, open_local,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_dead_daemons_socket_is_replaced, open_local, close_all),
        cmocka_unit_test_setup_teardown(a_live_daemons_socket_is_refused, open_local, close_all),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_socket_is_left_alone, open_local,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_path_too_long_for_a_socket_is_refused, open_local,
                                        close_all),
        cmocka_unit_test_setup_teardown(the_file_goes_with_the_server, open_local, close_all),
        cmocka_unit_test_setup_teardown(another_user_is_shut_out, open_local, close_all),
        cmocka_unit_test_setup_teardown(a_user_of_the_allowed_group_is_let_in, open_local,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
