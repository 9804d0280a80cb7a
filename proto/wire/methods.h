/*
 * Methods: every RPC of entente.v1, and the messages that are stored or signed on their own.
 * Constants, any thread.
 */
#ifndef ENTENTE_PROTO_WIRE_METHODS_H
#define ENTENTE_PROTO_WIRE_METHODS_H

#include "proto/wire/wire.h"

/* name: service, rpc, shape, request, response (structs of messages.h) */

/* EnrolService: the broker's enrolment listener. */
extern const struct wire_method method_enrol; /* unary: enrol_request -> enrol_response */

/* MemberService: the broker's main port. */
extern const struct wire_method method_renew; /* unary: renew_request -> renew_response */
extern const struct wire_method
    method_heartbeat;                          /* unary: heartbeat_request -> heartbeat_response */
extern const struct wire_method method_submit; /* unary: submit_request -> submit_response */
extern const struct wire_method method_cancel; /* unary: cancel_request -> empty_message */
extern const struct wire_method
    method_watch_leases; /* server stream: watch_leases_request -> lease_event */
extern const struct wire_method
    method_report_leases; /* unary: report_leases_request -> empty_message */
extern const struct wire_method
    method_report_held; /* unary: report_held_request -> empty_message */
extern const struct wire_method
    method_report_receipts; /* unary: report_receipts_request -> report_receipts_response */
extern const struct wire_method
    method_list_jobs; /* unary: page_request -> jobs_response (own jobs) */
extern const struct wire_method
    method_statement;                           /* unary: statement_request -> statement_response */
extern const struct wire_method method_explain; /* unary: explain_request -> explain_response */

extern const struct wire_method method_dispute;       /* unary: dispute_request -> dispute_row */
extern const struct wire_method method_list_disputes; /* unary: page_request -> disputes_response */

/* OperatorService: the broker's Unix socket. */
extern const struct wire_method
    method_operator_disputes;                        /* unary: page_request -> disputes_response */
extern const struct wire_method method_dispute_rule; /* unary: dispute_request -> dispute_row */
extern const struct wire_method
    method_member_write_off; /* unary: write_off_request -> empty_message */
extern const struct wire_method
    method_settlement_list; /* unary: page_request -> settlements_response */
extern const struct wire_method
    method_settlement_show; /* unary: settlement_request -> settlement_response */
extern const struct wire_method
    method_settlement_close; /* unary: empty_message -> settlement_response */
extern const struct wire_method method_quarantine_release; /* unary: pool_id -> empty_message */
extern const struct wire_method
    method_token_create; /* unary: token_create_request -> token_create_response */
extern const struct wire_method method_member_list; /* unary: empty_message -> members_response */
extern const struct wire_method
    method_member_action; /* unary: member_action_request -> empty_message */
extern const struct wire_method method_member_credit; /* unary: credit_request -> empty_message */
extern const struct wire_method method_round_run;  /* unary: round_run_request -> round_response */
extern const struct wire_method method_round_list; /* unary: page_request -> rounds_response */
extern const struct wire_method method_round_show; /* unary: round_request -> round_response */
extern const struct wire_method
    method_ledger_verify; /* unary: empty_message -> ledger_verify_response */
extern const struct wire_method
    method_ledger_page; /* unary: page_request -> ledger_page_response */
extern const struct wire_method
    method_operator_statement; /* unary: statement_request -> statement_response */
extern const struct wire_method
    method_operator_explain; /* unary: explain_request -> explain_response */
extern const struct wire_method
    method_operator_jobs;                          /* unary: page_request -> jobs_response (all) */
extern const struct wire_method method_lease_list; /* unary: page_request -> leases_response */
extern const struct wire_method
    method_broker_status; /* unary: empty_message -> broker_status_response */
extern const struct wire_method method_throughput; /* unary: page_request -> throughput_response */

/* PeerService: from peer to peer. */
extern const struct wire_method
    method_accept; /* unary: accept_request -> empty_message; home -> host */
extern const struct wire_method
    method_offer_files; /* unary: offer_files_request -> offer_files_response; either way */
extern const struct wire_method
    method_push_chunks; /* client stream: push_chunk_request -> push_chunks_response */
extern const struct wire_method
    method_commit_files; /* unary: commit_files_request -> empty_message */
extern const struct wire_method
    method_start; /* unary: lease_request -> empty_message; home -> host */
extern const struct wire_method
    method_watch_job; /* server stream: watch_job_request -> job_event; home -> host */
extern const struct wire_method
    method_stop; /* unary: stop_request -> empty_message; home -> host */
extern const struct wire_method
    method_countersign; /* unary: countersign_request -> countersign_response; host -> home */

/* LocalService: the peer's own Unix socket. */
extern const struct wire_method
    method_job_submit; /* unary: job_submission -> job_request (the id it got) */
extern const struct wire_method method_job_list;   /* unary: empty_message -> local_jobs_response */
extern const struct wire_method method_job_show;   /* unary: job_request -> local_job_row */
extern const struct wire_method method_job_cancel; /* unary: job_request -> empty_message */
extern const struct wire_method method_job_logs;   /* server stream: logs_request -> log_chunk */
extern const struct wire_method method_job_fetch;  /* unary: fetch_request -> fetch_response */
extern const struct wire_method method_peer_drain; /* unary: drain_request -> empty_message */
extern const struct wire_method
    method_peer_status; /* unary: empty_message -> peer_status_response */
extern const struct wire_method
    method_local_statement; /* unary: statement_request -> statement_response; from the broker */
extern const struct wire_method method_local_dispute;  /* unary: as method_dispute */
extern const struct wire_method method_local_disputes; /* unary: as method_list_disputes */
extern const struct wire_method
    method_local_explain; /* unary: explain_request -> explain_response; from the broker */

/* Stored or signed on their own. */
extern const struct wire_message message_lease;               /* struct lease */
extern const struct wire_message message_receipt;             /* struct receipt */
extern const struct wire_message message_signed_receipt;      /* struct signed_receipt */
extern const struct wire_message message_revocation_list;     /* struct revocation_list */
extern const struct wire_message message_ledger_head;         /* struct ledger_head */
extern const struct wire_message message_demand;              /* struct demand */
extern const struct wire_message message_offer;               /* struct offer */
extern const struct wire_message message_job_specification;   /* struct job_specification */
extern const struct wire_message message_job_submission;      /* struct job_submission */
extern const struct wire_message message_offer_files_request; /* struct offer_files_request */
extern const struct wire_message message_round_response;      /* struct round_response */

/* Every method, for tools and fuzzing: [methods_count]. */
extern const struct wire_method *const methods_all[];
extern const size_t methods_count;

#endif
