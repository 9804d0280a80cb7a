/*
 * Status: what became of a call, in one word that every layer shares.
 *
 * Guarantee: the same word means the same thing in C, on the wire (proto/rpc maps it to a gRPC
 * code) and as an exit code of the programs. "The call failed" is a status; "the problem is
 * infeasible" is an answer and never one. Thread rule: pure functions. Complexity: O(1).
 */
#ifndef ENTENTE_BASE_STATUS_H
#define ENTENTE_BASE_STATUS_H

#define MUST_USE             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, at) __attribute__((format(printf, fmt, at)))

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,         /* the input breaks a rule; sending it again can't help */
    STATUS_CONFIG,          /* a configuration file is wrong */
    STATUS_NOT_FOUND,       /* no such thing */
    STATUS_EXISTS,          /* there already, and not the same */
    STATUS_DENIED,          /* the caller is known and may not */
    STATUS_UNAUTHENTICATED, /* the caller did not prove who it is */
    STATUS_EXHAUSTED,       /* a named limit or quota is reached */
    STATUS_PRECONDITION,    /* not in this state */
    STATUS_UNAVAILABLE,     /* the other side is not there; try again later */
    STATUS_DEADLINE,        /* time ran out before an answer */
    STATUS_CANCELLED,       /* somebody called it off */
    STATUS_CORRUPT,         /* stored or signed data does not verify */
    STATUS_IO,              /* the machine: disk, file, socket */
    STATUS_NO_MEMORY,
    STATUS_UNIMPLEMENTED,
    STATUS_INTERNAL, /* a defect of ours */
    STATUS_COUNT
};

/* Exit codes of every program; documented in README.md. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILURE = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_CONFIG = 78
};

/* "ok", "invalid", ...: never NULL, a constant. */
const char *status_name(enum status status);

/* The exit code of a program that ends with this status. */
enum exit_code status_exit_code(enum status status);

#endif
