#include "economics/market/solver/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/solver/session.h"

static const uint8_t magic[] = {'E', 'N', 'T', 'S', 1};

enum { ENTRIES_MAX = MARKET_POOLS_MAX + MARKET_ROWS_MAX, NUMBER_BYTES = 8 };

void memory_forget(struct memory *memory)
{
    free(memory->entries);
    *memory = (struct memory){0};
}

static int compare(const void *left, const void *right)
{
    const struct memory_entry *a = left;
    const struct memory_entry *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = strcmp(a->first.text, b->first.text);
    if (order == 0)
        order = strcmp(a->second.text, b->second.text);
    if (order != 0)
        return order;
    return (a->which > b->which) - (a->which < b->which);
}

static struct memory_entry entry_of_pool(const struct market *market, uint32_t p)
{
    const struct market_pool *pool = &market->pools[p];
    return (struct memory_entry){.first = market->members[pool->owner].name, .second = pool->gpu};
}

/* Rows without partner are told apart by their place among their owner's of the kind. */
static struct memory_entry entry_of_row(const struct market *market, uint32_t r, uint32_t *first)
{
    const struct market_row *row = &market->rows[r];
    const struct market_row *former = &market->rows[*first];
    if (former->owner != row->owner || former->kind != row->kind)
        *first = r;
    struct memory_entry entry = {.kind = (uint8_t)(1 + row->kind),
                                 .first = market->members[row->owner].name};
    if (row->partner != MARKET_NONE)
        entry.second = market->members[row->partner].name;
    else
        entry.which = r - *first;
    return entry;
}

static double recall(const struct memory *memory, const struct memory_entry *entry, bool *known)
{
    const struct memory_entry *found =
        memory->count == 0 ? NULL
                           : bsearch(entry, memory->entries, memory->count, sizeof *entry, compare);
    if (found == NULL)
        return 0;
    *known = true;
    return found->rent;
}

bool memory_recall(const struct memory *memory, const struct market *market, double *pool_rent,
                   double *row_rent)
{
    bool known = false;
    for (uint32_t p = 0; p < market->pool_count; p++) {
        struct memory_entry const entry = entry_of_pool(market, p);
        pool_rent[p] = recall(memory, &entry, &known);
    }
    uint32_t first = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        struct memory_entry const entry = entry_of_row(market, r, &first);
        row_rent[r] = recall(memory, &entry, &known);
    }
    return known;
}

/* Rows with one name (two between the same pair): the dearest stands for them. */
static size_t drop_doubles(struct memory_entry *entries, size_t count)
{
    size_t kept = 0;
    qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare(&entries[kept - 1], &entries[i]) != 0)
            entries[kept++] = entries[i];
        else
            entries[kept - 1].rent = fmax(entries[kept - 1].rent, entries[i].rent);
    }
    return kept;
}

enum status memory_keep(struct memory *memory, const struct market *market, const double *pool_rent,
                        const double *row_rent, struct fault *fault)
{
    size_t now = (size_t)market->pool_count + market->row_count;
    struct memory_entry *entries = calloc(now + memory->count + 1, sizeof *entries);
    if (entries == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to keep a round's prices");
    size_t count = 0;
    for (uint32_t p = 0; p < market->pool_count; p++) {
        entries[count] = entry_of_pool(market, p);
        entries[count++].rent = pool_rent[p];
    }
    uint32_t first = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        entries[count] = entry_of_row(market, r, &first);
        entries[count++].rent = row_rent[r];
    }
    now = drop_doubles(entries, count);
    count = now;
    for (uint32_t i = 0; i < memory->count; i++) {
        struct memory_entry old = memory->entries[i];
        if (++old.absent <= MEMORY_ROUNDS &&
            bsearch(&old, entries, now, sizeof *entries, compare) == NULL)
            entries[count++] = old;
    }
    qsort(entries, count, sizeof *entries, compare);
    free(memory->entries);
    memory->entries = entries;
    memory->count = (uint32_t)count;
    return STATUS_OK;
}

/* -- As bytes: magic, count, entries -----------------------------------------------------------
 * kind (1), which (4), absent (1), rent (8: its bits), two names (length, text); little-endian.
 */

static uint8_t *put_number(uint8_t *to, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *to++ = (uint8_t)(number >> (8 * i));
    return to;
}

static uint8_t *put_name(uint8_t *to, const struct name *name)
{
    size_t const length = strlen(name->text);
    *to++ = (uint8_t)length;
    memcpy(to, name->text, length);
    return to + length;
}

enum status memory_save(const struct memory *memory, struct arena *arena, struct bytes *bytes,
                        struct fault *fault)
{
    size_t size = sizeof magic + 4;
    for (uint32_t i = 0; i < memory->count; i++)
        size += 1 + 4 + 1 + NUMBER_BYTES + 2 + strlen(memory->entries[i].first.text) +
                strlen(memory->entries[i].second.text);
    uint8_t *data = size > SESSION_STATE_BYTES_MAX ? NULL : arena_alloc(arena, size, 1);
    if (data == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    memcpy(data, magic, sizeof magic);
    uint8_t *to = put_number(data + sizeof magic, memory->count, 4);
    for (uint32_t i = 0; i < memory->count; i++) {
        const struct memory_entry *entry = &memory->entries[i];
        uint64_t bits;
        memcpy(&bits, &entry->rent, sizeof bits);
        to = put_number(to, entry->kind, 1);
        to = put_number(to, entry->which, 4);
        to = put_number(to, entry->absent, 1);
        to = put_number(to, bits, NUMBER_BYTES);
        to = put_name(to, &entry->first);
        to = put_name(to, &entry->second);
    }
    *bytes = (struct bytes){.data = data, .size = size};
    return STATUS_OK;
}

struct reading {
    const uint8_t *at;
    const uint8_t *end;
    bool broken;
};

static uint64_t get_number(struct reading *reading, size_t bytes)
{
    uint64_t number = 0;
    if ((size_t)(reading->end - reading->at) < bytes) {
        reading->broken = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)*reading->at++ << (8 * i);
    return number;
}

static void get_name(struct reading *reading, struct name *name)
{
    size_t const length = (size_t)get_number(reading, 1);
    if (length > NAME_BYTES_MAX || length > (size_t)(reading->end - reading->at)) {
        reading->broken = true;
        return;
    }
    memcpy(name->text, reading->at, length);
    name->text[length] = '\0';
    reading->broken = reading->broken || strlen(name->text) != length;
    reading->at += length;
}

static void get_entry(struct reading *reading, struct memory_entry *entry)
{
    entry->kind = (uint8_t)get_number(reading, 1);
    entry->which = (uint32_t)get_number(reading, 4);
    entry->absent = (uint32_t)get_number(reading, 1);
    uint64_t const bits = get_number(reading, NUMBER_BYTES);
    memcpy(&entry->rent, &bits, sizeof entry->rent);
    get_name(reading, &entry->first);
    get_name(reading, &entry->second);
    if (entry->kind > MARKET_ROW_KIND_COUNT || entry->absent > MEMORY_ROUNDS ||
        !isfinite(entry->rent) || entry->rent < 0)
        reading->broken = true;
}

enum status memory_load(struct memory *memory, struct bytes bytes, struct fault *fault)
{
    memory_forget(memory);
    if (bytes.size < sizeof magic + 4 || memcmp(bytes.data, magic, sizeof magic) != 0)
        return fault_set(fault, STATUS_CORRUPT, "not the state of a market session, version 1");
    struct reading reading = {.at = bytes.data + sizeof magic, .end = bytes.data + bytes.size};
    uint64_t const count = get_number(&reading, 4);
    size_t const least = 1 + 4 + 1 + NUMBER_BYTES + 2;
    if (count > ENTRIES_MAX || count > bytes.size / least)
        return fault_set(fault, STATUS_CORRUPT, "session state: more entries than bytes");
    memory->entries = calloc((size_t)count + 1, sizeof *memory->entries);
    if (memory->entries == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a session's state");
    for (; memory->count < count && !reading.broken; memory->count++) {
        struct memory_entry *entry = &memory->entries[memory->count];
        get_entry(&reading, entry);
        if (memory->count > 0 && compare(entry - 1, entry) >= 0)
            reading.broken = true;
    }
    if (!reading.broken && reading.at == reading.end)
        return STATUS_OK;
    memory_forget(memory);
    return fault_set(fault, STATUS_CORRUPT, "session state: truncated or out of order");
}
