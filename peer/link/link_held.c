/*
 * Link, held: to a broker of a new incarnation, which was restored from a backup, everything that
 * it may have forgotten: leases under which runs are held here, who is revoked, the ledger heads
 * that were seen; then the leases of all receipts that are kept, page by page; then those receipts
 * and the state of all runs again. When nothing is left to tell, heartbeats say so.
 *
 * Until the leases are told, reports and receipts wait: the broker would not know what they are of.
 */
#include "peer/host/host.h"
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

enum { LEASES_PER_CALL = 256 };

static void told(void *context, enum status status, const void *response,
                 const struct fault *fault);

uint64_t link_broker_incarnation(const struct link *link)
{
    return spool_get_number(link->peer->spool, "broker-incarnation", 0);
}

bool link_reported(const struct link *link)
{
    uint64_t broker = link_broker_incarnation(link);
    return broker != 0 && spool_get_number(link->peer->spool, "reported-to", broker) == broker;
}

void link_report_anew(struct link *link)
{
    link->held_after = 0;
    link->held_step = HELD_FIRST;
    link->held_unsigned = false;
    link->held = (struct link_try){0};
}

/* --- what there is to tell */

static enum status add_lease(struct link *link, struct lease_id id, struct arena *arena,
                             struct report_held_request *request, struct fault *fault)
{
    struct spool_lease known;
    enum status status =
        spool_lease_get(link->peer->spool, id, LEASE_AS_HOST, arena, &known, fault);
    if (status == STATUS_OK && request->lease_count < LEASES_PER_REPORT_MAX)
        request->leases[request->lease_count++] = known.signed_lease;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Held leases, oldest first within a run, so that a renewal finds its forerunner. */
static enum status fill_first(struct link *link, struct arena *arena,
                              struct report_held_request *request, struct fault *fault)
{
    struct peer *peer = link->peer;
    struct lease_id *held = NULL;
    uint32_t count = 0;
    enum status status = host_held(peer->host, arena, &held, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        status = add_lease(link, held[i], arena, request, fault);
    if (status == STATUS_OK)
        status = spool_heads(peer->spool, arena, &request->heads, &request->head_count, fault);
    return status == STATUS_OK ? link_kept_revocations(peer, arena, &request->revocations, fault)
                               : status;
}

static enum status fill(struct link *link, struct arena *arena, struct report_held_request *request,
                        struct fault *fault)
{
    request->leases = arena_alloc(arena, LEASES_PER_REPORT_MAX, sizeof *request->leases);
    if (request->leases == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the leases held");
    if (link->held_step == HELD_FIRST)
        return fill_first(link, arena, request, fault);
    return spool_receipt_leases(link->peer->spool, &link->held_after, LEASES_PER_CALL, arena,
                                request->leases, &request->lease_count, fault);
}

static void send(struct link *link)
{
    struct arena arena;
    struct fault fault;
    struct report_held_request request = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = fill(link, &arena, &request, &fault);
    link->held_last = link->held_step == HELD_RECEIPTS && request.lease_count < LEASES_PER_CALL;
    if (status == STATUS_OK) {
        struct transport_callbacks callbacks = {.on_done = told, .context = link};
        link->held_call = transport_start(link->transport, &method_report_held, &request,
                                          LINK_CALL_MS, &callbacks);
    } else {
        peer_trouble(link->peer, "reading the leases held", &fault);
        link_failed(link, &link->held);
    }
    arena_fini(&arena);
}

/* --- the steps */

static enum held_step next_step(const struct link *link)
{
    if (link->held_step == HELD_FIRST)
        return HELD_RECEIPTS;
    return link->held_last ? HELD_TOLD : HELD_RECEIPTS;
}

static void told(void *context, enum status status, const void *response, const struct fault *fault)
{
    struct link *link = context;
    struct fault own;
    (void)response;
    link->held_call = NULL;
    if (status != STATUS_OK && status != STATUS_UNIMPLEMENTED) {
        log_info(link->peer->log, "telling the broker what is held here: %s", fault->text);
        link_report_anew(link);
        link_failed(link, &link->held);
        return;
    }
    link_succeeded(&link->held);
    link->held_step = next_step(link);
    if (link->held_step != HELD_TOLD)
        return;
    if (spool_receipts_again(link->peer->spool, &own) != STATUS_OK)
        peer_trouble(link->peer, "taking the receipts up again", &own);
    host_report_again(link->peer->host);
}

/* Every receipt must have been shown. Those that home has yet to sign go on waiting for it. */
static void finish(struct link *link)
{
    struct fault fault;
    struct peer *peer = link->peer;
    bool ready = true;
    enum status status = spool_receipts_ready(peer->spool, &ready, &fault);
    if (status == STATUS_OK && (ready || !link->held_unsigned || link->receipts_call != NULL))
        return;
    if (status == STATUS_OK)
        status =
            spool_put_number(peer->spool, "reported-to", link_broker_incarnation(link), &fault);
    if (status != STATUS_OK) {
        peer_trouble(peer, "noting that the broker knows everything", &fault);
        return;
    }
    log_info(peer->log, "the broker was restored: it knows all that is held here again");
    link_report_anew(link);
    link->heartbeat.due_boot_ms = 0;
}

bool link_held(struct link *link)
{
    if (link_reported(link))
        return true;
    if (link->held_call != NULL || !link_due(link, &link->held))
        return link->held_step == HELD_TOLD;
    if (link->held_step == HELD_TOLD)
        finish(link);
    else
        send(link);
    return link->held_step == HELD_TOLD || link_reported(link);
}
