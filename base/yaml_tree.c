#include "base/yaml_tree.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "base/nearest.h"
#include "base/yaml.h"

/* Where the parser stands: the open containers, and the key whose value comes next. */
struct growth {
    const char *file;
    struct arena *arena;
    struct yaml_tree *open[YAML_TREE_DEPTH_MAX];
    int depth;
    size_t nodes;
    const char *key; /* read, its value still missing */
    unsigned key_line;
    struct yaml_tree *root;
};

static enum status grow(struct growth *growth, yaml_parser_t *parser, struct fault *fault);
static enum status take(struct growth *growth, const yaml_event_t *event, struct fault *fault);
static enum status plant(struct growth *growth, enum yaml_tree_kind kind, const yaml_event_t *event,
                         struct fault *fault);

enum status yaml_tree_read(const char *file, struct arena *arena, const struct yaml_tree **root,
                           struct fault *fault)
{
    struct bytes text;
    enum status status = file_read(file, YAML_FILE_BYTES_MAX, arena, &text, fault);
    if (status != STATUS_OK)
        return fault_set(fault, STATUS_CONFIG, "%s: %s", file,
                         fault != NULL ? fault->text : "unreadable");
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory to read it", file);
    yaml_parser_set_input_string(&parser, text.data, text.size);
    struct growth growth = {.file = file, .arena = arena};
    status = grow(&growth, &parser, fault);
    yaml_parser_delete(&parser);
    if (status != STATUS_OK)
        return status;
    if (growth.root == NULL || growth.root->kind != YAML_TREE_MAPPING)
        return fault_set(fault, STATUS_CONFIG, "%s:1: must be a mapping of keys to values", file);
    *root = growth.root;
    return STATUS_OK;
}

static enum status grow(struct growth *growth, yaml_parser_t *parser, struct fault *fault)
{
    for (;;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0)
            return fault_set(fault, STATUS_CONFIG, "%s:%zu: %s", growth->file,
                             parser->problem_mark.line + 1,
                             parser->problem != NULL ? parser->problem : "isn't YAML");
        yaml_event_type_t type = event.type;
        enum status status = take(growth, &event, fault);
        yaml_event_delete(&event);
        if (status != STATUS_OK || type == YAML_STREAM_END_EVENT)
            return status;
    }
}

static enum status refuse(const struct growth *growth, const yaml_event_t *event,
                          struct fault *fault, const char *text)
{
    return fault_set(fault, STATUS_CONFIG, "%s:%zu: %s", growth->file, event->start_mark.line + 1,
                     text);
}

static enum status take(struct growth *growth, const yaml_event_t *event, struct fault *fault)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return STATUS_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (growth->root != NULL)
            return refuse(growth, event, fault, "a second document begins; keep one a file");
        return STATUS_OK;
    case YAML_ALIAS_EVENT:
        return refuse(growth, event, fault, "aliases aren't read here; write the value out");
    case YAML_SCALAR_EVENT: return plant(growth, YAML_TREE_SCALAR, event, fault);
    case YAML_SEQUENCE_START_EVENT: return plant(growth, YAML_TREE_LIST, event, fault);
    case YAML_MAPPING_START_EVENT: return plant(growth, YAML_TREE_MAPPING, event, fault);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: growth->depth--; return STATUS_OK;
    default: return STATUS_OK;
    }
}

/* A scalar where a mapping expects a key. */
static enum status take_key(struct growth *growth, const yaml_event_t *event, struct fault *fault)
{
    const struct yaml_tree *mapping = growth->open[growth->depth - 1];
    growth->key = arena_copy_text(growth->arena, (const char *)event->data.scalar.value,
                                  event->data.scalar.length);
    growth->key_line = (unsigned)event->start_mark.line + 1;
    if (growth->key == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory to read it", growth->file);
    if (yaml_tree_get(mapping, growth->key) != NULL)
        return refuse(growth, event, fault, "this key stands there twice; keep one");
    return STATUS_OK;
}

static enum status plant(struct growth *growth, enum yaml_tree_kind kind, const yaml_event_t *event,
                         struct fault *fault)
{
    struct yaml_tree *parent = growth->depth > 0 ? growth->open[growth->depth - 1] : NULL;
    bool in_mapping = parent != NULL && parent->kind == YAML_TREE_MAPPING;
    if (in_mapping && growth->key == NULL) {
        if (kind != YAML_TREE_SCALAR)
            return refuse(growth, event, fault, "a key must be a word");
        return take_key(growth, event, fault);
    }
    if (++growth->nodes > YAML_TREE_NODES_MAX || growth->depth >= YAML_TREE_DEPTH_MAX)
        return refuse(growth, event, fault, "more or deeper values than such a file has");
    struct yaml_tree *node = arena_alloc(growth->arena, 1, sizeof *node);
    if (node == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory to read it", growth->file);
    node->kind = kind;
    node->key = in_mapping ? growth->key : NULL;
    node->line = in_mapping ? growth->key_line : (unsigned)event->start_mark.line + 1;
    growth->key = NULL;
    if (kind == YAML_TREE_SCALAR) {
        node->text = arena_copy_text(growth->arena, (const char *)event->data.scalar.value,
                                     event->data.scalar.length);
        if (node->text == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory to read it", growth->file);
    } else {
        growth->open[growth->depth++] = node;
    }
    if (parent == NULL) {
        growth->root = node;
    } else {
        if (parent->last_child != NULL)
            parent->last_child->next = node;
        else
            parent->first_child = node;
        parent->last_child = node;
        parent->child_count++;
    }
    return STATUS_OK;
}

const struct yaml_tree *yaml_tree_get(const struct yaml_tree *mapping, const char *key)
{
    for (const struct yaml_tree *child = mapping->first_child; child != NULL; child = child->next)
        if (child->key != NULL && strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

enum status yaml_tree_fault(const char *file, const struct yaml_tree *node, struct fault *fault,
                            const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (node->key != NULL)
        return fault_set(fault, STATUS_CONFIG, "%s:%u: %s: %s", file, node->line, node->key, text);
    return fault_set(fault, STATUS_CONFIG, "%s:%u: %s", file, node->line, text);
}

enum status yaml_tree_allow(const char *file, const struct yaml_tree *mapping,
                            const char *const *keys, struct fault *fault)
{
    if (mapping->kind != YAML_TREE_MAPPING)
        return yaml_tree_fault(file, mapping, fault, "must be a mapping of keys to values");
    for (const struct yaml_tree *child = mapping->first_child; child != NULL; child = child->next) {
        struct nearest nearest;
        nearest_begin(&nearest, child->key);
        const char *const *key = keys;
        while (*key != NULL && strcmp(*key, child->key) != 0)
            nearest_offer(&nearest, *key++);
        if (*key != NULL)
            continue;
        char hint[NAME_HINT_MAX];
        nearest_hint(&nearest, hint);
        return yaml_tree_fault(file, child, fault, "no such key here%s", hint);
    }
    return STATUS_OK;
}

enum status yaml_tree_text(const char *file, const struct yaml_tree *node, const char **text,
                           struct fault *fault)
{
    if (node->kind != YAML_TREE_SCALAR || node->text[0] == '\0')
        return yaml_tree_fault(file, node, fault, "must be a word");
    *text = node->text;
    return STATUS_OK;
}

enum status yaml_tree_number(const char *file, const struct yaml_tree *node, double least,
                             double most, double *number, struct fault *fault)
{
    if (node->kind != YAML_TREE_SCALAR)
        return yaml_tree_fault(file, node, fault, "must be a number");
    char *end;
    errno = 0;
    double value = strtod(node->text, &end);
    if (end == node->text || *end != '\0' || !isfinite(value))
        return yaml_tree_fault(file, node, fault, "'%.64s' isn't a number", node->text);
    if (value < least || value > most)
        return yaml_tree_fault(file, node, fault, "%g must be from %g to %g", value, least, most);
    *number = value;
    return STATUS_OK;
}

enum status yaml_tree_integer(const char *file, const struct yaml_tree *node, int64_t least,
                              int64_t most, int64_t *number, struct fault *fault)
{
    if (node->kind != YAML_TREE_SCALAR)
        return yaml_tree_fault(file, node, fault, "must be a whole number");
    char *end;
    errno = 0;
    long long value = strtoll(node->text, &end, 10);
    if (end == node->text || *end != '\0' || errno != 0)
        return yaml_tree_fault(file, node, fault, "'%.64s' isn't a whole number", node->text);
    if (value < least || value > most)
        return yaml_tree_fault(file, node, fault, "%lld must be from %lld to %lld", value,
                               (long long)least, (long long)most);
    *number = value;
    return STATUS_OK;
}
