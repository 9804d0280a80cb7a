/*
 * Every bound of every row of every message, broken one at a time: refused with the field's path,
 * by the sender's check and by the receiver's.
 */
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/proto/wire_generator.h"

/* One broken field and what must come of it. */
struct breach {
    const struct wire_message *message;
    const struct wire_row *row;
    void *domain;
    struct arena *arena;
    enum status status;
};

/* ---- how each kind of field is broken; `way` counts up until there is no other way */

static bool break_integer(struct breach *b, int way)
{
    const struct wire_row *row = b->row;
    void *at = wire_in(b->domain, row->offset);
    bool small = row->kind == WIRE_U32 || row->kind == WIRE_I32;
    bool negative = row->kind == WIRE_I32 || row->kind == WIRE_I64;
    int64_t least = !negative ? 0 : small ? INT32_MIN : INT64_MIN;
    uint64_t most = row->kind == WIRE_U32   ? UINT32_MAX
                    : row->kind == WIRE_I32 ? INT32_MAX
                    : row->kind == WIRE_U64 ? UINT64_MAX
                                            : INT64_MAX;
    uint64_t value = way == 0 ? (uint64_t)row->min - 1 : row->max + 1;
    if (way > 1)
        return false;
    bool possible = way == 0 ? row->min > least : row->max < most;
    if (!possible)
        return way == 0 && break_integer(b, 1);
    memcpy(at, &value, small ? sizeof(uint32_t) : sizeof(uint64_t)); /* little-endian */
    return true;
}

static bool break_double(struct breach *b, int way)
{
    double const wrong[] = {(double)NAN, (double)HUGE_VAL, -(double)HUGE_VAL,
                            nextafter(b->row->least, -DBL_MAX), nextafter(b->row->most, DBL_MAX)};
    if (way >= (int)(sizeof wrong / sizeof wrong[0]))
        return false;
    memcpy(wire_in(b->domain, b->row->offset), &wrong[way], sizeof(double));
    return true;
}

static bool break_enum(struct breach *b, int way)
{
    uint32_t const wrong[] = {(uint32_t)b->row->max + 1, UINT32_MAX /* UNSPECIFIED */,
                              INT32_MAX - 1};
    if (way >= (int)(sizeof wrong / sizeof wrong[0]))
        return false;
    memcpy(wire_in(b->domain, b->row->offset), &wrong[way], sizeof wrong[way]);
    return true;
}

/* A text that no rule of its kind takes; NULL where there is none. */
static const char *wrong_text(const struct wire_rule *rule, int way)
{
    static const struct {
        const struct wire_rule *rule;
        const char *wrong[12];
    } table[] = {
        {&wire_rule_name, {"-a", "a b", "a/b", "\xc3\xa9", "a\n"}},
        {&wire_rule_member, {"-a", "a-", "A", "a.b", "a_b", "\xc3\xa9"}},
        {&wire_rule_address,
         {"host", "host:", ":1", "host:0", "host:65536", "host:1x", "::1:5", "[::1]", "[]:5",
          "ho st:1", "host:000001"}},
        {&wire_rule_line,
         {"a\nb", "\x1b[0m", "\x7f", "\xc2\x9b", "\xff", "\xc0\xaf", "\xed\xa0\x80",
          "\xf4\x90\x80\x80", "\xe2\x82"}},
        {&wire_rule_lines,
         {"a\rb", "\x1b", "\xff", "\xc2\x85", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf"}},
        {&wire_rule_relative_path,
         {"/a", "a//b", "a/", ".", "..", "a/../b", "./a", "a/..", "a\nb", "\xff"}},
        {&wire_rule_absolute_path, {"a", "./a", "/a\nb", "/\xff"}},
        {&wire_rule_variable, {"A", "=x", "1A=x", "A B=x", "A=\x01", "A=\xff"}},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].rule == rule)
            return way >= 0 && way < 12 ? table[i].wrong[way] : NULL;
    fail_msg("a rule has no wrong examples");
    return NULL;
}

/* As many bytes as one more than allowed, fit for every rule on paths and variables. */
static const char *too_long(struct breach *b, size_t max)
{
    char *text = arena_alloc(b->arena, max + 2, 1);
    assert_non_null(text);
    memset(text, 'a', max + 1);
    if (b->row->rule == &wire_rule_absolute_path)
        text[0] = '/';
    if (b->row->rule == &wire_rule_variable)
        text[1] = '=';
    return text;
}

static bool break_text(struct breach *b, int way)
{
    const char *text;
    if (b->row->rule->mended)
        return false; /* by the sender: test_wire_damage */
    if (way == 0) {
        text = too_long(b, b->row->max);
        b->status = STATUS_EXHAUSTED;
    } else if (way == 1 && !b->row->optional) {
        text = ""; /* is missing */
    } else {
        text = wrong_text(b->row->rule, way - (b->row->optional ? 1 : 2));
    }
    memcpy(wire_in(b->domain, b->row->offset), &text, sizeof text);
    return text != NULL;
}

/* Names and addresses: arrays in the domain struct. */
static bool break_held_text(struct breach *b, int way)
{
    char *at = wire_in(b->domain, b->row->offset);
    const char *text = wrong_text(b->row->rule, b->row->optional ? way : way - 1);
    if (way == 0 && !b->row->optional)
        text = "";
    if (text == NULL)
        return false;
    memset(at, 0, b->row->max + 1);
    memcpy(at, text, strlen(text));
    return true;
}

static bool break_bytes(struct breach *b, int way)
{
    struct bytes *bytes = wire_in(b->domain, b->row->offset);
    if (way == 0) {
        bytes->size = b->row->max + 1;
        bytes->data = arena_alloc(b->arena, bytes->size, 1);
        assert_non_null(bytes->data);
        b->status = STATUS_EXHAUSTED;
        return true;
    }
    bytes->size = 0;
    return way == 1 && b->row->min > 0;
}

/* An array of `count` copies of one valid element. */
static void repeat_element(struct breach *b, uint32_t count)
{
    size_t size = generator_element_size(b->row);
    unsigned char *array = arena_alloc(b->arena, count, size);
    unsigned char *one = arena_alloc(b->arena, 1, size);
    const char *text = b->row->rule == &wire_rule_variable ? "A=1" : "a";
    struct name name = {"a"};
    struct rng rng;
    assert_true(array != NULL && one != NULL);
    rng_init(&rng, 1, 1);
    if (b->row->kind == WIRE_NAMES)
        memcpy(one, &name, sizeof name);
    if (b->row->kind == WIRE_TEXTS)
        memcpy(one, &text, sizeof text);
    if (b->row->kind == WIRE_STRUCTS)
        generator_fill(b->row->sub, one, &rng, b->arena);
    for (uint32_t i = 0; i < count; i++)
        memcpy(array + i * size, one, size);
    memcpy(wire_in(b->domain, b->row->offset), &array, sizeof array);
    memcpy(wire_in(b->domain, b->row->count_offset), &count, sizeof count);
}

static bool break_array(struct breach *b, int way)
{
    uint32_t fewer = 0;
    switch (way) {
    case 0:
        repeat_element(b, (uint32_t)b->row->max + 1);
        b->status = STATUS_EXHAUSTED;
        return true;
    case 1:
        if (b->row->min == 0)
            return break_array(b, 2);
        memcpy(wire_in(b->domain, b->row->count_offset), &fewer, sizeof fewer);
        return true;
    case 2:
        if (b->row->order == NULL)
            return false;
        repeat_element(b, 2); /* each once */
        return true;
    default: return false;
    }
}

/* Elements that are names or texts. */
static bool break_element(struct breach *b, int way)
{
    const char *text = wrong_text(b->row->rule, way);
    if (text == NULL)
        return false;
    repeat_element(b, 2);
    if (b->row->kind == WIRE_TEXTS) {
        const char **texts;
        memcpy(&texts, wire_in(b->domain, b->row->offset), sizeof texts);
        texts[1] = text;
    } else {
        struct name *names;
        memcpy(&names, wire_in(b->domain, b->row->offset), sizeof names);
        memset(&names[1], 0, sizeof names[1]);
        memcpy(names[1].text, text, strlen(text));
    }
    return true;
}

/* All zero, where that is no value of it: only an optional one may be so. */
static bool break_struct(struct breach *b, int way)
{
    void *inside = wire_in(b->domain, b->row->offset);
    memset(inside, 0, b->row->sub->size);
    return way == 0 && !b->row->optional &&
           wire_check(b->row->sub, inside, true, NULL, NULL) != STATUS_OK;
}

static bool break_row(struct breach *b, int way)
{
    enum { ELEMENT_WAYS = 100 };
    b->status = STATUS_INVALID;
    switch (b->row->kind) {
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_U64:
    case WIRE_I64: return break_integer(b, way);
    case WIRE_DOUBLE: return break_double(b, way);
    case WIRE_ENUM: return break_enum(b, way);
    case WIRE_NAME:
    case WIRE_ADDRESS: return break_held_text(b, way);
    case WIRE_TEXT: return break_text(b, way);
    case WIRE_BYTES: return break_bytes(b, way);
    case WIRE_STRUCT: return break_struct(b, way);
    case WIRE_STRUCTS:
    case WIRE_DIGESTS: return break_array(b, way);
    case WIRE_NAMES:
    case WIRE_TEXTS:
        return way < ELEMENT_WAYS ? break_array(b, way) : break_element(b, way - ELEMENT_WAYS);
    case WIRE_BOOL:
    case WIRE_FIXED: /* broken on the wire alone: test_wire_damage */
    case WIRE_KIND_COUNT:
    default: return false;
    }
}

/* ---- what must come of it */

static void assert_names_field(const struct breach *b, enum status status,
                               const struct fault *fault, const char *who, int way)
{
    size_t length = strlen(b->row->field);
    bool named = strncmp(fault->text, b->row->field, length) == 0 &&
                 strchr(":[.", fault->text[length]) != NULL;
    if (status != b->status || !named)
        fail_msg("%s.%s, way %d: the %s says %s, \"%s\"", wire_message_name(b->message),
                 b->row->field, way, who, status_name(status), fault->text);
}

static void assert_refused(const struct breach *b, int way)
{
    struct fault fault = {0};
    struct bytes bytes;
    void *back;
    struct arena large; /* 65537 rows of a round are more than a message may take */
    arena_init(&large, 16 * (size_t)ARENA_MESSAGE_BYTES);
    enum status status = wire_encode(b->message, b->domain, &large, &bytes, &fault);
    assert_names_field(b, status, &fault, "sender", way);
    fault = (struct fault){0};
    assert_ok(wire_pack(b->message, b->domain, &large, &bytes, &fault));
    status = wire_decode(b->message, bytes, &large, &back, &fault);
    assert_names_field(b, status, &fault, "receiver", way);
    assert_null(back);
    arena_fini(&large);
}

/* Returns false where there is no such way to break the row. */
static bool try_way(const struct wire_message *message, const struct wire_row *row, int way)
{
    struct arena arena;
    struct rng rng;
    arena_init(&arena, 16 * (size_t)ARENA_MESSAGE_BYTES);
    rng_init(&rng, support_seed(3), 0);
    struct breach breach = {.message = message, .row = row, .arena = &arena};
    breach.domain = generator_make(message, &rng, &arena);
    bool broken = break_row(&breach, way);
    if (broken)
        assert_refused(&breach, way);
    arena_fini(&arena);
    return broken;
}

static void every_bound_of_every_row_is_kept(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    size_t tried = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < messages[i]->row_count; k++) {
            const struct wire_row *row = &messages[i]->rows[k];
            bool elements = row->kind == WIRE_NAMES || row->kind == WIRE_TEXTS;
            for (int way = 0; try_way(messages[i], row, way); way++)
                tried++;
            for (int way = 100; elements && try_way(messages[i], row, way); way++)
                tried++;
        }
    assert_true(tried > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bound_of_every_row_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
