/*
 * Name: the short identifier of a member, GPU kind, model, job or data set.
 *
 * A member's name is a DNS label (a-z 0-9 -, no dash at either end), since it becomes a DNS SAN;
 * other names are letters, digits and . _ - +, starting with a letter or digit. Plain values:
 * copied by assignment, compared with name_equal. Thread rule: pure. Complexity: O(NAME_BYTES_MAX).
 */
#ifndef ENTENTE_BASE_DOMAIN_NAME_H
#define ENTENTE_BASE_DOMAIN_NAME_H

#include <stdbool.h>

#include "base/domain/limits.h"
#include "base/fault.h"

struct name {
    char text[NAME_BYTES_MAX + 1]; /* terminated; "" where there is none */
};

/* Checks and copies; the fault says "WHAT 'text' ..." and what is allowed. */
MUST_USE enum status name_parse(struct name *name, const char *what, const char *text,
                                struct fault *fault);
MUST_USE enum status member_name_parse(struct name *name, const char *text, struct fault *fault);

bool name_valid(const char *text);
bool member_name_valid(const char *text);
bool name_equal(const struct name *a, const struct name *b);
bool name_empty(const struct name *name);
int name_compare(const struct name *a, const struct name *b);

#endif
