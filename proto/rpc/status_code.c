/*
 * Status code: one table, read both ways; the first row that fits counts.
 *
 * gRPC has fewer words than we, so three of ours come back as their neighbour; and it has words
 * that our servers never send but gRPC itself or a stranger's server may.
 */
#include "proto/rpc/status_code.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

static const struct {
    enum status status;
    grpc_status_code code;
} pairs[] = {
    {STATUS_OK, GRPC_STATUS_OK},
    {STATUS_INVALID, GRPC_STATUS_INVALID_ARGUMENT},
    {STATUS_NOT_FOUND, GRPC_STATUS_NOT_FOUND},
    {STATUS_EXISTS, GRPC_STATUS_ALREADY_EXISTS},
    {STATUS_DENIED, GRPC_STATUS_PERMISSION_DENIED},
    {STATUS_UNAUTHENTICATED, GRPC_STATUS_UNAUTHENTICATED},
    {STATUS_EXHAUSTED, GRPC_STATUS_RESOURCE_EXHAUSTED},
    {STATUS_PRECONDITION, GRPC_STATUS_FAILED_PRECONDITION},
    {STATUS_UNAVAILABLE, GRPC_STATUS_UNAVAILABLE},
    {STATUS_DEADLINE, GRPC_STATUS_DEADLINE_EXCEEDED},
    {STATUS_CANCELLED, GRPC_STATUS_CANCELLED},
    {STATUS_CORRUPT, GRPC_STATUS_DATA_LOSS},
    {STATUS_UNIMPLEMENTED, GRPC_STATUS_UNIMPLEMENTED},
    {STATUS_INTERNAL, GRPC_STATUS_INTERNAL},
    /* come back as the one above */
    {STATUS_CONFIG, GRPC_STATUS_FAILED_PRECONDITION},
    {STATUS_IO, GRPC_STATUS_INTERNAL},
    {STATUS_NO_MEMORY, GRPC_STATUS_RESOURCE_EXHAUSTED},
    /* never sent by ours */
    {STATUS_INVALID, GRPC_STATUS_OUT_OF_RANGE},
    {STATUS_UNAVAILABLE, GRPC_STATUS_ABORTED},
    {STATUS_INTERNAL, GRPC_STATUS_UNKNOWN},
};

enum { PAIR_COUNT = sizeof pairs / sizeof pairs[0] };

grpc_status_code status_to_code(enum status status)
{
    for (size_t i = 0; i < PAIR_COUNT; i++)
        if (pairs[i].status == status)
            return pairs[i].code;
    assert(false); /* a status without a row */
    return GRPC_STATUS_UNKNOWN;
}

enum status status_from_code(grpc_status_code code)
{
    for (size_t i = 0; i < PAIR_COUNT; i++)
        if (pairs[i].code == code)
            return pairs[i].status;
    return STATUS_INTERNAL;
}
