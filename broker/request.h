/*
 * Request: the rule that a request repeated has its effect once. [DESIGN §8.4]
 *
 * In the same transaction as the effect: request_admit(), and where it says repeated, answer as
 * before and change nothing.
 */
#ifndef ENTENTE_BROKER_REQUEST_H
#define ENTENTE_BROKER_REQUEST_H

#include "broker/store/store.h"

enum { REQUEST_SKEW_MS_MAX = 300 * 1000 };

/* INVALID: issued longer ago than keys are kept, or further in the future than clocks may differ.
 * EXISTS: the key came before with other content. content is a digest of what is asked for. */
MUST_USE enum status request_admit(struct store *store, const struct store_request *request,
                                   int64_t now_wall_ms, bool *repeated, struct fault *fault);

#endif
