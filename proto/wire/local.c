/* Local: the tables and methods of LocalService. */
#include "entente/v1/local.pb-c.h"
#include "proto/wire/rows.h"

enum { JOB_PLACEMENT_COUNT = JOB_ANY + 1 };

static const struct wire_row job_submission_rows[] = {
    ROW_STRUCT(job_submission, specification, job_specification,
               wire_message_submitted_specification),
    ROW_STRUCT(job_submission, demand, demand, wire_message_submitted_demand),
    ROW_ENUM(job_submission, placement, JOB_PLACEMENT_COUNT),
    ROW_U32(job_submission, retries, 0, WIRE_RETRIES_MAX),
    ROW_TEXT(job_submission, directory, wire_rule_absolute_path, 1, WIRE_PATH_BYTES_MAX),
};

const struct wire_message message_job_submission = WIRE_MESSAGE(job_submission, NULL);

static const struct wire_row job_request_rows[] = {
    ROW_NAME(job_request, job),
};

static const struct wire_message message_job_request = WIRE_MESSAGE(job_request, NULL);

static const struct wire_row local_job_row_rows[] = {
    ROW_NAME(local_job_row, job),
    ROW_ENUM(local_job_row, state, JOB_STATE_COUNT),
    ROW_ENUM(local_job_row, placement, JOB_PLACEMENT_COUNT),
    ROW_MEMBER_OPTIONAL(local_job_row, host),
    ROW_NAME_OPTIONAL(local_job_row, gpu),
    ROW_U32(local_job_row, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_LEASE_OPTIONAL(local_job_row, lease),
    ROW_COUNTER(local_job_row, examples_done),
    ROW_DOUBLE(local_job_row, work_examples, 0, WIRE_EXAMPLES_MAX),
    ROW_DOUBLE(local_job_row, examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(local_job_row, predicted_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_PRICE(local_job_row, price),
    ROW_CREDITS(local_job_row, paid),
    ROW_U32(local_job_row, starts, 0, UINT32_MAX),
    ROW_U32(local_job_row, retries_left, 0, WIRE_RETRIES_MAX),
    ROW_I32(local_job_row, exit_code, INT32_MIN, INT32_MAX),
    ROW_WALL(local_job_row, submitted_wall_ms),
    ROW_WALL(local_job_row, started_wall_ms),
    ROW_WALL(local_job_row, ended_wall_ms),
    ROW_PROSE(local_job_row, text),
};

static const struct wire_message message_local_job_row = WIRE_MESSAGE(local_job_row, NULL);

static const struct wire_row local_jobs_response_rows[] = {
    ROW_STRUCTS(local_jobs_response, jobs, job_count, local_job_row, message_local_job_row, 0,
                JOBS_PER_MEMBER_MAX),
};

static const struct wire_message message_local_jobs_response =
    WIRE_MESSAGE(local_jobs_response, NULL);

static const struct wire_row logs_request_rows[] = {
    ROW_NAME(logs_request, job),
    ROW_BOOL(logs_request, follow),
    ROW_COUNTER(logs_request, offset),
};

static const struct wire_message message_logs_request = WIRE_MESSAGE(logs_request, NULL);

static const struct wire_row log_chunk_rows[] = {
    ROW_COUNTER(log_chunk, offset),
    ROW_BYTES(log_chunk, data, 0, CHUNK_BYTES_MAX),
};

static const struct wire_message message_log_chunk = WIRE_MESSAGE(log_chunk, NULL);

static const struct wire_row fetch_request_rows[] = {
    ROW_NAME(fetch_request, job),
    ROW_TEXT(fetch_request, directory, wire_rule_absolute_path, 1, WIRE_PATH_BYTES_MAX),
};

static const struct wire_message message_fetch_request = WIRE_MESSAGE(fetch_request, NULL);

static const struct wire_row fetch_response_rows[] = {
    ROW_TEXTS(fetch_response, paths, path_count, wire_rule_line, 0, FILES_PER_BUNDLE_MAX,
              WIRE_PATH_BYTES_MAX),
    ROW_COUNTER(fetch_response, size_bytes),
};

static const struct wire_message message_fetch_response = WIRE_MESSAGE(fetch_response, NULL);

static const struct wire_row drain_request_rows[] = {
    ROW_BOOL(drain_request, drain),
};

static const struct wire_message message_drain_request = WIRE_MESSAGE(drain_request, NULL);

/* ---- status */

static const struct wire_row peer_pool_row_rows[] = {
    ROW_NAME(peer_pool_row, gpu),
    ROW_U32(peer_pool_row, gpus, 0, WIRE_GPUS_PER_POOL_MAX),
    ROW_U32(peer_pool_row, gpus_local, 0, WIRE_GPUS_PER_POOL_MAX),
    ROW_U32(peer_pool_row, gpus_leased, 0, WIRE_GPUS_PER_POOL_MAX),
    ROW_U32(peer_pool_row, gpus_free, 0, WIRE_GPUS_PER_POOL_MAX),
};

static const struct wire_message message_peer_pool_row = WIRE_MESSAGE(peer_pool_row, NULL);

static const struct wire_row hosted_row_rows[] = {
    ROW_LEASE(hosted_row, lease),
    ROW_NAME(hosted_row, job),
    ROW_MEMBER(hosted_row, home),
    ROW_NAME(hosted_row, gpu),
    ROW_U32(hosted_row, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_ENUM(hosted_row, state, JOB_STATE_COUNT),
    ROW_DURATION(hosted_row, held_ms),
    ROW_I64(hosted_row, ends_in_ms, -WIRE_DURATION_MS_MAX, WIRE_DURATION_MS_MAX),
    ROW_DOUBLE(hosted_row, examples_per_second, 0, WIRE_THROUGHPUT_MAX),
};

static const struct wire_message message_hosted_row = WIRE_MESSAGE(hosted_row, NULL);

static const struct wire_row peer_status_response_rows[] = {
    ROW_MEMBER(peer_status_response, member),
    ROW_MEMBER_OPTIONAL(peer_status_response, federation),
    ROW_LINE(peer_status_response, version, 0, WIRE_VERSION_BYTES_MAX),
    ROW_COUNTER(peer_status_response, incarnation),
    ROW_BOOL(peer_status_response, broker_connected),
    ROW_BOOL(peer_status_response, draining),
    ROW_LINE(peer_status_response, broker_address, 0, ADDRESS_BYTES_MAX),
    ROW_WALL(peer_status_response, certificate_until_wall_ms),
    ROW_CREDITS(peer_status_response, balance),
    ROW_CREDITS(peer_status_response, escrow),
    ROW_STRUCTS(peer_status_response, pools, pool_count, peer_pool_row, message_peer_pool_row, 0,
                POOLS_PER_MEMBER_MAX),
    ROW_STRUCTS(peer_status_response, hosted, hosted_count, hosted_row, message_hosted_row, 0,
                LEASES_PER_HEARTBEAT_MAX),
    ROW_U32(peer_status_response, jobs_queued, 0, UINT32_MAX),
    ROW_U32(peer_status_response, jobs_running, 0, UINT32_MAX),
    ROW_U32(peer_status_response, receipts_unsettled, 0, UINT32_MAX),
    ROW_STRUCTS(peer_status_response, deliveries, delivery_count, delivery_row,
                wire_message_delivery_row, 0, POOLS_PER_MEMBER_MAX),
};

static const struct wire_message message_peer_status_response =
    WIRE_MESSAGE(peer_status_response, NULL);

/* ---- methods */

const struct wire_method method_job_submit =
    WIRE_METHOD("LocalService/JobSubmit", WIRE_UNARY, message_job_submission, message_job_request);
const struct wire_method method_job_list = WIRE_METHOD(
    "LocalService/JobList", WIRE_UNARY, wire_message_empty, message_local_jobs_response);
const struct wire_method method_job_show =
    WIRE_METHOD("LocalService/JobShow", WIRE_UNARY, message_job_request, message_local_job_row);
const struct wire_method method_job_cancel =
    WIRE_METHOD("LocalService/JobCancel", WIRE_UNARY, message_job_request, wire_message_empty);
const struct wire_method method_job_logs = WIRE_METHOD("LocalService/JobLogs", WIRE_SERVER_STREAM,
                                                       message_logs_request, message_log_chunk);
const struct wire_method method_job_fetch =
    WIRE_METHOD("LocalService/JobFetch", WIRE_UNARY, message_fetch_request, message_fetch_response);
const struct wire_method method_peer_drain =
    WIRE_METHOD("LocalService/Drain", WIRE_UNARY, message_drain_request, wire_message_empty);
const struct wire_method method_peer_status = WIRE_METHOD(
    "LocalService/Status", WIRE_UNARY, wire_message_empty, message_peer_status_response);
const struct wire_method method_local_statement =
    WIRE_METHOD("LocalService/Statement", WIRE_UNARY, wire_message_statement_request,
                wire_message_statement_response);
const struct wire_method method_local_explain =
    WIRE_METHOD("LocalService/Explain", WIRE_UNARY, wire_message_explain_request,
                wire_message_explain_response);
const struct wire_method method_local_dispute = WIRE_METHOD(
    "LocalService/Dispute", WIRE_UNARY, wire_message_dispute_request, wire_message_dispute_row);
const struct wire_method method_local_disputes =
    WIRE_METHOD("LocalService/DisputeList", WIRE_UNARY, wire_message_page_request,
                wire_message_disputes_response);
