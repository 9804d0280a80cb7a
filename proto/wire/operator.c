/* Operator: the tables and methods of OperatorService. */
#include "entente/v1/operator.pb-c.h"

#include <assert.h>

#include "proto/wire/rows.h"

const char *member_state_name(enum member_state state)
{
    static const char *const names[MEMBER_STATE_COUNT] = {
        "pending",
        "active",
        "suspended",
        "revoked",
    };
    assert((unsigned)state < MEMBER_STATE_COUNT);
    return names[state];
}

/* ---- members */

static const struct wire_row token_create_request_rows[] = {
    ROW_MEMBER(token_create_request, member),
    ROW_I64(token_create_request, ttl_ms, MS_PER_SECOND, WIRE_DURATION_MS_MAX),
    ROW_BOOL(token_create_request, approved),
};

static const struct wire_message message_token_create_request =
    WIRE_MESSAGE(token_create_request, NULL);

static const struct wire_row token_create_response_rows[] = {
    ROW_LINE(token_create_response, token, 1, TOKEN_BYTES_MAX),
    ROW_LINE(token_create_response, enrol_address, 0, ADDRESS_BYTES_MAX),
    ROW_WALL(token_create_response, expires_wall_ms),
};

static const struct wire_message message_token_create_response =
    WIRE_MESSAGE(token_create_response, NULL);

static const struct wire_row member_row_rows[] = {
    ROW_MEMBER(member_row, member),
    ROW_ENUM(member_row, state, MEMBER_STATE_COUNT),
    ROW_WALL(member_row, joined_wall_ms),
    ROW_WALL(member_row, last_heartbeat_wall_ms),
    ROW_COUNTER(member_row, incarnation),
    ROW_LINE(member_row, version, 0, WIRE_VERSION_BYTES_MAX),
    ROW_LINE(member_row, certificate_serial, 0, NAME_BYTES_MAX),
    ROW_WALL(member_row, certificate_until_wall_ms),
    ROW_U32(member_row, gpus_offered, 0, UINT32_MAX),
    ROW_U32(member_row, gpus_free, 0, UINT32_MAX),
    ROW_U32(member_row, jobs_open, 0, UINT32_MAX),
    ROW_CREDITS(member_row, balance),
    ROW_CREDITS(member_row, escrow),
    ROW_CREDITS(member_row, credit_limit),
    ROW_CREDITS(member_row, overdue),
};

static const struct wire_message message_member_row = WIRE_MESSAGE(member_row, NULL);

static const struct wire_row members_response_rows[] = {
    ROW_STRUCTS(members_response, members, member_count, member_row, message_member_row, 0,
                MEMBERS_MAX),
};

static const struct wire_message message_members_response = WIRE_MESSAGE(members_response, NULL);

static const struct wire_row member_action_request_rows[] = {
    ROW_MEMBER(member_action_request, member),
    ROW_ENUM(member_action_request, action, MEMBER_ACTION_COUNT),
};

static const struct wire_message message_member_action_request =
    WIRE_MESSAGE(member_action_request, NULL);

static const struct wire_row credit_request_rows[] = {
    ROW_DIGEST(credit_request, request_key),
    ROW_MEMBER(credit_request, member),
    ROW_BOOL(credit_request, set_limit),
    ROW_CREDITS(credit_request, amount),
    ROW_LINE(credit_request, reference, 0, TEXT_BYTES_MAX),
};

static const struct wire_message message_credit_request = WIRE_MESSAGE(credit_request, NULL);

/* ---- rounds */

static const struct wire_row round_run_request_rows[] = {
    ROW_BOOL(round_run_request, wait_for_period),
};

static const struct wire_message message_round_run_request = WIRE_MESSAGE(round_run_request, NULL);

static const struct wire_row round_request_rows[] = {
    ROW_COUNTER(round_request, round),
};

static const struct wire_message message_round_request = WIRE_MESSAGE(round_request, NULL);

static const struct wire_row round_row_rows[] = {
    ROW_COUNTER(round_row, round),
    ROW_WALL(round_row, started_wall_ms),
    ROW_DURATION(round_row, took_ms),
    ROW_BOOL(round_row, interim),
    ROW_U32(round_row, members, 0, UINT32_MAX),
    ROW_U32(round_row, pools, 0, UINT32_MAX),
    ROW_U32(round_row, gpus, 0, UINT32_MAX),
    ROW_U32(round_row, jobs, 0, UINT32_MAX),
    ROW_U32(round_row, placed, 0, UINT32_MAX),
    ROW_U32(round_row, gpus_placed, 0, UINT32_MAX),
    ROW_CREDITS(round_row, objective),
    ROW_CREDITS(round_row, bound),
    ROW_CREDITS(round_row, epsilon),
    ROW_COUNTER(round_row, fit),
};

static const struct wire_message message_round_row = WIRE_MESSAGE(round_row, NULL);

static const struct wire_row rounds_response_rows[] = {
    ROW_STRUCTS(rounds_response, rounds, round_count, round_row, message_round_row, 0,
                ROWS_PER_PAGE_MAX),
};

static const struct wire_message message_rounds_response = WIRE_MESSAGE(rounds_response, NULL);

static const struct wire_row round_pool_row_rows[] = {
    ROW_POOL(round_pool_row, pool),
    ROW_U32(round_pool_row, gpus, 0, WIRE_GPUS_PER_POOL_MAX),
    ROW_U32(round_pool_row, gpus_placed, 0, WIRE_GPUS_PER_POOL_MAX),
    ROW_PRICE(round_pool_row, cost),
    ROW_PRICE(round_pool_row, price),
};

static const struct wire_message message_round_pool_row = WIRE_MESSAGE(round_pool_row, NULL);

static const struct wire_row round_placement_row_rows[] = {
    ROW_NAME(round_placement_row, job),
    ROW_MEMBER(round_placement_row, home),
    ROW_POOL(round_placement_row, pool),
    ROW_U32(round_placement_row, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_LEASE_OPTIONAL(round_placement_row, lease),
    ROW_BOOL(round_placement_row, renewed),
    ROW_DOUBLE(round_placement_row, predicted_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_PRICE(round_placement_row, price),
    ROW_CREDITS(round_placement_row, worth),
    ROW_CREDITS(round_placement_row, payment),
};

static const struct wire_message message_round_placement_row =
    WIRE_MESSAGE(round_placement_row, NULL);

static const struct wire_row round_member_row_rows[] = {
    ROW_MEMBER(round_member_row, member),  ROW_CREDITS(round_member_row, alone),
    ROW_CREDITS(round_member_row, payoff), ROW_CREDITS(round_member_row, owen),
    ROW_CREDITS(round_member_row, side),
};

static const struct wire_message message_round_member_row = WIRE_MESSAGE(round_member_row, NULL);

static const struct wire_row round_response_rows[] = {
    ROW_STRUCT(round_response, row, round_row, message_round_row),
    ROW_STRUCTS(round_response, pools, pool_count, round_pool_row, message_round_pool_row, 0,
                WIRE_ROUND_ROWS_MAX),
    ROW_STRUCTS(round_response, placements, placement_count, round_placement_row,
                message_round_placement_row, 0, WIRE_ROUND_ROWS_MAX),
    ROW_STRUCTS(round_response, members, member_count, round_member_row, message_round_member_row,
                0, MEMBERS_MAX),
    ROW_LINE(round_response, mechanism, 0, NAME_BYTES_MAX),
    ROW_PROSE(round_response, certificate),
    ROW_BOOL(round_response, epsilon_exact),
    ROW_DIGEST_OPTIONAL(round_response, plan_digest),
    ROW_PROSE(round_response, split_remark),
};

const struct wire_message message_round_response = WIRE_MESSAGE(round_response, NULL);

/* ---- ledger, leases, status */

static const struct wire_row ledger_verify_response_rows[] = {
    ROW_COUNTER(ledger_verify_response, entries),
    ROW_COUNTER(ledger_verify_response, transactions),
    ROW_BOOL(ledger_verify_response, verified),
    ROW_PROSE(ledger_verify_response, problem),
    ROW_DIGEST_OPTIONAL(ledger_verify_response, head),
    ROW_CREDITS(ledger_verify_response, sum),
    ROW_U32(ledger_verify_response, heads, 0, UINT32_MAX),
    ROW_COUNTER(ledger_verify_response, entries_lost),
};

static const struct wire_message message_ledger_verify_response =
    WIRE_MESSAGE(ledger_verify_response, NULL);

static const struct wire_row ledger_page_response_rows[] = {
    ROW_STRUCTS(ledger_page_response, entries, entry_count, ledger_entry, wire_message_ledger_entry,
                0, ROWS_PER_PAGE_MAX),
    ROW_COUNTER(ledger_page_response, next_after),
};

static const struct wire_message message_ledger_page_response =
    WIRE_MESSAGE(ledger_page_response, NULL);

static const struct wire_row lease_row_rows[] = {
    ROW_LEASE(lease_row, lease),       ROW_ENUM(lease_row, state, LEASE_STATE_COUNT),
    ROW_NAME(lease_row, job),          ROW_MEMBER(lease_row, home),
    ROW_POOL(lease_row, pool),         ROW_U32(lease_row, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_PRICE(lease_row, price),       ROW_CREDITS(lease_row, cap),
    ROW_CREDITS(lease_row, paid),      ROW_WALL(lease_row, granted_wall_ms),
    ROW_WALL(lease_row, ends_wall_ms),
};

static const struct wire_message message_lease_row = WIRE_MESSAGE(lease_row, NULL);

static const struct wire_row leases_response_rows[] = {
    ROW_STRUCTS(leases_response, leases, lease_count, lease_row, message_lease_row, 0,
                ROWS_PER_PAGE_MAX),
    ROW_COUNTER(leases_response, next_after),
};

static const struct wire_message message_leases_response = WIRE_MESSAGE(leases_response, NULL);

static const struct wire_row quarantine_row_rows[] = {
    ROW_POOL(quarantine_row, pool),
    ROW_U32(quarantine_row, jobs, 0, UINT32_MAX),
    ROW_WALL(quarantine_row, until_wall_ms),
    ROW_PROSE(quarantine_row, reason),
};

static const struct wire_message message_quarantine_row = WIRE_MESSAGE(quarantine_row, NULL);

static const struct wire_row broker_status_response_rows[] = {
    ROW_MEMBER(broker_status_response, federation),
    ROW_LINE(broker_status_response, version, 0, WIRE_VERSION_BYTES_MAX),
    ROW_COUNTER(broker_status_response, incarnation),
    ROW_DURATION(broker_status_response, up_ms),
    ROW_U32(broker_status_response, members_active, 0, UINT32_MAX),
    ROW_U32(broker_status_response, members_connected, 0, UINT32_MAX),
    ROW_U32(broker_status_response, jobs_waiting, 0, UINT32_MAX),
    ROW_U32(broker_status_response, jobs_placed, 0, UINT32_MAX),
    ROW_U32(broker_status_response, gpus_offered, 0, UINT32_MAX),
    ROW_U32(broker_status_response, gpus_leased, 0, UINT32_MAX),
    ROW_COUNTER(broker_status_response, rounds),
    ROW_DURATION(broker_status_response, next_round_in_ms),
    ROW_DURATION(broker_status_response, round_ms),
    ROW_U32(broker_status_response, members_awaited, 0, UINT32_MAX),
    ROW_DURATION(broker_status_response, recovery_ms_left),
    ROW_PROSE(broker_status_response, ledger_warning),
    ROW_STRUCTS(broker_status_response, quarantined, quarantined_count, quarantine_row,
                message_quarantine_row, 0, WIRE_QUARANTINED_MAX),
    ROW_U32(broker_status_response, disputes_open, 0, UINT32_MAX),
};

static const struct wire_message message_broker_status_response =
    WIRE_MESSAGE(broker_status_response, NULL);

/* ---- throughput */

static const struct wire_row measured_row_rows[] = {
    ROW_COUNTER(measured_row, row),
    ROW_WALL(measured_row, measured_wall_ms),
    ROW_NAME(measured_row, job),
    ROW_NAME_OPTIONAL(measured_row, model),
    ROW_MEMBER(measured_row, home),
    ROW_POOL(measured_row, pool),
    ROW_U32(measured_row, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_U32(measured_row, nodes, 0, NODES_PER_LEASE_MAX),
    ROW_DOUBLE(measured_row, batch, 0, WIRE_EXAMPLES_MAX),
    ROW_DOUBLE(measured_row, measured_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(measured_row, predicted_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(measured_row, low_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(measured_row, high_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_LINE(measured_row, basis, 0, NAME_BYTES_MAX),
    ROW_BOOL(measured_row, confirmed),
    ROW_BOOL(measured_row, profile),
    ROW_COUNTER(measured_row, fit),
};

static const struct wire_message message_measured_row = WIRE_MESSAGE(measured_row, NULL);

static const struct wire_row forecast_row_rows[] = {
    ROW_NAME_OPTIONAL(forecast_row, model),
    ROW_POOL(forecast_row, pool),
    ROW_U32(forecast_row, rows, 0, UINT32_MAX),
    ROW_DOUBLE(forecast_row, median_ape, 0, WIRE_CREDITS_REAL_MAX),
    ROW_DOUBLE(forecast_row, mean_ape, 0, WIRE_CREDITS_REAL_MAX),
    ROW_U32(forecast_row, intervals, 0, UINT32_MAX),
    ROW_DOUBLE(forecast_row, coverage90, 0, 100),
};

static const struct wire_message message_forecast_row = WIRE_MESSAGE(forecast_row, NULL);

static const struct wire_row throughput_response_rows[] = {
    ROW_COUNTER(throughput_response, fit),
    ROW_WALL(throughput_response, fit_made_wall_ms),
    ROW_U32(throughput_response, fit_rows, 0, UINT32_MAX),
    ROW_U32(throughput_response, fit_models, 0, UINT32_MAX),
    ROW_U32(throughput_response, fit_clusters, 0, UINT32_MAX),
    ROW_STRUCTS(throughput_response, rows, row_count, measured_row, message_measured_row, 0,
                ROWS_PER_PAGE_MAX),
    ROW_STRUCTS(throughput_response, forecasts, forecast_count, forecast_row, message_forecast_row,
                0, ROWS_PER_PAGE_MAX),
    ROW_STRUCTS(throughput_response, deliveries, delivery_count, delivery_row,
                wire_message_delivery_row, 0, WIRE_DELIVERIES_MAX),
    ROW_COUNTER(throughput_response, next_after),
};

static const struct wire_message message_throughput_response =
    WIRE_MESSAGE(throughput_response, NULL);

/* ---- methods */

const struct wire_method method_token_create =
    WIRE_METHOD("OperatorService/TokenCreate", WIRE_UNARY, message_token_create_request,
                message_token_create_response);
const struct wire_method method_member_list = WIRE_METHOD(
    "OperatorService/MemberList", WIRE_UNARY, wire_message_empty, message_members_response);
const struct wire_method method_member_action = WIRE_METHOD(
    "OperatorService/MemberAction", WIRE_UNARY, message_member_action_request, wire_message_empty);
const struct wire_method method_member_credit = WIRE_METHOD(
    "OperatorService/MemberCredit", WIRE_UNARY, message_credit_request, wire_message_empty);
const struct wire_method method_round_run = WIRE_METHOD(
    "OperatorService/RoundRun", WIRE_UNARY, message_round_run_request, message_round_response);
const struct wire_method method_round_list = WIRE_METHOD(
    "OperatorService/RoundList", WIRE_UNARY, wire_message_page_request, message_rounds_response);
const struct wire_method method_round_show = WIRE_METHOD(
    "OperatorService/RoundShow", WIRE_UNARY, message_round_request, message_round_response);
const struct wire_method method_ledger_verify = WIRE_METHOD(
    "OperatorService/LedgerVerify", WIRE_UNARY, wire_message_empty, message_ledger_verify_response);
const struct wire_method method_ledger_page =
    WIRE_METHOD("OperatorService/LedgerPage", WIRE_UNARY, wire_message_page_request,
                message_ledger_page_response);
const struct wire_method method_operator_statement =
    WIRE_METHOD("OperatorService/Statement", WIRE_UNARY, wire_message_statement_request,
                wire_message_statement_response);
const struct wire_method method_operator_explain =
    WIRE_METHOD("OperatorService/Explain", WIRE_UNARY, wire_message_explain_request,
                wire_message_explain_response);
const struct wire_method method_operator_jobs = WIRE_METHOD(
    "OperatorService/Jobs", WIRE_UNARY, wire_message_page_request, wire_message_jobs_response);
const struct wire_method method_lease_list = WIRE_METHOD(
    "OperatorService/LeaseList", WIRE_UNARY, wire_message_page_request, message_leases_response);
const struct wire_method method_broker_status = WIRE_METHOD(
    "OperatorService/Status", WIRE_UNARY, wire_message_empty, message_broker_status_response);
const struct wire_method method_throughput =
    WIRE_METHOD("OperatorService/Throughput", WIRE_UNARY, wire_message_page_request,
                message_throughput_response);
const struct wire_method method_operator_disputes =
    WIRE_METHOD("OperatorService/DisputeList", WIRE_UNARY, wire_message_page_request,
                wire_message_disputes_response);
const struct wire_method method_dispute_rule =
    WIRE_METHOD("OperatorService/DisputeRule", WIRE_UNARY, wire_message_dispute_request,
                wire_message_dispute_row);
const struct wire_method method_quarantine_release = WIRE_METHOD(
    "OperatorService/QuarantineRelease", WIRE_UNARY, wire_message_pool_id, wire_message_empty);
