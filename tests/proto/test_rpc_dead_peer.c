/*
 * A peer that is stopped (SIGSTOP) still has a kernel that acknowledges TCP: only HTTP/2 pings tell
 * that nobody is at home. Calls here have far longer to live than a ping takes to fail, so what
 * ends them is the keepalive.
 */
#include "tests/proto/rpc_fixture.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct rpc_fixture fixture;
static struct outcome outcome;

struct child {
    pid_t pid;
    FILE *out; /* its standard output */
};

/* This program again, in another role; never a fork of a process with gRPC's threads. */
static struct child start_child(const char *role, const char *argument)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    char program[] = "/proc/self/exe";
    char role_copy[32], argument_copy[300];
    snprintf(role_copy, sizeof role_copy, "%s", role);
    snprintf(argument_copy, sizeof argument_copy, "%s", argument);
    char *arguments[] = {program, role_copy, argument_copy, NULL};
    struct child child;
    assert_int_equal(posix_spawn(&child.pid, program, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    child.out = fdopen(ends[0], "r");
    assert_non_null(child.out);
    return child;
}

static void end_child(struct child *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    fclose(child->out);
}

static int be_server(void)
{
    fixture_open_loop(&fixture);
    fixture.service.hold = true;
    fixture_serve(&fixture, RPC_CLEAR, "127.0.0.1:0", (struct rpc_credentials){0});
    printf("%s\n", fixture.address);
    fflush(stdout);
    rpc_loop_run(fixture.loop);
    return 0;
}

static int be_client(const char *address)
{
    struct bytes hello = bytes_of("hello");
    fixture_open_loop(&fixture);
    snprintf(fixture.address, sizeof fixture.address, "%s", address);
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    outcome_start(&outcome, &fixture, &method_echo, &hello, 10 * WAIT_MS);
    rpc_loop_run(fixture.loop);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void a_stopped_server_is_noticed_by_its_client(void **state)
{
    (void)state;
    struct child child = start_child("server", "");
    char address[64];
    assert_non_null(fgets(address, sizeof address, child.out));
    address[strcspn(address, "\n")] = '\0';
    fixture_open_loop(&fixture);
    snprintf(fixture.address, sizeof fixture.address, "%s", address);
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    struct bytes hello = bytes_of("hello");
    outcome_start(&outcome, &fixture, &method_echo, &hello, 10 * WAIT_MS);
    /* longer than a keepalive period: a client that pings an idle server too often is sent away */
    rpc_loop_run_for(fixture.loop, 7000);
    assert_false(outcome.done);
    kill(child.pid, SIGSTOP);
    rpc_loop_run_for(fixture.loop, WAIT_MS);
    end_child(&child);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, STATUS_UNAVAILABLE);
}

static void a_stopped_client_is_noticed_by_its_server(void **state)
{
    (void)state;
    fixture_open_loop(&fixture);
    fixture.service.hold = true;
    fixture_serve(&fixture, RPC_CLEAR, "127.0.0.1:0", (struct rpc_credentials){0});
    struct child child = start_child("client", fixture.address);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    rpc_loop_run_for(fixture.loop, 500);
    assert_int_equal(fixture.service.closed, 0);
    kill(child.pid, SIGSTOP);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
    end_child(&child);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return be_server();
    if (argc == 3 && strcmp(argv[1], "client") == 0)
        return be_client(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_stopped_server_is_noticed_by_its_client, close_all),
        cmocka_unit_test_teardown(a_stopped_client_is_noticed_by_its_server, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
