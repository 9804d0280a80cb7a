/*
 * Fuzz target of the wire's decoder. The first byte picks the message (a method's request or
 * response), the rest are its bytes. What is accepted is sent on and must come back the same.
 */
#include <assert.h>
#include <stdlib.h>

#include "proto/wire/methods.h"
#include "tests/fuzz/fuzz.h"
#include "tests/proto/wire_generator.h"

static void sent_on_it_comes_back(const struct wire_message *message, const void *domain,
                                  struct arena *arena)
{
    struct bytes bytes;
    void *back;
    enum status status = wire_encode(message, domain, arena, &bytes, NULL);
    if (status == STATUS_EXHAUSTED)
        return; /* a large message twice and thrice in one arena */
    assert(status == STATUS_OK);
    status = wire_decode(message, bytes, arena, &back, NULL);
    assert(status == STATUS_OK || status == STATUS_EXHAUSTED);
    assert(status != STATUS_OK || generator_difference(message, domain, back) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct wire_method *method = methods_all[data[0] / 2 % methods_count];
    const struct wire_message *message = data[0] % 2 == 0 ? method->request : method->response;
    struct arena arena;
    struct fault fault;
    void *domain;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct bytes bytes = {.data = data + 1, .size = size - 1};
    if (wire_decode(message, bytes, &arena, &domain, &fault) == STATUS_OK)
        sent_on_it_comes_back(message, domain, &arena);
    arena_fini(&arena);
    return 0;
}
