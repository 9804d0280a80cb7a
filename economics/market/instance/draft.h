/*
 * Draft: an instance as its file states it, whatever the file's form, before it becomes a market.
 *
 * Names are numbers here, given in the order in which they first turn up; a file may use a member
 * or pool before it defines it. draft_finish() refuses what was never defined, at the place of its
 * first use. Places: an index of the JSON array, or a line of the compact form.
 *
 * Ownership: the draft owns its arrays (draft_fini frees them); texts lie in its arena. Thread
 * rule: one thread. Memory: 16 bytes a configuration, about 120 a job.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_DRAFT_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_DRAFT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/fault.h"
#include "economics/market/market.h"

enum { DRAFT_ID_BYTES_MAX = NAME_BYTES_MAX * 2 };

#define DRAFT_VALUE_MAX      1e9 /* credits per example */
#define DRAFT_PRICE_MAX      1e6 /* credits per GPU-second */
#define DRAFT_THROUGHPUT_MAX 9e9 /* as micro-examples/s it fits 64 bits */
#define DRAFT_GIGABYTES_MAX  1e9
#define DRAFT_CREDITS_MAX    1e9
#define DRAFT_GPUS_MAX       1e9    /* of a limit */
#define DRAFT_ENDLESS_MAX    1e300  /* work and remaining time */
#define DRAFT_NOT_STATED     (-1.0) /* where every stated number is >= 0 */
#define DRAFT_ROUND_SECONDS  300.0  /* where not stated */

struct draft_member {
    const char *id;
    uint32_t at; /* its place, from 0 */
};

struct draft_pool {
    const char *id;
    const char *gpu;
    uint32_t member;
    uint32_t gpus;
    uint32_t gpus_per_node;
    double cost;
    uint32_t at;
};

struct draft_affinity {
    uint32_t home;
    uint32_t host;
    double value;
    uint32_t at;
};

struct draft_link {
    uint32_t home;
    uint32_t host;
    double gigabytes; /* a round; or not stated */
    double cost_per_gigabyte;
    uint32_t at;
};

struct draft_limit {
    uint32_t member;
    const char *gpu;     /* NULL: all pools */
    double foreign_gpus; /* or not stated */
    double credits;      /* or not stated */
    uint32_t at;
};

struct draft_job {
    const char *id;
    uint32_t home;
    uint32_t at;
    double value;
    double work_left;         /* HUGE_VAL: endless */
    double gigabytes;         /* 0: none */
    double remaining_seconds; /* or not stated */
    double price_max;         /* 0: none */
    bool one_node;
    uint32_t first; /* configuration */
    uint32_t count;
};

struct draft_configuration {
    uint32_t pool;
    uint32_t gpus;
    double throughput;
};

/* What grows: count of `room` elements are used. */
#define DRAFT_LIST(type)                                                                           \
    struct {                                                                                       \
        type *items;                                                                               \
        uint32_t count;                                                                            \
        uint32_t room;                                                                             \
    }

struct draft_name;

struct draft {
    struct arena *arena;
    bool by_line; /* places are lines */
    double round_seconds;
    struct draft_name *member_names; /* by text */
    struct draft_name *pool_names;
    uint32_t named_members; /* defined, or only used so far */
    uint32_t named_pools;
    DRAFT_LIST(struct draft_member) members; /* by name's number once finished */
    DRAFT_LIST(struct draft_pool) pools;
    DRAFT_LIST(struct draft_affinity) affinities;
    DRAFT_LIST(struct draft_link) links;
    DRAFT_LIST(struct draft_limit) limits;
    DRAFT_LIST(struct draft_job) jobs;
    DRAFT_LIST(struct draft_configuration) configurations;
};

void draft_init(struct draft *draft, struct arena *arena);
void draft_fini(struct draft *draft);

/* The number of a name; a new one's first use is at `place` ("jobs[1].home", "line 7"). NULL place:
 * it is being defined. EXHAUSTED. */
MUST_USE enum status draft_member_named(struct draft *draft, const char *id, const char *place,
                                        uint32_t *number, struct fault *fault);
MUST_USE enum status draft_pool_named(struct draft *draft, const char *id, const char *place,
                                      uint32_t *number, struct fault *fault);

/* Known already? Then its number, without a place. */
bool draft_member_known(const struct draft *draft, const char *id, uint32_t *number);
bool draft_pool_known(const struct draft *draft, const char *id, uint32_t *number);

/* Append; texts that are kept are copied by the caller with draft_text(). EXHAUSTED over the
 * market's limits. A job is added after its configurations, and takes all since the former job. */
MUST_USE enum status draft_add_member(struct draft *draft, const char *id, uint32_t at,
                                      struct fault *fault);
MUST_USE enum status draft_add_pool(struct draft *draft, const struct draft_pool *pool,
                                    struct fault *fault);
MUST_USE enum status draft_add_affinity(struct draft *draft, const struct draft_affinity *affinity,
                                        struct fault *fault);
MUST_USE enum status draft_add_link(struct draft *draft, const struct draft_link *link,
                                    struct fault *fault);
MUST_USE enum status draft_add_limit(struct draft *draft, const struct draft_limit *limit,
                                     struct fault *fault);
MUST_USE enum status draft_add_job(struct draft *draft, const struct draft_job *job,
                                   struct fault *fault);
MUST_USE enum status draft_add_configuration(struct draft *draft,
                                             const struct draft_configuration *configuration,
                                             struct fault *fault);
const char *draft_text(struct draft *draft, const char *text); /* NULL: no memory */

/* Every name that is used is defined, each once; limits make sense. INVALID with the place. */
MUST_USE enum status draft_finish(struct draft *draft, struct fault *fault);

/* INVALID "jobs[3]KEY: TEXT" or "line 17: KEY TEXT"; key "" or ".home". */
enum status draft_fault(const struct draft *draft, const char *list, uint32_t at, const char *key,
                        struct fault *fault, const char *text);
enum status draft_no_room(struct fault *fault);

/* Readers of the two forms: from a file that was opened, to its end. */
MUST_USE enum status draft_read_json(FILE *from, const char *name, struct draft *draft,
                                     struct fault *fault);
MUST_USE enum status draft_read_compact(FILE *from, const char *name, struct draft *draft,
                                        struct fault *fault);

/* Whichever form it has, finished. NOT_FOUND, IO, EXHAUSTED, INVALID. */
MUST_USE enum status draft_read(const char *path, struct draft *draft, struct fault *fault);
MUST_USE enum status draft_read_stream(FILE *from, const char *name, struct draft *draft,
                                       struct fault *fault);

#endif
