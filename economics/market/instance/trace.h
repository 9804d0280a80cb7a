/*
 * Trace: public cluster traces as instances, in the JSON of instance.h.
 *
 * alibaba: a node list (columns sn, gpu, model) and a pod list (name, num_gpu, gpu_spec, qos,
 * creation_time, deletion_time), as in alibaba/clusterdata's GPU traces of 2023. Nodes become
 * `members` members of as many nodes each, in the list's order; a pool for each GPU model of a
 * member, with the least GPUs a node of it has. A pod that wants GPUs becomes a job that needs one
 * node: its home goes round the members, and it may run on each model that gpu_spec names (models
 * parted by |; all where it is empty). Parts of a GPU (gpu_milli) count as a whole one. Speed and
 * cost by model, relative to a T4, are assumptions of ours (trace_alibaba.c); value by qos.
 *
 * philly: a job list with the columns timestamp ("2017-10-09 07:01:55"), duration (seconds),
 * num_gpus and cluster: each cluster is a member. Or, from Muri, num_gpu, submit_time, iterations,
 * batch_size, iteration_time (milliseconds): members by turns. Neither says what there is to run
 * on: each member has as many GPUs of one kind as its jobs used on average, from its first job's
 * start to its last one's end, at least its largest job's, in nodes of 8; they cost 0.0003 credits
 * per GPU-second, and to a job each is worth twice that.
 *
 * In both every member takes every other's jobs at `affinity`, and at ≥ 0 keeps only the jobs that
 * would run at that time (seconds of the trace; for philly since its first), for what then remains.
 *
 * Limits: TRACE_BYTES_MAX a file. Thread rule: one thread. Complexity: O(rows log rows + members ×
 * jobs).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_TRACE_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_TRACE_H

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/fault.h"

#define TRACE_BYTES_MAX ((size_t)512 * 1024 * 1024)

struct trace_options {
    uint32_t members; /* where the trace doesn't say */
    double affinity;
    double at; /* < 0: all jobs at once */
};

/* What didn't become a job. */
struct trace_notes {
    uint32_t jobs;
    uint32_t without_gpus;
    uint32_t not_then;     /* at `at` */
    uint32_t not_possible; /* no pool has such a GPU, or so many on a node */
};

/* A job of a list, before it is part of a market. */
struct trace_job {
    uint32_t member;
    uint32_t gpus;
    double start; /* seconds */
    double seconds;
    double throughput; /* examples/s on its GPUs */
    uint32_t line;
};

struct trace_jobs {
    struct trace_job *jobs; /* in the file's order */
    uint32_t job_count;
    const char (*names)[64]; /* [member_count] */
    uint32_t member_count;
};

/* Philly's list or Muri's (then of `members` members) as jobs. Everything lies in the arena. */
MUST_USE enum status trace_philly_jobs(const char *path, uint32_t members, struct arena *arena,
                                       struct trace_jobs *jobs, struct fault *fault);

/* INVALID with FILE:LINE. EXHAUSTED, IO. */
MUST_USE enum status trace_alibaba(const char *nodes, const char *pods,
                                   const struct trace_options *options, struct arena *arena,
                                   FILE *to, struct trace_notes *notes, struct fault *fault);
MUST_USE enum status trace_philly(const char *jobs, const struct trace_options *options,
                                  struct arena *arena, FILE *to, struct trace_notes *notes,
                                  struct fault *fault);

/* The members' names and their affinities: what both traces' instances begin with. */
void trace_write_members(const char (*names)[64], uint32_t count, double affinity, FILE *to);

#endif
