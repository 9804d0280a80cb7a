/*
 * Show: tables for people, of messages that the commands of both daemons print.
 *
 * The message is as the wire checked it: every text is there and bounded. Thread rule: one thread.
 * Complexity: O(rows).
 */
#ifndef ENTENTE_PROTO_SHOW_SHOW_H
#define ENTENTE_PROTO_SHOW_SHOW_H

#include <stdio.h>

#include "proto/wire/messages.h"

/* Opening balance, the entries there are, closing balance. That there are more is the caller's to
 * say. */
void show_statement(const struct statement_response *statement, FILE *to);

/* Disputes over receipts, as a table; one with what everybody said and what comes next. */
void show_disputes(const struct disputes_response *response, FILE *to);
void show_dispute(const struct dispute_row *row, FILE *to);

/* What became of a job in the market and why, and every option it had. */
void show_explanation(const struct explain_response *explanation, FILE *to);

/* What hosts deliver of what is predicted there. */
void show_deliveries(const struct delivery_row *rows, uint32_t count, FILE *to);

#endif
