/*
 * Config: what an operator decides about a broker, read from one YAML file.
 *
 * Every field is documented in configs/broker.yaml. Guarantee: a loaded configuration keeps every
 * bound stated here; what is wrong is refused with file, line, key and the mend. Paths are absolute
 * or relative to the file's directory. Ownership: the throughput rows live in the arena given;
 * the rest in the struct. Thread rule: immutable once loaded. Complexity: O(file).
 */
#ifndef ENTENTE_BROKER_CONFIG_H
#define ENTENTE_BROKER_CONFIG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/units.h"
#include "economics/mechanisms/mechanism.h"
#include "economics/throughput/table.h"

enum { QUARANTINE_FAILURES_DEFAULT = 3 };

enum { CONFIG_ROUND_MS_MIN = 1000, CONFIG_HEARTBEAT_MS_MIN = 100 };

/* An offer lives for this many heartbeat periods (ARCHITECTURE: the flow of a job, 2). */
enum { CONFIG_OFFER_HEARTBEATS = 3 };

struct broker_config {
    struct name federation;
    char state_directory[FILE_PATH_MAX];
    char public_host[ADDRESS_BYTES_MAX + 1]; /* what peers and tokens call us */
    char members_address[ADDRESS_BYTES_MAX + 1];
    char enrolment_address[ADDRESS_BYTES_MAX + 1];
    char operator_socket[FILE_PATH_MAX];
    int64_t operator_gid; /* -1: only our own user and root */

    int64_t round_ms;         /* τ */
    int64_t lead_ms;          /* a full round runs this long before leases end; < round_ms */
    int64_t interim_delay_ms; /* least pause between a change and the interim round it causes */
    int64_t heartbeat_ms;
    int64_t holdover_ms;
    int64_t grace_ms;         /* from "stop" to "gone" */
    int64_t skew_ms_max;      /* between our wall clock and a member's */
    int64_t accept_within_ms; /* a grant not taken up by then is void */

    int64_t member_certificate_ms;
    int64_t broker_certificate_ms;
    int64_t intermediate_certificate_ms;
    int64_t root_certificate_ms;

    const struct mechanism *mechanism; /* how the gain is shared */
    bool funded;                       /* an account is named that funds a deficit of it */
    struct name funding_member;        /* "": federation/endowment */

    uint32_t quarantine_failures; /* distinct jobs that fail at a pool within the window */
    int64_t quarantine_window_ms;
    int64_t quarantine_pause_ms; /* the first; each one after it is twice as long */

    int64_t settlement_period_ms;
    int64_t settlement_due_ms; /* from a period's end */
    int64_t silent_home_ms;    /* who says nothing against a receipt for so long accepts it */

    struct credits credit_limit_default;
    uint32_t jobs_per_member_max;
    uint32_t gpus_per_job_max;
    uint32_t calls_per_second_max; /* of a member */
    uint32_t enrolments_per_minute_max;

    double restart_seconds;
    double transfer_bytes_per_second;
    double credits_per_gigabyte;
    struct throughput_table throughputs;
    char learning_rows[FILE_PATH_MAX];  /* measured steps to learn from; "": none */
    char learning_model[FILE_PATH_MAX]; /* a fitted model to begin with; "": none */
    int64_t learning_update_ms;         /* least time between two fits */
};

/* CONFIG with "FILE:LINE: KEY: what to mend". */
MUST_USE enum status broker_config_load(const char *file, struct arena *arena,
                                        struct broker_config *config, struct fault *fault);

#endif
