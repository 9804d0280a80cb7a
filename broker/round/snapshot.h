/*
 * Snapshot: a round's market as stored bytes, and the digest of the plan made of it.
 *
 * A stored round replays to the same plan (DESIGN §8.8), so the encoding is exact and
 * deterministic: one market, one run of bytes. Format, version 1 where the mechanism is Owen's:
 *
 *   "ENTM" 0x01, then fields in the order of struct market; counts before arrays.
 *   unsigned: LEB128. signed: zigzag LEB128. name: length, bytes. bool: 0 or 1.
 *   double: its 64 bits, little-endian (limits and coefficients of policy rows: never rounded).
 *   members: name. pools: owner, gpu, gpus per node, cost, nodes as masks (gpu_count is their
 * bits). jobs: name, home, column count, one_node, held column, held nodes (node, mask), age; a
 * job's first column is the sum before it. columns: job (delta), pool, gpus, θ, worth, value, price
 * room, time held. rows: kind, owner, partner, limit, entry count. entries: column, coefficient.
 *
 * Version 2, any other mechanism: after the version comes the mechanism's name, who funds (member
 * or -1), what an outside funder has, and each member's purse, by its name in the market.
 *
 * Versions 3 and 4 are 1 and 2 with the session's state (economics/market/solver) at the end:
 * length, bytes.
 *
 * Decoding trusts nothing: truncated, overlong, out-of-range or trailing bytes are CORRUPT, and the
 * result went through market_validate(). Ownership: results lie in the arena. Thread rule: pure.
 * Complexity: O(size).
 */
#ifndef ENTENTE_BROKER_ROUND_SNAPSHOT_H
#define ENTENTE_BROKER_ROUND_SNAPSHOT_H

#include "base/arena.h"
#include "base/domain/bytes.h"
#include "economics/market/plan.h"
#include "economics/mechanisms/mechanism.h"

/* state: what the market's session knew before the round; size 0: nothing, as before there were
 * sessions. */
MUST_USE enum status snapshot_encode(const struct market *market, const struct split_terms *terms,
                                     struct bytes state, struct arena *arena, struct bytes *bytes,
                                     struct fault *fault);

MUST_USE enum status snapshot_decode(struct bytes bytes, struct arena *arena, struct market *market,
                                     struct split_terms *terms, struct bytes *state,
                                     struct fault *fault);

/*
 * SHA-256 over "entente plan 1" and the canonical encoding (as above) of all that is posted:
 * placements (column, nodes, renewed, waits, price, shares, payment), pool prices, each member's
 * payoff, core point and worth alone, objective, bound, epsilon and whether it is exact. Where side
 * payments were made, "entente plan 2" and after all that what was paid beside the prices, what
 * that leaves each, the funding, epsilon and whether it is exact.
 */
MUST_USE enum status plan_digest(const struct market *market, const struct plan *plan,
                                 const struct split *split, struct digest *digest,
                                 struct fault *fault);

/* The same bytes, kept with the round: what the digest covers. */
MUST_USE enum status plan_encode(const struct market *market, const struct plan *plan,
                                 const struct split *split, struct arena *arena,
                                 struct bytes *bytes, struct fault *fault);

#endif
