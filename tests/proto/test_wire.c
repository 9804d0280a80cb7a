/* The engine on messages written by hand: what goes in comes out, and refusals name the field. */
#include "tests/support/support.h"

#include <string.h>

#include "proto/wire/methods.h"
#include "proto/wire/messages.h"

static struct name named(const char *text)
{
    struct name name = {0};
    memcpy(name.text, text, strlen(text));
    return name;
}

/* A demand that keeps every bound. */
static struct demand some_demand(void)
{
    return (struct demand){
        .job = named("usc-1"),
        .home = named("usc"),
        .gpus_min = 1,
        .gpus_max = 4,
        .work_left_examples = 1000,
    };
}

static void assert_refused(const struct wire_message *message, const void *domain,
                           enum status status, const char *text)
{
    struct arena arena;
    struct bytes bytes;
    struct fault fault = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_int_equal(wire_encode(message, domain, &arena, &bytes, &fault), status);
    assert_string_equal(fault.text, text);
    arena_fini(&arena);
}

static void a_submitted_demand_arrives_as_it_was_sent(void **state)
{
    (void)state;
    struct name kinds[] = {named("a100"), named("h100")};
    struct throughput_hint hints[] = {{named("a100"), 2, 123.5}};
    struct submit_request request = {.issued_wall_ms = 5, .demand = some_demand()};
    request.request_key.bytes[31] = 7;
    request.demand.gpu_kinds = kinds;
    request.demand.gpu_kind_count = 2;
    request.demand.hints = hints;
    request.demand.hint_count = 1;
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct bytes bytes;
    assert_ok(wire_encode(method_submit.request, &request, &arena, &bytes, NULL));
    void *domain;
    assert_ok(wire_decode(method_submit.request, bytes, &arena, &domain, NULL));
    const struct submit_request *back = domain;
    assert_int_equal(back->request_key.bytes[31], 7);
    assert_int_equal(back->issued_wall_ms, 5);
    assert_string_equal(back->demand.job.text, "usc-1");
    assert_int_equal(back->demand.gpu_kind_count, 2);
    assert_string_equal(back->demand.gpu_kinds[1].text, "h100");
    assert_true(back->demand.hints[0].examples_per_second == 123.5); /* bit for bit */
    assert_false(back->demand.position.running);
    arena_fini(&arena);
}

static void a_refusal_names_the_field_and_the_bound(void **state)
{
    (void)state;
    struct throughput_hint hints[] = {{named("a"), 1, 1}, {named("b"), 0, 1}};
    struct submit_request request = {.demand = some_demand()};
    request.demand.hints = hints;
    request.demand.hint_count = 2;
    assert_refused(method_submit.request, &request, STATUS_INVALID,
                   "demand.hints[1].gpus: 0 is below 1");
}

static void an_empty_message_needs_no_bytes(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    void *domain;
    assert_ok(wire_decode(method_submit.response, (struct bytes){0}, &arena, &domain, NULL));
    assert_non_null(domain);
    arena_fini(&arena);
}

/* ---- bytes written by hand */

static enum status decode(const struct wire_message *message, const char *data, size_t size,
                          struct arena *arena, const void **domain, struct fault *fault)
{
    struct bytes bytes = {.data = (const uint8_t *)data, .size = size};
    void *decoded;
    *fault = (struct fault){0};
    enum status status = wire_decode(message, bytes, arena, &decoded, fault);
    *domain = decoded;
    return status;
}

static void assert_bytes_refused(const struct wire_message *message, const char *data, size_t size,
                                 const char *text)
{
    struct arena arena;
    const void *domain;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_int_equal(decode(message, data, size, &arena, &domain, &fault), STATUS_INVALID);
    assert_string_equal(fault.text, text);
    arena_fini(&arena);
}

static void the_bytes_of_a_message_are_those_of_the_proto_file(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x0a, 0x07, 0x08, 0x01, 0x10, 0x96, 0x01, 0x18, 0x02, /* lease 1.150.2 */
        0x10, 0x88, 0x27,                                     /* grace_ms 5000 */
        0x1a, 0x02, 'o',  'k',                                /* reason */
    };
    struct stop_request request = {.lease = {1, 150, 2}, .grace_ms = 5000, .reason = "ok"};
    struct arena arena;
    struct bytes bytes;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_ok(wire_encode(method_stop.request, &request, &arena, &bytes, NULL));
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    arena_fini(&arena);
}

static void fields_of_a_newer_release_are_ignored(void **state)
{
    (void)state;
    struct arena arena;
    const void *domain;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    /* job "a", then fields 100 (text), 101 (number), 102 (8 bytes), 103 (4 bytes) */
    static const char newer[] = "\x0a\x01"
                                "a"
                                "\xa2\x06\x02hi"
                                "\xa8\x06\x7f"
                                "\xb1\x06"
                                "12345678"
                                "\xbd\x06"
                                "1234";
    assert_ok(decode(method_job_show.request, newer, sizeof newer - 1, &arena, &domain, &fault));
    assert_string_equal(((const struct job_request *)domain)->job.text, "a");
    arena_fini(&arena);
}

static void of_a_field_sent_twice_the_later_counts(void **state)
{
    (void)state;
    struct arena arena;
    const void *domain;
    struct fault fault;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_ok(decode(method_job_show.request,
                     "\x0a\x01"
                     "a"
                     "\x0a\x01"
                     "b",
                     6, &arena, &domain, &fault));
    assert_string_equal(((const struct job_request *)domain)->job.text, "b");
    arena_fini(&arena);
}

static void broken_bytes_are_refused_with_the_path_and_the_reason(void **state)
{
    (void)state;
    const struct wire_message *job = method_job_show.request;
    assert_bytes_refused(job,
                         "\x0a\x03"
                         "a\0b",
                         5, "job: has a NUL inside");
    assert_bytes_refused(job,
                         "\x0a\x05"
                         "a",
                         3, "is not a well-formed JobRequest: it ends inside a field");
    assert_bytes_refused(job, "\x0a", 1,
                         "is not a well-formed JobRequest: it ends inside a number");
    assert_bytes_refused(job, "\x02\x00", 2,
                         "is not a well-formed JobRequest: a field has no number");
    assert_bytes_refused(job, "\x0b\x0c", 2,
                         "is not a well-formed JobRequest: a field has a type that does not exist");
    assert_bytes_refused(job, "\x08\x01", 2, "job: has another type on the wire");
    assert_bytes_refused(job, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
                         "is not a well-formed JobRequest: a number is too long");
    assert_bytes_refused(job, "", 0, "job: is missing");
    /* CommitFilesRequest: lease 1.1.1, and purpose left out, 4, and 2^32 - 1 (-1) */
    const struct wire_message *commit = method_commit_files.request;
    assert_bytes_refused(commit, "\x0a\x06\x08\x01\x10\x01\x18\x01", 8, "purpose: is missing");
    assert_bytes_refused(commit, "\x0a\x06\x08\x01\x10\x01\x18\x01\x10\x04", 10,
                         "purpose: 4 is not known");
    assert_bytes_refused(commit, "\x0a\x06\x08\x01\x10\x01\x18\x01\x10\xff\xff\xff\xff\x0f", 14,
                         "purpose: -1 is not known");
    /* SubmitRequest: demand (3) with hints (17) whose length (2) overruns it */
    assert_bytes_refused(method_submit.request, "\x1a\x04\x8a\x01\x01\x0a", 6,
                         "demand.hints[0]: is not a well-formed ThroughputHint: it ends inside a "
                         "number");
}

static void a_text_for_people_is_mended_when_sent(void **state)
{
    (void)state;
    static char reason[TEXT_BYTES_MAX + 100];
    memset(reason, 'a', sizeof reason - 1);
    memcpy(reason, "cut \xe2\x82 here\x1b\xff", 13);
    memcpy(reason + TEXT_BYTES_MAX - 1, "\xc3\xa9", 2); /* across the limit: left out whole */
    struct stop_request request = {.lease = {1, 1, 1}, .reason = reason};
    struct arena arena;
    struct bytes bytes;
    void *domain;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_ok(wire_encode(method_stop.request, &request, &arena, &bytes, NULL));
    assert_ok(wire_decode(method_stop.request, bytes, &arena, &domain, NULL));
    const struct stop_request *back = domain;
    assert_memory_equal(back->reason, "cut ?? here??aaa", 16);
    assert_int_equal(strlen(back->reason), TEXT_BYTES_MAX - 1);
    memset(reason, 'a', sizeof reason - 1); /* only too long */
    assert_ok(wire_encode(method_stop.request, &request, &arena, &bytes, NULL));
    assert_ok(wire_decode(method_stop.request, bytes, &arena, &domain, NULL));
    assert_int_equal(strlen(((const struct stop_request *)domain)->reason), TEXT_BYTES_MAX);
    arena_fini(&arena);
}

static void a_text_left_null_is_empty(void **state)
{
    (void)state;
    struct stop_request request = {.lease = {1, 1, 1}};
    struct renew_request renewal = {0};
    struct arena arena;
    struct bytes bytes;
    void *domain;
    struct fault fault = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_ok(wire_encode(method_stop.request, &request, &arena, &bytes, NULL));
    assert_ok(wire_decode(method_stop.request, bytes, &arena, &domain, NULL));
    assert_string_equal(((const struct stop_request *)domain)->reason, "");
    assert_int_equal(wire_encode(method_renew.request, &renewal, &arena, &bytes, &fault),
                     STATUS_INVALID);
    assert_string_equal(fault.text, "csr_pem: is missing");
    arena_fini(&arena);
}

static void no_lease_is_an_absent_message(void **state)
{
    (void)state;
    struct job_row row = {.job = {"usc-1"}, .home = {"usc"}, .state = "waiting"};
    struct jobs_response response = {.jobs = &row, .job_count = 1};
    struct arena arena;
    struct bytes bytes;
    void *domain;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_ok(wire_encode(method_list_jobs.response, &response, &arena, &bytes, NULL));
    assert_ok(wire_decode(method_list_jobs.response, bytes, &arena, &domain, NULL));
    const struct jobs_response *back = domain;
    assert_true(lease_id_none(back->jobs[0].lease));
    assert_string_equal(back->jobs[0].host.text, "");
    /* one row: job, home, state, and nothing of lease, host or gpu */
    assert_int_equal(bytes.size, 2 + (2 + 5) + (2 + 3) + (2 + 7));
    row.lease.round = 5; /* half a lease is none */
    struct fault fault;
    assert_int_equal(wire_encode(method_list_jobs.response, &response, &arena, &bytes, &fault),
                     STATUS_INVALID);
    assert_string_equal(fault.text, "jobs[0].lease.incarnation: 0 is below 1");
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submitted_demand_arrives_as_it_was_sent),
        cmocka_unit_test(a_refusal_names_the_field_and_the_bound),
        cmocka_unit_test(an_empty_message_needs_no_bytes),
        cmocka_unit_test(the_bytes_of_a_message_are_those_of_the_proto_file),
        cmocka_unit_test(fields_of_a_newer_release_are_ignored),
        cmocka_unit_test(of_a_field_sent_twice_the_later_counts),
        cmocka_unit_test(broken_bytes_are_refused_with_the_path_and_the_reason),
        cmocka_unit_test(a_text_for_people_is_mended_when_sent),
        cmocka_unit_test(a_text_left_null_is_empty),
        cmocka_unit_test(no_lease_is_an_absent_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
