/*
 * Instance, while it is read: the tables that later parts of the file refer to. Internal.
 *
 * Everything is found by name through sorted tables; pairs of members through a dense matrix, so
 * that members are at most INSTANCE_MEMBERS_MAX.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_INSTANCE_INTERNAL_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_INSTANCE_INTERNAL_H

#include "base/json.h"
#include "economics/market/instance/instance.h"

enum { INSTANCE_MEMBERS_MAX = MARKET_MEMBERS_MAX, INSTANCE_NAME_BYTES_MAX = NAME_BYTES_MAX };

/* A name in the file, and where it is in the market. */
struct instance_name {
    const char *text;
    uint32_t index;    /* in the market */
    size_t file_index; /* in the file's array */
};

/* home -> host; only what the file states. */
struct instance_pair {
    uint64_t key; /* home × members + host */
    double affinity;
    double link_bytes; /* a round */
    double cost_per_gigabyte;
    bool has_affinity;
    bool has_link;
    bool has_limit; /* gigabytes_per_round is there */
};

struct instance_limit {
    int32_t member;
    const char *gpu; /* NULL: all pools */
    double foreign_gpus;
    double credits;
    bool has_foreign;
    bool has_credits;
};

struct reading {
    struct instance *instance;
    struct arena *arena;
    struct json_place root;
    struct instance_name *members; /* by text */
    struct instance_name *pools;   /* by id */
    struct instance_pair *pairs;   /* by key */
    size_t pair_count;
    struct instance_limit *limits;
    size_t limit_count;
    double *moved_bytes; /* [column_count] to the host, in this round */
    uint32_t column_room;
};

MUST_USE enum status reading_no_room(struct fault *fault);

/* The index of a member or pool by name; INVALID "PATH: no member 'x'". */
MUST_USE enum status reading_member(const struct reading *reading, const struct json_place *object,
                                    const char *key, int32_t *member, struct fault *fault);
MUST_USE enum status reading_pool(const struct reading *reading, const struct json_place *object,
                                  const char *key, uint32_t *pool, struct fault *fault);

/* NULL: nothing is stated for it. */
const struct instance_pair *reading_pair(const struct reading *reading, int32_t home, int32_t host);

/* Sorts by text; INVALID where one is there twice. kind: "members". */
MUST_USE enum status reading_sort(struct instance_name *names, size_t count, const char *kind,
                                  struct fault *fault);

/* The parts of the file, in the order in which they are read. */
MUST_USE enum status reading_members(struct reading *reading, struct fault *fault);
MUST_USE enum status reading_pools(struct reading *reading, struct fault *fault);
MUST_USE enum status reading_pairs(struct reading *reading, struct fault *fault);
MUST_USE enum status reading_limits(struct reading *reading, struct fault *fault);
MUST_USE enum status reading_jobs(struct reading *reading, struct fault *fault);
MUST_USE enum status reading_rows(struct reading *reading, struct fault *fault);

#endif
