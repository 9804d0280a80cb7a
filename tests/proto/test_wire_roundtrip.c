/* Every message, with random valid contents from its own table, there and back. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "tests/proto/wire_generator.h"

enum { ROUNDS = 200 }; /* messages of each kind: both ends of each of 23 rows come up */

static void roundtrip(const struct wire_message *message, uint64_t seed)
{
    struct rng rng;
    struct arena arena;
    struct fault fault = {0};
    struct bytes first;
    struct bytes second;
    void *back;
    rng_init(&rng, seed, 0);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    const void *sent = generator_make(message, &rng, &arena);
    if (wire_encode(message, sent, &arena, &first, &fault) != STATUS_OK)
        fail_msg("seed %llu: %s is refused when sent: %s", (unsigned long long)seed,
                 wire_message_name(message), fault.text);
    if (wire_decode(message, first, &arena, &back, &fault) != STATUS_OK)
        fail_msg("seed %llu: %s is refused when received: %s", (unsigned long long)seed,
                 wire_message_name(message), fault.text);
    const char *difference = generator_difference(message, sent, back);
    if (difference != NULL)
        fail_msg("seed %llu: %s.%s does not come back", (unsigned long long)seed,
                 wire_message_name(message), difference);
    assert_ok(wire_encode(message, back, &arena, &second, &fault));
    assert_int_equal(first.size, second.size);
    assert_true(first.size == 0 || memcmp(first.data, second.data, first.size) == 0);
    arena_fini(&arena);
}

static void every_message_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    assert_true(count > 60);
    uint64_t seed = support_seed(1);
    for (size_t i = 0; i < count; i++)
        for (uint64_t k = 0; k < ROUNDS; k++)
            roundtrip(messages[i], seed * 1000003 + i * ROUNDS + k);
}

/* With less and less memory the answer is EXHAUSTED, never a crash and never a part of a message.
 */
static void a_full_arena_is_an_answer(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    for (size_t i = 0; i < count; i++) {
        struct rng rng;
        struct arena whole;
        struct bytes bytes;
        rng_init(&rng, support_seed(2), i);
        arena_init(&whole, ARENA_MESSAGE_BYTES);
        const void *sent = generator_make(messages[i], &rng, &whole);
        assert_ok(wire_encode(messages[i], sent, &whole, &bytes, NULL));
        bool enough = false;
        for (size_t limit = 0; !enough; limit += 16) {
            struct arena small;
            struct fault fault = {0};
            void *back;
            arena_init(&small, limit);
            enum status status = wire_decode(messages[i], bytes, &small, &back, &fault);
            enough = status == STATUS_OK;
            assert_true(enough || (status == STATUS_EXHAUSTED && back == NULL));
            assert_true(small.used_bytes <= limit);
            arena_fini(&small);
            struct bytes again;
            arena_init(&small, limit);
            status = wire_encode(messages[i], sent, &small, &again, &fault);
            assert_int_equal(status, limit >= bytes.size ? STATUS_OK : STATUS_EXHAUSTED);
            arena_fini(&small);
        }
        arena_fini(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back_as_it_was_sent),
        cmocka_unit_test(a_full_arena_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
