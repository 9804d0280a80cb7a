#include "economics/market/instance/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/nearest.h"
#include "economics/market/instance/instance.h"

struct draft_name {
    const char *text;
    const char *first_use; /* where it was used before it was defined; NULL: never */
    uint32_t number;
    bool defined;
    UT_hash_handle hh;
};

void draft_init(struct draft *draft, struct arena *arena)
{
    *draft = (struct draft){.arena = arena, .round_seconds = DRAFT_ROUND_SECONDS};
}

static void forget_names(struct draft_name **names)
{
    HASH_CLEAR(hh, *names); /* the entries are the arena's */
}

void draft_fini(struct draft *draft)
{
    forget_names(&draft->member_names);
    forget_names(&draft->pool_names);
    free(draft->members.items);
    free(draft->pools.items);
    free(draft->affinities.items);
    free(draft->links.items);
    free(draft->limits.items);
    free(draft->jobs.items);
    free(draft->configurations.items);
    *draft = (struct draft){0};
}

enum status draft_no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the instance needs more memory than one round may");
}

enum status draft_fault(const struct draft *draft, const char *list, uint32_t at, const char *key,
                        struct fault *fault, const char *text)
{
    const char *bare = key[0] == '.' ? key + 1 : key;
    if (draft->by_line)
        return fault_set(fault, STATUS_INVALID, "line %u: %s%s%s", at, bare,
                         bare[0] != '\0' ? ": " : "", text);
    return fault_set(fault, STATUS_INVALID, "%s[%u]%s: %s", list, at, key, text);
}

const char *draft_text(struct draft *draft, const char *text)
{
    return arena_copy_text(draft->arena, text, strlen(text));
}

/* -- Lists that grow --------------------------------------------------------------------------- */

/* One more element; the new storage, or NULL. Large lists grow without being copied (mremap). */
static void *widen(void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    uint32_t const wider = *room == 0 ? 64 : *room * 2;
    void *grown = realloc(items, wider * size);
    if (grown != NULL)
        *room = wider;
    return grown;
}

static enum status too_many(struct fault *fault, uint32_t most, const char *what)
{
    return fault_set(fault, STATUS_EXHAUSTED, "more than %u %s; split the instance", most, what);
}

/* Appends *item to list, which may hold `most`. */
#define APPEND(list, item, most, what, fault)                                                      \
    do {                                                                                           \
        if ((list).count >= (uint32_t)(most))                                                      \
            return too_many(fault, (uint32_t)(most), what);                                        \
        void *const grown = widen((list).items, (list).count, &(list).room, sizeof *(list).items); \
        if (grown == NULL)                                                                         \
            return draft_no_room(fault);                                                           \
        (list).items = grown;                                                                      \
        (list).items[(list).count++] = *(item);                                                    \
    } while (0)

enum status draft_add_affinity(struct draft *draft, const struct draft_affinity *affinity,
                               struct fault *fault)
{
    APPEND(draft->affinities, affinity, MARKET_ROWS_MAX, "affinities", fault);
    return STATUS_OK;
}

enum status draft_add_link(struct draft *draft, const struct draft_link *link, struct fault *fault)
{
    APPEND(draft->links, link, MARKET_ROWS_MAX / 2, "links", fault);
    return STATUS_OK;
}

enum status draft_add_limit(struct draft *draft, const struct draft_limit *limit,
                            struct fault *fault)
{
    if (limit->gpu != NULL && limit->credits >= 0)
        return draft_fault(draft, "limits", limit->at, "", fault,
                           "max_credits is the member's: leave out gpu");
    APPEND(draft->limits, limit, MARKET_ROWS_MAX / 4, "limits", fault);
    return STATUS_OK;
}

enum status draft_add_job(struct draft *draft, const struct draft_job *job, struct fault *fault)
{
    const struct draft_job *former =
        draft->jobs.count > 0 ? &draft->jobs.items[draft->jobs.count - 1] : NULL;
    struct draft_job added = *job;
    added.first = former != NULL ? former->first + former->count : 0;
    added.count = draft->configurations.count - added.first;
    APPEND(draft->jobs, &added, MARKET_JOBS_MAX, "jobs", fault);
    return STATUS_OK;
}

enum status draft_add_configuration(struct draft *draft,
                                    const struct draft_configuration *configuration,
                                    struct fault *fault)
{
    APPEND(draft->configurations, configuration, MARKET_COLUMNS_MAX, "configurations", fault);
    return STATUS_OK;
}

/* -- Names ------------------------------------------------------------------------------------- */

static bool known(const struct draft_name *names, const char *id, uint32_t *number)
{
    struct draft_name *found;
    HASH_FIND_STR(names, id, found);
    if (found != NULL)
        *number = found->number;
    return found != NULL;
}

bool draft_member_known(const struct draft *draft, const char *id, uint32_t *number)
{
    return known(draft->member_names, id, number);
}

bool draft_pool_known(const struct draft *draft, const char *id, uint32_t *number)
{
    return known(draft->pool_names, id, number);
}

/* Finds a name or takes a new one in. */
static enum status name_it(struct draft *draft, struct draft_name **names, uint32_t *count,
                           const char *id, const char *place, struct draft_name **name,
                           struct fault *fault)
{
    HASH_FIND_STR(*names, id, *name);
    if (*name != NULL)
        return STATUS_OK;
    struct draft_name *added = arena_alloc(draft->arena, 1, sizeof *added);
    if (added == NULL)
        return draft_no_room(fault);
    added->text = draft_text(draft, id);
    added->first_use = place != NULL ? draft_text(draft, place) : NULL;
    if (added->text == NULL || (place != NULL && added->first_use == NULL))
        return draft_no_room(fault);
    added->number = (*count)++;
    HASH_ADD_KEYPTR(hh, *names, added->text, strlen(added->text), added);
    if (!HASH_TOOK(added))
        return draft_no_room(fault);
    *name = added;
    return STATUS_OK;
}

enum status draft_member_named(struct draft *draft, const char *id, const char *place,
                               uint32_t *number, struct fault *fault)
{
    struct draft_name *name = NULL;
    if (draft->named_members > MARKET_MEMBERS_MAX)
        return too_many(fault, MARKET_MEMBERS_MAX, "members");
    enum status const status =
        name_it(draft, &draft->member_names, &draft->named_members, id, place, &name, fault);
    if (status == STATUS_OK)
        *number = name->number;
    return status;
}

enum status draft_pool_named(struct draft *draft, const char *id, const char *place,
                             uint32_t *number, struct fault *fault)
{
    struct draft_name *name = NULL;
    if (draft->named_pools > MARKET_POOLS_MAX)
        return too_many(fault, MARKET_POOLS_MAX, "pools");
    enum status const status =
        name_it(draft, &draft->pool_names, &draft->named_pools, id, place, &name, fault);
    if (status == STATUS_OK)
        *number = name->number;
    return status;
}

static enum status there_already(const struct draft *draft, const char *list, uint32_t at,
                                 const char *id, struct fault *fault)
{
    char text[DRAFT_ID_BYTES_MAX + 32];
    snprintf(text, sizeof text, "'%s' is there already", id);
    return draft_fault(draft, list, at, "", fault, text);
}

enum status draft_add_member(struct draft *draft, const char *id, uint32_t at, struct fault *fault)
{
    struct draft_name *name = NULL;
    enum status const status =
        name_it(draft, &draft->member_names, &draft->named_members, id, NULL, &name, fault);
    if (status != STATUS_OK)
        return status;
    if (name->defined)
        return there_already(draft, "members", at, id, fault);
    name->defined = true;
    struct draft_member const member = {.id = name->text, .at = at};
    APPEND(draft->members, &member, MARKET_MEMBERS_MAX, "members", fault);
    return STATUS_OK;
}

enum status draft_add_pool(struct draft *draft, const struct draft_pool *pool, struct fault *fault)
{
    struct draft_name *name = NULL;
    enum status const status =
        name_it(draft, &draft->pool_names, &draft->named_pools, pool->id, NULL, &name, fault);
    if (status != STATUS_OK)
        return status;
    if (name->defined)
        return there_already(draft, "pools", pool->at, pool->id, fault);
    name->defined = true;
    struct draft_pool added = *pool;
    added.id = name->text;
    APPEND(draft->pools, &added, MARKET_POOLS_MAX, "pools", fault);
    return STATUS_OK;
}

static enum status never_defined(const struct draft_name *names, const char *kind,
                                 const struct draft_name *name, struct fault *fault)
{
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    nearest_begin(&nearest, name->text);
    for (const struct draft_name *other = names; other != NULL; other = other->hh.next)
        if (other->defined)
            nearest_offer(&nearest, other->text);
    nearest_hint(&nearest, hint);
    return fault_set(fault, STATUS_INVALID, "%s: no %s '%s'%s", name->first_use, kind, name->text,
                     hint);
}

static enum status check_defined(const struct draft_name *names, const char *kind,
                                 struct fault *fault)
{
    for (const struct draft_name *name = names; name != NULL; name = name->hh.next)
        if (!name->defined)
            return never_defined(names, kind, name, fault);
    return STATUS_OK;
}

/* Members and pools in the order of their names' numbers, so that a number finds them. */
static enum status arrange(struct draft *draft, struct fault *fault)
{
    struct draft_member *members = calloc((size_t)draft->members.count + 1, sizeof *members);
    struct draft_pool *pools = calloc((size_t)draft->pools.count + 1, sizeof *pools);
    if (members == NULL || pools == NULL) {
        free(members);
        free(pools);
        return draft_no_room(fault);
    }
    uint32_t number = 0;
    for (uint32_t i = 0; i < draft->members.count; i++)
        if (draft_member_known(draft, draft->members.items[i].id, &number))
            members[number] = draft->members.items[i];
    for (uint32_t i = 0; i < draft->pools.count; i++)
        if (draft_pool_known(draft, draft->pools.items[i].id, &number))
            pools[number] = draft->pools.items[i];
    free(draft->members.items);
    free(draft->pools.items);
    draft->members.items = members;
    draft->pools.items = pools;
    draft->members.room = draft->members.count + 1;
    draft->pools.room = draft->pools.count + 1;
    return STATUS_OK;
}

enum status draft_finish(struct draft *draft, struct fault *fault)
{
    enum status status = check_defined(draft->member_names, "member", fault);
    if (status == STATUS_OK)
        status = check_defined(draft->pool_names, "pool", fault);
    return status == STATUS_OK ? arrange(draft, fault) : status;
}

/* -- Files ------------------------------------------------------------------------------------- */

enum status draft_read_stream(FILE *from, const char *name, struct draft *draft,
                              struct fault *fault)
{
    int const first = getc(from);
    if (first != EOF)
        ungetc(first, from);
    draft->by_line = first == 'e'; /* "entente-market": no JSON begins so */
    enum status status = draft->by_line ? draft_read_compact(from, name, draft, fault)
                                        : draft_read_json(from, name, draft, fault);
    if (status != STATUS_OK)
        return status;
    status = draft_finish(draft, fault);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s", name);
}

enum status draft_read(const char *path, struct draft *draft, struct fault *fault)
{
    FILE *from = fopen(path, "re");
    if (from == NULL)
        return fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    struct stat about;
    enum status status = STATUS_OK;
    if (fstat(fileno(from), &about) == 0 && about.st_size > 0 &&
        (size_t)about.st_size > INSTANCE_BYTES_MAX)
        status = fault_set(fault, STATUS_EXHAUSTED, "%s: larger than %zu bytes", path,
                           INSTANCE_BYTES_MAX);
    if (status == STATUS_OK)
        status = draft_read_stream(from, path, draft, fault);
    fclose(from);
    return status;
}
