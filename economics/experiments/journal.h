/*
 * Journal: what finished runs saw, appended as they finish, so that a run killed at any instant
 * goes on where it was.
 *
 * A directory has one or more journals (`journal`, and `journal-3-of-8` of a part of a sweep); each
 * begins with the identity of what is run (a digest of design, seed and version), and holds
 * records of one (arm, replication) each, with a checksum. A torn end is cut off at opening; a
 * journal of something else is refused. Records may come in any order; of two of one task, which
 * are equal, the first counts.
 *
 * Encoding, little-endian: file = "ENTJRNL1" | identity u64; record = arm u32 | replication u32 |
 * bytes u32 | observations | FNV-1a 64 of all that stands before it in the record.
 *
 * Ownership: the struct owns descriptor and index; journal_load's bytes lie in the caller's buffer.
 * Thread rule: one thread at a time (the laboratory holds a lock). Complexity: O(bytes) to open,
 * O(1) a record.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_JOURNAL_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

enum { JOURNAL_FILES_MAX = 1024, JOURNAL_RECORD_BYTES_MAX = 128 * 1024 * 1024 };

struct journal_entry {
    uint32_t arm;
    uint32_t replication;
    uint32_t size; /* of the observations */
    uint16_t file;
    uint64_t offset; /* of the observations */
};

struct journal {
    int files[JOURNAL_FILES_MAX]; /* descriptors; the first is the one appended to */
    uint32_t file_count;
    uint64_t end;                  /* of the first file */
    struct journal_entry *entries; /* sorted by (arm, replication) after journal_sort() */
    size_t count;
    size_t capacity;
};

/* Opens directory/name for appending (made where missing), and every other journal there for
 * reading. CORRUPT or EXISTS with what to do; IO. */
MUST_USE enum status journal_open(struct journal *journal, const char *directory, const char *name,
                                  uint64_t identity, struct fault *fault);
void journal_close(struct journal *journal);

/* Appends; durable once journal_sync() returned. */
MUST_USE enum status journal_append(struct journal *journal, uint32_t arm, uint32_t replication,
                                    const uint8_t *observations, size_t size, struct fault *fault);
MUST_USE enum status journal_sync(struct journal *journal, struct fault *fault);

/* Sorts the index and drops second records of a task. O(n log n). */
void journal_sort(struct journal *journal);

/* Reads an entry's observations into *buffer (grown with realloc; the caller frees it). */
MUST_USE enum status journal_load(const struct journal *journal, const struct journal_entry *entry,
                                  uint8_t **buffer, size_t *capacity, struct fault *fault);

#endif
