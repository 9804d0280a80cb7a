/*
 * Export: the ledger as text, for auditors and other people's tools.
 *
 * CSV: RFC 4180, a header line, one line an entry. Beancount: a file that bean-check accepts;
 * accounts Assets:Members:Usc, Assets:Escrow:Usc and Equity:Endowment, currency CREDIT, each
 * transaction with its number and hash as metadata. Reads in pages; O(entries). Thread rule: the
 * store's.
 */
#ifndef ENTENTE_BROKER_MONEY_EXPORT_H
#define ENTENTE_BROKER_MONEY_EXPORT_H

#include <stdio.h>

#include "broker/store/store.h"

enum export_format { EXPORT_CSV, EXPORT_BEANCOUNT };

MUST_USE bool export_format_parse(const char *text, enum export_format *format);

/* IO where writing fails. */
MUST_USE enum status export_ledger(struct store *store, enum export_format format, FILE *to,
                                   struct fault *fault);

#endif
