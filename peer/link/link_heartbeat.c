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
    request->broker_incarnation = link_broker_incarnation(link);
    request->reported = link_reported(link);
    struct ledger_head head;
    enum status status = spool_head_get(peer->spool, request->broker_incarnation, arena, &head,
                                        &request->signed_head, fault);
    if (status != STATUS_OK)
        return status;
    request->ledger_head_sequence = head.sequence;
    request->ledger_head = head.hash;
    status = inventory_offer(&peer->inventory, arena, &offer->pools, &offer->pool_count, fault);
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
    uint64_t known = link_broker_incarnation(link);
    if (known == incarnation)
        return;
    enum status status = spool_begin(peer->spool, &fault);
    /* a first broker has nothing to be told, a restored one has everything */
    if (status == STATUS_OK)
        status =
            spool_put_number(peer->spool, "reported-to", known == 0 ? incarnation : known, &fault);
    if (status == STATUS_OK)
        status = spool_put_number(peer->spool, "broker-incarnation", incarnation, &fault);
    if (status == STATUS_OK && known != 0)
        status = spool_put_number(peer->spool, "lease-events-seen", 0, &fault);
    if (status == STATUS_OK)
        status = spool_commit(peer->spool, &fault);
    if (status != STATUS_OK) {
        spool_rollback(peer->spool);
        peer_trouble(peer, "keeping the broker's incarnation", &fault);
    }
    link_report_anew(link);
    if (link->watch_call != NULL)
        transport_cancel(link->watch_call); /* its events are counted anew */
    home_tell_all(peer->home);
}

/* What it signed now may not be shorter than what it signed before: entries are never removed. The
 * longer one is kept, as evidence. */
static void notice_truncation(const struct peer *peer, const struct ledger_head *kept,
                              const struct ledger_head *now)
{
    if (now->sequence < kept->sequence)
        log_error(peer->log,
                  "the broker's ledger was truncated: it ends at entry %" PRIu64 ", and the broker "
                  "once signed entry %" PRIu64 "; tell its operator ('entente-peer ledger-head' is "
                  "the proof)",
                  now->sequence, kept->sequence);
}

static enum status read_head(const struct peer *peer, const struct signed_bytes *bytes,
                             struct arena *arena, struct ledger_head **head, struct fault *fault)
{
    void *decoded = NULL;
    enum status status = link_verify(peer, bytes, SIGN_LEDGER_HEAD, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_ledger_head, bytes->body, arena, &decoded, fault);
    *head = decoded;
    return status;
}

static void keep_head(struct peer *peer, const struct heartbeat_response *answer)
{
    struct arena arena;
    struct fault fault;
    struct ledger_head *head = NULL;
    struct ledger_head kept;
    struct signed_bytes signed_kept;
    if (answer->signed_head.body.size == 0)
        return;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = spool_head_get(peer->spool, answer->broker_incarnation, &arena, &kept,
                                        &signed_kept, &fault);
    if (status == STATUS_OK && kept.sequence != answer->ledger_head_sequence) {
        status = read_head(peer, &answer->signed_head, &arena, &head, &fault);
        if (status == STATUS_OK) {
            notice_truncation(peer, &kept, head);
            status = spool_head_put(peer->spool, head, &answer->signed_head, &fault);
        }
    }
    if (status != STATUS_OK)
        peer_trouble(peer, "keeping the ledger's head", &fault);
    arena_fini(&arena);
}

/* A broker that comes back should hear of us within two of its periods. */
static void limit_pause(struct link *link)
{
    int64_t latest = clock_boot_ms(link->peer->clock) + 2 * link->heartbeat_every_ms;
    if (link->heartbeat.due_boot_ms > latest)
        link->heartbeat.due_boot_ms = latest;
}

/* Somebody runs an old copy of the broker: what it says of leases and money is of the past. */
static void refuse_old_broker(struct link *link, uint64_t incarnation)
{
    if (link->heard || link->heartbeat.failures == 0)
        log_error(link->peer->log,
                  "the broker says that it is incarnation %" PRIu64 ", %" PRIu64
                  " was here before: an old copy of it runs; its operator must use "
                  "'entente-broker restore'",
                  incarnation, link_broker_incarnation(link));
    link->heard = false;
    link_failed(link, &link->heartbeat);
    if (link->watch_call != NULL)
        transport_cancel(link->watch_call);
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
    if (answer->broker_incarnation < link_broker_incarnation(link)) {
        refuse_old_broker(link, answer->broker_incarnation);
        return;
    }
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
    link->delivery_count = answer->delivery_count;
    for (uint32_t i = 0; i < answer->delivery_count; i++)
        link->deliveries[i] = answer->deliveries[i];
    notice_skew(peer, answer->broker_wall_ms);
    link_take_keys(peer, answer->lease_keys, answer->lease_key_count);
    link_take_revocations(link, &answer->revocations);
    notice_incarnation(link, answer->broker_incarnation);
    keep_head(peer, answer);
}
