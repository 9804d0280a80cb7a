#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/json.h"
#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

/* What is printed, on the heap. */
static char *print(const struct wire_message *message, const void *domain)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    wire_print_json(message, domain, to);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void a_message_is_printed_field_by_field(void **state)
{
    (void)state;
    struct lease_row rows[2] = {
        {.lease = {1, 12, 3},
         .state = LEASE_STATE_RUNNING,
         .job = {"usc-1"},
         .home = {"usc"},
         .pool = {{"isi"}, {"A100"}},
         .gpus = 4,
         .price = {500000},
         .cap = {-1}},
        {.state = LEASE_STATE_SETTLED},
    };
    struct leases_response response = {.leases = rows, .lease_count = 2, .next_after = 7};
    char *text = print(method_lease_list.response, &response);
    static const char start[] = "{\n"
                                "  \"leases\": [\n"
                                "    {\n"
                                "      \"lease\": \"1.12.3\",\n"
                                "      \"state\": \"running\",\n"
                                "      \"job\": \"usc-1\",\n"
                                "      \"home\": \"usc\",\n"
                                "      \"pool\": {\n"
                                "        \"member\": \"isi\",\n"
                                "        \"gpu\": \"A100\"\n"
                                "      },\n"
                                "      \"gpus\": 4,\n"
                                "      \"price_nanos\": 500000,\n"
                                "      \"cap_micros\": -1,\n";
    assert_memory_equal(text, start, sizeof start - 1);
    assert_non_null(strstr(text, "\"lease\": null,\n      \"state\": \"settled\""));
    assert_non_null(strstr(text, "\n  ],\n  \"next_after\": 7\n}\n"));
    free(text);
}

static void texts_are_escaped_and_empty_arrays_closed(void **state)
{
    (void)state;
    struct explain_response response = {.summary = "a \"b\" \\ c\nd"};
    char *text = print(method_explain.response, &response);
    assert_non_null(strstr(text, "\"summary\": \"a \\\"b\\\" \\\\ c\\u000ad\""));
    assert_non_null(strstr(text, "\"placed\": false"));
    assert_non_null(strstr(text, "\"options\": []"));
    free(text);
}

static void digests_are_hex_and_numbers_exact(void **state)
{
    (void)state;
    struct ledger_verify_response response = {
        .entries = 9007199254740993, /* a double would lose the last digit */
        .verified = true,
        .problem = "",
        .sum = {INT64_MIN},
    };
    memset(response.head.bytes, 0xAB, DIGEST_BYTES);
    char *text = print(method_ledger_verify.response, &response);
    assert_non_null(strstr(text, "\"entries\": 9007199254740993"));
    assert_non_null(strstr(text, "\"sum_micros\": -9223372036854775808"));
    assert_non_null(strstr(text, "\"head\": \"abababab"));
    assert_non_null(strstr(text, "\"verified\": true"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_printed_field_by_field),
        cmocka_unit_test(texts_are_escaped_and_empty_arrays_closed),
        cmocka_unit_test(digests_are_hex_and_numbers_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
