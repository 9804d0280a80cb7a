/*
 * Fuzz target of the market: bytes are read as an instance in JSON. What is accepted, and is small,
 * gets a plan, and the plan passes its check.
 */
#include <assert.h>
#include <stdio.h>

#include "economics/market/instance/instance.h"
#include "economics/market/plan.h"
#include "tests/fuzz/fuzz.h"

enum { BYTES_MAX = 65536, COLUMNS_MAX = 200, MEMBERS_FUZZED_MAX = 8 };

/* A coefficient far above its limit may cost GLPK the exact optimum: see test_plan_wild.c. */
static int within_reason(const struct market *market)
{
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++)
            if (market->entries[market->rows[r].first_entry + e].coefficient >
                market->rows[r].limit * 4)
                return 0;
    for (uint32_t k = 0; k < market->column_count; k++)
        if (market->columns[k].gpus > market->pools[market->columns[k].pool].gpu_count * 16)
            return 0;
    return market->column_count <= COLUMNS_MAX && market->member_count <= MEMBERS_FUZZED_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct instance instance;
    struct plan plan;
    struct fault fault = {.text = ""};
    if (size > BYTES_MAX)
        return 0;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        instance_parse("fuzz", (const char *)data, size, &arena, &instance, &fault);
    if (status == STATUS_OK && within_reason(&instance.market)) {
        status = plan_make(&instance.market, &arena, &plan, &fault);
        if (status == STATUS_OK)
            status = plan_check(&instance.market, &plan, &fault);
        if (status != STATUS_OK)
            fprintf(stderr, "%s\n", fault.text);
        assert(status == STATUS_OK);
    }
    arena_fini(&arena);
    return 0;
}
