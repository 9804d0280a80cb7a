/*
 * Host, watch: home's window on its job: state, progress, the log from where home has it. The
 * stream ends after the final state. A slow home holds up only itself.
 */
#include "peer/executor/run.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum {
    LOG_PIECE_BYTES = 64 * 1024,
    PROGRESS_EVERY_MS = 500,
    UNSENT_MAX = RPC_UNSENT_MAX / 2,
    WATCHERS_PER_RUN_MAX = 16 /* home needs one; more are of connections that died */
};

static void closed(struct rpc_call *call);
static void drained(struct rpc_call *call);

static int count_watchers(const struct run *run)
{
    int count = 0;
    for (const struct run_watcher *watcher = run->watchers; watcher != NULL;
         watcher = watcher->next)
        count++;
    return count;
}

void host_watch(struct host *host, struct rpc_call *call, const struct watch_job_request *request)
{
    struct fault fault;
    char id[LEASE_ID_TEXT_MAX];
    struct run *run = host_find_job(host, request->lease);
    if (run == NULL || !name_equal(&run->row.home, &call->caller.subject.member)) {
        enum status status =
            fault_set(&fault, STATUS_NOT_FOUND, "no run of lease %s of %s here",
                      lease_id_format(request->lease, id), call->caller.subject.member.text);
        rpc_call_fail(call, status, &fault);
        return;
    }
    if (count_watchers(run) >= WATCHERS_PER_RUN_MAX) {
        enum status status =
            fault_set(&fault, STATUS_EXHAUSTED, "lease %s is watched by %d streams, the limit",
                      lease_id_format(request->lease, id), WATCHERS_PER_RUN_MAX);
        rpc_call_fail(call, status, &fault);
        return;
    }
    struct run_watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL) {
        rpc_call_fail(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    *watcher = (struct run_watcher){.call = call,
                                    .run = run,
                                    .log_offset = request->log_offset,
                                    .state_sent = -1,
                                    .next = run->watchers};
    run->watchers = watcher;
    call->context = watcher;
    call->on_closed = closed;
    call->on_drained = drained;
}

/* The end counts as told once it is on the wire. */
static void drained(struct rpc_call *call)
{
    struct run_watcher *watcher = call->context;
    if (watcher->run != NULL && watcher->ended)
        watcher->run->told = true;
}

static void closed(struct rpc_call *call)
{
    struct run_watcher *watcher = call->context;
    if (watcher->run != NULL) {
        if (watcher->ended && !call->broken)
            watcher->run->told = true;
        for (struct run_watcher **link = &watcher->run->watchers; *link != NULL;
             link = &(*link)->next)
            if (*link == watcher) {
                *link = watcher->next;
                break;
            }
    }
    free(watcher);
}

void run_forget_watchers(struct run *run)
{
    while (run->watchers != NULL) {
        struct run_watcher *watcher = run->watchers;
        run->watchers = watcher->next;
        watcher->run = NULL; /* freed when its call closes */
    }
}

static struct job_event event_of(const struct run *run, enum job_event_kind kind)
{
    return (struct job_event){
        .kind = kind,
        .state = run_job_state(&run->row),
        .steps = run->status.steps,
        .examples = run->status.examples,
        .examples_per_second = run->status.examples_per_second,
        .exit_code = run->row.exit_code,
        .text = run->row.text,
    };
}

/* One piece of the log, where there is one; how many bytes were sent. */
static size_t send_log(struct run *run, struct run_watcher *watcher)
{
    char path[FILE_PATH_MAX];
    uint8_t piece[LOG_PIECE_BYTES];
    if (path_join(path, run->directory, "log", NULL) != STATUS_OK)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    ssize_t size = pread(fd, piece, sizeof piece, (off_t)watcher->log_offset);
    close(fd);
    if (size <= 0)
        return 0;
    struct job_event event = event_of(run, JOB_EVENT_LOG);
    event.log_offset = watcher->log_offset;
    event.data = (struct bytes){piece, (size_t)size};
    rpc_call_send(watcher->call, &event);
    watcher->log_offset += (uint64_t)size;
    return (size_t)size;
}

static void send_progress(struct run *run, struct run_watcher *watcher)
{
    int64_t now = clock_boot_ms(run->peer->clock);
    if (run->status.examples == watcher->examples_sent ||
        now - watcher->progress_boot_ms < PROGRESS_EVERY_MS)
        return;
    struct job_event event = event_of(run, JOB_EVENT_PROGRESS);
    rpc_call_send(watcher->call, &event);
    watcher->examples_sent = run->status.examples;
    watcher->progress_boot_ms = now;
}

/* The final state comes last: after the whole log. */
static void tell_one(struct run *run, struct run_watcher *watcher)
{
    if (watcher->ended || watcher->call->unsent >= UNSENT_MAX)
        return;
    while (watcher->call->unsent < UNSENT_MAX)
        if (send_log(run, watcher) == 0)
            break;
    if (watcher->call->unsent >= UNSENT_MAX)
        return;
    send_progress(run, watcher);
    if (watcher->state_sent == (int)run->row.state)
        return;
    struct job_event event = event_of(run, JOB_EVENT_STATE);
    rpc_call_send(watcher->call, &event);
    watcher->state_sent = (int)run->row.state;
    if (run->row.state == RUN_OVER) {
        watcher->ended = true;
        rpc_call_end(watcher->call);
    }
}

void run_tell(struct run *run)
{
    for (struct run_watcher *watcher = run->watchers; watcher != NULL;) {
        struct run_watcher *next = watcher->next; /* ending a call may close it */
        tell_one(run, watcher);
        watcher = next;
    }
}
