/* Lease: the tables of leases, receipts and what is signed. */
#include <inttypes.h>

#include "entente/v1/common.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row lease_id_rows[] = {
    ROW_U64(lease_id, incarnation, 1, WIRE_COUNTER_MAX),
    ROW_U64(lease_id, round, 1, WIRE_COUNTER_MAX),
    ROW_U32(lease_id, index, 1, UINT32_MAX),
};

const struct wire_message wire_message_lease_id = WIRE_MESSAGE(lease_id, NULL);

static const struct wire_row lease_node_rows[] = {
    ROW_U32(lease_node, node, 0, NODES_PER_POOL_MAX - 1),
    ROW_U64(lease_node, gpus, 1, UINT64_MAX),
};

static const struct wire_message message_lease_node = WIRE_MESSAGE(lease_node, NULL);

static int by_node(const void *a, const void *b)
{
    uint32_t left = ((const struct lease_node *)a)->node;
    uint32_t right = ((const struct lease_node *)b)->node;
    return left < right ? -1 : left > right;
}

static const struct wire_row lease_rows[] = {
    ROW_LEASE(lease, id),
    ROW_LEASE_OPTIONAL(lease, continues),
    ROW_NAME(lease, job),
    ROW_MEMBER(lease, home),
    ROW_MEMBER(lease, host),
    ROW_NAME(lease, gpu),
    ROW_U64(lease, home_incarnation, 1, WIRE_COUNTER_MAX),
    ROW_U64(lease, host_incarnation, 1, WIRE_COUNTER_MAX),
    ROW_STRUCTS_ORDERED(lease, nodes, node_count, lease_node, message_lease_node, 1,
                        NODES_PER_LEASE_MAX, by_node),
    ROW_U32(lease, gpu_count, 1, WIRE_GPUS_PER_JOB_MAX),
    ROW_DIGEST(lease, bundle_digest),
    ROW_PRICE(lease, price),
    ROW_CREDITS_BETWEEN(lease, cap, 0, WIRE_CREDITS_MAX),
    ROW_DURATION(lease, starts_in_ms),
    ROW_I64(lease, duration_ms, 1, WIRE_DURATION_MS_MAX),
    ROW_DURATION(lease, holdover_ms),
    ROW_WALL(lease, accept_from_wall_ms),
    ROW_WALL(lease, accept_until_wall_ms),
    ROW_DOUBLE(lease, predicted_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_SIGNING_KEY(lease, home_key),
    ROW_SIGNING_KEY(lease, host_key),
    ROW_ADDRESS(lease, home_address),
    ROW_ADDRESS(lease, host_address),
};

static enum status check_lease(const void *domain, const struct wire_path *path,
                               struct fault *fault)
{
    const struct lease *lease = domain;
    uint32_t bits = 0;
    for (uint32_t i = 0; i < lease->node_count; i++)
        bits += (uint32_t)__builtin_popcountll(lease->nodes[i].gpus);
    if (bits != lease->gpu_count)
        return wire_refuse(path, "gpu_count", STATUS_INVALID, fault,
                           "is %" PRIu32 " where the nodes' masks have %" PRIu32, lease->gpu_count,
                           bits);
    if (lease->accept_from_wall_ms > lease->accept_until_wall_ms)
        return wire_refuse(path, "accept_until_wall_ms", STATUS_INVALID, fault,
                           "is before accept_from_wall_ms");
    return STATUS_OK;
}

const struct wire_message message_lease = WIRE_MESSAGE(lease, check_lease);

static const struct wire_row signed_bytes_rows[] = {
    ROW_BYTES(signed_bytes, body, 1, WIRE_SIGNED_BODY_MAX),
    ROW_SIGNATURE(signed_bytes, signature),
    ROW_NAME(signed_bytes, key_id),
};

const struct wire_message wire_message_signed_bytes = WIRE_MESSAGE(signed_bytes, NULL);

static const struct wire_row lease_key_rows[] = {
    ROW_NAME(lease_key, key_id),
    ROW_SIGNING_KEY(lease_key, key),
    ROW_WALL(lease_key, until_wall_ms),
};

const struct wire_message wire_message_lease_key = WIRE_MESSAGE(lease_key, NULL);

/* ---- receipts */

static const struct wire_row receipt_rows[] = {
    ROW_LEASE(receipt, lease),
    ROW_NAME(receipt, job),
    ROW_MEMBER(receipt, home),
    ROW_MEMBER(receipt, host),
    ROW_U32(receipt, sequence, 1, UINT32_MAX),
    ROW_BOOL(receipt, last),
    ROW_ENUM(receipt, outcome, LEASE_OUTCOME_COUNT),
    ROW_U32(receipt, gpu_count, 1, WIRE_GPUS_PER_JOB_MAX),
    ROW_DURATION(receipt, held_ms),
    ROW_DURATION(receipt, unpayable_ms),
    ROW_COUNTER(receipt, steps),
    ROW_COUNTER(receipt, examples),
    ROW_COUNTER(receipt, checkpoints),
    ROW_WALL(receipt, ended_wall_ms),
    ROW_DURATION(receipt, measured_ms),
    ROW_COUNTER(receipt, measured_steps),
    ROW_COUNTER(receipt, measured_examples),
};

static enum status check_receipt(const void *domain, const struct wire_path *path,
                                 struct fault *fault)
{
    const struct receipt *receipt = domain;
    if (receipt->unpayable_ms > receipt->held_ms)
        return wire_refuse(path, "unpayable_ms", STATUS_INVALID, fault,
                           "%" PRId64 " is above held_ms, %" PRId64, receipt->unpayable_ms,
                           receipt->held_ms);
    return STATUS_OK;
}

const struct wire_message message_receipt = WIRE_MESSAGE(receipt, check_receipt);

static const struct wire_row signed_receipt_rows[] = {
    ROW_BYTES(signed_receipt, body, 1, WIRE_RECEIPT_BODY_MAX),
    ROW_SIGNATURE(signed_receipt, host_signature),
    ROW_SIGNATURE_OPTIONAL(signed_receipt, home_signature),
    ROW_BOOL(signed_receipt, home_signed),
};

/* The flag and the signature say the same. */
static enum status check_signed_receipt(const void *domain, const struct wire_path *path,
                                        struct fault *fault)
{
    const struct signed_receipt *receipt = domain;
    const struct wire_row *row = &signed_receipt_rows[2];
    if (receipt->home_signed && wire_fixed_is_zero(row, receipt))
        return wire_refuse(path, "home_signature", STATUS_INVALID, fault,
                           "is missing although home_signed is true");
    if (!receipt->home_signed && !wire_fixed_is_zero(row, receipt))
        return wire_refuse(path, "home_signature", STATUS_INVALID, fault,
                           "is there although home_signed is false");
    return STATUS_OK;
}

const struct wire_message message_signed_receipt =
    WIRE_MESSAGE(signed_receipt, check_signed_receipt);
