/*
 * Link, leases: the broker's events in, reports out.
 *
 * Events come in sequence and are handled before their number is kept: one that was handled but not
 * yet counted comes again, and then changes nothing. One that could not be kept whole (a full disk)
 * is not counted: the stream begins anew behind the last that was. Reports stay in the spool until
 * answered.
 */
#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

enum { REPORTS_PER_CALL = 256 };

static void took_event(void *context, const void *message);
static void watch_ended(void *context, enum status status, const void *response,
                        const struct fault *fault);

void link_watch(struct link *link)
{
    if (link->watch_call != NULL || !link_due(link, &link->watch))
        return;
    struct watch_leases_request request = {
        .after_sequence = spool_get_number(link->peer->spool, "lease-events-seen", 0)};
    struct transport_callbacks callbacks = {
        .on_done = watch_ended, .on_message = took_event, .context = link};
    link->watch_broken = false;
    link->watch_call =
        transport_start(link->transport, &method_watch_leases, &request, 0, &callbacks);
}

static void took_event(void *context, const void *message)
{
    struct link *link = context;
    struct peer *peer = link->peer;
    const struct lease_event *event = message;
    if (link->watch_broken)
        return;
    link_succeeded(&link->watch);
    uint64_t troubles = spool_troubles(peer->spool);
    if (event->sequence <= spool_get_number(peer->spool, "lease-events-seen", 0))
        return;
    host_lease_event(peer->host, event);
    home_lease_event(peer->home, event);
    struct fault fault;
    if (spool_troubles(peer->spool) == troubles &&
        spool_put_number(peer->spool, "lease-events-seen", event->sequence, &fault) != STATUS_OK)
        peer_trouble(peer, "counting a lease event", &fault);
    link->watch_broken = spool_troubles(peer->spool) != troubles;
    if (link->watch_broken)
        transport_cancel(link->watch_call);
}

static void watch_ended(void *context, enum status status, const void *response,
                        const struct fault *fault)
{
    struct link *link = context;
    (void)response;
    link->watch_call = NULL;
    if (link->redial_wanted)
        return;
    if (status != STATUS_OK)
        log_info(link->peer->log, "watching the broker's leases broke: %s", fault->text);
    link_failed(link, &link->watch);
}

/* --- reports */

static void reported(void *context, enum status status, const void *response,
                     const struct fault *fault);

void link_report(struct link *link)
{
    struct fault fault;
    if (link->reports_call != NULL || !link_due(link, &link->reports))
        return;
    arena_reset(&link->reports_arena);
    if (spool_reports(link->peer->spool, link->reports_single ? 1 : REPORTS_PER_CALL,
                      &link->reports_arena, &link->reports_sent, &link->reports_count,
                      &fault) != STATUS_OK) {
        peer_trouble(link->peer, "reading reports", &fault);
        link_failed(link, &link->reports);
        return;
    }
    if (link->reports_count == 0)
        return;
    struct report_leases_request request = {link->reports_sent, link->reports_count};
    struct transport_callbacks callbacks = {.on_done = reported, .context = link};
    link->reports_call =
        transport_start(link->transport, &method_report_leases, &request, LINK_CALL_MS, &callbacks);
}

static void forget_reports(struct link *link)
{
    struct fault fault;
    enum status status = spool_begin(link->peer->spool, &fault);
    for (uint32_t r = 0; status == STATUS_OK && r < link->reports_count; r++)
        status = spool_report_delete(link->peer->spool, link->reports_sent[r].lease,
                                     link->reports_sent[r].kind, &fault);
    if (status == STATUS_OK)
        status = spool_commit(link->peer->spool, &fault);
    if (status != STATUS_OK) {
        spool_rollback(link->peer->spool);
        peer_trouble(link->peer, "forgetting reports", &fault);
    }
}

static bool refused(enum status status)
{
    return status == STATUS_INVALID || status == STATUS_DENIED || status == STATUS_NOT_FOUND ||
           status == STATUS_PRECONDITION;
}

/* One report that the broker refuses must not hold up the others. */
static void reported(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct link *link = context;
    (void)response;
    link->reports_call = NULL;
    if (status == STATUS_OK || (refused(status) && link->reports_single)) {
        if (status != STATUS_OK)
            log_warning(link->peer->log, "the broker refused a report: %s", fault->text);
        forget_reports(link);
        link->reports_single = status != STATUS_OK;
        link_succeeded(&link->reports);
    } else if (refused(status)) {
        link->reports_single = true;
    } else {
        link_failed(link, &link->reports);
    }
}
