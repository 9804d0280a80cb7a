/*
 * File reading: the checks that configuration and job files share: each finds its value wanting
 * with "FILE:LINE: KEY: what to mend", and the first such finding is kept.
 *
 * Thread rule: one thread per struct.
 */
#ifndef ENTENTE_PEER_FILES_FILE_READING_H
#define ENTENTE_PEER_FILES_FILE_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/name.h"
#include "base/file.h"
#include "base/units.h"

struct reading {
    const char *file;
    struct arena *arena;
    enum status status; /* of the first finding */
    struct fault *fault;
};

void file_reading_refuse(struct reading *reading, const char *key, const char *format, ...)
    PRINTF_LIKE(3, 4);

struct name file_reading_name(struct reading *reading, const char *key, const char *text);
struct name file_reading_member(struct reading *reading, const char *key, const char *text);

/* Absolute: text, or below the file's own directory where it is relative. */
void file_reading_path(struct reading *reading, const char *key, const char *text,
                       char path[static FILE_PATH_MAX]);
void file_reading_address(struct reading *reading, const char *key, const char *text,
                          char address[static ADDRESS_BYTES_MAX + 1]);
int64_t file_reading_duration(struct reading *reading, const char *key, const char *text,
                              int64_t default_ms, int64_t least_ms);
/* "512", "64k", "16M", "2G", "1T" (powers of 1024). */
uint64_t file_reading_size(struct reading *reading, const char *key, const char *text,
                           uint64_t default_bytes);
uint32_t file_reading_count(struct reading *reading, const char *key, const uint32_t *value,
                            uint32_t default_value, uint32_t least, uint32_t most);
double file_reading_number(struct reading *reading, const char *key, const double *value,
                           double default_value, double least, double most);
struct price file_reading_price(struct reading *reading, const char *key, const double *value);
/* "NAME=value" with a shell's idea of a name. */
const char *file_reading_variable(struct reading *reading, const char *key, const char *text);

/* Memory from the arena; marks the reading where there is none. */
void *file_reading_alloc(struct reading *reading, size_t count, size_t size);

#endif
