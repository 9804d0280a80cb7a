#include "peer/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/host/host.h"
#include "peer/services/service.h"
#include "peer/state_lock.h"

enum { SERVERS_GRACE_MS = 500, DELIVERY_GRACE_MS = 3000, RESERVE_EVERY_MS = 60 * 1000 };

static enum status lock_state(struct daemon *daemon, struct fault *fault);
static enum status load_identity(struct daemon *daemon, struct fault *fault);
static enum status open_executor(struct daemon *daemon, struct fault *fault);
static enum status open_spool(struct daemon *daemon, struct fault *fault);
static enum status open_loop(struct daemon *daemon, struct fault *fault);
static enum status open_peer(struct daemon *daemon, struct fault *fault);
static enum status open_servers(struct daemon *daemon, struct fault *fault);
static enum status announce(struct daemon *daemon, struct fault *fault);
static void on_signal(void *context);
static void tick(void *context);
static void close_all(struct daemon *daemon);

enum status daemon_run(const struct peer_config *config, const struct log *log, struct fault *fault)
{
    static enum status (*const steps[])(struct daemon *, struct fault *) = {
        lock_state, load_identity, open_executor, open_spool,
        open_loop,  open_peer,     open_servers,  announce,
    };
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the daemon");
    daemon->dialer.operations = &daemon_dialer;
    daemon->config = config;
    daemon->log = log;
    daemon->lock_fd = -1;
    enum status status = STATUS_OK;
    for (size_t s = 0; status == STATUS_OK && s < sizeof steps / sizeof steps[0]; s++)
        status = steps[s](daemon, fault);
    if (status == STATUS_OK) {
        tick(daemon);
        rpc_loop_run(daemon->loop);
        log_info(log, "stopped");
    }
    close_all(daemon);
    return status;
}

static enum status lock_state(struct daemon *daemon, struct fault *fault)
{
    return state_lock_take(daemon->config->state_directory, &daemon->lock_fd, fault);
}

static enum status load_identity(struct daemon *daemon, struct fault *fault)
{
    return identity_files_load(daemon->config, clock_wall_ms(clock_real()), &daemon->files, fault);
}

/* The shim's own program starts much faster than this one; beside it where it is installed. */
static void prefer_shim(char program[static FILE_PATH_MAX])
{
    static const char name[] = "entente-peer-shim";
    char shim[FILE_PATH_MAX];
    size_t directory = (size_t)(strrchr(program, '/') + 1 - program);
    if (directory + sizeof name > sizeof shim)
        return;
    memcpy(shim, program, directory);
    memcpy(shim + directory, name, sizeof name);
    if (access(shim, X_OK) == 0)
        memcpy(program, shim, directory + sizeof name);
}

static enum status open_executor(struct daemon *daemon, struct fault *fault)
{
    const struct config_executor *config = &daemon->config->executor;
    char program[FILE_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return fault_set(fault, STATUS_IO, "/proc/self/exe can't be read: %s", strerror(errno));
    program[length] = '\0';
    prefer_shim(program);
    struct process_executor_settings settings = {
        .program = program,
        .bwrap = config->bwrap,
        .sandbox = config->sandbox,
        .memory_bytes_default = config->memory_bytes,
        .processes_default = config->processes,
        .scratch_bytes_default = config->scratch_bytes,
        .allow_network = config->network,
        .first_uid = config->first_uid,
        .log = daemon->log,
        .clock = clock_real(),
    };
    return process_executor_open(&settings, &daemon->executor, fault);
}

static enum status open_spool(struct daemon *daemon, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, daemon->config->state_directory, "spool.db", fault);
    return status == STATUS_OK ? spool_open(path, clock_real(), &daemon->spool, fault) : status;
}

/* What was used of the spool's room is taken again while there is some. */
static void reserve_again(struct daemon *daemon)
{
    struct fault fault;
    int64_t now = clock_boot_ms(clock_real());
    if (now < daemon->reserve_boot_ms)
        return;
    daemon->reserve_boot_ms = now + RESERVE_EVERY_MS;
    if (spool_reserve(daemon->spool, &fault) != STATUS_OK)
        log_warning(daemon->log, "no room in the spool for what comes: %s", fault.text);
}

static bool spool_waits(const void *context)
{
    return spool_unsynced(((const struct daemon *)context)->spool);
}

/* Ends at once where the disk fails: whoever was not answered asks again, the jobs run on, and the
 * spool is as after a power failure. */
static void sync_spool(void *context)
{
    struct daemon *daemon = context;
    struct fault fault;
    if (spool_sync(daemon->spool, &fault) == STATUS_OK)
        return;
    log_error(daemon->log, "%s: stopping at once, nothing more is answered", fault.text);
    _exit(EXIT_FAILURE);
}

static enum status open_loop(struct daemon *daemon, struct fault *fault)
{
    enum status status = rpc_loop_open(&daemon->loop, clock_real(), daemon->log, fault);
    if (status == STATUS_OK)
        status = spool_defer_sync(daemon->spool, fault);
    if (status != STATUS_OK)
        return status;
    struct rpc_barrier barrier = {spool_waits, sync_spool, daemon};
    rpc_loop_set_barrier(daemon->loop, &barrier);
    rpc_loop_stop_on_signals(daemon->loop, on_signal, daemon);
    return STATUS_OK;
}

/* A second signal does not wait. */
static void on_signal(void *context)
{
    struct daemon *daemon = context;
    if (!daemon->config->stop_jobs_on_exit || daemon->peer == NULL || daemon->stop_boot_ms != 0) {
        rpc_loop_stop(daemon->loop);
        return;
    }
    log_info(daemon->log, "stopping; jobs are asked to write a checkpoint");
    daemon->stop_boot_ms =
        clock_boot_ms(clock_real()) + daemon->config->stop_grace_ms + DELIVERY_GRACE_MS;
    daemon->peer->inventory.draining = true;
    host_stop_all(daemon->peer->host, "its host is being stopped");
}

static void on_revoked(void *context, const struct name *member)
{
    struct daemon *daemon = context;
    rpc_server_cancel_member(daemon->peer_server, member);
}

/* Nothing more is said or done: what the spool has is where the next start goes on. */
static void on_failed(void *context)
{
    const struct daemon *daemon = context;
    log_error(daemon->log, "this peer ends now; its jobs run on and are adopted at the next start");
    _exit(EXIT_FAILURE);
}

/* The address with the real port is known only when the server listens. */
static enum status open_peer(struct daemon *daemon, struct fault *fault)
{
    struct peer_identity identity = {
        .federation = daemon->files.facts.subject.federation,
        .secret = daemon->files.secret,
        .key = daemon->files.signing_key,
        .certificate_until_wall_ms = daemon->files.facts.validity.until_wall_ms,
    };
    struct peer_settings settings = {
        .config = daemon->config,
        .clock = clock_real(),
        .log = daemon->log,
        .dialer = &daemon->dialer,
        .spool = daemon->spool,
        .executor = daemon->executor,
        .identity = &identity,
        .address = "",
        .on_revoked = on_revoked,
        .on_failed = on_failed,
        .on_broker_contact = daemon_renew,
        .context = daemon,
    };
    enum status status = peer_open(&settings, &daemon->peer, fault);
    explicit_bzero(&identity, sizeof identity);
    return status;
}

/* Port 0 takes any port, but the same one again after a restart where that is free: leases that
 * others hold name it. */
static void former_address(const struct daemon *daemon, char text[static ADDRESS_BYTES_MAX + 1])
{
    const char *listen = daemon->config->listen;
    const char *colon = strrchr(listen, ':');
    char path[FILE_PATH_MAX];
    struct arena arena;
    struct bytes former;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    snprintf(text, ADDRESS_BYTES_MAX + 1, "%s", listen);
    if (strcmp(colon, ":0") == 0 &&
        path_join(path, daemon->config->state_directory, "address", NULL) == STATUS_OK &&
        file_read(path, ADDRESS_BYTES_MAX, &arena, &former, NULL) == STATUS_OK) {
        const char *port = strrchr((const char *)former.data, ':');
        size_t length = port != NULL ? strspn(port + 1, "0123456789") : 0;
        if (length > 0 && length <= 5)
            snprintf(text, ADDRESS_BYTES_MAX + 1, "%.*s:%.*s", (int)(colon - listen), listen,
                     (int)length, port + 1);
    }
    arena_fini(&arena);
}

static enum status open_servers(struct daemon *daemon, struct fault *fault)
{
    char address[ADDRESS_BYTES_MAX + 1];
    former_address(daemon, address);
    struct rpc_server_settings peers = {
        .security = RPC_MUTUAL_TLS,
        .address = address,
        .credentials = daemon_credentials(daemon),
        .allowed_gid = -1,
        .handlers = peer_service_handlers,
        .handler_count = peer_service_handler_count,
        .service = daemon->peer,
        .admit = peer_service_admit,
    };
    struct rpc_server_settings local = {
        .security = RPC_UNIX_SOCKET,
        .address = daemon->config->socket,
        .allowed_gid = daemon->config->socket_gid,
        .handlers = local_service_handlers,
        .handler_count = local_service_handler_count,
        .service = daemon->peer,
    };
    enum status status = rpc_server_open(&daemon->peer_server, daemon->loop, &peers, fault);
    if (status != STATUS_OK && strcmp(address, daemon->config->listen) != 0) {
        peers.address = daemon->config->listen; /* somebody else has that port now */
        status = rpc_server_open(&daemon->peer_server, daemon->loop, &peers, fault);
    }
    if (status == STATUS_OK)
        status = rpc_server_open(&daemon->local_server, daemon->loop, &local, fault);
    return status;
}

static void real_address(const struct daemon *daemon, char text[static ADDRESS_BYTES_MAX + 1])
{
    const char *shown =
        daemon->config->advertised[0] != '\0' ? daemon->config->advertised : daemon->config->listen;
    const char *colon = strrchr(shown, ':');
    int port = rpc_server_port(daemon->peer_server);
    if (strcmp(colon, ":0") == 0)
        snprintf(text, ADDRESS_BYTES_MAX + 1, "%.*s:%d", (int)(colon - shown), shown, port);
    else
        snprintf(text, ADDRESS_BYTES_MAX + 1, "%s", shown);
}

static enum status announce(struct daemon *daemon, struct fault *fault)
{
    char path[FILE_PATH_MAX], line[ADDRESS_BYTES_MAX + 2];
    real_address(daemon, daemon->peer->address);
    int length = snprintf(line, sizeof line, "%s\n", daemon->peer->address);
    struct bytes bytes = {(const uint8_t *)line, (size_t)length};
    enum status status = path_join(path, daemon->config->state_directory, "address", fault);
    if (status == STATUS_OK)
        status = file_write(path, bytes, 0644, fault);
    if (status != STATUS_OK)
        return status;
    if (daemon->peer->abilities.missing[0] != '\0')
        log_warning(daemon->log, "limits that can't be enforced here: %s",
                    daemon->peer->abilities.missing);
    printf("ready member=%s peers=%s socket=%s\n", daemon->config->member.text,
           daemon->peer->address, daemon->config->socket);
    fflush(stdout);
    return STATUS_OK;
}

static void tick(void *context)
{
    struct daemon *daemon = context;
    peer_tick(daemon->peer);
    reserve_again(daemon);
    bool stopped =
        daemon->stop_boot_ms != 0 &&
        (!host_busy(daemon->peer->host) || clock_boot_ms(clock_real()) > daemon->stop_boot_ms);
    if (stopped)
        rpc_loop_stop(daemon->loop);
    rpc_timer_start(daemon->loop, &daemon->tick, PEER_TICK_MS, tick, daemon);
}

static void close_all(struct daemon *daemon)
{
    rpc_timer_stop(&daemon->tick);
    if (daemon->local_server != NULL)
        rpc_server_close(daemon->local_server, SERVERS_GRACE_MS);
    if (daemon->peer_server != NULL)
        rpc_server_close(daemon->peer_server, SERVERS_GRACE_MS);
    peer_close(daemon->peer);
    if (daemon->loop != NULL)
        rpc_loop_close(daemon->loop);
    spool_close(daemon->spool);
    if (daemon->executor != NULL)
        daemon->executor->operations->close(daemon->executor);
    identity_files_wipe(&daemon->files);
    if (daemon->lock_fd >= 0)
        close(daemon->lock_fd);
    free(daemon);
}
