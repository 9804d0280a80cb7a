#include "tests/sim/memory.h"

#include <assert.h>

static struct {
    bool daemon;
    uint32_t spared;
    uint64_t after;
    uint64_t failing;
    uint64_t failed;
} memory;

void sim_memory_begin(void)
{
    assert(!memory.daemon);
    memory.daemon = true;
}

void sim_memory_end(void)
{
    memory.daemon = false;
}

void sim_memory_spare(void)
{
    memory.spared++;
}

void sim_memory_spare_end(void)
{
    assert(memory.spared > 0);
    memory.spared--;
}

void sim_memory_fail(uint64_t after, uint64_t failing)
{
    memory.after = after;
    memory.failing = failing;
}

bool sim_memory_short(void)
{
    return memory.failing > 0;
}

uint64_t sim_memory_failed(void)
{
    return memory.failed;
}

bool sim_memory_fails(void)
{
    if (!memory.daemon || memory.spared > 0 || memory.failing == 0)
        return false;
    if (memory.after > 0) {
        memory.after--;
        return false;
    }
    memory.failing--;
    memory.failed++;
    return true;
}
