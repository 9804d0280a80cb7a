/*
 * Local socket: a Unix listener of our own, because gRPC's does not tell who connects.
 *
 * A small thread accepts, asks the kernel who is there (SO_PEERCRED, SO_PEERGROUPS), and posts the
 * descriptors of allowed users to the loop, which gives them to gRPC. Allowed: our own uid, root,
 * members of allowed_gid. The file has mode 0660; one that a dead daemon left is replaced, a live
 * daemon's is refused. Thread rule: open and close from the loop's thread; the accepting thread
 * touches only its descriptors and rpc_loop_post.
 */
#include "proto/rpc/server_internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <grpc/grpc_posix.h>

enum {
    RPC_LOCAL_BACKLOG = 64,
    RPC_GROUPS_PER_USER_MAX = 256, /* supplementary groups looked at */
    RPC_ACCEPT_PAUSE_MS = 100      /* after accept failed, e.g. without descriptors */
};

struct local_socket {
    struct rpc_server *server;
    struct sockaddr_un address;
    int64_t allowed_gid;
    int fd; /* -1: not listening; the file is not ours */
    int end_fd;
    bool running;
    pthread_t thread;
};

struct arrival {
    struct rpc_server *server;
    int fd;
};

static enum status bind_file(struct local_socket *socket, struct fault *fault);
static enum status set_owner(const struct local_socket *socket, struct fault *fault);
static void *accept_callers(void *argument);

enum status local_socket_open(struct local_socket **out, struct rpc_server *server,
                              const char *path, int64_t allowed_gid, struct fault *fault)
{
    struct local_socket *local = calloc(1, sizeof *local);
    if (local == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a socket");
    *local = (struct local_socket){.server = server,
                                   .address = {.sun_family = AF_UNIX},
                                   .allowed_gid = allowed_gid,
                                   .fd = -1,
                                   .end_fd = eventfd(0, EFD_CLOEXEC)};
    *out = local; /* the server closes it, also after a failure below */
    if (strlen(path) >= sizeof local->address.sun_path)
        return fault_set(fault, STATUS_CONFIG, "socket path %s is longer than %zu bytes", path,
                         sizeof local->address.sun_path - 1);
    memcpy(local->address.sun_path, path, strlen(path));
    enum status status = bind_file(local, fault);
    if (status == STATUS_OK)
        status = set_owner(local, fault);
    if (status != STATUS_OK)
        return status;
    if (listen(local->fd, RPC_LOCAL_BACKLOG) != 0 || local->end_fd < 0 ||
        pthread_create(&local->thread, NULL, accept_callers, local) != 0)
        return fault_set(fault, STATUS_IO, "can't listen on %s: %s", path, strerror(errno));
    local->running = true;
    return STATUS_OK;
}

void local_socket_close(struct local_socket *local)
{
    if (local == NULL)
        return;
    if (local->running) {
        eventfd_write(local->end_fd, 1);
        pthread_join(local->thread, NULL);
    }
    if (local->fd >= 0) {
        unlink(local->address.sun_path);
        close(local->fd);
    }
    if (local->end_fd >= 0)
        close(local->end_fd);
    free(local);
}

static const struct sockaddr *generic(const struct sockaddr_un *address)
{
    return (const struct sockaddr *)(const void *)address;
}

/* Nobody answers behind the file: its daemon died. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat about;
    if (lstat(address->sun_path, &about) != 0 || !S_ISSOCK(about.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, generic(address), sizeof *address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static enum status bind_file(struct local_socket *local, struct fault *fault)
{
    const char *path = local->address.sun_path;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fault_set(fault, STATUS_IO, "can't make a socket: %s", strerror(errno));
    /* Before bind: the file is never wider than this, whatever the umask. */
    fchmod(fd, 0660);
    int failed = bind(fd, generic(&local->address), sizeof local->address);
    if (failed != 0 && errno == EADDRINUSE && is_stale(&local->address)) {
        log_info(rpc_loop_log(local->server->loop), "replacing the stale socket %s", path);
        unlink(path);
        failed = bind(fd, generic(&local->address), sizeof local->address);
    }
    if (failed != 0) {
        int error = errno;
        close(fd);
        return error == EADDRINUSE
                   ? fault_set(fault, STATUS_IO,
                               "%s is in use: another daemon listens there, or it is no socket",
                               path)
                   : fault_set(fault, STATUS_IO, "can't listen on %s: %s", path, strerror(error));
    }
    local->fd = fd;
    return STATUS_OK;
}

static enum status set_owner(const struct local_socket *local, struct fault *fault)
{
    const char *path = local->address.sun_path;
    if (chmod(path, 0660) != 0)
        return fault_set(fault, STATUS_IO, "can't set the mode of %s: %s", path, strerror(errno));
    if (local->allowed_gid >= 0 && chown(path, (uid_t)-1, (gid_t)local->allowed_gid) != 0)
        return fault_set(fault, STATUS_IO,
                         "can't give %s to group %lld: %s; run as a member of that group", path,
                         (long long)local->allowed_gid, strerror(errno));
    return STATUS_OK;
}

static bool in_group(int fd, gid_t primary, gid_t wanted)
{
    gid_t groups[RPC_GROUPS_PER_USER_MAX];
    socklen_t size = sizeof groups;
    if (primary == wanted)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        return false;
    for (size_t i = 0; i < size / sizeof groups[0]; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

static bool allowed(const struct local_socket *local, int fd)
{
    struct ucred user;
    socklen_t size = sizeof user;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &size) != 0)
        return false;
    if (user.uid == 0 || user.uid == geteuid())
        return true;
    if (local->allowed_gid >= 0 && in_group(fd, user.gid, (gid_t)local->allowed_gid))
        return true;
    log_warning(rpc_loop_log(local->server->loop), "%s: user %u may not call; refused",
                local->address.sun_path, (unsigned)user.uid);
    return false;
}

/* On the loop: gRPC takes the descriptor. */
static void arrive(void *context)
{
    struct arrival *arrival = context;
    if (arrival->server->closing) {
        close(arrival->fd);
    } else {
        grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
        grpc_server_add_channel_from_fd(arrival->server->grpc, arrival->fd, plain);
        grpc_server_credentials_release(plain);
    }
    free(arrival);
}

static void hand_in(struct local_socket *local, int fd)
{
    struct arrival *arrival = allowed(local, fd) ? malloc(sizeof *arrival) : NULL;
    if (arrival != NULL) {
        *arrival = (struct arrival){local->server, fd};
        if (rpc_loop_post(local->server->loop, arrive, arrival) == STATUS_OK)
            return;
    }
    free(arrival);
    close(fd);
}

static void *accept_callers(void *argument)
{
    struct local_socket *local = argument;
    struct pollfd fds[] = {{.fd = local->fd, .events = POLLIN},
                           {.fd = local->end_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents != 0)
            return NULL;
        int fd = accept4(local->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            hand_in(local, fd);
        else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            poll(&fds[1], 1, RPC_ACCEPT_PAUSE_MS);
    }
}
