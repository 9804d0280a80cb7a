/* Link, disputes: what home does not accept, told to the broker one at a time until it answered.
 * What the broker refuses (it is settled, or signed) it would refuse again: that is logged. */
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

static void told(void *context, enum status status, const void *response,
                 const struct fault *fault);

void link_disputes(struct link *link)
{
    struct fault fault;
    char text[DISPUTE_TEXT_BYTES_MAX + 1];
    struct dispute_request request;
    if (link->dispute_call != NULL || !link_due(link, &link->dispute))
        return;
    enum status status = spool_dispute_next(link->peer->spool, &request, text, &fault);
    if (status == STATUS_NOT_FOUND)
        return;
    if (status != STATUS_OK) {
        peer_trouble(link->peer, "reading disputes", &fault);
        link_failed(link, &link->dispute);
        return;
    }
    struct transport_callbacks callbacks = {.on_done = told, .context = link};
    link->dispute_lease = request.lease;
    link->dispute_sequence = request.sequence;
    link->dispute_call =
        transport_start(link->transport, &method_dispute, &request, LINK_CALL_MS, &callbacks);
}

static bool final(enum status status)
{
    return status == STATUS_OK || status == STATUS_INVALID || status == STATUS_DENIED ||
           status == STATUS_NOT_FOUND || status == STATUS_PRECONDITION ||
           status == STATUS_UNIMPLEMENTED;
}

static void told(void *context, enum status status, const void *response, const struct fault *fault)
{
    struct link *link = context;
    struct fault own;
    char id[LEASE_ID_TEXT_MAX];
    (void)response;
    link->dispute_call = NULL;
    if (!final(status)) {
        link_failed(link, &link->dispute);
        return;
    }
    link_succeeded(&link->dispute);
    lease_id_format(link->dispute_lease, id);
    if (status == STATUS_OK)
        log_warning(link->peer->log, "receipt %u of lease %s is disputed at the broker",
                    (unsigned)link->dispute_sequence, id);
    else
        log_warning(link->peer->log, "the broker takes no dispute over receipt %u of lease %s: %s",
                    (unsigned)link->dispute_sequence, id, fault->text);
    if (spool_dispute_told(link->peer->spool, link->dispute_lease, link->dispute_sequence, &own) !=
        STATUS_OK)
        peer_trouble(link->peer, "noting a dispute", &own);
}
