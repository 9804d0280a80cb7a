#include "broker/core.h"

#include <string.h>

#include "broker/store/entries.h"
#include "proto/wire/methods.h"

enum { RECEIPT_WAIT_MS = 7 * 24 * 3600 * 1000 };

enum status core_open(struct core *core, const struct broker_config *config,
                      const struct clock *clock, const struct log *log, struct store *store,
                      const struct signing_secret *lease_secret, struct fault *fault)
{
    *core = (struct core){
        .config = config,
        .clock = clock,
        .log = log,
        .store = store,
        .lease_secret = *lease_secret,
        .stated = {.table = &config->throughputs},
    };
    registry_init(&core->registry, clock, config->heartbeat_ms * CONFIG_OFFER_HEARTBEATS);
    broker_time_init(&core->time, clock);
    arena_init(&core->head_arena, ARENA_MESSAGE_BYTES);
    enum status status = store_incarnation(store, &core->incarnation, fault);
    if (status == STATUS_OK)
        status = session_open(&core->market, fault);
    if (status == STATUS_OK)
        status = recovery_load(core, fault);
    if (status == STATUS_OK)
        status = signing_public(lease_secret, &core->lease_key.key, fault);
    if (status != STATUS_OK) {
        core_close(core);
        return status;
    }
    signing_key_id(&core->lease_key.key, &core->lease_key.key_id);
    return STATUS_OK;
}

static enum status sign_head(struct core *core, const struct store_ledger_head *newest,
                             struct fault *fault)
{
    const struct ledger_head head = {.incarnation = core->incarnation,
                                     .sequence = newest->sequence,
                                     .hash = newest->hash,
                                     .signed_wall_ms = core_now_ms(core)};
    arena_reset(&core->head_arena);
    core->head_sequence = 0;
    enum status status =
        wire_encode(&message_ledger_head, &head, &core->head_arena, &core->head.body, fault);
    if (status == STATUS_OK)
        status = signing_sign(&core->lease_secret, SIGN_LEDGER_HEAD, core->head.body,
                              &core->head.signature, fault);
    core->head.key_id = core->lease_key.key_id;
    if (status == STATUS_OK)
        core->head_sequence = newest->sequence;
    return status;
}

enum status core_ledger_head(struct core *core, struct signed_bytes *head, struct fault *fault)
{
    struct store_ledger_head newest;
    *head = (struct signed_bytes){.body = {0}};
    enum status status = store_ledger_head(core->store, &newest, fault);
    if (status != STATUS_OK || newest.sequence == 0)
        return status;
    if (newest.sequence != core->head_sequence)
        status = sign_head(core, &newest, fault);
    if (status == STATUS_OK)
        *head = core->head;
    return status;
}

void core_close(struct core *core)
{
    store_close(core->store);
    core->store = NULL;
    learned_close(core->learned);
    core->learned = NULL;
    session_close(core->market);
    core->market = NULL;
    registry_fini(&core->registry);
    arena_fini(&core->head_arena);
    explicit_bzero(&core->lease_secret, sizeof core->lease_secret);
}

const struct predictor *core_predictor(const struct core *core)
{
    return core->learned != NULL ? &core->learned->predictor : &core->stated;
}

int64_t core_now_ms(const struct core *core)
{
    return broker_time_now_ms(&core->time);
}

/* Where our wall clock was set forward since the start, members' receipts are dated ahead of broker
 * time by as much. */
struct lease_limits core_lease_limits(const struct core *core)
{
    int64_t ahead_ms = clock_wall_ms(core->clock) - core_now_ms(core);
    return (struct lease_limits){
        .grace_ms = core->config->grace_ms,
        .skew_ms = core->config->skew_ms_max + (ahead_ms > 0 ? ahead_ms : 0),
        .receipt_wait_ms = RECEIPT_WAIT_MS,
        .silent_home_ms = core->config->silent_home_ms,
    };
}

enum status core_sign_lease(const struct core *core, const struct lease *lease, struct arena *arena,
                            struct signed_bytes *signed_lease, struct fault *fault)
{
    enum status status = wire_encode(&message_lease, lease, arena, &signed_lease->body, fault);
    if (status == STATUS_OK)
        status = signing_sign(&core->lease_secret, SIGN_LEASE, signed_lease->body,
                              &signed_lease->signature, fault);
    signed_lease->key_id = core->lease_key.key_id;
    return status;
}
