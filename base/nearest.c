#include "base/nearest.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static void copy_cut(char to[static NAME_BYTES_MAX + 1], const char *from)
{
    size_t length = strnlen(from, NAME_BYTES_MAX);
    memcpy(to, from, length);
    to[length] = '\0';
}

void nearest_begin(struct nearest *nearest, const char *wanted)
{
    *nearest = (struct nearest){.distance = INT_MAX};
    copy_cut(nearest->wanted, wanted);
}

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static int edit_distance(const char *a, const char *b)
{
    int row[NAME_BYTES_MAX + 1];
    int length_b = (int)strlen(b);
    for (int j = 0; j <= length_b; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length_b; j++) {
            int above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length_b];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    char cut[NAME_BYTES_MAX + 1];
    copy_cut(cut, candidate);
    int distance = edit_distance(nearest->wanted, cut);
    if (distance >= nearest->distance)
        return;
    nearest->distance = distance;
    memcpy(nearest->best, cut, sizeof cut);
}

void nearest_hint(const struct nearest *nearest, char hint[static NAME_HINT_MAX])
{
    hint[0] = '\0';
    int length = (int)strlen(nearest->wanted);
    if (nearest->distance == INT_MAX || nearest->distance > 1 + length / 3)
        return;
    snprintf(hint, NAME_HINT_MAX, "; did you mean '%s'?", nearest->best);
}
