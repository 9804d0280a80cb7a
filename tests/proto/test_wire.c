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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submitted_demand_arrives_as_it_was_sent),
        cmocka_unit_test(a_refusal_names_the_field_and_the_bound),
        cmocka_unit_test(an_empty_message_needs_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
