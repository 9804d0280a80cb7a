/* See daemon.h: opens everything in order, runs the loop, closes everything in reverse order. */
#include "broker/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/services/service.h"

enum { GRACE_MS = 2000 };

struct opening {
    struct daemon *daemon;
    const struct broker_config *config;
    const struct log *log;
    int lock_fd;
    struct fault *fault;
};

static enum status lock_state(struct opening *opening);
static enum status open_authority(struct opening *opening);
static enum status open_core(struct opening *opening);
static enum status open_loop(struct opening *opening);
static enum status open_listeners(struct opening *opening);
static enum status announce(struct opening *opening);
static void close_all(struct opening *opening);

enum status daemon_run(const struct broker_config *config, const struct log *log,
                       struct fault *fault)
{
    static enum status (*const steps[])(struct opening *) = {
        lock_state, open_authority, open_core, open_loop, open_listeners, announce,
    };
    struct opening opening = {.config = config, .log = log, .lock_fd = -1, .fault = fault};
    opening.daemon = calloc(1, sizeof *opening.daemon);
    if (opening.daemon == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the daemon");
    opening.daemon->config = config;
    arena_init(&opening.daemon->revocations_arena, ARENA_MESSAGE_BYTES);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof steps[0]; i++)
        status = steps[i](&opening);
    if (status == STATUS_OK)
        rpc_loop_run(opening.daemon->loop);
    close_all(&opening);
    return status;
}

/* One daemon a state directory. */
static enum status lock_state(struct opening *opening)
{
    return authority_lock(opening->config, &opening->lock_fd, opening->fault);
}

/* An expired certificate, or one that a crash left with another key, is made anew. */
static enum status open_authority(struct opening *opening)
{
    struct authority *authority = calloc(1, sizeof *authority);
    if (authority == NULL)
        return fault_set(opening->fault, STATUS_NO_MEMORY, "no memory for the keys");
    opening->daemon->authority = authority;
    enum status status = authority_load(opening->config, authority, opening->fault);
    if (status != STATUS_OK)
        return status;
    int64_t now_ms = clock_wall_ms(clock_real());
    bool good = identity_verify_chain(&authority->broker_chain, &authority->root,
                                      &authority->broker_key, now_ms, NULL) == STATUS_OK;
    if (good && now_ms < authority_renew_from_ms(authority))
        return STATUS_OK;
    log_info(opening->log, "renewing the broker's certificate");
    return authority_renew_broker(opening->config, clock_real(), authority, opening->fault);
}

static enum status open_core(struct opening *opening)
{
    struct daemon *daemon = opening->daemon;
    char path[FILE_PATH_MAX];
    struct store *store = NULL;
    enum status status = authority_store_path(opening->config, path, opening->fault);
    if (status == STATUS_OK)
        status = store_open(path, STORE_WRITE, &store, opening->fault);
    if (status == STATUS_OK)
        status = core_open(&daemon->core, opening->config, clock_real(), opening->log, store,
                           &daemon->authority->lease_secret, opening->fault);
    if (status == STATUS_OK)
        status = learning_open(&daemon->learning, &daemon->core, opening->fault);
    return status == STATUS_OK ? daemon_sign_revocations(daemon, false, opening->fault) : status;
}

static bool store_waits(const void *context)
{
    return store_unsynced(((const struct daemon *)context)->core.store);
}

/* Ends at once where the disk fails: whoever was not answered asks again, and the store is as after
 * a power failure. */
static void sync_store(void *context)
{
    struct daemon *daemon = context;
    struct fault fault;
    if (store_sync(daemon->core.store, &fault) == STATUS_OK)
        return;
    log_error(daemon->core.log, "%s: stopping at once, nothing more is answered", fault.text);
    _exit(EXIT_FAILURE);
}

static enum status open_loop(struct opening *opening)
{
    struct daemon *daemon = opening->daemon;
    enum status status = rpc_loop_open(&daemon->loop, clock_real(), opening->log, opening->fault);
    if (status == STATUS_OK)
        status = worker_open(&daemon->worker, daemon->loop, opening->fault);
    if (status == STATUS_OK)
        status = worker_open(&daemon->advisor, daemon->loop, opening->fault);
    if (status == STATUS_OK)
        status = worker_open(&daemon->learner, daemon->loop, opening->fault);
    if (status != STATUS_OK)
        return status;
    status = store_defer_sync(daemon->core.store, opening->fault);
    if (status != STATUS_OK)
        return status;
    struct rpc_barrier barrier = {store_waits, sync_store, daemon};
    rpc_loop_set_barrier(daemon->loop, &barrier);
    rpc_loop_stop_on_signals(daemon->loop, NULL, NULL);
    dispatch_init(&daemon->dispatch, &daemon->core);
    daemon->started_boot_ms = clock_boot_ms(daemon->core.clock);
    return STATUS_OK;
}

static enum status open_listeners(struct opening *opening)
{
    struct daemon *daemon = opening->daemon;
    struct rpc_server_settings enrolment = {
        .security = RPC_SERVER_TLS,
        .address = opening->config->enrolment_address,
        .credentials = daemon_credentials(daemon),
        .allowed_gid = -1,
        .handlers = enrolment_handlers,
        .handler_count = enrolment_handlers_count,
        .service = daemon,
        .admit = daemon_admit_joiner,
    };
    struct rpc_server_settings members = enrolment;
    members.security = RPC_MUTUAL_TLS;
    members.address = opening->config->members_address;
    members.handlers = member_handlers;
    members.handler_count = member_handlers_count;
    members.admit = daemon_admit_member;
    struct rpc_server_settings operators = {
        .security = RPC_UNIX_SOCKET,
        .address = opening->config->operator_socket,
        .allowed_gid = opening->config->operator_gid,
        .handlers = operator_handlers,
        .handler_count = operator_handlers_count,
        .service = daemon,
    };
    daemon_start_work(daemon);
    enum status status =
        rpc_server_open(&daemon->enrolment, daemon->loop, &enrolment, opening->fault);
    if (status == STATUS_OK)
        status = rpc_server_open(&daemon->members, daemon->loop, &members, opening->fault);
    if (status == STATUS_OK)
        status = rpc_server_open(&daemon->operators, daemon->loop, &operators, opening->fault);
    return status;
}

/* The configured host with the port it really listens on. */
static void real_address(const char *configured, int port, char text[static ADDRESS_BYTES_MAX + 1])
{
    const char *colon = strrchr(configured, ':');
    snprintf(text, ADDRESS_BYTES_MAX + 1, "%.*s:%d", (int)(colon - configured), configured, port);
}

/* STATE/addresses for scripts, one "NAME ADDRESS" a line; the same in one line on stdout. */
static enum status announce(struct opening *opening)
{
    struct daemon *daemon = opening->daemon;
    char path[FILE_PATH_MAX];
    char members[ADDRESS_BYTES_MAX + 1];
    char enrolment[ADDRESS_BYTES_MAX + 1];
    char text[FILE_PATH_MAX + 2 * ADDRESS_BYTES_MAX + 64];
    daemon->enrolment_port = rpc_server_port(daemon->enrolment);
    real_address(opening->config->members_address, rpc_server_port(daemon->members), members);
    real_address(opening->config->enrolment_address, daemon->enrolment_port, enrolment);
    snprintf(text, sizeof text, "members %s\nenrolment %s\noperator %s\n", members, enrolment,
             opening->config->operator_socket);
    enum status status =
        path_join(path, opening->config->state_directory, "addresses", opening->fault);
    struct bytes bytes = {.data = (const uint8_t *)text, .size = strlen(text)};
    if (status == STATUS_OK)
        status = file_write(path, bytes, 0644, opening->fault);
    if (status != STATUS_OK)
        return status;
    printf("ready members=%s enrolment=%s operator=%s\n", members, enrolment,
           opening->config->operator_socket);
    fflush(stdout);
    log_info(opening->log, "federation %s: members on %s, enrolment on %s",
             opening->config->federation.text, members, enrolment);
    return STATUS_OK;
}

/* --- closing, in reverse */

static void close_listeners(struct daemon *daemon)
{
    struct rpc_server *servers[] = {daemon->operators, daemon->members, daemon->enrolment};
    dispatch_fini(&daemon->dispatch);
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
        if (servers[i] != NULL)
            rpc_server_close(servers[i], GRACE_MS);
}

static void close_all(struct opening *opening)
{
    struct daemon *daemon = opening->daemon;
    if (daemon->loop != NULL) {
        rpc_timer_stop(&daemon->sweep_timer);
        worker_close(daemon->learner);
        worker_close(daemon->advisor);
        worker_close(daemon->worker);
        rounds_stop(&daemon->rounds);
        learning_stop(&daemon->learning);
        close_listeners(daemon);
        rpc_loop_close(daemon->loop);
    }
    if (daemon->core.store != NULL)
        core_close(&daemon->core);
    if (daemon->authority != NULL)
        authority_wipe(daemon->authority);
    free(daemon->authority);
    arena_fini(&daemon->revocations_arena);
    call_rates_fini(&daemon->call_rates);
    if (opening->lock_fd >= 0)
        close(opening->lock_fd);
    free(daemon);
}
