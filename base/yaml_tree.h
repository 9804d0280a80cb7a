/*
 * Yaml tree: a YAML file as a tree, for files whose keys depend on their contents (an experiment's
 * parameters); those with fixed keys use base/yaml's schemas.
 *
 * Guarantees: at most YAML_FILE_BYTES_MAX bytes and YAML_TREE_NODES_MAX nodes, nested at most
 * YAML_TREE_DEPTH_MAX deep; keys given twice, aliases and a second document are refused; every
 * fault names file and line. Ownership: nodes and texts lie in the arena. Thread rule: one thread
 * per arena. Complexity: O(file), keys looked up in O(keys of the mapping).
 */
#ifndef ENTENTE_BASE_YAML_TREE_H
#define ENTENTE_BASE_YAML_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

enum { YAML_TREE_DEPTH_MAX = 8, YAML_TREE_NODES_MAX = 100000 };

enum yaml_tree_kind { YAML_TREE_SCALAR, YAML_TREE_LIST, YAML_TREE_MAPPING };

struct yaml_tree {
    enum yaml_tree_kind kind;
    const char *key;  /* in a mapping; NULL elsewhere */
    const char *text; /* of a scalar; "" where it is empty */
    unsigned line;    /* from 1: where its key or itself begins */
    size_t child_count;
    struct yaml_tree *first_child; /* in the file's order */
    struct yaml_tree *last_child;
    struct yaml_tree *next;
};

/* The file's only document, which must be a mapping. CONFIG with "FILE:LINE: ..." */
MUST_USE enum status yaml_tree_read(const char *file, struct arena *arena,
                                    const struct yaml_tree **root, struct fault *fault);

/* The mapping's value at key; NULL where absent. */
const struct yaml_tree *yaml_tree_get(const struct yaml_tree *mapping, const char *key);

/* keys ends with NULL. CONFIG: not a mapping, or a key that isn't there, with the nearest. */
MUST_USE enum status yaml_tree_allow(const char *file, const struct yaml_tree *mapping,
                                     const char *const *keys, struct fault *fault);

/* A finite number in [least, most], a whole number, a non-empty text. CONFIG otherwise. */
MUST_USE enum status yaml_tree_number(const char *file, const struct yaml_tree *node, double least,
                                      double most, double *number, struct fault *fault);
MUST_USE enum status yaml_tree_integer(const char *file, const struct yaml_tree *node,
                                       int64_t least, int64_t most, int64_t *number,
                                       struct fault *fault);
MUST_USE enum status yaml_tree_text(const char *file, const struct yaml_tree *node,
                                    const char **text, struct fault *fault);

/* CONFIG: "FILE:LINE: KEY: text". */
enum status yaml_tree_fault(const char *file, const struct yaml_tree *node, struct fault *fault,
                            const char *format, ...) PRINTF_LIKE(4, 5);

#endif
