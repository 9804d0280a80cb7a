/*
 * Table: how a message is described. Internal to proto/wire and its tests.
 *
 * A message is one table: row i says how member i of the domain struct and field i of the protobuf
 * message (fields by number, dense) belong together, and what bounds the value keeps. The engine
 * walks table and protobuf-c descriptor side by side, in both directions; no converter is written
 * by hand. What one row can't say (gpus_min <= gpus_max) is the message's `check`.
 * Tests walk the same tables to make valid messages and to break every bound.
 * Constants; any thread.
 */
#ifndef ENTENTE_PROTO_WIRE_TABLE_H
#define ENTENTE_PROTO_WIRE_TABLE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/wire/messages.h"
#include "proto/wire/wire.h"

/* The domain type of a member, how it travels. */
enum wire_kind {
    WIRE_BOOL,    /* bool: bool */
    WIRE_U32,     /* uint32_t: uint32 */
    WIRE_I32,     /* int32_t: sint32 */
    WIRE_U64,     /* uint64_t: uint64 */
    WIRE_I64,     /* int64_t, struct credits, struct price: int64, sint64 */
    WIRE_DOUBLE,  /* double: double */
    WIRE_ENUM,    /* enum: enum, one higher, since 0 is UNSPECIFIED */
    WIRE_NAME,    /* struct name: string */
    WIRE_ADDRESS, /* char[ADDRESS_BYTES_MAX + 1]: string */
    WIRE_TEXT,    /* const char *: string */
    WIRE_BYTES,   /* struct bytes: bytes */
    WIRE_FIXED,   /* struct digest, signature, signing_key: bytes */
    WIRE_STRUCT,  /* a struct inside: message */
    WIRE_STRUCTS, /* pointer and count: repeated message */
    WIRE_NAMES,   /* struct name * and count: repeated string */
    WIRE_TEXTS,   /* const char ** and count: repeated string */
    WIRE_DIGESTS, /* struct digest * and count: bytes, one after the other */
    WIRE_KIND_COUNT
};

/* What a name, address or text must look like. */
struct wire_rule {
    bool (*holds)(const char *text);
    const char *otherwise; /* "is not ...: what is allowed" */
    bool mended;           /* for people: bad bytes are replaced when sent, refused when received */
};

extern const struct wire_rule wire_rule_name;
extern const struct wire_rule wire_rule_member;
extern const struct wire_rule wire_rule_address;       /* HOST:PORT */
extern const struct wire_rule wire_rule_line;          /* no control characters */
extern const struct wire_rule wire_rule_lines;         /* none but newline and tab */
extern const struct wire_rule wire_rule_prose;         /* the same, for people */
extern const struct wire_rule wire_rule_relative_path; /* no empty, "." or ".." component */
extern const struct wire_rule wire_rule_absolute_path;
extern const struct wire_rule wire_rule_variable; /* NAME=value */

struct wire_row {
    enum wire_kind kind;
    bool optional;     /* empty, or absent, is fine and means all zero */
    const char *field; /* in the .proto */
    size_t offset;     /* of the domain member */
    size_t count_offset;
    int64_t min;                    /* numbers: least value; texts, bytes, arrays: least size */
    uint64_t max;                   /* likewise; FIXED: the size */
    double least;                   /* doubles */
    double most;                    /* doubles */
    uint64_t text_max;              /* TEXTS: bytes of each */
    const struct wire_rule *rule;   /* names, addresses, texts */
    const struct wire_message *sub; /* STRUCT, STRUCTS */
    /* STRUCTS: where set, elements stand in this strict order. */
    int (*order)(const void *a, const void *b);
};

/* Where the walk is: frames on the stack, printed as "demand.hints[3].gpus" only when refused. */
struct wire_path {
    const struct wire_path *up;
    const char *field;
    int64_t index; /* -1: none */
};

struct wire_message {
    const ProtobufCMessageDescriptor *descriptor;
    size_t size;
    const struct wire_row *rows; /* [descriptor->n_fields] */
    size_t row_count;
    enum status (*check)(const void *domain, const struct wire_path *path, struct fault *fault);
};

enum {
    WIRE_DEPTH_MAX = 8, /* messages within messages: the tables' own depth, not the input's */
    WIRE_ROWS_MAX = 32, /* fields of one message */
    WIRE_SCRATCH_BYTES_MAX =
        64 * 1024 * 1024 /* protobuf-c's structs of one message, for the call */
};

/* "path.field: text"; field may be NULL. Returns status. */
enum status wire_refuse(const struct wire_path *path, const char *field, enum status status,
                        struct fault *fault, const char *format, ...) PRINTF_LIKE(5, 6);

/* Are the bytes well-formed protobuf of this message, texts without NUL, arrays under their limit?
 */
MUST_USE enum status wire_scan(const struct wire_message *message, struct bytes bytes,
                               struct fault *fault);
/* Encodes without asking whether bounds are kept: the second half of wire_encode, and how tests
 * make bytes that break them. */
MUST_USE enum status wire_pack(const struct wire_message *message, const void *domain,
                               struct arena *arena, struct bytes *bytes, struct fault *fault);
/* Does the struct keep every bound? sending: texts for people may need mending. */
MUST_USE enum status wire_check(const struct wire_message *message, const void *domain,
                                bool sending, const struct wire_path *path, struct fault *fault);
/* All members zero, empty or absent? */
bool wire_is_zero(const struct wire_message *message, const void *domain);
bool wire_fixed_is_zero(const struct wire_row *row, const void *domain);

/* A copy without what the rule forbids and at most max bytes, in the arena; NULL when that is
 * full. */
char *wire_mend(const char *text, size_t max, struct arena *arena);

/* The services of the .proto files; [wire_services_count]. */
extern const ProtobufCServiceDescriptor *const wire_services[];
extern const size_t wire_services_count;

/* ---- typed access; void pointers keep -Wcast-align and -Wcast-qual honest */

static inline const void *wire_at(const void *domain, size_t offset)
{
    return (const unsigned char *)domain + offset;
}

static inline void *wire_in(void *domain, size_t offset)
{
    return (unsigned char *)domain + offset;
}

static inline uint32_t wire_count(const struct wire_row *row, const void *domain)
{
    const uint32_t *count = wire_at(domain, row->count_offset);
    return *count;
}

/* The array of a STRUCTS, NAMES, TEXTS or DIGESTS row. */
static inline const void *wire_array(const struct wire_row *row, const void *domain)
{
    const void *const *array = wire_at(domain, row->offset);
    return *array;
}

static inline const char *wire_text(const struct wire_row *row, const void *domain)
{
    const char *const *text = wire_at(domain, row->offset);
    return *text != NULL ? *text : "";
}

#endif
