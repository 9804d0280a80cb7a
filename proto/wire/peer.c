/* Peer: the tables and methods of PeerService. */
#include "entente/v1/peer.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row accept_request_rows[] = {
    ROW_STRUCT(accept_request, signed_lease, signed_bytes, wire_message_signed_bytes),
    ROW_STRUCT(accept_request, specification, job_specification, message_job_specification),
};

static const struct wire_message message_accept_request = WIRE_MESSAGE(accept_request, NULL);

/* ---- files */

static const struct wire_row offer_files_request_rows[] = {
    ROW_LEASE(offer_files_request, lease),
    ROW_ENUM(offer_files_request, purpose, FILES_PURPOSE_COUNT),
    ROW_STRUCTS(offer_files_request, files, file_count, bundle_file, wire_message_bundle_file, 0,
                FILES_PER_BUNDLE_MAX),
    ROW_COUNTER(offer_files_request, examples),
};

const struct wire_message message_offer_files_request = WIRE_MESSAGE(offer_files_request, NULL);

static const struct wire_row offer_files_response_rows[] = {
    ROW_DIGESTS(offer_files_response, missing, missing_count, WIRE_CHUNKS_PER_OFFER_MAX),
};

static const struct wire_message message_offer_files_response =
    WIRE_MESSAGE(offer_files_response, NULL);

static const struct wire_row push_chunk_request_rows[] = {
    ROW_LEASE(push_chunk_request, lease),
    ROW_DIGEST(push_chunk_request, digest),
    ROW_BYTES(push_chunk_request, data, 1, CHUNK_BYTES_MAX),
};

static const struct wire_message message_push_chunk_request =
    WIRE_MESSAGE(push_chunk_request, NULL);

static const struct wire_row push_chunks_response_rows[] = {
    ROW_U32(push_chunks_response, received, 0, UINT32_MAX),
};

static const struct wire_message message_push_chunks_response =
    WIRE_MESSAGE(push_chunks_response, NULL);

static const struct wire_row commit_files_request_rows[] = {
    ROW_LEASE(commit_files_request, lease),
    ROW_ENUM(commit_files_request, purpose, FILES_PURPOSE_COUNT),
};

static const struct wire_message message_commit_files_request =
    WIRE_MESSAGE(commit_files_request, NULL);

/* ---- the run */

static const struct wire_row lease_request_rows[] = {
    ROW_LEASE(lease_request, lease),
};

static const struct wire_message message_lease_request = WIRE_MESSAGE(lease_request, NULL);

static const struct wire_row watch_job_request_rows[] = {
    ROW_LEASE(watch_job_request, lease),
    ROW_COUNTER(watch_job_request, log_offset),
};

static const struct wire_message message_watch_job_request = WIRE_MESSAGE(watch_job_request, NULL);

static const struct wire_row job_event_rows[] = {
    ROW_ENUM(job_event, kind, JOB_EVENT_KIND_COUNT),
    ROW_ENUM(job_event, state, JOB_STATE_COUNT),
    ROW_COUNTER(job_event, steps),
    ROW_COUNTER(job_event, examples),
    ROW_DOUBLE(job_event, examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_COUNTER(job_event, log_offset),
    ROW_BYTES(job_event, data, 0, CHUNK_BYTES_MAX),
    ROW_I32(job_event, exit_code, INT32_MIN, INT32_MAX),
    ROW_PROSE(job_event, text),
};

static const struct wire_message message_job_event = WIRE_MESSAGE(job_event, NULL);

static const struct wire_row stop_request_rows[] = {
    ROW_LEASE(stop_request, lease),
    ROW_DURATION(stop_request, grace_ms),
    ROW_PROSE(stop_request, reason),
};

static const struct wire_message message_stop_request = WIRE_MESSAGE(stop_request, NULL);

static const struct wire_row countersign_request_rows[] = {
    ROW_STRUCT(countersign_request, receipt, signed_receipt, message_signed_receipt),
};

static const struct wire_message message_countersign_request =
    WIRE_MESSAGE(countersign_request, NULL);

static const struct wire_row countersign_response_rows[] = {
    ROW_STRUCT(countersign_response, receipt, signed_receipt, message_signed_receipt),
};

static const struct wire_message message_countersign_response =
    WIRE_MESSAGE(countersign_response, NULL);

/* ---- methods */

const struct wire_method method_accept =
    WIRE_METHOD("PeerService/Accept", WIRE_UNARY, message_accept_request, wire_message_empty);
const struct wire_method method_offer_files =
    WIRE_METHOD("PeerService/OfferFiles", WIRE_UNARY, message_offer_files_request,
                message_offer_files_response);
const struct wire_method method_push_chunks =
    WIRE_METHOD("PeerService/PushChunks", WIRE_CLIENT_STREAM, message_push_chunk_request,
                message_push_chunks_response);
const struct wire_method method_commit_files = WIRE_METHOD(
    "PeerService/CommitFiles", WIRE_UNARY, message_commit_files_request, wire_message_empty);
const struct wire_method method_start =
    WIRE_METHOD("PeerService/Start", WIRE_UNARY, message_lease_request, wire_message_empty);
const struct wire_method method_watch_job = WIRE_METHOD(
    "PeerService/WatchJob", WIRE_SERVER_STREAM, message_watch_job_request, message_job_event);
const struct wire_method method_stop =
    WIRE_METHOD("PeerService/Stop", WIRE_UNARY, message_stop_request, wire_message_empty);
const struct wire_method method_countersign =
    WIRE_METHOD("PeerService/Countersign", WIRE_UNARY, message_countersign_request,
                message_countersign_response);
