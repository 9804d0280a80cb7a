/*
 * Listing: rows for people out of store and registry: jobs, leases, members, status. Read-only.
 *
 * Ownership: rows lie in the arena. Thread rule: the store's. Complexity: O(rows) look-ups; status
 * and members O(all).
 */
#ifndef ENTENTE_BROKER_LISTING_H
#define ENTENTE_BROKER_LISTING_H

#include "broker/core.h"
#include "proto/wire/messages.h"

/* home "" for everybody's. */
MUST_USE enum status listing_jobs(const struct core *core, const struct name *home,
                                  const struct page_request *page, struct arena *arena,
                                  struct jobs_response *jobs, struct fault *fault);
MUST_USE enum status listing_leases(const struct core *core, const struct page_request *page,
                                    struct arena *arena, struct leases_response *leases,
                                    struct fault *fault);
MUST_USE enum status listing_members(const struct core *core, struct arena *arena,
                                     struct members_response *members, struct fault *fault);
/* All but up_ms and next_round_in_ms. */
MUST_USE enum status listing_status(const struct core *core, struct arena *arena,
                                    struct broker_status_response *status, struct fault *fault);

#endif
