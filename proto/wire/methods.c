/*
 * Methods: the list of every RPC, and of the services as protobuf-c describes them; a test holds
 * one against the other.
 */
#include "entente/v1/enrol.pb-c.h"
#include "entente/v1/local.pb-c.h"
#include "entente/v1/member.pb-c.h"
#include "entente/v1/operator.pb-c.h"
#include "entente/v1/peer.pb-c.h"
#include "proto/wire/rows.h"

const struct wire_method *const methods_all[] = {
    &method_enrol,

    &method_renew,
    &method_heartbeat,
    &method_submit,
    &method_cancel,
    &method_watch_leases,
    &method_report_leases,
    &method_report_held,
    &method_report_receipts,
    &method_list_jobs,
    &method_statement,
    &method_explain,
    &method_dispute,
    &method_list_disputes,

    &method_token_create,
    &method_member_list,
    &method_member_action,
    &method_member_credit,
    &method_round_run,
    &method_round_list,
    &method_round_show,
    &method_ledger_verify,
    &method_ledger_page,
    &method_operator_statement,
    &method_operator_explain,
    &method_operator_jobs,
    &method_lease_list,
    &method_broker_status,
    &method_operator_disputes,
    &method_dispute_rule,
    &method_member_write_off,
    &method_settlement_list,
    &method_settlement_show,
    &method_settlement_close,
    &method_quarantine_release,
    &method_throughput,

    &method_accept,
    &method_offer_files,
    &method_push_chunks,
    &method_commit_files,
    &method_start,
    &method_watch_job,
    &method_stop,
    &method_countersign,

    &method_job_submit,
    &method_job_list,
    &method_job_show,
    &method_job_cancel,
    &method_job_logs,
    &method_job_fetch,
    &method_peer_drain,
    &method_peer_status,
    &method_local_statement,
    &method_local_explain,
    &method_local_dispute,
    &method_local_disputes,
};

const size_t methods_count = sizeof methods_all / sizeof methods_all[0];

const ProtobufCServiceDescriptor *const wire_services[] = {
    &entente__v1__enrol_service__descriptor,    &entente__v1__member_service__descriptor,
    &entente__v1__operator_service__descriptor, &entente__v1__peer_service__descriptor,
    &entente__v1__local_service__descriptor,
};

const size_t wire_services_count = sizeof wire_services / sizeof wire_services[0];
