/* Member: the tables and methods of MemberService. */
#include "entente/v1/member.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row renew_request_rows[] = {
    ROW_TEXT(renew_request, csr_pem, wire_rule_lines, 1, CERTIFICATE_BYTES_MAX),
};

static const struct wire_message message_renew_request = WIRE_MESSAGE(renew_request, NULL);

static const struct wire_row renew_response_rows[] = {
    ROW_TEXT(renew_response, chain_pem, wire_rule_lines, 1, CERTIFICATE_BYTES_MAX),
};

static const struct wire_message message_renew_response = WIRE_MESSAGE(renew_response, NULL);

/* ---- heartbeat */

static const struct wire_row heartbeat_request_rows[] = {
    ROW_STRUCT(heartbeat_request, offer, offer, message_offer),
    ROW_WALL(heartbeat_request, sent_wall_ms),
    ROW_LINE(heartbeat_request, version, 0, WIRE_VERSION_BYTES_MAX),
    ROW_COUNTER(heartbeat_request, lease_events_seen),
    ROW_STRUCTS(heartbeat_request, held, held_count, lease_id, wire_message_lease_id, 0,
                LEASES_PER_HEARTBEAT_MAX),
    ROW_COUNTER(heartbeat_request, ledger_head_sequence),
    ROW_DIGEST_OPTIONAL(heartbeat_request, ledger_head),
    ROW_STRUCT_OPTIONAL(heartbeat_request, signed_head, signed_bytes, wire_message_signed_bytes),
    ROW_COUNTER(heartbeat_request, broker_incarnation),
    ROW_BOOL(heartbeat_request, reported),
};

static const struct wire_message message_heartbeat_request = WIRE_MESSAGE(heartbeat_request, NULL);

static const struct wire_row revocation_rows[] = {
    ROW_MEMBER(revocation, member),
};

static const struct wire_message message_revocation = WIRE_MESSAGE(revocation, NULL);

static const struct wire_row revocation_list_rows[] = {
    ROW_COUNTER(revocation_list, number),
    ROW_WALL(revocation_list, issued_wall_ms),
    ROW_STRUCTS(revocation_list, revoked, revoked_count, revocation, message_revocation, 0,
                MEMBERS_MAX),
};

const struct wire_message message_revocation_list = WIRE_MESSAGE(revocation_list, NULL);

static const struct wire_row heartbeat_response_rows[] = {
    ROW_U64(heartbeat_response, broker_incarnation, 1, WIRE_COUNTER_MAX),
    ROW_WALL(heartbeat_response, broker_wall_ms),
    ROW_DURATION(heartbeat_response, round_ms),
    ROW_DURATION(heartbeat_response, next_round_in_ms),
    ROW_I64(heartbeat_response, heartbeat_every_ms, 1, WIRE_DURATION_MS_MAX),
    ROW_STRUCT_OPTIONAL(heartbeat_response, revocations, signed_bytes, wire_message_signed_bytes),
    ROW_STRUCTS(heartbeat_response, lease_keys, lease_key_count, lease_key, wire_message_lease_key,
                0, WIRE_LEASE_KEYS_MAX),
    ROW_COUNTER(heartbeat_response, ledger_head_sequence),
    ROW_DIGEST_OPTIONAL(heartbeat_response, ledger_head),
    ROW_CREDITS(heartbeat_response, balance),
    ROW_CREDITS(heartbeat_response, escrow),
    ROW_STRUCTS(heartbeat_response, deliveries, delivery_count, delivery_row,
                wire_message_delivery_row, 0, POOLS_PER_MEMBER_MAX),
    ROW_STRUCT_OPTIONAL(heartbeat_response, signed_head, signed_bytes, wire_message_signed_bytes),
};

static const struct wire_message message_heartbeat_response =
    WIRE_MESSAGE(heartbeat_response, NULL);

/* ---- after a restore */

static const struct wire_row ledger_head_rows[] = {
    ROW_U64(ledger_head, incarnation, 1, WIRE_COUNTER_MAX),
    ROW_U64(ledger_head, sequence, 1, WIRE_COUNTER_MAX),
    ROW_DIGEST(ledger_head, hash),
    ROW_WALL(ledger_head, signed_wall_ms),
};

const struct wire_message message_ledger_head = WIRE_MESSAGE(ledger_head, NULL);

static const struct wire_row report_held_request_rows[] = {
    ROW_STRUCTS(report_held_request, leases, lease_count, signed_bytes, wire_message_signed_bytes,
                0, LEASES_PER_REPORT_MAX),
    ROW_STRUCT_OPTIONAL(report_held_request, revocations, signed_bytes, wire_message_signed_bytes),
    ROW_STRUCTS(report_held_request, heads, head_count, signed_bytes, wire_message_signed_bytes, 0,
                HEADS_PER_MEMBER_MAX),
};

static const struct wire_message message_report_held_request =
    WIRE_MESSAGE(report_held_request, NULL);

/* ---- jobs on the market */

static const struct wire_row profile_row_rows[] = {
    ROW_NAME(profile_row, gpu),
    ROW_U32(profile_row, gpus, 1, WIRE_GPUS_PER_JOB_MAX),
    ROW_U32(profile_row, nodes, 1, NODES_PER_LEASE_MAX),
    ROW_U32(profile_row, gpus_on_fullest, 1, GPUS_PER_NODE_MAX),
    ROW_DOUBLE(profile_row, batch, 1e-9, 1e9),
    ROW_DOUBLE(profile_row, step_seconds, 1e-7, 1e6),
};

static const struct wire_message message_profile_row = WIRE_MESSAGE(profile_row, NULL);

static const struct wire_row submit_request_rows[] = {
    ROW_DIGEST(submit_request, request_key),
    ROW_WALL(submit_request, issued_wall_ms),
    ROW_STRUCT(submit_request, demand, demand, message_demand),
    ROW_STRUCTS(submit_request, profile, profile_count, profile_row, message_profile_row, 0,
                PROFILE_ROWS_MAX),
};

static const struct wire_message message_submit_request = WIRE_MESSAGE(submit_request, NULL);

static const struct wire_row submit_response_rows[] = {
    ROW_BOOL(submit_response, profile_wanted),
};

static const struct wire_message message_submit_response = WIRE_MESSAGE(submit_response, NULL);

static const struct wire_row cancel_request_rows[] = {
    ROW_DIGEST(cancel_request, request_key),
    ROW_WALL(cancel_request, issued_wall_ms),
    ROW_NAME(cancel_request, job),
    ROW_BOOL(cancel_request, completed),
};

static const struct wire_message message_cancel_request = WIRE_MESSAGE(cancel_request, NULL);

/* ---- leases */

static const struct wire_row watch_leases_request_rows[] = {
    ROW_COUNTER(watch_leases_request, after_sequence),
};

static const struct wire_message message_watch_leases_request =
    WIRE_MESSAGE(watch_leases_request, NULL);

static const struct wire_row lease_event_rows[] = {
    ROW_U64(lease_event, sequence, 1, WIRE_COUNTER_MAX),
    ROW_ENUM(lease_event, kind, LEASE_EVENT_KIND_COUNT),
    ROW_LEASE(lease_event, lease),
    ROW_STRUCT_OPTIONAL(lease_event, signed_lease, signed_bytes, wire_message_signed_bytes),
    ROW_DURATION(lease_event, grace_ms),
    ROW_PROSE(lease_event, reason),
};

static enum status check_lease_event(const void *domain, const struct wire_path *path,
                                     struct fault *fault)
{
    const struct lease_event *event = domain;
    if (event->kind == LEASE_EVENT_GRANT && event->signed_lease.body.size == 0)
        return wire_refuse(path, "signed_lease", STATUS_INVALID, fault, "is missing in a grant");
    return STATUS_OK;
}

static const struct wire_message message_lease_event = WIRE_MESSAGE(lease_event, check_lease_event);

static const struct wire_row lease_report_rows[] = {
    ROW_LEASE(lease_report, lease),
    ROW_ENUM(lease_report, kind, LEASE_REPORT_KIND_COUNT),
    ROW_PROSE(lease_report, text),
    ROW_COUNTER(lease_report, examples),
    ROW_DOUBLE(lease_report, examples_per_second, 0, WIRE_THROUGHPUT_MAX),
};

static const struct wire_message message_lease_report = WIRE_MESSAGE(lease_report, NULL);

static const struct wire_row report_leases_request_rows[] = {
    ROW_STRUCTS(report_leases_request, reports, report_count, lease_report, message_lease_report, 0,
                LEASES_PER_HEARTBEAT_MAX),
};

static const struct wire_message message_report_leases_request =
    WIRE_MESSAGE(report_leases_request, NULL);

/* ---- receipts */

static const struct wire_row report_receipts_request_rows[] = {
    ROW_STRUCTS(report_receipts_request, receipts, receipt_count, signed_receipt,
                message_signed_receipt, 0, RECEIPTS_PER_REPORT_MAX),
};

static const struct wire_message message_report_receipts_request =
    WIRE_MESSAGE(report_receipts_request, NULL);

static const struct wire_row receipt_verdict_rows[] = {
    ROW_LEASE(receipt_verdict, lease),
    ROW_U32(receipt_verdict, sequence, 1, UINT32_MAX),
    ROW_BOOL(receipt_verdict, accepted),
    ROW_PROSE(receipt_verdict, reason),
};

static const struct wire_message message_receipt_verdict = WIRE_MESSAGE(receipt_verdict, NULL);

static const struct wire_row report_receipts_response_rows[] = {
    ROW_STRUCTS(report_receipts_response, verdicts, verdict_count, receipt_verdict,
                message_receipt_verdict, 0, RECEIPTS_PER_REPORT_MAX),
};

static const struct wire_message message_report_receipts_response =
    WIRE_MESSAGE(report_receipts_response, NULL);

/* ---- methods */

const struct wire_method method_renew =
    WIRE_METHOD("MemberService/Renew", WIRE_UNARY, message_renew_request, message_renew_response);
const struct wire_method method_heartbeat = WIRE_METHOD(
    "MemberService/Heartbeat", WIRE_UNARY, message_heartbeat_request, message_heartbeat_response);
const struct wire_method method_submit = WIRE_METHOD(
    "MemberService/Submit", WIRE_UNARY, message_submit_request, message_submit_response);
const struct wire_method method_cancel =
    WIRE_METHOD("MemberService/Cancel", WIRE_UNARY, message_cancel_request, wire_message_empty);
const struct wire_method method_watch_leases =
    WIRE_METHOD("MemberService/WatchLeases", WIRE_SERVER_STREAM, message_watch_leases_request,
                message_lease_event);
const struct wire_method method_report_leases = WIRE_METHOD(
    "MemberService/ReportLeases", WIRE_UNARY, message_report_leases_request, wire_message_empty);
const struct wire_method method_report_held = WIRE_METHOD(
    "MemberService/ReportHeld", WIRE_UNARY, message_report_held_request, wire_message_empty);
const struct wire_method method_report_receipts =
    WIRE_METHOD("MemberService/ReportReceipts", WIRE_UNARY, message_report_receipts_request,
                message_report_receipts_response);
const struct wire_method method_list_jobs = WIRE_METHOD(
    "MemberService/ListJobs", WIRE_UNARY, wire_message_page_request, wire_message_jobs_response);
const struct wire_method method_statement =
    WIRE_METHOD("MemberService/Statement", WIRE_UNARY, wire_message_statement_request,
                wire_message_statement_response);
const struct wire_method method_explain =
    WIRE_METHOD("MemberService/Explain", WIRE_UNARY, wire_message_explain_request,
                wire_message_explain_response);
const struct wire_method method_dispute = WIRE_METHOD(
    "MemberService/Dispute", WIRE_UNARY, wire_message_dispute_request, wire_message_dispute_row);
const struct wire_method method_list_disputes =
    WIRE_METHOD("MemberService/ListDisputes", WIRE_UNARY, wire_message_page_request,
                wire_message_disputes_response);
