/*
 * Explain: why a job was placed, or not, by a solved round; and at which bid it would have been.
 *
 * For each pool and configuration: predicted throughput, what a round of it is worth to the job,
 * the plan's price there, the surplus at that price, or the obstacle. The winning bid is read off
 * the duals (the least value per example at which some configuration covers its rents) and proved:
 * the market is collected and solved again with it; where whole GPUs do not follow the LP, somewhat
 * higher bids are tried and the least that wins is found
 * by halving, else none is named. Pure but for arenas; any thread while the round is
 * held. Ownership: the answer lies in the arena. Complexity: at most EXPLAIN_TRIES_MAX plans.
 */
#ifndef ENTENTE_BROKER_ROUND_EXPLAIN_H
#define ENTENTE_BROKER_ROUND_EXPLAIN_H

#include "broker/round/round.h"

enum { EXPLAIN_TRIES_MAX = 12, EXPLAIN_OPTIONS_MAX = 4096 };

/* Was the job in that round's market? */
bool explain_knows(const struct round *round, const struct name *job);

/* round is solved with STATUS_OK. committed: it is a round of record, else a what-if of now. */
MUST_USE enum status explain_job(const struct round *round, bool committed, const struct name *job,
                                 struct arena *arena, struct explain_response *response,
                                 struct fault *fault);

#endif
