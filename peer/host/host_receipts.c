/*
 * Host, receipts: signed here, kept in the spool, countersigned by home, handed to the link. A home
 * that refuses or stays silent is no reason to lose one: the broker gets it as it is.
 */
#include "peer/executor/run.h"
#include "peer/home/home.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/methods.h"

enum {
    COUNTERSIGN_EVERY_MS = 200,
    COUNTERSIGN_CALL_MS = 10 * 1000,
    COUNTERSIGN_PAUSE_MS = 500,
    COUNTERSIGN_DOUBLINGS_MAX = 7,
    COUNTERSIGN_PATIENCE_MS = 15 * 60 * 1000 /* then the broker's own patience begins */
};

void run_sign_receipt(struct run *run, const struct receipt *receipt)
{
    if (run->row.own) {
        /* A run that was lost is closed while the peer opens: its lease and home may be missing. */
        if (run->current.lease != NULL && run->peer->home != NULL)
            home_measured(run->peer->home, receipt, run->current.lease);
        return;
    }
    struct arena arena;
    struct fault fault;
    struct peer *peer = run->peer;
    struct spool_receipt kept = {
        .lease = receipt->lease,
        .sequence = receipt->sequence,
        .state = RECEIPT_UNSIGNED,
        .made_wall_ms = clock_wall_ms(peer->clock),
        .made_boot_ms = clock_boot_ms(peer->clock),
    };
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = wire_encode(&message_receipt, receipt, &arena, &kept.receipt.body, &fault);
    if (status == STATUS_OK)
        status = signing_sign(&peer->identity.secret, SIGN_RECEIPT_HOST, kept.receipt.body,
                              &kept.receipt.host_signature, &fault);
    if (status == STATUS_OK)
        status = spool_receipt_put(peer->spool, &kept, &fault);
    if (status != STATUS_OK)
        peer_fail(peer, "keeping a receipt", &fault);
    arena_fini(&arena);
}

/* --- to home and back */

static void countersigned(void *context, enum status status, const void *response,
                          const struct fault *fault);

static struct countersign_pause *pause_of(struct host *host, const struct name *home)
{
    struct countersign_pause *oldest = &host->pauses[0];
    for (size_t p = 0; p < COUNTERSIGN_PAUSES; p++) {
        if (name_equal(&host->pauses[p].home, home))
            return &host->pauses[p];
        if (host->pauses[p].until_boot_ms < oldest->until_boot_ms)
            oldest = &host->pauses[p];
    }
    *oldest = (struct countersign_pause){.home = *home};
    return oldest;
}

static struct countersign *free_slot(struct host *host)
{
    for (size_t s = 0; s < COUNTERSIGN_SLOTS; s++)
        if (host->slots[s].call == NULL)
            return &host->slots[s];
    return NULL;
}

static bool under_way(const struct host *host, const struct spool_receipt *receipt)
{
    for (size_t s = 0; s < COUNTERSIGN_SLOTS; s++)
        if (host->slots[s].call != NULL && lease_id_equal(host->slots[s].lease, receipt->lease))
            return true; /* one at a time for each lease: they count in sequence */
    return false;
}

static void keep(struct host *host, const struct spool_receipt *receipt)
{
    struct fault fault;
    if (spool_receipt_put(host->peer->spool, receipt, &fault) != STATUS_OK)
        peer_fail(host->peer, "keeping a receipt", &fault);
}

static void ask(struct host *host, struct countersign *slot, struct spool_receipt *receipt,
                const struct lease *lease)
{
    int64_t now = clock_boot_ms(host->peer->clock);
    if (clock_wall_ms(host->peer->clock) - receipt->made_wall_ms > COUNTERSIGN_PATIENCE_MS) {
        receipt->state = RECEIPT_READY; /* home is silent: the broker waits for it from now on */
        keep(host, receipt);
        return;
    }
    struct fault fault;
    struct countersign_pause *pause = pause_of(host, &lease->home);
    if (now < pause->until_boot_ms)
        return;
    *slot = (struct countersign){
        .host = host, .home = lease->home, .lease = receipt->lease, .sequence = receipt->sequence};
    if (peer_contact(host->peer, &lease->home, lease->home_address, &slot->contact, &fault) !=
        STATUS_OK) {
        pause->until_boot_ms = now + COUNTERSIGN_PAUSE_MS;
        return;
    }
    struct countersign_request request = {.receipt = receipt->receipt};
    struct transport_callbacks callbacks = {.on_done = countersigned, .context = slot};
    slot->call = transport_start(slot->contact->transport, &method_countersign, &request,
                                 COUNTERSIGN_CALL_MS, &callbacks);
    if (slot->call == NULL)
        contacts_give(&host->peer->contacts, &slot->contact);
}

static void ask_for(struct host *host, struct spool_receipt *receipt, struct arena *arena)
{
    struct countersign *slot = free_slot(host);
    struct spool_lease known;
    void *lease = NULL;
    struct fault fault;
    if (slot == NULL || under_way(host, receipt))
        return;
    enum status status =
        spool_lease_get(host->peer->spool, receipt->lease, LEASE_AS_HOST, arena, &known, &fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_lease, known.signed_lease.body, arena, &lease, &fault);
    if (status == STATUS_OK)
        ask(host, slot, receipt, lease);
    else
        peer_trouble(host->peer, "a receipt's lease", &fault);
}

void host_countersign(struct host *host)
{
    int64_t now = clock_boot_ms(host->peer->clock);
    if (now < host->countersign_boot_ms)
        return;
    host->countersign_boot_ms = now + COUNTERSIGN_EVERY_MS;
    struct arena arena;
    struct fault fault;
    struct spool_receipt *receipts = NULL;
    uint32_t count = 0;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (spool_receipts(host->peer->spool, RECEIPT_UNSIGNED, COUNTERSIGN_PAUSES, &arena, &receipts,
                       &count, &fault) != STATUS_OK)
        peer_trouble(host->peer, "reading receipts", &fault);
    for (uint32_t r = 0; r < count; r++)
        ask_for(host, &receipts[r], &arena);
    arena_fini(&arena);
}

static bool refusal(enum status status)
{
    return status == STATUS_DENIED || status == STATUS_INVALID || status == STATUS_NOT_FOUND ||
           status == STATUS_PRECONDITION || status == STATUS_CORRUPT ||
           status == STATUS_UNIMPLEMENTED;
}

/* Home's signature must be its own: else the broker would refuse the receipt for ever. */
static bool home_signed(struct host *host, const struct countersign *slot,
                        const struct signed_receipt *ours, const struct signed_receipt *theirs)
{
    struct arena arena;
    struct spool_lease known;
    void *decoded = NULL;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    bool good =
        theirs->home_signed &&
        spool_lease_get(host->peer->spool, slot->lease, LEASE_AS_HOST, &arena, &known, NULL) ==
            STATUS_OK &&
        wire_decode(&message_lease, known.signed_lease.body, &arena, &decoded, NULL) == STATUS_OK;
    if (good) {
        const struct lease *lease = decoded;
        good = signing_verify(&lease->home_key, SIGN_RECEIPT_HOME, ours->body,
                              &theirs->home_signature, NULL) == STATUS_OK;
    }
    arena_fini(&arena);
    return good;
}

/* False where it is not awaited any more. */
static bool find_receipt(struct host *host, const struct countersign *slot, struct arena *arena,
                         struct spool_receipt *receipt)
{
    return spool_receipt_get(host->peer->spool, slot->lease, slot->sequence, arena, receipt,
                             NULL) == STATUS_OK &&
           receipt->state == RECEIPT_UNSIGNED;
}

static void countersigned(void *context, enum status status, const void *response,
                          const struct fault *fault)
{
    struct countersign *slot = context;
    struct host *host = slot->host;
    struct countersign_pause *pause = pause_of(host, &slot->home);
    slot->call = NULL;
    contacts_give(&host->peer->contacts, &slot->contact);
    host->countersign_boot_ms = 0; /* there may be more */
    if (status != STATUS_OK && !refusal(status)) {
        uint32_t doublings = pause->failures < COUNTERSIGN_DOUBLINGS_MAX
                                 ? pause->failures
                                 : COUNTERSIGN_DOUBLINGS_MAX;
        pause->failures++;
        pause->until_boot_ms =
            clock_boot_ms(host->peer->clock) + ((int64_t)COUNTERSIGN_PAUSE_MS << doublings);
        return;
    }
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct spool_receipt receipt;
    const struct countersign_response *answer = response;
    if (find_receipt(host, slot, &arena, &receipt)) {
        *pause = (struct countersign_pause){.home = slot->home};
        receipt.state = RECEIPT_READY;
        if (status == STATUS_OK && home_signed(host, slot, &receipt.receipt, &answer->receipt)) {
            receipt.receipt.home_signed = true;
            receipt.receipt.home_signature = answer->receipt.home_signature;
        } else {
            log_warning(host->peer->log, "home %s did not sign a receipt: %s", slot->home.text,
                        fault != NULL ? fault->text : "its signature is not its own");
        }
        keep(host, &receipt);
    }
    arena_fini(&arena);
}

void host_countersign_close(struct host *host)
{
    for (size_t s = 0; s < COUNTERSIGN_SLOTS; s++)
        contacts_give(&host->peer->contacts, &host->slots[s].contact);
}
