/*
 * Learning, shown: predicted against measured, how good forecasts were, and how hosts deliver, as
 * operators and the hosts themselves are told. Thread rule: the loop's thread. Ownership: the
 * caller's arena. Complexity: O(LEARN_ROWS_MAX log LEARN_ROWS_MAX).
 */
#ifndef ENTENTE_BROKER_LEARNING_LEARNING_SHOW_H
#define ENTENTE_BROKER_LEARNING_LEARNING_SHOW_H

#include "broker/core.h"
#include "proto/wire/messages.h"

/* Those with enough jobs behind them; host NULL: of all. At most `most`. */
MUST_USE enum status learning_deliveries(const struct core *core, const struct name *host,
                                         uint32_t most, struct arena *arena,
                                         struct delivery_row **rows, uint32_t *count,
                                         struct fault *fault);

MUST_USE enum status learning_report(const struct core *core, const struct page_request *page,
                                     struct arena *arena, struct throughput_response *response,
                                     struct fault *fault);

#endif
