/*
 * Chunks: a peer's content-addressed store for what travels between members: bundles, checkpoints,
 * results.
 *
 * A file is split into chunks of CHUNK_BYTES_MAX (the last one shorter), each named by its SHA-256
 * and kept as DIRECTORY/ab/cdef.... A chunk that is there is whole: it was written beside its
 * place, verified, synced and renamed. So any transfer may break anywhere and go on with what
 * lacks, and the same bytes are never sent or kept twice.
 *
 * Sending: chunks_scan (splits, stores) -> offer the bundle_files -> chunks_get each that the other
 * side lacks. Receiving: chunks_missing -> chunks_put each -> chunks_assemble.
 * Errors: EXHAUSTED at the quota (sweep, then try again), CORRUPT where bytes don't hash to their
 * name, INVALID for a path that is not plainly inside its directory, NOT_FOUND for a chunk that
 * lacks, IO otherwise. Ownership: results live in the caller's arena. Thread rule: scan, missing,
 * put, get and assemble from any thread; open, close, mark and sweep while no other is running.
 * Complexity: O(bytes); one fsync a new chunk.
 */
#ifndef ENTENTE_PEER_FILES_CHUNKS_H
#define ENTENTE_PEER_FILES_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/bytes.h"
#include "base/domain/job.h"
#include "base/fault.h"

enum {
    CHUNK_FILE_MODE_MASK = 0777,
    BUNDLE_DEPTH_MAX = 32 /* directories deep, in a path */
};

struct chunks; /* an open store */

/* Makes the directory where it lacks (0700); counts what is in it. quota_bytes 0: no quota. */
MUST_USE enum status chunks_open(const char *directory, uint64_t quota_bytes,
                                 struct chunks **chunks, struct fault *fault);
void chunks_close(struct chunks *chunks); /* NULL is fine */
uint64_t chunks_used_bytes(const struct chunks *chunks);

/* --- sending */

/* A set of files. Order doesn't matter; paths are distinct. */
struct file_set {
    struct bundle_file *files; /* [count] */
    uint32_t count;
};

enum chunks_absent { CHUNKS_ABSENT_REFUSED, CHUNKS_ABSENT_SKIPPED };

/* What to scan: paths below directory; a path to a directory means every regular file below it.
 * Symbolic links are never followed: INVALID where a path leads through one or is one. */
struct chunks_source {
    const char *directory;
    const char *const *paths; /* [path_count] */
    uint32_t path_count;
    enum chunks_absent absent; /* what to do about a path that isn't there */
};

/* Splits and stores. A file is read through one descriptor, so one that is replaced by rename
 * meanwhile is still taken whole; one that changes in place is INVALID. *set comes in order of path
 * (byte order), its size at most FILES_PER_BUNDLE_MAX. */
MUST_USE enum status chunks_scan(struct chunks *chunks, const struct chunks_source *source,
                                 struct arena *arena, struct file_set *set, struct fault *fault);

/* A chunk's bytes into the caller's buffer, verified; *size <= CHUNK_BYTES_MAX. */
MUST_USE enum status chunks_get(struct chunks *chunks, const struct digest *digest,
                                uint8_t data[static CHUNK_BYTES_MAX], size_t *size,
                                struct fault *fault);

/* --- receiving */

bool chunks_has(const struct chunks *chunks, const struct digest *digest);

/* The distinct digests of the set that lack here, in the set's order. At most limit of them (a
 * message has room for so many; ask again after these came). */
MUST_USE enum status chunks_missing(const struct chunks *chunks, const struct file_set *set,
                                    uint32_t limit, struct arena *arena, struct digest **missing,
                                    uint32_t *missing_count, struct fault *fault);

/* Stores a chunk that came over the wire. CORRUPT where it doesn't hash to digest. Repeatable. */
MUST_USE enum status chunks_put(struct chunks *chunks, const struct digest *digest,
                                struct bytes data, struct fault *fault);

/* Makes the files below directory (which exists), each by rename; makes directories on the way
 * (0755). Never follows a symbolic link below directory, never writes outside it. Repeatable. */
MUST_USE enum status chunks_assemble(struct chunks *chunks, const struct file_set *set,
                                     const char *directory, struct fault *fault);

/* --- what a set is */

/* Relative, not empty, no "", "." or ".." part, no control characters, at most PATH_BYTES_MAX and
 * BUNDLE_DEPTH_MAX. */
bool bundle_path_valid(const char *path);

/* Paths valid and distinct, none a directory of another, modes and chunk counts fit the sizes:
 * INVALID names the file. Everything else here takes only sets that pass, or checks itself. */
MUST_USE enum status file_set_check(const struct file_set *set, struct fault *fault);

uint64_t file_set_bytes(const struct file_set *set);

/* The digest of a set: the same for the same files in any order. */
void file_set_digest(const struct file_set *set, struct digest *digest);

/* The bundle digest that a lease binds: of the whole specification, files included. Home puts it
 * into the demand, the host computes it again from what it was sent. */
void bundle_digest(const struct job_specification *specification, struct digest *digest);

/* --- keeping the store small: mark what is still needed, then sweep */

void chunks_mark_begin(struct chunks *chunks); /* nothing is marked */
MUST_USE enum status chunks_mark(struct chunks *chunks, const struct file_set *set,
                                 struct fault *fault);

/* Removes chunks that aren't marked, longest unused first, until no more than keep_bytes are used
 * in all (0: all that aren't marked). Also removes what broken writes left. */
MUST_USE enum status chunks_sweep(struct chunks *chunks, uint64_t keep_bytes, uint64_t *freed_bytes,
                                  struct fault *fault);

#endif
