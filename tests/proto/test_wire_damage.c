/*
 * What only bytes can have and no domain struct: wrong sizes, missing messages, long names, texts
 * that a sender of ours would have mended. Each refused with the field's path.
 */
#include "tests/support/support.h"

#include <string.h>

#include "tests/proto/wire_generator.h"

static void assert_names_field(const struct wire_message *message, const struct wire_row *row,
                               const struct fault *fault)
{
    size_t length = strlen(row->field);
    if (strncmp(fault->text, row->field, length) != 0 || fault->text[length] != ':')
        fail_msg("%s.%s: \"%s\"", wire_message_name(message), row->field, fault->text);
}

/* Unpacks with protobuf-c, lets `damage` change one field there, packs again. */
static void assert_damage_refused(const struct wire_message *message, size_t index,
                                  void (*damage)(const ProtobufCFieldDescriptor *field, void *wire),
                                  enum status expected)
{
    struct arena arena;
    struct rng rng;
    struct bytes bytes;
    struct fault fault = {0};
    void *back;
    uint8_t *packed;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    rng_init(&rng, support_seed(4), index);
    assert_ok(wire_encode(message, generator_make(message, &rng, &arena), &arena, &bytes, NULL));
    ProtobufCMessage *wire =
        protobuf_c_message_unpack(message->descriptor, NULL, bytes.size, bytes.data);
    assert_non_null(wire);
    void *kept = arena_copy(&arena, wire, message->descriptor->sizeof_message);
    damage(&message->descriptor->fields[index], wire);
    packed = arena_alloc(&arena, protobuf_c_message_get_packed_size(wire), 1);
    bytes = (struct bytes){packed, protobuf_c_message_pack(wire, packed)};
    memcpy(wire, kept, message->descriptor->sizeof_message);
    protobuf_c_message_free_unpacked(wire, NULL);
    enum status status = wire_decode(message, bytes, &arena, &back, &fault);
    assert_names_field(message, &message->rows[index], &fault);
    assert_int_equal(status, expected);
    arena_fini(&arena);
}

static void take_message_away(const ProtobufCFieldDescriptor *field, void *wire)
{
    const void *nothing = NULL;
    memcpy(wire_in(wire, field->offset), &nothing, sizeof nothing);
}

static void shorten_bytes(const ProtobufCFieldDescriptor *field, void *wire)
{
    static uint8_t data[DIGEST_BYTES - 1] = {1};
    ProtobufCBinaryData const bytes = {sizeof data, data};
    memcpy(wire_in(wire, field->offset), &bytes, sizeof bytes);
}

static void lengthen_bytes(const ProtobufCFieldDescriptor *field, void *wire)
{
    static uint8_t data[SIGNATURE_BYTES + 1] = {1};
    ProtobufCBinaryData const bytes = {sizeof data, data};
    memcpy(wire_in(wire, field->offset), &bytes, sizeof bytes);
}

static void lengthen_text(const ProtobufCFieldDescriptor *field, void *wire)
{
    static char text[1024];
    char *const at = text;
    memset(text, 'a', sizeof text - 1);
    memcpy(wire_in(wire, field->offset), &at, sizeof at);
}

/* Longer than any text for people may be. */
static void lengthen_prose(const ProtobufCFieldDescriptor *field, void *wire)
{
    static char text[TEXT_BYTES_MAX + 2];
    char *const at = text;
    memset(text, 'a', sizeof text - 1);
    memcpy(wire_in(wire, field->offset), &at, sizeof at);
}

static void put_escape(const ProtobufCFieldDescriptor *field, void *wire)
{
    static char text[] = "\x1b[2J";
    char *const at = text;
    memcpy(wire_in(wire, field->offset), &at, sizeof at);
}

static void what_only_bytes_can_have_is_refused_too(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < messages[i]->row_count; k++) {
            const struct wire_row *row = &messages[i]->rows[k];
            if (row->kind == WIRE_STRUCT && !row->optional)
                assert_damage_refused(messages[i], k, take_message_away, STATUS_INVALID);
            if (row->kind == WIRE_FIXED || row->kind == WIRE_DIGESTS) {
                assert_damage_refused(messages[i], k, shorten_bytes, STATUS_INVALID);
                assert_damage_refused(messages[i], k, lengthen_bytes, STATUS_INVALID);
            }
            if (row->kind == WIRE_NAME || row->kind == WIRE_ADDRESS)
                assert_damage_refused(messages[i], k, lengthen_text, STATUS_EXHAUSTED);
            if (row->kind == WIRE_TEXT && row->rule->mended) {
                assert_damage_refused(messages[i], k, lengthen_prose, STATUS_EXHAUSTED);
                assert_damage_refused(messages[i], k, put_escape, STATUS_INVALID);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_bytes_can_have_is_refused_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
