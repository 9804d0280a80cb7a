#include "tests/proto/wire_generator.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/wire/methods.h"

enum { ELEMENTS_MAX = 4, TEXT_MAX = 40 };

static void fill_row(const struct wire_row *row, void *domain, struct rng *rng,
                     struct arena *arena);

void generator_fill(const struct wire_message *message, void *domain, struct rng *rng,
                    struct arena *arena)
{
    for (size_t i = 0; i < message->row_count; i++)
        fill_row(&message->rows[i], domain, rng, arena);
    generator_put_right(message, domain, rng);
}

void *generator_make(const struct wire_message *message, struct rng *rng, struct arena *arena)
{
    void *domain = arena_alloc(arena, 1, message->size);
    assert(domain != NULL);
    generator_fill(message, domain, rng, arena);
    return domain;
}

/* ---- values: the ends of the range more often than chance would have them */

static uint64_t pick_unsigned(struct rng *rng, uint64_t min, uint64_t max)
{
    switch (rng_below(rng, 4)) {
    case 0: return min;
    case 1: return max;
    case 2: return min + rng_below(rng, (max - min < 100 ? max - min : 100) + 1);
    default: return max - min == UINT64_MAX ? rng_next(rng) : min + rng_below(rng, max - min + 1);
    }
}

static int64_t pick_signed(struct rng *rng, int64_t min, uint64_t max)
{
    return (int64_t)((uint64_t)min + pick_unsigned(rng, 0, max - (uint64_t)min));
}

static double pick_double(struct rng *rng, double least, double most)
{
    switch (rng_below(rng, 4)) {
    case 0: return least;
    case 1: return most;
    case 2: return least < 0 ? -1.5 : least + 0.25;
    default: return least + (most - least) * rng_unit(rng);
    }
}

static char pick_character(struct rng *rng, const char *among)
{
    return among[rng_below(rng, strlen(among))];
}

/* A name fit for both rules. */
static void write_name(char *text, struct rng *rng, const struct wire_rule *rule)
{
    const char *inner = rule == &wire_rule_member ? "abcxyz0123456789-" : "abXY09._-+";
    size_t length = 1 + rng_below(rng, rng_below(rng, 4) == 0 ? NAME_BYTES_MAX : 12);
    for (size_t i = 0; i < length; i++)
        text[i] =
            i == 0 || i == length - 1 ? pick_character(rng, "abc012") : pick_character(rng, inner);
}

static void write_text(char *text, size_t max, struct rng *rng, const struct wire_rule *rule)
{
    static const char *const pieces[] = {
        "a", "Z", "0", " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\x89"};
    size_t used = 0;
    if (rule == &wire_rule_absolute_path)
        used = (size_t)snprintf(text, TEXT_MAX, "/srv/");
    if (rule == &wire_rule_variable)
        used = (size_t)snprintf(text, TEXT_MAX, "NAME_%d=", (int)rng_below(rng, 10));
    if (rule == &wire_rule_relative_path)
        used = (size_t)snprintf(text, TEXT_MAX, "a/..b/.");
    bool lines = rule == &wire_rule_lines || rule == &wire_rule_prose;
    size_t wanted = used + 1 + rng_below(rng, TEXT_MAX / 2);
    while (used < wanted && used + 4 <= max) {
        const char *piece = lines && rng_below(rng, 8) == 0
                                ? "\n"
                                : pieces[rng_below(rng, sizeof pieces / sizeof pieces[0])];
        memcpy(text + used, piece, strlen(piece));
        used += strlen(piece);
    }
}

static const char *make_text(const struct wire_row *row, size_t max, struct rng *rng,
                             struct arena *arena)
{
    if (row->optional && rng_below(rng, 3) == 0)
        return "";
    char *text = arena_alloc(arena, 2 * TEXT_MAX, 1);
    assert(text != NULL);
    write_text(text, max, rng, row->rule);
    return text;
}

static void write_address(char *text, struct rng *rng)
{
    static const char *const hosts[] = {"127.0.0.1", "[::1]", "peer.usc.example", "h"};
    snprintf(text, ADDRESS_BYTES_MAX + 1, "%s:%u", hosts[rng_below(rng, 4)],
             (unsigned)(1 + rng_below(rng, UINT16_MAX)));
}

static void fill_bytes(uint8_t *bytes, size_t size, struct rng *rng)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rng_next(rng);
}

/* ---- arrays */

size_t generator_element_size(const struct wire_row *row)
{
    switch ((int)row->kind) {
    case WIRE_NAMES: return sizeof(struct name);
    case WIRE_TEXTS: return sizeof(const char *);
    case WIRE_DIGESTS: return sizeof(struct digest);
    default: return row->sub->size;
    }
}

/* Insertion sort, and of equals only the first. */
static uint32_t order(const struct wire_row *row, unsigned char *array, uint32_t count)
{
    size_t size = row->sub->size;
    unsigned char held[1024];
    uint32_t kept = 0;
    assert(size <= sizeof held);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(held, array + i * size, size);
        uint32_t at = kept;
        while (at > 0 && row->order(array + (at - 1) * size, held) > 0)
            at--;
        if (at > 0 && row->order(array + (at - 1) * size, held) == 0)
            continue;
        memmove(array + (at + 1) * size, array + at * size, (kept - at) * size);
        memcpy(array + at * size, held, size);
        kept++;
    }
    return kept;
}

static void fill_array(const struct wire_row *row, void *domain, struct rng *rng,
                       struct arena *arena)
{
    uint64_t most = row->max < ELEMENTS_MAX ? row->max : ELEMENTS_MAX;
    uint32_t count = (uint32_t)((uint64_t)row->min + rng_below(rng, most - (uint64_t)row->min + 1));
    size_t size = generator_element_size(row);
    unsigned char *array = arena_alloc(arena, count + 1, size);
    assert(array != NULL);
    for (uint32_t i = 0; i < count; i++) {
        void *element = array + i * size;
        const char *text;
        switch ((int)row->kind) {
        case WIRE_NAMES: write_name(element, rng, row->rule); break;
        case WIRE_DIGESTS: fill_bytes(element, size, rng); break;
        case WIRE_TEXTS:
            text = make_text(row, row->text_max, rng, arena);
            memcpy(element, &text, sizeof text);
            break;
        default: generator_fill(row->sub, element, rng, arena); break;
        }
    }
    if (row->order != NULL)
        count = order(row, array, count);
    memcpy(wire_in(domain, row->offset), &array, sizeof array);
    memcpy(wire_in(domain, row->count_offset), &count, sizeof count);
}

static void fill_borrowed_bytes(const struct wire_row *row, struct bytes *bytes, struct rng *rng,
                                struct arena *arena)
{
    bytes->size = (size_t)row->min + rng_below(rng, 64);
    uint8_t *data = arena_alloc(arena, bytes->size, 1);
    assert(data != NULL);
    fill_bytes(data, bytes->size, rng);
    bytes->data = bytes->size > 0 ? data : NULL;
}

static void fill_number(const struct wire_row *row, void *to, struct rng *rng)
{
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    int32_t i32;
    switch ((int)row->kind) {
    case WIRE_U64:
        u64 = pick_unsigned(rng, (uint64_t)row->min, row->max);
        memcpy(to, &u64, sizeof u64);
        break;
    case WIRE_I64:
        i64 = pick_signed(rng, row->min, row->max);
        memcpy(to, &i64, sizeof i64);
        break;
    case WIRE_I32:
        i32 = (int32_t)pick_signed(rng, row->min, row->max);
        memcpy(to, &i32, sizeof i32);
        break;
    default:
        u32 = (uint32_t)pick_unsigned(rng, (uint64_t)row->min, row->max);
        memcpy(to, &u32, sizeof u32);
        break;
    }
}

static void fill_row(const struct wire_row *row, void *domain, struct rng *rng, struct arena *arena)
{
    void *to = wire_in(domain, row->offset);
    bool leave_out = row->optional && rng_below(rng, 3) == 0;
    const char *text;
    switch (row->kind) {
    case WIRE_BOOL: *(bool *)to = rng_below(rng, 2) == 1; break;
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_ENUM: fill_number(row, to, rng); break;
    case WIRE_DOUBLE: *(double *)to = pick_double(rng, row->least, row->most); break;
    case WIRE_NAME:
        if (!leave_out)
            write_name(to, rng, row->rule);
        break;
    case WIRE_ADDRESS:
        if (!leave_out)
            write_address(to, rng);
        break;
    case WIRE_TEXT:
        text = make_text(row, row->max, rng, arena);
        memcpy(to, &text, sizeof text);
        break;
    case WIRE_BYTES: fill_borrowed_bytes(row, to, rng, arena); break;
    case WIRE_FIXED:
        if (!leave_out)
            fill_bytes(to, row->max, rng);
        break;
    case WIRE_STRUCT:
        if (!leave_out)
            generator_fill(row->sub, to, rng, arena);
        break;
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS:
    case WIRE_DIGESTS: fill_array(row, domain, rng, arena); break;
    case WIRE_KIND_COUNT:
    default: assert(false);
    }
}

/* ---- all messages */

static void collect(const struct wire_message *message,
                    const struct wire_message *messages[static GENERATOR_MESSAGES_MAX],
                    size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (messages[i] == message)
            return;
    assert(*count < GENERATOR_MESSAGES_MAX);
    messages[(*count)++] = message;
    for (size_t i = 0; i < message->row_count; i++)
        if (message->rows[i].sub != NULL)
            collect(message->rows[i].sub, messages, count);
}

size_t generator_messages(const struct wire_message *messages[static GENERATOR_MESSAGES_MAX])
{
    static const struct wire_message *const stored[] = {
        &message_lease,          &message_receipt,
        &message_signed_receipt, &message_revocation_list,
        &message_ledger_head,    &message_demand,
        &message_offer,          &message_job_specification,
        &message_job_submission, &message_offer_files_request,
        &message_round_response,
    };
    size_t count = 0;
    for (size_t i = 0; i < methods_count; i++) {
        collect(methods_all[i]->request, messages, &count);
        collect(methods_all[i]->response, messages, &count);
    }
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++)
        collect(stored[i], messages, &count);
    return count;
}
