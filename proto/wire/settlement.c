/* Settlement: the tables of periods, net positions and write-offs. */
#include "entente/v1/operator.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row write_off_request_rows[] = {
    ROW_MEMBER(write_off_request, member),
    ROW_LINE(write_off_request, reference, 0, TEXT_BYTES_MAX),
};

static const struct wire_message message_write_off_request = WIRE_MESSAGE(write_off_request, NULL);

static const struct wire_row settlement_request_rows[] = {
    ROW_COUNTER(settlement_request, period),
};

static const struct wire_message message_settlement_request =
    WIRE_MESSAGE(settlement_request, NULL);

static const struct wire_row settlement_summary_rows[] = {
    ROW_COUNTER(settlement_summary, period),
    ROW_WALL(settlement_summary, from_wall_ms),
    ROW_WALL(settlement_summary, until_wall_ms),
    ROW_WALL(settlement_summary, due_wall_ms),
    ROW_U32(settlement_summary, members, 0, MEMBERS_MAX),
    ROW_U32(settlement_summary, owing, 0, MEMBERS_MAX),
    ROW_CREDITS(settlement_summary, owed),
    ROW_CREDITS(settlement_summary, open),
};

static const struct wire_message message_settlement_summary =
    WIRE_MESSAGE(settlement_summary, NULL);

static const struct wire_row settlement_row_rows[] = {
    ROW_MEMBER(settlement_row, member),   ROW_CREDITS(settlement_row, opening),
    ROW_CREDITS(settlement_row, earned),  ROW_CREDITS(settlement_row, spent),
    ROW_CREDITS(settlement_row, paid_in), ROW_CREDITS(settlement_row, corrected),
    ROW_CREDITS(settlement_row, closing), ROW_CREDITS(settlement_row, owed),
    ROW_CREDITS(settlement_row, open),    ROW_BOOL(settlement_row, overdue),
};

static const struct wire_message message_settlement_row = WIRE_MESSAGE(settlement_row, NULL);

static const struct wire_row settlements_response_rows[] = {
    ROW_STRUCTS(settlements_response, periods, period_count, settlement_summary,
                message_settlement_summary, 0, ROWS_PER_PAGE_MAX),
};

static const struct wire_message message_settlements_response =
    WIRE_MESSAGE(settlements_response, NULL);

static const struct wire_row settlement_response_rows[] = {
    ROW_STRUCT(settlement_response, period, settlement_summary, message_settlement_summary),
    ROW_STRUCTS(settlement_response, members, member_count, settlement_row, message_settlement_row,
                0, MEMBERS_MAX),
};

static const struct wire_message message_settlement_response =
    WIRE_MESSAGE(settlement_response, NULL);

/* ---- methods */

const struct wire_method method_member_write_off = WIRE_METHOD(
    "OperatorService/MemberWriteOff", WIRE_UNARY, message_write_off_request, wire_message_empty);
const struct wire_method method_settlement_list =
    WIRE_METHOD("OperatorService/SettlementList", WIRE_UNARY, wire_message_page_request,
                message_settlements_response);
const struct wire_method method_settlement_show =
    WIRE_METHOD("OperatorService/SettlementShow", WIRE_UNARY, message_settlement_request,
                message_settlement_response);
const struct wire_method method_settlement_close = WIRE_METHOD(
    "OperatorService/SettlementClose", WIRE_UNARY, wire_message_empty, message_settlement_response);
