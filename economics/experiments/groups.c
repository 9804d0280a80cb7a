#include "economics/experiments/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t first_of_arm(const struct journal *journal, uint32_t arm);
static enum status gather_record(struct groups *groups, const struct journal_entry *entry,
                                 groups_visit *visit, void *context, struct fault *fault);
static enum status add(struct groups *groups, uint32_t replication,
                       const struct observation *observation, struct fault *fault);

void groups_init(struct groups *groups)
{
    *groups = (struct groups){0};
}

void groups_fini(struct groups *groups)
{
    struct group *group;
    struct group *next;
    HASH_ITER(hh, groups->table, group, next)
    {
        HASH_DEL(groups->table, group);
        free(group->values);
        free(group->replications);
        free(group);
    }
    free(groups->buffer);
    groups_init(groups);
}

enum status groups_gather(struct groups *groups, const struct journal *journal, uint32_t arm,
                          uint32_t replications, groups_visit *visit, void *context,
                          struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = first_of_arm(journal, arm); i < journal->count && status == STATUS_OK; i++) {
        const struct journal_entry *entry = &journal->entries[i];
        if (entry->arm != arm || entry->replication >= replications)
            break;
        status = journal_load(journal, entry, &groups->buffer, &groups->buffer_capacity, fault);
        if (status == STATUS_OK)
            status = gather_record(groups, entry, visit, context, fault);
    }
    return status;
}

static size_t first_of_arm(const struct journal *journal, uint32_t arm)
{
    size_t low = 0;
    size_t high = journal->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->entries[middle].arm < arm)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum status gather_record(struct groups *groups, const struct journal_entry *entry,
                                 groups_visit *visit, void *context, struct fault *fault)
{
    size_t at = 0;
    enum status status = STATUS_OK;
    while (at < entry->size && status == STATUS_OK) {
        struct observation observation;
        status = observations_next(groups->buffer, entry->size, &at, &observation);
        if (status != STATUS_OK)
            return fault_set(fault, status, "the journal holds an observation that can't be read");
        if (visit != NULL)
            status = visit(context, entry->replication, &observation, fault);
        if (status == STATUS_OK)
            status = add(groups, entry->replication, &observation, fault);
    }
    return status;
}

static void key_of(const struct observation *observation, struct group_key *key)
{
    memset(key, 0, sizeof *key);
    memcpy(key->series, observation->series, sizeof key->series);
    memcpy(key->subject, observation->subject, sizeof key->subject);
    key->metric = observation->metric;
}

static bool grow(struct group *group)
{
    uint32_t capacity = group->capacity > 0 ? 2 * group->capacity : 8;
    double *values = realloc(group->values, capacity * sizeof *values);
    if (values != NULL)
        group->values = values;
    uint32_t *replications = realloc(group->replications, capacity * sizeof *replications);
    if (replications != NULL)
        group->replications = replications;
    if (values == NULL || replications == NULL)
        return false;
    group->capacity = capacity;
    return true;
}

static enum status add(struct groups *groups, uint32_t replication,
                       const struct observation *observation, struct fault *fault)
{
    struct group_key key;
    struct group *group;
    key_of(observation, &key);
    HASH_FIND(hh, groups->table, &key, sizeof key, group);
    if (group == NULL) {
        group = calloc(1, sizeof *group);
        if (group != NULL) {
            group->key = key;
            HASH_ADD(hh, groups->table, key, sizeof key, group);
        }
        if (group == NULL || !HASH_TOOK(group)) {
            free(group);
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for results");
        }
    }
    if (!isfinite(observation->value)) {
        group->missing++;
        return STATUS_OK;
    }
    if (group->count == group->capacity && !grow(group))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for results");
    group->values[group->count] = observation->value;
    group->replications[group->count++] = replication;
    return STATUS_OK;
}

const struct group *groups_find(const struct groups *groups, const struct group_key *key)
{
    struct group *group;
    HASH_FIND(hh, groups->table, key, sizeof *key, group);
    return group;
}
