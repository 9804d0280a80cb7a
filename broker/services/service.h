/*
 * Service: the handlers of the broker's three listeners, one file each or each small family, and
 * the tables that map methods to them.
 *
 * Each handler gets a validated request, does its one thing in one transaction, and answers once.
 * Thread rule: the loop's thread. Ownership: answers are built in the call's arena.
 */
#ifndef ENTENTE_BROKER_SERVICES_SERVICE_H
#define ENTENTE_BROKER_SERVICES_SERVICE_H

#include "proto/rpc/call.h"
#include "proto/wire/messages.h"

extern const struct rpc_handler enrolment_handlers[];
extern const size_t enrolment_handlers_count;
extern const struct rpc_handler member_handlers[];
extern const size_t member_handlers_count;
extern const struct rpc_handler operator_handlers[];
extern const size_t operator_handlers_count;

/* EnrolService */
void service_enrol(struct rpc_call *call, const void *request);

/* MemberService */
void service_renew(struct rpc_call *call, const void *request);
void service_heartbeat(struct rpc_call *call, const void *request);
void service_submit(struct rpc_call *call, const void *request);
void service_cancel(struct rpc_call *call, const void *request);
void service_watch_leases(struct rpc_call *call, const void *request);
void service_report_leases(struct rpc_call *call, const void *request);
void service_report_held(struct rpc_call *call, const void *request);
void service_report_receipts(struct rpc_call *call, const void *request);
void service_list_jobs(struct rpc_call *call, const void *request);
void service_statement(struct rpc_call *call, const void *request);
void service_dispute(struct rpc_call *call, const void *request);
void service_list_disputes(struct rpc_call *call, const void *request);
void service_explain(struct rpc_call *call, const void *request);

/* OperatorService */
void service_token_create(struct rpc_call *call, const void *request);
void service_member_list(struct rpc_call *call, const void *request);
void service_member_action(struct rpc_call *call, const void *request);
void service_member_credit(struct rpc_call *call, const void *request);
void service_operator_disputes(struct rpc_call *call, const void *request);
void service_dispute_rule(struct rpc_call *call, const void *request);
void service_settlement_list(struct rpc_call *call, const void *request);
void service_settlement_show(struct rpc_call *call, const void *request);
void service_settlement_close(struct rpc_call *call, const void *request);
void service_member_write_off(struct rpc_call *call, const void *request);
void service_quarantine_release(struct rpc_call *call, const void *request);
void service_round_run(struct rpc_call *call, const void *request);
void service_round_list(struct rpc_call *call, const void *request);
void service_round_show(struct rpc_call *call, const void *request);
void service_ledger_verify(struct rpc_call *call, const void *request);
void service_ledger_page(struct rpc_call *call, const void *request);
void service_operator_statement(struct rpc_call *call, const void *request);
void service_operator_explain(struct rpc_call *call, const void *request);
void service_operator_jobs(struct rpc_call *call, const void *request);
void service_lease_list(struct rpc_call *call, const void *request);
void service_broker_status(struct rpc_call *call, const void *request);
void service_throughput(struct rpc_call *call, const void *request);

struct daemon;

/* Signs a member's request and records the certificate, in the caller's transaction. */
MUST_USE enum status service_certify(struct daemon *daemon, const struct name *member,
                                     const char *csr_pem, struct pem *chain, struct fault *fault);

/* Approves, suspends, resumes or revokes, with all that goes with it; one transaction. */
MUST_USE enum status service_act_on_member(struct daemon *daemon,
                                           const struct member_action_request *request,
                                           struct arena *arena, struct fault *fault);

/* Answers with the response where status is OK, else fails the call with the fault. */
void service_answer(struct rpc_call *call, enum status status, const void *response,
                    const struct fault *fault);

#endif
