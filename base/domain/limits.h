/*
 * Limits: the named maximum of everything a member can send or own. proto/wire enforces them on
 * every message, the configuration parsers on every file; a refusal names the limit.
 */
#ifndef ENTENTE_BASE_DOMAIN_LIMITS_H
#define ENTENTE_BASE_DOMAIN_LIMITS_H

enum {
    NAME_BYTES_MAX = 63,       /* member, GPU kind, model key, job id, data set */
    PATH_BYTES_MAX = 1023,     /* a relative path in a bundle */
    TEXT_BYTES_MAX = 4095,     /* a reason, a log line, an argument */
    MEMBERS_MAX = 4096,        /* of one federation */
    POOLS_PER_MEMBER_MAX = 64, /* one per GPU kind */
    NODES_PER_POOL_MAX = 4096,
    GPUS_PER_NODE_MAX = 64, /* the bits of a gpu mask */
    GPU_KINDS_PER_JOB_MAX = 16,
    DATA_SETS_PER_JOB_MAX = 16,
    PLACES_PER_DATA_SET_MAX = 64,
    HINTS_PER_JOB_MAX = 64, /* stated throughputs */
    PROFILE_ROWS_MAX = 16,  /* measured at home, of one job */
    ARGUMENTS_PER_JOB_MAX = 256,
    VARIABLES_PER_JOB_MAX = 128,
    FILES_PER_BUNDLE_MAX = 4096,
    CHUNK_BYTES_MAX = 1024 * 1024,
    CHUNKS_PER_FILE_MAX = 65536, /* 64 GiB a file */
    JOBS_PER_MEMBER_MAX = 10000, /* demands open at once */
    NODES_PER_LEASE_MAX = 64,
    LEASES_PER_HEARTBEAT_MAX = 4096,
    RECEIPTS_PER_REPORT_MAX = 1024,
    DISPUTE_TEXT_BYTES_MAX = 1000, /* what each party may say; a page of them fits a message */
    LEASES_PER_REPORT_MAX = 1024,
    HEADS_PER_MEMBER_MAX = 16, /* of the ledger, one a broker's incarnation */
    ROWS_PER_PAGE_MAX = 1000,  /* of any listing */
    DIGEST_BYTES = 32,         /* SHA-256 */
    SIGNATURE_BYTES = 64,      /* Ed25519 */
    SIGNING_KEY_BYTES = 32,    /* Ed25519 public key */
    CERTIFICATE_BYTES_MAX = 16384,
    TOKEN_BYTES_MAX = 512,
    ADDRESS_BYTES_MAX = 255, /* HOST:PORT */
    PPM = 1000000            /* affinities and shares travel as parts per million */
};

#endif
