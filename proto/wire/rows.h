/*
 * Rows: the words in which the tables are written, one macro a kind of field. Each checks at
 * compile time that the domain member has the type that the kind stands for.
 * Included by the table files of proto/wire only.
 */
#ifndef ENTENTE_PROTO_WIRE_ROWS_H
#define ENTENTE_PROTO_WIRE_ROWS_H

#include "proto/wire/methods.h"
#include "proto/wire/table.h"

/* Bounds that belong to the wire alone; the others are in base/domain/limits.h. */
#define WIRE_COUNTER_MAX      INT64_MAX                    /* counters fit a database's integer */
#define WIRE_WALL_MS_MAX      INT64_C(253402300799999)     /* the end of the year 9999 */
#define WIRE_DURATION_MS_MAX  INT64_C(315360000000)        /* ten years */
#define WIRE_CREDITS_MAX      INT64_C(1000000000000000000) /* 1e12 credits; nine still add up */
#define WIRE_PRICE_NANOS_MAX  INT64_C(1000000000000000)    /* 1e6 credits per GPU-second */
#define WIRE_THROUGHPUT_MAX   1e15                         /* examples/s */
#define WIRE_EXAMPLES_MAX     1e18
#define WIRE_CREDITS_REAL_MAX 1e15
#define WIRE_FILE_BYTES_MAX   (INT64_C(1) * CHUNKS_PER_FILE_MAX * CHUNK_BYTES_MAX)

enum {
    WIRE_GPUS_PER_JOB_MAX = NODES_PER_LEASE_MAX * GPUS_PER_NODE_MAX,
    WIRE_GPUS_PER_POOL_MAX = NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX,
    WIRE_LEASE_KEYS_MAX = 16,
    WIRE_SIGNED_BODY_MAX = 512 * 1024, /* a revocation list of MEMBERS_MAX names fits */
    WIRE_RECEIPT_BODY_MAX = 64 * 1024,
    WIRE_CHUNKS_PER_OFFER_MAX = 130000, /* their digests fit one message */
    WIRE_ROUND_ROWS_MAX = 65536,        /* pools or placements shown of one round */
    WIRE_QUARANTINED_MAX = 4096,
    WIRE_OPTIONS_MAX = 4096, /* of one explanation */
    WIRE_DELIVERIES_MAX = 4096,
    WIRE_RESULTS_MAX = 4096,
    WIRE_RETRIES_MAX = 1000,
    WIRE_PROCESSES_MAX = 1000000,
    WIRE_VERSION_BYTES_MAX = 63,
    WIRE_MODE_MAX = 0777,
    WIRE_PATH_BYTES_MAX = 4095 /* of an absolute path */
};

/* The kind, and a compile error where the member has another type. */
#define ROW_KIND(type, member, ctype, kind_)                                                       \
    .kind = _Generic(((struct type *)0)->member, ctype                                             \
                     : kind_),                                                                     \
    .offset = offsetof(struct type, member)
#define ROW_COUNT(type, count) .count_offset = offsetof(struct type, count)

#define ROW_BOOL(type, member)                                                                     \
    {                                                                                              \
        ROW_KIND(type, member, bool, WIRE_BOOL), .field = #member                                  \
    }
#define ROW_U32(type, member, min_, max_)                                                          \
    {                                                                                              \
        ROW_KIND(type, member, uint32_t, WIRE_U32), .field = #member, .min = (min_), .max = (max_) \
    }
#define ROW_I32(type, member, min_, max_)                                                          \
    {                                                                                              \
        ROW_KIND(type, member, int32_t, WIRE_I32), .field = #member, .min = (min_), .max = (max_)  \
    }
#define ROW_U64(type, member, min_, max_)                                                          \
    {                                                                                              \
        ROW_KIND(type, member, uint64_t, WIRE_U64), .field = #member, .min = (min_), .max = (max_) \
    }
#define ROW_I64(type, member, min_, max_)                                                          \
    {                                                                                              \
        ROW_KIND(type, member, int64_t, WIRE_I64), .field = #member, .min = (min_), .max = (max_)  \
    }
#define ROW_COUNTER(type, member)  ROW_U64(type, member, 0, WIRE_COUNTER_MAX)
#define ROW_MASK(type, member)     ROW_U64(type, member, 0, UINT64_MAX)
#define ROW_WALL(type, member)     ROW_I64(type, member, 0, WIRE_WALL_MS_MAX)
#define ROW_DURATION(type, member) ROW_I64(type, member, 0, WIRE_DURATION_MS_MAX)
#define ROW_CREDITS_BETWEEN(type, member, min_, max_)                                              \
    {                                                                                              \
        ROW_KIND(type, member, struct credits, WIRE_I64), .field = #member "_micros",              \
                                                          .min = (min_), .max = (max_)             \
    }
#define ROW_CREDITS(type, member)                                                                  \
    ROW_CREDITS_BETWEEN(type, member, -WIRE_CREDITS_MAX, WIRE_CREDITS_MAX)
#define ROW_PRICE(type, member)                                                                    \
    {                                                                                              \
        ROW_KIND(type, member, struct price, WIRE_I64), .field = #member "_nanos", .min = 0,       \
                                                        .max = WIRE_PRICE_NANOS_MAX                \
    }
#define ROW_DOUBLE(type, member, least_, most_)                                                    \
    {                                                                                              \
        ROW_KIND(type, member, double, WIRE_DOUBLE), .field = #member, .least = (least_),          \
                                                     .most = (most_)                               \
    }
/* An enum's C type is unsigned int for gcc and clang alike. */
#define ROW_ENUM(type, member, count_)                                                             \
    {                                                                                              \
        ROW_KIND(type, member, unsigned int, WIRE_ENUM), .field = #member, .max = (count_)-1       \
    }
#define ROW_NAME_(type, member, rule_, optional_)                                                  \
    {                                                                                              \
        ROW_KIND(type, member, struct name, WIRE_NAME), .field = #member, .max = NAME_BYTES_MAX,   \
                                                        .rule = &(rule_), .optional = (optional_)  \
    }
#define ROW_NAME(type, member)            ROW_NAME_(type, member, wire_rule_name, false)
#define ROW_NAME_OPTIONAL(type, member)   ROW_NAME_(type, member, wire_rule_name, true)
#define ROW_MEMBER(type, member)          ROW_NAME_(type, member, wire_rule_member, false)
#define ROW_MEMBER_OPTIONAL(type, member) ROW_NAME_(type, member, wire_rule_member, true)
#define ROW_ADDRESS(type, member)                                                                  \
    {                                                                                              \
        ROW_KIND(type, member, char *, WIRE_ADDRESS), .field = #member, .max = ADDRESS_BYTES_MAX,  \
                                                      .rule = &wire_rule_address, .optional = true \
    }
#define ROW_TEXT(type, member, rule_, min_, max_)                                                  \
    {                                                                                              \
        ROW_KIND(type, member, const char *, WIRE_TEXT), .field = #member, .min = (min_),          \
                                                         .max = (max_), .rule = &(rule_),          \
                                                         .optional = (min_) == 0                   \
    }
#define ROW_LINE(type, member, min_, max_) ROW_TEXT(type, member, wire_rule_line, min_, max_)

#define ROW_PROSE(type, member) ROW_TEXT(type, member, wire_rule_prose, 0, TEXT_BYTES_MAX)

#define ROW_BYTES(type, member, min_, max_)                                                        \
    {                                                                                              \
        ROW_KIND(type, member, struct bytes, WIRE_BYTES), .field = #member, .min = (min_),         \
                                                          .max = (max_)                            \
    }
#define ROW_FIXED_(type, member, ctype, size_, optional_)                                          \
    {                                                                                              \
        ROW_KIND(type, member, ctype, WIRE_FIXED), .field = #member, .max = (size_),               \
                                                   .optional = (optional_)                         \
    }
#define ROW_DIGEST(type, member) ROW_FIXED_(type, member, struct digest, DIGEST_BYTES, false)
#define ROW_DIGEST_OPTIONAL(type, member)                                                          \
    ROW_FIXED_(type, member, struct digest, DIGEST_BYTES, true)
#define ROW_SIGNATURE(type, member)                                                                \
    ROW_FIXED_(type, member, struct signature, SIGNATURE_BYTES, false)
#define ROW_SIGNATURE_OPTIONAL(type, member)                                                       \
    ROW_FIXED_(type, member, struct signature, SIGNATURE_BYTES, true)
#define ROW_SIGNING_KEY(type, member)                                                              \
    ROW_FIXED_(type, member, struct signing_key, SIGNING_KEY_BYTES, false)
#define ROW_STRUCT_(type, member, ctype, sub_, optional_)                                          \
    {                                                                                              \
        ROW_KIND(type, member, struct ctype, WIRE_STRUCT), .field = #member, .sub = &(sub_),       \
                                                           .optional = (optional_)                 \
    }
#define ROW_STRUCT(type, member, ctype, sub_)          ROW_STRUCT_(type, member, ctype, sub_, false)
#define ROW_STRUCT_OPTIONAL(type, member, ctype, sub_) ROW_STRUCT_(type, member, ctype, sub_, true)

#define ROW_LEASE(type, member) ROW_STRUCT(type, member, lease_id, wire_message_lease_id)

#define ROW_LEASE_OPTIONAL(type, member)                                                           \
    ROW_STRUCT_OPTIONAL(type, member, lease_id, wire_message_lease_id)
#define ROW_POOL(type, member) ROW_STRUCT(type, member, pool_id, wire_message_pool_id)
#define ROW_STRUCTS_ORDERED(type, member, count, ctype, sub_, min_, max_, order_)                  \
    {                                                                                              \
        ROW_KIND(type, member, struct ctype *, WIRE_STRUCTS),                                      \
            .field = #member, ROW_COUNT(type, count), .sub = &(sub_), .min = (min_),               \
            .max = (max_), .order = (order_)                                                       \
    }
#define ROW_STRUCTS(type, member, count, ctype, sub_, min_, max_)                                  \
    ROW_STRUCTS_ORDERED(type, member, count, ctype, sub_, min_, max_, NULL)
#define ROW_NAMES(type, member, count, rule_, max_)                                                \
    {                                                                                              \
        ROW_KIND(type, member, struct name *, WIRE_NAMES),                                         \
            .field = #member, ROW_COUNT(type, count), .max = (max_), .rule = &(rule_)              \
    }
#define ROW_TEXTS(type, member, count, rule_, min_, max_, bytes_)                                  \
    {                                                                                              \
        ROW_KIND(type, member, const char **, WIRE_TEXTS),                                         \
            .field = #member, ROW_COUNT(type, count), .min = (min_), .max = (max_),                \
            .text_max = (bytes_), .rule = &(rule_)                                                 \
    }
#define ROW_DIGESTS(type, member, count, max_)                                                     \
    {                                                                                              \
        ROW_KIND(type, member, struct digest *, WIRE_DIGESTS),                                     \
            .field = #member, ROW_COUNT(type, count), .max = (max_)                                \
    }

/* A message from its rows; the protobuf descriptor bears the struct's name. */
#define WIRE_MESSAGE_AS(type, descriptor_, rows_, check_)                                          \
    {                                                                                              \
        .descriptor = &entente__v1__##descriptor_##__descriptor, .size = sizeof(struct type),      \
        .rows = (rows_), .row_count = sizeof(rows_) / sizeof((rows_)[0]), .check = (check_)        \
    }
#define WIRE_MESSAGE(type, check_) WIRE_MESSAGE_AS(type, type, type##_rows, check_)

#define WIRE_METHOD(path_, shape_, request_, response_)                                            \
    {                                                                                              \
        .path = "/entente.v1." path_, .shape = (shape_), .request = &(request_),                   \
        .response = &(response_)                                                                   \
    }

/* Messages that several table files use. */
extern const struct wire_message wire_message_empty;
extern const struct wire_message wire_message_lease_id;
extern const struct wire_message wire_message_pool_id;
extern const struct wire_message wire_message_bundle_file;
extern const struct wire_message wire_message_signed_bytes;
extern const struct wire_message wire_message_lease_key;
extern const struct wire_message wire_message_page_request;
extern const struct wire_message wire_message_jobs_response;
extern const struct wire_message wire_message_ledger_entry;
extern const struct wire_message wire_message_statement_request;
extern const struct wire_message wire_message_statement_response;
extern const struct wire_message wire_message_dispute_request;
extern const struct wire_message wire_message_dispute_row;
extern const struct wire_message wire_message_disputes_response;
extern const struct wire_message wire_message_explain_request;
extern const struct wire_message wire_message_explain_response;
extern const struct wire_message wire_message_delivery_row;
extern const struct wire_message wire_message_submitted_specification;
extern const struct wire_message wire_message_submitted_demand;

#endif
