#include "economics/market/instance/instance_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum status instance_build(struct draft *draft, struct arena *arena, struct instance *instance,
                           struct fault *fault)
{
    *instance = (struct instance){0};
    instance->market.round_ms = (int64_t)llround(draft->round_seconds * MS_PER_SECOND);
    struct building building = {.draft = draft, .instance = instance, .arena = arena};
    arena_init(&building.scratch, ARENA_ROUND_BYTES);
    enum status (*const steps[])(struct building *, struct fault *) = {
        building_members, building_pools, building_pairs, building_jobs, building_rows};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&building, fault);
    arena_fini(&building.scratch);
    return status == STATUS_OK ? market_validate(&instance->market, fault) : status;
}

static enum status build_named(const char *name, struct draft *draft, struct arena *arena,
                               struct instance *instance, struct fault *fault)
{
    enum status const status = instance_build(draft, arena, instance, fault);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s", name);
}

enum status instance_read(const char *path, struct arena *arena, struct instance *instance,
                          struct fault *fault)
{
    struct draft draft;
    struct arena names;
    arena_init(&names, ARENA_ROUND_BYTES);
    draft_init(&draft, &names);
    enum status status = draft_read(path, &draft, fault);
    if (status == STATUS_OK)
        status = build_named(path, &draft, arena, instance, fault);
    draft_fini(&draft);
    arena_fini(&names);
    return status;
}

enum status instance_parse(const char *name, const char *text, size_t size, struct arena *arena,
                           struct instance *instance, struct fault *fault)
{
    struct draft draft;
    struct arena names;
    FILE *from = size > 0 ? fmemopen((void *)(uintptr_t)text, size, "r") : fopen("/dev/null", "r");
    if (from == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory", name);
    arena_init(&names, ARENA_ROUND_BYTES);
    draft_init(&draft, &names);
    enum status status = draft_read_stream(from, name, &draft, fault);
    if (status == STATUS_OK)
        status = build_named(name, &draft, arena, instance, fault);
    draft_fini(&draft);
    arena_fini(&names);
    fclose(from);
    return status;
}
