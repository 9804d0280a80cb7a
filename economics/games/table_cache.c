#include "economics/games/table_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "ENTW1\n";

/* --- Hashes [Fowler, Noll & Vo: FNV-1a] */

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Two of them, from different starts. */
struct key {
    uint64_t low;
    uint64_t high;
};

static void put(struct key *key, const void *data, size_t size)
{
    key->low = hash_bytes(key->low, data, size);
    key->high = hash_bytes(key->high ^ size, data, size);
}

static void put_number(struct key *key, int64_t number)
{
    put(key, &number, sizeof number);
}

/* All that a worth depends on. */
static struct key key_of(const struct market *market)
{
    struct key key = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x9e3779b97f4a7c15)};
    put_number(&key, market->member_count);
    for (uint32_t p = 0; p < market->pool_count; p++) {
        put_number(&key, market->pools[p].owner);
        put_number(&key, market->pools[p].gpu_count);
    }
    for (uint32_t j = 0; j < market->job_count; j++) {
        put_number(&key, market->jobs[j].home);
        put_number(&key, market->jobs[j].column_count);
    }
    for (uint32_t c = 0; c < market->column_count; c++) {
        put_number(&key, market->columns[c].pool);
        put_number(&key, market->columns[c].gpus);
        put_number(&key, market->columns[c].worth.micros);
    }
    for (uint32_t r = 0; r < market->row_count; r++) {
        put_number(&key, market->rows[r].owner);
        put_number(&key, market->rows[r].partner);
        put(&key, &market->rows[r].limit, sizeof market->rows[r].limit);
        put_number(&key, market->rows[r].entry_count);
    }
    for (uint32_t e = 0; e < market->entry_count; e++) {
        put_number(&key, market->entries[e].column);
        put(&key, &market->entries[e].coefficient, sizeof market->entries[e].coefficient);
    }
    return key;
}

/* --- Files */

static bool directory_of(char directory[static FILE_PATH_MAX])
{
    const char *own = getenv("ENTENTE_CACHE_DIR");
    const char *shared = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (own != NULL && own[0] != '\0')
        length = snprintf(directory, FILE_PATH_MAX, "%s", own);
    else if (shared != NULL && shared[0] != '\0')
        length = snprintf(directory, FILE_PATH_MAX, "%s/entente", shared);
    else if (home != NULL && home[0] != '\0')
        length = snprintf(directory, FILE_PATH_MAX, "%s/.cache/entente", home);
    return length > 0 && length < FILE_PATH_MAX;
}

bool table_cache_path(const struct market *market, char path[static FILE_PATH_MAX])
{
    char directory[FILE_PATH_MAX];
    char name[64];
    struct key const key = key_of(market);
    if (!directory_of(directory) || directory_make(directory, 0700, NULL) != STATUS_OK)
        return false;
    snprintf(name, sizeof name, "worth-%016llx%016llx.table", (unsigned long long)key.high,
             (unsigned long long)key.low);
    return path_join(path, directory, name, NULL) == STATUS_OK;
}

/* Offsets in a file of that many players and items. */
struct layout {
    size_t items;
    size_t worth;
    size_t hash;
    size_t size;
};

static struct layout layout_of(uint32_t players, uint32_t items)
{
    struct layout at = {.items = sizeof magic - 1 + sizeof players};
    at.worth = at.items + items;
    at.hash = at.worth + (sizeof(double) << players);
    at.size = at.hash + sizeof(uint64_t);
    return at;
}

bool table_cache_load(const char *path, uint32_t players, uint32_t items, double *worth,
                      unsigned char *done)
{
    struct arena arena;
    struct bytes bytes;
    struct layout const at = layout_of(players, items);
    arena_init(&arena, at.size + 4096);
    bool good = file_read(path, at.size, &arena, &bytes, NULL) == STATUS_OK &&
                bytes.size == at.size && memcmp(bytes.data, magic, sizeof magic - 1) == 0 &&
                memcmp(bytes.data + sizeof magic - 1, &players, sizeof players) == 0;
    if (good) {
        uint64_t const hash = hash_bytes(0, bytes.data, at.hash);
        good = memcmp(bytes.data + at.hash, &hash, sizeof hash) == 0;
    }
    if (good) {
        memcpy(done, bytes.data + at.items, items);
        memcpy(worth, bytes.data + at.worth, sizeof(double) << players);
    }
    arena_fini(&arena);
    return good;
}

enum status table_cache_store(const char *path, uint32_t players, uint32_t items,
                              const double *worth, const unsigned char *done, struct fault *fault)
{
    struct layout const at = layout_of(players, items);
    unsigned char *data = malloc(at.size);
    if (data == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to keep a worth table");
    memcpy(data, magic, sizeof magic - 1);
    memcpy(data + sizeof magic - 1, &players, sizeof players);
    memcpy(data + at.items, done, items);
    memcpy(data + at.worth, worth, sizeof(double) << players);
    uint64_t const hash = hash_bytes(0, data, at.hash);
    memcpy(data + at.hash, &hash, sizeof hash);
    enum status status =
        file_write(path, (struct bytes){.data = data, .size = at.size}, 0600, fault);
    free(data);
    return status;
}
