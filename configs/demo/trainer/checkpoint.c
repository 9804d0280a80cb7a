#include "configs/demo/trainer/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"

static const char magic[8] = "ENTTRAIN";

enum {
    HEAD_BYTES = 8 + 4 + 4 + 8 + 4 + 8 + 8 + 8 + 8 + 8,
    TAIL_BYTES = 4 /* the CRC */
};

/* Writes or reads the same fields in the same order, so that both ways can't differ. */
struct cursor {
    uint8_t *at;
    bool reading;
};

static void pass_number(struct cursor *cursor, uint64_t *number, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        if (cursor->reading)
            value |= (uint64_t)cursor->at[i] << (8 * i);
        else
            cursor->at[i] = (uint8_t)(*number >> (8 * i));
    if (cursor->reading)
        *number = value;
    cursor->at += bytes;
}

static void pass_u32(struct cursor *cursor, uint32_t *number)
{
    uint64_t wide = *number;
    pass_number(cursor, &wide, 4);
    *number = (uint32_t)wide;
}

static void pass_double(struct cursor *cursor, double *number)
{
    uint64_t bits;
    memcpy(&bits, number, sizeof bits);
    pass_number(cursor, &bits, 8);
    memcpy(number, &bits, sizeof bits);
}

struct head {
    char magic[8];
    uint32_t version;
    struct training training;
    uint64_t count;
};

static void pass_head(struct cursor *cursor, struct head *head)
{
    for (size_t i = 0; i < sizeof head->magic; i++, cursor->at++)
        if (cursor->reading)
            head->magic[i] = (char)*cursor->at;
        else
            *cursor->at = (uint8_t)head->magic[i];
    pass_u32(cursor, &head->version);
    pass_u32(cursor, &head->training.hidden);
    pass_number(cursor, &head->training.seed, 8);
    pass_u32(cursor, &head->training.batch);
    pass_double(cursor, &head->training.learning_rate);
    pass_number(cursor, &head->training.steps, 8);
    pass_number(cursor, &head->training.examples, 8);
    pass_double(cursor, &head->training.loss);
    pass_number(cursor, &head->count, 8);
}

static void pass_weights(struct cursor *cursor, const struct network *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        uint32_t bits;
        memcpy(&bits, &weights->values[i], sizeof bits);
        pass_u32(cursor, &bits);
        memcpy(&weights->values[i], &bits, sizeof bits);
    }
}

static uint32_t sum_of(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size);
}

enum status checkpoint_write(const char *path, const struct training *training,
                             const struct network *weights, struct fault *fault)
{
    size_t const size = HEAD_BYTES + weights->count * sizeof(float) + TAIL_BYTES;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a checkpoint");
    struct cursor cursor = {.at = bytes};
    struct head head = {
        .version = CHECKPOINT_VERSION, .training = *training, .count = weights->count};
    memcpy(head.magic, magic, sizeof magic);
    pass_head(&cursor, &head);
    pass_weights(&cursor, weights);
    uint32_t sum = sum_of(bytes, size - TAIL_BYTES);
    pass_u32(&cursor, &sum);
    enum status status = file_write(path, (struct bytes){bytes, size}, 0644, fault);
    free(bytes);
    return status;
}

static enum status refuse(const char *path, const char *why, struct fault *fault)
{
    return fault_set(fault, STATUS_CORRUPT,
                     "checkpoint %s is refused: %s. Remove it to start from the beginning", path,
                     why);
}

static enum status take(const char *path, struct bytes bytes, struct training *training,
                        struct network *weights, struct fault *fault)
{
    if (bytes.size < HEAD_BYTES + TAIL_BYTES)
        return refuse(path, "it is too short", fault);
    struct head head = {0};
    uint8_t *start = (uint8_t *)(uintptr_t)bytes.data; /* a reading cursor writes nothing */
    struct cursor cursor = {.at = start, .reading = true};
    pass_head(&cursor, &head);
    if (memcmp(head.magic, magic, sizeof magic) != 0)
        return refuse(path, "it isn't a checkpoint of entente-trainer", fault);
    if (head.version != CHECKPOINT_VERSION)
        return refuse(path, "it is of another version of entente-trainer", fault);
    struct cursor tail = {.at = start + bytes.size - TAIL_BYTES, .reading = true};
    uint32_t sum;
    pass_u32(&tail, &sum);
    if (sum != sum_of(bytes.data, bytes.size - TAIL_BYTES))
        return refuse(path, "its checksum doesn't fit: it is damaged", fault);
    const struct training *found = &head.training;
    if (found->hidden != training->hidden || found->seed != training->seed ||
        found->batch != training->batch ||
        memcmp(&found->learning_rate, &training->learning_rate, sizeof(double)) != 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "checkpoint %s is refused: it is of a training with %u hidden units, seed "
                         "%llu, batch %u, learning rate %g. Say the same, or remove it",
                         path, found->hidden, (unsigned long long)found->seed, found->batch,
                         found->learning_rate);
    if (head.count != weights->count ||
        bytes.size != HEAD_BYTES + weights->count * sizeof(float) + TAIL_BYTES)
        return refuse(path, "it has another number of weights", fault);
    pass_weights(&cursor, weights);
    *training = *found;
    return STATUS_OK;
}

enum status checkpoint_read(const char *path, struct training *training, struct network *weights,
                            struct fault *fault)
{
    struct arena arena;
    struct bytes bytes;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = file_read(path, ARENA_MESSAGE_BYTES / 2, &arena, &bytes, fault);
    if (status == STATUS_OK)
        status = take(path, bytes, training, weights, fault);
    arena_fini(&arena);
    return status;
}
