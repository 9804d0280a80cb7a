/*
 * Status code: our status as a gRPC code and back. Pure.
 */
#ifndef ENTENTE_PROTO_RPC_STATUS_CODE_H
#define ENTENTE_PROTO_RPC_STATUS_CODE_H

#include <grpc/status.h>

#include "base/status.h"

grpc_status_code status_to_code(enum status status);
/* Any code a remote may send; those that are none of gRPC's are INTERNAL. */
enum status status_from_code(grpc_status_code code);

#endif
