/*
 * Link, heartbeat: the offer and what is held here to the broker; timing, keys, revocations and
 * balance back. Sent within the period the broker asks for, and at once when what is free changed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

enum {
    SOONEST_MS = 200,    /* between two heartbeats */
    SKEW_WARN_MS = 2000, /* leases are accepted by the wall clock */
    SOONEST_EVERY_MS = 100
};

static enum status fill(struct link *link, struct arena *arena, struct heartbeat_request *request,
                        struct fault *fault);
static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault);

/* A number that changes with what is free, leased or draining. */
static uint64_t mark_inventory(const struct inventory *inventory)
{
    uint64_t mark = inventory->draining ? 1 : 2;
    for (uint32_t p = 0; p < inventory->pool_count; p++)
        for (uint32_t n = 0; n < inventory->pools[p].config->nodes; n++) {
            mark = (mark ^ inventory->pools[p].local[n]) * UINT64_C(0x100000001b3);
            mark = (mark ^ inventory->pools[p].leased[n]) * UINT64_C(0x100000001b3);
        }
    return mark;
}

static bool due(const struct link *link)
{
    int64_t now = clock_boot_ms(link->peer->clock);
    bool changed = link->heard && link->heartbeat.failures == 0 &&
                   mark_inventory(&link->peer->inventory) != link->inventory_mark;
    return link_due(link, &link->heartbeat) || (changed && now - link->sent_boot_ms >= SOONEST_MS);
}

void link_heartbeat(struct link *link)
{
    if (link->heartbeat_call != NULL || !due(link))
        return;
    struct arena arena;
    struct fault fault;
    struct heartbeat_request request = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (fill(link, &arena, &request, &fault) == STATUS_OK) {
        struct transport_callbacks callbacks = {.on_done = answered, .context = link};
        link->sent_boot_ms = clock_boot_ms(link->peer->clock);
        link->inventory_mark = mark_inventory(&link->peer->inventory);
        link->heartbeat_call =
            transport_start(link->transport, &method_heartbeat, &request, LINK_CALL_MS, &callbacks);
    } else {
        peer_trouble(link->peer, "a heartbeat", &fault);
        link_failed(link, &link->heartbeat);
    }
    arena_fini(&arena);
}

static enum status fill(struct link *link, struct arena *arena, struct heartbeat_request *request,
                        struct fault *fault)
{
    struct peer *peer = link->peer;
    const struct peer_config *config = peer->config;
    struct offer *offer = &request->offer;
    *offer = (struct offer){
        .member = config->member,
        .incarnation = spool_incarnation(peer->spool),
        .affinities = config->affinities,
        .affinity_count = config->affinity_count,
        .default_affinity_ppm = config->default_affinity_ppm,
        .budget_per_round = config->budget_per_round,
    };
    snprintf(offer->peer_address, sizeof offer->peer_address, "%s", peer->address);
    request->sent_wall_ms = clock_wall_ms(peer->clock);
    request->version = ENTENTE_VERSION;
    request->lease_events_seen = spool_get_number(peer->spool, "lease-events-seen", 0);
    request->ledger_head_sequence = spool_get_number(peer->spool, "ledger-head", 0);
    struct bytes head;
    if (request->ledger_head_sequence > 0 &&
        spool_get(peer->spool, "ledger-head-hash", arena, &head, NULL) == STATUS_OK &&
        head.size == DIGEST_BYTES)
        for (size_t b = 0; b < DIGEST_BYTES; b++)
            request->ledger_head.bytes[b] = head.data[b];
    enum status status =
        inventory_offer(&peer->inventory, arena, &offer->pools, &offer->pool_count, fault);
    if (status != STATUS_OK)
        return status;
    return host_held(peer->host, arena, &request->held, &request->held_count, fault);
}

/* --- the answer */

static void notice_skew(const struct peer *peer, int64_t broker_wall_ms)
{
    int64_t skew = clock_wall_ms(peer->clock) - broker_wall_ms;
    if (skew > SKEW_WARN_MS || skew < -SKEW_WARN_MS)
        log_warning(peer->log,
                    "this clock is %" PRId64
                    " ms from the broker's: leases may be refused; set both by NTP",
                    skew);
}

/* A broker of another incarnation was restored: its events count anew, and it may have forgotten
 * demands. */
static void notice_incarnation(struct link *link, uint64_t incarnation)
{
    struct peer *peer = link->peer;
    struct fault fault;
    uint64_t known = spool_get_number(peer->spool, "broker-incarnation", 0);
    if (known == incarnation)
        return;
    enum status status = spool_put_number(peer->spool, "broker-incarnation", incarnation, &fault);
    if (status == STATUS_OK && known != 0)
        status = spool_put_number(peer->spool, "lease-events-seen", 0, &fault);
    if (status != STATUS_OK)
        peer_trouble(peer, "keeping the broker's incarnation", &fault);
    home_tell_all(peer->home);
}

static void keep_head(struct peer *peer, const struct heartbeat_response *answer)
{
    struct fault fault;
    struct bytes hash = {answer->ledger_head.bytes, DIGEST_BYTES};
    if (answer->ledger_head_sequence == spool_get_number(peer->spool, "ledger-head", 0))
        return;
    enum status status = spool_put(peer->spool, "ledger-head-hash", hash, &fault);
    if (status == STATUS_OK)
        status = spool_put_number(peer->spool, "ledger-head", answer->ledger_head_sequence, &fault);
    if (status != STATUS_OK)
        peer_trouble(peer, "keeping the ledger's head", &fault);
}

/* A broker that comes back should hear of us within two of its periods. */
static void limit_pause(struct link *link)
{
    int64_t latest = clock_boot_ms(link->peer->clock) + 2 * link->heartbeat_every_ms;
    if (link->heartbeat.due_boot_ms > latest)
        link->heartbeat.due_boot_ms = latest;
}

static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct link *link = context;
    struct peer *peer = link->peer;
    link->heartbeat_call = NULL;
    if (status != STATUS_OK) {
        if (link->heartbeat.failures == 0 || status != STATUS_UNAVAILABLE)
            log_warning(peer->log, "the broker does not answer: %s", fault->text);
        link_failed(link, &link->heartbeat);
        limit_pause(link);
        if (status == STATUS_DENIED) /* it knows us, and we are revoked: nobody else can tell us */
            host_shut_out(peer->host);
        return;
    }
    const struct heartbeat_response *answer = response;
    int64_t now = clock_boot_ms(peer->clock);
    if (!link_connected(link))
        log_info(peer->log, "connected with the broker");
    link_succeeded(&link->heartbeat);
    link->heard = true;
    link->heard_boot_ms = now;
    link->heartbeat_every_ms = answer->heartbeat_every_ms > SOONEST_EVERY_MS
                                   ? answer->heartbeat_every_ms
                                   : SOONEST_EVERY_MS;
    link->heartbeat.due_boot_ms = now + link->heartbeat_every_ms;
    link->balance = answer->balance;
    link->escrow = answer->escrow;
    notice_skew(peer, answer->broker_wall_ms);
    link_take_keys(peer, answer->lease_keys, answer->lease_key_count);
    link_take_revocations(link, &answer->revocations);
    notice_incarnation(link, answer->broker_incarnation);
    keep_head(peer, answer);
}
