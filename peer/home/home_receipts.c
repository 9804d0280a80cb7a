/*
 * Home, receipts: countersigns what it can confirm, refuses what claims more than it saw.
 *
 * Home sees: which lease it is, how long ago it sent Start (or when a renewal began), when the job
 * left, how many checkpoints arrived. A receipt within that is signed; the same receipt again, to
 * the byte, gets the same signature; receipts of a lease are signed in sequence, so that they add
 * up. What is signed is remembered before the signature leaves.
 */
#include <inttypes.h>
#include <string.h>

#include "peer/home/home_job.h"
#include "proto/wire/methods.h"

enum {
    CHAIN_MAX = 256,       /* renewals looked back over */
    HELD_SLACK_MS = 5000,  /* messages take time */
    HELD_SLACK_PERCENT = 1 /* clocks of two machines drift apart */
};

/* What home knows of a start and the renewals of it, up to the lease in question. */
struct chain {
    int64_t started_boot_ms; /* Start was sent; 0: never */
    int64_t ended_boot_ms;   /* the job left; 0: not yet */
    int64_t signed_ms;       /* receipts countersigned so far, of all of them */
};

static enum status check_identity(const struct receipt *receipt, const struct lease *lease,
                                  const struct name *caller, struct bytes body,
                                  const struct signature *signature, struct fault *fault);
static enum status check_use(const struct receipt *receipt, const struct spool_lease *known,
                             int64_t most_ms, struct fault *fault);
static enum status check_repeated(const struct home *home, const struct receipt *receipt,
                                  struct bytes body, struct arena *arena, struct fault *fault);
static struct chain look_back(const struct home *home, const struct spool_lease *known,
                              const struct lease *lease, struct arena *arena);
static int64_t held_ms_max(const struct home *home, const struct chain *chain);
static int64_t seen_ms(const struct home *home, const struct chain *chain);
static enum status remember(struct home *home, const struct receipt *receipt, struct bytes body,
                            struct spool_lease *known, struct fault *fault);
static void add_cost(struct home *home, const struct receipt *receipt, const struct lease *lease);

static enum status sign(struct home *home, const struct signed_receipt *receipt,
                        struct signed_receipt *signed_receipt, struct fault *fault)
{
    *signed_receipt = *receipt;
    signed_receipt->home_signed = true;
    return signing_sign(&home->peer->identity.secret, SIGN_RECEIPT_HOME, receipt->body,
                        &signed_receipt->home_signature, fault);
}

static enum status judge(struct home *home, const struct name *caller,
                         const struct signed_receipt *receipt, struct arena *arena,
                         struct signed_receipt *signed_receipt, struct fault *fault)
{
    void *decoded = NULL, *leased = NULL;
    struct spool_lease known;
    struct chain chain = {0};
    enum status status = wire_decode(&message_receipt, receipt->body, arena, &decoded, fault);
    const struct receipt *claim = decoded;
    if (status == STATUS_OK)
        status = home_lease_get(home, claim->lease, arena, &known, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_lease, known.signed_lease.body, arena, &leased, fault);
    if (status == STATUS_OK)
        status =
            check_identity(claim, leased, caller, receipt->body, &receipt->host_signature, fault);
    if (status != STATUS_OK)
        return status;
    if (spool_dispute_by_owner(home->peer->spool, claim->lease, claim->sequence))
        return fault_set(fault, STATUS_DENIED, "receipt %u is disputed at the broker",
                         claim->sequence);
    bool repeated = claim->sequence == known.signed_sequence && claim->sequence > 0;
    if (repeated)
        status = check_repeated(home, claim, receipt->body, arena, fault);
    else
        chain = look_back(home, &known, leased, arena);
    if (!repeated) {
        status = check_use(claim, &known, held_ms_max(home, &chain), fault);
        if (status == STATUS_DENIED && claim->sequence == known.signed_sequence + 1)
            home_dispute(home, claim, seen_ms(home, &chain), fault->text);
    }
    if (status == STATUS_OK && !repeated)
        status = remember(home, claim, receipt->body, &known, fault);
    if (status == STATUS_OK && !repeated)
        add_cost(home, claim, leased);
    return status == STATUS_OK ? sign(home, receipt, signed_receipt, fault) : status;
}

enum status home_countersign(struct home *home, const struct name *caller,
                             const struct signed_receipt *receipt,
                             struct signed_receipt *signed_receipt, struct fault *fault)
{
    struct arena arena;
    struct fault own;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = judge(home, caller, receipt, &arena, signed_receipt, &own);
    arena_fini(&arena);
    if (status == STATUS_OK)
        return STATUS_OK;
    log_warning(home->peer->log, "a receipt of %s is not countersigned: %s", caller->text,
                own.text);
    return fault_set(fault, status, "%s", own.text);
}

static enum status check_identity(const struct receipt *receipt, const struct lease *lease,
                                  const struct name *caller, struct bytes body,
                                  const struct signature *signature, struct fault *fault)
{
    if (!name_equal(&lease->host, caller) || !name_equal(&receipt->host, caller))
        return fault_set(fault, STATUS_DENIED, "the lease is for host %s, not %s", lease->host.text,
                         caller->text);
    if (!name_equal(&receipt->home, &lease->home) || !name_equal(&receipt->job, &lease->job) ||
        receipt->gpu_count != lease->gpu_count)
        return fault_set(fault, STATUS_DENIED,
                         "the receipt is of job %s of %s on %u GPUs, the lease of job %s of %s on "
                         "%u",
                         receipt->job.text, receipt->home.text, receipt->gpu_count, lease->job.text,
                         lease->home.text, lease->gpu_count);
    return signing_verify(&lease->host_key, SIGN_RECEIPT_HOST, body, signature, fault);
}

/* Home may have heard of a renewal long after it began (it was away, or the word was slow), so a
 * renewal's own beginning bounds nothing: the time since the start, less what is receipted, does.
 */
static struct chain look_back(const struct home *home, const struct spool_lease *known,
                              const struct lease *lease, struct arena *arena)
{
    struct chain chain = {known->started_boot_ms, known->ended_boot_ms, known->signed_held_ms};
    struct lease_id before = lease->continues;
    for (int n = 0; n < CHAIN_MAX && !lease_id_none(before); n++) {
        struct spool_lease earlier;
        void *decoded = NULL;
        if (spool_lease_get(home->peer->spool, before, LEASE_AS_HOME, arena, &earlier, NULL) !=
                STATUS_OK ||
            wire_decode(&message_lease, earlier.signed_lease.body, arena, &decoded, NULL) !=
                STATUS_OK)
            break;
        chain.started_boot_ms = earlier.started_boot_ms;
        chain.signed_ms += earlier.signed_held_ms;
        if (chain.ended_boot_ms == 0) /* the job had left when home heard of the renewal */
            chain.ended_boot_ms = earlier.ended_boot_ms;
        before = ((const struct lease *)decoded)->continues;
    }
    return chain;
}

/* How long the host can have held the GPUs and not receipted yet, as seen from here. A boot clock
 * that went back means that this machine was started anew: then the lease's own length bounds it,
 * and that the broker checks. */
static int64_t held_ms_max(const struct home *home, const struct chain *chain)
{
    int64_t now = clock_boot_ms(home->peer->clock);
    if (chain->started_boot_ms == 0)
        return 0;
    if (now < chain->started_boot_ms)
        return INT64_MAX / 2;
    int64_t until = chain->ended_boot_ms >= chain->started_boot_ms ? chain->ended_boot_ms : now;
    int64_t seen = until - chain->started_boot_ms;
    return seen + seen / 100 * HELD_SLACK_PERCENT + HELD_SLACK_MS - chain->signed_ms;
}

/* What home would pay for: the time it saw. */
static int64_t seen_ms(const struct home *home, const struct chain *chain)
{
    int64_t most_ms = held_ms_max(home, chain);
    return most_ms > HELD_SLACK_MS ? most_ms - HELD_SLACK_MS : 0;
}

static enum status check_use(const struct receipt *receipt, const struct spool_lease *known,
                             int64_t most_ms, struct fault *fault)
{
    if (receipt->sequence <= known->signed_sequence)
        return fault_set(fault, STATUS_DENIED, "receipt %u was signed before", receipt->sequence);
    if (receipt->sequence != known->signed_sequence + 1)
        return fault_set(fault, STATUS_UNAVAILABLE, "receipt %u comes before %u",
                         known->signed_sequence + 1, receipt->sequence);
    if (receipt->held_ms > most_ms)
        return fault_set(fault, STATUS_DENIED,
                         "the receipt claims %" PRId64 " ms; home saw %" PRId64
                         " ms at most that are not receipted yet",
                         receipt->held_ms, most_ms);
    /* One may have been under way when a renewal began: host and home count it differently. */
    if (receipt->checkpoints + known->signed_checkpoints > known->checkpoints + 1)
        return fault_set(fault, STATUS_DENIED,
                         "the receipt claims %" PRIu64 " checkpoints; home has %" PRIu64,
                         receipt->checkpoints + known->signed_checkpoints, known->checkpoints);
    return STATUS_OK;
}

static void add_cost(struct home *home, const struct receipt *receipt, const struct lease *lease)
{
    struct home_job *job = home_find(home, &receipt->job);
    struct credits cost;
    int64_t payable = receipt->held_ms - receipt->unpayable_ms;
    if (job == NULL || name_equal(&lease->home, &lease->host) ||
        !price_amount(lease->price, lease->gpu_count, payable, &cost) ||
        !credits_add(job->row.paid, cost, &cost))
        return;
    job->row.paid = cost;
    job_save(job);
}

/* Asked again: only the very bytes that were signed; else a host could swap a receipt for a greater
 * one under the same number. */
static enum status check_repeated(const struct home *home, const struct receipt *receipt,
                                  struct bytes body, struct arena *arena, struct fault *fault)
{
    char id[LEASE_ID_TEXT_MAX];
    struct bytes kept;
    struct digest digest;
    digest_bytes(body.data, body.size, &digest);
    enum status status = spool_body_get(home->peer->spool, lease_id_format(receipt->lease, id),
                                        SPOOL_COUNTERSIGNED, arena, &kept, fault);
    bool same = status == STATUS_OK && kept.size == DIGEST_BYTES &&
                memcmp(kept.data, digest.bytes, DIGEST_BYTES) == 0;
    if (same || (status != STATUS_OK && status != STATUS_NOT_FOUND))
        return status;
    return fault_set(fault, STATUS_DENIED,
                     "receipt %u was signed before, and it was another one than this",
                     receipt->sequence);
}

static enum status remember(struct home *home, const struct receipt *receipt, struct bytes body,
                            struct spool_lease *known, struct fault *fault)
{
    struct spool *spool = home->peer->spool;
    char id[LEASE_ID_TEXT_MAX];
    struct digest digest;
    digest_bytes(body.data, body.size, &digest);
    known->signed_sequence = receipt->sequence;
    known->signed_held_ms += receipt->held_ms;
    known->signed_checkpoints += receipt->checkpoints;
    enum status status = spool_begin(spool, fault);
    if (status != STATUS_OK)
        return status;
    status = spool_lease_put(spool, known, fault);
    if (status == STATUS_OK)
        status = spool_body_put(spool, lease_id_format(receipt->lease, id), SPOOL_COUNTERSIGNED,
                                (struct bytes){digest.bytes, DIGEST_BYTES}, fault);
    if (status == STATUS_OK)
        status = spool_commit(spool, fault);
    if (status != STATUS_OK)
        spool_rollback(spool);
    return status;
}
