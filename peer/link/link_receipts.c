/* Link, receipts: reported in order until the broker has each; one it refuses is kept and reported
 * again now and then, since an operator's ruling may change that. */
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

enum {
    RECEIPTS_PER_CALL = 128,
    REFUSED_AGAIN_MS = 60 * 1000,
    TAKEN_KEPT_MS = 8 * 24 * 3600 * 1000 /* a day more than a weekly backup is old */
};

static void reported(void *context, enum status status, const void *response,
                     const struct fault *fault);

/* A backup older than this brings no settled receipt back. */
static void forget_taken(struct link *link)
{
    struct fault fault;
    int64_t before_ms = clock_wall_ms(link->peer->clock) - TAKEN_KEPT_MS;
    if (spool_receipts_forget(link->peer->spool, before_ms, &fault) != STATUS_OK)
        peer_trouble(link->peer, "forgetting settled receipts", &fault);
}

/* A restored broker is shown once what home has not signed yet, so that it knows the lease was
 * used.
 */
static enum receipt_state choose(struct link *link)
{
    int64_t now = clock_boot_ms(link->peer->clock);
    if (!link_reported(link) && !link->held_unsigned) {
        link->held_unsigned = true;
        return RECEIPT_UNSIGNED;
    }
    if (now < link->refused_boot_ms)
        return RECEIPT_READY;
    link->refused_boot_ms = now + REFUSED_AGAIN_MS;
    forget_taken(link);
    return RECEIPT_REFUSED;
}

static bool read_receipts(struct link *link, enum receipt_state state)
{
    struct fault fault;
    uint32_t limit = state == RECEIPT_UNSIGNED ? RECEIPTS_PER_REPORT_MAX : RECEIPTS_PER_CALL;
    arena_reset(&link->receipts_arena);
    link->receipts_count = 0;
    if (spool_receipts(link->peer->spool, state, limit, &link->receipts_arena, &link->receipts_sent,
                       &link->receipts_count, &fault) == STATUS_OK)
        return link->receipts_count > 0;
    peer_trouble(link->peer, "reading receipts", &fault);
    return false;
}

/* Reports go first: the broker must know that a lease ran and was released. */
void link_receipts(struct link *link)
{
    if (link->receipts_call != NULL || link->reports_call != NULL ||
        !link_due(link, &link->receipts))
        return;
    enum receipt_state state = choose(link);
    if (!read_receipts(link, state) &&
        (state == RECEIPT_READY || !read_receipts(link, RECEIPT_READY)))
        return;
    struct report_receipts_request request = {
        .receipts =
            arena_alloc(&link->receipts_arena, link->receipts_count, sizeof(struct signed_receipt)),
        .receipt_count = link->receipts_count,
    };
    if (request.receipts == NULL)
        return;
    for (uint32_t r = 0; r < link->receipts_count; r++)
        request.receipts[r] = link->receipts_sent[r].receipt;
    struct transport_callbacks callbacks = {.on_done = reported, .context = link};
    link->receipts_call = transport_start(link->transport, &method_report_receipts, &request,
                                          LINK_CALL_MS, &callbacks);
}

static enum status take_verdict(struct link *link, const struct receipt_verdict *verdict,
                                struct fault *fault)
{
    struct spool *spool = link->peer->spool;
    char id[LEASE_ID_TEXT_MAX];
    if (verdict->accepted)
        return spool_receipt_taken(spool, verdict->lease, verdict->sequence, fault);
    for (uint32_t r = 0; r < link->receipts_count; r++) {
        struct spool_receipt *sent = &link->receipts_sent[r];
        if (!lease_id_equal(sent->lease, verdict->lease) || sent->sequence != verdict->sequence)
            continue;
        if (sent->state == RECEIPT_UNSIGNED)
            return STATUS_OK; /* it goes on waiting for home */
        if (sent->state != RECEIPT_REFUSED)
            log_warning(link->peer->log, "the broker did not take receipt %u of lease %s: %s",
                        verdict->sequence, lease_id_format(verdict->lease, id), verdict->reason);
        sent->state = RECEIPT_REFUSED;
        return spool_receipt_put(spool, sent, fault);
    }
    return STATUS_OK;
}

static void reported(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct link *link = context;
    struct fault own;
    link->receipts_call = NULL;
    if (status != STATUS_OK) {
        log_info(link->peer->log, "reporting receipts failed: %s", fault->text);
        link->held_unsigned = false;
        link_failed(link, &link->receipts);
        return;
    }
    const struct report_receipts_response *answer = response;
    link_succeeded(&link->receipts);
    enum status kept = spool_begin(link->peer->spool, &own);
    for (uint32_t v = 0; kept == STATUS_OK && v < answer->verdict_count; v++)
        kept = take_verdict(link, &answer->verdicts[v], &own);
    if (kept == STATUS_OK)
        kept = spool_commit(link->peer->spool, &own);
    if (kept != STATUS_OK) {
        spool_rollback(link->peer->spool);
        peer_trouble(link->peer, "keeping the broker's verdicts", &own);
    }
}
