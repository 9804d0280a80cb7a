/*
 * Fuzz target of stored rounds: any bytes are refused, or are the one encoding of a valid market;
 * and a small market, however wild its numbers, gets a plan or a refusal, never a crash.
 */
#include <assert.h>
#include <string.h>

#include "broker/round/snapshot.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMNS_SOLVED_MAX = 64, MEMBERS_SOLVED_MAX = 4, ARENA_BYTES = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct market market;
    struct split_terms terms;
    struct bytes warm;
    struct bytes again;
    struct fault fault;
    struct plan plan;
    arena_init(&arena, ARENA_BYTES);
    struct bytes bytes = {.data = data, .size = size};
    if (snapshot_decode(bytes, &arena, &market, &terms, &warm, &fault) == STATUS_OK) {
        enum status status = snapshot_encode(&market, &terms, warm, &arena, &again, &fault);
        assert(status == STATUS_OK && again.size == size && memcmp(again.data, data, size) == 0);
        if (market.column_count <= COLUMNS_SOLVED_MAX && market.member_count <= MEMBERS_SOLVED_MAX)
            (void)!plan_make(&market, &arena, &plan, &fault);
    }
    arena_fini(&arena);
    return 0;
}
