/*
 * Logs: a job's log to its owner, from an offset to the end, and on as it grows where that is
 * wanted. Each piece is sent when the one before is on the wire; a follower waits on a timer of the
 * peer's tick (log_streams_tick).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/home/home.h"
#include "peer/services/service.h"
#include "peer/services/service_local.h"
#include "proto/wire/methods.h"

enum { LOG_PIECE_BYTES = 64 * 1024, UNSENT_MAX = RPC_UNSENT_MAX / 2 };

struct log_stream {
    struct rpc_call *call;
    struct peer *peer;
    struct name job;
    uint64_t offset;
    bool follow;
    bool ended;
    struct log_stream *next;
};

static void closed(struct rpc_call *call)
{
    struct log_stream *stream = call->context;
    struct peer *peer = stream->peer;
    for (struct log_stream **link = &peer->log_streams; *link != NULL; link = &(*link)->next)
        if (*link == stream) {
            *link = stream->next;
            break;
        }
    free(stream);
}

static size_t send_piece(struct log_stream *stream, const char *path)
{
    uint8_t piece[LOG_PIECE_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = pread(fd, piece, sizeof piece, (off_t)stream->offset);
    close(fd);
    if (size <= 0)
        return 0;
    struct log_chunk chunk = {stream->offset, {piece, (size_t)size}};
    rpc_call_send(stream->call, &chunk);
    stream->offset += (uint64_t)size;
    return (size_t)size;
}

static void feed(struct log_stream *stream)
{
    char path[FILE_PATH_MAX];
    bool final = false;
    struct fault fault;
    if (stream->ended)
        return;
    enum status status = home_log(stream->peer->home, &stream->job, path, &final, &fault);
    if (status != STATUS_OK) {
        stream->ended = true;
        rpc_call_fail(stream->call, status, &fault);
        return;
    }
    while (stream->call->unsent < UNSENT_MAX)
        if (send_piece(stream, path) == 0)
            break;
    if (stream->call->unsent < UNSENT_MAX && (final || !stream->follow)) {
        stream->ended = true;
        rpc_call_end(stream->call);
    }
}

void handle_job_logs(struct rpc_call *call, const void *message)
{
    const struct logs_request *request = message;
    struct peer *peer = call->service;
    struct log_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        rpc_call_fail(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    *stream = (struct log_stream){
        .call = call,
        .peer = peer,
        .job = request->job,
        .offset = request->offset,
        .follow = request->follow,
        .next = peer->log_streams,
    };
    peer->log_streams = stream;
    call->context = stream;
    call->on_closed = closed;
    feed(stream);
}

void log_streams_tick(struct peer *peer)
{
    for (struct log_stream *stream = peer->log_streams; stream != NULL;) {
        struct log_stream *next = stream->next; /* ending a call may close it */
        feed(stream);
        stream = next;
    }
}
