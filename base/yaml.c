#include "base/yaml.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "base/nearest.h"

/* What libcyaml said while it loaded: its first error, and the innermost place in its backtrace. */
struct complaint {
    char error[256];
    unsigned line;
    bool has_place;
};

static void take_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments);
static void *allocate(void *context, void *pointer, size_t size);
static const char *unexpected_key(const char *error);
static void suggest_key(const struct cyaml_schema_value *schema, const char *key,
                        char hint[static NAME_HINT_MAX]);
static unsigned line_of_key(const char *text, const char *key, unsigned from_line);

enum status yaml_load(const char *file, const struct cyaml_schema_value *schema,
                      struct arena *arena, void **data, struct fault *fault)
{
    struct bytes text;
    enum status status = file_read(file, YAML_FILE_BYTES_MAX, arena, &text, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, STATUS_CONFIG, "configuration");
    struct complaint complaint = {0};
    const cyaml_config_t config = {
        .log_fn = take_complaint,
        .log_ctx = &complaint,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = allocate,
        .mem_ctx = arena,
    };
    cyaml_err_t error = cyaml_load_data(text.data, text.size, &config, schema, data, NULL);
    if (error == CYAML_OK && *data != NULL)
        return STATUS_OK;
    if (error == CYAML_OK)
        return fault_set(fault, STATUS_CONFIG,
                         "%s: is empty; start from the commented example in configs/", file);
    char hint[NAME_HINT_MAX] = "";
    const char *key = unexpected_key(complaint.error);
    if (key != NULL) {
        suggest_key(schema, key, hint);
        complaint.line = line_of_key((const char *)text.data, key, complaint.line);
    }
    const char *words = complaint.error[0] != '\0' ? complaint.error : cyaml_strerror(error);
    return fault_set(fault, STATUS_CONFIG, "%s:%u: %s%s", file, complaint.line, words, hint);
}

/* libcyaml prefixes its lines with "Load: " and ends with a newline. */
static void trim(char *line)
{
    static const char prefix[] = "Load: ";
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, prefix, sizeof prefix - 1) == 0)
        memmove(line, line + sizeof prefix - 1, strlen(line + sizeof prefix - 1) + 1);
}

/* Errors come first, then "Backtrace:", then places from the innermost outwards, each with "(line:
 * N, column: M)". */
static void take_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

static void take_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    char line[sizeof complaint->error];
    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(line, sizeof line, format, arguments);
    trim(line);
    const char *place = strstr(line, "(line: ");
    if (place != NULL) {
        unsigned number = (unsigned)strtoul(place + strlen("(line: "), NULL, 10);
        if (!complaint->has_place)
            complaint->line = number;
        complaint->has_place = true;
        return;
    }
    if (complaint->error[0] == '\0' && strstr(line, "Backtrace") == NULL)
        memcpy(complaint->error, line, sizeof complaint->error);
}

/* An allocator in the arena: realloc() needs the old size, so each block starts with it. Nothing is
 * freed before the arena. */
static void *allocate(void *context, void *pointer, size_t size)
{
    struct header {
        alignas(max_align_t) size_t size;
    };
    if (size == 0)
        return NULL;
    struct header *header = arena_alloc(context, sizeof *header + size, 1);
    if (header == NULL)
        return NULL;
    header->size = size;
    if (pointer != NULL) {
        size_t old = ((struct header *)pointer - 1)->size;
        memcpy(header + 1, pointer, old < size ? old : size);
    }
    return header + 1;
}

/* --- the nearest known key
 * ----------------------------------------------------------------------------------------- */

enum { SCHEMA_DEPTH_MAX = 8 };

struct walk {
    const struct cyaml_schema_field *field[SCHEMA_DEPTH_MAX];
    int depth;
};

static const struct cyaml_schema_field *fields_of(const struct cyaml_schema_value *value)
{
    while (value->type == CYAML_SEQUENCE || value->type == CYAML_SEQUENCE_FIXED)
        value = value->sequence.entry;
    return value->type == CYAML_MAPPING ? value->mapping.fields : NULL;
}

static const char *unexpected_key(const char *error)
{
    static const char words[] = "Unexpected key: ";
    const char *found = strstr(error, words);
    return found != NULL ? found + sizeof words - 1 : NULL;
}

/* libcyaml blames the line on which the mapping starts; the key itself stands on that line or
 * below. */
static unsigned line_of_key(const char *text, const char *key, unsigned from_line)
{
    size_t length = strlen(key);
    unsigned line = 1;
    for (const char *start = text; *start != '\0'; line++) {
        const char *word = start + strspn(start, " -\"'");
        if (line >= from_line && strncmp(word, key, length) == 0)
            return line;
        start += strcspn(start, "\n");
        start += *start == '\n';
    }
    return from_line;
}

/* Every key of the schema, depth first, with a stack of named depth. */
static void suggest_key(const struct cyaml_schema_value *schema, const char *key,
                        char hint[static NAME_HINT_MAX])
{
    const struct cyaml_schema_field *top = fields_of(schema);
    if (top == NULL)
        return;
    struct nearest nearest;
    nearest_begin(&nearest, key);
    struct walk walk = {.field = {top}};
    while (walk.depth >= 0) {
        const struct cyaml_schema_field *field = walk.field[walk.depth];
        if (field->key == NULL) {
            walk.depth--;
            continue;
        }
        walk.field[walk.depth]++;
        nearest_offer(&nearest, field->key);
        const struct cyaml_schema_field *inner = fields_of(&field->value);
        if (inner != NULL && walk.depth + 1 < SCHEMA_DEPTH_MAX)
            walk.field[++walk.depth] = inner;
    }
    nearest_hint(&nearest, hint);
}

/* --- the line of a path
 * -------------------------------------------------------------------------------------------- */

/* One step of "a.b[2].c": a key, or an index where key is NULL. Returns the rest, NULL at the end
 * or where malformed. */
static const char *next_step(const char *path, char key[static YAML_PATH_MAX], long *index)
{
    *index = -1;
    key[0] = '\0';
    if (*path == '[') {
        char *end;
        *index = strtol(path + 1, &end, 10);
        return *end == ']' ? end + 1 : NULL;
    }
    if (*path == '.')
        path++;
    size_t length = strcspn(path, ".[");
    if (length == 0 || length >= YAML_PATH_MAX)
        return NULL;
    memcpy(key, path, length);
    key[length] = '\0';
    return path + length;
}

static yaml_node_t *mapping_value(yaml_document_t *document, yaml_node_t *node, const char *key,
                                  int *line)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name->type == YAML_SCALAR_NODE &&
            strcmp((const char *)name->data.scalar.value, key) == 0) {
            *line = (int)name->start_mark.line + 1;
            return yaml_document_get_node(document, pair->value);
        }
    }
    return NULL;
}

static yaml_node_t *sequence_item(yaml_document_t *document, yaml_node_t *node, long index,
                                  int *line)
{
    long count = node->data.sequence.items.top - node->data.sequence.items.start;
    if (index < 0 || index >= count)
        return NULL;
    yaml_node_t *item = yaml_document_get_node(document, node->data.sequence.items.start[index]);
    if (item != NULL)
        *line = (int)item->start_mark.line + 1;
    return item;
}

static int find_line(yaml_document_t *document, const char *path)
{
    yaml_node_t *node = yaml_document_get_root_node(document);
    int line = 1;
    char key[YAML_PATH_MAX];
    long index;
    while (node != NULL && *path != '\0') {
        path = next_step(path, key, &index);
        if (path == NULL)
            break;
        if (index >= 0 && node->type == YAML_SEQUENCE_NODE)
            node = sequence_item(document, node, index, &line);
        else if (index < 0 && node->type == YAML_MAPPING_NODE)
            node = mapping_value(document, node, key, &line);
        else
            break;
    }
    return line;
}

int yaml_line(const char *file, const char *path)
{
    FILE *stream = fopen(file, "re");
    if (stream == NULL)
        return 0;
    yaml_parser_t parser;
    yaml_document_t document;
    int line = 0;
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, stream);
        if (yaml_parser_load(&parser, &document)) {
            line = find_line(&document, path);
            yaml_document_delete(&document);
        }
        yaml_parser_delete(&parser);
    }
    fclose(stream);
    return line;
}

enum status yaml_fault(struct fault *fault, const char *file, const char *path, const char *format,
                       ...)
{
    char text[FAULT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fault_set(fault, STATUS_CONFIG, "%s:%d: %s: %s", file, yaml_line(file, path), path,
                     text);
}
