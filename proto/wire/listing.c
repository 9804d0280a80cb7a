/* Listing: the tables of what members and operators both ask for: jobs, statements, explanations.
 */
#include "entente/v1/common.pb-c.h"
#include "proto/wire/rows.h"

const struct wire_message wire_message_empty = {
    .descriptor = &entente__v1__empty__descriptor,
    .size = sizeof(struct empty_message),
};

static const struct wire_row page_request_rows[] = {
    ROW_COUNTER(page_request, after),
    ROW_U32(page_request, rows, 1, ROWS_PER_PAGE_MAX),
};

const struct wire_message wire_message_page_request = WIRE_MESSAGE(page_request, NULL);

static const struct wire_row job_row_rows[] = {
    ROW_NAME(job_row, job),
    ROW_MEMBER(job_row, home),
    ROW_MEMBER_OPTIONAL(job_row, host),
    ROW_NAME_OPTIONAL(job_row, gpu),
    ROW_U32(job_row, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_LEASE_OPTIONAL(job_row, lease),
    ROW_LINE(job_row, state, 1, NAME_BYTES_MAX),
    ROW_DOUBLE(job_row, work_left_examples, 0, WIRE_EXAMPLES_MAX),
    ROW_DOUBLE(job_row, predicted_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(job_row, measured_examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_PRICE(job_row, price),
};

static const struct wire_message message_job_row = WIRE_MESSAGE(job_row, NULL);

static const struct wire_row jobs_response_rows[] = {
    ROW_STRUCTS(jobs_response, jobs, job_count, job_row, message_job_row, 0, ROWS_PER_PAGE_MAX),
    ROW_COUNTER(jobs_response, next_after),
};

const struct wire_message wire_message_jobs_response = WIRE_MESSAGE(jobs_response, NULL);

/* ---- the ledger */

static const struct wire_row statement_request_rows[] = {
    ROW_MEMBER_OPTIONAL(statement_request, member),
    ROW_WALL(statement_request, from_wall_ms),
    ROW_WALL(statement_request, until_wall_ms),
    ROW_STRUCT(statement_request, page, page_request, wire_message_page_request),
};

const struct wire_message wire_message_statement_request = WIRE_MESSAGE(statement_request, NULL);

static const struct wire_row ledger_entry_rows[] = {
    ROW_U64(ledger_entry, sequence, 1, WIRE_COUNTER_MAX),
    ROW_U64(ledger_entry, transaction, 1, WIRE_COUNTER_MAX),
    ROW_WALL(ledger_entry, posted_wall_ms),
    ROW_LINE(ledger_entry, account, 1, ADDRESS_BYTES_MAX),
    ROW_CREDITS(ledger_entry, amount),
    ROW_LINE(ledger_entry, kind, 1, NAME_BYTES_MAX),
    ROW_LINE(ledger_entry, reference, 0, TEXT_BYTES_MAX),
    ROW_DIGEST(ledger_entry, hash),
};

const struct wire_message wire_message_ledger_entry = WIRE_MESSAGE(ledger_entry, NULL);

static const struct wire_row statement_response_rows[] = {
    ROW_MEMBER(statement_response, member),
    ROW_CREDITS(statement_response, opening),
    ROW_CREDITS(statement_response, closing),
    ROW_CREDITS(statement_response, escrow),
    ROW_STRUCTS(statement_response, entries, entry_count, ledger_entry, wire_message_ledger_entry,
                0, ROWS_PER_PAGE_MAX),
    ROW_COUNTER(statement_response, next_after),
};

const struct wire_message wire_message_statement_response = WIRE_MESSAGE(statement_response, NULL);

/* ---- explanations */

static const struct wire_row explain_request_rows[] = {
    ROW_NAME(explain_request, job),
};

const struct wire_message wire_message_explain_request = WIRE_MESSAGE(explain_request, NULL);

static const struct wire_row explain_option_rows[] = {
    ROW_POOL(explain_option, pool),
    ROW_U32(explain_option, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
    ROW_DOUBLE(explain_option, examples_per_second, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(explain_option, value_credits, -WIRE_CREDITS_REAL_MAX, WIRE_CREDITS_REAL_MAX),
    ROW_DOUBLE(explain_option, price_per_gpu_second, 0, WIRE_CREDITS_REAL_MAX),
    ROW_DOUBLE(explain_option, surplus_credits, -WIRE_CREDITS_REAL_MAX, WIRE_CREDITS_REAL_MAX),
    ROW_PROSE(explain_option, obstacle),
    ROW_DOUBLE(explain_option, examples_per_second_low, 0, WIRE_THROUGHPUT_MAX),
    ROW_DOUBLE(explain_option, examples_per_second_high, 0, WIRE_THROUGHPUT_MAX),
    ROW_LINE(explain_option, basis, 0, NAME_BYTES_MAX),
};

static const struct wire_row delivery_row_rows[] = {
    ROW_POOL(delivery_row, pool),
    ROW_MEMBER_OPTIONAL(delivery_row, home),
    ROW_U32(delivery_row, factor_ppm, 0, PPM),
    ROW_U32(delivery_row, jobs, 0, UINT32_MAX),
    ROW_U32(delivery_row, homes, 0, MEMBERS_MAX),
};

const struct wire_message wire_message_delivery_row = WIRE_MESSAGE(delivery_row, NULL);

static const struct wire_message message_explain_option = WIRE_MESSAGE(explain_option, NULL);

static const struct wire_row explain_response_rows[] = {
    ROW_NAME(explain_response, job),
    ROW_COUNTER(explain_response, round),
    ROW_BOOL(explain_response, placed),
    ROW_PROSE(explain_response, summary),
    ROW_I64(explain_response, winning_value_nanos_per_example, 0, WIRE_COUNTER_MAX),
    ROW_STRUCTS(explain_response, options, option_count, explain_option, message_explain_option, 0,
                WIRE_OPTIONS_MAX),
};

const struct wire_message wire_message_explain_response = WIRE_MESSAGE(explain_response, NULL);
