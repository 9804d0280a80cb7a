#include "peer/link/link.h"

#include <stdlib.h>

#include "peer/link/link_state.h"

enum { HEARTBEAT_EVERY_MS_FIRST = 5000 };

static void redial_when_quiet(struct link *link);

enum status link_open(struct peer *peer, struct link **link, struct fault *fault)
{
    struct link *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the link");
    opened->peer = peer;
    opened->heard_boot_ms = clock_boot_ms(peer->clock);
    opened->heartbeat_every_ms = HEARTBEAT_EVERY_MS_FIRST;
    arena_init(&opened->reports_arena, ARENA_MESSAGE_BYTES);
    arena_init(&opened->receipts_arena, ARENA_MESSAGE_BYTES);
    for (size_t d = 0; d < LINK_DEMAND_SLOTS; d++)
        opened->demands[d].link = opened;
    *link = opened;
    return peer->settings.dialer->operations->dial_broker(peer->settings.dialer, &opened->transport,
                                                          fault);
}

/* Nothing new is begun while a new connection is waited for. Before the first heartbeat was
 * answered the broker does not know us. */
void link_tick(struct link *link)
{
    redial_when_quiet(link);
    if (link->redial_wanted || link->transport == NULL)
        return;
    link_heartbeat(link);
    if (!link_connected(link))
        return;
    link_watch(link);
    if (link_held(link)) {
        link_report(link);
        link_receipts(link);
        link_disputes(link);
    }
    link_demands(link);
    if (link->peer->settings.on_broker_contact != NULL)
        link->peer->settings.on_broker_contact(link->peer->settings.context, link->transport);
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    struct transport *transport = link->transport;
    transport_close(transport);
    link->transport = NULL;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    arena_fini(&link->reports_arena);
    arena_fini(&link->receipts_arena);
    free(link);
}

bool link_connected(const struct link *link)
{
    int64_t silent = clock_boot_ms(link->peer->clock) - link->heard_boot_ms;
    return link->heard && silent < 3 * link->heartbeat_every_ms;
}

bool link_away(const struct link *link)
{
    int64_t silent = clock_boot_ms(link->peer->clock) - link->heard_boot_ms;
    return silent >= link->peer->config->broker_away_ms;
}

struct credits link_balance(const struct link *link)
{
    return link->balance;
}

struct credits link_escrow(const struct link *link)
{
    return link->escrow;
}

const struct delivery_row *link_deliveries(const struct link *link, uint32_t *count)
{
    *count = link->delivery_count;
    return link->deliveries;
}

void link_redial(struct link *link)
{
    link->redial_wanted = true;
    if (link->watch_call != NULL)
        transport_cancel(link->watch_call); /* it resumes where it was */
}

static bool quiet(const struct link *link)
{
    bool busy = link->heartbeat_call != NULL || link->watch_call != NULL ||
                link->reports_call != NULL || link->receipts_call != NULL ||
                link->held_call != NULL || link->dispute_call != NULL;
    for (size_t d = 0; d < LINK_DEMAND_SLOTS; d++)
        busy |= link->demands[d].call != NULL;
    return !busy;
}

static void redial_when_quiet(struct link *link)
{
    struct fault fault;
    struct dialer *dialer = link->peer->settings.dialer;
    if (!link->redial_wanted || !quiet(link))
        return;
    transport_close(link->transport);
    link->transport = NULL;
    if (dialer->operations->dial_broker(dialer, &link->transport, &fault) == STATUS_OK)
        link->redial_wanted = false;
    else
        peer_trouble(link->peer, "dialling the broker", &fault);
    link->heartbeat.due_boot_ms = 0;
    link->watch.due_boot_ms = 0;
}

bool link_due(const struct link *link, const struct link_try *try)
{
    return clock_boot_ms(link->peer->clock) >= try->due_boot_ms;
}

void link_failed(struct link *link, struct link_try *try)
{
    uint32_t doublings = try->failures < LINK_DOUBLINGS_MAX ? try->failures : LINK_DOUBLINGS_MAX;
    int64_t pause = (int64_t)LINK_RETRY_MS << doublings;
    if (pause > LINK_RETRY_MS_MAX)
        pause = LINK_RETRY_MS_MAX;
    try->failures++;
    try->due_boot_ms = clock_boot_ms(link->peer->clock) + pause;
}

void link_succeeded(struct link_try *try)
{
    *try = (struct link_try){0};
}
