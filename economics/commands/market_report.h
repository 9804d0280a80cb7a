/* How `market solve` says what it found: tables for people, JSON for programs. */
#ifndef ENTENTE_ECONOMICS_COMMANDS_MARKET_REPORT_H
#define ENTENTE_ECONOMICS_COMMANDS_MARKET_REPORT_H

#include "economics/market/instance/instance.h"
#include "economics/market/outcome/outcome.h"

struct market_report {
    const struct instance *instance;
    const struct outcome_options *options;
    const struct outcome *outcome;
    double read_seconds; /* wall clock */
    double solve_seconds;
    double read_cpu_seconds; /* of all threads */
    double solve_cpu_seconds;
};

void market_report_tables(const struct market_report *report);
MUST_USE enum status market_report_json(const struct market_report *report, struct fault *fault);

/* "welfare", "max-min", "proportional"; "exact", "fast". */
const char *market_objective_name(enum outcome_objective objective);
const char *market_method_name(enum session_method method);
const char *market_phase_name(enum session_phase phase); /* "prepare", "prices", ... */

#endif
