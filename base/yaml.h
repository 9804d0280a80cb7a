/*
 * Yaml: configuration and job files, read by a schema into plain structs (libcyaml), with errors
 * that name file, line, key and the mend.
 *
 * The home of libcyaml and libyaml. A reader states its schema with the CYAML_* macros this header
 * brings, loads, and then checks meaning itself with yaml_fault(), which finds the line of a path
 * such as "pools[2].gpu". Guarantees: at most YAML_FILE_BYTES_MAX are read; an unknown key is an
 * error that suggests the nearest known one; numbers are loaded as the schema's types with their
 * ranges, but a double may still be nan or inf: check it. Ownership: everything loaded lives in the
 * arena. Thread rule: one thread per arena. Complexity: O(file).
 */
#ifndef ENTENTE_BASE_YAML_H
#define ENTENTE_BASE_YAML_H

#include <cyaml/cyaml.h>

#include "base/arena.h"
#include "base/fault.h"

enum {
    YAML_FILE_BYTES_MAX = 4 * 1024 * 1024,
    YAML_PATH_MAX = 256,
    YAML_WORD_BYTES_MAX = 4095 /* a path */
};

/*
 * Rows of a schema for the kinds of value that our files have; members are pointers, NULL where the
 * key is absent. YAML_NEEDED_WORD refuses a file without the key.
 */
#define YAML_WORD(key, type, member)                                                               \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1,         \
                           YAML_WORD_BYTES_MAX)
#define YAML_NEEDED_WORD(key, type, member)                                                        \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, YAML_WORD_BYTES_MAX)
#define YAML_COUNT(key, type, member)                                                              \
    CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define YAML_NUMBER(key, type, member)                                                             \
    CYAML_FIELD_FLOAT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define YAML_TRUTH(key, type, member)                                                              \
    CYAML_FIELD_BOOL_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)

/* schema is a CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, ...); *data is the struct it describes.
 * CONFIG on any fault. */
MUST_USE enum status yaml_load(const char *file, const struct cyaml_schema_value *schema,
                               struct arena *arena, void **data, struct fault *fault);

/* The line (from 1) of "a.b[2].c" in the file; of the nearest parent that is there; 0 where the
 * file can't be read. */
int yaml_line(const char *file, const char *path);

/* CONFIG with "FILE:LINE: PATH: text". Returns STATUS_CONFIG. */
enum status yaml_fault(struct fault *fault, const char *file, const char *path, const char *format,
                       ...) PRINTF_LIKE(4, 5);

#endif
