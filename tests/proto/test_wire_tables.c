/* The tables against the .proto files: fields, types, services, streams. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/methods.h"
#include "proto/wire/table.h"

enum { PROTO_BYTES_MAX = 1 << 20 };

/* What protobuf-c must say of a field of each kind. */
static const struct {
    ProtobufCType type;
    ProtobufCType other; /* a second allowed type */
    bool repeated;
} shapes[WIRE_KIND_COUNT] = {
    [WIRE_BOOL] = {PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_BOOL, false},
    [WIRE_U32] = {PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_UINT32, false},
    [WIRE_I32] = {PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SINT32, false},
    [WIRE_U64] = {PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_UINT64, false},
    [WIRE_I64] = {PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, false},
    [WIRE_DOUBLE] = {PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_DOUBLE, false},
    [WIRE_ENUM] = {PROTOBUF_C_TYPE_ENUM, PROTOBUF_C_TYPE_ENUM, false},
    [WIRE_NAME] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING, false},
    [WIRE_ADDRESS] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING, false},
    [WIRE_TEXT] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING, false},
    [WIRE_BYTES] = {PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_BYTES, false},
    [WIRE_FIXED] = {PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_BYTES, false},
    [WIRE_STRUCT] = {PROTOBUF_C_TYPE_MESSAGE, PROTOBUF_C_TYPE_MESSAGE, false},
    [WIRE_STRUCTS] = {PROTOBUF_C_TYPE_MESSAGE, PROTOBUF_C_TYPE_MESSAGE, true},
    [WIRE_NAMES] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING, true},
    [WIRE_TEXTS] = {PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_STRING, true},
    [WIRE_DIGESTS] = {PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_BYTES, false},
};

static void check_bounds(const struct wire_row *row)
{
    bool text = row->kind == WIRE_NAME || row->kind == WIRE_ADDRESS || row->kind == WIRE_TEXT ||
                row->kind == WIRE_NAMES || row->kind == WIRE_TEXTS;
    bool sub = row->kind == WIRE_STRUCT || row->kind == WIRE_STRUCTS;
    assert_int_equal(text, row->rule != NULL);
    assert_int_equal(sub, row->sub != NULL);
    if (row->kind == WIRE_DOUBLE)
        assert_true(row->least < row->most);
    else if (row->kind != WIRE_BOOL && row->kind != WIRE_STRUCT)
        assert_true(row->max > 0 && (row->min < 0 || (uint64_t)row->min <= row->max));
    if (row->kind == WIRE_TEXTS)
        assert_true(row->text_max > 0);
    if (row->kind == WIRE_I64)
        assert_true(row->max <= INT64_MAX);
}

static void check_table(const struct wire_message *message, int depth)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    assert_true(depth <= WIRE_DEPTH_MAX);
    assert_int_equal(message->row_count, descriptor->n_fields);
    assert_true(message->row_count <= WIRE_ROWS_MAX);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const struct wire_row *row = &message->rows[i];
        if (strcmp(field->name, row->field) != 0)
            fail_msg("%s: field %u is %s in the .proto and %s in the table", descriptor->name,
                     field->id, field->name, row->field);
        assert_true(row->offset < message->size);
        assert_true(field->type == shapes[row->kind].type ||
                    field->type == shapes[row->kind].other);
        assert_int_equal(field->label == PROTOBUF_C_LABEL_REPEATED, shapes[row->kind].repeated);
        /* a negative int64 would take ten bytes */
        if (row->kind == WIRE_I64)
            assert_int_equal(field->type == PROTOBUF_C_TYPE_SINT64, row->min < 0);
        if (row->kind == WIRE_ENUM) {
            const ProtobufCEnumDescriptor *values = field->descriptor;
            assert_int_equal(values->n_values, row->max + 2); /* and UNSPECIFIED */
            assert_non_null(strstr(values->values[0].name, "_UNSPECIFIED"));
        }
        check_bounds(row);
        if (row->sub != NULL) {
            assert_ptr_equal(row->sub->descriptor, field->descriptor);
            check_table(row->sub, depth + 1);
        }
    }
}

static void every_row_describes_the_field_of_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < methods_count; i++) {
        check_table(methods_all[i]->request, 1);
        check_table(methods_all[i]->response, 1);
    }
    check_table(&message_lease, 1);
    check_table(&message_receipt, 1);
    check_table(&message_revocation_list, 1);
    check_table(&message_ledger_head, 1);
}

static const struct wire_method *find_method(const char *path)
{
    const struct wire_method *found = NULL;
    for (size_t i = 0; i < methods_count; i++)
        if (strcmp(methods_all[i]->path, path) == 0) {
            assert_null(found); /* listed once */
            found = methods_all[i];
        }
    return found;
}

static void every_rpc_of_every_service_has_one_method_with_its_messages(void **state)
{
    (void)state;
    size_t rpcs = 0;
    for (size_t i = 0; i < wire_services_count; i++)
        for (unsigned k = 0; k < wire_services[i]->n_methods; k++, rpcs++) {
            char path[256];
            snprintf(path, sizeof path, "/%s/%s", wire_services[i]->name,
                     wire_services[i]->methods[k].name);
            const struct wire_method *method = find_method(path);
            if (method == NULL)
                fail_msg("%s has no method", path);
            assert_ptr_equal(method->request->descriptor, wire_services[i]->methods[k].input);
            assert_ptr_equal(method->response->descriptor, wire_services[i]->methods[k].output);
        }
    assert_int_equal(rpcs, methods_count);
}

/* The text of one .proto file without its comments. */
static char *read_proto(const char *service)
{
    char path[4096];
    const char *source = getenv("ENTENTE_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/proto/entente/v1/%s.proto", source != NULL ? source : ".",
             service);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is not there", path);
    char *text = calloc(1, PROTO_BYTES_MAX);
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "/")] = '\0'; /* no field type has a slash */
        strncat(text, line, PROTO_BYTES_MAX - 1 - strlen(text));
    }
    fclose(file);
    return text;
}

/* protobuf-c's descriptors do not say which rpcs stream; the text does. */
static void the_shapes_are_those_of_the_proto_files(void **state)
{
    (void)state;
    static const char *const files[] = {"enrol", "member", "operator", "peer", "local"};
    size_t rpcs = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *text = read_proto(files[i]);
        const char *service = strstr(text, "service ");
        assert_non_null(service);
        char service_name[64];
        assert_int_equal(sscanf(service, "service %63[A-Za-z]", service_name), 1);
        for (const char *rpc = strstr(service, "rpc "); rpc != NULL;
             rpc = strstr(rpc + 1, "rpc ")) {
            char name[64];
            char input[64];
            char output[64];
            assert_int_equal(sscanf(rpc, "rpc %63[A-Za-z](%63[A-Za-z ]) returns (%63[A-Za-z ])",
                                    name, input, output),
                             3);
            char path[256];
            snprintf(path, sizeof path, "/entente.v1.%s/%s", service_name, name);
            const struct wire_method *method = find_method(path);
            assert_non_null(method);
            bool client = strncmp(input, "stream ", 7) == 0;
            bool server = strncmp(output, "stream ", 7) == 0;
            assert_false(client && server);
            assert_int_equal(method->shape, client   ? WIRE_CLIENT_STREAM
                                            : server ? WIRE_SERVER_STREAM
                                                     : WIRE_UNARY);
            rpcs++;
        }
        free(text);
    }
    assert_int_equal(rpcs, methods_count);
}

static void every_member_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMBER_STATE_COUNT; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(member_state_name((enum member_state)i),
                                    member_state_name((enum member_state)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_describes_the_field_of_its_place),
        cmocka_unit_test(every_rpc_of_every_service_has_one_method_with_its_messages),
        cmocka_unit_test(the_shapes_are_those_of_the_proto_files),
        cmocka_unit_test(every_member_state_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
