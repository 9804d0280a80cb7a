/*
 * Fuzz target of what people write for the daemons: the first byte picks the reader (a broker's
 * configuration, a peer's, a job file), the rest is the file. What is accepted keeps the bounds
 * that the daemons rely on, and a job that is accepted is one that the wire takes.
 */
#include <assert.h>

#include "broker/config.h"
#include "peer/config.h"
#include "peer/home/job_file.h"
#include "proto/wire/methods.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input_file.h"

enum reader { READS_BROKER, READS_PEER, READS_JOB, READERS };

#define NOW_WALL_MS INT64_C(1795410000000) /* 2026-11-23T05:00:00Z */

static enum status read_broker(const char *path, struct arena *arena, struct fault *fault)
{
    struct broker_config config;
    enum status status = broker_config_load(path, arena, &config, fault);
    if (status == STATUS_OK)
        assert(member_name_valid(config.federation.text) && config.lead_ms < config.round_ms &&
               config.lead_ms > 0 && config.heartbeat_ms >= CONFIG_HEARTBEAT_MS_MIN &&
               config.round_ms >= CONFIG_ROUND_MS_MIN && config.restart_seconds >= 0);
    return status;
}

static enum status read_peer(const char *path, struct arena *arena, struct fault *fault)
{
    struct peer_config config;
    enum status status = peer_config_load(path, arena, &config, fault);
    for (uint32_t p = 0; status == STATUS_OK && p < config.pool_count; p++) {
        const struct config_pool *pool = &config.pools[p];
        assert(config_pool_find(&config, &pool->gpu) != NULL);
        assert(pool->gpus_per_node >= 1 && pool->gpus_per_node <= 64 && pool->cost.nanos >= 0);
    }
    return status;
}

static enum status read_job(const char *path, struct arena *arena, struct fault *fault)
{
    struct job_submission job;
    struct bytes bytes;
    void *back = NULL;
    enum status status = job_file_load(path, NOW_WALL_MS, arena, &job, fault);
    if (status != STATUS_OK)
        return status;
    status = wire_encode(&message_job_submission, &job, arena, &bytes, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_job_submission, bytes, arena, &back, fault);
    assert(status == STATUS_OK || status == STATUS_EXHAUSTED);
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[INPUT_PATH_MAX];
    struct arena arena;
    struct fault fault = {.text = ""};
    enum status status = STATUS_OK;
    if (size == 0)
        return 0;
    input_file(0, data + 1, size - 1, path);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    switch ((enum reader)(data[0] % READERS)) {
    case READS_BROKER: status = read_broker(path, &arena, &fault); break;
    case READS_PEER: status = read_peer(path, &arena, &fault); break;
    case READS_JOB: status = read_job(path, &arena, &fault); break;
    case READERS: break;
    }
    /* what is refused is refused in words */
    assert(status == STATUS_OK || (status == STATUS_CONFIG && fault.text[0] != '\0') ||
           status == STATUS_NO_MEMORY || status == STATUS_EXHAUSTED);
    arena_fini(&arena);
    return 0;
}
