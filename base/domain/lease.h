/*
 * Lease: the right to run one job on named GPUs of one pool, signed by the broker; and the receipt
 * that settles it.
 *
 * What is signed is the exact bytes sent (struct signed_bytes): nothing is re-serialised to be
 * verified. A lease carries durations, measured by the host on CLOCK_BOOTTIME from acceptance; wall
 * time only bounds acceptance. Plain data; `nodes` and byte runs are borrowed from an arena.
 */
#ifndef ENTENTE_BASE_DOMAIN_LEASE_H
#define ENTENTE_BASE_DOMAIN_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain/bytes.h"
#include "base/domain/job.h"
#include "base/domain/name.h"
#include "base/domain/offer.h"
#include "base/units.h"

/* Printed as INCARNATION.ROUND.INDEX, e.g. 1.12.3. Unique for ever, since a restore raises the
 * incarnation. */
struct lease_id {
    uint64_t incarnation; /* the broker's; >= 1 */
    uint64_t round;       /* >= 1 */
    uint32_t index;       /* within the round, >= 1 */
};

enum { LEASE_ID_TEXT_MAX = 64 };

const char *lease_id_format(struct lease_id id, char text[static LEASE_ID_TEXT_MAX]);
MUST_USE bool lease_id_parse(const char *text, struct lease_id *id);
bool lease_id_equal(struct lease_id a, struct lease_id b);
bool lease_id_none(struct lease_id id); /* all zero: no lease */

struct lease_node {
    uint32_t node;
    uint64_t gpus; /* mask, not empty */
};

struct lease {
    struct lease_id id;
    struct lease_id continues; /* the lease of the same job on the same GPUs that this one renews;
                                  none: a new start */
    struct name job;
    struct name home;
    struct name host;
    struct name gpu;
    uint64_t home_incarnation;
    uint64_t host_incarnation;
    struct lease_node *nodes; /* [node_count] the named GPUs */
    uint32_t node_count;
    uint32_t gpu_count; /* sum of the masks' bits */
    struct digest bundle_digest;
    struct price price;   /* per GPU-second, policy rents included */
    struct credits cap;   /* escrowed: the most this lease can cost within its duration */
    int64_t starts_in_ms; /* from acceptance: 0 for a new start, up to the old lease's end for a
                             renewal */
    int64_t duration_ms;  /* to the firm end */
    int64_t holdover_ms;  /* after the firm end, without the broker's word */
    int64_t accept_from_wall_ms;
    int64_t accept_until_wall_ms;
    double predicted_examples_per_second;
    struct signing_key home_key; /* who countersigns receipts */
    struct signing_key host_key; /* who signs them */
    char home_address[ADDRESS_BYTES_MAX + 1];
    char host_address[ADDRESS_BYTES_MAX + 1];
};

/* Bytes as they were signed, the signature under a domain tag, and which key made it. */
struct signed_bytes {
    struct bytes body;
    struct signature signature;
    struct name key_id;
};

/* A lease's life as the broker sees it; broker/lease has the table of allowed moves. */
enum lease_state {
    LEASE_STATE_PLANNED,  /* committed; its GPUs still held by an ending lease */
    LEASE_STATE_GRANTED,  /* in the outbox of home and host */
    LEASE_STATE_RUNNING,  /* host reported the job ready on both sides */
    LEASE_STATE_HOLDOVER, /* past its firm end without renewal or release */
    LEASE_STATE_RELEASED, /* host reported the GPUs free; receipt awaited */
    LEASE_STATE_SETTLED,  /* posted; final */
    LEASE_STATE_VOIDED,   /* never used; escrow returned; final */
    LEASE_STATE_COUNT
};

const char *lease_state_name(enum lease_state state);
bool lease_state_final(enum lease_state state);

/* Why a lease's use ended. */
enum lease_outcome {
    LEASE_OUTCOME_RENEWED,     /* the job goes on under the next lease */
    LEASE_OUTCOME_COMPLETED,   /* the job ended with success */
    LEASE_OUTCOME_STOPPED,     /* firm end, move or cancel: stopped after a checkpoint */
    LEASE_OUTCOME_JOB_FAILED,  /* the job ended with an error of its own */
    LEASE_OUTCOME_HOST_FAILED, /* the host lost it: held time since the last checkpoint is not
                                  payable */
    LEASE_OUTCOME_UNUSED,      /* never started */
    LEASE_OUTCOME_COUNT
};

const char *lease_outcome_name(enum lease_outcome outcome);

/* Metered use of one lease, signed by host and home. Natural key: the lease and the sequence
 * number. */
struct receipt {
    struct lease_id lease;
    struct name job;
    struct name home;
    struct name host;
    uint32_t sequence; /* 1, then one more for each holdover receipt */
    bool last;         /* the lease is released */
    enum lease_outcome outcome;
    uint32_t gpu_count;
    int64_t
        held_ms; /* from both ready (or the former receipt) to release, on the host's boot clock */
    int64_t
        unpayable_ms; /* of held_ms: since the last checkpoint delivered, where the host failed */
    uint64_t steps;
    uint64_t examples;    /* in this lease */
    uint64_t checkpoints; /* delivered to home in this lease */
    int64_t ended_wall_ms;
    int64_t measured_ms;     /* between the first and the last progress seen: no start, no stop; 0:
                                not measured */
    uint64_t measured_steps; /* done in that time */
    uint64_t measured_examples;
};

struct signed_receipt {
    struct bytes body; /* an encoded struct receipt */
    struct signature host_signature;
    struct signature home_signature;
    bool home_signed;
};

#endif
