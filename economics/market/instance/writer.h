/*
 * Writer: an instance written piece by piece, in JSON (instance.h) or in the compact form
 * (compact.h).
 *
 * Pieces come in this order: round, members, pools, affinities, links, limits, jobs; each job's
 * configurations between writer_job() and the next. Texts are escaped, numbers written so that they
 * read back the same. What can't be written shows in ferror(to), which writer_end() reports.
 *
 * Ownership: all borrowed. Thread rule: one thread. Memory: O(1).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_WRITER_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_WRITER_H

#include <stdio.h>

#include "economics/market/instance/draft.h"

enum instance_form { INSTANCE_JSON, INSTANCE_COMPACT };

struct writer {
    FILE *to;
    enum instance_form form;
    int section; /* of JSON: the array that is open */
    uint32_t in_section;
    uint32_t jobs;
    uint32_t configurations; /* of the present job */
    uint32_t last_pool;
    bool in_job;
};

void writer_begin(struct writer *writer, FILE *to, enum instance_form form, double round_seconds);
void writer_member(struct writer *writer, const char *id);
void writer_pool(struct writer *writer, const struct draft_pool *pool, const char *member);
void writer_affinity(struct writer *writer, const char *home, const char *host, double value);
void writer_link(struct writer *writer, const struct draft_link *link, const char *home,
                 const char *host);
void writer_limit(struct writer *writer, const struct draft_limit *limit, const char *member);
void writer_job(struct writer *writer, const struct draft_job *job, const char *home);
/* pool counts from 0 in the order of writer_pool(); pool_id is its id. */
void writer_configuration(struct writer *writer, uint32_t pool, const char *pool_id, uint32_t gpus,
                          double throughput);
MUST_USE enum status writer_end(struct writer *writer, struct fault *fault);

/* All of a finished draft, in the order of its file where the compact form allows. */
MUST_USE enum status writer_draft(const struct draft *draft, FILE *to, enum instance_form form,
                                  struct fault *fault);

#endif
