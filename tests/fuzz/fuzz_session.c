/*
 * Fuzz target of what a market session keeps: bytes are loaded as its state. What is accepted is
 * saved as the very bytes it came from.
 */
#include <assert.h>
#include <string.h>

#include "economics/market/solver/session.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session *session;
    struct arena arena;
    struct bytes again;
    struct bytes const bytes = {.data = data, .size = size};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = session_open(&session, NULL);
    if (status == STATUS_OK && session_load(session, bytes, NULL) == STATUS_OK) {
        status = session_save(session, &arena, &again, NULL);
        assert(status != STATUS_OK || (again.size == size && memcmp(again.data, data, size) == 0));
    }
    session_close(session);
    arena_fini(&arena);
    return 0;
}
