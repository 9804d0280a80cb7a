/*
 * File sets: which sets of files are allowed, and what a set's and a bundle's digest cover.
 *
 * A digest is taken over a canonical text of ours (length before each text, numbers as eight bytes,
 * big end first, files in order of path), so that it doesn't depend on how a message was encoded.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/files/chunks.h"
#include "proto/identity/identity.h"

struct order {
    const struct bundle_file *files[FILES_PER_BUNDLE_MAX];
    uint32_t count;
};

static void order_by_path(const struct file_set *set, struct order *order);
static enum status check_file(const struct bundle_file *file, struct fault *fault);
static bool is_below(const char *path, const char *directory);
static void add_number(struct digest_state *state, uint64_t number);
static void add_text(struct digest_state *state, const char *text);
static void add_files(struct digest_state *state, const struct file_set *set);

bool bundle_path_valid(const char *path)
{
    size_t length = strnlen(path, PATH_BYTES_MAX + 1);
    if (length == 0 || length > PATH_BYTES_MAX)
        return false;
    unsigned depth = 0;
    for (const char *part = path;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') ||
            (size == 2 && part[0] == '.' && part[1] == '.') || ++depth > BUNDLE_DEPTH_MAX)
            return false;
        for (size_t i = 0; i < size; i++)
            if ((unsigned char)part[i] < ' ' || part[i] == 0x7f)
                return false;
        part += size;
        if (*part == '\0')
            return true;
    }
}

enum status file_set_check(const struct file_set *set, struct fault *fault)
{
    if (set->count > FILES_PER_BUNDLE_MAX)
        return fault_set(fault, STATUS_INVALID, "%u files: at most %d are allowed", set->count,
                         FILES_PER_BUNDLE_MAX);
    for (uint32_t i = 0; i < set->count; i++) {
        enum status status = check_file(&set->files[i], fault);
        if (status != STATUS_OK)
            return status;
    }
    struct order order;
    order_by_path(set, &order);
    for (uint32_t i = 1; i < order.count; i++) {
        const char *path = order.files[i]->path;
        const char *before = order.files[i - 1]->path;
        if (strcmp(path, before) == 0)
            return fault_set(fault, STATUS_INVALID, "file '%s' is there twice", path);
        if (is_below(path, before))
            return fault_set(fault, STATUS_INVALID, "'%s' is a file and a directory", before);
    }
    return STATUS_OK;
}

static enum status check_file(const struct bundle_file *file, struct fault *fault)
{
    if (!bundle_path_valid(file->path))
        return fault_set(fault, STATUS_INVALID,
                         "file '%s': a path must be relative, without '.', '..' or empty parts",
                         file->path);
    if ((file->mode & ~(uint32_t)CHUNK_FILE_MODE_MASK) != 0)
        return fault_set(fault, STATUS_INVALID, "file '%s': mode %o is above 0777", file->path,
                         file->mode);
    uint64_t const chunks =
        file->size_bytes / CHUNK_BYTES_MAX + (file->size_bytes % CHUNK_BYTES_MAX != 0);
    if (chunks > CHUNKS_PER_FILE_MAX)
        return fault_set(fault, STATUS_INVALID, "file '%s' is larger than %d chunks of %d bytes",
                         file->path, CHUNKS_PER_FILE_MAX, CHUNK_BYTES_MAX);
    if (chunks != file->chunk_count)
        return fault_set(fault, STATUS_INVALID, "file '%s' has %u chunks where its size needs %u",
                         file->path, file->chunk_count, (unsigned)chunks);
    return STATUS_OK;
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* '/' sorts before every other byte, so that what is below a path comes right after it. */
static int compare_paths(const void *left, const void *right)
{
    const unsigned char *a =
        (const unsigned char *)(*(const struct bundle_file *const *)left)->path;
    const unsigned char *b =
        (const unsigned char *)(*(const struct bundle_file *const *)right)->path;
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    int const first = *a == '/' ? 1 : *a;
    int const second = *b == '/' ? 1 : *b;
    return first - second;
}

static void order_by_path(const struct file_set *set, struct order *order)
{
    assert(set->count <= FILES_PER_BUNDLE_MAX);
    for (uint32_t i = 0; i < set->count; i++)
        order->files[i] = &set->files[i];
    order->count = set->count;
    qsort(order->files, order->count, sizeof order->files[0], compare_paths);
}

uint64_t file_set_bytes(const struct file_set *set)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < set->count; i++)
        bytes += set->files[i].size_bytes;
    return bytes;
}

void file_set_digest(const struct file_set *set, struct digest *digest)
{
    struct digest_state state;
    digest_begin(&state);
    add_text(&state, "entente file set 1");
    add_files(&state, set);
    digest_end(&state, digest);
}

void bundle_digest(const struct job_specification *specification, struct digest *digest)
{
    struct digest_state state;
    digest_begin(&state);
    add_text(&state, "entente bundle 1");
    add_text(&state, specification->job.text);
    add_text(&state, specification->home.text);
    add_number(&state, specification->argument_count);
    for (uint32_t i = 0; i < specification->argument_count; i++)
        add_text(&state, specification->arguments[i]);
    add_number(&state, specification->variable_count);
    for (uint32_t i = 0; i < specification->variable_count; i++)
        add_text(&state, specification->variables[i]);
    add_files(&state, &(struct file_set){specification->files, specification->file_count});
    add_text(&state, specification->checkpoint_path != NULL ? specification->checkpoint_path : "");
    add_number(&state, specification->result_count);
    for (uint32_t i = 0; i < specification->result_count; i++)
        add_text(&state, specification->results[i]);
    add_number(&state, specification->data_set_count);
    for (uint32_t i = 0; i < specification->data_set_count; i++) {
        add_text(&state, specification->data_sets[i].name.text);
        add_number(&state, specification->data_sets[i].size_bytes);
    }
    add_number(&state, specification->limits.memory_bytes);
    add_number(&state, specification->limits.scratch_bytes);
    add_number(&state, specification->limits.processes);
    add_number(&state, specification->limits.network ? 1 : 0);
    digest_end(&state, digest);
}

static void add_files(struct digest_state *state, const struct file_set *set)
{
    struct order order;
    order_by_path(set, &order);
    add_number(state, order.count);
    for (uint32_t i = 0; i < order.count; i++) {
        const struct bundle_file *file = order.files[i];
        add_text(state, file->path);
        add_number(state, file->mode);
        add_number(state, file->size_bytes);
        add_number(state, file->chunk_count);
        for (uint32_t c = 0; c < file->chunk_count; c++)
            digest_add(state, file->chunks[c].bytes, DIGEST_BYTES);
    }
}

static void add_number(struct digest_state *state, uint64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    digest_add(state, bytes, sizeof bytes);
}

static void add_text(struct digest_state *state, const char *text)
{
    size_t length = strlen(text);
    add_number(state, length);
    digest_add(state, text, length);
}
