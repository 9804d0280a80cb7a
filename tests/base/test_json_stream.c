/* JSON read in one pass into structs: what is wrong is refused with its path; and written as it
 * goes. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_stream.h"
#include "base/json_stream_write.h"

enum { ITEMS_MAX = 8 };

struct item {
    char name[JSON_STREAM_TEXT_MAX];
    double weight;
    int64_t count;
    bool good;
};

struct seen {
    struct item item;
    struct item items[ITEMS_MAX];
    size_t count;
    size_t words;
    double sum;
    bool weight_given;
};

static void *begin_root(void *context)
{
    return context;
}

static void *begin_item(void *context)
{
    struct seen *seen = context;
    seen->item = (struct item){.weight = 0.5};
    return seen;
}

static enum status end_item(void *context, struct json_stream *stream, struct fault *fault)
{
    struct seen *seen = context;
    assert_int_equal(json_stream_index(stream), seen->count);
    seen->weight_given = json_stream_given(stream, "weight");
    if (strcmp(seen->item.name, "bad") == 0)
        return json_stream_fault(stream, "name", fault, "is bad");
    seen->items[seen->count++] = seen->item;
    return STATUS_OK;
}

static enum status take_word(void *context, struct json_stream *stream, const char *text,
                             struct fault *fault)
{
    (void)stream;
    (void)fault;
    ((struct seen *)context)->words += strlen(text);
    return STATUS_OK;
}

static enum status take_price(void *context, struct json_stream *stream, const char *key,
                              double number, struct fault *fault)
{
    (void)stream;
    (void)fault;
    ((struct seen *)context)->sum += number * (double)strlen(key);
    return STATUS_OK;
}

static const struct json_field item_fields[] = {
    {.key = "name",
     .kind = JSON_FIELD_TEXT,
     .required = true,
     .offset = offsetof(struct seen, item.name),
     .most = 10},
    {.key = "weight",
     .kind = JSON_FIELD_NUMBER,
     .offset = offsetof(struct seen, item.weight),
     .most = 9},
    {.key = "count",
     .kind = JSON_FIELD_INTEGER,
     .offset = offsetof(struct seen, item.count),
     .least = 1,
     .most = 5},
    {.key = "good", .kind = JSON_FIELD_BOOLEAN, .offset = offsetof(struct seen, item.good)}};
static const struct json_shape item_shape = {
    .fields = item_fields, .field_count = 4, .begin = begin_item, .end = end_item};
static const struct json_field root_fields[] = {
    {.key = "items", .kind = JSON_FIELD_OBJECTS, .of = &item_shape},
    {.key = "words", .kind = JSON_FIELD_TEXTS, .most = 10, .text = take_word},
    {.key = "prices", .kind = JSON_FIELD_NUMBERS, .most = 100, .number = take_price},
    {.key = "rest", .kind = JSON_FIELD_PASSED}};
static const struct json_shape root_shape = {
    .fields = root_fields, .field_count = 4, .begin = begin_root};

static enum status read_text(const char *text, struct seen *seen, struct fault *fault)
{
    *seen = (struct seen){.count = 0};
    *fault = (struct fault){.text = ""};
    FILE *from = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(from);
    enum status const status = json_stream_read(from, "f", &root_shape, seen, fault);
    fclose(from);
    return status;
}

static void objects_fill_structs_whatever_the_order_of_keys(void **state)
{
    (void)state;
    struct seen seen;
    struct fault fault;
    assert_ok(read_text("{\"rest\": {\"a\": [1, {\"items\": null}], \"b\": \"x\"},"
                        " \"items\": [{\"count\": 3, \"name\": \"a\\u00e4\", \"good\": true},"
                        "              {\"name\": \"b\", \"weight\": 2.25}],"
                        " \"words\": [\"ab\", \"c\"], \"prices\": {\"p\": 2, \"qq\": 4}}",
                        &seen, &fault));
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.items[0].name, "aä");
    assert_true(seen.items[0].good);
    assert_int_equal(seen.items[0].count, 3);
    assert_near(seen.items[0].weight, 0.5, 0); /* as begin() left it */
    assert_near(seen.items[1].weight, 2.25, 0);
    assert_true(seen.weight_given);
    assert_int_equal(seen.words, 3);
    assert_near(seen.sum, 10, 0);
}

static void what_is_wrong_is_refused_with_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"[]", "f: the document: must be an object"},
        {"5", "f: the document: must be an object"},
        {"{\"itms\": []}", "f: itms: unknown key; did you mean 'items'?"},
        {"{\"items\": {}}", "f: items: must be an array"},
        {"{\"items\": [5]}", "f: items[0]: must be an object"},
        {"{\"items\": [{}]}", "f: items[0].name: is missing"},
        {"{\"items\": [{\"name\": \"a\"}, {\"name\": 5}]}", "f: items[1].name: must be a text"},
        {"{\"items\": [{\"name\": null}]}", "f: items[0].name: must be a text"},
        {"{\"items\": [{\"name\": \"\"}]}", "f: items[0].name: must have 1 to 10 bytes"},
        {"{\"items\": [{\"name\": \"a\\u0000b\"}]}", "must not hold a zero byte"},
        {"{\"items\": [{\"name\": \"bad\"}]}", "f: items[0].name: is bad"},
        {"{\"items\": [{\"name\": \"a\", \"name\": \"b\"}]}", "f: items[0].name: is there twice"},
        {"{\"items\": [{\"count\": 1.5}]}", "f: items[0].count: must be a whole number"},
        {"{\"items\": [{\"count\": 6}]}", "f: items[0].count: 6 is not within 1 and 5"},
        {"{\"items\": [{\"weight\": -1}]}", "f: items[0].weight: -1 is not within 0 and 9"},
        {"{\"items\": [{\"weight\": 1e999}]}", "f: items[0].weight: inf is not within"},
        {"{\"items\": [{\"weight\": true}]}", "f: items[0].weight: must be a number"},
        {"{\"items\": [{\"good\": 1}]}", "f: items[0].good: must be true or false"},
        {"{\"words\": [\"a\", 5]}", "f: words[1]: must be a text"},
        {"{\"words\": [[\"a\"]]}", "f: words[0]: must be a text"},
        {"{\"prices\": {\"p\": \"x\"}}", "f: prices.p: must be a number"},
        {"{\"prices\": [1]}", "f: prices: must be an object"},
        {"{\"items\": [\n{\"weight\": NaN}]}", "f:2:"},
        {"{\"items\": [", "f:1:12: "},
        {"{} {}", "f:1:"},
        {"", "f:1:1: "},
        {"{\"rest\": \"\xff\"}", "f:1:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen;
        struct fault fault = {.text = ""};
        FILE *from = tmpfile();
        assert_non_null(from);
        fputs(cases[i].text, from);
        rewind(from);
        enum status const status =
            json_stream_read(from, "f", &root_shape, memset(&seen, 0, sizeof seen), &fault);
        fclose(from);
        if (status != STATUS_INVALID || strstr(fault.text, cases[i].says) == NULL)
            fail_msg("%s: expected '%s', got %s '%s'", cases[i].text, cases[i].says,
                     status_name(status), fault.text);
    }
}

static void a_value_across_the_chunks_is_whole(void **state)
{
    (void)state;
    /* chunks have 65536 bytes: blanks put the item at and around their border */
    for (size_t blanks = 65500; blanks < 65545; blanks++) {
        struct seen seen;
        struct fault fault;
        char *text = malloc(blanks + 128);
        assert_non_null(text);
        memset(text, ' ', blanks);
        snprintf(text + blanks, 128, "{\"items\": [{\"name\": \"abc\", \"weight\": 1.625}]}");
        assert_ok(read_text(text, &seen, &fault));
        assert_string_equal(seen.items[0].name, "abc");
        assert_near(seen.items[0].weight, 1.625, 0);
        free(text);
    }
}

static void what_is_emitted_is_read_by_the_other_reader(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct emitter *emitter;
    struct json_document *document;
    struct fault fault = {.text = ""};
    FILE *to = open_memstream(&text, &size);
    assert_ok(emit_open(to, &emitter, &fault));
    emit_number(emitter, "ten", 10);
    emit_text(emitter, "text", "a\"b\n");
    emit_array(emitter, "list");
    emit_integer(emitter, NULL, INT64_MAX);
    emit_boolean(emitter, NULL, true);
    emit_null(emitter, NULL);
    emit_end(emitter);
    emit_object(emitter, "object");
    assert_ok(emit_close(emitter, &fault)); /* ends what is open */
    fclose(to);
    assert_non_null(strstr(text, "\"ten\": 10.0"));
    assert_ok(json_parse("emitted", text, size, &document, &fault));
    struct json_place const root = json_root(document);
    const char *read = NULL;
    assert_ok(json_get_text(&root, "text", true, 10, &read, &fault));
    assert_string_equal(read, "a\"b\n");
    json_close(document);
    free(text);
}

static void a_number_that_is_not_finite_is_not_emitted(void **state)
{
    (void)state;
    struct emitter *emitter;
    struct fault fault = {.text = ""};
    FILE *to = fopen("/dev/null", "w");
    assert_ok(emit_open(to, &emitter, &fault));
    emit_number(emitter, "x", strtod("nan", NULL));
    assert_int_equal(emit_close(emitter, &fault), STATUS_INTERNAL);
    fclose(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_fill_structs_whatever_the_order_of_keys),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_path),
        cmocka_unit_test(a_value_across_the_chunks_is_whole),
        cmocka_unit_test(what_is_emitted_is_read_by_the_other_reader),
        cmocka_unit_test(a_number_that_is_not_finite_is_not_emitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
