/* The one handler of LocalService that goes on after it was called; see service_logs.c. */
#ifndef ENTENTE_PEER_SERVICES_SERVICE_LOCAL_H
#define ENTENTE_PEER_SERVICES_SERVICE_LOCAL_H

#include "proto/rpc/call.h"

void handle_job_logs(struct rpc_call *call, const void *request);

#endif
