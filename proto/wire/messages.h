/*
 * Messages: the domain structs of every request, response and stored record, one for one with the
 * .proto files.
 *
 * Plain data. Decoded ones keep every bound that proto/wire's tables state; arrays and texts live
 * in the message's arena. Texts are never NULL ("" where absent). Times: *_wall_ms since 1970 UTC,
 * *_ms durations. `request_key` makes a request repeatable: the same key has its effect once (kept
 * 7 days; older by issued_wall_ms is refused).
 */
#ifndef ENTENTE_PROTO_WIRE_MESSAGES_H
#define ENTENTE_PROTO_WIRE_MESSAGES_H

#include "base/domain/job.h"
#include "base/domain/lease.h"
#include "base/domain/offer.h"

struct empty_message {
    uint32_t unused;
};

/* ---- enrolment: the broker's listener for those who have no certificate yet
 * -------------------------------------- */

struct enrol_request {
    const char *token; /* proves the invitation; never logged */
    struct name member;
    const char *csr_pem;
    struct signing_key signing_key; /* signs the member's receipts */
};

struct lease_key {
    struct name key_id;
    struct signing_key key;
    int64_t until_wall_ms; /* 0: no end */
};

/* approved false: admitted later by an operator; ask again with the same token and key. */
struct enrol_response {
    bool approved;
    struct name federation;
    const char *chain_pem; /* "" until approved */
    struct lease_key *lease_keys;
    uint32_t lease_key_count;
};

/* ---- members: the broker's main port
 * ------------------------------------------------------------------------------ */

struct renew_request {
    const char *csr_pem;
};

struct renew_response {
    const char *chain_pem;
};

/* One lease as its host sees it now. */
enum lease_report_kind {
    LEASE_REPORT_RUNNING,  /* both sides ready; metering */
    LEASE_REPORT_RELEASED, /* GPUs are free */
    LEASE_REPORT_REFUSED,  /* could not be used: text says why; GPUs are free */
    LEASE_REPORT_KIND_COUNT
};

struct lease_report {
    struct lease_id lease;
    enum lease_report_kind kind;
    const char *text;
    uint64_t examples;
    double examples_per_second; /* measured; 0: unknown */
};

struct heartbeat_request {
    struct offer offer;
    int64_t sent_wall_ms;
    const char *version;
    uint64_t lease_events_seen; /* sequence of the newest lease event handled: the broker's outbox
                                   may forget up to here */
    struct lease_id *held;      /* leases this member hosts now */
    uint32_t held_count;
    uint64_t ledger_head_sequence; /* newest ledger head this member has seen; 0: none */
    struct digest ledger_head;
    struct signed_bytes signed_head; /* the same as the broker signed it; body empty: none */
    uint64_t broker_incarnation;     /* newest seen: lease_events_seen counts its events; 0: none */
    bool reported; /* that incarnation was told everything: report_held_request, receipts */
};

struct revocation {
    struct name member;
};

/* How a host delivers: what its jobs reached, as a share of what was predicted for its GPU kind. */
struct delivery_row {
    struct pool_id pool;
    struct name home;    /* on whose word, and for whose jobs it counts; "": several homes', all */
    uint32_t factor_ppm; /* predictions there are multiplied by it; at most PPM */
    uint32_t jobs;
    uint32_t homes;
};

struct heartbeat_response {
    uint64_t broker_incarnation;
    int64_t broker_wall_ms;
    int64_t round_ms;
    int64_t next_round_in_ms;
    int64_t heartbeat_every_ms;      /* send the next one within this */
    struct signed_bytes revocations; /* an encoded struct revocation_list */
    struct lease_key *lease_keys;
    uint32_t lease_key_count;
    uint64_t ledger_head_sequence;
    struct digest ledger_head;
    struct credits balance;
    struct credits escrow;
    struct delivery_row *deliveries; /* of the caller's pools, as a host */
    uint32_t delivery_count;
    struct signed_bytes signed_head; /* an encoded struct ledger_head; body empty: none */
};

/* What the ledger was: kept by members, so that what is taken away later is noticed. */
struct ledger_head {
    uint64_t incarnation; /* the broker's */
    uint64_t sequence;    /* of the newest entry */
    struct digest hash;
    int64_t signed_wall_ms;
};

/* To a restored broker: what it may not know. */
struct report_held_request {
    struct signed_bytes *leases; /* that the caller hosts or hosted */
    uint32_t lease_count;
    struct signed_bytes revocations;
    struct signed_bytes *heads;
    uint32_t head_count;
};

struct revocation_list {
    uint64_t number; /* grows; lower ones are ignored */
    int64_t issued_wall_ms;
    struct revocation *revoked;
    uint32_t revoked_count;
};

/* A step of a job as its home measured it. */
struct profile_row {
    struct name gpu;
    uint32_t gpus;
    uint32_t nodes;
    uint32_t gpus_on_fullest;
    double batch; /* examples a worker and step */
    double step_seconds;
};

struct submit_request {
    struct digest request_key;
    int64_t issued_wall_ms;
    struct demand
        demand; /* also replaces the demand of the same job: new work left, position, price */
    struct profile_row *profile; /* what home measured of the job */
    uint32_t profile_count;
};

struct submit_response {
    bool profile_wanted; /* nobody knows how fast it runs anywhere */
};

struct cancel_request {
    struct digest request_key;
    int64_t issued_wall_ms;
    struct name job;
    bool completed; /* the job is done, not called off */
};

struct watch_leases_request {
    uint64_t after_sequence; /* 0: everything not yet seen */
};

enum lease_event_kind {
    LEASE_EVENT_GRANT, /* lease is there; home and host both get it */
    LEASE_EVENT_END,   /* not renewed: stop at the firm end */
    LEASE_EVENT_STOP,  /* stop now, after a checkpoint within grace_ms */
    LEASE_EVENT_VOID,  /* never to be used */
    LEASE_EVENT_KIND_COUNT
};

struct lease_event {
    uint64_t sequence; /* grows per member */
    enum lease_event_kind kind;
    struct lease_id lease;
    struct signed_bytes signed_lease; /* GRANT: an encoded struct lease */
    int64_t grace_ms;
    const char *reason;
};

struct report_leases_request {
    struct lease_report *reports;
    uint32_t report_count;
};

struct report_receipts_request {
    struct signed_receipt *receipts;
    uint32_t receipt_count;
};

struct receipt_verdict {
    struct lease_id lease;
    uint32_t sequence;
    bool accepted; /* or accepted before */
    const char *reason;
};

struct report_receipts_response {
    struct receipt_verdict *verdicts;
    uint32_t verdict_count;
};

struct page_request {
    uint64_t after; /* 0: from the start */
    uint32_t rows;  /* 1..ROWS_PER_PAGE_MAX */
};

struct job_row {
    struct name job;
    struct name home;
    struct name host; /* "" where not placed */
    struct name gpu;
    uint32_t gpus;
    struct lease_id lease;
    const char *state; /* waiting, placed, ended */
    double work_left_examples;
    double predicted_examples_per_second;
    double measured_examples_per_second;
    struct price price;
};

struct jobs_response {
    struct job_row *jobs;
    uint32_t job_count;
    uint64_t next_after; /* 0: that was all */
};

/* ---- disputes over receipts */

enum dispute_state {
    DISPUTE_OPEN,      /* home says no; the host may answer until the deadline */
    DISPUTE_ANSWERED,  /* the host stands by its receipt; the operator rules */
    DISPUTE_RULED,     /* final */
    DISPUTE_CONCEDED,  /* final: the host accepted what home says */
    DISPUTE_WITHDRAWN, /* final: home accepts the receipt */
    DISPUTE_LAPSED,    /* final: no answer in time */
    DISPUTE_STATE_COUNT
};

enum dispute_action {
    DISPUTE_DO_OPEN,     /* home */
    DISPUTE_DO_ANSWER,   /* host */
    DISPUTE_DO_CONCEDE,  /* host */
    DISPUTE_DO_WITHDRAW, /* home */
    DISPUTE_DO_RULE,     /* operator */
    DISPUTE_ACTION_COUNT
};

struct dispute_request {
    struct lease_id lease;
    uint32_t sequence;
    enum dispute_action action;
    int64_t payable_ms; /* open: what home saw; rule: what is to be paid */
    const char *text;
};

struct dispute_row {
    struct lease_id lease;
    uint32_t sequence;
    struct name job;
    struct name home;
    struct name host;
    enum dispute_state state;
    int64_t claimed_ms; /* payable by the receipt; 0: the broker has none yet */
    int64_t conceded_ms;
    int64_t payable_ms; /* by the outcome */
    struct credits amount;
    const char *reason;
    const char *answer;
    const char *ruling;
    int64_t opened_wall_ms;
    int64_t deadline_wall_ms;
    int64_t closed_wall_ms; /* 0: not yet */
};

struct disputes_response {
    struct dispute_row *disputes;
    uint32_t dispute_count;
    uint64_t next_after;
};

struct statement_request {
    struct name member; /* members: their own or "" */
    int64_t from_wall_ms;
    int64_t until_wall_ms; /* 0: now */
    struct page_request page;
};

/* One posting of a transaction: the amounts of one transaction sum to zero. */
struct ledger_entry {
    uint64_t sequence;
    uint64_t transaction;
    int64_t posted_wall_ms;
    const char *account; /* member/usc, escrow/usc, federation, ... */
    struct credits amount;
    const char *kind;      /* deposit, escrow, settle, release, reversal */
    const char *reference; /* lease id, receipt, operator's text */
    struct digest hash;    /* covers this entry and the hash before */
};

struct statement_response {
    struct name member;
    struct credits opening;
    struct credits closing;
    struct credits escrow;
    struct ledger_entry *entries;
    uint32_t entry_count;
    uint64_t next_after; /* 0: that was all */
};

struct explain_request {
    struct name job;
};

struct explain_option {
    struct pool_id pool;
    uint32_t gpus;
    double examples_per_second;  /* predicted */
    double value_credits;        /* a round of it, w plus cost, at the job's value */
    double price_per_gpu_second; /* the plan's price there */
    double surplus_credits;      /* a round, at plan prices; below 0: priced out */
    const char *obstacle; /* "" where allowed: affinity 0, price limit, no node large enough, ... */
    double examples_per_second_low; /* 90% interval; 0: stated, not fitted */
    double examples_per_second_high;
    const char *basis; /* where the prediction comes from; "": there is none */
};

struct explain_response {
    struct name job;
    uint64_t round; /* the newest round that considered it; 0: none yet */
    bool placed;
    const char *summary;                     /* a sentence or two for people */
    int64_t winning_value_nanos_per_example; /* the bid that would have been placed; 0 where placed
                                                or no bid would do */
    struct explain_option *options;
    uint32_t option_count;
};

/* ---- operators: the broker's Unix socket
 * -------------------------------------------------------------------------- */

struct token_create_request {
    struct name member;
    int64_t ttl_ms;
    bool approved;
};

struct token_create_response {
    const char *token;
    const char *enrol_address;
    int64_t expires_wall_ms;
};

enum member_state {
    MEMBER_PENDING,
    MEMBER_ACTIVE,
    MEMBER_SUSPENDED,
    MEMBER_REVOKED,
    MEMBER_STATE_COUNT
};

const char *member_state_name(enum member_state state);

struct member_row {
    struct name member;
    enum member_state state;
    int64_t joined_wall_ms;
    int64_t last_heartbeat_wall_ms; /* 0: never */
    uint64_t incarnation;
    const char *version;
    const char *certificate_serial;
    int64_t certificate_until_wall_ms;
    uint32_t gpus_offered;
    uint32_t gpus_free;
    uint32_t jobs_open;
    struct credits balance;
    struct credits escrow;
    struct credits credit_limit;
    struct credits overdue;
};

struct members_response {
    struct member_row *members;
    uint32_t member_count;
};

enum member_action {
    MEMBER_APPROVE,
    MEMBER_SUSPEND,
    MEMBER_RESUME,
    MEMBER_REVOKE,
    MEMBER_ACTION_COUNT
};

struct member_action_request {
    struct name member;
    enum member_action action;
};

struct credit_request {
    struct digest request_key;
    struct name member;
    bool set_limit; /* amount is the new credit limit; else a deposit (negative: a withdrawal) */
    struct credits amount;
    const char *reference;
};

struct round_run_request {
    bool wait_for_period; /* false: now */
};

struct round_request {
    uint64_t round; /* 0: the newest */
};

struct round_row {
    uint64_t round;
    int64_t started_wall_ms;
    int64_t took_ms;
    bool interim; /* between two periods: free GPUs for waiting jobs */
    uint32_t members;
    uint32_t pools;
    uint32_t gpus;
    uint32_t jobs;
    uint32_t placed;
    uint32_t gpus_placed;
    struct credits objective; /* of the whole-GPU plan */
    struct credits bound;     /* optimum of the LP */
    struct credits epsilon;
    uint64_t fit; /* version of the throughput fit that predicted; 0: the table alone */
};

struct rounds_response {
    struct round_row *rounds;
    uint32_t round_count;
};

struct round_pool_row {
    struct pool_id pool;
    uint32_t gpus; /* offered to this round */
    uint32_t gpus_placed;
    struct price cost;
    struct price price; /* cost plus scarcity rent */
};

struct round_placement_row {
    struct name job;
    struct name home;
    struct pool_id pool;
    uint32_t gpus;
    struct lease_id lease;
    bool renewed;
    double predicted_examples_per_second;
    struct price price;
    struct credits worth;   /* w of this configuration a round */
    struct credits payment; /* at plan, a round */
};

struct round_member_row {
    struct name member;
    struct credits alone;  /* v({i}) */
    struct credits payoff; /* u_i as posted at plan */
    struct credits owen;   /* the LP's core point */
    struct credits side;   /* of the payoff: received beside the prices (> 0), or paid */
};

struct round_response {
    struct round_row row;
    struct round_pool_row *pools;
    uint32_t pool_count;
    struct round_placement_row *placements;
    uint32_t placement_count;
    struct round_member_row *members;
    uint32_t member_count;
    const char *mechanism;   /* owen, shapley, ... */
    const char *certificate; /* "core" or "ε-core, ε = ..." in words, and how it was proved */
    bool epsilon_exact;      /* by enumeration; else an upper bound */
    struct digest plan_digest;
    const char *split_remark; /* "" or why it is not the split of the mechanism, or an estimate */
};

struct ledger_verify_response {
    uint64_t entries;
    uint64_t transactions;
    bool verified;
    const char *problem; /* "" where verified */
    struct digest head;
    struct credits sum;    /* of all balances: zero */
    uint32_t heads;        /* signed heads of members that were compared */
    uint64_t entries_lost; /* that members saw and a restore took away */
};

struct ledger_page_response {
    struct ledger_entry *entries;
    uint32_t entry_count;
    uint64_t next_after;
};

struct lease_row {
    struct lease_id lease;
    enum lease_state state;
    struct name job;
    struct name home;
    struct pool_id pool;
    uint32_t gpus;
    struct price price;
    struct credits cap;
    struct credits paid; /* where settled */
    int64_t granted_wall_ms;
    int64_t ends_wall_ms;
};

struct leases_response {
    struct lease_row *leases;
    uint32_t lease_count;
    uint64_t next_after;
};

struct write_off_request {
    struct name member;
    const char *reference;
};

struct settlement_request {
    uint64_t period; /* 0: the newest closed */
};

struct settlement_summary {
    uint64_t period;
    int64_t from_wall_ms;
    int64_t until_wall_ms;
    int64_t due_wall_ms;
    uint32_t members;
    uint32_t owing;      /* members below zero at its end */
    struct credits owed; /* by them */
    struct credits open; /* of that, not paid yet */
};

struct settlement_row {
    struct name member;
    struct credits opening;
    struct credits earned; /* as a host */
    struct credits spent;  /* as a home */
    struct credits paid_in;
    struct credits corrected;
    struct credits closing; /* escrow included */
    struct credits owed;
    struct credits open;
    bool overdue;
};

struct settlements_response {
    struct settlement_summary *periods;
    uint32_t period_count;
};

struct settlement_response {
    struct settlement_summary period;
    struct settlement_row *members;
    uint32_t member_count;
};

struct quarantine_row {
    struct pool_id pool;
    uint32_t jobs; /* distinct, that failed to start there */
    int64_t until_wall_ms;
    const char *reason;
};

struct broker_status_response {
    struct name federation;
    const char *version;
    uint64_t incarnation;
    int64_t up_ms;
    uint32_t members_active;
    uint32_t members_connected;
    uint32_t jobs_waiting;
    uint32_t jobs_placed;
    uint32_t gpus_offered;
    uint32_t gpus_leased;
    uint64_t rounds;
    int64_t next_round_in_ms;
    int64_t round_ms;
    uint32_t members_awaited; /* restored: no market before these have reported */
    int64_t recovery_ms_left;
    const char *ledger_warning; /* "" or what members' heads of the ledger contradict */
    struct quarantine_row *quarantined;
    uint32_t quarantined_count;
    uint32_t disputes_open;
};

/* One measurement, and what was predicted of it before it was learned. */
struct measured_row {
    uint64_t row;
    int64_t measured_wall_ms;
    struct name job;
    struct name model; /* "": not named */
    struct name home;
    struct pool_id pool;
    uint32_t gpus;
    uint32_t nodes;
    double batch; /* examples a worker and step */
    double measured_examples_per_second;
    double predicted_examples_per_second; /* 0: nothing was known */
    double low_examples_per_second;       /* 90% interval; 0: stated, not fitted */
    double high_examples_per_second;
    const char *basis;
    bool confirmed; /* signed by two members: everybody learns from it */
    bool profile;   /* by its home, before it ran */
    uint64_t fit;   /* that predicted */
};

/* How good predictions were, over the rows that had one. */
struct forecast_row {
    struct name model;
    struct pool_id pool;
    uint32_t rows;
    double median_ape; /* percent */
    double mean_ape;
    uint32_t intervals;
    double coverage90;
};

struct throughput_response {
    uint64_t fit; /* version in force; 0: none */
    int64_t fit_made_wall_ms;
    uint32_t fit_rows;
    uint32_t fit_models;
    uint32_t fit_clusters;
    struct measured_row *rows; /* newest first */
    uint32_t row_count;
    struct forecast_row *forecasts;
    uint32_t forecast_count;
    struct delivery_row *deliveries;
    uint32_t delivery_count;
    uint64_t next_after;
};

/* ---- peers: from one to another
 * ----------------------------------------------------------------------------------- */

/* What a set of files is for; says which way it goes and where it is kept. */
enum files_purpose { FILES_BUNDLE, FILES_CHECKPOINT, FILES_RESULT, FILES_PURPOSE_COUNT };

struct accept_request {
    struct signed_bytes signed_lease;
    struct job_specification specification;
};

/* Which of these files' chunks does the receiver lack? Repeatable: so staging resumes where it
 * broke. */
struct offer_files_request {
    struct lease_id lease;
    enum files_purpose purpose;
    struct bundle_file *files;
    uint32_t file_count;
    uint64_t examples; /* FILES_CHECKPOINT: done in all when it was made */
};

struct offer_files_response {
    struct digest *missing;
    uint32_t missing_count;
};

struct push_chunk_request {
    struct lease_id lease;
    struct digest digest;
    struct bytes data; /* <= CHUNK_BYTES_MAX; hashes to digest */
};

struct push_chunks_response {
    uint32_t received;
};

/* All chunks are there: make the files. PRECONDITION where some still lack. */
struct commit_files_request {
    struct lease_id lease;
    enum files_purpose purpose;
};

struct lease_request {
    struct lease_id lease;
};

struct watch_job_request {
    struct lease_id lease;
    uint64_t log_offset; /* bytes of log the home has */
};

enum job_event_kind {
    JOB_EVENT_STATE,    /* state changed; text says why */
    JOB_EVENT_PROGRESS, /* steps, examples */
    JOB_EVENT_LOG,      /* data at log_offset */
    JOB_EVENT_KIND_COUNT
};

struct job_event {
    enum job_event_kind kind;
    enum job_state state;
    uint64_t steps;
    uint64_t examples; /* done in all */
    double examples_per_second;
    uint64_t log_offset;
    struct bytes data;
    int32_t exit_code; /* of a finished job */
    const char *text;
};

struct stop_request {
    struct lease_id lease;
    int64_t grace_ms;
    const char *reason;
};

struct countersign_request {
    struct signed_receipt receipt;
};

struct countersign_response {
    struct signed_receipt receipt; /* with the home's signature */
};

/* ---- the peer's own Unix socket
 * ----------------------------------------------------------------------------------- */

struct job_submission {
    struct job_specification
        specification;    /* job and home filled in by the daemon; files' chunks too */
    struct demand demand; /* likewise job, home, bundle fields */
    enum job_placement placement;
    uint32_t retries;
    const char *directory; /* absolute; file paths are relative to it */
};

struct job_request {
    struct name job;
};

struct local_job_row {
    struct name job;
    enum job_state state;
    enum job_placement placement;
    struct name host; /* its place, or the last one where it has ended; "": none */
    struct name gpu;
    uint32_t gpus;
    struct lease_id lease;
    uint64_t examples_done;
    double work_examples;       /* asked for in all */
    double examples_per_second; /* measured newest; 0: not yet */
    double predicted_examples_per_second;
    struct price price;
    struct credits paid;
    uint32_t starts;
    uint32_t retries_left;
    int32_t exit_code;
    int64_t submitted_wall_ms;
    int64_t started_wall_ms; /* 0: not yet */
    int64_t ended_wall_ms;
    const char *text; /* the newest reason or error */
};

struct local_jobs_response {
    struct local_job_row *jobs;
    uint32_t job_count;
};

struct logs_request {
    struct name job;
    bool follow;
    uint64_t offset;
};

struct log_chunk {
    uint64_t offset;
    struct bytes data;
};

struct fetch_request {
    struct name job;
    const char
        *directory; /* absolute; results and the newest checkpoint are copied there by the daemon */
};

struct fetch_response {
    const char **paths;
    uint32_t path_count;
    uint64_t size_bytes;
};

struct drain_request {
    bool drain; /* true: offer nothing more, let hosted jobs end with their leases */
};

struct peer_pool_row {
    struct name gpu;
    uint32_t gpus;
    uint32_t gpus_local;  /* used by own local work */
    uint32_t gpus_leased; /* used under leases */
    uint32_t gpus_free;
};

struct hosted_row {
    struct lease_id lease;
    struct name job;
    struct name home;
    struct name gpu;
    uint32_t gpus;
    enum job_state state;
    int64_t held_ms;
    int64_t ends_in_ms; /* below 0: in holdover */
    double examples_per_second;
};

struct peer_status_response {
    struct name member;
    struct name federation;
    const char *version;
    uint64_t incarnation;
    bool broker_connected;
    bool draining;
    const char *broker_address;
    int64_t certificate_until_wall_ms;
    struct credits balance;
    struct credits escrow;
    struct peer_pool_row *pools;
    uint32_t pool_count;
    struct hosted_row *hosted;
    uint32_t hosted_count;
    uint32_t jobs_queued;
    uint32_t jobs_running;
    uint32_t receipts_unsettled;
    struct delivery_row *deliveries; /* as the broker finds */
    uint32_t delivery_count;
};

#endif
