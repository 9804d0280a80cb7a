/* Dispute: the tables of what home, host and operator say of a receipt. */
#include "entente/v1/common.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row dispute_request_rows[] = {
    ROW_LEASE(dispute_request, lease),
    ROW_U32(dispute_request, sequence, 1, UINT32_MAX),
    ROW_ENUM(dispute_request, action, DISPUTE_ACTION_COUNT),
    ROW_DURATION(dispute_request, payable_ms),
    ROW_TEXT(dispute_request, text, wire_rule_prose, 0, DISPUTE_TEXT_BYTES_MAX),
};

const struct wire_message wire_message_dispute_request = WIRE_MESSAGE(dispute_request, NULL);

static const struct wire_row dispute_row_rows[] = {
    ROW_LEASE(dispute_row, lease),
    ROW_U32(dispute_row, sequence, 1, UINT32_MAX),
    ROW_NAME(dispute_row, job),
    ROW_MEMBER(dispute_row, home),
    ROW_MEMBER(dispute_row, host),
    ROW_ENUM(dispute_row, state, DISPUTE_STATE_COUNT),
    ROW_DURATION(dispute_row, claimed_ms),
    ROW_DURATION(dispute_row, conceded_ms),
    ROW_DURATION(dispute_row, payable_ms),
    ROW_CREDITS(dispute_row, amount),
    ROW_TEXT(dispute_row, reason, wire_rule_prose, 0, DISPUTE_TEXT_BYTES_MAX),
    ROW_TEXT(dispute_row, answer, wire_rule_prose, 0, DISPUTE_TEXT_BYTES_MAX),
    ROW_TEXT(dispute_row, ruling, wire_rule_prose, 0, DISPUTE_TEXT_BYTES_MAX),
    ROW_WALL(dispute_row, opened_wall_ms),
    ROW_WALL(dispute_row, deadline_wall_ms),
    ROW_WALL(dispute_row, closed_wall_ms),
};

const struct wire_message wire_message_dispute_row = WIRE_MESSAGE(dispute_row, NULL);

static const struct wire_row disputes_response_rows[] = {
    ROW_STRUCTS(disputes_response, disputes, dispute_count, dispute_row, wire_message_dispute_row,
                0, ROWS_PER_PAGE_MAX),
    ROW_COUNTER(disputes_response, next_after),
};

const struct wire_message wire_message_disputes_response = WIRE_MESSAGE(disputes_response, NULL);
