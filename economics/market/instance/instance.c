#include "economics/market/instance/instance_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum status read_round(struct reading *reading, struct fault *fault)
{
    static const char *const keys[] = {"round_seconds", "members", "pools", "affinity",
                                       "links",         "limits",  "jobs",  NULL};
    enum status status = json_allow(&reading->root, keys, fault);
    double seconds = 300;
    if (status == STATUS_OK)
        status = json_get_number(&reading->root, "round_seconds", false, 0.001,
                                 (double)MARKET_ROUND_MS_MAX / MS_PER_SECOND, &seconds, fault);
    reading->instance->market.round_ms = (int64_t)llround(seconds * MS_PER_SECOND);
    return status;
}

static enum status build(struct json_document *document, struct arena *arena,
                         struct instance *instance, struct fault *fault)
{
    *instance = (struct instance){0};
    struct reading reading = {.instance = instance, .arena = arena, .root = json_root(document)};
    enum status (*const steps[])(struct reading *, struct fault *) = {
        read_round,     reading_members, reading_pools, reading_pairs,
        reading_limits, reading_jobs,    reading_rows};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&reading, fault);
    if (status != STATUS_OK)
        return status;
    return market_validate(&instance->market, fault);
}

enum status instance_read(const char *path, struct arena *arena, struct instance *instance,
                          struct fault *fault)
{
    struct json_document *document;
    enum status status = json_read(path, INSTANCE_BYTES_MAX, &document, fault);
    if (status != STATUS_OK)
        return status;
    status = build(document, arena, instance, fault);
    json_close(document);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s", path);
}

enum status instance_parse(const char *name, const char *text, size_t size, struct arena *arena,
                           struct instance *instance, struct fault *fault)
{
    struct json_document *document;
    enum status status = json_parse(name, text, size, &document, fault);
    if (status != STATUS_OK)
        return status;
    status = build(document, arena, instance, fault);
    json_close(document);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s", name);
}

enum status reading_no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the instance needs more memory than one round may");
}

/* -- Names ------------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right)
{
    const struct instance_name *a = left;
    const struct instance_name *b = right;
    int const by_text = strcmp(a->text, b->text);
    return by_text != 0 ? by_text
                        : (a->file_index > b->file_index) - (a->file_index < b->file_index);
}

static int compare_text(const void *key, const void *name)
{
    return strcmp(key, ((const struct instance_name *)name)->text);
}

enum status reading_sort(struct instance_name *names, size_t count, const char *kind,
                         struct fault *fault)
{
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1].text, names[i].text) == 0)
            return fault_set(fault, STATUS_INVALID, "%s[%zu]: '%s' is there already", kind,
                             names[i].file_index, names[i].text);
    return STATUS_OK;
}

static enum status find(const struct instance_name *names, size_t count, const char *kind,
                        const struct json_place *object, const char *key, uint32_t *index,
                        struct fault *fault)
{
    const char *text = NULL;
    enum status status =
        json_get_text(object, key, true, INSTANCE_NAME_BYTES_MAX * 2, &text, fault);
    if (status != STATUS_OK)
        return status;
    const struct instance_name *found = NULL;
    if (count > 0)
        found = bsearch(text, names, count, sizeof *names, compare_text);
    if (found == NULL) {
        char wrong[INSTANCE_NAME_BYTES_MAX * 2 + 32];
        snprintf(wrong, sizeof wrong, "no %s '%s'", kind, text);
        struct json_place const place = {.parent = object, .key = key};
        return json_fault(&place, fault, wrong);
    }
    *index = found->index;
    return STATUS_OK;
}

enum status reading_member(const struct reading *reading, const struct json_place *object,
                           const char *key, int32_t *member, struct fault *fault)
{
    uint32_t index = 0;
    enum status const status = find(reading->members, reading->instance->market.member_count,
                                    "member", object, key, &index, fault);
    *member = (int32_t)index;
    return status;
}

enum status reading_pool(const struct reading *reading, const struct json_place *object,
                         const char *key, uint32_t *pool, struct fault *fault)
{
    return find(reading->pools, reading->instance->market.pool_count, "pool", object, key, pool,
                fault);
}

static int compare_key(const void *key, const void *pair)
{
    uint64_t const wanted = *(const uint64_t *)key;
    uint64_t const has = ((const struct instance_pair *)pair)->key;
    return (wanted > has) - (wanted < has);
}

const struct instance_pair *reading_pair(const struct reading *reading, int32_t home, int32_t host)
{
    uint64_t const key = (uint64_t)home * reading->instance->market.member_count + (uint64_t)host;
    if (reading->pair_count == 0)
        return NULL;
    return bsearch(&key, reading->pairs, reading->pair_count, sizeof *reading->pairs, compare_key);
}
