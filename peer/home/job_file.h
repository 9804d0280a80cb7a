/*
 * Job file: a job owner's YAML file, read into what the daemon is sent.
 *
 * Every field is documented in configs/job.yaml. Guarantee: what is loaded keeps every bound the
 * wire enforces; what is wrong is refused with file, line, key and the mend. The daemon fills in
 * what it alone knows: the job's name, its home, the files' chunks and digests (until then
 * specification.files has paths only). Ownership: all in the arena. Thread rule: one thread per
 * arena. Complexity: O(file).
 */
#ifndef ENTENTE_PEER_HOME_JOB_FILE_H
#define ENTENTE_PEER_HOME_JOB_FILE_H

#include "base/arena.h"
#include "proto/wire/messages.h"

/* now_wall_ms: what a deadline such as "2h" counts from. CONFIG with "FILE:LINE: KEY: mend". */
MUST_USE enum status job_file_load(const char *file, int64_t now_wall_ms, struct arena *arena,
                                   struct job_submission *submission, struct fault *fault);

#endif
