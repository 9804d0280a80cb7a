/*
 * Signals: SIGINT and SIGTERM as work on the loop.
 *
 * They are blocked in every thread (rpc_loop_open does it before gRPC starts its own), and one
 * thread reads them from a signalfd and posts. A second descriptor tells that thread to end.
 * Children inherit the blocked set: who spawns one resets it (POSIX_SPAWN_SETSIGMASK).
 */
#include "proto/rpc/loop_internal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct rpc_signals {
    struct rpc_loop *loop;
    void (*on_signal)(void *context);
    void *context;
    int signal_fd;
    int end_fd;
    pthread_t thread;
};

static sigset_t watched(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void rpc_signals_block(void)
{
    sigset_t set = watched();
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void stop_loop(void *context)
{
    rpc_loop_stop(context);
}

static void *wait_for_signals(void *argument)
{
    struct rpc_signals *signals = argument;
    struct pollfd fds[] = {{.fd = signals->signal_fd, .events = POLLIN},
                           {.fd = signals->end_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents != 0)
            return NULL;
        struct signalfd_siginfo signal;
        if (read(signals->signal_fd, &signal, sizeof signal) != (ssize_t)sizeof signal)
            continue;
        if (rpc_loop_post(signals->loop, signals->on_signal, signals->context) != STATUS_OK)
            rpc_loop_stop(signals->loop);
    }
}

void rpc_loop_stop_on_signals(struct rpc_loop *loop, void (*on_signal)(void *context),
                              void *context)
{
    struct rpc_signals **place = rpc_loop_signals(loop);
    rpc_signals_close(*place);
    *place = NULL;
    struct rpc_signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL) {
        log_error(rpc_loop_log(loop), "no memory to watch signals; use SIGKILL to stop");
        return;
    }
    sigset_t set = watched();
    *signals = (struct rpc_signals){
        .loop = loop,
        .on_signal = on_signal != NULL ? on_signal : stop_loop,
        .context = on_signal != NULL ? context : loop,
        .signal_fd = signalfd(-1, &set, SFD_CLOEXEC),
        .end_fd = eventfd(0, EFD_CLOEXEC),
    };
    if (signals->signal_fd < 0 || signals->end_fd < 0 ||
        pthread_create(&signals->thread, NULL, wait_for_signals, signals) != 0) {
        log_error(rpc_loop_log(loop), "can't watch signals; use SIGKILL to stop");
        if (signals->signal_fd >= 0)
            close(signals->signal_fd);
        if (signals->end_fd >= 0)
            close(signals->end_fd);
        free(signals);
        return;
    }
    *place = signals;
}

void rpc_signals_close(struct rpc_signals *signals)
{
    if (signals == NULL)
        return;
    eventfd_write(signals->end_fd, 1);
    pthread_join(signals->thread, NULL);
    close(signals->signal_fd);
    close(signals->end_fd);
    free(signals);
}
