#include "broker/services/service.h"

#include "proto/wire/methods.h"

const struct rpc_handler enrolment_handlers[] = {
    {&method_enrol, service_enrol},
};

const struct rpc_handler member_handlers[] = {
    {&method_renew, service_renew},
    {&method_heartbeat, service_heartbeat},
    {&method_submit, service_submit},
    {&method_cancel, service_cancel},
    {&method_watch_leases, service_watch_leases},
    {&method_report_leases, service_report_leases},
    {&method_report_held, service_report_held},
    {&method_report_receipts, service_report_receipts},
    {&method_list_jobs, service_list_jobs},
    {&method_statement, service_statement},
    {&method_explain, service_explain},
    {&method_dispute, service_dispute},
    {&method_list_disputes, service_list_disputes},
};

const struct rpc_handler operator_handlers[] = {
    {&method_token_create, service_token_create},
    {&method_member_list, service_member_list},
    {&method_member_action, service_member_action},
    {&method_member_credit, service_member_credit},
    {&method_round_run, service_round_run},
    {&method_round_list, service_round_list},
    {&method_round_show, service_round_show},
    {&method_ledger_verify, service_ledger_verify},
    {&method_ledger_page, service_ledger_page},
    {&method_operator_statement, service_operator_statement},
    {&method_operator_explain, service_operator_explain},
    {&method_operator_jobs, service_operator_jobs},
    {&method_lease_list, service_lease_list},
    {&method_broker_status, service_broker_status},
    {&method_operator_disputes, service_operator_disputes},
    {&method_settlement_list, service_settlement_list},
    {&method_settlement_show, service_settlement_show},
    {&method_settlement_close, service_settlement_close},
    {&method_member_write_off, service_member_write_off},
    {&method_quarantine_release, service_quarantine_release},
    {&method_dispute_rule, service_dispute_rule},
    {&method_throughput, service_throughput},
};

const size_t enrolment_handlers_count = sizeof enrolment_handlers / sizeof enrolment_handlers[0];
const size_t member_handlers_count = sizeof member_handlers / sizeof member_handlers[0];
const size_t operator_handlers_count = sizeof operator_handlers / sizeof operator_handlers[0];

void service_answer(struct rpc_call *call, enum status status, const void *response,
                    const struct fault *fault)
{
    if (status == STATUS_OK)
        rpc_call_reply(call, response);
    else
        rpc_call_fail(call, status, fault);
}
