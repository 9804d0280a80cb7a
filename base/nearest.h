/*
 * Nearest: "did you mean ...?" for a mistyped key or command, by edit distance [Levenshtein 1966].
 *
 * Thread rule: one thread per struct. Complexity: O(length²) per candidate, lengths capped at
 * NAME_BYTES_MAX.
 */
#ifndef ENTENTE_BASE_NEAREST_H
#define ENTENTE_BASE_NEAREST_H

#include "base/domain/limits.h"

enum { NAME_HINT_MAX = 96 };

struct nearest {
    char wanted[NAME_BYTES_MAX + 1];
    char best[NAME_BYTES_MAX + 1];
    int distance;
};

void nearest_begin(struct nearest *nearest, const char *wanted);
void nearest_offer(struct nearest *nearest, const char *candidate);

/* "; did you mean 'best'?" where something is near enough (a third of its letters), else "". */
void nearest_hint(const struct nearest *nearest, char hint[static NAME_HINT_MAX]);

#endif
